#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The hard cases, each a scenario of its own: forged segments, crashes, lost segments, options,
and what a host does to flows that it forwards."""
import contextlib
import ctypes
import fcntl
import mmap
import os
import select
import socket
import struct
import sys
import threading
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../truth"))
# pylint: disable=wrong-import-position
import sockets
from bed import (ACK, ADDR, CLIENT_OPEN, FAMILY, FIN, FIRST, HOSTS, PSH, RST, SECOND, SERVER_OPEN,
                 SYN, Counted, add_host, address, both, close_to, connect, counters, delay,
                 dropped, equal, everywhere, extra_host, flags_of, flow, forwards, is_tuple, key_of,
                 libc, link, listen, log_of, main, nft, numbers, pair, pair_of, pairs_are, path,
                 received, reset, run, setting, stream, sysctl, table, talk, test, timeout, true,
                 tuple_of, until, vanish, wire, wire_into, within, write)

UP = "ESTABLISHED:ESTABLISHED"


def service(name, v, port):
    """The row of a service at the server."""
    return [r for r in table(name, "services")
            if (r["addr"], r["port"]) == (ADDR[v]["server"], str(port))][0]


def attacker():
    """Somebody behind the router who sends with the client's address."""
    return extra_host("attacker", 3)


# ---- forged segments ----

@both
def inexact_rst_is_challenged(v):
    """The socket answers with a challenge ACK and lives; the flow is suspect until both talk."""
    c, s = pair(v, 7001)
    key = key_of(v, c, 7001)
    seq = numbers(s)[1]
    with attacker(), wire_into(v, c, 7001) as w:
        since = Counted()
        w.send("client", RST, seq + 1000, via="attacker")
        since.grew(rst_challenged=(0, 1, 1))
        pairs_are(key, UP)
        equal(["suspect" in flags_of(name, key) for name in HOSTS], [False, True, True])
        talk(c, s)
        equal(["suspect" in flags_of(name, key) for name in HOSTS], [False, False, False])
        pairs_are(key, UP)
    close_to(c, s)
    everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}")


@both
def rst_outside_the_window_is_dropped(v):
    c, s = pair(v, 7002)
    key = key_of(v, c, 7002)
    seq = numbers(s)[1]
    with attacker(), wire_into(v, c, 7002) as w:
        since = Counted()
        w.send("client", RST, seq - 1, via="attacker")
        w.send("client", RST, seq + (1 << 30), via="attacker")
        since.grew(rst_out_of_window=(0, 2, 2), rst_challenged=0)
    talk(c, s)
    pairs_are(key, UP)
    close_to(c, s)


@both
def exact_forged_rst_leaves_the_other_end_half_open(v):
    """It never passes the client, who finds out when its data is answered with a RST."""
    c, s = pair(v, 7003)
    key = key_of(v, c, 7003)
    with attacker(), wire_into(v, c, 7003) as w:
        w.send("client", RST, numbers(s)[1], via="attacker")
    pairs_are(key, UP, "CLOSED:CLOSED", "CLOSED:CLOSED")
    since = Counted("client")
    c.send(b"are you there?")
    everywhere(key, f"{CLIENT_OPEN} CLOSED", f"{SERVER_OPEN} CLOSED")
    equal(log_of("client", key)[-1]["cause"], "RCV_RST")
    since.grew(closed_segment=0)
    close_to(c, s)


@both
def exact_rst_that_is_lost_behind_the_router_is_put_right(v):
    c, s = pair(v, 7004)
    key = key_of(v, c, 7004)
    with attacker(), wire_into(v, c, 7004) as w, \
         dropped("server", "tcp flags & rst == rst"):
        since = Counted()
        w.send("client", RST, numbers(s)[1], via="attacker")
        pairs_are(key, UP, "CLOSED:CLOSED", UP)
        talk(c, s)
        since.grew(rst_ignored=(0, 1, 0))
    pairs_are(key, UP)
    true("corrected" in flags_of("router", key), "marked as corrected")
    close_to(c, s)
    resumed = "CLOSED ESTABLISHED"
    everywhere(key, f"{CLIENT_OPEN} {resumed} {FIRST}", f"{SERVER_OPEN} {resumed} {SECOND}",
               ("router",))
    everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}", ("client", "server"))


@both
def syn_in_the_middle_is_challenged(v):
    """RFC 5961 4: the server answers with an ACK, and the SYN starts nothing."""
    c, s = pair(v, 7005)
    key = key_of(v, c, 7005)
    before = [flow(name, key)["flow"] for name in HOSTS]
    with attacker(), wire_into(v, c, 7005) as w:
        since = Counted()
        w.listen("client")
        w.send("client", SYN, numbers(s)[1] + 5000, via="attacker")
        equal(w.hear("client"), (ACK, *numbers(s)), "the challenge ACK")
        since.grew(syn_pending=(0, 1, 1), flows_opened=0, flows_reopened=0)
    talk(c, s)
    pairs_are(key, UP)
    equal([flow(name, key)["flow"] for name in HOSTS], before, "the flows")
    close_to(c, s)
    everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}")


@both
def synack_in_the_middle_moves_nothing(v):
    """An old SYN|ACK, forged towards the client, who answers with a challenge ACK."""
    c, s = pair(v, 7006)
    key = key_of(v, c, 7006)
    with attacker(), wire_into(v, c, 7006) as w:
        since = Counted()
        w.listen("server")
        w.send("server", SYN | ACK, numbers(c)[1] - 100000, numbers(c)[0] - 100000, via="attacker")
        equal(w.hear("server"), (ACK, *numbers(c)), "the challenge ACK")
        since.grew(synack_unexpected=(1, 1, 0), synack_resent=0)
    talk(c, s)
    pairs_are(key, UP)
    close_to(c, s)
    everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}")


@both
def old_synack_after_reuse_does_not_open(v):
    """The tuple is in its second life; a SYN|ACK of the first one comes late."""
    with wire(v) as w:
        for isn in (100, 900000):
            w.send("client", SYN, isn)
            if isn != 100:
                since = Counted()
                w.send("server", SYN | ACK, 300, 101)
                since.grew(synack_bad_ack=1)
                w.send("client", RST, 101)
                since.grew(rst_unproven=1)
                pairs_are(w.key, "SYN_SENT:LISTEN")
            w.send("server", SYN | ACK, isn + 200, isn + 1)
            w.send("client", ACK, isn + 1, isn + 201)
            w.send("client", FIN | ACK, isn + 1, isn + 201)
            w.send("server", FIN | ACK, isn + 201, isn + 2)
            w.send("client", ACK, isn + 2, isn + 202)
        for incarnation in (-2, -1):
            everywhere(w.key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}",
                       incarnation=incarnation)


@both
def old_synack_of_the_same_life_is_a_retransmission(v):
    with wire(v) as w:
        w.send("client", SYN, 100)
        w.send("server", SYN | ACK, 300, 101)
        w.send("client", ACK, 101, 301, b"x" * 50)
        w.send("server", ACK, 301, 151, b"y" * 50)
        w.send("client", ACK, 151, 351)
        since = Counted()
        w.send("server", SYN | ACK, 300, 101)
        since.grew(synack_resent=1, synack_unexpected=0)
        pairs_are(w.key, UP)


# ---- RFC 9293 figures 8 to 11, with sockets ----

