#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Floods against a small table: memory stays bounded, established flows stay what they are, who works
beside notices nothing, and when it is over the table empties by itself.
"""
import contextlib
import os
import threading
import time

from bed import (ACK, ADDR, FIN, HOSTS, SYN, Traffic, both, close_to, connect, counters, deep, entries,
                 equal, flood, guests, key_of, listen, loaded, main_bare, pair, pair_of, sysctl, table, talk,
                 test, true, until, wire, within, write)

LIMIT = 4096
SEGMENTS = deep(100_000, 5_000_000)
HELD = 50       # connections that must outlive it
UP = "ESTABLISHED:ESTABLISHED"


def unreclaimable():
    """Slab memory, kB."""
    with open("/proc/meminfo", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("SUnreclaim"))


class Peak:
    """The most flows that the table was seen to hold, and the most memory for them."""

    def __init__(self):
        self.flows = 0
        self.kb = 0
        self.least = unreclaimable()
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.look)
        self.thread.start()

    def look(self):
        while not self.stopped.wait(0.02):
            self.flows = max(self.flows, entries())
            self.kb = max(self.kb, unreclaimable())

    def stop(self):
        self.stopped.set()
        self.thread.join()


@contextlib.contextmanager
def pool_of(v, port):
    """A server's socket that answers whatever SYN comes, by cookies if need be."""
    with within("server"):
        write("/proc/sys/net/ipv4/tcp_syncookies", 2)
    with contextlib.closing(listen("server", v, port, backlog=16)):
        yield


def short_timeouts():
    for name in HOSTS:
        for key in ("opening", "closed", "closing"):
            sysctl(name, f"timeout_{key}", 1)


def refused(names, *keys):
    return sum(counters(name)[key] for name in names for key in keys)


def how_flows_ended(name):
    return {key: n for key, n in counters(name).items()
            if n and key.startswith(("evicted_", "ended_", "replaced", "table_", "gone"))}


def against_a_small_table(v, what, port, idle=0):
    with loaded(f"max_flows={LIMIT}", f"hashsize={LIMIT}"), pool_of(v, port):
        held = [pair(v, port + 1 + i) for i in range(HELD)]
        keys = [key_of(v, c, port + 1 + i) for i, (c, _) in enumerate(held)]
        time.sleep(idle)
        peak = Peak()
        first, last = flood("client", what, v, SEGMENTS, dport=port)
        peak.stop()
        print(f"# {SEGMENTS} segments, {first:.0f} ns each at first, {last:.0f} at last; "
              f"at most {peak.flows} flows; unreclaimable slab {peak.least} to {peak.kb} kB")
        true(peak.kb - peak.least < 16384, "memory for a small table")
        true(peak.flows > LIMIT * 3 / 4, "the table was full")
        true(peak.flows <= LIMIT + os.cpu_count(), f"{peak.flows} flows")
        true(sum(counters("router")[f"evicted_{k}"] for k in ("opening", "closed")) > SEGMENTS / 3,
             "flows made room")
        for name in HOSTS:
            have = {key: pair_of(name, key) for key in keys}
            equal({key: what for key, what in have.items() if what != UP}, {},
                  f"at {name}, where {how_flows_ended(name)}")
            equal(counters(name)["evicted_established"], 0, f"evicted at {name}")
        for c, s in held:
            talk(c, s)
            close_to(c, s)
        short_timeouts()
        until(lambda: entries() <= len(HOSTS) * HELD, lambda: f"{entries()} flows are left", 30)


@both
def syns_from_everywhere(v):
    against_a_small_table(v, "syn", 9200)


@both
def acks_from_everywhere(v):
    """Each is taken for a flow met midstream, and proves nothing. Flows without a segment for five
    minutes may give way, but not while there are such."""
    against_a_small_table(v, "ack", 9300, idle=deep(0, 310 if v == 4 else 0))


@test
def a_namespace_floods_while_others_work():
    """Of their connections none is missed, evicted, or shown otherwise than it is."""
    with loaded(f"max_flows={LIMIT}", f"hashsize={LIMIT}"), guests(1):
        for name in HOSTS:
            sysctl(name, "log_size", 1 << 18)
            for key in ("time_wait", "closed"):
                sysctl(name, f"timeout_{key}", 1)
        c, s = pair(4, 9400)
        thread = threading.Thread(target=flood, args=("guest0", "syn", 4, SEGMENTS, 80))
        thread.start()
        with contextlib.closing(listen("server", 4, 9401)) as listener:
            n = 0
            while thread.is_alive() or n < 100:
                x = connect("client", 4, 9401)
                y, _ = listener.accept()
                close_to(x, y)
                n += 1
                time.sleep(0.05)        # a minute's TIME_WAITs must fit into the hosts' half of the table
        thread.join()
        equal(refused(HOSTS, "table_full", "evicted_established", "evicted_opening",
                      "evicted_closing", "evicted_half_closed"), 0, "what the hosts lost")
        true(refused(["guest0"], "evicted_opening") > SEGMENTS / 2, "the guest's made room")
        for name in HOSTS:
            closed = sum(r["dport"] == "9401" and r["to"] == "TIME_WAIT" for r in table(name, "log"))
            equal(closed, n, f"connections to their end at {name}")
            equal(pair_of(name, key_of(4, c, 9400)), UP, name)
        print(f"# {n} connections beside {SEGMENTS} SYNs of a guest")
        talk(c, s)
        close_to(c, s)


@both
def acks_into_time_wait_take_no_memory(v):
    """Each of them starts 2MSL anew, and none leaves anything behind."""
    with loaded(), wire(v, 41000, 9600) as w:
        w.send("client", SYN, 1000)
        w.send("server", SYN | ACK, 5000, 1001)
        w.send("client", ACK, 1001, 5001)
        w.send("server", FIN | ACK, 5001, 1001)
        w.send("client", FIN | ACK, 1001, 5002)
        w.send("server", ACK, 5002, 1002)
        equal(pair_of("router", w.key), "CLOSED:TIME_WAIT")
        flood("client", "again", v, 1000, 9600, 41000, 1002, 5002)
        before = unreclaimable()
        flood("client", "again", v, SEGMENTS, 9600, 41000, 1002, 5002)
        grown = unreclaimable() - before
        have = counters("router")["time_wait_restarted"]
        print(f"# {have} segments, slab grew by {grown} kB")
        equal(have, SEGMENTS + 1000)
        true(grown < SEGMENTS // 1024, "less than a byte a segment")


@both
def a_flood_of_syns_to_nobody(v):
    """No such port: the server's RSTs answer, the flows close, and nothing is left."""
    with loaded(f"max_flows={LIMIT}", f"hashsize={LIMIT}"):
        traffic = Traffic()
        flood("client", "syn", v, SEGMENTS // 10, dport=9500)
        traffic.stop()
        equal(traffic.errors, [], "connections that failed")
        short_timeouts()
        for name in HOSTS:
            sysctl(name, "timeout_time_wait", 1)
        until(lambda: entries() == 0, lambda: f"{entries()} flows are left", 30)
        rows = {r["addr"]: r for r in table("server", "services")}
        true(int(rows["other"]["flows"]) >= SEGMENTS // 20, "flows of a service that has not answered")


if __name__ == "__main__":
    main_bare()
