#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
What happens to a module in a long life: readers that are killed, sleep or never read, clocks that
jump, and everything at once. Afterwards it counts right, and it can be unloaded.
"""
import contextlib
import random
import signal
import socket
import subprocess
import threading
import time

from bed import (HOSTS, SEED, SYN, TOOL, Traffic, Wire, close_to, deep, equal, key_of, load, loaded, log_of,
                 main_bare, max_flows, muted, pair, pairs_are, read, run, sysctl, table, talk, test, true,
                 unload, until, within)

ALL_AT_ONCE = deep(15, 600)     # seconds
UP = "ESTABLISHED:ESTABLISHED"


def many_flows(w, n):
    """Half-open ones, at all hosts."""
    for i in range(n):
        w.sport = 1024 + i
        w.raw_send("client", SYN, i)
    until(lambda: len(table("router", "flows")) >= n, "all have passed")


def counts_are_right():
    """The gauges of pairs and states are what a recount of the flows gives; quiet hosts only."""
    for name in HOSTS:
        rows = table(name, "flows")
        pairs = {}
        for r in rows:
            key = r["orig"], r["resp"]
            pairs[key] = pairs.get(key, 0) + 1
        told = {(r["orig:resp"], k): int(n) for r in table(name, "pairs") for k, n in r.items()
                if k != "orig:resp" and int(n)}
        equal(told, pairs, f"pairs at {name}")


def it_works(port):
    c, s = pair(4, port)
    key = key_of(4, c, port)
    pairs_are(key, UP)
    talk(c, s)
    close_to(c, s)
    pairs_are(key, "TIME_WAIT:CLOSED")


@test
def readers_killed_in_the_middle():
    """Dumps by netlink and of files, cut short: nothing stays behind, it can be unloaded."""
    with loaded("max_flows=65536"), muted(), contextlib.closing(Wire(4)) as w:
        sysctl("router", "timeout_opening", 100000)
        many_flows(w, 8000)
        rng = random.Random(SEED)
        for i in range(deep(40, 1000)):
            words = (("-j", "flows"), ("flows",), ("log",), ("-j", "services"))[i % 4]
            with within("router"):
                tool = subprocess.Popen([TOOL, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            tool.stdout.read(rng.randrange(4000))
            tool.kill()
            tool.stdout.close()
            tool.wait()
            with within("router"), open("/proc/thread-self/net/tcpfsm/flows", "rb", buffering=0) as f:
                f.read(rng.randrange(5000))
        equal(len(table("router", "flows")), 8000, "flows")
    load()      # and again
    unload()


@test
def a_reader_that_never_reads():
    """Only its own queue fills. The module waits for no reader."""
    with loaded():
        with within("router"):
            deaf = [subprocess.Popen([TOOL, "monitor"], stdout=subprocess.DEVNULL) for _ in range(4)]
            hears = subprocess.Popen([TOOL, "-j", "monitor"], stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, text=True)
        lines = []
        thread = threading.Thread(target=lambda: lines.extend(hears.stdout))
        thread.start()
        while "following" not in hears.stderr.readline():
            pass
        for d in deaf:
            d.send_signal(signal.SIGSTOP)
        before = sum(int(r["entered"]) for r in table("router", "states"))
        traffic = Traffic()
        try:
            until(lambda: traffic.done >= deep(3000, 100_000), "connections", 3600)
        finally:
            traffic.stop()
        equal(traffic.errors, [], "connections that failed")
        until(lambda: sum('"to"' in x for x in lines) >=
              sum(int(r["entered"]) for r in table("router", "states")) - before, "all are told")
        hears.send_signal(signal.SIGINT)
        thread.join()
        hears.wait()
        lost = [x for x in lines if '"lost":' in x and '"lost":0' not in x.replace(" ", "")]
        equal(lost, [], "lost by who reads")
        for d in deaf:
            d.send_signal(signal.SIGCONT)
            d.kill()
            d.wait()
        print(f"# {traffic.done} connections, {len(lines)} events")


def set_clock(seconds):
    time.clock_settime(time.CLOCK_REALTIME, time.time() + seconds)


@test
def clocks_that_jump():
    """Set by a year, there and back: no flow ends for it, no time is negative or a year long."""
    year = 365 * 86400
    with loaded():
        c, s = pair(4, 8800)
        key = key_of(4, c, 8800)
        x, y = pair(4, 8801)
        close_to(x, y)
        try:
            set_clock(year)
            talk(c, s)
            time.sleep(0.5)
            pairs_are(key, UP)
            pairs_are(key_of_pair(8801), "TIME_WAIT:CLOSED")
            set_clock(-2 * year)
            talk(c, s)
            time.sleep(0.5)
            pairs_are(key, UP)
            close_to(c, s)
            pairs_are(key, "TIME_WAIT:CLOSED")
        finally:
            set_clock(year)
        for name in HOSTS:
            for r in log_of(name, key):
                true(0 <= int(r["dwell_ns"]) < 60 * 10**9, f"it dwelt for {r['dwell_ns']} ns")


def key_of_pair(port):
    """The tuple of the one connection to a port, as the router has it."""
    r = next(r for r in table("router", "flows") if r["dport"] == str(port))
    return r["src"], r["sport"], r["dst"], r["dport"]


class Busy:
    """Does something again and again, until all are stopped."""

    def __init__(self):
        self.stopped = threading.Event()
        self.threads = []
        self.errors = []
        self.done = {}

    def keep(self, what, *args):
        def work():
            name = what.__name__
            while not self.stopped.is_set():
                try:
                    what(*args)
                    self.done[name] = self.done.get(name, 0) + 1
                except Exception as error:      # pylint: disable=broad-except
                    self.errors.append(f"{name}: {error}")
                    return
        self.threads.append(threading.Thread(target=work))
        self.threads[-1].start()

    def stop(self):
        self.stopped.set()
        for t in self.threads:
            t.join()


def switches(rng):
    name = rng.choice(HOSTS)
    key, values = rng.choice((
        ("enabled", (0, 1, 1)), ("log_size", (64, 512, 4096)), ("audit", (0, 1)),
        ("timeout_time_wait", (1, 60)), ("timeout_closed", (1, 10)), ("timeout_opening", (1, 130)),
        ("timeout_established", (1, 432000)), ("timeout_half_closed", (1, 432000))))
    sysctl(name, key, rng.choice(values))
    time.sleep(0.01)


def resizes(rng):
    max_flows(rng.choice((1024, 4096, 65536)))
    time.sleep(0.05)


def reads(rng):
    name = rng.choice(HOSTS)
    if rng.random() < 0.5:
        read(name, rng.choice(("states", "pairs", "transitions", "counters", "dwell", "flows",
                               "services", "log")))
        return
    with within(name):
        tool = subprocess.Popen([TOOL, "-j", rng.choice(("flows", "states", "services", "log", "counters"))],
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    tool.stdout.read(rng.choice((10, 1000, -1)))
    if rng.random() < 0.3:
        tool.kill()
    tool.stdout.close()
    tool.wait()


def listens(rng):
    with within(rng.choice(HOSTS)):
        tool = subprocess.Popen([TOOL, "monitor", "--for", "1s"], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
    time.sleep(rng.random())
    if rng.random() < 0.5:
        tool.kill()
    tool.wait()


def namespaces(name):
    run("ip", "netns", "add", name)
    run("ip", "-n", name, "link", "set", "lo", "up")
    with within(name), contextlib.closing(socket.create_server(("127.0.0.1", 8200))):
        held = [socket.create_connection(("127.0.0.1", 8200)) for _ in range(20)]
    run("ip", "netns", "del", name)
    close_to(*held)


def knocks(w, rng):
    """At ports where nobody listens."""
    w.sport = rng.randrange(1024, 65536)
    for i in range(100):
        w.dport = 30000 + i
        w.raw_send("client", SYN, rng.randrange(1 << 32))
    time.sleep(0.02)


@test
def everything_at_once():
    rng = random.Random(SEED)
    with loaded(), contextlib.closing(Wire(4)) as w:
        busy, traffic = Busy(), Traffic()
        for what, *args in ((switches, rng), (resizes, rng), (reads, rng), (reads, rng), (listens, rng),
                            (namespaces, "short"), (knocks, w, rng)):
            busy.keep(what, *args)
        end = time.monotonic() + ALL_AT_ONCE
        while time.monotonic() < end and not busy.errors and not traffic.errors:
            time.sleep(0.2)
        traffic.stop()
        busy.stop()
        equal(busy.errors + traffic.errors, [], "what failed")
        print(f"# {traffic.done} connections; " + ", ".join(f"{k} {n}" for k, n in busy.done.items()))
        max_flows(65536)
        for name in HOSTS:
            sysctl(name, "enabled", 1)
            for key in ("time_wait", "closed", "opening", "closing", "half_closed"):
                sysctl(name, f"timeout_{key}", 60)
            sysctl(name, "timeout_established", 432000)
        time.sleep(1)
        counts_are_right()
        it_works(8900)


if __name__ == "__main__":
    main_bare()