@both
def old_syn_reaches_the_server_while_the_client_opens(v):
    """Figure 8: the client, in SYN_SENT, answers the bad ACK with a RST and stays."""
    with contextlib.closing(listen("server", v, 7010)) as listener, attacker():
        c = stream("client", v)
        key = key_of(v, c, 7010)
        with wire_into(v, c, 7010) as w:
            since = Counted()
            with dropped("router", "iifname to-client tcp flags & syn == syn"):
                c.setblocking(False)
                c.connect_ex((ADDR[v]["server"], 7010))
                pairs_are(key, "SYN_SENT:LISTEN", hosts=("client",))
                w.send("client", SYN, 90, via="attacker")
                everywhere(key, "SYN_SENT CLOSED", "LISTEN SYN_RCVD LISTEN", ("router", "server"))
                pairs_are(key, "SYN_SENT:LISTEN", hosts=("client",))
                since.grew(synack_bad_ack=(1, 0, 0), rst_unproven=(1, 0, 0), stale_syn=(0, 1, 1))
        s, _ = listener.accept()
        c.settimeout(10)
        talk(c, s)
        everywhere(key, CLIENT_OPEN, SERVER_OPEN)
        equal(len({r["flow"] for r in log_of("client", key)}), 1, "flows at the client")
        close_to(c, s)


@both
def bad_ack_in_syn_rcvd_is_answered_with_rst(v):
    """The server's socket resets the ACK's number and goes on waiting."""
    with contextlib.closing(listen("server", v, 7011)), \
         wire(v, dport=7011, mute=("client",)) as w:
        w.listen("client")
        w.send("client", SYN, 1000)
        flags, isn, ack = w.hear("client")
        equal((flags, ack), (SYN | ACK, 1001))
        since = Counted()
        w.send("client", ACK, 1001, isn + 7777)
        equal(w.hear("client")[:2], (RST, isn + 7777))
        since.grew(handshake_ack=1, rst_unproven=1)
        pairs_are(w.key, "SYN_SENT:SYN_RCVD")
        w.send("client", ACK, 1001, isn + 1)
        everywhere(w.key, CLIENT_OPEN, SERVER_OPEN)


@both
def peer_rebooted_and_connects_anew(v):
    """Figure 9: its SYN meets the old connection; ACK, RST, and the SYN again."""
    with contextlib.closing(listen("server", v, 7012)) as listener:
        c = connect("client", v, 7012)
        old, _ = listener.accept()
        key = key_of(v, c, 7012)
        port = c.getsockname()[1]
        pairs_are(key, UP)
        since = Counted()
        vanish(c)
        c = stream("client", v, port)
        c.connect((ADDR[v]["server"], 7012))
        s, _ = listener.accept()
        talk(c, s)
        since.grew(syn_pending=1, ended_rst=1)
        everywhere(key, f"{CLIENT_OPEN} CLOSED", f"{SERVER_OPEN} CLOSED", incarnation=-2)
        everywhere(key, CLIENT_OPEN, SERVER_OPEN)
        close_to(c, s, old)


@both
def peer_rebooted_and_is_sent_data(v):
    """Figure 10: whoever knows nothing of a connection resets it."""
    c, s = pair(v, 7013)
    key = key_of(v, c, 7013)
    pairs_are(key, UP)
    vanish(c)
    s.send(b"hello")
    everywhere(key, f"{CLIENT_OPEN} CLOSED", f"{SERVER_OPEN} CLOSED")
    for name in HOSTS:
        equal([r["cause"] for r in log_of(name, key)[-2:]], ["SND_RST", "RCV_RST"], name)
    s.close()


@both
def old_syn_between_two_listeners(v):
    """Figure 11: the client's port listens too; it resets what it did not ask for."""
    with contextlib.closing(listen("server", v, 7014)), \
         contextlib.closing(listen("client", v, 7015)), wire(v, 7015, 7014, mute=()) as w:
        since = Counted()
        w.send("client", SYN, 90)
        everywhere(w.key, "SYN_SENT CLOSED", "LISTEN SYN_RCVD LISTEN")
        since.grew(stale_syn=1)


# ---- closing badly ----

@both
def last_ack_lost(v):
    """The client shows TIME_WAIT; whoever has not seen its ACK shows LAST_ACK."""
    c, s = pair(v, 7020)
    key = key_of(v, c, 7020)
    c.close()
    equal(s.recv(1), b"")
    since = Counted()
    with dropped("router", "iifname to-client tcp dport 7020"):
        s.close()
        pairs_are(key, "TIME_WAIT:CLOSED", "FIN_WAIT_2:LAST_ACK", "FIN_WAIT_2:LAST_ACK")
        until(lambda: since.grown("client", "fin_retrans") >= 2, "the FIN is sent again")
        pairs_are(key, "TIME_WAIT:CLOSED", "FIN_WAIT_2:LAST_ACK", "FIN_WAIT_2:LAST_ACK")
    everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}")
    true(since.grown("client", "time_wait_restarted") >= 2, "2MSL began anew with each")


@test
def fin_sent_again_until_the_socket_gives_up():
    """The peer is unreachable; the end is one without a segment."""
    with setting("client", tcp_orphan_retries=3), timeout("client", "closing", 1):
        c, s = pair(4, 7021)
        key = key_of(4, c, 7021)
        pairs_are(key, UP)
        since = Counted()
        with dropped("router", "iifname to-client tcp dport 7021"):
            c.close()
            until(lambda: since.grown("client", "fin_retrans") >= 3, "three times again")
            pairs_are(key, "FIN_WAIT_1:ESTABLISHED", UP, UP)
            everywhere(key, f"{CLIENT_OPEN} FIN_WAIT_1", SERVER_OPEN, ("client",))
            until(lambda: path("client", key, "orig")[-1] == "CLOSED", "the socket is gone", 20)
        equal(log_of("client", key)[-1]["cause"], "GONE")
        everywhere(key, CLIENT_OPEN, SERVER_OPEN, ("router", "server"))
        s.close()


@both
def fin_behind_a_hole(v):
    """A FIN that the server has but cannot take yet, for data before it was lost."""
    c, s = pair(v, 7022)
    key = key_of(v, c, 7022)
    length = 333 + 32 + (20 if v == 4 else 40)
    with dropped("router", f"iifname to-client meta length {length}"):
        c.send(b"l" * 333)
        c.send(b"m" * 100)
        c.close()
        pairs_are(key, "FIN_WAIT_1:ESTABLISHED")
        time.sleep(0.3)
        pairs_are(key, "FIN_WAIT_1:ESTABLISHED")
    received(s, 433)
    pairs_are(key, "FIN_WAIT_2:CLOSE_WAIT")
    s.close()
    everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}")


@both
def rst_after_fin(v):
    c, s = pair(v, 7023)
    key = key_of(v, c, 7023)
    c.shutdown(socket.SHUT_WR)
    pairs_are(key, "FIN_WAIT_2:CLOSE_WAIT")
    reset(s)
    everywhere(key, f"{CLIENT_OPEN} FIN_WAIT_1 FIN_WAIT_2 CLOSED",
               f"{SERVER_OPEN} CLOSE_WAIT CLOSED")
    for name in HOSTS:
        equal([r["cause"] for r in log_of(name, key)[-2:]], ["SND_RST", "RCV_RST"], name)
    c.close()


