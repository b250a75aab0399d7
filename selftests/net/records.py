#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What 'tcpfsm record' keeps, and what the commands make of it with --from."""
import calendar
import collections
import contextlib
import glob
import json
import os
import re
import select
import signal
import subprocess
import tempfile
import time

from bed import (ADDR, Monitor, TOOL, both, close_to, connect_many, counters, equal, forget_flows, main, pair,
                 program, reset, run, status, stream_of, sysctl, test, true, until, within)

# What each reader gives by itself: numbers, and the time when it heard of an end.
NUMBERS = ("seq", "ended")


@contextlib.contextmanager
def directory():
    with tempfile.TemporaryDirectory() as work:
        yield os.path.join(work, "record")


@contextlib.contextmanager
def recorder(path, *words, host="router", kill=False):
    """Records into a directory during the block; yields the process."""
    with within(host) if host else contextlib.nullcontext(), \
         program(TOOL, "record", path, *words, stderr=subprocess.PIPE, text=True) as process:
        line = process.stderr.readline()
        true("following" in line, line)
        yield process
        process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        said = process.communicate()[1]
        equal(process.returncode, -signal.SIGKILL if kill else 0, said)


def told(path, *words):
    """What a command tells of a record, one object a line."""
    return [json.loads(line) for line in run(TOOL, "-j", *words, "--from", path).splitlines()]


def plain(rows):
    """To be compared as sets."""
    return sorted(json.dumps({k: v for k, v in row.items() if k not in NUMBERS}, sort_keys=True) for row in rows)


def flows_of(rows):
    """Their lines by flow, in the order in which they stand."""
    found = collections.defaultdict(list)
    for row in rows:
        found[row["flow"]].append(row)
    return found


def written(path):
    """Wait until the disk has what has happened: nothing more is written for longer than a block takes."""
    until(lambda: size_of(path), "a block is written")
    before = None
    while before != size_of(path):
        before = size_of(path)
        time.sleep(2.5)


def size_of(path):
    return sum(os.path.getsize(file) for file in glob.glob(path + "/*.tcpfsm"))


def said(process):
    """The next line of its standard error."""
    true(select.select([process.stderr], [], [], 20)[0], "it says something")
    return process.stderr.readline()


def talk_and_close(n, port, v, last=close_to):
    for c, s in connect_many(n, port, v):
        c.sendall(b"x" * 100)
        s.recv(100)
        if last is reset:
            reset(c)
            s.close()
        else:
            last(c, s)


def seconds_of(row):
    return row["ts"][11:19]


@both
def a_record_has_what_monitor_tells(v):
    forget_flows()
    sysctl("router", "timeout_closed", 1)
    with directory() as path:
        moves, ends = Monitor("router", f"-{v}"), Monitor("router", f"-{v}", "--flows")
        before = counters("router")
        with recorder(path, f"-{v}"):
            talk_and_close(20, 6200 + v, v)
            talk_and_close(20, 6210 + v, v, reset)
            until(lambda: len(ends.lines) >= 20, "the reset ones end")
            talk_and_close(1, 6220 + v, v)      # others go on
            until(lambda: sum(e["dport"] == 6220 + v and e["to"] == "TIME_WAIT" for e in moves.lines), "closed")
        moves, ends = moves.stop(), ends.stop()
        again = told(path, "log")
        equal(plain(again), plain(moves), "transitions")
        for flow, lines in flows_of(moves).items():
            equal(plain_in_order(flows_of(again)[flow]), plain_in_order(lines), f"flow {flow} in its order")
        equal([row["ts"] for row in again], sorted(row["ts"] for row in again), "in the order of time")
        equal(plain(told(path, "flows", "--ended")), plain(ends), "flows that ended")
        for words in ((str(ends[0]["flow"]),), (at(v, (ends[0]["src"], ends[0]["sport"])),
                                                at(v, (ends[0]["dst"], ends[0]["dport"])))):
            life = json.loads(run(TOOL, "-j", "flow", *words, "--from", path))
            equal((life["flow"], life["at_end"]["reason"], "alive" in life), (ends[0]["flow"], "rst-orig", False))
            equal(life["netns"], "router")
            equal(plain(life["transitions"]), plain(flows_of(moves)[life["flow"]]), "its life")
        text = run(TOOL, "flow", str(ends[0]["flow"]), "--from", path)
        true("ended " in text and "rst-orig" in text and "started " in text, text)
        equal([(r["dport"], r["reason"], r["flows"]) for r in told(path, "count", "dport,reason")],
              [(6210 + v, "rst-orig", 20)], "counted")
        grown = json.loads(run(TOOL, "-j", "replay", "-q", "--counters", newest(path)))["counters"]
        after = counters("router")
        true(0 < grown["segments"] <= after["segments"] - before["segments"], f"{grown}")
        text = run(TOOL, "flows", "--ended", "--from", path).splitlines()
        equal(len(text), 21, "a header and lines")
        true(text[0].startswith("start") and "lasted" in text[0], text[0])
        sysctl("router", "timeout_closed", 10)


