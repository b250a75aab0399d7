#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Everything that waits: hours and weeks pass at once in a guest with time travel."""
import contextlib
import json
import os
import socket
import time

from bed import (ACK, ADDR, CLIENT_OPEN, FIN, FIRST, HOSTS, SECOND, SERVER_OPEN, SYN, TOOL, Wire,
                 both, counters, equal, everywhere, flags_of, flow, log_of, main, muted, nft, pair,
                 pair_of, run, stream, sysctl, test, true, tuple_of, until, within, write)

HOUR, DAY = 3600, 86400


def stamps(name, key, to):
    return [float(r["time"]) for r in log_of(name, key) if r["to"] == to]


def lasted(name, key, state, after):
    """Seconds from the last entry into a state to the transition to what comes after."""
    return stamps(name, key, after)[-1] - stamps(name, key, state)[-1]


@both
def S07_half_close_lasts_for_hours(v):
    c, s = pair(v, 7007)
    key = tuple_of(v, c.getsockname()[1], 7007)
    c.shutdown(socket.SHUT_WR)
    equal(s.recv(1), b"")
    for _ in range(6):
        time.sleep(HOUR)
        s.send(b"still here")
        equal(c.recv(100), b"still here")
        for name in HOSTS:
            equal(pair_of(name, key), "FIN_WAIT_2:CLOSE_WAIT", name)
    s.close()
    everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}")


@both
def S08_time_wait_lasts_2msl(v):
    c, s = pair(v, 7008)
    key = tuple_of(v, c.getsockname()[1], 7008)
    c.close()
    equal(s.recv(1), b"")
    s.close()
    everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}")
    time.sleep(80)
    for name, least, most in (("router", 60, 61), ("server", 60, 61), ("client", 60, 70)):
        have = [float(r["dwell_ns"]) / 1e9 for r in log_of(name, key)
                if (r["from"], r["cause"]) == ("TIME_WAIT", "EXPIRE")]
        true(len(have) == 1 and least <= have[0] <= most, f"2MSL at {name}: {have}")


@both
def S08_a_retransmitted_fin_restarts_2msl(v):
    with muted(), contextlib.closing(Wire(v)) as w:
        key = tuple_of(v, w.sport, w.dport)
        w.send("client", SYN, 100)
        w.send("server", SYN | ACK, 300, 101)
        w.send("client", ACK, 101, 301)
        w.send("client", FIN | ACK, 101, 301)
        w.send("server", FIN | ACK, 301, 102)
        w.send("client", ACK, 102, 302)
        time.sleep(40)
        w.send("server", FIN | ACK, 301, 102)
        time.sleep(40)
        equal(pair_of("router", key), "TIME_WAIT:CLOSED", "40 s after the second FIN")
        time.sleep(25)
        have = [float(r["dwell_ns"]) / 1e9 for r in log_of("router", key)
                if r["cause"] == "EXPIRE"]
        true(len(have) == 1 and 100 <= have[0] <= 101.1, f"restarted 2MSL: {have}")


@test
def S16_close_wait_of_three_weeks():
    """The application at the server forgot to close: visible there for as long as it lives.
    Both families at once, since even with time travel three weeks take a minute."""
    leaks = []
    for v in (4, 6):
        c, s = pair(v, 7016)
        key = tuple_of(v, c.getsockname()[1], 7016)
        c.close()
        until(lambda: pair_of("server", key) == "FIN_WAIT_2:CLOSE_WAIT", "half-closed")
        leaks.append((key, s))
    time.sleep(21 * DAY)
    for key, s in leaks:
        equal(pair_of("server", key), "FIN_WAIT_2:CLOSE_WAIT", "after three weeks")
        true(int(flow("server", key)["resp_ns"]) >= 21 * DAY * 10**9, "its age shows")
        true(int(flow("server", key)["idle_ms"]) >= 21 * DAY * 10**3, "its idle time, in procfs")
        with within("server"):
            rows = run(TOOL, "-j", "flows", "idle", "20d").splitlines()
        true([r for r in map(json.loads, rows) if r["sport"] == int(key[1]) and
              r["idle_ns"] >= 21 * DAY * 10**9], f"its idle time, in netlink: {rows}")
        # The client's orphan gave up long ago, without a segment: asked, not guessed.
        equal(flow("client", key), None, "gone at the client")
        rows = [r for r in log_of("client", key) if r["cause"] == "GONE"]
        equal([(r["end"], r["from"], r["to"]) for r in rows],
              [("orig", "FIN_WAIT_2", "CLOSED")], "how it went")
        s.close()


@both
def connect_gives_up_silently(v):
    with within("server"):
        run("nft", "add table inet hole; add chain inet hole in "
            "{ type filter hook prerouting priority -300; tcp dport 7020 drop; }")
    try:
        c = stream("client", v)
        c.settimeout(None)
        key = tuple_of(v, c.getsockname()[1], 7020)
        try:
            c.connect((ADDR[v]["server"], 7020))
        except TimeoutError:
            pass
        c.close()
        time.sleep(145)
        rows = [(r["end"], r["from"], r["to"], r["cause"]) for r in log_of("client", key)]
        equal(rows[-1], ("orig", "SYN_SENT", "CLOSED", "GONE"), "at the client")
        before = counters("router")
        true(before["ended_timeout"] > 0, "at the router it timed out")
        equal(pair_of("router", key), None)
        true(counters("client")["ended_silent"] > 0, "reason silent")
    finally:
        with within("server"):
            run("nft", "delete table inet hole")


