#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What the module tells: by procfs and netlink alike, whole, of one namespace only, and as it happens;
and what it refuses."""
import contextlib
import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import threading
import time

from bed import (ACK, ADDR, FIN, Failed, HOSTS, Monitor, SYN, Skipped, TOOL, Traffic, Wire, both,
                 close_to, connect, connect_many, counters, deep, equal, flood, flow, forget_flows,
                 listen, main, muted, pair, pair_of, read, run, status, stream_of, sysctl, table, test,
                 tool, true, tuple_of, until, within, write)
from bed.netlink import attribute as attr, attributes_of, family as family_number, group_number


@both
def procfs_and_netlink_give_the_same_numbers(v):
    forget_flows()
    c, s = pair(v, 6001)
    c.shutdown(socket.SHUT_WR)
    s.recv(1)
    time.sleep(0.2)
    for name in HOSTS:
        proc = {r["state"]: (int(r["orig"]), int(r["resp"]), int(r["entered"]))
                for r in table(name, "states")}
        net = {r["state"]: (r["orig"], r["resp"], r["entered"])
               for r in json.loads(tool(name, "-j", "states"))["states"]}
        equal(net, proc, f"states at {name}")
        proc = {r["name"]: int(r["value"]) for r in table(name, "counters")}
        net = json.loads(tool(name, "-j", "counters"))["counters"]
        proc = {k: x for k, x in proc.items() if k in net}
        true(len(proc) > 50, f"counters at {name}: {len(proc)}")
        equal(net, proc, f"counters at {name}")
        flows = {(r["src"], int(r["sport"]), r["dst"], int(r["dport"]), r["orig"], r["resp"],
                  r["orig_history"], r["resp_history"]) for r in table(name, "flows")}
        net = {(r["src"], r["sport"], r["dst"], r["dport"], r["orig"], r["resp"],
                ">".join(r["history"]["orig"]), ">".join(r["history"]["resp"]))
               for r in stream_of(name, "flows")}
        equal(net, flows, f"flows at {name}")
        proc = [(int(r["seq"]), int(r["flow"]), int(r["step"]), r["end"], r["from"], r["to"],
                 r["cause"]) for r in table(name, "log")]
        net = [(r["seq"], r["flow"], r["step"], r["end"], r["from"], r["to"], r["cause"])
               for r in stream_of(name, "log")]
        equal(net, proc, f"log at {name}")
    close_to(c, s)


@test
def pairs_and_states_are_sums_over_flows():
    forget_flows()
    for name in HOSTS:
        have = {}
        for r in table(name, "flows"):
            key = f"{r['orig']}:{r['resp']}"
            have[key] = have.get(key, 0) + 1
        rows = table(name, "pairs")
        pairs = {f"{r['orig:resp']}:{state}": int(n) for r in rows for state, n in r.items()
                 if state != "orig:resp" and int(n)}
        equal(pairs, have, name)


@test
def small_reads_show_every_flow_once():
    """A read() of a few bytes goes on where the last one ended."""
    forget_flows()
    with muted(), contextlib.closing(Wire(4)) as w:
        for i in range(300):
            w.sport = 20000 + i
            w.send("client", SYN, 1)
    with within("router"):
        fd = os.open("/proc/thread-self/net/tcpfsm/flows", os.O_RDONLY)
        text = b""
        while True:
            part = os.read(fd, 700)
            if not part:
                break
            text += part
        os.close(fd)
    ids = [line.split()[0] for line in text.decode().splitlines()[1:]]
    equal(len(ids), len(set(ids)), "ids shown twice")
    equal(len(ids), len(table("router", "flows")), "flows")


@test
def dump_is_complete_while_flows_come_and_go():
    c = connect_many(200, 6003)
    stop = threading.Event()
    key = {(ADDR[4]["client"], s.getsockname()[1]) for s, _ in c}

    def churn():
        """Connections open and close on loopback of another namespace and on the path."""
        with contextlib.closing(listen("server", 4, 6004)) as listener:
            while not stop.is_set():
                x = connect("client", 4, 6004)
                y, _ = listener.accept()
                close_to(x, y)

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for i in range(8):
            rows = stream_of("router", "flows")
            ids = [r["flow"] for r in rows]
            equal(len(ids), len(set(ids)), "a flow twice")
            have = {(r["src"], r["sport"]) for r in rows}
            true(key <= have, f"dump {i}: {len(key - have)} flows missing")
            rows = table("router", "flows")
            ids = [r["flow"] for r in rows]
            equal(len(ids), len(set(ids)), "a flow twice in procfs")
            have = {(r["src"], int(r["sport"])) for r in rows}
            true(key <= have, f"procfs {i}: {len(key - have)} flows missing")
    finally:
        stop.set()
        thread.join()
        for x, y in c:
            close_to(x, y)


@test
def namespaces_do_not_see_each_other():
    with within("client"):
        s = socket.create_server(("127.0.0.1", 6005))
        c = socket.create_connection(("127.0.0.1", 6005))
    key = ("127.0.0.1", str(c.getsockname()[1]), "127.0.0.1", "6005")
    true(flow("client", key), "the client's own")
    for name in ("router", "server"):
        true(not flow(name, key), f"not at {name}")
    close_to(c, s)


@test
def states_of_all_namespaces_in_one_table():
    forget_flows()
    c, s = pair(4, 6033)
    lines = run(TOOL, "states", "-A").splitlines()
    words = lines[0].split()
    rows = [dict(zip(words, line.split())) for line in lines[1:]]
    for name in HOSTS:
        row = [r for r in rows if r["netns"] == name]
        equal(len(row), 1, f"lines of {name}")
        equal({r["state"]: int(r["orig"]) + int(r["resp"]) for r in table(name, "states")},
              {k: int(n) for k, n in row[0].items() if k not in ("netns", "inode", "entries")}, name)
    equal(sorted((r["netns"], int(r["inode"])) for r in rows),
          sorted((n["netns"], n["netns_inode"]) for n in json.loads(run(TOOL, "-j", "states", "-A"))), "JSON")
    with within("router"):
        true(len(run(TOOL, "states", "-A").splitlines()) == 2, "from another than the initial, its own")
    close_to(c, s)


@both
def kernel_filters(v):
    port = 6100 + v
    c, s = pair(v, port)
    sport = c.getsockname()[1]
    for words, found in (
            (("sport", "=", f":{sport}"), True),
            (("sport", "!=", f":{sport}", "dport", "=", f":{port}"), False),
            (("state", "established", "dport", "=", f":{port}"), True),
            (("state", "close-wait", "dport", "=", f":{port}"), False),
            (("src", ADDR[v]["client"], "and", "dport", "=", f":{port}"), True),
            ((f"-{v}", "dport", "=", f":{port}"), True),
            ((f"-{10 - v}", "dport", "=", f":{port}"), False),
            (("dst", ADDR[v]["client"], "and", "dport", "=", f":{port}"), False),
            (("id", "123456789"), False),
            (("dport", "=", f":{port}", "age", ">", "1h"), False)):
        with within("router"):
            code, out, err = status(TOOL, "-H", "flows", *words)
        equal(code, 0 if found else 1, f"{words}: {err}")
        equal(str(sport) in out, found, f"{words}")
    close_to(c, s)


@test
def addresses_are_for_root():
    """Others may read the counts."""
    c, s = pair(4, 6030)
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all")
    with within("router"):
        for name in ("states", "pairs", "transitions", "counters", "dwell"):
            code, out, err = status(*nobody, "cat", f"/proc/net/tcpfsm/{name}")
            true(code == 0 and out, f"{name}: {err}")
        for name in ("flows", "services", "log"):
            code, out, err = status(*nobody, "cat", f"/proc/net/tcpfsm/{name}")
            equal((code, out), (1, ""), name)
            true("Permission denied" in err, err)
        for words in (("states",), ("pairs",), ("transitions",), ("dwell",), ("graph", "--format", "dot"),
                      ("counters", "--explain")):
            code, out, err = status(*nobody, TOOL, *words)
            equal((code, err), (0, ""), " ".join(words))
            have, want = (re.sub(r"\d\d:\d\d:\d\d", "", x) for x in (out, run(TOOL, *words)))
            equal(have, want, f"{' '.join(words)}, as root sees it")
        for words in (("flows",), ("log",), ("services",), ("monitor", "--for", "1s"), ("export",)):
            code, out, err = status(*nobody, TOOL, *words)
            equal((code, out), (2, ""), " ".join(words))
            true("CAP_NET_ADMIN" in err, err)
    close_to(c, s)


CONTAINER = """
import contextlib, json, socket, subprocess, sys
tool = sys.argv[1]
def rows(*words):
    out = subprocess.run([tool, "-j", *words], stdout=subprocess.PIPE, check=True, text=True).stdout
    return [json.loads(line) for line in out.splitlines()]
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
listens = subprocess.Popen([tool, "-j", "monitor", "-c", "15"], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True)
while "following" not in listens.stderr.readline():
    pass
