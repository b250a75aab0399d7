#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
What whoever can reach the host may do to it: the root of a container, a peer on the wire, a local
user. Each attack goes on beside connections of the host, one who reads their events, and others
that come and go. None of them may be lost or shown otherwise than it is. What the attack cost is
printed, and bounds nothing but memory: times depend on the machine.
"""
import collections
import contextlib
import os
import random
import socket
import subprocess
import sys
import threading
import time

from bed import (ACK, ADDR, FIN, FLOW_GET, HOSTS, RST, SEED, SYN, TOOL, Dump, Traffic, Wire, ask_for_flows,
                 close_to, counters, deep, equal, flood, group_number, guests, key_of, loaded,
                 main_bare, muted, pair, pairs_are, run, sysctl, talk, test, true, until, within)

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../bench"))
PUSHER = os.environ.get("TCPFSM_BENCH_KO")
SECONDS = deep(3, 60)       # of each attack
HELD = 10                   # connections of each family that are there all the time
LIMIT = 16384               # flows
NAMESPACES = 100            # at once
UP = "ESTABLISHED:ESTABLISHED"
LEFT = ("table_full", "no_memory", "evicted_established", "evicted_half_closed", "events_lost")


def unreclaimable():
    """kB of kernel memory that nobody can take back."""
    with open("/proc/meminfo", encoding="ascii") as f:
        fields = dict(line.split(":") for line in f)
    return sum(int(fields[name].split()[0]) for name in ("SUnreclaim", "Percpu", "VmallocUsed"))


class Events:
    """Somebody who reads all events of the router, and says what he has missed."""

    def __init__(self):
        with within("router"):
            # pylint: disable=consider-using-with
            self.tool = subprocess.Popen([TOOL, "-j", "monitor"], stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, text=True)
        while "following" not in self.tool.stderr.readline():
            pass
        self.told, self.lost = 0, []
        self.thread = threading.Thread(target=self.listen)
        self.thread.start()

    def listen(self):
        for line in self.tool.stdout:
            self.told += 1
            if '"lost":' in line:
                self.lost.append(line)

    def stop(self):
        self.tool.terminate()
        self.thread.join()
        self.tool.stderr.close()
        self.tool.wait()


class Held:
    """Connections that are there all the time."""

    def __init__(self):
        self.pairs = [(v, 9000 + 10 * v + i) for v in (4, 6) for i in range(HELD)]
        self.ends = [pair(*words) for words in self.pairs]

    def check(self):
        for (v, port), (c, s) in zip(self.pairs, self.ends):
            talk(c, s)
            pairs_are(key_of(v, c, port), UP)

    def close(self):
        for c, s in self.ends:
            close_to(c, s)


@contextlib.contextmanager
def lateness():
    """How late softirqs are. Yields a function that ends it: by how many us at most, in words."""
    if not PUSHER:
        yield lambda: "not measured"        # TCPFSM_BENCH_KO names no module that does
        return
    from load import Lateness       # pylint: disable=import-outside-toplevel
    run("insmod", PUSHER)
    try:
        late = Lateness()
        yield lambda: f"{late.stop():.0f} us at most"
    finally:
        run("rmmod", "bench")


def left_by(names):
    return {key: sum(counters(name)[key] for name in names) for key in LEFT}


def withstand(*works):
    """Do these, each in a thread of its own, again and again; then look what has become of the host."""
    with lateness() as late, contextlib.ExitStack() as stack:
        held, traffic, events = Held(), Traffic(), Events()
        stack.callback(events.stop)
        stack.callback(traffic.stop)
        cost = attack(works)
        traffic.stop()
        print(f"# {SECONDS} s, {cost.rounds} rounds beside {traffic.done} connections; softirqs late "
              f"{late()}; {cost.kb} kB more; the host lost {left_by(HOSTS)}")
        equal(traffic.errors, [], "connections that failed")
        held.check()
        until(lambda: events.told > 0, "events")
        equal(events.lost, [], "events lost by who reads")
        equal(left_by(HOSTS), dict.fromkeys(LEFT, 0), "what the host lost")
        true(cost.kb < 64 << 10, f"{cost.kb} kB")
        held.close()


Cost = collections.namedtuple("Cost", "rounds kb")


def attack(works):
    over, done, errors = threading.Event(), [0] * len(works), []
    least = most = unreclaimable()

    def repeat(i):
        try:
            while not over.is_set():
                works[i]()
                done[i] += 1
        except Exception as error:      # pylint: disable=broad-exception-caught
            errors.append(error)

    threads = [threading.Thread(target=repeat, args=(i,)) for i in range(len(works))]
    for t in threads:
        t.start()
    began = time.monotonic()
    while time.monotonic() < began + SECONDS:
        time.sleep(0.1)
        most = max(most, unreclaimable())
    over.set()
    for t in threads:
        t.join()
    equal(errors, [], "what the attack met")
    true(all(done), "it went on")
    return Cost(done, most - least)


@contextlib.contextmanager
def attacked(**settings):
    with loaded(*(f"{k}={v}" for k, v in {"max_flows": LIMIT, **settings}.items())):
        for name in HOSTS:
            for key in ("time_wait", "closed"):
                sysctl(name, f"timeout_{key}", 1)
        yield


# ---- the root of a container ----

def growing_flood(name):
    state = {"port": 1}

    def some():
        state["port"] = state["port"] % 60000 + 1
        flood(name, "syn", 4, 500, state["port"])
    return some


def read_own(name):
    def some():
        with within(name), open("/proc/thread-self/net/tcpfsm/flows", "rb", buffering=0) as f:
            while f.read(1 << 16):
                pass
    return some


@test
def root_of_a_container_fills_its_half_and_reads_it_all_the_time():
    with attacked(), guests(1):
        withstand(growing_flood("guest0"), read_own("guest0"), read_own("guest0"))


@test
def root_of_a_container_asks_for_flows_one_by_one():
    """By tuples that are not there, while it dumps all of them, too."""
    with attacked(), guests(1):
        rng = random.Random(SEED)

        def ask():
            ask_for_flows("guest0", [(rng.randbytes(4), rng.randbytes(4), rng.randrange(65536), 80)
                                     for _ in range(50)])

        def dump():
            with contextlib.closing(Dump("guest0", FLOW_GET)) as d:
                d.rest()

        withstand(growing_flood("guest0"), ask, ask, dump)


@test
def root_of_a_container_switches_it_on_and_off():
    with attacked(), guests(1):
        def switch():
            for value in (0, 1):
                sysctl("guest0", "enabled", value)

        withstand(growing_flood("guest0"), switch, switch)


@test
def root_of_a_container_changes_settings_in_a_loop():
    """What costs memory of the host, or patches code, is not a container's to set."""
    with attacked(), guests(1):
        rng = random.Random(SEED)
        for key in ("log_size", "audit"):
            refused = False
            try:
                sysctl("guest0", key, 1)
            except PermissionError:
                refused = True
            true(refused, f"{key} is refused")

        def change():
            for key in ("opening", "closed", "established", "time_wait"):
                sysctl("guest0", f"timeout_{key}", rng.choice((1, 2, 1000)))

        withstand(growing_flood("guest0"), change, change)