@both
def data_to_a_closed_end_is_answered_with_rst(v):
    """The client has closed both ways; the server goes on sending."""
    c, s = pair(v, 7024)
    key = key_of(v, c, 7024)
    c.close()
    pairs_are(key, "FIN_WAIT_2:CLOSE_WAIT")
    since = Counted()
    s.send(b"more")
    everywhere(key, f"{CLIENT_OPEN} FIN_WAIT_1 FIN_WAIT_2 CLOSED",
               f"{SERVER_OPEN} CLOSE_WAIT CLOSED")
    since.grew(rst_unproven=0, rst_out_of_window=0, rst_challenged=0)
    s.close()


@both
def data_after_the_own_fin_moves_nothing(v):
    c, s = pair(v, 7025)
    key = key_of(v, c, 7025)
    with wire_into(v, c, 7025) as w:
        seq, ack = numbers(c)
        c.shutdown(socket.SHUT_WR)
        pairs_are(key, "FIN_WAIT_2:CLOSE_WAIT")
        since = Counted()
        w.send("client", ACK | PSH, seq + 1, ack, b"after the end")
        since.grew(seq_beyond_fin=1)
        pairs_are(key, "FIN_WAIT_2:CLOSE_WAIT")
        s.close()
    everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}")
    c.close()


# ---- opening oddly ----

@both
def accept_queue_full(v):
    """Its last ACK finds the queue full, so the server sends the SYN|ACK again."""
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
    """The server acknowledges the SYN only; the data is sent again."""
    with wire(v) as w:
        w.send("client", SYN, 100, data=b"d" * 300)
        w.send("server", SYN | ACK, 300, 101)
        w.send("client", ACK, 101, 301)
        since = Counted()
        w.send("client", ACK | PSH, 101, 301, b"d" * 300)
        since.grew(data_retrans=1)
        w.send("server", FIN | ACK, 301, 401)
        w.send("client", FIN | ACK, 401, 302)
        w.send("server", ACK, 302, 402)
        everywhere(w.key, f"{CLIENT_OPEN} {SECOND}", f"{SERVER_OPEN} {FIRST}")


# ---- options, windows, probes ----

def sign(s, v, peer):
    """TCP_MD5SIG: the peer's segments carry the option, and ours."""
    address = socket.inet_pton(FAMILY[v], ADDR[v][peer])
    if v == 4:
        where = struct.pack("=HH4s", FAMILY[v], 0, address)
    else:
        where = struct.pack("=HHI16s", FAMILY[v], 0, 0, address)
    s.setsockopt(socket.IPPROTO_TCP, 14, struct.pack("=128sBBHi80s", where, 0, 0, 6, 0, b"secret"))


def signed_pair(v, port):
    """A connection whose segments are signed; its key, and the two sockets."""
    with contextlib.closing(listen("server", v, port)) as listener:
        sign(listener, v, "client")
        c = stream("client", v)
        sign(c, v, "server")
        key = key_of(v, c, port)
        c.connect((ADDR[v]["server"], port))
        s, _ = listener.accept()
        talk(c, s)
        return key, c, s


@both
def signed_with_md5(v):
    """A forged RST, exact but not signed, is nothing to the sockets: the flow resumes."""
    key, c, s = signed_pair(v, 7040)
    with attacker(), wire_into(v, c, 7040) as w:
        since = Counted()
        w.send("client", RST, numbers(s)[1], via="attacker")
        pairs_are(key, UP, "CLOSED:CLOSED", "CLOSED:CLOSED")
        talk(c, s)
        since.grew(rst_ignored=(0, 1, 1))
        pairs_are(key, UP)
    close_to(c, s)
    everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}", ("client",))
    everywhere(key, f"{CLIENT_OPEN} CLOSED ESTABLISHED {FIRST}",
               f"{SERVER_OPEN} CLOSED ESTABLISHED {SECOND}", ("router", "server"))


@both
def rst_that_the_socket_did_not_take_is_put_right_when_it_is_asked(v):
    """The server's end alone: the RST may have been the client's, for all that it knows."""
    key, c, s = signed_pair(v, 7041)
    with attacker(), wire_into(v, c, 7041) as w:
        since = Counted("server")
        w.send("client", RST, numbers(s)[1], via="attacker")
        pairs_are(key, UP, "CLOSED:CLOSED", "CLOSED:CLOSED")
        with timeout("server", "closed", 1):
            pairs_are(key, "CLOSED:ESTABLISHED", hosts=("server",))
        since.grew(rst_ignored=1)
        true("suspect" in flags_of("server", key), "marked as suspect")
        talk(c, s)
    pairs_are(key, UP)
    close_to(c, s)


@both
def late_segment_with_a_syn_cookie_revives_the_socket(v):
    """Its connection is over, its cookie still good: nothing tells until the socket speaks."""
    with setting("server", tcp_syncookies=2), \
         contextlib.closing(listen("server", v, 7042)) as listener, \
         wire(v, dport=7042, mute=("client",)) as w:
        w.listen("client")
        w.send("client", SYN, 100)
        _, isn, _ = w.hear("client")
        w.send("client", ACK, 101, isn + 1)
        with contextlib.closing(listener.accept()[0]):
            w.send("client", RST, 101)
            pairs_are(w.key, "CLOSED:CLOSED")
            w.send("client", ACK, 101, isn + 1)
            listener.settimeout(5)
            with contextlib.closing(listener.accept()[0]) as revived:
                pairs_are(w.key, "CLOSED:CLOSED")
                revived.sendall(b"I am here")
                pairs_are(w.key, UP)
                true("corrected" in flags_of("server", w.key), "as if the RST had been none")
                w.send("client", RST, 101)


def stack(name, counter):
    """One of TcpExt's."""
    with within(name), open("/proc/thread-self/net/netstat", encoding="ascii") as f:
        names, values = (next(f).split() for _ in range(2))
    return int(values[names.index(counter)])


