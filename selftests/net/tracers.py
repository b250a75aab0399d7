#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The one-liners of the manual, with real tracing tools, beside real traffic."""
import contextlib
import os
import re
import shlex
import signal
import subprocess
import time

from bed import (RST, Traffic, close_to, equal, main, numbers, pair, reset, status, test, true, wire_into)

HERE = os.path.dirname(os.path.abspath(__file__))


def lines_of_the_manual():
    """What its section on tracepoints tells people to type."""
    page = subprocess.run(["man", "-P", "cat", "-l", os.path.join(HERE, "../../tools/tcpfsm.4")],
                          stdout=subprocess.PIPE, check=True, text=True,
                          env=dict(os.environ, MANWIDTH="200", LC_ALL="C")).stdout
    section = page[page.index("\nTRACEPOINTS"):page.index("\nSEE ALSO")]
    return [shlex.split(line) for line in section.splitlines() if re.match(r" +(bpftrace|perf) ", line)]


@contextlib.contextmanager
def everything_happens():
    """Connections that end, leak, are reset, and segments that are refused."""
    traffic = Traffic(1)
    held = [pair(4, 9900 + i) for i in range(5)]
    for c, _ in held:
        c.close()
    c, s = pair(4, 9910)
    with wire_into(4, c, 9910) as w:
        for _ in range(3):
            w.send("client", RST, numbers(s)[1] + 100)
    for _ in range(3):
        x, y = pair(4, 9911)
        reset(x)
        y.close()
    try:
        yield
    finally:
        traffic.stop()
        close_to(c, s, *(s for both in held for s in both))


def bpftrace(words):
    p = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    true("Attaching" in p.stdout.readline(), "it attaches")
    time.sleep(1)
    with everything_happens():
        time.sleep(3)
    p.send_signal(signal.SIGINT)
    return p.communicate(timeout=60)[0]


@test
def bpftrace_has_the_transitions():
    lines = [words for words in lines_of_the_manual() if words[0] == "bpftrace"]
    equal(len(lines), 4, "lines in the manual")
    wanted = (r"@\[1, 8\]: \d+", r"@ms\[1\]:", r"@\[9900\]: \d+", r"@\[\d+, 4\]: \d+")
    for words, want in zip(lines, wanted):
        out = bpftrace(words)
        true(re.search(want, out), f"{want} in {out[-2000:]}")


@test
def perf_has_the_transitions():
    lines = [words for words in lines_of_the_manual() if words[0] == "perf"]
    equal([words[1] for words in lines], ["stat", "record", "script"], "lines in the manual")
    for words in lines[:2]:
        p = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        while p.poll() is None:     # when it begins to look, it does not say
            with everything_happens():
                time.sleep(0.1)
        out = p.communicate(timeout=300)[0]
        equal(p.returncode, 0, out)
        if words[1] == "stat":
            count = re.search(r"([\d,]+) +tcpfsm:tcpfsm_transition", out)
            true(count and int(count[1].replace(",", "")) > 100, out)
    code, out, err = status(*lines[2])
    equal(code, 0, err)
    rows = [line for line in out.splitlines() if "tcpfsm_transition" in line]
    true(len(rows) >= 9 and all("cause=9 " in row for row in rows), f"{out[-2000:]}{err}")


if __name__ == "__main__":
    main()