def plain_in_order(rows):
    return [{k: v for k, v in row.items() if k not in NUMBERS} for row in rows]


def newest(path):
    return sorted(glob.glob(path + "/*.tcpfsm"))[-1]


@both
def dwell_graph_and_life_are_the_modules(v):
    forget_flows()
    port = 6220 + v
    before = json.loads(run_at("router", "-j", "dwell"))["dwell"]
    with directory() as path:
        with recorder(path):
            talk_and_close(10, port, v)
            c, s = pair(v, port)
            close_to(c, s)
            life = json.loads(run_at("router", "-j", "flow", at(v, c_address(v, port)), at(v, (ADDR[v]["server"], port))))
            time.sleep(1.3)
        after = json.loads(run_at("router", "-j", "dwell"))["dwell"]
        have = {d["state"]: d["count"] for d in json.loads(run(TOOL, "-j", "dwell", "--from", path))["dwell"]}
        was = {d["state"]: d["count"] for d in before}
        equal({s: n for s, n in have.items() if s != "CLOSED"},
              {d["state"]: d["count"] - was.get(d["state"], 0) for d in after
               if d["state"] != "CLOSED" and d["count"] > was.get(d["state"], 0)}, "times in states")
        arcs = {(a["from"], a["to"]): a["count"]
                for a in json.loads(run(TOOL, "-j", "graph", "--from", path))["arcs"]}
        equal(arcs["SYN_SENT", "ESTABLISHED"], 11, "the figure's arcs")
        past = json.loads(run(TOOL, "-j", "flow", str(life["flow"]), "--from", path))
        equal(plain_in_order(past["transitions"])[-1]["to"], life["transitions"][-1]["to"], "its last state")
        equal([t["to"] for t in past["transitions"]], [t["to"] for t in life["transitions"]], "its life")
        true("end        it is not in the record" in run(TOOL, "flow", str(life["flow"]), "--from", path), "as text")


def run_at(host, *words):
    with within(host):
        return run(TOOL, *words)


def at(v, address):
    return f"{address[0]}:{address[1]}" if v == 4 else f"[{address[0]}]:{address[1]}"


def c_address(v, port):
    """The client's end of the last flow to a port."""
    row = max(stream_of("router", "flows", f"-{v}", "dport", f":{port}"), key=lambda r: r["flow"])
    return row["src"], row["sport"]


