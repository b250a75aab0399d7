#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The tool without a module and without root: replay, filters, help and errors."""
import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../net"))
# pylint: disable=wrong-import-position
from bed import ACK, FIN, PSH, RST, SYN, equal, planned, run_all, test, true
from command import TOOL, replay, tool
from pcap import ETHERNET, LOOPBACK, RAW, SLL, SLL2, frame, icmp_error, packet, pcap, pcapng

# ---- packets ----

LIFE = [(0, SYN, 100, 0), (1, SYN | ACK, 300, 101), (0, ACK, 101, 301), (0, FIN | ACK, 101, 301),
        (1, ACK, 301, 102), (1, FIN | ACK, 301, 102), (0, ACK, 102, 302)]
LIFE_PATH = (["SYN_SENT", "ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "TIME_WAIT"],
             ["LISTEN", "SYN_RCVD", "ESTABLISHED", "CLOSE_WAIT", "LAST_ACK", "CLOSED"])


def life(v=4, **kw):
    return [packet(v, *s, **kw) for s in LIFE]


def timed(packets, start=1000.0, step=0.1):
    return [(start + i * step, p) for i, p in enumerate(packets)]


def paths(events):
    return tuple([e["to"] for e in events if e["end"] == end] for end in ("orig", "resp"))


# ---- replay ----

@test
def every_link_type():
    for link in (ETHERNET, LOOPBACK, RAW, SLL, SLL2):
        for v in (4, 6):
            for make in (pcap, pcapng):
                frames = timed([frame(link, v, p) for p in life(v)])
                events, _ = replay(make(frames, link))
                equal(paths(events), LIFE_PATH, f"link {link} ipv{v} {make.__name__}")
    frames = timed([frame(ETHERNET, 4, p, vlan=True) for p in life()])
    equal(paths(replay(pcap(frames, ETHERNET))[0]), LIFE_PATH, "VLAN")


@test
def event_has_the_documented_fields():
    events, _ = replay(pcap(timed(life())))
    equal(list(events[0]), ["seq", "ts", "flow", "step", "src", "sport", "dst", "dport", "end",
                            "from", "to", "cause", "dwell_ns"])
    equal([e["seq"] for e in events], list(range(1, len(events) + 1)), "seq")
    equal([e["step"] for e in events], list(range(1, len(events) + 1)), "step")
    fin = [e for e in events if e["cause"] == "SND_FIN"][0]
    equal((fin["src"], fin["sport"], fin["dst"], fin["dport"], fin["end"], fin["from"], fin["to"]),
          ("10.0.0.1", 1000, "10.0.0.2", 80, "orig", "ESTABLISHED", "FIN_WAIT_1"))
    equal(fin["dwell_ns"], 100000000, "the capture's own clock")
    true(events[0]["ts"].startswith("1970-01-01T00:16:40"), events[0]["ts"])


@test
def S04_the_capture():
    c, s = 4225926656, 3022381253
    segments = [(0, SYN, c), (1, SYN | ACK, s, c + 1), (0, ACK, c + 1, s + 1),
                (0, ACK | PSH, c + 1, s + 1, b"x" * 1200), (0, ACK, c + 1201, s + 1, b"x" * 1174),
                (1, ACK | PSH, s + 1, 4225929031, b"y" * 537), (1, FIN | ACK, 3022381791, 4225929031),
                (0, ACK, 4225929031, 3022381792), (0, FIN | ACK, 4225929031, 3022381792),
                (1, ACK, 3022381792, 4225929032)]
    events, _ = replay(pcap(timed([packet(4, *x) for x in segments])))
    equal(paths(events), (["SYN_SENT", "ESTABLISHED", "CLOSE_WAIT", "LAST_ACK", "CLOSED"],
                          ["LISTEN", "SYN_RCVD", "ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2",
                           "TIME_WAIT"]))


@test
def flows_tells_the_final_pair_in_order_of_start():
    packets = [packet(4, 0, SYN, 1, ports=(9, 80)), *life(ports=(8, 80)),
               packet(4, 0, SYN, 1, ports=(7, 80)), packet(4, 1, RST | ACK, 0, 2, ports=(7, 80))]
    rows, _ = replay(pcap(timed(packets)), "--quiet", "--flows")
    equal([(r["sport"], r["orig"], r["resp"], r["reason"]) for r in rows],
          [(9, "SYN_SENT", "LISTEN", None), (8, "TIME_WAIT", "CLOSED", None),
           (7, "CLOSED", "CLOSED", "refused")])
    equal(rows[1]["packets"], {"orig": 4, "resp": 3}, "packets")
    equal(rows[1]["bytes"], {"orig": 160, "resp": 120}, "bytes")
    equal([h for h in rows[1]["history"]["orig"] if h != "CLOSED"], LIFE_PATH[0], "history")
    for key in ("src", "sport", "dst", "dport", "orig", "resp", "reason", "history", "packets",
                "bytes"):
        true(key in rows[0], key)


def counted(data, keys, *words):
    """The groups, as (value, ..., how many), and the errors."""
    groups, err = replay(data, "--by", keys, *words)
    names = keys.replace("/", ",").split(",")
    return [(*(g[n] for n in names if n in g), g.get("flows", g.get("ends"))) for g in groups], err


@test
def flows_are_counted_by_what_they_have_in_common():
    data = pcap(timed([*life(ports=(8, 80)), packet(4, 0, SYN, 1, ports=(7, 80)),
                       packet(4, 1, RST | ACK, 0, 2, ports=(7, 80)),
                       packet(4, 0, SYN, 1, ports=(9, 443)), packet(6, 0, SYN, 1, ports=(9, 80))]))
    for keys, want in (
            ("dport", [(80, 3), (443, 1)]),
            ("dst,dport", [("10.0.0.2", 80, 2), ("10.0.0.2", 443, 1), ("fd00::2", 80, 1)]),
            ("src/24", [("10.0.0.0/24", 3), ("fd00::/64", 1)]),
            ("src/127", [("10.0.0.1", 3), ("fd00::/127", 1)]),
            ("service", [("10.0.0.2:80", 2), ("10.0.0.2:443", 1), ("[fd00::2]:80", 1)]),
            ("pair", [("SYN_SENT:LISTEN", 2), ("CLOSED:CLOSED", 1), ("TIME_WAIT:CLOSED", 1)]),
            ("state", [("CLOSED", 3), ("SYN_SENT", 2), ("LISTEN", 2), ("TIME_WAIT", 1)]),
            ("reason", [(None, 3), ("refused", 1)])):
        have, err = counted(data, keys)
        equal(sorted(have, key=repr), sorted(want, key=repr), f"{keys}: {err}")
        equal([h[-1] for h in have], sorted((h[-1] for h in have), reverse=True), f"{keys}: order")
    equal(counted(data, "sport", "--sort", "packets")[0][0], (8, 1), "--sort packets")
    equal(counted(data, "sport", "--sort", "oldest")[0][0], (8, 1), "--sort oldest")
    have, err = counted(data, "sport", "--top", "1")
    equal(have, [(9, 2)], "--top")
    true("2 more groups, of 2 flows" in err, err)
    equal(counted(data, "dport", "dport", "443")[0], [(443, 1)], "with a filter")
    groups, _ = replay(data, "--by", "dport")
    equal([g["share"] for g in groups], [0.75, 0.25])
    equal(groups[0]["packets"], 10, "packets of both ends")


@test
def counts_as_text():
    data = pcap(timed([packet(4, 0, SYN, 1, ports=(p, 80)) for p in (7, 8, 9)] +
                      [packet(6, 0, SYN, 1, ports=(7, 443))]))
    _, out, _ = tool("replay", "-", "--by", "dst,dport", data=data)
    equal([line.split() for line in out.splitlines()],
          [["dst", "dport", "flows", "share", "oldest", "packets", "bytes"],
           ["10.0.0.2", "80", "3", "75.0%", "300ms", "3", "120"],
           ["fd00::2", "443", "1", "25.0%", "0us", "1", "60"]])


@test
def times_are_read_as_they_are_printed():
    data = pcap([(1000.0, packet(4, 0, SYN, 1)), (1065.5, packet(4, 1, SYN | ACK, 1, 2))])
    for word, found in (("1m05s", True), ("65.6s", False), ("1m05.6s", False), ("65500ms", True),
                        ("0h01m05s", True), ("1m05s499ms", True), ("1m05s501ms", False)):
        events, _ = replay(data, "from", "LISTEN", "dwell", ">=", word, code=0 if found else 1)
        equal(bool(events), found, word)
    for word in ("5s1m", "5x", "1m1m", "m", "1h-5m", "20000000000d"):
        code, _, err = tool("replay", "-", "dwell", ">", word, data=data)
        equal(code, 2, word)
        true(word in err, err)


@test
def time_wait_expires_by_the_captures_clock():
    packets = timed(life()) + [(1100.0, packet(4, 0, SYN, 1, ports=(5, 80)))]
    events, _ = replay(pcap(packets))
    expire = [e for e in events if e["cause"] == "EXPIRE"]
    equal([(e["from"], e["to"], e["dwell_ns"]) for e in expire],
          [("TIME_WAIT", "CLOSED", 60 * 10**9)])
    events, _ = replay(pcap(packets), "--no-expire")
    equal([e for e in events if e["cause"] == "EXPIRE"], [], "--no-expire")


@test
def late_segments_do_not_keep_a_closed_flow():
    """The client has not taken the RST and goes on for half a minute: the flow that the RST closed ends
    when its time is over, as it does in the module."""
    packets = [packet(4, *s) for s in LIFE[:3]]
    packets.append(packet(4, 1, RST, 301))
    packets += [packet(4, 0, ACK | PSH, 101, 301, b"late") for _ in range(7)]
    flows, _ = replay(pcap(timed(packets, step=5)), "--quiet", "--flows")
    equal([f.get("reason") for f in flows], ["rst-resp", None], "reasons")
    true("midstream" in flows[1]["flags"], flows[1])


@test
def a_new_incarnation_is_a_new_flow():
    packets = life() + [packet(4, 0, SYN, 70000), packet(4, 1, SYN | ACK, 90000, 70001)]
    rows, _ = replay(pcap(timed(packets)), "--quiet", "--flows")
    equal([(r["orig"], r["resp"]) for r in rows],
          [("TIME_WAIT", "CLOSED"), ("SYN_SENT", "SYN_RCVD")])


@test
def icmp_errors_are_of_the_flow_that_they_quote():
    for v, unreachable, too_big, router in ((4, (3, 1), (3, 4), "10.0.0.254"), (6, (1, 3), (2, 0), "fd00::fe")):
        syn = packet(v, 0, SYN, 100)
        rows, err = replay(pcap([(1000, syn), (1001, icmp_error(v, *unreachable, syn)),
                                 (1002, icmp_error(v, *unreachable, packet(v, 0, SYN, 99))),
                                 (1003, icmp_error(v, *unreachable, packet(v, 0, SYN, 1, ports=(5, 6)))),
                                 (1004, icmp_error(v, 8 if v == 4 else 128, 0, syn)),
                                 (1005, icmp_error(v, *unreachable, syn, size=7)),
                                 (2000, packet(v, 0, SYN, 1, ports=(9, 9999)))]),
                           "--quiet", "--flows", "--counters")
        flow, counters = rows[0], rows[-1]["counters"]
        equal((flow["reason"], flow["flags"]), ("unreachable", ["unreachable"]), f"ipv{v}")
        told = flow["unreachable"]
        equal((told["type"], told["code"], told["origin"], told["end"], told["count"], told["pending"]),
              (*unreachable, router, "orig", 1, True), f"ipv{v}")
        equal([counters[name] for name in ("icmp_errors", "icmp_unreachable", "icmp_stale", "icmp_no_flow",
                                           "ended_unreachable")], [3, 1, 1, 1, 1], f"ipv{v}")
        true("1 other_ip, 1 cut_short" in err, err)
        rows, _ = replay(pcap([(1000, syn), (1001, icmp_error(v, *too_big, syn, 1400))]), "-q", "--flows")
        equal((rows[0]["mtu"]["mtu"], rows[0]["flags"], rows[0]["reason"]), (1400, ["mtu"], None), f"ipv{v}")
        bad = pcap([(1000, syn), (1001, icmp_error(v, *unreachable, syn, bad=True))])
        equal(replay(bad, "-q", "--flows")[0][0]["flags"], ["unreachable"], "not asked for")
        equal(replay(bad, "-q", "--flows", "--checksums")[0][0]["flags"], [], "asked for")


@test
def checksums_only_if_asked():
    packets = life()
    packets[3] = packet(4, 0, FIN | ACK, 101, 301, bad=True)
    events, _ = replay(pcap(timed(packets)))
    true("FIN_WAIT_1" in paths(events)[0], "not checked unless asked")
    events, err = replay(pcap(timed(packets[:4])), "--checksums")
    true("FIN_WAIT_1" not in paths(events)[0], "the bad FIN moves nothing")


@test
def damage_is_reported_behind_what_came_before():
    whole = pcap(timed(life()))
    for cut in (len(whole) - 5, len(whole) - 41, 24 + 16 * 3 + 40 * 2 + 10):
        events, err = replay(whole[:cut], code=2)
        true(len(events) > 0, "events before the damage")
        number = len([1 for i in range(1, 8) if 24 + 56 * i <= cut]) + 1
        true(f"packet {number}" in err, f"cut at {cut}: {err}")
    code, out, err = tool("replay", "-", data=b"no capture at all, only text of some length")
    equal((code, out), (2, ""))
    code, out, err = tool("replay", "/no/such/file")
    equal(code, 2)
    true("/no/such/file" in err, err)


@test
def no_capture_makes_it_crash():
    """Mutated captures: an error or events, never a signal."""
    chance = random.Random(1)
    whole = pcap(timed([frame(ETHERNET, v, p) for v in (4, 6) for p in life(v)]), ETHERNET)
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 20)):
            data[chance.randrange(24, len(data))] = chance.randrange(256)
        code, _, err = tool("-j", "replay", "--flows", "--checksums", "-", data=bytes(data))
        true(code in (0, 1, 2), f"status {code}: {err}")


