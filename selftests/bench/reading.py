# SPDX-License-Identifier: GPL-2.0
"""What programs get to read: events as they come, and all flows at once."""
import contextlib
import json
import os
import shutil
import subprocess
import time

from bed import TOOL, Failed, equal, run, until, write
from beds import Conntrack, Tcpfsm, host, matrix, reader
from report import part
from speed import CLOSED, OPEN

OUTPUT = "/tmp/output"
QUIET = 4       # seconds without a new line: it has read all that there is


# ---- events ----

def lines_of(file):
    """Those that tell of an event; notes of what was lost begin with dashes."""
    with open(file, "rb") as f:
        return sum(not line.startswith(b"--") for line in f)


def settled(file):
    """Wait until nothing has been written to a file for a while."""
    until(lambda: time.time() - os.stat(file).st_mtime > QUIET, "it has read all", 300)


def read_events(who, command, flows):
    """Connections that open and close back to back while a program reads: what happened, lines
    delivered, ns a segment, and ms from the last segment to the last line."""
    with open(OUTPUT, "wb") as output, host(who) as push:
        with reader(command, output):
            ns = push(op="life", flows=flows)
            ended = time.time()
            settled(OUTPUT)
        who.must_have(flows, CLOSED)
        moves = sum(map(sum, matrix("transitions").values())) if who.name == Tcpfsm.name else 0
    return moves, lines_of(OUTPUT), ns, 1000 * max(0, os.stat(OUTPUT).st_mtime - ended)


def tell_events(report, what, happened, delivered, ns, ms):
    if not 0 < delivered <= happened:
        raise Failed(f"{what}: {delivered} events delivered, {happened} happened")
    report.say(f"{what}: {happened} events, {delivered} delivered, "
               f"{happened - delivered} lost, the last after {ms:.0f} ms, {ns:.0f} ns a segment")
    return happened - delivered


@contextlib.contextmanager
def receive_buffers(size):
    """Of that many bytes for sockets that do not set their own: conntrack -b, of version 1.4.7,
    sizes another socket than the one that it reads events from."""
    path = "/proc/sys/net/core/rmem_default"
    with open(path, encoding="ascii") as f:
        before = int(f.read())
    write(path, size or before)
    try:
        yield
    finally:
        write(path, before)


