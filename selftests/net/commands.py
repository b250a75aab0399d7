#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What the commands of the tool make of what the module tells: flows ranked, counted and named, lives,
transitions as they happen, records and captures."""
import contextlib
import json
import os
import random
import re
import socket
import struct
import subprocess
import threading
import time

import bed
from bed import (ACK, ADDR, FIN, HOSTS, Monitor, RST, SYN, TOOL, Wire, both, close_to, connect,
                 connect_many, equal, flood, forget_flows, listen, main, muted, pair, received, reset,
                 run, status, stream_of, sysctl, table, test, tool, true, until, within)
from bed.capture import pcap


@both
def flows_are_counted_and_named_by_process(v):
    forget_flows()
    port, name = 6110 + v, f"python3({os.getpid()})"
    pairs = connect_many(3, port, v)
    rows = stream_of("client", "count", "dst,dport", f"-{v}", "dport", f":{port}")
    equal([(r["dst"], r["dport"], r["flows"], r["share"]) for r in rows],
          [(ADDR[v]["server"], port, 3, 1)])
    true(rows[0]["oldest_ns"] > 0 and rows[0]["packets"] >= 9, f"{rows[0]}")
    for host, end in (("client", "orig"), ("server", "resp")):
        counted = {row["process"]: row["ends"]
                   for row in stream_of(host, "count", "process", "dport", f":{port}")}
        equal(counted, {name: 3, None: 3}, f"of the processes at {host}")
        rows = stream_of(host, "flows", "-p", "dport", f":{port}")
        equal({row["socket"][end]["pid"] for row in rows}, {os.getpid()}, f"pid at {host}")
        fds = {c.fileno() if end == "orig" else s.fileno() for c, s in pairs}
        equal({row["socket"][end]["fd"] for row in rows}, fds, f"files at {host}")
        fd = min(fds)
        true(f'{end}:(("python3",pid={os.getpid()},fd={fd}))' in
             tool(host, "-H", "flows", "--processes", "dport", f":{port}"), f"text at {host}")
    equal([row["process"] for row in stream_of("router", "count", "process")], [None], "at the router")
    equal(stream_of("client", "count", "uid", "dport", f":{port}")[0]["ends"], 3)
    for c, s in pairs:
        close_to(c, s)
    with within("router"):
        equal(status(TOOL, "count", "src", "sport", ":1")[0], 1, "nothing fits")


@both
def flows_are_ranked_and_their_columns_chosen(v):
    forget_flows()
    port, sent = 6120 + v, (300, 0, 5000, 40)
    pairs = []
    for n in sent:
        time.sleep(.02)
        pairs += connect_many(1, port + 10 * len(pairs), v)
        c, s = pairs[-1]
        c.sendall(b"x" * n)
        received(s, n)
    by_bytes = [str(pairs[i][0].getsockname()[1]) for i in (2, 0, 3, 1)]
    by_age = [str(c.getsockname()[1]) for c, _ in pairs]

    def ports(*words):
        return [row["sport"] for row in stream_of("router", "flows", f"-{v}", *words)]

    equal(ports("--sort", "bytes"), list(map(int, by_bytes)), "the largest first")
    equal(ports("--sort", "age"), list(map(int, by_age)), "the oldest first")
    equal(ports("--sort", "start"), list(map(int, by_age[::-1])), "the latest first")
    equal(ports("--sort", "src"), sorted(map(int, by_age)), "in the order of ports")
    equal(ports("--top", "3", "--sort", "bytes"), list(map(int, by_bytes[:3])), "the first of them")
    equal(len(ports("--top", "2")), 2, "by dwell")
    with within("router"):
        equal(status(TOOL, "flows", f"-{v}")[2], "", "what is said beside all the flows")
        code, out, err = status(TOOL, "flows", f"-{v}", "--sort", "bytes", "--top", "1", "-o", "pair,src,uid,process")
    equal((code, err.strip()), (0, "tcpfsm: and 3 more flows"))
    head, row = out.splitlines()
    equal(head.split(), ["orig:resp", "src", "uid", "process"])
    equal(row.split()[0], "ESTABLISHED:ESTABLISHED")
    true(row.split()[1].endswith(":" + by_bytes[0]), row)
    equal(row.split()[2:], ["-/-", "-"], "whose sockets they are, a router cannot tell")
    here = tool("client", "-H", "flows", f"-{v}", "-o", "process,flow", "sport", f":{by_age[0]}").split()
    equal(here[0], f"orig:python3({os.getpid()})")
    for c, s in pairs:
        close_to(c, s)


@both
def services_are_chosen(v):
    forget_flows()
    port, other = 6160 + 5 * (v // 2), 4 if v == 6 else 6
    pairs = connect_many(1, port, v) + connect_many(1, port + 3, v) + connect_many(1, port, other)
    here = ADDR[v]["server"]

    def chosen(*words):
        return sorted((s["addr"], s["port"]) for s in json.loads(tool("router", "-j", "services", *words))["services"]
                      if port <= (s["port"] or 0) <= port + 3)

    mine, second, others = (here, port), (here, port + 3), (ADDR[other]["server"], port)
    equal(chosen(), sorted([mine, second, others]), "all")
    for words, want in ((("dst", here), [mine, second]), ((f"-{v}",), [mine, second]),
                        (("dport", f":{port}"), sorted([mine, others])), (("port", "!=", f":{port}"), [second]),
                        (("host", endpoint(v, "server", port)), [mine]),
                        (("dport", ">", f":{port}", "and", "not", "dst", ADDR[other]["server"]), [second])):
        equal(chosen(*words), want, " ".join(words))
    with within("router"):
        for words in (("src", here), ("state", "established"), ("dst", here, "or", "flag", "nat")):
            code, out, err = status(TOOL, "services", *words)
            equal((code, out), (2, ""), " ".join(words))
            true(words[0] == "dst" or "dst, dport, host and port alone" in err, err)
    close_to(*(s for both_ends in pairs for s in both_ends))


@test
def words_and_columns_are_explained():
    c, s = pair(4, 6118)
    for verb in ("pairs", "dwell"):
        out = tool("client", verb, "--explain")
        true("Waits for its own application to call close()" in out, f"whom CLOSE_WAIT waits for: {verb}")
    out = tool("client", "services", "--explain")
    columns = tool("client", "services").split("\n", maxsplit=1)[0].split()[1:]
    explained = out.split("\n\n")[1].splitlines()
    equal([line.split()[0] for line in explained], columns, "each column is explained")
    for verb in ("pairs", "dwell", "services"):
        equal(list(json.loads(tool("client", "-j", verb, "--explain"))),
              list(json.loads(tool("client", "-j", verb))), f"JSON of {verb}")
    close_to(c, s)


def endpoint(v, host, port):
    return f"[{ADDR[v][host]}]:{port}" if v == 6 else f"{ADDR[v][host]}:{port}"


@both
def a_flow_by_one_of_its_ends(v):
    forget_flows()
    port = 6112 + v
    (c, s), (d, t) = connect_many(2, port, v)
    sport = c.getsockname()[1]
    here, there = endpoint(v, "client", sport), endpoint(v, "server", port)
    equal({r["sport"] for r in json.loads(tool("client", "-j", "flow", there))["flows"]},
          {sport, d.getsockname()[1]}, "two have this end")
    equal(len(tool("client", "flow", there).splitlines()), 3, "as text")
    alone, both_ends = [json.loads(tool("client", "-j", "flow", *ends))
                        for ends in ((here,), (here, there))]
    equal((alone["flow"], alone["now"]["sport"]), (both_ends["flow"], sport), "one has this end")
    true("before: ..." not in tool("client", "flow", here), "nothing of the history is left out")
    for x, y in ((c, s), (d, t)):
        close_to(x, y)


@both
def a_flow_names_its_earlier_incarnation(v):
    forget_flows()
    port, ids = 6114 + v, []
    for _ in range(2):
        c, s = pair(v, port, sport=6199)
        ids.append(stream_of("client", "flows", "dport", f":{port}", "state", "established")[0]["flow"])
        reset(c)
        s.close()
    ends = endpoint(v, "client", 6199), endpoint(v, "server", port)
    true(f"1 incarnation is in the log: flow {ids[0]}" in tool("client", "flow", *ends), "in text")
    equal(json.loads(tool("client", "-j", "flow", *ends))["earlier_flow"], ids[0], "in JSON")


def live(name, *words):
    return Monitor(name, *words, command="live", ready=b"live:")


@both
def live_tells_what_the_module_does(v):
    """At a router each segment passes two interfaces, and counts once."""
    port = 6210 + v
    followers = {"any": live("router", "dport", f":{port}"),
                 "one": live("router", "-i", "to-client", "dport", f":{port}"),
                 "client": live("client", f"-{v}", "dport", f":{port}")}
    ours = []
    for c, s in connect_many(10, port, v):
        ours.append(c.getsockname()[1])
        c.sendall(b"x" * 3000)
        received(s, 3000)
        if len(ours) % 3:
            c.close()
            s.recv(1)
            s.close()
        else:
            reset(s)
            c.close()
    key = ("sport", "step", "end", "from", "to", "cause")
    for who, follower in followers.items():
        events = [tuple(e[k] for k in key) for e in follower.stop() if e.get("cause") != "EXPIRE"]
        told = [tuple(r[k] for k in key) for r in stream_of("client" if who == "client" else "router", "log",
                                                            "dport", f":{port}") if r["cause"] != "EXPIRE"]
        for sport in ours:
            equal([e for e in events if e[0] == sport], [e for e in told if e[0] == sport], f"{who}, port {sport}")
        equal(follower.process.returncode, 0, f"{who} ends well")


@test
def live_counts_stops_and_draws():
    port = 6216
    counting = live("router", "--by", "dport,reason", "dport", f":{port}")
    few = live("router", "-c", "3", "dport", f":{port}")
    ending = live("client", "-q", "--flows", "dport", f":{port}")
    pairs = connect_many(4, port)
    for c, s in pairs[:2]:
        reset(c)
        s.close()
    until(lambda: few.process.poll() is not None, "three are enough")
    equal(len(few.stop()), 3, "as many as wanted")
    rows = [(r["dport"], r["reason"], r["flows"]) for r in counting.stop()]
    equal(sorted(rows, key=str), [(port, "rst-orig", 2), (port, None, 2)], "how they ended")
    equal(sorted(str(f["reason"]) for f in ending.stop()), ["None", "None", "rst-orig", "rst-orig"], "each flow")
    for c, s in pairs[2:]:
        close_to(c, s)
    with within("router"):
        code, out, err = status(TOOL, "live", "-i", "nowhere")
        equal((code, out), (2, ""))
        equal(err.strip(), "tcpfsm: live: 'nowhere' is not an interface: any, lo, to-client, to-server")
        code, out, err = status(TOOL, "live", "--for", "300ms", "--graph", "sport", ":1")
        true("FIN WAIT-1" in out or "FIN_WAIT_1" in out, f"the figure: {out}")
        code, out, err = status("setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw",
                                TOOL, "live", "--for", "1s")
        equal((code, err.strip()), (2, "tcpfsm: live: this needs CAP_NET_RAW; run with sudo"))


@both
def monitor_by_arc_cause_and_dwell(v):
    """Each filter's lines are those of the whole that fulfil it."""
    port = 6040
    filters = {
        "from established to close-wait": lambda e: (e["from"], e["to"]) == ("ESTABLISHED", "CLOSE_WAIT"),
        "resp from listen": lambda e: e["end"] == "resp" and e["from"] == "LISTEN",
        "cause snd_rst": lambda e: e["cause"] == "SND_RST",
        "not cause SND_SYN dport = :6040": lambda e: e["cause"] != "SND_SYN" and e["dport"] == port,
        "dwell gt 200ms": lambda e: e["dwell_ns"] > 200 * 10**6,
    }
    forget_flows()
    whole = Monitor("router")
    some = {words: Monitor("router", *words.split()) for words in filters}
    for i in range(12):
        c, s = pair(v, port)
        if i % 3:
            time.sleep(0.3 * (i % 2))
            close_to(c, s)
        else:
            bed.reset(c)
            s.close()
    until(lambda: sum("to" in e for e in whole.lines) >= 12 * 7, "events")
    time.sleep(0.3)
    events = [e for e in whole.stop() if "to" in e]
    for words, monitor in some.items():
        want = [e for e in events if filters[words](e)]
        have = monitor.stop()
        key = lambda e: (e["flow"], e["step"])     # pylint: disable=unnecessary-lambda-assignment
        equal(sorted(map(key, have)), sorted(map(key, want)), words)
        true(want, f"some fulfil '{words}'")
    for words in ("from nowhere", "cause boredom"):
        with within("router"):
            code, out, err = status(TOOL, "monitor", *words.split())
        equal((code, out), (2, ""), err)
        true(f"'{words.split()[1]}'" in err, err)
    with within("router"):
        code, out, err = status(TOOL, "flows", "cause", "SND_RST")
    equal((code, out), (2, ""), err)
    true("are of transitions" in err, err)


