# SPDX-License-Identifier: GPL-2.0
"""What a segment takes: alone, beside a listener, on two processors, and in a full table."""
import collections
import concurrent.futures
import contextlib
import statistics
import subprocess
import sys

from bed import TOOL, equal, guests, true
from beds import Conntrack, Nobody, Push, Tcpfsm, host, pin, reader
from report import part

OPEN, CLOSED = "ESTABLISHED:ESTABLISHED", "TIME_WAIT:CLOSED"
PHASES = ("set-up", "data at random", "data, one hot flow", "close")
SIZE = {1_000: "1k", 10_000: "10k", 100_000: "100k", 1_000_000: "1M", 4_000_000: "4M"}


def whos(flows, **conntrack):
    return Nobody(flows), Conntrack(flows, **conntrack), Tcpfsm(flows)


def in_turn(rounds, flows, **conntrack):
    """All of them in each round, so that a slow time hits them alike, and each first in some."""
    for i in range(rounds):
        order = collections.deque(whos(flows, **conntrack))
        order.rotate(-i)
        yield from order


def target(phase, flows, family):
    if phase == "set-up":
        return 0.30
    if phase == "close":
        return 0.50
    if phase == "data at random":
        return (0.35 if flows <= 100_000 else 0.40) + (0.05 if family == 6 else 0)
    return 0.30 if family == 4 else 0.35