@contextlib.contextmanager
def page_to_wait_for():
    """Memory (bytes-like), a file that can be read once somebody waits for it, and an end to that."""
    page = mmap.mmap(-1, mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    start = ctypes.addressof(ctypes.c_char.from_buffer(page))
    flags = os.O_CLOEXEC | os.O_NONBLOCK    # it cannot be waited for without the latter
    faults = libc.syscall(ctypes.c_long(323), ctypes.c_long(flags))     # userfaultfd()
    true(faults >= 0, f"userfaultfd(): {os.strerror(ctypes.get_errno())}")
    try:
        fcntl.ioctl(faults, 0xc018aa3f, struct.pack("QQQ", 0xaa, 0, 0))         # UFFDIO_API
        fcntl.ioctl(faults, 0xc020aa00,                                         # UFFDIO_REGISTER
                    struct.pack("QQQQ", start, mmap.PAGESIZE, 1, 0))
        yield page, faults, lambda: fcntl.ioctl(faults, 0xc020aa04,             # UFFDIO_ZEROPAGE
                                                struct.pack("QQQq", start, mmap.PAGESIZE, 0, 0))
    finally:
        os.close(faults)


@both
def fin_and_its_ack_joined_by_a_socket_in_use(v):
    """One by one they make CLOSING; the socket, busy copying to its user, takes both at once."""
    c = stream("client", v)
    c.setblocking(False)
    key = key_of(v, c, 7043)
    sockets.start()
    with wire(v, c.getsockname()[1], 7043, mute=("server",)) as w, \
         page_to_wait_for() as (page, faults, fill):
        w.listen("server")
        c.connect_ex((ADDR[v]["server"], 7043))
        isn = w.hear("server")[1]
        w.send("server", SYN | ACK, 9000, isn + 1)
        w.send("server", ACK, 9001, isn + 1, b"d")
        c.shutdown(socket.SHUT_WR)
        c.setblocking(True)
        reader = threading.Thread(target=c.recv_into, args=(page,))
        reader.start()
        true(select.select([faults], [], [], 5)[0], "it holds the socket")
        w.send("server", FIN | ACK, 9002, isn + 1)
        joined = stack("client", "TCPBacklogCoalesce")
        w.send("server", ACK, 9003, isn + 2)
        until(lambda: stack("client", "TCPBacklogCoalesce") > joined, "the ACK is there, too")
        fill()
        reader.join()
        everywhere(key, f"{CLIENT_OPEN} FIN_WAIT_1 CLOSING TIME_WAIT",
                   "LISTEN SYN_RCVD ESTABLISHED FIN_WAIT_1 CLOSING TIME_WAIT")
        lives = sockets.told(set(ADDR[v].values()), {7043})
        equal(lives[key][-1].path,
              f"{CLIENT_OPEN} FIN_WAIT_1 FIN_WAIT_2 {sockets.HANDED_OVER}".split(), "the socket")
    sockets.stop()
    c.close()


@both
def options_of_tcp_ao_hide_nothing(v):
    """The window scale stands behind the AO option, and counts."""
    ao = bytes((29, 16, 1, 1)) + b"m" * 12
    with wire(v) as w:
        since = Counted()
        w.send("client", SYN, 100, win=1000, options=ao + b"\3\3\7\1")
        w.send("server", SYN | ACK, 300, 101, win=1000, options=ao + b"\3\3\7\1")
        w.send("client", ACK, 101, 301, win=1000, options=ao)
        w.send("server", ACK, 301, 101, win=1000, options=ao)
        w.send("client", FIN | ACK, 101 + 127000, 301, options=ao)
        everywhere(w.key, f"{CLIENT_OPEN} FIN_WAIT_1", SERVER_OPEN)
        since.grew(seq_beyond_window=0, short_header=0)


@both
def keepalive_probes(v):
    """A byte below what was sent, again and again: nothing moves."""
    c, s = pair(v, 7041)
    key = key_of(v, c, 7041)
    pairs_are(key, UP)
    since = Counted()
    for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1)):
        c.setsockopt(socket.IPPROTO_TCP, option, value)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    until(lambda: since.grown("client", "keepalive") >= 2, "two probes")
    for name in HOSTS:
        true(since.grown(name, "keepalive") >= 2, name)
    since.grew(data_retrans=0, seq_old=0)
    everywhere(key, CLIENT_OPEN, SERVER_OPEN)
    close_to(c, s)
    everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}")


@both
def keepalives_unanswered_end_silently(v):
    """The peer is unreachable: the socket times out, and sends a RST that reaches nobody."""
    c, s = pair(v, 7042)
    key = key_of(v, c, 7042)
    pairs_are(key, UP)
    with dropped("router", "iifname to-client tcp dport 7042"):
        for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1),
                              (socket.TCP_KEEPCNT, 2)):
            c.setsockopt(socket.IPPROTO_TCP, option, value)
        c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        pairs_are(key, "CLOSED:CLOSED", UP, UP)
        time.sleep(0.1)
    close_to(c, s)
    everywhere(key, f"{CLIENT_OPEN} CLOSED", f"{SERVER_OPEN} CLOSED", ("client",))
    everywhere(key, f"{CLIENT_OPEN} CLOSED", f"{SERVER_OPEN} FIN_WAIT_1 CLOSED",
               ("router", "server"))


@both
def shrunken_window_does_not_refuse_what_was_granted(v):
    with wire(v) as w:
        w.send("client", SYN, 100)
        w.send("server", SYN | ACK, 300, 101, win=20000)
        w.send("client", ACK, 101, 301)
        w.send("server", ACK, 301, 101, win=20000)
        w.send("server", ACK, 301, 101, win=100)
        since = Counted()
        w.send("client", ACK, 101 + 18500, 301, b"z" * 1000)
        since.grew(seq_beyond_window=0)
        w.send("client", FIN | ACK, 101 + 20500, 301)
        since.grew(seq_beyond_window=1)
        pairs_are(w.key, UP)
        w.send("client", FIN | ACK, 101 + 19500, 301)
        everywhere(w.key, f"{CLIENT_OPEN} FIN_WAIT_1", SERVER_OPEN)


@both
def fin_behind_a_closed_window(v):
    """The socket has closed; on the wire it has not, for the FIN waits behind data."""
    with contextlib.closing(listen("server", v, 7043)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        c = connect("client", v, 7043)
        s, _ = listener.accept()
        key = key_of(v, c, 7043)
        c.setblocking(False)
        sent = 0
        with contextlib.suppress(BlockingIOError):
            while sent < 30000:
                sent += c.send(b"w" * 1000)
        since = Counted()
        c.close()
        time.sleep(0.5)
        pairs_are(key, UP)
        since.grew(seq_beyond_window=0, ack_beyond=0, seq_old=0)
        s.settimeout(10)
        received(s, sent)
        equal(s.recv(1), b"")
        pairs_are(key, "FIN_WAIT_2:CLOSE_WAIT")
        s.close()
        everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}")


@both
def urgent_data(v):
    c, s = pair(v, 7044)
    key = key_of(v, c, 7044)
    since = Counted()
    c.send(b"!", socket.MSG_OOB)
    s.setblocking(False)
    until(lambda: recv_urgent(s) == b"!", "the urgent byte")
    pairs_are(key, UP)
    c.send(b"?", socket.MSG_OOB)
    c.close()
    s.close()
    until(lambda: path("client", key, "orig")[2:3] == ["FIN_WAIT_1"], "closing")
    since.grew(bad_flags=0, no_ack=0)
    with wire(v) as w:
        w.send("client", SYN, 100)
        w.send("server", SYN | ACK, 300, 101)
        w.send("client", ACK, 101, 301)
        w.send("client", FIN | ACK | PSH | 32, 101, 301, b"last", urgent=3)
        w.send("server", ACK, 301, 106)
        pairs_are(w.key, "FIN_WAIT_2:CLOSE_WAIT")


def recv_urgent(s):
    try:
        return s.recv(1, socket.MSG_OOB)
    except OSError:
        return None


def old_timestamp(s):
    """Long before any that this socket has sent."""
    now = s.getsockopt(socket.IPPROTO_TCP, 24)      # TCP_TIMESTAMP
    return b"\1\1\x08\x0a" + struct.pack("!II", (now - 1000000) & 0xffffffff, 0)


@both
def old_timestamp_is_dropped_by_the_socket(v):
    """PAWS: in the window, and yet refused. The observer must not believe the FIN was taken."""
    c, s = pair(v, 7045)
    key = key_of(v, c, 7045)
    talk(c, s)
    with attacker(), wire_into(v, c, 7045) as w:
        seq, ack = numbers(c)
        w.listen("client")
        w.send("client", FIN | ACK, seq, ack, options=old_timestamp(c), via="attacker")
        equal(w.hear("client"), (ACK, ack, seq), "the ACK that answers it")
        pairs_are(key, UP, "FIN_WAIT_1:ESTABLISHED", "FIN_WAIT_1:ESTABLISHED")
        for _ in range(4):
            talk(c, s)
        pairs_are(key, UP)
    close_to(c, s)
    pairs_are(key, "TIME_WAIT:CLOSED")