@both
def a_socket_that_an_icmp_error_ends_late_is_asked_about_again(v):
    """What stands behind the module keeps the error from the socket; then the application closes it."""
    drop = {4: "icmp type destination-unreachable drop", 6: "icmpv6 type destination-unreachable drop"}[v]
    with nft("server", "chain r { type filter hook input priority 0; "
                       "tcp dport 7021 reject with icmpx type admin-prohibited; };"), \
         nft("client", f"chain l {{ type filter hook input priority 90; {drop}; }};"), \
         contextlib.closing(stream("client", v)) as c:
        key = tuple_of(v, c.getsockname()[1], 7021)
        c.setblocking(False)
        c.connect_ex((ADDR[v]["server"], 7021))
        time.sleep(.25)
        true("unreachable" in flags_of("client", key), "the module was told")
        equal(pair_of("client", key), "SYN_SENT:LISTEN", "the socket was found alive")
        c.close()
        time.sleep(.5)
        equal(pair_of("client", key), "CLOSED:LISTEN", "half a second later")


@both
def opening_times_out_at_the_router(v):
    with muted(), contextlib.closing(Wire(v)) as w:
        key = tuple_of(v, w.sport, w.dport)
        before = counters("router")["ended_timeout"]
        w.send("client", SYN, 100)
        time.sleep(125)
        equal(pair_of("router", key), "SYN_SENT:LISTEN", "after 125 s")
        time.sleep(10)
        equal(pair_of("router", key), None, "after 135 s")
        equal(counters("router")["ended_timeout"] - before, 1, "ended_timeout")


@both
def idle_established_goes_between_t_and_2t_at_the_router(v):
    sysctl("router", "timeout_established", 1000)
    try:
        c, s = pair(v, 7022)
        key = tuple_of(v, c.getsockname()[1], 7022)
        c.send(b"x")
        s.recv(1)
        time.sleep(990)
        equal(pair_of("router", key), "ESTABLISHED:ESTABLISHED", "before T")
        time.sleep(1100)
        equal(pair_of("router", key), None, "after 2T")
        for name in ("client", "server"):
            equal(pair_of(name, key), "ESTABLISHED:ESTABLISHED", f"{name}: its socket lives")
        c.close()
        s.close()
    finally:
        sysctl("router", "timeout_established", 432000)


@both
def a_confirmed_midstream_flow_is_an_established_one(v):
    """Met after its start at the router: embryonic until both ends have proved to live."""
    sysctl("router", "enabled", 0)
    c, s = pair(v, 7026)
    key = tuple_of(v, c.getsockname()[1], 7026)
    sysctl("router", "enabled", 1)
    for _ in range(3):
        c.send(b"x")
        s.recv(1)
        s.send(b"y")
        c.recv(1)
    time.sleep(400)
    equal(pair_of("router", key), "ESTABLISHED:ESTABLISHED", "long after timeout_opening")
    c.close()
    s.close()


@both
def closed_flows_stay_for_late_segments(v):
    c, s = pair(v, 7023)
    key = tuple_of(v, c.getsockname()[1], 7023)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    c.close()
    for name in HOSTS:
        until(lambda: pair_of(name, key) == "CLOSED:CLOSED", name)
    time.sleep(8)
    equal(pair_of("router", key), "CLOSED:CLOSED")
    time.sleep(4)
    equal(pair_of("router", key), None)
    s.close()


@both
def a_sysctl_changes_what_already_waits(v):
    with muted(), contextlib.closing(Wire(v)) as w:
        key = tuple_of(v, w.sport, w.dport)
        w.send("client", SYN, 100)
        time.sleep(20)
        sysctl("router", "timeout_opening", 10)
        try:
            until(lambda: pair_of("router", key) is None, "gone at once", 3)
        finally:
            sysctl("router", "timeout_opening", 130)


@both
def a_killed_host_is_found_out(v):
    """The server's path is cut; the client's retransmissions give up after a quarter hour."""
    c, s = pair(v, 7025)
    key = tuple_of(v, c.getsockname()[1], 7025)
    run("ip", "-n", "router", "link", "set", "to-server", "down")
    try:
        c.settimeout(None)
        c.send(b"anybody?")
        try:
            c.recv(1)
        except OSError:
            pass
        time.sleep(3000)
        rows = [(r["end"], r["from"], r["to"], r["cause"]) for r in log_of("client", key)]
        equal(rows[-1], ("orig", "ESTABLISHED", "CLOSED", "GONE"), "at the client")
        equal(pair_of("server", key), "ESTABLISHED:ESTABLISHED", "the server's socket lives")
    finally:
        run("ip", "-n", "router", "link", "set", "to-server", "up")
        run("ip", "-n", "router", "-6", "addr", "add", "fd02::2/64", "dev", "to-server", "nodad",
            check=False)
        c.close()
        s.close()


def quiet():
    """The kernel's own heartbeats would cost more than all that is tested here."""
    for path, value in (("/proc/sys/vm/stat_interval", 1000000),
                        ("/sys/kernel/debug/sched/fair_server/cpu0/runtime", 0)):
        if os.path.exists(path):
            write(path, value)


if __name__ == "__main__":
    main(setup=quiet)
