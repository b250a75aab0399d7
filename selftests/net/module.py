#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The module as such: its parameters, a full table, and coming and going under traffic."""
import contextlib
import json
import os
import random
import socket
import struct
import threading
import time

import bed
from bed import (ACK, ADDR, HOSTS, RST, SYN, TOOL, Traffic, Wire, close_to, counters, deep, delay,
                 entries, equal, guests, listen, load_command, loaded, max_flows, muted, pair,
                 pair_of, run, status, stream, table, test, true, tuple_of, unload, until, within)


@test
def parameters_out_of_range_are_refused():
    for arg in ("max_flows=5", "max_flows=99999999", "hashsize=1000", "hashsize=3000000000",
                "max_services=1", "netns=some", "priority=50", "priority=100", "max_flows=x", "no_such=1"):
        code, _, err = status(*load_command(arg))
        if arg.startswith("no_such"):
            # The kernel itself lets unknown parameters pass, with a note in its log.
            if code == 0:
                unload()
            continue
        true(code != 0, f"{arg} was taken")
        true(not os.path.exists("/proc/net/tcpfsm"), f"{arg}: nothing is left behind")


@test
def the_module_alone_is_enough():
    with loaded():
        true(os.path.exists("/proc/net/tcpfsm/states"), "procfs")
        c, s = pair(4, 8100)
        for name in HOSTS:
            equal(pair_of(name, tuple_of(4, c.getsockname()[1], 8100)),
                  "ESTABLISHED:ESTABLISHED", name)
        close_to(c, s)


@test
def init_namespace_only():
    with loaded("netns=init"):
        c, s = pair(4, 8101)
        for name in HOSTS:
            equal(table(name, "flows"), [], name)
        close_to(c, s)


@test
def load_and_unload_under_traffic():
    traffic = Traffic()
    try:
        for _ in range(deep(12, 500)):
            with loaded():
                before = traffic.done
                until(lambda: traffic.done >= before + 20, "traffic goes on")
                until(lambda: any(table(name, "flows") for name in HOSTS), "flows are seen")
    finally:
        traffic.stop()
    equal(traffic.errors, [], "connections that failed")
    print(f"# {traffic.done} connections meanwhile")


@test
def namespaces_come_and_go_under_traffic():
    with loaded():
        for _ in range(deep(8, 1000)):
            run("ip", "netns", "add", "short")
            run("ip", "-n", "short", "link", "set", "lo", "up")
            with within("short"):
                listener = socket.create_server(("127.0.0.1", 8200))
                held = [socket.create_connection(("127.0.0.1", 8200)) for _ in range(50)]
            true(len(table("short", "flows")) == 50, "flows in it")
            run("ip", "netns", "del", "short")
            close_to(listener, *held)
        until(lambda: entries() == 0, "all are gone")


def syns(name, n, port=1):
    """As many half-open flows, to an address where nobody answers."""
    segments(name, [(1024 + i, port, SYN) for i in range(n)])


def segments(name, headers):
    """Segments with these ports and flags, to an address where nobody answers."""
    with within(name), socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as s:
        src, dst = (socket.inet_aton(a) for a in ("10.9.0.1", "10.9.0.2"))
        for sport, dport, flags in headers:
            header = struct.pack("!HHIIBBHHH", sport, dport, 1, 2 if flags & ACK else 0, 5 << 4, flags,
                                 1000, 0, 0)
            total = bed.checksum(src + dst + struct.pack("!BBH", 0, 6, 20) + header)
            header = header[:16] + struct.pack("!H", total) + header[18:]
            s.sendto(struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, 0, src, dst) + header,
                     ("10.9.0.2", 0))


def held(names):
    return sum(len(table(name, "flows")) for name in names)