@test
def replay_filters():
    packets = life(ports=(8, 80)) + life(ports=(9, 443))
    for words, sports in ((("dport", "=", ":443"), {9}), (("not", "dport", "=", ":443"), {8}),
                          (("sport", "<", ":9"), {8}), (("src", "10.0.0.0/8"), {8, 9}),
                          (("(", "dport", "80", "or", "dport", "443", ")"), {8, 9}),
                          (("dst", "10.0.0.2:443"), {9}), (("-6",), set())):
        code, out, err = tool("-j", "replay", "-", *words, data=pcap(timed(packets)))
        equal({json.loads(x)["sport"] for x in out.splitlines()}, sports, f"{words} {err}")


@test
def words_without_an_order_are_equal_or_not():
    """reason, cause and flag: their operator counts, and an order is an error."""
    events, _ = replay(pcap(timed(life())), "cause", "!=", "SND_FIN")
    true(events and "SND_FIN" not in {e["cause"] for e in events}, "another cause")
    events, _ = replay(pcap(timed(life())), "cause", "=", "SND_FIN")
    equal({e["cause"] for e in events}, {"SND_FIN"}, "this cause")
    ended = pcap([*timed(life()), (2000.0, packet(4, 0, SYN, 1, ports=(9, 80)))])
    for words, sports in ((("reason", "!=", "fin"), [9]), (("reason", "fin"), [1000]),
                          (("flag", "ne", "midstream"), [1000, 9])):
        flows, _ = replay(ended, "--quiet", "--flows", *words)
        equal([f["sport"] for f in flows], sports, words)
    for word in ("reason", "cause", "flag"):
        code, _, err = tool("replay", "-", word, "<", "fin", data=pcap([]))
        true(code == 2 and "only be equal" in err, err)