def phases(who, flows, **words):
    """One whole life of many flows: ns a segment in each phase."""
    rounds = max(2, 1_000_000 // flows)
    turns = 500_000
    with host(who) as push:
        opened = push(op="open", flows=flows, **words)
        push(op="open", first=flows, **words)
        who.must_have(flows + 1, OPEN)
        push(op="data", flows=flows, rounds=1, **words)         # what follows finds it warm
        data = push(op="data", flows=flows, round=1, rounds=rounds, **words)
        hot = push(op="data", first=flows, rounds=turns, **words)
        who.must_have(flows + 1, OPEN)
        closed = push(op="close", flows=flows, round=1 + rounds, **words)
        push(op="close", first=flows, round=turns, **words)
        who.must_have(flows + 1, CLOSED)
    return dict(zip(PHASES, (opened, data, hot, closed)))


class Nets:
    """Figures of some rounds, net of the empty hooks' own in the same round."""

    def __init__(self):
        self.raw = collections.defaultdict(lambda: collections.defaultdict(list))

    def add(self, name, figures):
        for key, value in figures.items():
            self.raw[key][name].append(value)

    def of(self, key, who):
        return [a - b for a, b in zip(self.raw[key][who.name], self.raw[key][Nobody.name])]

    def floor(self):
        return ", ".join(f"{key} {statistics.median(by[Nobody.name]):.1f}"
                         for key, by in self.raw.items())


def compare(report, what, flows, targets=None, conntrack=None, **words):
    """Rows of all phases."""
    nets = Nets()
    for who in in_turn(report.rounds, flows, **(conntrack or {})):
        nets.add(who.name, phases(who, flows, **words))
    report.say(f"{what}: empty hooks' own, ns: {nets.floor()}")
    for phase in PHASES:
        report.ratio(f"{phase}, {what}, ns", nets.of(phase, Conntrack), nets.of(phase, Tcpfsm),
                     targets and targets(phase, flows, words["family"]))


@part
def segment(report):
    """ns a segment, net of empty hooks"""
    with host(Nobody(1)) as push:
        for op, what in (("clock", "reading the clock"), ("lock", "a lock, taken and released")):
            report.say(f"for scale: {what}, {push(op=op, rounds=1_000_000):.1f} ns")
    for flows in (100_000, 1_000_000):
        for family in (4, 6):
            compare(report, f"IPv{family}, {SIZE[flows]} flows", flows, target, family=family)
    flows = 100_000
    compare(report, "IPv4, 100k, nf_conntrack_acct=0", flows, conntrack={"counts_bytes": False},
            family=4)
    compare(report, "IPv4, 100k, 1448 bytes, checksum not vouched for", flows, family=4,
            len=1448, checksum=1)
    for way in ("in", "out"):
        compare(report, f"IPv4, 100k, LOCAL_{way.upper()}", flows, family=4, way=way)


# A program that reads a file again and again, on the second processor.
READ_ON = """import os, sys
os.sched_setaffinity(0, {1})
print(end="-", flush=True)
while True:
    with open(sys.argv[1], "rb", buffering=0) as f:
        while f.read(1 << 16):
            pass
"""


@contextlib.contextmanager
def reading_on(name, path):
    """Four programs read all the time in a namespace."""
    programs = [subprocess.Popen(["ip", "netns", "exec", name, sys.executable, "-c", READ_ON, path],
                                 stdout=subprocess.PIPE) for _ in range(4)]
    try:
        for p in programs:
            equal(p.stdout.read(1), b"-", "it reads")
        yield
        equal([p.poll() for p in programs], [None] * len(programs), "it has read to the end")
    finally:
        for p in programs:
            p.kill()
            p.wait()
            p.stdout.close()


@part
def readers(report):
    """data at random while four programs in a container read its own flows, which are none"""
    flows = 100_000
    files = {Conntrack.name: "/proc/net/nf_conntrack", Tcpfsm.name: "/proc/net/tcpfsm/flows"}
    quiet, busy = Nets(), Nets()
    for who in in_turn(report.rounds, flows):
        with host(who) as push, guests(1) as (name,):
            push(op="open", flows=flows)
            push(op="data", flows=flows, rounds=1)
            quiet.add(who.name, {"data": push(op="data", flows=flows, round=1, rounds=10)})
            with reading_on(name, files.get(who.name, "/proc/net/tcp")):
                busy.add(who.name, {"data": push(op="data", flows=flows, round=11, rounds=10)})
            who.must_have(flows, OPEN)
    for what, nets in (("nobody reads", quiet), ("a container reads", busy)):
        report.ratio(f"data at random while {what}, ns", nets.of("data", Conntrack),
                     nets.of("data", Tcpfsm))


@part
def listener(report):
    """set-up and close while another program reads all events"""
    flows = 100_000
    commands = {Conntrack.name: ["conntrack", "-E"], Tcpfsm.name: [TOOL, "monitor"]}
    nets = Nets()
    for who in in_turn(report.rounds, flows):
        command = commands.get(who.name)
        with host(who) as push, reader(command) if command else contextlib.nullcontext():
            opened = push(op="open", flows=flows)
            who.must_have(flows, OPEN)
            closed = push(op="close", flows=flows)
            who.must_have(flows, CLOSED)
        nets.add(who.name, {"set-up": opened, "close": closed})
    for phase, most in (("set-up", 0.15), ("close", None)):
        report.ratio(f"{phase}, a reader of all events, ns", nets.of(phase, Conntrack),
                     nets.of(phase, Tcpfsm), most)


# ---- two processors ----

BOTH_FREE = 1.8     # what empty hooks gain at least, if nothing else runs


def push_on(cpu, words):
    """A thread's work: the thread is in the namespace of the one that started it."""
    pin(cpu)
    with contextlib.closing(Push()) as push:
        return push(**words)


def on_cpus(*jobs):
    """Push on as many processors at once; ns a segment, of all together."""
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        took = list(pool.map(push_on, range(len(jobs)),
                             [{**words, "together": len(jobs)} for words in jobs]))
    return 1 / sum(1 / ns for ns in took)


class Both:
    """ns a segment of work that one processor does, and of such work that two do at once."""

    def __init__(self):
        self.alone, self.both = (collections.defaultdict(list) for _ in range(2))

    def add(self, who, what, alone, *jobs):
        self.alone[what, who.name].append(on_cpus(alone))
        self.both[what, who.name].append(on_cpus(*jobs))

    # The best of all rounds: what disturbs one of the two cannot make it faster.
    def gain(self, what, who):
        return min(self.alone[what, who.name]) / min(self.both[what, who.name])

    def net(self, what, who):
        """ns a segment and processor, net of empty hooks."""
        return 2 * (min(self.both[what, who.name]) - min(self.both[what, Nobody.name]))

    def rows(self, report, what, judged, most=None):
        """most: of nf_conntrack's ns, on two processors."""
        floor, theirs, ours = (self.gain(what, who) for who in (Nobody, Conntrack, Tcpfsm))
        report.say(f"{what}: 2 CPUs do so many times what one does: empty hooks {floor:.2f}, "
                   f"nf_conntrack {theirs:.2f}, tcpfsm {ours:.2f}")
        if judged and floor < BOTH_FREE:
            report.say("the processors were not free: this tells nothing")
            judged = most = None
        report.add(f"2 CPUs, {what}, of the empty hooks' gain", theirs / floor, ours / floor,
                   ours / theirs, "tcpfsm 0.95" if judged else "",
                   ours / floor >= 0.95 if judged else None)
        theirs, ours = (self.net(what, who) for who in (Conntrack, Tcpfsm))
        report.add(f"2 CPUs, {what}, ns", theirs, ours, ours / theirs,
                   f"{most:.2f}" if most else "", ours / theirs <= most if most else None)


@part
def cpus(report):
    """two processors against one"""
    flows, rounds = 100_000, 8
    seen = Both()
    # Without data, or what two say about one flow would fall out of its window.
    hot = {"op": "data", "first": 2 * flows, "rounds": 1_000_000, "len": 0}
    sides = [{"op": "data", "first": i * flows, "flows": flows, "rounds": rounds, "len": 0}
             for i in (0, 1)]
    # More rounds than elsewhere: who wants both processors is easily disturbed.
    for who in in_turn(2 * report.rounds, 2 * flows):
        with host(who) as push:
            push(op="open", flows=2 * flows + 1)
            push(op="data", flows=2 * flows, len=0)
            seen.add(who, "disjoint flows", sides[0], *sides)
            seen.add(who, "the same hot flow", hot, hot, hot)
            who.must_have(2 * flows + 1, OPEN)
    # Connections of one service, of which each processor has its own.
    parts = [{"first": i * flows, "flows": flows, "services": 1} for i in range(3)]
    for who in in_turn(2 * report.rounds, 3 * flows):
        with host(who):
            for what, op, pair in (("set-up", "open", OPEN), ("close", "close", CLOSED)):
                seen.add(who, what, *({"op": op, **words} for words in parts))
                who.must_have(3 * flows, pair)
    seen.rows(report, "disjoint flows", True)
    seen.rows(report, "the same hot flow", False)
    seen.rows(report, "set-up", True)
    seen.rows(report, "close", True, 0.60)


# ---- a full table ----

def flooded(who, live, syns):
    """Half of the table is in use, the rest are SYNs, and more come. ns a SYN that finds the
    table full, how many of the flows in use remain, how many SYNs were dropped."""
    bursts, ns, dropped = 10, 0, 0
    with host(who) as push:
        push(op="open", flows=live)
        push(op="data", flows=live, rounds=2)
        push(op="syn", first=live, flows=live)
        for i in range(bursts):
            answer = push.try_to(op="syn", first=2 * live + i * syns // bursts,
                                 flows=syns // bursts)
            equal(answer["segments"], syns // bursts, f"{who.name}: SYNs")
            ns += answer["ns"]
            dropped += answer["dropped"]
            if i % 3 == 0:
                push(op="data", flows=live, round=2 + 2 * (i // 3), rounds=2)
        true(who.have() <= who.limit, f"{who.name}: {who.have()} flows in the table")
        return ns / syns, who.established(), dropped


@part
def flood(report):
    """SYNs that find the table full"""
    live, syns = 50_000, 1_000_000
    took, alive, lost = (collections.defaultdict(list) for _ in range(3))
    for _ in range(report.rounds):
        for who in (Nobody(2 * live), Conntrack(2 * live, 2 * live), Tcpfsm(2 * live, 2 * live)):
            ns, established, dropped = flooded(who, live, syns)
            took[who.name].append(ns)
            alive[who.name].append(established)
            lost[who.name].append(dropped)
    report.ratio("a SYN that finds the table full, ns",
                 *([a - b for a, b in zip(took[who.name], took[Nobody.name])]
                   for who in (Conntrack, Tcpfsm)))
    equal(min(alive[Tcpfsm.name]), live, "established flows that tcpfsm kept")
    report.add(f"of {live} active flows, kept through {syns} SYNs", min(alive[Conntrack.name]),
               min(alive[Tcpfsm.name]), target=f"tcpfsm {live}", met=True)
    report.add("SYNs dropped meanwhile", max(lost[Conntrack.name]), max(lost[Tcpfsm.name]))
