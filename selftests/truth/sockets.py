# SPDX-License-Identifier: GPL-2.0
"""
What the kernel's sockets did, by their own tracepoints.

How Linux's view is read as a path of RFC 9293 states:

    socket                              endpoint
    CLOSE > SYN_SENT                    SYN_SENT; connect() names the port only afterwards, so that a
                                        path may begin with a move out of SYN_SENT
    a request socket                    SYN_RCVD, and not told: a path begins as accept()'s socket is
                                        made (LISTEN > SYN_RECV, before it has its tuple)
    FIN_WAIT2 > CLOSE or                a time-wait socket takes over, whose moves are not told, or the
      CLOSING > CLOSE, no RST came      socket gave up: TIME_WAIT, or not (TIME_WAIT? here)
    FIN_WAIT1 > FIN_WAIT1, CLOSE > CLOSE  nothing: close() after shutdown()
    any other > CLOSE                   CLOSED
"""
import collections
import itertools
import re

from bed import write

TRACE = "/sys/kernel/tracing"
EVENTS = ("sock/inet_sock_set_state", "tcp/tcp_receive_reset")
MARK = "tcpfsm watches"
NAMES = {"TCP_ESTABLISHED": "ESTABLISHED", "TCP_SYN_SENT": "SYN_SENT", "TCP_SYN_RECV": "SYN_RCVD",
         "TCP_FIN_WAIT1": "FIN_WAIT_1", "TCP_FIN_WAIT2": "FIN_WAIT_2",
         "TCP_TIME_WAIT": "TIME_WAIT", "TCP_CLOSE": "CLOSED", "TCP_CLOSE_WAIT": "CLOSE_WAIT",
         "TCP_LAST_ACK": "LAST_ACK", "TCP_LISTEN": "LISTEN", "TCP_CLOSING": "CLOSING",
         "TCP_NEW_SYN_RECV": "SYN_RCVD"}
LINE = re.compile(r" (\w+): family=\S+ (?:protocol=\S+ )?sport=(\d+) dport=(\d+) saddr=(\S+) "
                  r"daddr=(\S+) saddrv6=(\S+) daddrv6=(\S+)(?:.* oldstate=(\w+) newstate=(\w+))?")
HANDED_OVER = "TIME_WAIT?"


def start():
    write(f"{TRACE}/trace_clock", "counter")        # strictly in order over all processors
    write(f"{TRACE}/buffer_size_kb", 65536)
    for event in EVENTS:
        write(f"{TRACE}/events/{event}/enable", 1)


def stop():
    for event in EVENTS:
        write(f"{TRACE}/events/{event}/enable", 0)


def forget():
    write(f"{TRACE}/trace", "")


def mark():
    """The module watches from here on: what ended before was not there to be seen."""
    write(f"{TRACE}/trace_marker", MARK)


class Lost(Exception):
    """The trace is not whole."""


def events():
    """(what, tuple as the socket sees itself, old, new), in order; or (MARK, None, None, None)."""
    with open(f"{TRACE}/trace", encoding="ascii") as f:
        for line in f:
            if "LOST" in line:
                raise Lost(line)
            if MARK in line:
                yield MARK, None, None, None
            m = LINE.search(line)
            if not m:
                continue
            what, sport, dport, saddr, daddr, saddr6, daddr6, old, new = m.groups()
            if not saddr6.startswith("::ffff:") and saddr6 != "::":
                saddr, daddr = saddr6, daddr6
            yield what, (saddr, sport, daddr, dport), old, new


class Incarnation:
    """One socket's life on a tuple."""

    def __init__(self):
        self.path = []
        self.ended = False
        self.reset = False
        self.over = False       # before the module watched

    def move(self, old, new):
        if not self.path and old not in ("CLOSED", "LISTEN"):
            self.path.append(old)
        if new == "CLOSED":
            self.ended = True
            if not self.reset and old in ("FIN_WAIT_2", "CLOSING"):
                new = HANDED_OVER
        self.path.append(new)


def told(addresses, ports):
    """{tuple: [Incarnation, ...]} of the sockets between these addresses and ports."""
    lives = collections.defaultdict(list)
    for what, key, old, new in events():
        if what == MARK:
            for life in itertools.chain(*lives.values()):
                life.over = life.ended
            continue
        if "0" in (key[1], key[3]) or not {key[0], key[2]} <= addresses:
            continue        # no tuple yet, or a listener
        if key[0] == key[2]:
            continue        # is the program up?
        if not {int(key[1]), int(key[3])} & ports:
            continue
        of_tuple = lives[key]
        if what == "tcp_receive_reset":
            if of_tuple:
                for life in of_tuple:
                    life.reset = True
            else:       # before its first move with a tuple
                of_tuple.append(Incarnation())
                of_tuple[0].reset = True
            continue
        old, new = NAMES[old], NAMES[new]
        if old == new:
            continue
        # connect() from a port in use makes a second socket for a while.
        life = next((i for i in of_tuple if not i.ended and (not i.path or i.path[-1] == old)),
                    None)
        if not life:
            life = Incarnation()
            of_tuple.append(life)
        life.move(old, new)
    return {key: [i for i in of_tuple if i.path] for key, of_tuple in lives.items()}