@test
def a_namespace_is_told_of_its_own_flows():
    with loaded(), guests(1):
        syns("guest0", 7)
        c, s = pair(4, 8500)
        equal(counters("guest0")["table_entries"], 7, "of a guest")
        equal([counters(name)["table_entries"] for name in HOSTS], [1, 1, 1], "of the hosts")
        equal(entries(), 10, "of all")
        with within("guest0"):
            have = json.loads(run(TOOL, "-j", "states"))
        equal((have["entries"], have["limit"]),
              (7, counters("guest0")["table_limit"]), "by the tool")
        close_to(c, s)


@test
def guests_cannot_push_the_host_out():
    """User namespaces with many namespaces of their own get what is free, not the host's half."""
    with loaded("max_flows=1024", "hashsize=1024"), guests(6) as names:
        c, s = pair(4, 8600)
        with muted(), contextlib.closing(Wire(4)) as w:
            for i in range(250):
                w.sport = 1024 + i
                w.raw_send("client", SYN, i)
            until(lambda: held(HOSTS) >= 753, lambda: f"the host's: {held(HOSTS)}")
        for _ in range(3):
            for name in names:
                syns(name, 400)
        true(512 <= held(HOSTS) <= 520, f"the host keeps {held(HOSTS)}")
        true(entries() <= 1024, f"{entries()} in all")
        true(min(held([name]) for name in names) >= 40, "guests share theirs")
        for name in HOSTS:
            equal(pair_of(name, tuple_of(4, c.getsockname()[1], 8600)),
                  "ESTABLISHED:ESTABLISHED", name)
        close_to(c, s)


@test
def the_host_takes_its_half_from_guests():
    with loaded("max_flows=1024", "hashsize=1024"), guests(2) as names:
        for name in names:
            syns(name, 1000)
        true(held(names) > 1000, f"the guests have all: {held(names)}")
        with muted(), contextlib.closing(Wire(4)) as w:
            for i in range(400):
                w.sport = 1024 + i
                w.raw_send("client", SYN, i)
            until(lambda: counters("server")["segments"] >= 400, "all have passed")
        true(held(HOSTS) >= 511, f"the host has {held(HOSTS)}")
        true(held(names) >= 500, f"the guests keep {held(names)}")

@test
def a_table_full_of_time_wait_lets_handshakes_finish():
    """At 50 connections a second, each of which takes half a second."""
    with loaded("max_flows=1024", "hashsize=1024"), contextlib.closing(listen("server", 4, 8710, 512)):
        for _ in range(360):
            c, s = pair(4, 8700)
            close_to(c, s)
        true(entries() > 1000, f"{entries()} flows")
        delay(250)
        clients = []
        try:
            for _ in range(250):
                clients.append(stream("client", 4))
                clients[-1].setblocking(False)
                clients[-1].connect_ex((ADDR[4]["server"], 8710))
                time.sleep(0.02)
            time.sleep(1)
            for name in HOSTS:
                have = counters(name)
                equal((have["evicted_opening"], have["flows_midstream"]), (0, 0), name)
            true(sum(counters(name)["evicted_time_wait"] for name in HOSTS) > 500, "TIME_WAITs made room")
        finally:
            for c in clients:
                c.close()
            delay(0)


SWITCH = "/sys/devices/system/cpu/cpu1/online"


def a_processor_that_goes_offline_takes_nothing_along():
    """What it has counted is still counted, what it has logged is read, and its flows end in time."""
    with loaded("max_flows=1024", "hashsize=1024"):
        with bed.one_cpu(max):
            c, s = pair(4, 8720)
            closed = [pair(4, 8721) for _ in range(50)]
            for pair_ in closed:
                for end in pair_:
                    end.close()
        for name in HOSTS:
            until(lambda n=name: counters(n)["flows_opened"] == 51, "all have opened")
        key = tuple_of(4, c.getsockname()[1], 8720)
        before = {name: (table(name, "log"), counters(name)) for name in HOSTS}
        until(lambda: entries() == 3 * 51, "all have been seen")
        try:
            bed.write(SWITCH, 0)
            for name in HOSTS:
                rows, had = before[name]
                equal(table(name, "log")[:len(rows)], rows, "the log")
                equal(counters(name)["flows_opened"], had["flows_opened"], "flows")
                equal(pair_of(name, key), "ESTABLISHED:ESTABLISHED", name)
                for timeout in ("time_wait", "closed", "closing", "half_closed"):
                    bed.sysctl(name, f"timeout_{timeout}", 1)
            # The router has no sockets to ask; at the ends, those in TIME_WAIT live for a minute.
            until(lambda: len(table("router", "flows")) == 1, "flows have ended", 30)
            with contextlib.closing(Wire(4)) as w, muted():
                for i in range(2000):
                    w.sport = 1024 + i
                    w.raw_send("client", SYN, i)
                until(lambda: counters("router")["evicted_opening"] > 500, "handshakes made room")
            equal(entries(), 1024)
        finally:
            bed.write(SWITCH, 1)
        equal(pair_of("router", key), "ESTABLISHED:ESTABLISHED")
        close_to(c, s)