@both
def refused_data_does_not_hide_the_fin_that_follows(v):
    """PAWS again: data that the socket dropped lies where the client's FIN will be."""
    c, s = pair(v, 7046)
    key = key_of(v, c, 7046)
    talk(c, s)
    with attacker(), wire_into(v, c, 7046) as w:
        seq, ack = numbers(c)
        w.send("client", ACK | PSH, seq, ack, b"e" * 500, options=old_timestamp(c), via="attacker")
        pairs_are(key, UP)
    c.close()
    equal(s.recv(1), b"")
    pairs_are(key, "FIN_WAIT_2:CLOSE_WAIT")
    s.close()
    everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}")


# ---- tuples again, and flows met late ----

@both
def tuple_reused_within_a_second(v):
    """Ten connections on one tuple, by turns closed by client, by server, and reset."""
    port = 45000 + v
    with contextlib.closing(listen("server", v, 7050)) as listener:
        key = tuple_of(v, port, 7050)
        since = Counted()
        for turn in range(9):
            c = stream("client", v, port)
            c.connect((ADDR[v]["server"], 7050))
            s, _ = listener.accept()
            talk(c, s)
            if turn % 3 == 0:
                reset(c)
                orig, resp = "CLOSED", "CLOSED"
                pairs_are(key, "CLOSED:CLOSED")
            elif turn % 3 == 1:
                s.close()
                equal(c.recv(1), b"")
                c.close()
                orig, resp = SECOND, FIRST
                pairs_are(key, "CLOSED:TIME_WAIT")
            else:
                c.shutdown(socket.SHUT_WR)
                pairs_are(key, "FIN_WAIT_2:CLOSE_WAIT")
                reset(s)
                orig, resp = "FIN_WAIT_1 FIN_WAIT_2 CLOSED", "CLOSE_WAIT CLOSED"
                pairs_are(key, "CLOSED:CLOSED")
                c.close()
            everywhere(key, f"{CLIENT_OPEN} {orig}", f"{SERVER_OPEN} {resp}")
            s.close()
        since.grew(flows_opened=9, flows_reopened=8, flows_midstream=0, syn_pending=0)


def untracked():
    for name in HOSTS:
        sysctl(name, "enabled", 0)


def tracked():
    for name in HOSTS:
        sysctl(name, "enabled", 1)


@both
def met_in_syn_sent(v):
    """The SYN that is sent again is a SYN: the start was not missed."""
    untracked()
    with dropped("router", "iifname to-client tcp dport 7051"):
        c = stream("client", v)
        key = key_of(v, c, 7051)
        c.setblocking(False)
        c.connect_ex((ADDR[v]["server"], 7051))
        tracked()
        pairs_are(key, "SYN_SENT:LISTEN", hosts=("client",))
        equal(flags_of("client", key), {"local-orig"})
        c.close()


@both
def met_in_syn_rcvd(v):
    """The SYN|ACK that is sent again tells who is who."""
    untracked()
    with contextlib.closing(listen("server", v, 7052)), \
         wire(v, dport=7052, mute=("client",)) as w:
        w.listen("client")
        w.send("client", SYN, 1000)
        isn = w.hear("client")[1]
        tracked()
        # What made the client's SYN was no socket of it.
        pairs_are(w.key, "CLOSED:SYN_RCVD", "SYN_SENT:SYN_RCVD", "SYN_SENT:SYN_RCVD")
        for name in HOSTS:
            true({"midstream", "unconfirmed"} <= flags_of(name, w.key), name)
        w.send("client", ACK, 1001, isn + 1)
        pairs_are(w.key, UP)
        w.send("client", RST, 1001)
        pairs_are(w.key, "CLOSED:CLOSED")


@both
def met_in_fin_wait_1(v):
    c, s = pair(v, 7053)
    key = key_of(v, c, 7053)
    untracked()
    with dropped("router", "iifname to-client tcp dport 7053"):
        c.shutdown(socket.SHUT_WR)
        tracked()
        pairs_are(key, "FIN_WAIT_1:ESTABLISHED", hosts=("client",))
        equal(flags_of("client", key), {"midstream", "local-orig"})
    pairs_are(key, "FIN_WAIT_2:CLOSE_WAIT")
    s.close()
    pairs_are(key, "TIME_WAIT:CLOSED")
    c.close()


@both
def met_in_closing(v):
    """Who missed the client's first FIN takes the second one for an answer."""
    c, s = pair(v, 7054)
    key = key_of(v, c, 7054)
    untracked()
    with dropped("router", "iifname to-client tcp dport 7054"):
        c.shutdown(socket.SHUT_WR)
        s.shutdown(socket.SHUT_WR)
        equal(c.recv(1), b"")
        until(lambda: c.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == 11, "CLOSING")
        tracked()
        until(lambda: path("client", key, "orig")[:1] == ["CLOSING"],
              lambda: path("client", key, "orig"))
        pairs_are(key, "ESTABLISHED:FIN_WAIT_1", hosts=("server",))
    pairs_are(key, "TIME_WAIT:TIME_WAIT", "CLOSED:TIME_WAIT", "CLOSED:TIME_WAIT")
    close_to(c, s)


@both
def met_in_last_ack(v):
    """Both hosts' sockets know of the server's FIN; the router has no means to."""
    c, s = pair(v, 7055)
    key = key_of(v, c, 7055)
    untracked()
    s.shutdown(socket.SHUT_WR)
    equal(c.recv(1), b"")
    with dropped("router", "iifname to-client tcp dport 7055"):
        c.close()
        tracked()
        pairs_are(key, "LAST_ACK:FIN_WAIT_2", hosts=("client",))
    pairs_are(key, "CLOSED:TIME_WAIT", "FIN_WAIT_2:CLOSE_WAIT", "CLOSED:TIME_WAIT")
    s.close()


@both
def met_in_time_wait(v):
    c, s = pair(v, 7056)
    key = key_of(v, c, 7056)
    untracked()
    c.close()
    equal(s.recv(1), b"")
    with dropped("router", "iifname to-client tcp dport 7056"):
        s.close()
        time.sleep(0.05)
        tracked()
        pairs_are(key, "TIME_WAIT:CLOSED", hosts=("client",))
        equal(path("client", key, "orig"), ["TIME_WAIT"])
        equal(path("client", key, "resp"), ["LAST_ACK", "CLOSED"])
    pairs_are(key, "TIME_WAIT:CLOSED", hosts=("server",))


# ---- ways ----

@contextlib.contextmanager
def bypass():
    """Another way between client and server, past the router."""
    add_host("bypass")
    try:
        for side, net, home in (("client", 4, 1), ("server", 5, 2)):
            link(side, "eth1", "bypass", f"to-{side}", net)
            for v in (4, 6):
                run("ip", "-n", "bypass", "route", "add", ADDR[v][side], "via", address(v, net))
        forwards("bypass")
        yield
    finally:
        for side in ("client", "server"):
            run("ip", "-n", side, "link", "del", "eth1")
        run("ip", "netns", "del", "bypass")


def send_by(name, v, way):
    """From now on, a host sends to the other by the bypass or by the router."""
    other, net = ("server", 4) if name == "client" else ("client", 5)
    if way == "bypass":
        run("ip", "-n", name, "route", "replace", ADDR[v][other], "via", address(v, net, 2))
    else:
        run("ip", "-n", name, "route", "del", ADDR[v][other])


