# SPDX-License-Identifier: GPL-2.0
"""Forged segments in a connection of real sockets."""
from bed import (ACK, CLIENT_OPEN, Counted, FIN, FIRST, HOSTS, RST, SECOND, SERVER_OPEN, SYN, both,
                 close_to, dropped, equal, everywhere, flags_of, flow, key_of, log_of, numbers,
                 pair, pairs_are, talk, true, wire, wire_into)
from .common import UP, attacker


@both
def inexact_rst_is_challenged(v):
    """The socket's challenge ACK asks for an exact RST: without one, nothing is suspect."""
    c, s = pair(v, 7001)
    key = key_of(v, c, 7001)
    seq = numbers(s)[1]
    with attacker(), wire_into(v, c, 7001) as w:
        since = Counted()
        w.send("client", RST, seq + 1000, via="attacker")
        since.grew(rst_challenged=(0, 1, 1))
        pairs_are(key, UP)
        equal(["suspect" in flags_of(name, key) for name in HOSTS], [False, False, False])
        talk(c, s)
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
    """The RST never passes the client, which learns of it when its data is answered with a RST."""
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
    """The client answers an old, forged SYN|ACK with a challenge ACK."""
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
    """The tuple is used a second time; a SYN|ACK of the first connection comes late."""
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
