# SPDX-License-Identifier: GPL-2.0
"""Connections that open oddly."""
import contextlib

from bed import (ACK, ADDR, CLIENT_OPEN, Counted, FIN, FIRST, HOSTS, PSH, SECOND, SERVER_OPEN, SYN,
                 both, close_to, connect, delay, equal, everywhere, flags_of, key_of, listen,
                 pair_of, pairs_are, reset, setting, stream, table, talk, true, until, wire)
from .common import UP


def service(name, v, port):
    """The row of a service at the server."""
    return [r for r in table(name, "services")
            if (r["addr"], r["port"]) == (ADDR[v]["server"], str(port))][0]


@both
def accept_queue_full(v):
    """The client's ACK finds the accept queue full, so the server sends its SYN|ACK again."""
    delay(200)
    try:
        with contextlib.closing(listen("server", v, 7030, 1)) as listener:
            first = connect("client", v, 7030)
            c = stream("client", v)
            key = key_of(v, c, 7030)
            c.setblocking(False)
            c.connect_ex((ADDR[v]["server"], 7030))
            pairs_are(key, "SYN_SENT:SYN_RCVD", hosts=("server",))
            listener.listen(0)
            since = Counted()
            pairs_are(key, UP)
            until(lambda: since.grown("client", "synack_resent"), "the SYN|ACK is sent again")
            for name in HOSTS:
                true(since.grown(name, "synack_resent"), f"synack_resent at {name}")
                true("synack-resent" in flags_of(name, key), f"flag at {name}")
                row = service(name, v, 7030)
                equal(row["synack_resent"], str(since.grown(name, "synack_resent")), name)
            others = [listener.accept()[0]]
            others.append(listener.accept()[0])
            c.settimeout(10)
            talk(c, others[-1])
            everywhere(key, CLIENT_OPEN, SERVER_OPEN)
            close_to(first, c, *others)
    finally:
        delay(0)


@both
def split_handshake_with_a_bare_syn(v):
    """The server answers SYN with SYN; the client's socket takes it for a simultaneous open."""
    c = stream("client", v)
    c.setblocking(False)
    key = key_of(v, c, 7031)
    with wire(v, c.getsockname()[1], 7031, mute=("server",)) as w:
        w.listen("server")
        c.connect_ex((ADDR[v]["server"], 7031))
        flags, isn, _ = w.hear("server")
        equal(flags & (SYN | ACK), SYN)
        w.send("server", SYN, 9000)
        equal(w.hear("server"), (SYN | ACK, isn, 9001))
        w.send("server", ACK, 9001, isn + 1)
        everywhere(key, "SYN_SENT SYN_RCVD ESTABLISHED", "LISTEN SYN_SENT ESTABLISHED")
        w.send("server", ACK | PSH, 9001, isn + 1, b"banner")
        c.settimeout(10)
        equal(c.recv(6), b"banner")
        since = Counted()
        reset(c)
        everywhere(key, "SYN_SENT SYN_RCVD ESTABLISHED CLOSED",
                   "LISTEN SYN_SENT ESTABLISHED CLOSED")
        since.grew(rst_unproven=0, rst_challenged=0)


@both
def split_handshake_with_an_ack_before_the_syn(v):
    """The ACK alone establishes nothing; the SYN after it opens."""
    c = stream("client", v)
    c.setblocking(False)
    key = key_of(v, c, 7032)
    with wire(v, c.getsockname()[1], 7032, mute=("server",)) as w:
        w.listen("server")
        c.connect_ex((ADDR[v]["server"], 7032))
        isn = w.hear("server")[1]
        since = Counted()
        w.send("server", ACK, 5000, isn + 1)
        since.grew(handshake_ack=1)
        pairs_are(key, "SYN_SENT:LISTEN")
        w.send("server", SYN, 9000)
        equal(w.hear("server"), (SYN | ACK, isn, 9001))
        w.send("server", ACK, 9001, isn + 1)
        everywhere(key, "SYN_SENT SYN_RCVD ESTABLISHED", "LISTEN SYN_SENT ESTABLISHED")
        reset(c)


@both
def tcp_fast_open(v):
    """The server's application has data and answers it before the handshake is over."""
    with setting("client", tcp_fastopen=0x5), setting("server", tcp_fastopen=0x602):
        delay(400)          # there and back, just less than when a SYN is sent again
        try:
            with contextlib.closing(listen("server", v, 7033)) as listener:
                c = stream("client", v)
                key = key_of(v, c, 7033)
                c.sendto(b"hello", 0x20000000, (ADDR[v]["server"], 7033))     # MSG_FASTOPEN
                s, _ = listener.accept()
                equal(s.recv(5), b"hello")
                equal(pair_of("server", key), "SYN_SENT:SYN_RCVD")
                s.send(b"welcome")
                equal(pair_of("server", key), "SYN_SENT:SYN_RCVD")
                since = Counted()
                equal(c.recv(7), b"welcome")
                pairs_are(key, UP)
                close_to(c, s)
                until(lambda: pair_of("client", key) in ("TIME_WAIT:CLOSED", "TIME_WAIT:TIME_WAIT"),
                      "closed")
                since.grew(data_retrans=0, handshake_ack=0, seq_old=0)
        finally:
            delay(0)


@both
def syn_with_data_that_is_not_taken(v):
    """The server acknowledges the SYN only, so the data counts from when it is sent again."""
    with wire(v) as w:
        w.send("client", SYN, 100, data=b"d" * 300)
        w.send("server", SYN | ACK, 300, 101)
        w.send("client", ACK, 101, 301)
        since = Counted()
        w.send("client", ACK | PSH, 101, 301, b"d" * 300)
        since.grew(data_retrans=0, gap=0)
        w.send("server", FIN | ACK, 301, 401)
        w.send("client", FIN | ACK, 401, 302)
        w.send("server", ACK, 302, 402)
        everywhere(w.key, f"{CLIENT_OPEN} {SECOND}", f"{SERVER_OPEN} {FIRST}")