@both
def router_sees_the_client_only_then_the_server_only(v):
    with bypass():
        send_by("server", v, "bypass")
        c, s = pair(v, 7101)
        key = key_of(v, c, 7101)
        everywhere(key, CLIENT_OPEN, SERVER_OPEN)
        equal(flags_of("router", key), {"one-way", "unconfirmed", "forwarded"})
        talk(c, s)
        equal(flow("router", key)["resp_packets"], "0")
        send_by("server", v, "router")
        send_by("client", v, "bypass")
        before = flow("router", key)["orig_packets"]
        for _ in range(3):
            talk(c, s)
        pairs_are(key, UP)
        equal(flow("router", key)["orig_packets"], before)
        true("unconfirmed" not in flags_of("router", key), "both ends have proved alive")
        send_by("client", v, "router")
        talk(c, s)
        close_to(c, s)
        everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}")


@both
def router_sees_the_server_only_then_the_client_only(v):
    with bypass():
        send_by("client", v, "bypass")
        c, s = pair(v, 7102)
        key = key_of(v, c, 7102)
        talk(c, s)
        everywhere(key, CLIENT_OPEN, "SYN_RCVD ESTABLISHED", ("router",))
        equal(flow("router", key)["orig_packets"], "0")
        true({"one-way", "midstream"} <= flags_of("router", key), flags_of("router", key))
        send_by("client", v, "router")
        send_by("server", v, "bypass")
        for _ in range(3):
            talk(c, s)
        pairs_are(key, UP)
        send_by("server", v, "router")
        talk(c, s)
        true("unconfirmed" not in flags_of("router", key), "both ends have proved alive")
        close_to(c, s)
        everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"SYN_RCVD ESTABLISHED {SECOND}", ("router",))


def exchange(c, s, size=8 << 20):
    """Much data both ways."""
    for one, other in ((c, s), (s, c)):
        sender = threading.Thread(target=one.sendall, args=(b"b" * size,))
        sender.start()
        received(other, size)
        sender.join()


@both
def thousands_of_segments_go_another_way(v):
    """Numbers that both ends agree on are learnt anew."""
    with bypass():
        c, s = pair(v, 7103)
        key = key_of(v, c, 7103)
        talk(c, s)
        first = flow("router", key)["flow"]
        send_by("client", v, "bypass")
        send_by("server", v, "bypass")
        before = flow("router", key)
        exchange(c, s)
        equal(flow("router", key)["orig_packets"], before["orig_packets"])
        send_by("client", v, "router")
        send_by("server", v, "router")
        since = Counted("router")
        for _ in range(3):
            talk(c, s)
        since.grew(reanchored=1, flows_midstream=0)
        equal(flow("router", key)["flow"], first)
        true({"gap", "reanchored"} <= flags_of("router", key), flags_of("router", key))
        close_to(c, s)
        everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}")


@both
def thousands_of_segments_go_another_way_and_then_the_end(v):
    """The first that comes back by the router are the FINs."""
    with bypass():
        c, s = pair(v, 7104)
        key = key_of(v, c, 7104)
        talk(c, s)
        send_by("client", v, "bypass")
        send_by("server", v, "bypass")
        exchange(c, s)
        send_by("client", v, "router")
        send_by("server", v, "router")
        c.close()
        equal(s.recv(1), b"")
        s.close()
        everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}", ("client", "server"))
        everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}", ("router",))


@both
def tracking_is_off_for_thousands_of_segments(v):
    c, s = pair(v, 7105)
    key = key_of(v, c, 7105)
    talk(c, s)
    sysctl("router", "enabled", 0)
    exchange(c, s)
    sysctl("router", "enabled", 1)
    equal(flow("router", key), None)
    c.send(b"x")
    pairs_are(key, UP)
    equal(flags_of("router", key), {"midstream", "unconfirmed", "forwarded"})
    received(s, 1)
    talk(c, s)
    until(lambda: flags_of("router", key) == {"midstream", "forwarded"}, "confirmed")
    close_to(c, s)
    everywhere(key, f"ESTABLISHED {FIRST}", f"ESTABLISHED {SECOND}", ("router",))
    everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}", ("client", "server"))


# ---- translation ----

def nat(hook, rule, v):
    """A NAT rule; @ is the family's word."""
    priority = "-100" if hook in ("prerouting", "output") else "100"
    return (f"chain nat_{hook} {{ type nat hook {hook} priority {priority}; "
            f"{rule.replace('@', 'ip' if v == 4 else 'ip6')}; }};")


def at(v, where, port):
    return f"{where}:{port}" if v == 4 else f"[{where}]:{port}"


def key_of_active(c):
    """The tuple as the socket that connected knows it."""
    return (*map(str, c.getsockname()[:2]), *map(str, c.getpeername()[:2]))


def key_of_passive(s):
    """The tuple as the socket that was accepted knows it."""
    return (*map(str, s.getpeername()[:2]), *map(str, s.getsockname()[:2]))


def accept(listener):
    s, _ = listener.accept()
    s.settimeout(10)
    return s


def close_in_turn(c, s):
    """Talk, and close from the client's side."""
    talk(c, s)
    c.close()
    equal(s.recv(1), b"")
    s.close()


def whole(key, *hosts):
    """From the SYN to the last ACK, once, as if nothing had been translated."""
    everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}", hosts)
    for name in hosts:
        equal(len({r["flow"] for r in log_of(name, key)}), 1, f"flows at {name}")


ELSEWHERE = {4: "10.0.99.1", 6: "fd99::1"}


@both
def dnat_at_the_clients_output(v):
    """The socket knows another tuple than the wire; it is found all the same."""
    rules = nat("output", f"@ daddr {ELSEWHERE[v]} tcp dport 7111 dnat @ to "
                f"{at(v, ADDR[v]['server'], 7110)}", v)
    with nft("client", rules), contextlib.closing(listen("server", v, 7110)) as listener:
        c = connect("client", v, 7111, ELSEWHERE[v])
        s = accept(listener)
        key = key_of_passive(s)
        pairs_are(key, UP)
        true(int(flow("client", key)["orig_cookie"]), "the socket's cookie")
        # A flow whose socket lives is not timed out.
        with timeout("client", "established", 1):
            time.sleep(3)
            pairs_are(key, UP)
        close_in_turn(c, s)
        whole(key, *HOSTS)


@both
def another_socket_with_a_dead_ones_tuple_is_not_it(v):
    """Where NAT sent the first, it is silent; the tuple that its socket knew lives on, in another."""
    def route_to(port):
        return nat("output", f"@ daddr {ELSEWHERE[v]} tcp dport 7111 dnat @ to "
                   f"{at(v, ADDR[v]['server'], port)}", v)

    forgets = "/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established"
    with contextlib.closing(listen("server", v, 7110)) as first, \
         contextlib.closing(listen("server", v, 7115)) as second:
        with nft("client", route_to(7110)):
            with within("client"), open(forgets, encoding="ascii") as f:
                usual = f.read()
                write(forgets, 1)
            try:
                c = connect("client", v, 7111, ELSEWHERE[v])
                s = accept(first)
                old, sport = key_of_passive(s), c.getsockname()[1]
                pairs_are(old, UP)
                vanish(c)
                time.sleep(1.5)
            finally:
                with within("client"):
                    write(forgets, usual.strip())
        with nft("client", route_to(7115)):
            c = stream("client", v, sport)
            c.connect((ELSEWHERE[v], 7111))
            t = accept(second)
            new = key_of_passive(t)
            pairs_are(new, UP)
            with timeout("client", "established", 1):
                pairs_are(old, "CLOSED:ESTABLISHED", hosts=("client",))
                pairs_are(new, UP)
            equal([(r["end"], r["from"], r["to"]) for r in log_of("client", old)
                   if r["cause"] == "GONE"], [("orig", "ESTABLISHED", "CLOSED")], "how it went")
            close_in_turn(c, t)
        whole(new, *HOSTS)
        s.close()