@part
def events(report):
    """every transition of 200,000 connections back to back"""
    flows, few, large = 200_000, 300, 128 << 20
    theirs, ours = ["conntrack", "-E"], [TOOL, "-n", "monitor"]
    with receive_buffers(large):
        sure = read_events(Conntrack(few), theirs, few)[1]
    equal(sure % few, 0, f"lines of {sure} for {few} connections, beyond so many for each")
    happened, delivered, ns, ms = read_events(Tcpfsm(flows), ours, flows)
    lost = tell_events(report, "tcpfsm", happened, delivered, ns, ms)
    for size, what in ((None, ""), (large, ", conntrack's buffer 128 MB")):
        with receive_buffers(size):
            _, *seen = read_events(Conntrack(flows), theirs, flows)
        conntrack_lost = tell_events(report, f"nf_conntrack{what}", sure // few * flows, *seen)
        report.add(f"events lost{what}", f"{conntrack_lost} of {sure // few * flows}",
                   f"{lost} of {happened}", target="tcpfsm 0", met=lost == 0)
        report.add(f"last event delivered{what}, ms after it happened", seen[2], ms)
    os.unlink(OUTPUT)


# ---- onto disk ----

RATE, LASTS = 10_000, 5         # connections a second, seconds
RECORD = "/tmp/bench-record"
IN_USER_SPACE = os.environ.get("TCPFSM_RECORDER")      # us a connection, of recorder.c at the host


def size_of(path):
    if os.path.isfile(path):
        return os.path.getsize(path)
    return sum(entry.stat().st_size for entry in os.scandir(path))


def keep_up(who, command, path):
    """Connections at a steady rate while a program keeps what happens: bytes a connection."""
    with open(OUTPUT, "wb") as output, host(who) as push:
        if who.name == Tcpfsm.name:
            for key in ("time_wait", "closed"):         # their ends belong to it
                write(f"/proc/sys/net/tcpfsm/timeout_{key}", 1)
        with reader(command, output):
            began, step = time.monotonic(), RATE // 20
            for i in range(LASTS * 20):
                push(op="life", first=i * step, flows=step)
                time.sleep(max(0, began + (i + 1) / 20 - time.monotonic()))
            until(lambda: who.name == Conntrack.name or not who.have(), "all are over", 60)
            time.sleep(QUIET)
    return size_of(path) / (RATE * LASTS)


@part
def record(report):
    """10,000 connections a second, kept on disk"""
    shutil.rmtree(RECORD, ignore_errors=True)
    ways = {
        "record": (Tcpfsm, [TOOL, "record", RECORD], RECORD),
        "json": (Tcpfsm, [TOOL, "-n", "-j", "monitor"], OUTPUT),
        "conntrack": (Conntrack, ["conntrack", "-E", "-o", "timestamp"], OUTPUT),
    }
    sizes = {what: keep_up(kind(RATE * LASTS), command, path) for what, (kind, command, path) in ways.items()}
    kept = json.loads(run(TOOL, "-n", "-j", "count", "reason", "--from", RECORD).splitlines()[0])["flows"]
    rows = run(TOOL, "-n", "log", "--from", RECORD).splitlines()
    equal((kept, len(rows), [row for row in rows if row.startswith("--")]),
          (RATE * LASTS, 12 * RATE * LASTS, []), "flows and transitions in the record, and losses")
    report.say(f"monitor --json: {sizes['json']:.0f} bytes a connection")
    report.ratio("kept on disk: bytes a connection (conntrack -E -o timestamp)", [sizes["conntrack"]],
                 [sizes["record"]])
    report.add("kept on disk: bytes a connection", "-", f"{sizes['record']:.1f}", target="120",
               met=sizes["record"] <= 120)
    if IN_USER_SPACE:
        us = float(IN_USER_SPACE)
        report.add("kept on disk: us a connection in user space", "-", f"{us:.2f}, {us / 100:.1%} of a CPU",
                   target="3.00", met=us < 3)
    os.unlink(OUTPUT)


# ---- all flows ----

def occurrences(file, word):
    """Of a word in a file that may be larger than memory allows to read at once."""
    found, rest = 0, b""
    with open(file, "rb") as f:
        while block := f.read(1 << 20):
            block = rest + block
            found += block.count(word)
            rest = block[-len(word) + 1:] if len(word) > 1 else b""
    return found


def dumped(command, flows, word=b":80 "):
    """Seconds that a program takes to write all flows, each of which has the word once."""
    with open(OUTPUT, "wb") as f:
        began = time.monotonic()
        subprocess.run(command, stdout=f, stderr=subprocess.DEVNULL, check=True)
        took = time.monotonic() - began
    equal(occurrences(OUTPUT, word), flows, f"flows written by {' '.join(command)}")
    os.unlink(OUTPUT)
    return took


@part
def dump(report):
    """a million flows"""
    flows = 1_000_000
    kinds = {
        Conntrack: {
            "text": (["conntrack", "-L"], b"tcp "),
            "structured": (["conntrack", "-L", "-o", "xml"], b"<flow>"),
            "/proc": (["cat", "/proc/thread-self/net/nf_conntrack"], b" tcp "),
        },
        Tcpfsm: {
            "text": ([TOOL, "-n", "flows"], b":80 "),
            "structured": ([TOOL, "-n", "-j", "flows"], b'"flow":'),
            "/proc": (["cat", "/proc/thread-self/net/tcpfsm/flows"], b" 80 "),
        },
    }
    took = {}
    for kind, commands in kinds.items():
        who = kind(flows)
        with host(who) as push:
            push(op="open", flows=flows)
            who.must_have(flows, OPEN)
            for what, (command, word) in commands.items():
                us = took[kind, what] = dumped(command, flows, word) * 1e6 / flows
                report.say(f"{os.path.basename(command[0])} {' '.join(command[1:])}: "
                           f"{us:.2f} us a flow")
    for what, ours, theirs, target in (
            ("text, us a flow", "text", "text", 0.10),
            ("JSON against text, us a flow", "structured", "text", 0.10),
            ("JSON against XML, us a flow", "structured", "structured", None),
            ("/proc against /proc, us a flow", "/proc", "/proc", None)):
        report.ratio(f"dump of 1M flows: {what}", [took[Conntrack, theirs]],
                     [took[Tcpfsm, ours]], target)