def plain(rows):
    """Transitions to compare: a record numbers them anew, and tells them in the order of time."""
    return sorted(json.dumps({**row, "seq": 0}, sort_keys=True) for row in rows)


@both
def monitor_records_for_replay(v):
    """The record is what was printed; replayed, it is printed again, or as a figure."""
    forget_flows()
    path = f"/tmp/record{v}"
    monitor = Monitor("router", "--record", path, "dport", "=", ":6042")
    for i in range(10):
        c, s = pair(v, 6042)
        close_to(*((c, s) if i % 2 else (s, c)))
    until(lambda: sum(e.get("to") == "TIME_WAIT" for e in monitor.lines) == 10, "all are closed")
    events = monitor.stop()

    def replayed(*words):
        return plain(json.loads(line) for line in run(TOOL, "-j", "replay", path, *words).splitlines())

    equal(replayed(), plain(events), "again")
    equal(replayed("cause", "SND_FIN"), plain(e for e in events if e["cause"] == "SND_FIN"), "filtered")
    figure = json.loads(run(TOOL, "-j", "replay", path, "--graph"))
    equal({(a["from"], a["to"]): a["count"] for a in figure["arcs"] if a["from"] == "SYN_SENT" and a["count"]},
          {("SYN_SENT", "ESTABLISHED"): 10}, "the figure's arcs")
    equal({x["state"]: (x["orig"], x["resp"]) for x in figure["states"] if x["orig"] + x["resp"]},
          {"TIME_WAIT": (5, 5), "CLOSED": (5, 5)}, "and its ends")
    true(len(run(TOOL, "replay", path).splitlines()) == len(events), "as text")
    open(path, "w", encoding="ascii").close()
    code, out, err = status(TOOL, "replay", path)
    equal((code, out), (2, ""), err)
    true("is empty" in err, err)
    code, _, err = status(TOOL, "monitor", "--record", "/nowhere/file")
    equal(code, 2, err)
    true("'/nowhere/file'" in err, err)