@both
def dnat_and_masquerade_at_the_router(v):
    rules = (nat("prerouting", f"@ daddr {ELSEWHERE[v]} tcp dport 7112 dnat @ to "
                 f"{at(v, ADDR[v]['server'], 7110)}", v) +
             nat("postrouting", "oifname to-server masquerade", v))
    with nft("router", rules), contextlib.closing(listen("server", v, 7110)) as listener:
        c = connect("client", v, 7112, ELSEWHERE[v])
        s = accept(listener)
        equal(s.getpeername()[0], address(v, 2, 2), "masqueraded")
        outside, inside = key_of_active(c), key_of_passive(s)
        close_in_turn(c, s)
        whole(outside, "client")
        whole((*outside[:2], *inside[2:]), "router")
        whole(inside, "server")


@both
def snat_at_the_servers_input(v):
    """The server's socket takes the client for somebody else."""
    rules = nat("input", f"tcp dport 7110 snat @ to {ELSEWHERE[v]}", v)
    with nft("server", rules), contextlib.closing(listen("server", v, 7110)) as listener:
        c = connect("client", v, 7110)
        s = accept(listener)
        equal(s.getpeername()[0], ELSEWHERE[v], "source as the socket knows it")
        key = key_of_active(c)
        talk(c, s)
        true(int(flow("server", key)["resp_cookie"]), "the socket's cookie")
        with timeout("server", "established", 1):
            time.sleep(3)
            pairs_are(key, UP)
        close_in_turn(c, s)
        whole(key, *HOSTS)


@both
def redirect_at_the_server(v):
    rules = nat("prerouting", "tcp dport 7113 redirect to :7110", v)
    with nft("server", rules), contextlib.closing(listen("server", v, 7110)) as listener:
        c = connect("client", v, 7113)
        s = accept(listener)
        outside, inside = key_of_active(c), key_of_passive(s)
        close_in_turn(c, s)
        whole(outside, "client", "router")
        whole(inside, "server")


@both
def redirect_of_a_hosts_own_connection(v):
    """Outward bound, and turned back to a listener on the same host, over loopback."""
    local = {4: "127.0.0.1", 6: "::1"}[v]
    rules = nat("output", f"@ daddr {ELSEWHERE[v]} tcp dport 7113 redirect to :7110", v)
    with nft("client", rules), \
         contextlib.closing(listen("client", v, 7110, where=local)) as listener:
        c = connect("client", v, 7113, ELSEWHERE[v])
        s = accept(listener)
        key = key_of_passive(s)
        pairs_are(key, UP, hosts=("client",))
        equal(flags_of("client", key), {"local-orig", "local-resp"})
        close_in_turn(c, s)
        whole(key, "client")


@both
def hairpin(v):
    """Both ends behind the same NAT: at the router, two ends of one address."""
    public = address(v, 2, 2)
    rules = (nat("prerouting", f"@ daddr {public} tcp dport 7114 dnat @ to "
                 f"{at(v, ADDR[v]['client'], 7110)}", v) +
             nat("postrouting", "iifname to-client oifname to-client masquerade", v))
    with nft("router", rules), contextlib.closing(listen("client", v, 7110)) as listener:
        c = connect("client", v, 7114, public)
        s = accept(listener)
        outward, inward = key_of_active(c), key_of_passive(s)
        equal((outward[2], inward[0]), (public, address(v, 1, 2)))
        close_in_turn(c, s)
        whole(outward, "client")
        whole(inward, "client")
        whole((*outward[:2], *inward[2:]), "router")


@both
def synproxy_in_between(v):
    """The router opens in the client's stead; the server's numbers differ on its two sides."""
    rules = """
        chain pre { type filter hook prerouting priority -300;
                    tcp dport 7115 tcp flags syn / fin,syn,rst,ack notrack; };
        chain mid { type filter hook forward priority 0;
                    tcp dport 7115 ct state invalid,untracked \\
                    synproxy mss 1460 wscale 7 timestamp sack-perm; };"""
    with nft("router", rules):
        with within("router"):
            write("/proc/sys/net/netfilter/nf_conntrack_tcp_loose", 0)
        since = Counted("router")
        c, s = pair(v, 7115)
        key = key_of_active(c)
        talk(c, s)
        pairs_are(key, UP)
        exchange(c, s)
        equal(flags_of("router", key) - {"synack-resent"}, {"midstream", "forwarded"})
        close_in_turn(c, s)
        whole(key, "client", "server")
        everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"SYN_RCVD ESTABLISHED {SECOND}", ("router",))
        since.grew(synack_isn=1, reanchored=0, ack_beyond=0, seq_beyond_window=0)


def flowtable(port):
    """Connections to that port are taken from the router's hooks, until the table goes."""
    return nft("router", f"""
        flowtable fast {{ hook ingress priority 0; devices = {{ to-client, to-server }}; }};
        chain mid {{ type filter hook forward priority 0; tcp dport {port} flow add @fast; }};""")


def offloaded(v, port):
    """A connection of which much has passed by the flowtable."""
    c, s = pair(v, port)
    key = key_of_active(c)
    talk(c, s)
    true("offloaded" in flags_of("router", key), "offloaded")
    exchange(c, s)
    pairs_are(key, UP)
    true(int(flow("router", key)["orig_bytes"]) < 1 << 20, "passed unseen")
    return c, s, key


@both
def flowtable_takes_the_flow_and_gives_it_back(v):
    """The router sees the close again, whose numbers are far from what it last saw."""
    with flowtable(7116):
        c, s, key = offloaded(v, 7116)
    close_in_turn(c, s)
    whole(key, *HOSTS)


@both
def flow_back_from_a_flowtable_is_closed_at_once(v):
    """Its FIN is the first segment to be seen again."""
    with flowtable(7117):
        c, s, key = offloaded(v, 7117)
    c.close()
    equal(s.recv(1), b"")
    s.close()
    whole(key, *HOSTS)


@both
def flow_back_from_a_flowtable_is_reset(v):
    with flowtable(7118):
        c, s, key = offloaded(v, 7118)
    reset(c)
    everywhere(key, f"{CLIENT_OPEN} CLOSED", f"{SERVER_OPEN} CLOSED")
    s.close()


# ---- routing domains, balancers, bridges ----

