#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Attacks by the root of a container: what it may learn of others, and whether it can slow them down.
"""
import contextlib
import os
import random
import socket
import sys
import threading
import time

from bed import (ACK, HOSTS, SERVICE_GET, STATS_GET, SYN, Dump, Skipped, Wire, add_host, ask_for_flows,
                 attributes_of, counters, entries, equal, flood, guests, load_command, loaded, main_bare, muted, nft,
                 number_in, run, status, sysctl, syns, table, test, true, until, within)

PUSHER = os.environ.get("TCPFSM_BENCH_KO")
PLACES = 7              # of a bucket
CHAIN_OTHERS = 24       # its flows that find none, of other namespaces than the initial one


class Flood:
    """SYNs from sources at random, as long as the context lasts."""

    BATCH = 500             # to one port: the sources are the same each time

    def __init__(self, name):
        self.name, self.sent, self.over = name, 0, False

    def __enter__(self):
        self.thread = threading.Thread(target=self.go_on)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()

    def go_on(self):
        while not self.over:
            flood(self.name, "syn", 4, self.BATCH, 1024 + self.sent // self.BATCH)
            self.sent += self.BATCH


# ---- tuples chosen to share a bucket ----

STEPS = 32              # of the difference between two tuples' ports: 1, 2, 4 ...
PAIRS = 256             # of tuples with each difference
CANDIDATES = 1 << 22
BUCKETS = 2048


def split(number, swapped):
    """The module takes ports as they are on the wire."""
    ports = socket.ntohs(number >> 16), socket.ntohs(number & 0xffff)
    return ports[::-1] if swapped else ports


def probes():
    """Numbers in pairs, of differences that are powers of two; ports as one number of 32 bits."""
    rnd = random.Random(1)
    return [[(low, low + (1 << step)) for low in (rnd.randrange((1 << 32) - (1 << step))
                                                  for _ in range(PAIRS))]
            for step in range(STEPS)]


def turn_of(order, pairs):
    """
    If a flow's place in the table is its number times a secret, modulo the table: that secret, as a
    part of the table, from the order of flows in a dump. Each doubled difference gives one more bit.
    """
    turn = 0.0
    for step, both in enumerate(pairs):
        found = [(order[high] - order[low]) % 1 for low, high in both
                 if low in order and high in order]
        middle = found[0]
        mean = middle + sum((x - middle + 0.5) % 1 - 0.5 for x in found) / len(found)
        scale = 1 << step
        turn = (mean + round(turn * scale - mean)) / scale
    return turn


def numbers_of(flows, swapped):
    """Of the flows in a dump, in its order."""
    ports = [(socket.htons(int(f["sport"])), socket.htons(int(f["dport"]))) for f in flows]
    return [(b << 16 | a) if swapped else (a << 16 | b) for a, b in ports]


def chosen(turn, buckets, base):
    """Numbers whose place would be the base's, within half a bucket."""
    near = 0.5 / buckets
    return [(base + n) & 0xffffffff for n in range(1, CANDIDATES)
            if (n * turn + near) % 1 < 2 * near]


def longest_run(have, wanted):
    longest = run_ = 0
    for number in have:
        run_ = run_ + 1 if number in wanted else 0
        longest = max(longest, run_)
    return longest