with socket.create_server(("127.0.0.1", 6032)) as server:
    held = [socket.create_connection(("127.0.0.1", 6032)) for _ in range(3)]
    for key in ("audit", "log_size"):
        with contextlib.suppress(PermissionError), open(f"/proc/sys/net/tcpfsm/{key}", "w") as f:
            f.write("100" if key == "log_size" else "1")
            f.flush()
            sys.exit(f"{key} was taken")
    with open("/proc/net/tcpfsm/flows") as f:
        proc = [line.split() for line in f]
    proc = [dict(zip(proc[0], line)) for line in proc[1:]]
    print(json.dumps([proc, rows("flows"), rows("log"),
                      [json.loads(line) for line in listens.stdout]]))
"""


@test
def root_of_a_container_sees_its_own():
    """Files, dumps and events work; settings that cost memory or patch code stay with the host."""
    c, s = pair(4, 6031)
    traffic = Traffic()
    try:
        code, out, err = status("unshare", "--user", "--map-root-user", "--net", "python3", "-c",
                                CONTAINER, TOOL)
        until(lambda: traffic.done > 100, "others were at work")
    finally:
        traffic.stop()
    equal(code, 0, err)
    proc, flows, log, events = json.loads(out)
    equal((len(proc), len(flows)), (3, 3), "flows")
    true(len(log) == 15, f"{len(log)} transitions in the log")
    for r in (*proc, *flows, *log, *(e for e in events if "src" in e)):
        equal((r["src"], int(r["dport"])), ("127.0.0.1", 6032), "whose")
    equal(sum("to" in e for e in events), 15, "events")
    close_to(c, s)
    forget_flows()


@test
def unknown_filters_are_refused_by_name():
    for words, token in ((("state", "opened"), "opened"), (("sprot", "=", ":80"), "sprot"),
                         (("dport", "=", ":80000"), "80000"), (("src", "10.0.0.0/64"), "64")):
        with within("router"):
            code, out, err = status(TOOL, "flows", *words)
        equal((code, out), (2, ""), words)
        true(token in err, f"{words}: {err}")


def netlink(request):
    """Send a raw netlink message; returns the answer."""
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
    s.setsockopt(270, 11, 1)        # SOL_NETLINK, NETLINK_EXT_ACK
    s.settimeout(5)
    s.send(request)
    answer = s.recv(65536)
    s.close()
    return answer


def genl(family, flags, cmd, attrs=b""):
    body = struct.pack("BBH", cmd, 1, 0) + attrs
    return struct.pack("IHHII", 16 + len(body), family, flags, 1, 0) + body


@test
def malformed_attributes_are_refused_by_name():
    """Each request breaks one rule; the error is EINVAL or alike, with a message."""
    nest = 0x8000
    u32 = struct.Struct("I").pack
    cases = [
        ("family", attr(2 | nest, attr(3, u32(7))), b"family"),
        ("state 0", attr(2 | nest, attr(6, u32(1))), b"bit"),
        ("port", attr(2 | nest, attr(11, u32(70000))), b"range"),
        ("ports", attr(2 | nest, attr(11, u32(90)) + attr(12, u32(80))), b"port"),
        ("address", attr(2 | nest, attr(7, b"abcde")), b"bytes"),
        ("families", attr(2 | nest, attr(3, u32(10)) + attr(7, b"abcd")), b"not of the family"),
        ("prefix", attr(2 | nest, attr(7, b"abcd") + attr(8, u32(33))), b"prefix"),
        ("prefix alone", attr(2 | nest, attr(8, u32(3))), b"address"),
        ("unknown", attr(2 | nest, attr(60, u32(3))), b"attribute"),
        ("short", attr(2 | nest, attr(3, b"a")), b""),
    ]
    family = family_number()
    forget_flows()
    before = read("client", "states")
    for what, attrs, word in cases:
        answer = netlink(genl(family, 0x305, 1, attrs))
        kind, = struct.unpack_from("H", answer, 4)
        error, = struct.unpack_from("i", answer, 16)
        true(kind in (2, 3) and error < 0, f"{what}: message {kind}, error {error}")
        true(word.lower() in answer.lower(), f"{what}: {answer!r}")
    equal(read("client", "states"), before, "nothing changed")


@test
def sysctls_out_of_range_are_refused():
    for key, bad in (("enabled", "2"), ("timeout_time_wait", "0"), ("log_size", "5"),
                     ("timeout_closed", "-1"), ("timeout_opening", "99999999"),
                     ("timeout_closing", "abc"), ("audit", "2")):
        before = sysctl("router", key)
        try:
            sysctl("router", key, bad)
        except OSError:
            pass
        else:
            raise Failed(f"{key}={bad} was taken")
        equal(sysctl("router", key), before, key)


@test
def self_connection_is_counted_not_tracked():
    before = counters("client")["self_connected"]
    with within("client"):
        s = socket.socket()
        s.bind(("127.0.0.1", 6010))
        s.connect(("127.0.0.1", 6010))
        s.close()
    true(counters("client")["self_connected"] > before, "counted")
    true(not [r for r in table("client", "flows") if r["sport"] == r["dport"] == "6010"],
         "not tracked")


@both
def midstream_takes_the_local_sockets_state(v):
    """Connections that were there before: at their own hosts their sockets tell the state."""
    for name in HOSTS:
        sysctl(name, "enabled", 0)
    c, s = pair(v, 6011)
    key = tuple_of(v, c.getsockname()[1], 6011)
    c.shutdown(socket.SHUT_WR)
    equal(s.recv(1), b"")
    for name in HOSTS:
        sysctl(name, "enabled", 1)
    s.send(b"x")
    c.recv(1)
    for name in ("client", "server"):
        until(lambda: pair_of(name, key) == "FIN_WAIT_2:CLOSE_WAIT", f"{name}: "
              f"{pair_of(name, key)}")
    true(pair_of("router", key), "the router picked it up")
    close_to(s, c)


@both
def audit_holds_states_against_sockets(v):
    """Every segment sent agrees; a RST dropped above the hook leaves a socket that does not."""
    trace = "/sys/kernel/tracing"
    for name in HOSTS:
        sysctl(name, "audit", 1)
    write(f"{trace}/trace", "")
    write(f"{trace}/events/tcpfsm/tcpfsm_audit/enable", 1)
    try:
        before = {name: counters(name) for name in HOSTS}
        for turn in range(20):
            c, s = pair(v, 6030)
            for _ in range(3):
                c.sendall(b"x" * 100)
                s.recv(100)
                s.sendall(b"y" * 100)
                c.recv(100)
            close_to(*((c, s) if turn % 2 else (s, c)))
        now = {name: counters(name) for name in HOSTS}
        with open(f"{trace}/trace", encoding="ascii") as f:
            told = "".join(line for line in f if not line.startswith("#"))
        for name in ("client", "server"):
            true(now[name]["audit_checked"] - before[name]["audit_checked"] > 30, f"{name} checked")
            equal(now[name]["audit_differed"], before[name]["audit_differed"], f"{name} differed: {told}")
        equal(now["router"]["audit_checked"], before["router"]["audit_checked"], "no socket there")

        run("ip", "netns", "exec", "client", "nft", """
            table inet late {
                chain in {
                    type filter hook input priority 90
                    tcp flags & rst == rst drop
                }
            }""")
        c, s = pair(v, 6030)
        port = c.getsockname()[1]
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
        until(lambda: pair_of("client", tuple_of(v, port, 6030)) == "CLOSED:CLOSED", "RST seen")
        c.send(b"still here")
        until(lambda: counters("client")["audit_differed"] > now["client"]["audit_differed"],
              "a difference is counted")
        with open(f"{trace}/trace", encoding="ascii") as f:
            true(f"shown=7 socket=1 sport={port} dport=6030" in f.read(), "and traced")
        out = run("ip", "netns", "exec", "client", TOOL, "-j", "counters")
        percent = json.loads(out)["audit_agreed_percent"]
        true(90 < percent < 100, f"{percent} %")
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        c.close()  # by a RST: a FIN would be sent again into the next test
    finally:
        run("ip", "netns", "exec", "client", "nft", "delete", "table", "inet", "late", check=False)
        write(f"{trace}/events/tcpfsm/tcpfsm_audit/enable", 0)
        for name in HOSTS:
            sysctl(name, "audit", 0)


@test
def disabled_tracks_nothing_and_ends_all():
    c, s = pair(4, 6012)
    key = tuple_of(4, c.getsockname()[1], 6012)
    before = counters("router")["ended_flushed"]
    sysctl("router", "enabled", 0)
    equal(table("router", "flows"), [], "flows")
    true(counters("router")["ended_flushed"] > before, "ended_flushed")
    s.send(b"x")
    equal(pair_of("router", key), None)
    sysctl("router", "enabled", 1)
    close_to(c, s)


@both
def monitor_tells_every_transition_in_order(v):
    port = 6200 + v
    monitor = Monitor("router", "dport", "=", f":{port}")
    keys = []
    with contextlib.closing(listen("server", v, port)) as listener:
        for _ in range(50):
            c = connect("client", v, port)
            s, _ = listener.accept()
            keys.append(c.getsockname()[1])
            c.close()
            s.recv(1)
            s.close()
    until(lambda: sum(e.get("to") == "TIME_WAIT" for e in monitor.lines) == 50,
          lambda: f"50 closed: {len(monitor.lines)} events", 60)
    events = [e for e in monitor.stop() if e.get("cause") != "EXPIRE"]
    for sport in keys:
        mine = [e for e in events if e.get("sport") == sport]
        log = [r for r in table("router", "log") if int(r["sport"]) == sport
               and r["dport"] == str(port) and r["cause"] != "EXPIRE"]
        equal([(e["step"], e["end"], e["from"], e["to"], e["cause"]) for e in mine],
              [(int(r["step"]), r["end"], r["from"], r["to"], r["cause"]) for r in log],
              f"port {sport}")


def transitions_of(name):
    return sum(int(r["entered"]) for r in table(name, "states"))


def is_quiet(name):
    """Nothing moves, for connections of an earlier test are over."""
    before = transitions_of(name)
    time.sleep(0.5)
    return transitions_of(name) == before


def lost_by_monitor(then):
    """Stopped for a while with a small buffer, it says how many events it missed."""
    forget_flows()
    until(lambda: is_quiet("router"), "quiet")
    with within("router"):
        process = subprocess.Popen([TOOL, "-j", "monitor", "--buffer", "8192"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    lines = []
    thread = threading.Thread(target=lambda: lines.extend(process.stdout))
    thread.start()
    true(b"following" in process.stderr.readline(), "it follows")
    process.send_signal(signal.SIGSTOP)
    before = transitions_of("router")
    with muted(), contextlib.closing(Wire(4)) as w:
        for i in range(1500):
            w.sport = 30000 + i
            w.raw_send("client", SYN, 1)
    until(lambda: transitions_of("router") >= before + 3000, "3000 transitions")
    then(process, lines)
    thread.join()
    true(b"faster than they were read" in process.stderr.read(), "it says so")
    equal(process.wait(), 0, "exit status")
    events = [json.loads(line) for line in lines]
    lost = sum(e["lost"] for e in events if e.get("group") == "transition")
    seen = sum("to" in e for e in events)
    true(lost > 0, "a gap was told")
    equal(seen + lost, transitions_of("router") - before, f"seen {seen} + lost {lost}")


@test
def monitor_counts_what_it_lost():
    def more_comes(process, lines):
        """Until it has read what was there, what comes is lost, too."""
        def is_told():
            return any(b'"dport":6014' in line and b'"to":"TIME_WAIT"' in line for line in lines)

        def another_is_told():
            close_to(*pair(4, 6014))
            with contextlib.suppress(Failed):
                return until(is_told, "it", 1)

        process.send_signal(signal.SIGCONT)
        until(another_is_told, "one of those that came later", 60)
        until(lambda: is_quiet("router"), "quiet")
        process.send_signal(signal.SIGINT)

    lost_by_monitor(more_comes)


@test
def monitor_counts_what_it_lost_last():
    """Ended at once, when no later event has told of the gap."""
    def no_more_comes(process, _):
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGCONT)

    lost_by_monitor(no_more_comes)


def messages_of(data):
    """Type and attributes of each message of the family."""
    at = 0
    while at < len(data):
        size, kind = struct.unpack_from("IH", data, at)
        yield kind, attributes_of(data[at + 20:at + size])
        at += (size + 3) & ~3


def steps_shown(family):
    """The last step of each flow, by a dump."""
    shown = {}
    with within("router"):
        dump = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
    with contextlib.closing(dump):
        dump.send(genl(family, 0x301, 1))
        done = False
        while not done:
            for kind, attrs in messages_of(dump.recv(1 << 18)):
                done |= kind == 3
                for values in (dict(attributes_of(data)) for a, data in attrs if a == 3 and kind == family):
                    shown[struct.unpack("Q", values[2])[0]], = struct.unpack("I", values[10])
    return shown


def steps_not_told(events, wanted, seconds=30):
    """Of these steps, as (flow, step), those that events do not tell of before none has come for so long."""
    missing = set(wanted)
    while missing and select.select([events], [], [], seconds)[0]:
        for _, attrs in messages_of(events.recv(1 << 18)):
            for values in (dict(attributes_of(data)) for a, data in attrs if a == 7):
                missing.discard((struct.unpack("Q", values[2])[0], struct.unpack("I", values[5])[0] >> 16))
    return missing


@test
def who_joins_and_dumps_misses_nothing():
    """Within a flood, between two dumps, each step is told, of flows that begin meanwhile from the first
    one on."""
    with within("router"):
        family, group = family_number(), group_number("transition")
    n = 0
    for _ in range(deep(3, 1000)):
        forget_flows()
        with within("router"):
            events = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
        with contextlib.closing(events), muted():
            events.bind((0, 0))
            events.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)   # SO_RCVBUFFORCE
            thread = threading.Thread(target=flood, args=("client", "syn", 4, 5000, 6016))
            thread.start()
            while thread.is_alive() and not counters("router")["table_entries"]:
                pass
            events.setsockopt(270, 1, group)    # SOL_NETLINK, NETLINK_ADD_MEMBERSHIP
            before = steps_shown(family)
            thread.join()
            after = steps_shown(family)
            wanted = [(flow_id, step) for flow_id, last in after.items()
                      for step in range(before.get(flow_id, 0) + 1, last + 1)]
            equal(steps_not_told(events, wanted), set(), "steps, by flow, that were not told")
        n += len(wanted)
    print(f"# {n} transitions")
    true(n > 1000, f"{n} transitions")


@test
def tracepoints_tell_transitions_and_what_was_ignored():
    top = "/sys/kernel/tracing"
    if not os.path.exists(f"{top}/events/tcpfsm"):
        raise Skipped("no tracefs")
    for name in ("tcpfsm_transition", "tcpfsm_ignored"):
        write(f"{top}/events/tcpfsm/{name}/enable", 1)
    try:
        with muted(), contextlib.closing(Wire(4)) as w:
            w.send("client", SYN, 100)
            w.send("server", SYN | ACK, 300, 999)
            port = w.sport
        with open(f"{top}/trace", encoding="ascii") as f:
            lines = [x for x in f if f"sport={port}" in x or f"dport={port}" in x]
    finally:
        write(f"{top}/events/tcpfsm/enable", 0)
    moves = [x for x in lines if "tcpfsm_transition:" in x]
    equal(len(moves), 6, f"two at each of three hosts: {lines}")
    true("end=orig from=7 to=2" in moves[0], moves[0])
    true(any("tcpfsm_ignored:" in x for x in lines), "the bad SYN|ACK")


@both
def a_reset_made_by_the_router_moves_its_receiver_only(v):
    c, s = pair(v, 6400)
    key = tuple_of(v, c.getsockname()[1], 6400)
    with within("router"):
        run("nft", "add table inet no; add chain inet no f { type filter hook forward priority 0; "
            "tcp dport 6400 reject with tcp reset; }")
    try:
        c.send(b"x")
        until(lambda: pair_of("router", key) == "CLOSED:ESTABLISHED",
              lambda: f"at the router: {pair_of('router', key)}")
        equal(pair_of("client", key), "CLOSED:CLOSED", "the client was reset")
        equal(pair_of("server", key), "ESTABLISHED:ESTABLISHED", "the server knows nothing")
        true(not int(flow("router", key)["flags"], 0) & 0x180, "no end is local")
    finally:
        with within("router"):
            run("nft", "delete table inet no")
        close_to(c, s)


# ---- odd packets ----

@test
def ipv6_extension_headers():
    """Hop-by-hop and destination options before the TCP header."""
    options = b"\x3c\0\1\4\0\0\0\0" + b"\6\0\1\4\0\0\0\0"     # -> dest opts -> TCP
    with muted(), contextlib.closing(Wire(6)) as w:
        w.extension = (0, options)
        w.send("client", SYN, 100)
        w.send("server", SYN | ACK, 300, 101)
        w.send("client", ACK, 101, 301)
        for name in HOSTS:
            equal(pair_of(name, tuple_of(6, w.sport, w.dport)), "ESTABLISHED:ESTABLISHED", name)


@both
def a_first_fragments_fin_is_not_used(v):
    with muted(), contextlib.closing(Wire(v)) as w:
        key = tuple_of(v, w.sport, w.dport)
        w.send("client", SYN, 100)
        w.send("server", SYN | ACK, 300, 101)
        w.send("client", ACK, 101, 301)
        before = counters("router")["later_fragments"]
        w.send("client", FIN | ACK, 101, 301, b"f" * 196, fragment=(0, True, 7))
        equal(pair_of("router", key), "ESTABLISHED:ESTABLISHED", "at the router")
        w.send("client", 0, 0, fragment=(216, False, 7))
        equal(counters("router")["later_fragments"] - before, 1, "later fragments at the router")


if __name__ == "__main__":
    main()
