# SPDX-License-Identifier: GPL-2.0
"""Tuples used again, and flows that are met late."""
import contextlib
import socket
import time

from bed import (ACK, ADDR, CLIENT_OPEN, Counted, FIRST, HOSTS, RST, SECOND, SERVER_OPEN, SYN,
                 both, close_to, dropped, equal, everywhere, flags_of, key_of, listen, pair,
                 pairs_are, path, reset, stream, sysctl, talk, true, tuple_of, until, wire)
from .common import UP


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
    """The retransmitted SYN opens the flow: its start was not missed."""
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
    """The retransmitted SYN|ACK tells which end is orig."""
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
    """A host that missed the client's FIN takes its retransmission for an answer."""
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
    """The hosts' sockets know of the server's FIN; the router cannot."""
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