# User-mode Linux has no such switch.
if os.path.exists(SWITCH):
    test(a_processor_that_goes_offline_takes_nothing_along)


@test
def a_full_table_evicts_half_open_first():
    """A flood of SYNs through the router: established flows stay, no segment is dropped."""
    with loaded("max_flows=1024", "hashsize=1024"):
        c, s = pair(4, 8300)
        key = tuple_of(4, c.getsockname()[1], 8300)
        with muted(), contextlib.closing(Wire(4)) as w:
            for i in range(6000):
                w.sport = 1024 + i
                w.raw_send("client", SYN, i)
                if i % 500 == 0:
                    c.send(b"alive")
                    equal(s.recv(5), b"alive")
        until(lambda: counters("router")["segments"] >= 6000, "all have passed")
        for name in HOSTS:
            equal(pair_of(name, key), "ESTABLISHED:ESTABLISHED", name)
        have = sum(len(table(name, "flows")) for name in HOSTS)
        true(have <= 1024, f"{have} flows of 1024")
        evicted = sum(counters(name)["evicted_opening"] for name in HOSTS)
        true(evicted > 10000, f"{evicted} evicted")
        equal(sum(counters(name)["evicted_established"] for name in HOSTS), 0, "established")
        for name in HOSTS:
            rows = table(name, "pairs")
            total = sum(int(n) for r in rows for k, n in r.items() if k != "orig:resp")
            equal(total, len(table(name, "flows")), f"the gauges at {name}")
        close_to(c, s)


@test
def the_table_grows_and_shrinks():
    with loaded("max_flows=16384"), muted(), contextlib.closing(Wire(4)) as w:
        c, s = pair(4, 8310)
        for i in range(2000):
            w.sport = 1024 + i
            w.raw_send("client", SYN, i)
        until(lambda: entries() == 3 * 2001, lambda: f"{entries()} flows")
        max_flows(1024)
        equal((entries(), counters("client")["table_limit"]), (1024, 1024), "less")
        for name in HOSTS:
            equal(pair_of(name, tuple_of(4, c.getsockname()[1], 8310)), "ESTABLISHED:ESTABLISHED", name)
        for wrong in ("1023", "99999999", "many"):
            try:
                max_flows(wrong)
                raise bed.Failed(f"'{wrong}' was taken")
            except OSError:
                pass
        equal(counters("client")["table_limit"], 1024, "unchanged")
        max_flows(8192)
        for i in range(1000):
            w.sport = 10000 + i
            w.raw_send("client", SYN, i)
        until(lambda: entries() == 1024 + 3000, lambda: f"{entries()} flows")
        close_to(c, s)


def answered(w, port):
    """A SYN, and the SYN|ACK by which the service gets a row."""
    w.dport = port
    w.raw_send("client", SYN, 1)
    w.raw_send("server", SYN | ACK, 1, 2)