# ---- words ----

@test
def states_in_any_spelling():
    for word in ("close-wait", "CLOSE_WAIT", "close_wait", "CLOSE-WAIT"):
        code, _, err = tool("replay", "-", "state", word, data=pcap(timed(life())))
        equal(code, 0, f"{word}: {err}")
    for word in ("syn-recv", "SYN_RCVD", "syn-rcvd", "fin-wait-1", "FIN_WAIT1", "FIN-WAIT-1",
                 "listening", "listen", "all", "connected", "synchronized"):
        code, _, err = tool("replay", "-", "state", word, data=pcap(timed(life())))
        true(code in (0, 1), f"{word}: {err}")


# ---- the figure ----

@test
def figure_of_a_capture():
    """In every form: where the ends stand, and what moved along each arc."""
    refused = [packet(4, 0, SYN, 5, ports=(1001, 81)), packet(4, 1, RST | ACK, 0, 6, ports=(1001, 81))]
    data = pcap(timed(life() + refused))
    events, _ = replay(data)
    figure = replay(data, "--graph")[0][0]
    moves = {}
    for e in events:
        moves[e["from"], e["to"]] = moves.get((e["from"], e["to"]), 0) + 1
    equal({(a["from"], a["to"]): a["count"] for a in figure["arcs"] if a["count"]}, moves, "arcs")
    equal({x["state"]: (x["orig"], x["resp"]) for x in figure["states"] if x["orig"] + x["resp"]},
          {"TIME_WAIT": (1, 0), "CLOSED": (1, 2)}, "states")

    some = replay(data, "--graph", "port", "=", ":81")[0][0]
    equal(sum(x["orig"] + x["resp"] for x in some["states"]), 2, "of one flow")
    equal(sum(a["count"] for a in some["arcs"]), len([e for e in events if e["dport"] == 81]), "its arcs")

    code, text, err = tool("replay", "-", "--graph", data=data)
    equal(code, 0, err)
    lines = text.splitlines()
    true(max(map(len, lines)) <= 80, "it fits a terminal")
    true(lines[0] == "-: 2 flows", lines[0])
    box = {}
    for above, below in zip(lines, lines[1:]):
        for m in re.finditer(r"\| +([A-Z_12]+) +\|", above):
            box.setdefault(m[1], below[m.start() + 1:m.end() - 1].strip())
    equal((len(box), box["TIME_WAIT"], box["CLOSED"], box["LISTEN"]), (11, "1 / 0", "1 / 2", "0 / 0"),
          "boxes")
    for words in ("PASSIVE_OPEN 2 ", "SND_SYN 2 ", "TOOK_SYNACK 1", "EXPIRE 0",
                  "SYN_SENT > CLOSED 1"):
        true(words in text, words)

    _, dot, err = tool("replay", "-", "--graph", "--format", "dot", data=data)
    plain = subprocess.run(["dot", "-Tplain"], input=dot, stdout=subprocess.PIPE, check=True,
                           text=True).stdout
    equal(sum(line.startswith("node ") for line in plain.splitlines()), 11, "nodes for Graphviz")
    _, svg, err = tool("replay", "-", "--graph", "--format", "svg", data=data)
    true("<svg" in svg and all(f">{state}<" in svg for state in box), err)
    code, out, err = tool("replay", "-", "--graph", "--format", "gif", data=data)
    equal((code, out), (2, ""), err)
    true("'gif'" in err and "svg" in err, err)


