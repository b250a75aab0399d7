# SPDX-License-Identifier: GPL-2.0
"""What many flows take: memory, and time when they grow in number or run out together."""
import collections
import concurrent.futures
import contextlib
import os
import statistics
import tempfile
import threading
import time

from bed import MODULE, TOOL, equal, run, true, write
from beds import PROC, Conntrack, Nobody, Push, Tcpfsm, host, matrix, pin, used_memory
from reading import dumped
from report import part, text
from speed import OPEN, SIZE, Nets, whos

BUCKET = 8      # bytes: struct hlist_nulls_head, of both
DISTINCT = 100_000      # flows; the memory of fewer is lost in what else comes and goes
CONNTRACK_TIME_WAIT = "/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_time_wait"
TCPFSM_TIME_WAIT = "/proc/sys/net/tcpfsm/timeout_time_wait"


def fill(who, push, flows, family=4):
    """Open flows: bytes a flow of kernel objects and hash, the same by free memory, and ns a
    segment."""
    slab, free = used_memory()
    ns = push(op="open", flows=flows, family=family)
    slab_now, free_now = used_memory()
    bucket = BUCKET * who.buckets / flows
    return (slab_now - slab) / flows + bucket, (free - free_now) / flows + bucket, ns


@part
def memory(report):
    """bytes a flow, hash table included"""
    flows = 1_000_000
    for family in (4, 6):
        found = []
        for who in (Conntrack(flows), Tcpfsm(flows)):
            with host(who) as push:
                found.append(fill(who, push, flows, family))
                who.must_have(flows, OPEN)
        theirs, ours = found
        what = f"memory a flow, IPv{family}, {SIZE[flows]} flows, bytes"
        report.ratio(what, [theirs[0]], [ours[0]], 0.5 if family == 4 else None)
        report.ratio(f"{what}, by MemFree", [theirs[1]], [ours[1]])


# ---- in number ----

def states_ms():
    """How long it takes to read the counts."""
    began = time.monotonic()
    with open(PROC + "states", encoding="ascii") as f:
        f.read()
    return 1000 * (time.monotonic() - began)


@part
def growth(report):
    """from 1k to 4M flows"""
    for flows in SIZE:
        nets, bytes_each = Nets(), {}
        for who in whos(flows):
            rounds = max(2, 2_000_000 // flows)
            with host(who) as push:
                push(op="open", first=flows)    # what the first segment allocates is no flow's
                bytes_each[who.name] = fill(who, push, flows)[0]
                push(op="data", flows=flows)
                nets.add(who.name, {"data": push(op="data", flows=flows, round=1, rounds=rounds)})
                who.must_have(flows + 1, OPEN)
                if who.name == Tcpfsm.name:
                    states = statistics.median(states_ms() for _ in range(9))
                    dump = dumped([TOOL, "-n", "flows"], flows + 1)
        what = f"{SIZE[flows]} flows"
        report.ratio(f"{what}: data at random, ns", nets.of("data", Conntrack),
                     nets.of("data", Tcpfsm))
        if flows >= DISTINCT:
            report.ratio(f"{what}: memory a flow, bytes",
                         *([bytes_each[who.name]] for who in (Conntrack, Tcpfsm)))
        report.add(f"{what}: all counts (states), ms", None, states)
        report.add(f"{what}: all flows (tcpfsm flows), ms", None, 1000 * dump)


# ---- running out together ----

class Lateness:
    """How late a softirq's timer is on each processor, while it lasts."""

    def __init__(self):
        self.stopped = threading.Event()
        self.pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count())
        self.jobs = [self.pool.submit(self.watch, cpu) for cpu in range(os.cpu_count())]

    def watch(self, cpu):
        pin(cpu)
        worst = 0
        with contextlib.closing(Push()) as push:
            while not self.stopped.is_set():
                worst = max(worst, push.try_to(op="late", ms=250)["longest"])
        return worst

    def stop(self):
        """The worst, in us."""
        self.stopped.set()
        with self.pool:
            return max(job.result() for job in self.jobs) / 1000


def idle_lateness():
    lateness = Lateness()
    time.sleep(3)
    return lateness.stop()


