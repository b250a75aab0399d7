# SPDX-License-Identifier: GPL-2.0
"""
What is measured, and how it is set up: a network namespace with nobody at its netfilter hooks, with
nf_conntrack there, or with tcpfsm; and the module that pushes made-up segments through them
(bench.c). What does not go as it must is an exception: a figure of something else is worse than
none.
"""
import contextlib
import os
import re
import signal
import subprocess
import tempfile
import time

from bed import MODULE, Failed, equal, run, until, within, write

PUSHER = os.environ.get("TCPFSM_BENCH_KO", "")
FILE = "/proc/tcpfsm_bench"
PROC = "/proc/thread-self/net/tcpfsm/"
ORDINARY = ("segments", "flows_opened", "table_entries", "table_limit")
PAGE = os.sysconf("SC_PAGE_SIZE")
CONNTRACK_COUNT = "/proc/sys/net/netfilter/nf_conntrack_count"


class Push:
    """The pushing module's file, opened in the namespace we are in."""

    def __init__(self):
        # pylint: disable=consider-using-with
        self.file = open(FILE, "r+b", buffering=0)

    def try_to(self, **words):
        """Push; returns a dictionary of segments, ns, longest, dropped."""
        self.file.write(" ".join(f"{k}={v}" for k, v in words.items()).encode())
        self.file.seek(0)
        answer = self.file.read(128).decode().split()
        return dict(zip(answer[::2], map(int, answer[1::2])))

    def __call__(self, **words):
        """Push segments that must all pass; returns nanoseconds a segment."""
        answer = self.try_to(**words)
        if answer["dropped"]:
            raise Failed(f"{answer['dropped']} segments of {words} were dropped")
        return answer["ns"] / answer["segments"]

    def watch_by_conntrack(self):
        self.file.write(b"conntrack")

    def close(self):
        self.file.close()


class Nobody:
    """Empty hooks: what making and pushing a segment takes."""
    name = "empty hooks"

    def __init__(self, flows, limit=0):
        """flows: as many hash buckets, or as both have by default on a machine of this size.
        limit: of the table (default: never reached)."""
        self.buckets = 1 << max(18, (flows - 1).bit_length())
        self.limit = limit or 2 * self.buckets

    def load(self):
        """Before the namespace is there."""

    def attach(self, push):
        """Watch the namespace that this thread is in."""

    def have(self):
        """How many flows are in the table."""
        return 0

    def must_have(self, flows, pair):
        """So many flows are in the table, all of them in this pair of states."""

    def established(self):
        """How many flows are, at both ends."""
        return 0

    def flush(self):
        """Forget all flows."""

    def unload(self):
        """After the namespace."""


class Conntrack(Nobody):
    """nf_conntrack by a reference of its own, without a rule."""
    name = "nf_conntrack"

    def __init__(self, flows, limit=0, counts_bytes=True):
        super().__init__(flows, limit)
        self.counts_bytes = counts_bytes

    def load(self):
        write("/sys/module/nf_conntrack/parameters/hashsize", self.buckets)
        write("/proc/sys/net/netfilter/nf_conntrack_max", self.limit)

    def attach(self, push):
        write("/proc/sys/net/netfilter/nf_conntrack_acct", int(self.counts_bytes))
        push.watch_by_conntrack()

    def have(self):
        with open(CONNTRACK_COUNT, encoding="ascii") as f:
            return int(f.read())

    def must_have(self, flows, pair):
        equal(self.have(), flows, f"{self.name}: flows")

    def established(self):
        with open("/proc/thread-self/net/nf_conntrack", encoding="ascii") as f:
            return sum(" ESTABLISHED " in line for line in f)

    def flush(self):
        run("conntrack", "-F")