@test
def a_record_is_asked_by_time_and_filter():
    with directory() as path:
        with recorder(path):
            talk_and_close(3, 6230, 4)
            written(path)
            middle = time.time()
            time.sleep(.1)
            talk_and_close(3, 6231, 4)
        every = told(path, "log")
        later = told(path, "log", "--since", f"@{middle:.6f}")
        equal({row["dport"] for row in later}, {6231}, "since")
        earlier = told(path, "log", "--until", f"@{middle:.6f}")
        equal({row["dport"] for row in earlier}, {6230}, "until")
        equal(plain(earlier + later), plain(every), "together")
        equal(plain(told(path, "log", "--last", "5")), plain(every[-5:]), "the last")
        equal(plain(told(path, "log", "dport", ":6231")), plain(later), "by port")
        equal(plain(told(path, "log", "src", ADDR[4]["client"])), plain(every), "by address")
        number = str(every[0]["flow"])
        equal({row["flow"] for row in told(path, "log", "id", number)}, {int(number)}, "by number")
        own = {seconds_of(row) for row in later}
        equal({seconds_of(row) for row in told(path, "log", "--since", "5m", "--until", "now", "dport", ":6231")},
              own, "times ago")
        for words in (("src", "203.0.113.1"), ("--since", "now")):
            code, out, err = status(TOOL, "log", "--from", path, *words)
            equal((code, out), (1, ""), err)
        for words, what in ((("log", "--since", "25:00"), "'25:00' is not a time"),
                            (("log", "--since", "1m", "--until", "2m"), "--until is before --since"),
                            (("count", "dst", "--since", "1m"), "goes with --from"),
                            (("flows", "--from", path), "--from goes with --ended"),
                            (("flows", "--ended"), "it goes with --from"),
                            (("log", "--from", path + "x"), "No such file"),
                            (("log", "--last", "0"), "--last takes 1 or more"),
                            (("record",), "where to?"), (("record", path, "--size", "1X"), "'1X'"),
                            (("record", "/proc/nowhere"), "cannot make the directory")):
            code, out, err = status(TOOL, *words)
            equal((code, out), (2, ""), err)
            true(what in err, err)


@test
def the_modules_log_is_asked_by_time():
    forget_flows()
    talk_and_close(2, 6235, 4)
    time.sleep(.1)
    middle = time.time()
    talk_and_close(2, 6236, 4)
    every = stream_of("router", "log", "port", ":6235", "or", "port", ":6236")
    for words, port in ((("--since", f"@{middle:.6f}"), 6236), (("--until", f"@{middle:.6f}"), 6235)):
        rows = stream_of("router", "log", *words, "port", ":6235", "or", "port", ":6236")
        equal({row["dport"] for row in rows}, {port}, words[0])
    equal(stream_of("router", "log", "--last", "3", "port", ":6235", "or", "port", ":6236"), every[-3:], "the last")


@test
def a_killed_recorder_has_kept_all_but_a_second():
    with directory() as path:
        with recorder(path, kill=True):
            talk_and_close(5, 6240, 4)
            written(path)
        every = told(path, "log")
        equal(len(flows_of(every)), 5, "flows")
        # What comes after the crash begins a file of its own.
        with recorder(path):
            talk_and_close(5, 6241, 4)
            time.sleep(.1)
        equal(len(glob.glob(path + "/*.tcpfsm")), 2, "files")
        equal(len(flows_of(told(path, "log"))), 10, "flows of both")


@test
def damage_is_passed_over():
    """In the middle of a file, and a block at its end that was not written whole."""
    with directory() as path:
        with recorder(path):
            for port in (6245, 6246, 6247):
                talk_and_close(2, port, 4)
                written(path)
        file = newest(path)
        with open(file, "rb") as f:
            data = f.read()
        blocks = [i for i in range(len(data)) if data.startswith(b"TBLK", i)]
        true(len(blocks) >= 3, f"{blocks}")
        middle = bytearray(data)
        middle[blocks[2] - 1] ^= 0xff
        index = bytearray(data)
        index[blocks[1] + 50] ^= 0xff
        for damaged, lost in ((middle, {6246}), (index, {6246}), (data[:blocks[-1] + 50], {6247}), (data + b"\0" * 4096, set())):
            with open(file, "wb") as f:
                f.write(damaged)
            code, out, err = status(TOOL, "-j", "log", "--from", path)
            equal(code, 0, err)
            true("passed over" in err, err)
            have = {json.loads(line)["dport"] for line in out.splitlines()}
            true({6245, 6246, 6247} - have <= lost, f"{have} without {lost}")
            code, out, err = status(TOOL, "log", "--from", path, "dport", ":6246", "--since", "1h")
            true("passed over" in err, f"with a filter: {err}")
        with open(file, "wb") as f:
            f.write(b"something else")
        code, out, err = status(TOOL, "log", "--from", file)
        equal((code, out), (2, ""), err)
        true("not a record" in err, err)
        # Of a directory, the others are read.
        with recorder(path):
            talk_and_close(2, 6248, 4)
        code, out, err = status(TOOL, "log", "--from", path)
        true(code == 0 and ":6248" in out and "passed over" in err, err)