@test
def services_are_bounded():
    with loaded("max_services=16"), muted(), contextlib.closing(Wire(4)) as w:
        for i in range(100):
            answered(w, 9000 + i)
        until(lambda: counters("router")["segments"] >= 200, "all have passed")
        rows = [r for name in HOSTS for r in table(name, "services") if r["addr"] != "other"]
        equal(len(rows), 16, "rows")
        other = [r for name in HOSTS for r in table(name, "services") if r["addr"] == "other"]
        equal(sum(int(r["flows"]) for r in other) + sum(int(r["flows"]) for r in rows),
              sum(int(r["entered"]) for name in HOSTS for r in table(name, "states")
                  if r["state"] == "LISTEN"), "each flow in a row")


@test
def a_port_scan_makes_no_services():
    """Nor does it take the places of those that have answered, and are idle now."""
    with loaded("max_services=16"), muted(), contextlib.closing(Wire(4)) as w:
        answered(w, 9000)
        until(lambda: len(table("router", "services")) == 1, "a service")
        for i in range(1, 100):
            w.dport = 9000 + i
            w.raw_send("client", SYN, 1)
        until(lambda: counters("router")["segments"] >= 101, "all have passed")
        rows = {(r["addr"], r["port"]): r for r in table("router", "services")}
        equal(sorted(rows), sorted([(ADDR[4]["server"], "9000"), ("other", "0")]), "rows")
        equal((rows["other", "0"]["flows"], rows["other", "0"]["LISTEN"]), ("99", "99"), "unanswered")


@test
def guests_leave_room_for_the_hosts_services():
    with loaded("max_services=16"), guests(1), muted(), contextlib.closing(Wire(4)) as w:
        segments("guest0", [(7000 + i, 1024, SYN | ACK) for i in range(30)])
        rows = [r for r in table("guest0", "services") if r["addr"] != "other"]
        equal(len(rows), 8, "rows of a guest")
        for i in range(8):
            answered(w, 9000 + i)
        until(lambda: counters("server")["segments"] >= 16, "all have passed")
        rows = [r for name in HOSTS for r in table(name, "services") if r["addr"] != "other"]
        equal(len(rows), 8, "rows of the host")