class Tcpfsm(Nobody):
    name = "tcpfsm"

    def load(self):
        run("insmod", MODULE, f"max_flows={self.limit}", f"hashsize={self.buckets}")

    def have(self):
        return sum(map(sum, matrix("pairs").values()))

    def must_have(self, flows, pair):
        equal(self.have(), flows, f"{self.name}: flows")
        equal(in_pair(*pair.split(":")), flows, f"{self.name}: flows in {pair}")
        equal(oddities(), {}, f"{self.name}: counters of what is not ordinary")

    def established(self):
        return in_pair("ESTABLISHED", "ESTABLISHED")

    def flush(self):
        write("/proc/sys/net/tcpfsm/enabled", 0)

    def unload(self):
        run("rmmod", "tcpfsm")


def matrix(file):
    """/proc/net/tcpfsm/pairs or transitions: counts by the name of their row."""
    with open(PROC + file, encoding="ascii") as f:
        next(f)
        return {row: list(map(int, counts)) for row, *counts in map(str.split, f)}


def in_pair(orig, resp):
    """How many flows are."""
    pairs = matrix("pairs")
    return pairs[orig][list(pairs).index(resp)]


def oddities():
    """Counters of tcpfsm that ordinary connections leave at zero, and that are not."""
    with open(PROC + "counters", encoding="ascii") as f:
        counters = dict(line.split() for line in list(f)[1:])
    return {name: int(value) for name, value in counters.items()
            if int(value) and name not in ORDINARY}


DEVICES = "in", "out"


@contextlib.contextmanager
def host(who, container=False):
    """The initial namespace, or a new one, that `who` watches; yields a Push."""
    who.load()
    try:
        with made_netns() if container else contextlib.nullcontext():
            for dev in DEVICES:
                run("ip", "link", "add", dev, "type", "dummy")
                run("ip", "link", "set", dev, "up")
            with contextlib.closing(Push()) as push:
                who.attach(push)
                yield push
                who.flush()
    finally:
        for dev in () if container else DEVICES:
            run("ip", "link", "del", dev, check=False)
        who.unload()


@contextlib.contextmanager
def made_netns():
    """A new namespace, in which this thread is."""
    run("ip", "netns", "add", "bench")
    try:
        with within("bench"):
            yield
    finally:
        run("ip", "netns", "del", "bench")


# ---- memory ----

def used_memory():
    """Bytes of kernel objects (hash tables are not among them), and bytes that are free."""
    # What was freed under RCU has to come back first.
    time.sleep(0.3)
    write("/proc/sys/vm/drop_caches", 3)
    time.sleep(0.2)
    with open("/proc/meminfo", encoding="ascii") as f:
        text = f.read()
    slab, free = (int(re.search(rf"^{key}: +(\d+) kB", text, re.M)[1]) * 1024
                  for key in ("Slab", "MemFree"))
    return slab, free + PAGE * kept_pages()


def kept_pages():
    """Free pages that the processors keep for themselves: MemFree leaves them out."""
    with open("/proc/zoneinfo", encoding="ascii") as f:
        return sum(map(int, re.findall(r"^ +count: +(\d+)$", f.read(), re.M)))


# ---- other programs ----

def pin(cpu):
    """Keep this thread on a processor."""
    os.sched_setaffinity(0, {cpu})


def on_other_cpu(command):
    return ["taskset", "-c", "1", *command]


def listens():
    """Whether a program in this namespace has joined a netlink group."""
    with open("/proc/thread-self/net/netlink", encoding="ascii") as f:
        return any(int(line.split()[3], 16) for line in list(f)[1:])


@contextlib.contextmanager
def reader(command, output=subprocess.DEVNULL):
    """A program that reads events, on the other processor. It must live to the end."""
    with tempfile.TemporaryFile("w+") as errors, \
         subprocess.Popen(on_other_cpu(command), stdout=output, stderr=errors) as process:

        def alive():
            if process.poll() is not None:
                errors.seek(0)
                raise Failed(f"{' '.join(command)} ended: {process.returncode} {errors.read()}")
            return True

        try:
            until(lambda: alive() and listens(), f"{' '.join(command)} listens")
            time.sleep(0.5)
            yield process
            alive()
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