class NameServer:
    """Of a namespace, at 127.0.0.1. Has no names; a mute one does not say so."""

    def __init__(self, name, mute):
        self.asked, self.mute, self.name = [], mute, name
        with within(name):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind(("127.0.0.1", 53))
        self.thread = threading.Thread(target=self.answer, daemon=True)
        self.thread.start()

    def answer(self):
        with contextlib.suppress(OSError):
            while True:
                query, peer = self.socket.recvfrom(512)
                if query == b"end":
                    return
                self.asked.append(query[12:])
                if not self.mute:
                    self.socket.sendto(query[:2] + b"\x81\x83" + query[4:6] + bytes(6) + query[12:], peer)

    def stop(self):
        self.mute = True
        with within(self.name), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"end", ("127.0.0.1", 53))
        self.thread.join()
        self.socket.close()


def syn_from(address, sport):
    """To 198.51.100.1:80; the checksums are 0."""
    tcp = struct.pack("!HHIIBBHHH", sport, 80, 1, 0, 5 << 4, SYN, 65535, 0, 0)
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, 0, socket.inet_aton(address),
                       socket.inet_aton("198.51.100.1")) + tcp


@test
def each_name_is_asked_for_once():
    path, conf = "/tmp/capture_of_names", "/tmp/resolv.conf"
    with open(path, "wb") as f:
        f.write(pcap([(1 + i / 100, syn_from(f"192.0.2.{i % 20}", 5000 + i)) for i in range(60)]))
    with open(conf, "w", encoding="ascii") as f:
        f.write("nameserver 127.0.0.1\n")
    for mute in (False, True):
        server = NameServer("router", mute)
        with within("router"):
            out = run("unshare", "--mount", "sh", "-c",
                      f"mount --bind {conf} /etc/resolv.conf && exec {TOOL} -r replay {path} to syn-sent")
        server.stop()
        equal(len([line for line in out.splitlines() if "192.0.2." in line and
                   "198.51.100.1:http" in line]), 60, out)
        equal(len(set(server.asked)), len(server.asked), "each is asked for once")
        if mute:
            true(0 < len(server.asked) < 10, f"{len(server.asked)} asked of a mute server")
            true("resolver does not answer" in out, out)
        else:
            equal(len(server.asked), 21, "all are asked for")


