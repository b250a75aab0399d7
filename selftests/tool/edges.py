#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
What is seldom seen, and what a tap makes of it: captures of forged segments, hosts that come back
from nowhere, ways that part, and packets that are captured late, twice or never. Of each kind,
replay shows exactly the states that the ends go through, whichever of them does it.
"""
import functools
import itertools
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../net"))
# pylint: disable=wrong-import-position
from bed import ACK, FIN, PSH, RST, SYN, TESTS, equal, planned, run_all
from command import replay
from pcap import ETHERNET, frame, packet, pcap

CLIENT, SERVER = False, True
ISN = {4: (2891043310, 717822104), 6: (4294967200, 4294966000)}    # the latter wrap
START, HALF_RTT = 1700000000.0, 0.00015
MSS = 1460
SEGMENT = 10 * MSS      # as a host that leaves segmentation to its device shows it

OPENED = ("SYN_SENT ESTABLISHED", "LISTEN SYN_RCVD ESTABLISHED")
MIDSTREAM = ("ESTABLISHED", "ESTABLISHED")
CLOSES = "FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT"
FOLLOWS = "CLOSE_WAIT LAST_ACK CLOSED"
REFUSED = ("SYN_SENT CLOSED", "LISTEN CLOSED")


class Talk:
    """What is captured of a connection. An end says what comes next for it, or forged numbers."""

    def __init__(self, v, ports=(40000, 80), win=65535, delay=HALF_RTT):
        self.v, self.ports, self.win, self.delay = v, ports, win, delay
        self.next = list(ISN[v])
        self.stamp = [0, 0]
        self.now = START
        self.frames = []

    def options(self, who, flags):
        """Timestamps; in a SYN also MSS, SACK, and windows in units of 128."""
        if flags & RST:
            return b""
        self.stamp[who] = round((self.now - START) * 1000) + 1000
        stamps = struct.pack("!BBII", 8, 10, self.stamp[who], self.stamp[not who])
        return b"\2\4\5\xb4\4\2" + stamps + b"\1\3\3\7" if flags & SYN else b"\1\1" + stamps

    def say(self, who, flags, size=0, seq=None, ack=None, captured=True):
        """size: bytes of data. With a number of its own, it is not what the end goes on from."""
        self.now += self.delay
        forged = seq is not None
        if not forged:
            seq = self.next[who]
        if ack is None:
            ack = self.next[not who] if flags & ACK else 0
        if captured:
            ip = packet(self.v, who, flags, seq % 2**32, ack % 2**32, bytes(size), self.win,
                        self.ports, options=self.options(who, flags), ident=len(self.frames))
            self.frames.append((self.now, frame(ETHERNET, self.v, ip)))
        if not forged:
            self.next[who] = (seq + size + bool(flags & (SYN | FIN))) % 2**32

    def wait(self, seconds):
        self.now += seconds

    def open(self, who=CLIENT, isn=None):
        if isn is not None:
            self.next[who] = isn
        self.say(who, SYN)
        self.say(not who, SYN | ACK)
        self.say(who, ACK)

    def request(self, who=CLIENT, size=100, answer=500):
        self.say(who, PSH | ACK, size)
        self.say(not who, ACK)
        self.say(not who, PSH | ACK, answer)
        self.say(who, ACK)

    def chat(self):
        """Both prove to be alive."""
        for _ in range(5):
            self.say(CLIENT, PSH | ACK, 10)
            self.say(SERVER, PSH | ACK, 10)

    def close(self, who):
        self.say(who, FIN | ACK)
        self.say(not who, ACK)
        self.say(not who, FIN | ACK)
        self.say(who, ACK)

    def push(self, who, size):
        for _ in range(0, size, SEGMENT):
            self.say(who, ACK, SEGMENT)


def after(begun, who, does="", other=""):
    """The paths of a flow that has begun so: what the one end does then, and the other."""
    more = (other, does) if who else (does, other)
    return tuple(f"{a} {b}".strip() for a, b in zip(begun, more))


def shown(frames, *words):
    """The paths of both ends of each flow, in the order of their start."""
    events, _ = replay(pcap(frames, ETHERNET), *words)
    flows = {}
    for e in events:
        flows.setdefault(e["flow"], {"orig": [], "resp": []})[e["end"]].append(e["to"])
    return [(" ".join(f["orig"]), " ".join(f["resp"])) for _, f in sorted(flows.items())]


def hold(kind, words, v, who):
    talk = Talk(v)
    flows = kind(talk, who)
    equal(shown(talk.frames, *words), flows, "paths")


def edge(ends=(CLIENT, SERVER), words=("--no-expire",), versions=(4, 6)):
    """A kind: it makes the capture and returns the paths of each flow. ends: who may be the one
    that does it."""
    def add(kind):
        for v in versions:
            for who in ends:
                name = f"{kind.__name__} {'server' if who else 'client'} ipv{v}"
                TESTS.append((name, functools.partial(hold, kind, words, v, who)))
        return kind
    return add


# ---- forged ----

@edge()
def blind_syn_then_rst_an_hour_later(t, who):
    """Both ends have gone on after the SYN, so that the RST has nothing to do with it."""
    t.open()
    t.request()
    t.wait(60)
    t.say(who, SYN, seq=t.next[who] + 1234567890)
    t.say(not who, ACK)
    for _ in range(6):
        t.wait(600)
        t.say(who, PSH | ACK, 50)
        t.say(not who, ACK)
    t.say(who, RST | ACK)
    return [after(OPENED, who, "CLOSED", "CLOSED")]


@edge(words=())
def blind_rst_to_an_idle_connection(t, who):
    """It is in the window, but not exact: challenged, and whom it names has nothing to answer."""
    t.open()
    t.request()
    t.wait(60)
    t.say(who, RST, seq=t.next[who] + 7777)
    t.say(not who, ACK)
    t.wait(900)
    t.request(who)
    return [OPENED]


@edge(words=(), versions=(4,))
def challenge_at_once(t, who):
    """It says the same as the ACK before it; the identification tells that it is no copy."""
    t.open()
    t.request(who)
    t.say(not who, RST, seq=t.next[not who] + 7777)
    t.say(who, ACK)
    t.wait(900)
    t.request()
    return [OPENED]


@edge()
def blind_fin_to_a_midstream_flow(t, who):
    """What the scale of the window is, was not seen; it is no quarter of all numbers."""
    t.chat()
    t.say(who, FIN | ACK, seq=t.next[who] + 800000000, ack=t.next[not who] - 500000000)
    t.say(not who, ACK)
    return [MIDSTREAM]


@edge()
def old_duplicate_syn_to_time_wait(t, who):
    """The end in TIME_WAIT answers with its last ACK, and nobody is there to reset it."""
    t.open()
    t.request()
    t.close(not who)
    t.wait(0.7)
    t.say(who, SYN, seq=t.next[who] - 1000000)
    t.say(not who, ACK)
    return [after(OPENED, who, FOLLOWS, CLOSES)]


# ---- hosts that forget ----

@edge(ends=(CLIENT,))
def health_check_resets_what_it_has_opened(t, who):
    """Without quick ACKs and with linger 0: the RST is the ACK. A RST that carries ACK is of an end
    that has a connection (RFC 9293 3.5.2)."""
    t.say(who, SYN)
    t.say(not who, SYN | ACK)
    t.say(who, RST | ACK)
    return [("SYN_SENT ESTABLISHED CLOSED", "LISTEN SYN_RCVD LISTEN")]


@edge()
def reboot_with_the_same_isn(t, who):
    """A small stack without a clock that goes on begins with the same port and ISN each time."""
    isn = t.next[who]
    t.open()
    t.request()
    t.wait(20)
    t.say(who, SYN, seq=isn)
    t.say(not who, ACK)
    t.say(who, RST)
    t.wait(1)
    t.next[not who] += 100000
    t.open(who, isn)
    t.request(who)
    return [after(OPENED, who, "CLOSED", "CLOSED"), OPENED]


@edge()
def both_rebooted_and_the_syn_is_refused(t, who):
    """Who refuses with a RST of 0 has no connection, and who sends SYN has none, either."""
    t.open()
    t.request()
    t.wait(45)
    isn = t.next[who] + 1500000000
    t.say(who, SYN, seq=isn)
    t.say(not who, RST | ACK, seq=0, ack=isn + 1)
    return [OPENED, REFUSED]


# ---- what was not captured, or elsewhere ----

@edge()
def reopened_and_the_synack_is_not_captured(t, who):
    t.open()
    t.request()
    t.wait(45)
    t.next[who] += 1500000000
    t.next[not who] += 3000000000
    t.say(who, SYN)
    t.say(not who, SYN | ACK, captured=False)
    t.say(who, ACK)
    t.request(who)
    t.close(who)
    return [OPENED, after(OPENED, False, CLOSES, FOLLOWS)]


@edge()
def way_back_moves_away(t, who):
    """No ACK of ten megabytes is captured."""
    t.open()
    t.request()
    t.push(who, 10 * 2**20)
    t.say(who, FIN | ACK)
    return [after(OPENED, who, "FIN_WAIT_1")]


@edge()
def way_back_moves_away_and_windows_are_small(t, who):
    """64 kilobytes, again and again."""
    t.win = 512
    return way_back_moves_away(t, who)


@edge(ends=(CLIENT,))
def client_alone_is_captured_and_pushes(t, who):
    t.say(who, SYN)
    t.say(not who, SYN | ACK, captured=False)
    t.say(who, ACK)
    t.push(who, 600000)
    return [OPENED]


@edge(ends=(SERVER,))
def server_alone_is_captured_and_pushes(t, who):
    """More than an initial window proves that the handshake is done."""
    t.say(not who, SYN, captured=False)
    t.say(who, SYN | ACK)
    t.push(who, 600000)
    return [("SYN_SENT ESTABLISHED", "SYN_RCVD ESTABLISHED")]


@edge(words=())
def midstream_then_a_leak(t, who):
    """Both ends are known to live when one closes; the other is in no hurry to do so."""
    t.chat()
    t.say(who, FIN | ACK)
    t.say(not who, ACK)
    t.wait(600)
    t.say(not who, PSH | ACK, 10)
    return [after(MIDSTREAM, who, "FIN_WAIT_1 FIN_WAIT_2", "CLOSE_WAIT")]


# ---- captured in another order, or twice ----

@edge()
def fin_and_finack_swapped(t, who):
    """The answer to a FIN was captured before it."""
    t.open()
    t.request()
    t.say(not who, FIN | ACK, ack=t.next[who] + 1)
    t.say(who, FIN | ACK, ack=t.next[not who] - 1)
    t.say(who, ACK)
    return [after(OPENED, who, CLOSES, FOLLOWS)]


@edge()
def two_synacks_of_which_the_first_is_taken(t, who):
    """SYN cookies over a minute's end, or two SYNs answered: the second gets the first's ACK."""
    t.say(CLIENT, SYN)
    t.wait(1.1)
    t.say(CLIENT, SYN, seq=t.next[CLIENT] - 1)
    t.say(SERVER, SYN | ACK)
    t.say(SERVER, SYN | ACK, seq=t.next[SERVER] + 76999999)
    for _ in range(2):
        t.say(CLIENT, ACK)
    t.request()
    t.close(who)
    return [after(OPENED, who, CLOSES, FOLLOWS)]


@edge()
def another_synack_behind_the_handshake(t, who):
    """The second one is late: its receiver has gone on with the first."""
    t.open()
    t.say(SERVER, SYN | ACK, seq=t.next[SERVER] + 76999999, ack=t.next[CLIENT])
    t.say(CLIENT, ACK)
    t.request()
    t.close(who)
    return [after(OPENED, who, CLOSES, FOLLOWS)]


def captured_twice(frames, late):
    """By a port that mirrors what comes in and what goes out."""
    return sorted(frames + [(when + late, data) for when, data in frames])


def mirrored_connections(v):
    """One after another, each answer after 20 us: (frames, paths)."""
    frames, flows, now = [], [], START
    ends = itertools.product((CLIENT, SERVER), (False, True))
    for number, (who, resets) in enumerate(ends):
        t = Talk(v, ports=(40000 + number, 80), delay=0.00002)
        t.now = now
        t.open()
        t.request()
        if resets:
            t.say(who, RST | ACK)
        else:
            t.close(who)
        frames, now = frames + t.frames, t.now
        flows.append(after(OPENED, who, *(("CLOSED", "CLOSED") if resets else (CLOSES, FOLLOWS))))
    t = Talk(v, ports=(41000, 81), delay=0.00002)
    t.now = now
    t.say(CLIENT, SYN)
    t.say(SERVER, RST | ACK, seq=0)
    return frames + t.frames, flows + [REFUSED]


@edge(ends=(CLIENT,))
def mirror_port_shows_each_packet_twice_and_late(t, _who):
    """The copy comes 50 us later, behind the answers."""
    frames, flows = mirrored_connections(t.v)
    t.frames = captured_twice(frames, 0.00005)
    return flows


if __name__ == "__main__":
    sys.exit(1 if run_all(planned()) else 0)
