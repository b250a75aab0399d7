#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
tcpfsm against the kernel's own sockets: client, router and server watch the same connections,
the tracepoint sock:inet_sock_set_state tells what both sockets did, and each endpoint's states
are compared in order, at each of the three places.

How Linux's view is read:

    socket                                   endpoint
    LISTEN > SYN_RECV                        SYN_RCVD (before, a request socket stood for it)
    FIN_WAIT2 or CLOSING > CLOSE, and no     TIME_WAIT: a time-wait socket takes over
      RST passed
    FIN_WAIT2 > CLOSE with a RST             CLOSED
    a move whose segment was lost before     not shown there, or shown though its receiver never
      or behind an observer elsewhere        got it (documented: in flight)
    > CLOSE without a segment (give up)      shown when the socket is asked after (silent)
    any other > CLOSE                        CLOSED
    a corrected FIN, seen behind a link      as above: an ACK from beyond a FIN passed before it; lost
      that loses or reorders                 and duplicated segments make it look sent earlier or
                                             later than it was (documented: fin-order)
    a socket in FIN_WAIT1 when the peer's    LAST_ACK: its FIN waited behind data; the wire shows
      FIN came, its own FIN not yet sent     CLOSE_WAIT > LAST_ACK (documented: queued-fin)

Usage: truth.py [WORKLOAD|IMPAIRMENT...]; TCPFSM_TRUTH=N connections of each.
"""
import collections
import os
import random
import re
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../net"))
# pylint: disable=wrong-import-position
from bed import (ADDR, FAMILY, HOSTS, MODULE, Failed, close_to, make_hosts, remove_hosts, run,
                 sysctl, table, within, write)

TRACE = "/sys/kernel/tracing"
NAMES = {"TCP_ESTABLISHED": "ESTABLISHED", "TCP_SYN_SENT": "SYN_SENT", "TCP_SYN_RECV": "SYN_RCVD",
         "TCP_FIN_WAIT1": "FIN_WAIT_1", "TCP_FIN_WAIT2": "FIN_WAIT_2",
         "TCP_TIME_WAIT": "TIME_WAIT", "TCP_CLOSE": "CLOSED", "TCP_CLOSE_WAIT": "CLOSE_WAIT",
         "TCP_LAST_ACK": "LAST_ACK", "TCP_LISTEN": "LISTEN", "TCP_CLOSING": "CLOSING",
         "TCP_NEW_SYN_RECV": "SYN_RCVD"}
LINE = re.compile(r"inet_sock_set_state: family=(\w+) protocol=IPPROTO_TCP sport=(\d+) dport=(\d+) "
                  r"saddr=\S+ daddr=\S+ saddrv6=(\S+) daddrv6=(\S+) oldstate=(\w+) newstate=(\w+)")
LINE4 = re.compile(r"saddr=(\S+) daddr=(\S+)")

IMPAIRMENTS = {
    "none": "",
    "loss 1%": "loss 1%",
    "loss 5%": "loss 5%",
    "loss 20%": "loss 20%",
    "reorder": "delay 2ms reorder 75% 50%",
    "duplicate": "duplicate 5%",
    "jitter": "delay 3ms 2ms",
    "corrupt": "corrupt 1%",
    "mixture": "delay 2ms 1ms loss 2% duplicate 2% corrupt 0.5%",
}


# ---- workloads: what the two applications do with a connection ----

def drain(s):
    try:
        while s.recv(65536):
            pass
    except OSError:
        pass


def client_first(c, s):
    c.sendall(b"q")
    s.recv(10)
    s.sendall(b"a" * 3000)
    c.recv(10)
    c.shutdown(socket.SHUT_WR)
    drain(s)
    s.close()
    drain(c)
    c.close()


def server_first(c, s):
    client_first(s, c)


def half_close(c, s):
    c.shutdown(socket.SHUT_WR)
    drain(s)
    try:
        for _ in range(5):
            s.sendall(b"d" * 4000)
    except OSError:
        pass
    s.close()
    drain(c)
    c.close()


def simultaneous(c, s):
    c.shutdown(socket.SHUT_WR)
    s.shutdown(socket.SHUT_WR)
    drain(c)
    drain(s)
    close_to(c, s)


def reset_by_linger(c, s):
    c.sendall(b"q")
    s.recv(10)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()
    drain(s)
    s.close()


def reset_by_unread_data(c, s):
    s.sendall(b"u" * 2000)
    c.recv(1)
    c.close()
    drain(s)
    s.close()


WORKLOADS = {
    "client first": client_first,
    "server first": server_first,
    "half-close": half_close,
    "simultaneous": simultaneous,
    "RST by linger": reset_by_linger,
    "RST, unread data": reset_by_unread_data,
    "refused": None,
}


def connection(v, port, work, listener):
    c = socket.socket(FAMILY[v], socket.SOCK_STREAM)
    c.settimeout(30)
    with within("client"):
        c = socket.socket(FAMILY[v], socket.SOCK_STREAM)
    c.settimeout(30)
    try:
        c.connect((ADDR[v]["server"], port))
        if not work:
            return
        s, _ = listener.accept()
        s.settimeout(30)
    except OSError:
        c.close()
        return
    try:
        work(c, s)
    except OSError:
        close_to(c, s)


def run_workload(v, work, count, threads=8):
    """COUNT connections, each thread with a port of its own so that accept() fits connect()."""
    def thread(first, share):
        port = 10000 + first
        listener = None
        with within("server"):
            if work:
                listener = socket.socket(FAMILY[v], socket.SOCK_STREAM)
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((ADDR[v]["server"], port))
                listener.listen(64)
                listener.settimeout(30)
        for _ in range(share):
            connection(v, port, work, listener)
        if listener:
            listener.close()
    workers = [threading.Thread(target=thread, args=(i, count // threads)) for i in range(threads)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()


# ---- what the sockets did ----

def sockets_told():
    """{(saddr, sport, daddr, dport): [state, ...]}, each tuple as its own socket sees it."""
    told = collections.defaultdict(list)
    with open(f"{TRACE}/trace", encoding="ascii") as f:
        for line in f:
            m = LINE.search(line)
            if not m:
                continue
            family, sport, dport, saddr6, daddr6, old, new = m.groups()
            if family == "AF_INET":
                saddr, daddr = LINE4.search(line).groups()
            else:
                saddr, daddr = saddr6, daddr6
            told[(saddr, sport, daddr, dport)].append((NAMES[old], NAMES[new]))
    return told


def in_order(moves):
    """Processors stamp their events alike to within a tick: each begins where one before ended."""
    left, done = list(moves), []
    while left:
        at = next((i for i, m in enumerate(left) if not done or m[0] == done[-1][1]), 0)
        if not done:
            ends = [m[1] for m in left]
            at = next((i for i, m in enumerate(left) if m[0] not in ends), 0)
        done.append(left.pop(at))
    return done


def endpoint_path(moves, reset):
    """The states of an endpoint that a socket's moves stand for."""
    # connect() names its port after SYN_SENT, accept() its tuple after SYN_RCVD.
    moves = in_order(moves)
    path = [moves[0][0]] if moves[0][0] not in ("CLOSED", "LISTEN") else []
    for old, new in moves:
        if new == "CLOSED" and not reset and old in ("FIN_WAIT_2", "CLOSING"):
            new = "TIME_WAIT"
        if not path or path[-1] != new:     # close() after shutdown() sets the state again
            path.append(new)
    return path