@test
def root_of_a_container_subscribes_a_thousand_times_and_never_reads():
    with attacked(), guests(1), contextlib.ExitStack() as stack:
        groups = [group_number(name) for name in ("transition", "flow")]
        with within("guest0"):
            for _ in range(deep(300, 900)):
                s = stack.enter_context(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16))
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                for group in groups:
                    s.setsockopt(270, 1, group)
        withstand(growing_flood("guest0"))


@test
def root_of_a_container_makes_namespaces_with_a_flow_each():
    """There are so many of them that what the stack itself keeps for each does not count."""
    with attacked(), contextlib.ExitStack() as stack:
        made = collections.deque()

        def end():
            p = made.popleft()
            p.kill()
            p.wait()

        def make():
            made.append(subprocess.Popen(
                ["unshare", "-Urn", "sh", "-c",
                 "ip link set lo up; exec 2>&-; echo | nc -w1 127.0.0.1 9; exec sleep 1000"],
                stdout=subprocess.DEVNULL))
            time.sleep(0.05)
            if len(made) > NAMESPACES:
                end()

        stack.callback(lambda: [end() for _ in list(made)])

        withstand(make, make)


# ---- a peer on the wire ----

@test
def a_peer_floods_with_syns_acks_and_one_ack_again():
    """The host's table is its own to fill: what is open stays, what is half open may go."""
    with attacked():
        withstand(growing_flood("client"), lambda: flood("client", "ack", 4, 500, 80),
                  lambda: flood("client", "again", 6, 500, 80, 4000, 1, 1))