def late_moves(flows, seconds):
    """By how many ms TIME_WAIT -> CLOSED came later than due, of each flow."""
    with open(PROC + "log", encoding="ascii") as f:
        header = next(f).split()
        from_, to, dwell = (header.index(name) for name in ("from", "to", "dwell_ns"))
        rows = map(str.split, f)
        late = [int(row[dwell]) / 1e6 - 1000 * seconds for row in rows
                if row[from_] == "TIME_WAIT" and row[to] == "CLOSED"]
    equal(len(late), flows, "logged moves from TIME_WAIT to CLOSED")
    true(min(late) > -20, f"a TIME_WAIT ended {-min(late):.0f} ms early")
    return late


def in_time_wait(who):
    """How many flows are in TIME_WAIT; None if the side does not count them."""
    if who.name == Tcpfsm.name:
        return sum(matrix("pairs")["TIME_WAIT"])
    return who.have() - 1 if who.name == Conntrack.name else None


Expired = collections.namedtuple("Expired", "idle late longest after left moves")


def expire(who, flows, seconds, patience):
    """Close flows, and push segments of another one until all TIME_WAITs have run out."""
    turns = 100_000
    with host(who) as push:
        idle = idle_lateness()
        if who.name == Conntrack.name:
            write(CONNTRACK_TIME_WAIT, seconds)
        elif who.name == Tcpfsm.name:
            write("/proc/sys/net/tcpfsm/log_size", 1 << 20)
            write(TCPFSM_TIME_WAIT, seconds)
        push(op="open", flows=flows)
        push(op="open", first=flows)
        push(op="close", flows=flows)
        closed = time.monotonic()
        if who.name == Tcpfsm.name:
            equal(in_time_wait(who), flows, "TIME_WAITs before the first runs out")
        lateness, longest, turn = Lateness(), 0, 0
        while True:
            answer = push.try_to(op="data", first=flows, round=turn, rounds=turns, batch=1)
            equal(answer["dropped"], 0, f"{who.name}: segments dropped")
            longest = max(longest, answer["longest"])
            turn += turns
            left, waited = in_time_wait(who), time.monotonic() - closed - seconds
            if not left and waited > 0 or waited > patience:
                break
        return Expired(idle, lateness.stop(), longest / 1000, waited, left,
                       late_moves(flows, seconds) if who.name == Tcpfsm.name else None)


@part
def expiry(report):
    """a million TIME_WAITs that run out"""
    flows, seconds = 1_000_000, 6
    found = {}
    for who in whos(flows + 1):
        e = expire(who, flows, seconds, 2 if who.name == Nobody.name else 60)
        found[who.name] = e
        report.say(f"{who.name}: timer late at most {e.idle:.0f} us when idle, {e.late:.0f} us "
                   f"meanwhile; longest segment {e.longest:.0f} us")
    nobody, theirs, ours = found.values()
    equal(ours.left, 0, "tcpfsm: TIME_WAITs left")
    what = f"{SIZE[flows]} TIME_WAITs run out"
    report.ratio(f"{what}: timer late at most, us (empty hooks {nobody.late:.0f})",
                 [theirs.late], [ours.late])
    report.ratio(f"{what}: longest segment, us (empty hooks {nobody.longest:.0f})",
                 [theirs.longest], [ours.longest])
    report.add(f"{what}: all gone, s after the last was due",
               f"{theirs.left} left" if theirs.left else theirs.after, ours.after)
    report.add(f"{what}: TIME_WAIT > CLOSED late, median and most, ms", None,
               f"{text(statistics.median(ours.moves))} {text(max(ours.moves))}")


# ---- namespaces ----

def taken_by_module():
    """Bytes of free memory that loading it takes."""
    before = used_memory()[1]
    run("insmod", MODULE)
    after = used_memory()[1]
    run("rmmod", "tcpfsm")
    return before - after


def batch(lines):
    """Of ip commands."""
    with tempfile.NamedTemporaryFile("w") as f:
        f.write("\n".join(lines))
        f.flush()
        run("ip", "-batch", f.name)


@part
def namespaces(report):
    """memory for network namespaces that do nothing"""
    number = 1000
    alone = taken_by_module()
    batch(f"netns add idle{i}" for i in range(number))
    try:
        equal(len(os.listdir("/run/netns")), number, "namespaces")
        together = taken_by_module()
    finally:
        batch(f"netns del idle{i}" for i in range(number))
    report.say(f"the module takes {alone // 1024} kB, with {number} namespaces "
               f"{together // 1024} kB")
    report.add("an idle network namespace, kB", None, (together - alone) / number / 1024)