def on_a_terminal(*words, data, **env):
    """What it writes to a terminal."""
    ours, theirs = os.openpty()
    with subprocess.Popen([TOOL, *words], stdin=subprocess.PIPE, stdout=theirs, stderr=subprocess.DEVNULL,
                          env=dict(os.environ, TERM="xterm", **env)) as p:
        os.close(theirs)
        p.stdin.write(data)
        p.stdin.close()
        out = b""
        with contextlib.suppress(OSError):
            while more := os.read(ours, 65536):
                out += more
    os.close(ours)
    return out.decode()


@test
def what_comes_by_a_pipe_is_printed_as_it_comes():
    """And what has come when a signal ends it."""
    data = pcap(timed(life()))
    whole = tool("replay", "-", "--flows", data=data)[1].splitlines()
    with subprocess.Popen([TOOL, "replay", "-", "--flows"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as p:
        p.stdin.write(data)
        p.stdin.flush()
        lines = [p.stdout.readline().decode().rstrip("\n") for _ in whole[:-1]]
        equal(lines, whole[:-1], "while the pipe is open")
        p.send_signal(signal.SIGINT)
        out, err = p.communicate()
    equal(out.decode().splitlines(), whole[-1:], "at the end")
    true(b" packets, " in err and p.returncode == 0, f"{p.returncode}: {err}")


@test
def colours_on_a_terminal_only():
    data = pcap(timed([packet(4, False, SYN, 100), packet(4, True, RST | ACK, 0, 101)]))
    red = "\x1b[31mSND_RST\x1b[0m"
    out = on_a_terminal("replay", "-", data=data)
    true(red in out, repr(out))
    plain = on_a_terminal("replay", "-", data=data, NO_COLOR="1").replace("\r", "")
    equal(plain, tool("replay", "-", data=data)[1], "with NO_COLOR as into a pipe")
    equal(re.sub("\x1b\\[[0-9]*m", "", out).replace("\r", ""), plain, "but for the colours")


@test
def errors_quote_the_bad_token():
    data = pcap(timed(life()))
    for words, token in ((("state", "opened"), "opened"), (("sprot", "=", ":80"), "sprot"),
                         (("dport", "=", ":80000"), "80000"), (("src", "10.0.0.0/64"), "64"),
                         (("src", "300.1.1.1"), "300.1.1.1"), (("dport", "80", "or"), "or"),
                         (("(", "dport", "80"), ")"), (("age", ">", "5x"), "5x"),
                         (("reason", "boredom"), "boredom"), (("flag", "x"), "x")):
        code, out, err = tool("replay", "-", *words, data=data)
        equal((code, out), (2, ""), f"{words}: {err}")
        true(token in err and len(err.splitlines()) <= 3, f"{words}: {err}")
    for words, token in ((("sates",), "did you mean 'states'?"), (("mnoitor",), "did you mean 'monitor'?"),
                         (("xyzzy",), "'xyzzy'"), (("f",), "flows, flow"), ((), "tcpfsm --help"),
                         (("",), "''"), (("help", "sates"), "'states'"),
                         (("replay", "/tmp"), "directory"), (("replay", "/dev/null"), "empty"),
                         (("ipfix", "collector.example"), "'collector.example'"),
                         (("ipfix", "collector.example:"), "'collector.example:'"),
                         (("ship", "ftp://x/"), "'ftp://x/'"), (("ship", "http://"), "'http://'"),
                         (("graph", "-j", "--format", "dot"), "'dot'"),
                         (("replay", "-", "-j", "--graph", "--format", "svg"), "'svg'"),
                         (("export", "-j"), "--json"), (("monitor", "-b"), "--batch"),
                         (("ipfix", "-H", "x:1"), "--no-header"),
                         (("ship", "-r", "http://x"), "--resolve"), (("--colour", "states"), "colour"),
                         (("states", "x"), "x"), (("monitor", "-c", "none"), "none"),
                         (("monitor", "--for", "5x"), "5x"), (("monitor", "--for", "0s"), "0s"),
                         (("replay",), "file"), (("replay", "/etc/passwd"), "pcapng"),
                         (("replay", "-", "--graph", "--flows"), "--flows"),
                         (("replay", "-", "--format", "svg"), "--graph"),
                         (("replay", "-", "--by", "src,colour"), "'colour'"),
                         (("replay", "-", "--by", ""), "''"),
                         (("replay", "-", "--by", "src/0"), "'/0'"),
                         (("replay", "-", "--by", "dport/8"), "'dport/8'"),
                         (("replay", "-", "--by", "src,src"), "'src'"),
                         (("replay", "-", "--by", "process"), "'process'"),
                         (("replay", "-", "--by", "src", "--flows"), "--flows"),
                         (("replay", "-", "--by", "src", "--sort", "size"), "'size'"),
                         (("replay", "-", "--by", "src", "--top", "0"), "'0'"),
                         (("replay", "-", "--top", "5"), "--by"), (("count",), "dst,dport"),
                         (("count", "dport", "reason", "fin"), "reason"),
                         (("monitor", "--record", "/nowhere/x"), "'/nowhere/x'"), (("record",), "directory"),
                         (("record", "/tmp/x", "--size", "1X"), "'1X'"), (("record", "/tmp/x", "--size", "1K"), "'1K'"),
                         (("record", "/tmp/x", "--keep", "x"), "'x'"), (("log", "--since", "x"), "'x'"),
                         (("log", "--until", "24:00:61"), "'24:00:61'"), (("log", "--last", "0"), "'0'"),
                         (("log", "--from", "/nowhere"), "/nowhere"), (("flows", "--ended"), "--from"),
                         (("flows", "--from", "/nowhere"), "--ended"), (("dwell", "--since", "1m"), "--from"),
                         (("graph", "--from", "/nowhere", "-i", "1s"), "--interval"),
                         (("count", "src", "--until", "1m"), "--from"), (("flow", "1", "--since", "1m"), "--from"),
                         (("flow", "10.0.0.1:1", "--from", "/nowhere"), "flows --ended"),
                         (("log", "--since", "1m", "--until", "2m"), "before"),
                         (("flows", "reason", "fin"), "reason"), (("flow",), "10.0.0.1:4000"),
                         (("flow", "abc"), "'abc'"), (("flow", "10.0.0.1:x"), "'10.0.0.1:x'"),
                         (("flow", "0"), "'0'"), (("flow", "1", "2", "3"), "'3'"),
                         (("flow", "10.0.0.1", "10.0.0.2:80"), "'10.0.0.1'"),
                         (("flow", "10.0.0.1:5", "10.0.0.0/24:80"), "'10.0.0.0/24:80'"),
                         (("flow", "fd01::1:80", "[fd01::2]:80"), "'fd01::1:80'"),
                         (("export", "--listen", "127.0.0.1:99999"), "'127.0.0.1:99999'"),
                         (("export", "--listen", "::1:9803"), "[::1]:9717")):
        code, out, err = tool(*words)
        equal((code, out), (2, ""), f"{words}")
        true(token in err, f"{words}: {err}")


@test
def what_cannot_be_written_is_an_error():
    capture = pcap(timed(life()))
    for words in (("--help",), ("help", "flows"), ("version",), ("--version",), ("--complete",),
                  ("--manual", "synopsis"), ("replay", "-"), ("-j", "replay", "-"),
                  ("replay", "-", "--graph"), ("states", "--explain")):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([TOOL, *words], input=capture, stdout=full,
                                  stderr=subprocess.PIPE, check=False)
        equal(done.returncode, 2, f"{words}")
        true(b"No space left" in done.stderr, f"{words}: {done.stderr}")


@test
def uninstall_removes_what_install_installs():
    make = ["make", "-s", "-C", os.path.dirname(TOOL)]
    with tempfile.TemporaryDirectory() as to:
        for prefix in ("/usr", "/usr/local"):
            where = [f"DESTDIR={to}", f"PREFIX={prefix}"]
            subprocess.run([*make, "install", *where], check=True)
            true(os.access(f"{to}{prefix}/bin/tcpfsm", os.X_OK), "the tool is there")
            subprocess.run([*make, "uninstall", *where], check=True)
        equal([name for _, _, files in os.walk(to) for name in files], [], "what is left")


@test
def commands_by_the_beginning_of_their_names():
    data = pcap(timed(life()))
    equal(tool("rep", "-", data=data), tool("replay", "-", data=data))
    equal(tool("help", "mon"), tool("monitor", "--help"))
    equal(tool("help"), tool("--help"))
    equal(tool("version"), tool("--version"))
    equal(tool("flow", "--help")[1].splitlines()[0], "Usage: tcpfsm [OPTIONS] flow NUMBER | END [END]")


@test
def help_of_a_command_lists_what_it_takes():
    for name, has, not_ in (("flows", "flag FLAG", "cause CAUSE"), ("top", "id N", "reason REASON"),
                            ("record", "cause CAUSE", "--json"), ("log", "--since", "--ended"),
                            ("ipfix", "reason REASON", "cause CAUSE"), ("monitor", "cause CAUSE", "(top)"),
                            ("ipfix", "records", "transitions"), ("export", "--listen", "--json"),
                            ("replay", "no transitions", "(monitor)"), ("export", "progress", "replay"),
                            ("top", "samples", "deliveries"), ("pairs", "--json", "FILTER")):
        out = tool(name, "--help")[1]
        true(has in out and not_ not in out, f"{name}: {out}")


def complete(*words):
    return tool("--complete", *words)[1].split()


def verbs():
    return [word for word in complete() if not word.startswith("-")]


@test
def completion_knows_each_verbs_words():
    true({"states", "flows", "top", "replay"} <= set(verbs()), verbs())
    for verb, has, not_ in (("top", "--batch", "--buffer"), ("monitor", "--buffer", "--batch")):
        words = complete(verb)
        true(has in words and not_ not in words, f"{verb}: {words}")
        true("state" in words and "dport" in words, f"filters of {verb}")
        true("close-wait" in complete(verb, "state"), f"states in filters of {verb}")


ZSH = """
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'PS1=; fpath=($DIR $fpath); autoload -Uz compinit; compinit -u -d $DIR/dump; PATH=$TOOLS:$PATH; print REA""DY'
zpty -r z out '*READY*'
zpty -w -n z $'tcpfsm monitor cause SND_R\\t'
while (( SECONDS < 50 )) && [[ $all != *SND_R*ST* ]]; do
	zpty -r -t z out && all+=$out || sleep 0.1
done
print -r -- "$all"
"""


@test
def three_shells_complete():
    """Each asks the program."""
    tools = os.path.dirname(os.path.abspath(TOOL))
    env = dict(os.environ, PATH=f"{tools}:{os.environ['PATH']}", TOOLS=tools)

    def shell(*words):
        return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env,
                              timeout=60, text=True, check=False).stdout

    out = shell("bash", "-c", f"source {tools}/tcpfsm.bash; COMP_WORDS=(tcpfsm monitor cause SND_R); "
                "COMP_CWORD=3; _tcpfsm; echo ${COMPREPLY[@]}")
    equal(out.split(), ["SND_RST"], "bash")
    out = shell("fish", "-c", f"source {tools}/tcpfsm.fish; complete -C 'tcpfsm monitor cause SND_R'; "
                "complete -C 'tcpfsm mon'")
    equal(out.split(), ["SND_RST", "monitor"], "fish")
    with tempfile.TemporaryDirectory() as env["DIR"]:
        shutil.copy(f"{tools}/tcpfsm.zsh", f"{env['DIR']}/_tcpfsm")
        out = shell("zsh", "-f", "-c", ZSH)
    true(re.search("SND_R.*ST", out, re.DOTALL), f"zsh: {out!r}")


@test
def help_names_every_verb():
    code, out, _ = tool("--help")
    equal(code, 0)
    for verb in verbs():
        true(f"  {verb} " in out, verb)
        code, own, _ = tool(verb, "--help")
        equal(code, 0, verb)
        true("Usage" in own, verb)


@test
def the_man_page_names_every_verb_and_option():
    with open(os.path.join(HERE, "../../tools/tcpfsm.8"), encoding="utf-8") as f:
        page = f.read().replace("\\-", "-")
    _, out, _ = tool("--help")
    for line in out.splitlines():
        words = line.split()
        for word in words[:2]:
            if word.startswith("--"):
                true(word.rstrip(",") in page, f"{word} is not in the man page")
    for verb in verbs():
        true(f"\n.TP\n.B {verb}" in page, verb)


@test
def the_man_page_of_the_module_names_every_setting():
    top = os.path.join(HERE, "../..")
    with open(os.path.join(top, "tools/tcpfsm.4"), encoding="utf-8") as f:
        page = f.read()
    names = []
    for path, pattern in (("mod/main.c", r"\nMODULE_PARM_DESC\((\w+)"), ("mod/sysctl.c", r'procname\s*= "(\w+)",')):
        with open(os.path.join(top, path), encoding="utf-8") as f:
            names += re.findall(pattern, f.read())
    true(len(names) >= 8, f"found {names}")
    for name in names:
        true(re.search(rf"\n\.BR? {name}\b", page), f"{name} is not in tcpfsm(4)")


@test
def S17_explained_without_a_module():
    code, out, err = tool("states", "--explain")
    true(code == 0 and "forgot to close" in out, f"{code} {err}")


if __name__ == "__main__":
    sys.exit(1 if run_all(planned()) else 0)