@both
def vrf(v):
    """Sent through a VRF, a segment passes the output hook twice; it is one segment."""
    here = address(v, 6)
    with extra_host("tenant", 6):
        with within("tenant"):
            for words in ("link add red type vrf table 10", "link set red up",
                          "link set eth0 master red", "-6 addr flush dev eth0 scope global",
                          "-6 addr add fd06::1/64 dev eth0 nodad",
                          "route add default via 10.0.6.2 table 10",
                          "-6 route add default via fd06::2 table 10"):
                run("ip", *words.split())
        with contextlib.closing(listen("tenant", v, 7120, where=here, device="red")) as listener:
            c = connect("client", v, 7120, here)
            s = accept(listener)
            key = key_of_active(c)
            talk(c, s)
            row = flow("tenant", key)
            equal((row["orig"], row["resp"]), ("ESTABLISHED", "ESTABLISHED"))
            true(int(row["resp_cookie"]), "the socket's cookie")
            true(counters("tenant")["seen_twice"] >= int(row["resp_packets"]), "seen twice")
            equal(row["resp_packets"], flow("router", key)["resp_packets"], "counted once")
            with timeout("tenant", "established", 1):
                time.sleep(3)
                equal(pair_of("tenant", key), UP)
            close_in_turn(c, s)
            whole(key, "client", "router", "tenant")
        # And the other way: opened from within.
        with contextlib.closing(listen("server", v, 7121)) as listener:
            c = stream("tenant", v, where=here, device="red")
            c.connect((ADDR[v]["server"], 7121))
            s = accept(listener)
            key = key_of_active(c)
            close_in_turn(c, s)
            whole(key, "tenant", "router", "server")


@both
def same_tuple_in_two_vrfs(v):
    """Overlapping addresses behind one router are two flows, each with its own story."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(extra_host("middle", 6))
        ends = []
        for colour, table_ in (("red", 10), ("blue", 20)):
            run("ip", "-n", "middle", "link", "add", colour, "type", "vrf", "table", str(table_))
            run("ip", "-n", "middle", "link", "set", colour, "up")
            for side, net in (("a", 8), ("b", 9)):
                name = f"{colour}-{side}"
                add_host(name)
                stack.callback(run, "ip", "netns", "del", name)
                run("ip", "-n", "middle", "link", "add", name, "type", "veth", "peer", "name",
                    "eth0", "netns", name)
                run("ip", "-n", "middle", "link", "set", name, "master", colour)
                for host, dev, number in ((name, "eth0", 1), ("middle", name, 2)):
                    run("ip", "-n", host, "addr", "add", f"{address(v, net, number)}/24"
                        if v == 4 else f"{address(v, net, number)}/64", "dev", dev,
                        *(() if v == 4 else ("nodad",)))
                    run("ip", "-n", host, "link", "set", dev, "up")
                run("ip", "-n", name, f"-{v}", "route", "add", "default", "via",
                    address(v, net, 2))
        forwards("middle")
        for colour in ("red", "blue"):
            listener = stack.enter_context(contextlib.closing(
                listen(f"{colour}-b", v, 7122, where=address(v, 9))))
            c = stream(f"{colour}-a", v, 45000, where=address(v, 8))
            c.connect((address(v, 9), 7122))
            ends.append((c, accept(listener)))
        key = (address(v, 8), "45000", address(v, 9), "7122")
        equal(pairs_of("middle", key), [UP, UP])
        reset(ends[0][0])
        until(lambda: sorted(pairs_of("middle", key)) == ["CLOSED:CLOSED", UP], "one was reset")
        close_to(ends[0][1], *ends[1])


def pairs_of(name, key):
    return [f"{r['orig']}:{r['resp']}" for r in table(name, "flows") if is_tuple(r, key)]


@contextlib.contextmanager
def ipvs(v, port, method):
    """A balancer at the router with one real server behind it."""
    length = 32 if v == 4 else 128
    vip = at(v, ELSEWHERE[v], port)
    run("ip", "-n", "router", "addr", "add", f"{ELSEWHERE[v]}/{length}", "dev", "lo")
    try:
        with within("router"):
            run("ipvsadm", "-A", "-t", vip, "-s", "rr")
            run("ipvsadm", "-a", "-t", vip, "-r", at(v, ADDR[v]["server"], port), method)
        yield
    finally:
        with within("router"):
            run("ipvsadm", "-D", "-t", vip)
        run("ip", "-n", "router", "addr", "del", f"{ELSEWHERE[v]}/{length}", "dev", "lo")


@both
def ipvs_by_translation(v):
    """Inside, the whole flow passes; the outer one shows its client's half."""
    with ipvs(v, 7123, "-m"), contextlib.closing(listen("server", v, 7123)) as listener:
        c = connect("client", v, 7123, ELSEWHERE[v])
        s = accept(listener)
        outside, inside = key_of_active(c), key_of_passive(s)
        talk(c, s)
        equal(flow("router", outside)["resp_packets"], "0")
        true("one-way" in flags_of("router", outside), flags_of("router", outside))
        close_in_turn(c, s)
        whole(outside, "client")
        whole(inside, "router", "server")


@both
def ipvs_by_direct_routing(v):
    """The same tuple comes in and goes out again at the balancer, and counts once."""
    length = 32 if v == 4 else 128
    run("ip", "-n", "server", "addr", "add", f"{ELSEWHERE[v]}/{length}", "dev", "lo")
    try:
        with ipvs(v, 7124, "-g"), bypass(), \
             contextlib.closing(listen("server", v, 7124, where=ELSEWHERE[v])) as listener:
            send_by("server", v, "bypass")
            since = Counted("router")
            c = connect("client", v, 7124, ELSEWHERE[v])
            s = accept(listener)
            key = key_of_active(c)
            talk(c, s)
            row = flow("router", key)
            equal(row["orig_packets"], flow("server", key)["orig_packets"], "counted once")
            equal(row["resp_packets"], "0")
            true(since.grown("router", "seen_twice") >= int(row["orig_packets"]), "seen twice")
            everywhere(key, CLIENT_OPEN, SERVER_OPEN, HOSTS)
            close_in_turn(c, s)
            whole(key, "client", "server")
            send_by("server", v, "router")
    finally:
        run("ip", "-n", "server", "addr", "del", f"{ELSEWHERE[v]}/{length}", "dev", "lo")


@both
def bridge(v):
    """A bridge shows its flows where br_netfilter calls the hooks, and only there."""
    with contextlib.ExitStack() as stack:
        for name in ("switch", "left", "right"):
            add_host(name)
            stack.callback(run, "ip", "netns", "del", name)
        run("ip", "-n", "switch", "link", "add", "br0", "type", "bridge")
        run("ip", "-n", "switch", "link", "set", "br0", "up")
        for number, name in ((1, "left"), (2, "right")):
            run("ip", "-n", name, "link", "add", "eth0", "type", "veth", "peer", "name", name,
                "netns", "switch")
            run("ip", "-n", "switch", "link", "set", name, "master", "br0", "up")
            run("ip", "-n", name, "addr", "add", f"{address(v, 7, number)}/{24 if v == 4 else 64}",
                "dev", "eth0", *(() if v == 4 else ("nodad",)))
            run("ip", "-n", name, "link", "set", "eth0", "up")
        run("modprobe", "br_netfilter", check=False)
        for calls in (0, 1):
            with within("switch"):
                for word in ("iptables", "ip6tables"):
                    write(f"/proc/sys/net/bridge/bridge-nf-call-{word}", calls)
            with contextlib.closing(listen("right", v, 7125 + calls,
                                           where=address(v, 7, 2))) as listener:
                c = stream("left", v, where=address(v, 7, 1))
                c.connect((address(v, 7, 2), 7125 + calls))
                s = accept(listener)
                key = key_of_active(c)
                talk(c, s)
                if calls:
                    equal(pair_of("switch", key), UP)
                    for end in ("orig", "resp"):
                        equal(flow("switch", key)[f"{end}_packets"],
                              flow("left", key)[f"{end}_packets"], f"{end} counted once")
                close_in_turn(c, s)
                whole(key, "left", "right", *(("switch",) if calls else ()))
                if not calls:
                    equal(table("switch", "flows"), [])


if __name__ == "__main__":
    main()