@test
def a_peer_sends_fins_and_rsts_with_chosen_numbers():
    """Into connections that go on. What fits the window, and not exactly, is challenged."""
    with attacked(), contextlib.closing(Wire(4)) as w, contextlib.closing(Wire(6)) as w6:
        c, s = pair(4, 8900)
        w.sport, w.dport = c.getsockname()[1], 8900
        w6.sport, w6.dport = w.sport, w.dport
        rng = random.Random(SEED)

        def forge():
            for _ in range(20):
                for name in ("client", "server"):
                    flags = rng.choice((FIN | ACK, RST, RST | ACK, ACK, SYN, SYN | ACK, FIN | RST, 0))
                    w.raw_send(name, flags, rng.randrange(1 << 32), rng.randrange(1 << 32), via="router")
                    w6.raw_send(name, flags, rng.randrange(1 << 32), rng.randrange(1 << 32), via="router")

        withstand(forge)
        talk(c, s)
        pairs_are(key_of(4, c, 8900), UP)
        close_to(c, s)


@test
def a_peer_sends_fragments_options_and_chains_of_headers():
    with attacked(), muted(), contextlib.closing(Wire(4)) as w, contextlib.closing(Wire(6)) as w6:
        rng = random.Random(SEED)

        def odd():
            for _ in range(20):
                w.sport = rng.randrange(1024, 65536)
                w.raw_send("client", SYN, 1, options=rng.randbytes(40))
                w.raw_send("client", SYN, 1, data=bytes(8),
                           fragment=(rng.choice((0, 8, 16)), rng.randrange(2), rng.randrange(65536)))
                w6.sport = w.sport
                chain = b"".join(bytes((60, 0)) + bytes((1, 4, 0, 0, 0, 0)) for _ in range(20))
                w6.extension = 60, chain + bytes((6, 0)) + bytes((1, 4, 0, 0, 0, 0))
                w6.raw_send("client", SYN, 1)

        withstand(odd)


@test
def a_peer_alternates_services_in_a_full_table_of_them():
    """Each is answered, so that it gets a row, and another one has to go."""
    with attacked(max_services=16), muted(), contextlib.closing(Wire(4)) as w:
        turn = [0]

        def next_service():
            for _ in range(20):
                turn[0] += 1
                w.sport, w.dport = 1024 + turn[0] % 60000, 10000 + turn[0] % 64
                w.raw_send("client", SYN, 1)
                w.raw_send("server", SYN | ACK, 1, 2)
                w.raw_send("client", RST, 2)

        withstand(next_service)


@test
def a_peer_reads_byte_by_byte():
    """A window of a few bytes: each byte is a segment, and an ACK."""
    with attacked(), contextlib.closing(socket.socket()) as c, contextlib.ExitStack() as stack:
        with within("client"):
            slow = stack.enter_context(socket.socket())
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        with within("server"):
            server = stack.enter_context(socket.create_server((ADDR[4]["server"], 8901)))
        slow.connect((ADDR[4]["server"], 8901))
        s = stack.enter_context(server.accept()[0])
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.setblocking(False)

        def trickle():
            for _ in range(50):
                with contextlib.suppress(BlockingIOError):
                    s.send(b"x" * 10)
                with contextlib.suppress(BlockingIOError):
                    slow.recv(1, socket.MSG_DONTWAIT)

        withstand(trickle)
        pairs_are(key_of(4, slow, 8901), UP)


@test
def time_of_day_goes_backwards():
    """Whoever sets it, NTP or a host that was suspended: ages and time-outs do not follow it."""
    with attacked():
        def step():
            for seconds in (3600, -3600):
                time.clock_settime(time.CLOCK_REALTIME, time.time() + seconds)
                time.sleep(0.01)

        withstand(step)


# ---- a local user without any capability ----

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all")


@test
def a_local_user_reads_asks_and_connects():
    """The counts may be read by all; the rest is refused, and costs nobody anything."""
    refused = "import socket\nfor i in range(300):\n s = socket.socket(16, 3, 16)\n s.bind((0, 0))\n"
    with attacked():
        def read_counts():
            run("ip", "netns", "exec", "router", *NOBODY, "sh", "-c",
                "for i in 1 2 3 4 5 6 7 8 9; do cat /proc/net/tcpfsm/states /proc/net/tcpfsm/counters "
                "/proc/net/tcpfsm/dwell; done >/dev/null")

        def ask():
            run("ip", "netns", "exec", "router", *NOBODY, "python3", "-c", refused)
            run("ip", "netns", "exec", "router", *NOBODY, TOOL, "flows", check=False)

        def connect():
            run("ip", "netns", "exec", "client", *NOBODY, "python3", "-c",
                "import socket\nfor i in range(300):\n s = socket.socket()\n"
                f" s.connect_ex(('{ADDR[4]['server']}', 9))\n")

        withstand(read_counts, ask, connect)


if __name__ == "__main__":
    main_bare()