@test
def services_come_and_go_on_all_processors():
    """
    Each segment of a connection passes on any processor. The module says when it is unloaded
    if it has miscounted a service's flows.
    """
    def connect(until_when, ports):
        cpus = os.sched_getaffinity(0)
        with contextlib.closing(Wire(4)) as w:
            while time.monotonic() < until_when:
                w.sport, w.dport = random.randrange(1024, 65536), random.choice(ports)
                for name, *segment in (("client", SYN, 1), ("server", SYN | ACK, 1, 2),
                                       ("client", RST, 2)):
                    os.sched_setaffinity(0, {random.choice(list(cpus))})
                    w.raw_send(name, *segment)

    with loaded("max_services=32"), muted():
        for name in HOSTS:
            bed.sysctl(name, "timeout_closed", 1)
        end = time.monotonic() + 5
        threads = [threading.Thread(target=connect, args=(end, range(9000, 9100))) for _ in range(3)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        for name in HOSTS:
            bed.sysctl(name, "enabled", 0)
        for name in HOSTS:
            rows = table(name, "services")
            true(len(rows) <= 33, f"{len(rows)} rows")
            true(sum(int(r["flows"]) for r in rows) > 0, "flows were counted")
            for row in rows:
                equal({n for s, n in row.items() if s.isupper()}, {"0"}, f"states of {row['port']}")


@test
def the_log_is_a_ring():
    with loaded():
        bed.sysctl("router", "log_size", 64)
        for _ in range(20):
            c, s = pair(4, 8400)
            close_to(c, s)
        time.sleep(0.1)
        rows = table("router", "log")
        equal(len(rows), 64, "rows")
        seqs = [int(r["seq"]) for r in rows]
        equal(seqs, list(range(seqs[0], seqs[0] + 64)), "oldest first, no gap")
        equal(table("router", "log"), rows, "readable again")


@test
def the_log_has_the_last_of_all_processors():
    """Also after a flow has begun late, with a SYN that had been kept: it has its own time."""
    cpus = sorted(os.sched_getaffinity(0))
    seen = 0

    def send(*segments):
        nonlocal seen
        for name, *segment in segments:
            w.raw_send(name, *segment)
        seen += len(segments)
        until(lambda: counters("router")["segments"] >= seen, "all have passed")

    try:
        with loaded(), muted(), contextlib.closing(Wire(4)) as w:
            bed.sysctl("router", "log_size", 64)
            for port in range(5000, 5100):
                os.sched_setaffinity(0, {cpus[port % len(cpus)]})
                w.sport = port
                send(("client", SYN, 1), ("server", SYN | ACK, 1, 2), ("client", ACK, 2, 2),
                     ("client", SYN, 100000))
            for port in range(5000, 5100):
                os.sched_setaffinity(0, {cpus[port % len(cpus)]})
                w.sport = port
                send(("server", SYN | ACK, 1, 100001))
                rows = table("router", "log")
                equal(len(rows), 64, "rows")
                true(any(r["sport"] == str(port) for r in rows), f"port {port} is there")
                equal({r["cpu"] for r in rows}, {str(cpu) for cpu in cpus}, "processors")
                for cpu in cpus:
                    seqs = [int(r["seq"]) for r in rows if r["cpu"] == str(cpu)]
                    equal(seqs, list(range(seqs[0], seqs[0] + len(seqs))), f"no gap on {cpu}")
            ports = [int(r["sport"]) for r in rows]
            equal(sorted(set(ports)), list(range(5078, 5100)), "the last ports")
            late = [float(r["time"]) for r in rows if r["sport"] == "5099"]
            equal(len(late), 3, "LISTEN, SYN_SENT, SYN_RCVD")
            true(late[0] == late[1] < late[2] - 0.1, f"from {late[0]} to {late[2]}")
    finally:
        os.sched_setaffinity(0, set(cpus))


@test
def a_big_log_is_there_before_the_first_transition():
    with loaded():
        bed.sysctl("router", "log_size", 1 << 20)
        for _ in range(50):
            c, s = pair(4, 8401)
            close_to(c, s)
        until(lambda: len(table("router", "log")) >= 500, "all are kept")
        equal(counters("router")["log_lost"], 0, "lost")


@test
def many_change_the_logs_size():
    def change(size):
        for i in range(20):
            bed.sysctl("router", "log_size", size + i)

    with loaded():
        for _ in range(5):
            traffic = Traffic()
            try:
                threads = [threading.Thread(target=change, args=(size,)) for size in (64, 500)]
                for t in threads:
                    t.start()
                for t in threads:
                    t.join()
                before = traffic.done
                until(lambda done=before: traffic.done >= done + 100, "the ring goes round", 60)
            finally:
                traffic.stop()
            size = int(bed.sysctl("router", "log_size"))
            true(size in (83, 519), f"the last written: {size}")
            equal(len(table("router", "log")), size, "rows")


@test
def hooks_that_do_not_fit_leave_nothing():
    """The kernel has room for 1024 hooks at a place. At the last one, others are on already."""
    def chain(i):
        return f"chain c{i} {{ type filter hook output priority 0; }}\n"

    with within("router"):
        run("nft", f"table ip6 full {{ {''.join(chain(i) for i in range(1000))} }}")
        for i in range(1000, 1030):
            if status("nft", f"table ip6 full {{ {chain(i)} }}")[0]:
                break
    traffic = Traffic()
    try:
        for _ in range(5):
            code, _, err = status(*load_command())
            true(code != 0 and "too long" in err, f"E2BIG: {err}")
            true(not os.path.exists("/proc/net/tcpfsm"), "nothing is left behind")
    finally:
        traffic.stop()
        with within("router"):
            run("nft", "delete", "table", "ip6", "full")
    equal(traffic.errors, [], "connections that failed")


@test
def tool_without_module_says_so():
    code, out, err = status(TOOL, "states")
    equal((code, out), (2, ""), "status")
    true("not loaded" in err and "insmod" in err, err)


if __name__ == "__main__":
    bed.main_bare()