# ---- comparison ----

def observed(name):
    """{tuple as the endpoint sees itself: [(from, to, cause, correction)]} at a place."""
    seen = collections.defaultdict(list)
    for r in table(name, "log"):
        orig = (r["src"], r["sport"], r["dst"], r["dport"])
        key = orig if r["end"] == "orig" else (orig[2], orig[3], orig[0], orig[1])
        seen[key].append(r)
    return seen


def shown_path(rows):
    """What tcpfsm showed, as far as a socket could: LISTEN and 2MSL's end are not a socket's."""
    path = []
    for r in rows:
        if r["to"] == "LISTEN" or r["cause"] == "EXPIRE":
            continue
        if r["cause"] == "SND_FIN_FIRST":      # CLOSE_WAIT was FIN_WAIT_1, as shown now
            path[-1] = "FIN_WAIT_1"
        path.append(r["to"])
    return path


def settle(path):
    """Paths compare up to the entry into TIME_WAIT or CLOSED."""
    for i, state in enumerate(path):
        if state in ("TIME_WAIT", "CLOSED"):
            return path[:i + 1]
    return path


def kind_of(want, have, place, corrected):
    """A documented kind of difference, or None."""
    if have == want:
        return "equal"
    if place != "own" and corrected:
        return "fin-order"
    if have[:len(want)] == want or want[:len(have)] == have:
        if len(have) < len(want) and want[len(have):] == ["CLOSED"]:
            return "silent"             # ended without a segment that reached here
        if place != "own":
            return "in flight"          # what passed here never arrived, or the reverse
        if len(have) < len(want) and want[-1] == "CLOSED":
            return "silent"
    steps = iter(want)
    if place != "own" and all(state in steps for state in have):
        return "in flight"              # what made it move was lost before us
    swap = {"CLOSE_WAIT": "FIN_WAIT_1", "LAST_ACK": "CLOSING"}
    if [swap.get(x, x) for x in have if x != "CLOSED"] == \
       [x for x in want if x not in ("TIME_WAIT", "CLOSED")]:
        return "queued-fin"
    return None


