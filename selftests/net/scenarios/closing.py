# SPDX-License-Identifier: GPL-2.0
"""Connections that close badly."""
import socket
import time

from bed import (ACK, CLIENT_OPEN, Counted, FIRST, HOSTS, PSH, SECOND, SERVER_OPEN, both, dropped,
                 equal, everywhere, key_of, log_of, numbers, pair, pairs_are, path, received,
                 reset, setting, test, timeout, true, until, wire_into)
from .common import UP


@both
def last_ack_lost(v):
    """The client is in TIME_WAIT; hosts that have not seen its ACK show the server in LAST_ACK."""
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
