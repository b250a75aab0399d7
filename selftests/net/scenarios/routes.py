# SPDX-License-Identifier: GPL-2.0
"""Segments that take another way for a while."""
from bed import (CLIENT_OPEN, Counted, FIRST, SECOND, SERVER_OPEN, both, close_to, equal,
                 everywhere, flags_of, flow, key_of, pair, pairs_are, received, sysctl, talk, true,
                 until)
from .common import UP, bypass, exchange, send_by


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


@both
def thousands_of_segments_go_another_way(v):
    """The module learns sequence numbers anew once both ends agree on them."""
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
    """The first segments that pass the router again are the FINs."""
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