def compare(v):
    told = sockets_told()
    result = {}
    unexplained = []
    for name in HOSTS:
        count = collections.Counter()
        seen = observed(name)
        for key, moves in told.items():
            if "0" in (key[1], key[3]):
                continue            # no tuple yet, or a listener
            rows = seen.get(key)
            local = "client" if key[0] == ADDR[v]["client"] else "server"
            if key[0] not in (ADDR[v]["client"], ADDR[v]["server"]):
                continue
            place = "own" if local == name else "other"
            reset = any(r["cause"] in ("SND_RST", "RCV_RST") and r["from"] != "TIME_WAIT"
                        for r in rows or [])
            want = settle(endpoint_path(moves, reset))
            have = settle(shown_path(rows or []))
            corrected = any(r["cause"] == "SND_FIN_FIRST" for r in rows or [])
            kind = kind_of(want, have, place, corrected)
            count["transitions"] += len(want)
            count[kind or "UNEXPLAINED"] += len(want)
            if not kind:
                unexplained.append((name, key, want, have))
        result[name] = count
    return result, unexplained


def impair(how):
    for name, dev in (("client", "eth0"), ("router", "to-client"), ("router", "to-server"),
                      ("server", "eth0")):
        run("tc", "-n", name, "qdisc", "del", "dev", dev, "root", check=False)
        if how:
            run("tc", "-n", name, "qdisc", "add", "dev", dev, "root", "netem", *how.split())


def one(v, workload, impairment, count):
    for name in HOSTS:      # a new log, no flows from before
        sysctl(name, "enabled", 0)
        sysctl(name, "log_size", 64)
        sysctl(name, "log_size", 1 << 20)
        sysctl(name, "enabled", 1)
    write(f"{TRACE}/trace", "")
    impair(IMPAIRMENTS[impairment])
    run_workload(v, WORKLOADS[workload], count)
    impair("")
    time.sleep(1.5)
    return compare(v)


def main():
    words = sys.argv[1:]
    count = int(os.environ.get("TCPFSM_TRUTH", "64"))
    workloads = [w for w in WORKLOADS if not words or w in words or not set(words) & set(WORKLOADS)]
    impairments = [i for i in IMPAIRMENTS
                   if not words or i in words or not set(words) & set(IMPAIRMENTS)]
    cells = [(v, w, i) for w in workloads for i in impairments for v in (4, 6)]
    print("TAP version 13", f"1..{len(cells)}", sep="\n", flush=True)
    random.seed(1)
    run("insmod", MODULE)
    make_hosts()
    write(f"{TRACE}/buffer_size_kb", 65536)
    write(f"{TRACE}/events/sock/inet_sock_set_state/enable", 1)
    failed = 0
    total = collections.Counter()
    for number, (v, workload, impairment) in enumerate(cells, 1):
        result, unexplained = one(v, workload, impairment, count)
        for name in HOSTS:
            row = result[name]
            total.update(row)
            print(f"# {workload:17} {impairment:10} ipv{v} {name:7}",
                  *(f"{k} {n}" for k, n in row.items()), flush=True)
        ok = not unexplained and all(result[n]["transitions"] for n in HOSTS)
        failed += not ok
        print(f"{'ok' if ok else 'not ok'} {number} {workload}, {impairment}, ipv{v}")
        for name, key, want, have in unexplained[:5]:
            print(f"#   {name} {key}: socket {'>'.join(want)}, shown {'>'.join(have)}",
                  flush=True)
    print("# in all:", *(f"{k} {n}" for k, n in total.items()))
    write(f"{TRACE}/events/sock/inet_sock_set_state/enable", 0)
    remove_hosts()
    run("rmmod", "tcpfsm")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