@both
def monitor_of_flows_as_they_end(v):
    """One record for each, with its totals and the reason."""
    forget_flows()
    for name in HOSTS:
        sysctl(name, "timeout_closed", 1)
        sysctl(name, "timeout_time_wait", 1)
    monitor = Monitor("router", "--flows", "dport", "=", ":6041")
    # A port that the host chooses may be that of a connection which was reset before.
    ports = {25000 + i: i % 2 for i in range(10)}
    for i in range(10):
        c, s = pair(v, 6041, 25000 + i)
        c.sendall(b"x" * (1000 + i))
        s.recv(2000)
        if i % 2:
            bed.reset(c)
            s.close()
        else:
            close_to(c, s)
    until(lambda: len(monitor.lines) == 10, lambda: f"{len(monitor.lines)} records")
    for f in monitor.stop():
        equal(f["reason"], "rst-orig" if ports.pop(f["sport"]) else "fin", "reason")
        true(f["bytes"]["orig"] > 1000 and f["packets"]["resp"] >= 2 and f["history"]["orig"], f)
    for name in HOSTS:
        sysctl(name, "timeout_closed", 10)
        sysctl(name, "timeout_time_wait", 60)


@test
def a_long_dump_says_how_far_it_is():
    """To a terminal, while the data go elsewhere; no trace is left of it."""
    flood("client", "syn", 4, 20000, dport=6302)
    for to_terminal in (False, True):
        terminal, end = os.openpty()
        with within("router"):
            p = subprocess.Popen([TOOL, "flows"], stderr=end, stdout=end if to_terminal else subprocess.PIPE)
        os.close(end)
        shown = bytearray()

        def read_terminal(fd=terminal, shown=shown):
            with contextlib.suppress(OSError):
                while True:
                    shown.extend(os.read(fd, 65536))
        reader = threading.Thread(target=read_terminal)
        reader.start()
        lines = 0
        if not to_terminal:
            time.sleep(2)           # a slow reader
            lines = len(p.stdout.read().splitlines())
        p.wait()
        reader.join()
        os.close(terminal)
        if to_terminal:
            true(b"of about" not in shown, "among the data")
            continue
        true(lines > 5000, f"{lines} flows")
        true(re.match(rb"\r\d+ of about \d+ flows\x1b\[K", shown), shown)
        true(shown.endswith(b"\r\x1b[K"), shown)