@test
def the_oldest_go():
    """By size, and by age: a second lies between a transition and its file, another in the test."""
    for words in (("--size", "64K"), ("--keep", "2s")):
        with directory() as path:
            with recorder(path, *words):
                began = time.time()
                for i in range(16):
                    talk_and_close(250, 6250, 4, reset)
                    time.sleep(max(0, began + (i + 1) / 2 - time.time()))
            files = glob.glob(path + "/*.tcpfsm")
            true(len(files) > 2, f"{len(files)} files")
            rows = told(path, "log")
            true(parse(rows[0]["ts"]) > began + .5, f"the oldest are gone ({words[0]})")
            true(parse(rows[-1]["ts"]) > began + 6, "the latest are there")
            if "--size" in words:
                size = sum(os.path.getsize(file) for file in files)
                true(20 << 10 < size <= 100 << 10, f"{size} bytes")


def parse(ts):
    return calendar.timegm(time.strptime(ts[:19], "%Y-%m-%dT%H:%M:%S"))


@test
def one_recorder_a_directory():
    with directory() as path, recorder(path), within("router"):
        code, _, err = status(TOOL, "record", path)
        equal(code, 2, err)
        true("another recorder writes" in err, err)


@test
def a_full_disk_is_told_and_survived():
    with tempfile.TemporaryDirectory() as work:
        run("mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", work)
        path, filler = work + "/record", work + "/filler"
        try:
            with recorder(path) as process:
                talk_and_close(2, 6255, 4)
                time.sleep(1.5)
                with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as f:
                    while True:
                        f.write(b"x" * 4096)
                talk_and_close(200, 6256, 4)
                line = said(process)
                true("cannot write to" in line and "No space left" in line, line)
                os.unlink(filler)
                talk_and_close(2, 6257, 4)
                line = said(process)
                true("again" in line and "were lost" in line, line)
                missing = int(re.search(r"(\d+) transitions", line)[1])
                time.sleep(1.5)
                talk_and_close(2, 6258, 4)
                time.sleep(1.5)
            rows = told(path, "log")
            ports = [row.get("dport") for row in rows]
            losses = [row for row in rows if "lost" in row]
            equal([(loss["group"], loss["lost"]) for loss in losses], [("record", missing)], "all of it is told")
            true({6255, 6258} <= set(ports), f"{set(ports)}")
            true(ports.index(6255) < ports.index(None) < ports.index(6258), "the loss in its place")
        finally:
            run("umount", work)


@test
def namespaces_and_processes_are_recorded():
    with directory() as path:
        with recorder(path, "-A", "-p", host=None):
            pairs = connect_many(2, 6260, 4)
            time.sleep(1.5)
            for c, s in pairs:
                close_to(c, s)
        rows = told(path, "log", "port", ":6260")
        equal({row["netns"] for row in rows}, {"client", "router", "server"}, "namespaces")
        equal({row["netns"] for row in told(path, "log", "-N", "client")}, {"client"}, "one of them")
        column = {line.split()[0] for line in run(TOOL, "log", "-A", "--from", path, "port", ":6260").splitlines()}
        equal(column, {"client", "router", "server"}, "the column")
        first = next(row for row in rows if row["netns"] == "client")
        ends = [f"{first[x]}:{first[x[0] + 'port']}" for x in ("src", "dst")]
        lives = json.loads(run(TOOL, "-A", "-j", "flow", *ends, "--from", path))
        equal({life["netns"] for life in lives}, {"client", "router", "server"}, "its lives")
        equal({len(life["transitions"]) for life in lives}, {11}, "whole")
        equal(json.loads(run(TOOL, "-N", "server", "-j", "flow", *ends, "--from", path))["netns"], "server")
        for host, end in (("client", "orig"), ("server", "resp")):
            holders = {row["socket"][end]["pid"] for row in told(path, "log", "-p", "-N", host, "port", ":6260")
                       if end in row.get("socket", {})}
            equal(holders, {os.getpid()}, f"the process at {host}")


if __name__ == "__main__":
    main()