def attack(swapped):
    """
    Probe, dump, learn, and aim. swapped: which of a flow's two ends comes first is not known.
    Returns how many of the chosen tuples share a bucket.
    """
    pairs = probes()
    sent = {number for both in pairs for pair in both for number in pair}
    syns("guest0", [split(number, swapped) for number in sent])
    have = numbers_of(table("guest0", "flows"), swapped)
    true(len(have) > len(sent) * 0.9, f"{len(have)} flows")
    turn = turn_of({number: i / len(have) for i, number in enumerate(have)}, pairs)
    aim = set(chosen(turn, BUCKETS, have[len(have) // 2])) - sent
    longest, mean = syns("guest0", [split(number, swapped) for number in aim])
    run_ = longest_run(numbers_of(table("guest0", "flows"), swapped), aim)
    print(f"# {len(aim)} tuples chosen, at most {run_} of them side by side in the table; "
          f"a SYN took {mean:.0f} ns, at most {longest}")
    true(len(aim) > 1000, "tuples to try")
    return run_


@test
def chosen_tuples_do_not_share_a_bucket():
    runs = []
    for swapped in (False, True):
        with loaded("max_flows=65536", f"hashsize={8 * BUCKETS}"), guests(1):
            runs.append(attack(swapped))
    true(max(runs) < 16, f"{max(runs)} chosen tuples share a bucket")


@test
def a_bucket_is_bounded_and_keeps_room_for_the_host():
    """
    In a table that is much too small, a guest's flows are refused, so that each segment takes a
    bounded time; those of the initial namespace still find room.
    """
    own = "/proc/net/tcpfsm/counters"
    with loaded("max_flows=65536", "hashsize=1024"), guests(1):
        syns("guest0", [(1024 + i, 80) for i in range(128 * (PLACES + CHAIN_OTHERS) * 5 // 4)])
        true(counters("guest0")["bucket_full"] > 100, "flows are refused")
        flows = table("guest0", "flows")
        true(len(flows) <= 128 * (PLACES + CHAIN_OTHERS), f"{len(flows)} flows in 128 buckets")
        equal(ask_for_flows("guest0", [(socket.inet_aton(f["src"]), socket.inet_aton(f["dst"]),
                                        int(f["sport"]), int(f["dport"])) for f in flows]),
              len(flows), "flows found in their chains")
        run("ip", "link", "set", "lo", "up")
        before = entries()
        for _ in range(128 * 8):
            with contextlib.closing(socket.socket()) as s:
                s.connect_ex(("127.0.0.1", 9))
        with open(own, encoding="ascii") as f:
            refused = dict(line.split() for line in f)["bucket_full"]
        equal((entries() - before, refused), (128 * 8, "0"), "flows of the host, and refused ones")


# ---- what ids tell ----

@test
def ids_of_a_guest_tell_nothing_of_others():
    with loaded("max_flows=65536"), guests(1), muted(), contextlib.closing(Wire(4)) as w:
        syns("guest0", [(1000, 1000)])
        for i in range(2000):
            w.sport = 1024 + i
            w.raw_send("client", SYN, 1)
        until(lambda: counters("router")["flows_opened"] >= 2000, "the host opens flows")
        syns("guest0", [(1001, 1000)])
        ids = sorted(int(f["flow"]) for f in table("guest0", "flows"))
        print(f"# ids of a guest: {ids}")
        true(ids[1] - ids[0] <= 64 * os.cpu_count(), f"ids {ids}")


# ---- what goes away while it is dumped ----

A_NETNS, A_SERVICE, SERVICE_PORT = 9, 14, 4


@test
def a_dump_of_namespaces_misses_none_that_stays():
    """Those that have been told go away in the middle of it."""
    names = [f"brief{i}" for i in range(24)]
    with loaded():
        for name in names:
            add_host(name)
            with within(name), socket.socket() as s:
                s.connect_ex(("127.0.0.1", 9))
        inodes = {os.stat(f"/run/netns/{name}").st_ino: name for name in names}
        with contextlib.closing(Dump(None, STATS_GET)) as dump:
            told = []
            while len(told) < 6:
                told += [number_in(m, A_NETNS) for m in dump.piece()]
            gone = [inodes[i] for i in told if i in inodes]
            for name in gone:
                run("ip", "netns", "del", name)
            until(lambda: namespaces() <= len(names) - len(gone) + 1 + len(HOSTS), "they are gone")
            rest = [number_in(m, A_NETNS) for m in dump.rest()]
        for name in set(names) - set(gone):
            run("ip", "netns", "del", name)
        have = sorted(inodes[i] for i in told + rest if i in inodes)
        print(f"# {len(gone)} namespaces went away after they were told")
        true(len(gone) > 2, "some went away")
        equal(have, sorted(names), "namespaces told")


def namespaces():
    """How many have seen TCP, as a new dump tells."""
    with contextlib.closing(Dump(None, STATS_GET)) as dump:
        return sum(number_in(m, A_NETNS) is not None for m in dump.rest())


@test
def a_dump_of_services_misses_none_that_stays():
    """Services that have been told, and have no flows, make room for others in the middle of it."""
    def answer(w, ports):
        for port in ports:
            w.dport = port
            w.raw_send("client", SYN, 1)
            w.raw_send("server", SYN | ACK, 1, 2)

    def services():
        return {int(r["port"]) for r in table("router", "services") if r["addr"] != "other"}

    most = 6000
    with loaded(f"max_services={most}", "max_flows=65536"), muted(), contextlib.closing(Wire(4)) as w:
        for name in HOSTS:
            for key in ("opening", "closed"):
                sysctl(name, f"timeout_{key}", 1)
        answer(w, range(1024, 1024 + most // 3))
        until(lambda: len(services()) > most // 3 - 100, "services")
        until(lambda: all(counters(name)["table_entries"] == 0 for name in HOSTS[1:]), "no flows", 30)
        first = services()
        with contextlib.closing(Dump("router", SERVICE_GET)) as dump:
            told = dump.piece()
            answer(w, range(10000, 10000 + most // 2))
            stayed = first & services()
            told += dump.rest()
        ports = [number_in(attributes_of(m[0][1]), SERVICE_PORT) for m in told if m[0][0] == A_SERVICE]
        have = [p for p in ports if p in first]
        print(f"# {len(first)} services, {len(first - stayed)} went away")
        true(len(first - stayed) > 10, "some went away")
        equal(len(stayed - set(have)), 0, "that stayed, and were not told")
        equal(len(have), len(set(have)), "none twice")


# ---- switching off ----

@test
def switching_off_empties_the_table_while_traffic_goes_on():
    """Nor does anything come back, or count, as long as it is off."""
    with loaded("max_flows=65536"), guests(1), muted():
        for name in ("router", "guest0"):
            with Flood("client" if name == "router" else name) as traffic:
                until(lambda name=name: counters(name)["table_entries"] > 5000, "flows", 30)
                before = time.monotonic()
                sysctl(name, "enabled", 0)
                until(lambda name=name: not counters(name)["table_entries"], "no flows")
                took = time.monotonic() - before
                segments = counters(name)["segments"]
                sent = traffic.sent
                until(lambda sent=sent: traffic.sent > sent + 2 * Flood.BATCH, "traffic", 30)
                after = counters(name)
                print(f"# {name}: its flows were gone {took:.2f} s after it was switched off")
                equal((after["table_entries"], after["segments"] - segments), (0, 0),
                      "flows, and segments counted, while it is off")


# ---- rows ----

@test
def a_scan_of_a_link_takes_no_rows():
    """Nobody answers: flows of a link's scope are counted with the others, too."""
    with loaded("max_services=16"), muted(), contextlib.ExitStack() as stack:
        with within("client"):
            link = socket.if_nametoindex("eth0")
            for port in range(1024, 1024 + 500):
                s = stack.enter_context(socket.socket(socket.AF_INET6))
                s.setblocking(False)
                s.connect_ex(("fe80::9999", port, 0, link))
        true(counters("client")["flows_opened"] >= 500, "flows")
        equal([r["addr"] for r in table("client", "services")], ["other"], "rows")


# ---- where the hooks are ----

@test
def the_priority_says_which_chains_come_first():
    """What a chain before the hooks drops is not seen; what one behind them drops is."""
    chain = """
        chain late {
            type filter hook forward priority 70;
            tcp dport 7300 drop
        }
    """
    for priority, seen in ((60, 1), (80, 0)):
        with loaded(f"priority={priority}"), nft("router", chain), muted(), \
             contextlib.closing(Wire(4)) as w:
            w.dport = 7300
            w.send("client", SYN, 1)
            equal(counters("router")["flows_opened"], seen, f"flows seen at priority {priority}")
    for priority in (50, 100):
        code, _, _ = status(*load_command(f"priority={priority}"))
        true(code, f"priority={priority} is refused")


# ---- totals ----

@test
def totals_of_packets_do_not_wrap():
    """Each of the segments that are pushed through the hooks is 65,535 packets."""
    if not PUSHER:
        raise Skipped("TCPFSM_BENCH_KO names no module that pushes segments")
    sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../bench"))
    from beds import Tcpfsm, host       # pylint: disable=import-outside-toplevel
    rounds, parts = 140_000, 65_535
    run("insmod", PUSHER)
    try:
        with host(Tcpfsm(1)) as push:
            push(op="open", flows=1)
            push(op="data", flows=1, rounds=rounds, parts=parts)
            with open("/proc/thread-self/net/tcpfsm/flows", encoding="ascii") as f:
                head, row = (line.split() for line in f)
        flow = dict(zip(head, row))
        equal((int(flow["orig_packets"]), int(flow["resp_packets"])),
              (2 + rounds // 2 * parts, 1 + rounds // 2 * parts))
    finally:
        run("rmmod", "bench")


if __name__ == "__main__":
    main_bare()