class Capture:
    """What passes a device, as a pcap file."""

    def __init__(self, name, dev, path):
        with within(name):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self.socket.setsockopt(socket.SOL_SOCKET, 33, 1 << 27)      # SO_RCVBUFFORCE
            self.socket.setsockopt(socket.SOL_SOCKET, 35, 1)            # SO_TIMESTAMPNS
            self.socket.bind((dev, 0))
        self.path = path

    def stop(self):
        self.socket.setblocking(False)
        with open(self.path, "wb") as f:
            f.write(struct.pack("IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 262144, 1))
            while True:
                try:
                    data, extra, _, _ = self.socket.recvmsg(262144, 256)
                except BlockingIOError:
                    break
                seconds, ns = struct.unpack("qq", extra[0][2])
                f.write(struct.pack("IIII", seconds, ns, len(data), len(data)) + data)
        self.socket.close()


@both
def live_and_replay_agree(v):
    """Many kinds of connections pass the router; the capture replayed gives the same."""
    path = f"/tmp/live{v}.pcap"
    capture = Capture("router", "to-client", path)
    chance = random.Random(v)
    ports = set()
    before = {r["flow"] for r in table("router", "log")}
    with contextlib.closing(listen("server", v, 6020, 256)) as listener:
        for i in range(120):
            c = connect("client", v, 6020)
            ports.add(c.getsockname()[1])
            s, _ = listener.accept()
            kind = chance.randrange(6)
            if kind % 2:
                c.sendall(b"q" * chance.randrange(1, 200000))
                s.recv(1000)
            if kind == 0:
                close_to(c, s)
            elif kind == 1:
                close_to(s, c)
            elif kind == 2:
                c.shutdown(socket.SHUT_WR)
                s.sendall(b"r" * 5000)
                close_to(s, c)
            elif kind == 3:
                c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                close_to(c, s)
            elif kind == 4:
                s.send(b"unread")
                time.sleep(0.002)
                close_to(c, s)
            else:
                close_to(c, s)
    for port in range(6030, 6040):
        with within("client"):
            x = socket.socket(socket.AF_INET if v == 4 else socket.AF_INET6)
            x.connect_ex((ADDR[v]["server"], port))
            x.close()
    with muted(), contextlib.closing(Wire(v)) as w:
        for i in range(20):
            w.sport = 50000 + i
            w.send("client", SYN, 100)
            w.send("server", SYN | ACK, 900, 101)
            w.send("client", ACK, 101, chance.choice((901, 902)))
            w.send("client", RST, chance.choice((101, 150, 999999)))
            w.send("client", FIN | ACK, 101, 901)
    time.sleep(0.5)
    capture.stop()
    rows = [r for r in table("router", "log") if r["flow"] not in before]
    live = {}
    for r in rows:
        key = (r["src"], int(r["sport"]), r["dst"], int(r["dport"]))
        live.setdefault(key, []).append((r["end"], r["from"], r["to"], r["cause"]))
    code, out, err = status(TOOL, "-j", "replay", path)
    equal(code, 0, err)
    replay = {}
    for e in map(json.loads, out.splitlines()):
        key = (e["src"], e["sport"], e["dst"], e["dport"])
        replay.setdefault(key, []).append((e["end"], e["from"], e["to"], e["cause"]))
    equal(set(replay), set(live), "flows")
    for key, moves in live.items():
        equal(replay[key], moves, f"{key}")
    print(f"# {len(live)} flows, {len(rows)} transitions compared")


if __name__ == "__main__":
    main()
