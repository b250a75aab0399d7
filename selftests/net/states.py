#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The claims about TCP's states, each by its id, on real sockets or by crafted segments; seen
at the client, at the server, and at a router between them."""
import contextlib
import errno
import socket

from bed import (ACK, ADDR, CLIENT_OPEN, FAMILY, FIN, FIRST, HOSTS, PSH, RST, SECOND, SERVER_OPEN, SYN,
                 TOOL, Wire, both, connect, counters, delay, equal, everywhere, flow, key_of,
                 listen, log_of, main, muted, pair, pair_of, reset, setting, status, stream, table,
                 test, true, tuple_of, until, wire, within)


@both
def S01_client_path(v):
    c, s = pair(v, 5001)
    key = key_of(v, c, 5001)
    c.close()
    equal(s.recv(1), b"")
    s.close()
    everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}")


@both
def S02_server_path(v):
    c, s = pair(v, 5002)
    key = key_of(v, c, 5002)
    s.close()
    equal(c.recv(1), b"")
    c.close()
    everywhere(key, f"{CLIENT_OPEN} {SECOND}", f"{SERVER_OPEN} {FIRST}")


@both
def S03_handshake_arithmetic(v):
    with wire(v) as w:
        before = {name: counters(name)["handshake_ack"] for name in HOSTS}
        w.send("client", SYN, 1000)
        w.send("server", SYN | ACK, 5000, 1001)
        w.send("client", ACK, 1001, 5002)
        everywhere(w.key, "SYN_SENT", "LISTEN SYN_RCVD")
        for name in HOSTS:
            equal(counters(name)["handshake_ack"] - before[name], 1, name)
        w.send("client", ACK, 1001, 5001)
        everywhere(w.key, CLIENT_OPEN, SERVER_OPEN)


@both
def S04_the_capture(v):
    with wire(v) as w:
        w.send("client", SYN, 4225926656)
        w.send("server", SYN | ACK, 3022381253, 4225926657)
        w.send("client", ACK, 4225926657, 3022381254)
        w.send("client", ACK | PSH, 4225926657, 3022381254, b"x" * 1200)
        w.send("client", ACK | PSH, 4225927857, 3022381254, b"x" * 1174)
        w.send("server", ACK | PSH, 3022381254, 4225929031, b"y" * 537)
        w.send("server", FIN | ACK, 3022381791, 4225929031)
        w.send("client", ACK, 4225929031, 3022381792)
        w.send("client", FIN | ACK, 4225929031, 3022381792)
        w.send("server", ACK, 3022381792, 4225929032)
        everywhere(w.key, f"{CLIENT_OPEN} {SECOND}", f"{SERVER_OPEN} {FIRST}")


@both
def S05_simultaneous_open(v):
    delay(150)
    try:
        c, s = stream("client", v, 5005), stream("server", v, 5006)
        c.setblocking(False)
        s.setblocking(False)
        c.connect_ex((ADDR[v]["server"], 5006))
        s.connect_ex((ADDR[v]["client"], 5005))
        key = tuple_of(v, 5005, 5006)
        other = tuple_of(v, 5006, 5005, "server")
        opened = "SYN_SENT SYN_RCVD ESTABLISHED"
        # The router sees both SYNs; whichever came first is orig.
        everywhere(key, opened, f"LISTEN {opened}", ("client",))
        everywhere(other, opened, f"LISTEN {opened}", ("server",))
        until(lambda: log_of("router", key) or log_of("router", other), "the router saw it")
        mine = key if log_of("router", key) else other
        everywhere(mine, opened, f"LISTEN {opened}", ("router",))
        c.close()
        s.close()
    finally:
        delay(0)


@both
def S06_simultaneous_close(v):
    delay(150)      # from the start, or the FINs would be sent again before they are acked
    try:
        c, s = pair(v, 5007)
        key = key_of(v, c, 5007)
        c.close()
        s.close()
        closing = "FIN_WAIT_1 CLOSING TIME_WAIT"
        everywhere(key, f"{CLIENT_OPEN} {closing}", f"{SERVER_OPEN} {closing}")
    finally:
        delay(0)


@both
def S07_half_close(v):
    c, s = pair(v, 5008)
    key = key_of(v, c, 5008)
    c.shutdown(socket.SHUT_WR)
    equal(s.recv(1), b"")
    for name in HOSTS:
        until(lambda: pair_of(name, key) == "FIN_WAIT_2:CLOSE_WAIT", f"half-closed at {name}")
    before = {name: int(flow(name, key)["resp_bytes"]) for name in HOSTS}
    sent = 0
    for _ in range(50):
        sent += s.send(b"z" * 1000)
        got = 0
        while got < 1000:
            got += len(c.recv(1000 - got))
    for name in HOSTS:
        true(int(flow(name, key)["resp_bytes"]) - before[name] >= sent,
             f"bytes of the open direction at {name}")
        equal(pair_of(name, key), "FIN_WAIT_2:CLOSE_WAIT", name)
    s.close()
    everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}")


@both
def S08_only_the_active_closer_sees_time_wait(v):
    c, s = pair(v, 5009)
    key = key_of(v, c, 5009)
    s.close()
    equal(c.recv(1), b"")
    c.close()
    everywhere(key, f"{CLIENT_OPEN} {SECOND}", f"{SERVER_OPEN} {FIRST}")
    for name in HOSTS:
        equal(pair_of(name, key), "CLOSED:TIME_WAIT", name)


@both
def S09_fin_retransmitted(v):
    with wire(v) as w:
        before = {name: counters(name)["fin_retrans"] for name in HOSTS}
        w.send("client", SYN, 100)
        w.send("server", SYN | ACK, 300, 101)
        w.send("client", ACK, 101, 301)
        w.send("client", FIN | ACK, 101, 301)
        w.send("server", ACK, 301, 102)
        for _ in range(4):
            w.send("server", FIN | ACK, 301, 102)
        everywhere(w.key, f"{CLIENT_OPEN} FIN_WAIT_1 FIN_WAIT_2",
                   f"{SERVER_OPEN} CLOSE_WAIT LAST_ACK")
        for name in HOSTS:
            equal(counters(name)["fin_retrans"] - before[name], 3, name)


@both
def S10_fin_in_syn_rcvd(v):
    with wire(v) as w:
        w.send("client", SYN, 100)
        w.send("server", SYN | ACK, 300, 101)
        w.send("server", FIN | ACK, 301, 101)
        w.send("client", ACK, 101, 302)
        everywhere(w.key, "SYN_SENT ESTABLISHED CLOSE_WAIT",
                   "LISTEN SYN_RCVD FIN_WAIT_1 FIN_WAIT_2")


@both
def S10_bare_fin_in_syn_sent(v):
    with wire(v) as w:
        w.send("client", SYN, 100)
        w.send("server", FIN, 300)
        everywhere(w.key, "SYN_SENT", "LISTEN")


@both
def S11_the_port_listens_on(v):
    with contextlib.closing(listen("server", v, 5011)) as listener:
        for _ in range(2):
            c = connect("client", v, 5011)
            s, _ = listener.accept()
            key = key_of(v, c, 5011)
            c.close()
            equal(s.recv(1), b"")
            s.close()
            everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}")
    for name in HOSTS:
        rows = [r for r in table(name, "services")
                if (r["addr"], r["port"]) == (ADDR[v]["server"], "5011")]
        equal(len(rows), 1, f"rows of the service at {name}")
        equal((rows[0]["flows"], rows[0]["established"]), ("2", "2"), name)


@both
def S12_stale_syn(v):
    """The server answers, the client's stack knows nothing of it and resets."""
    with contextlib.closing(listen("server", v, 5012)), \
         contextlib.closing(Wire(v, dport=5012)) as w:
        before = {name: counters(name)["stale_syn"] for name in HOSTS}
        w.send("client", SYN, 7777)
        everywhere(tuple_of(v, w.sport, 5012), "SYN_SENT CLOSED", "LISTEN SYN_RCVD LISTEN")
        for name in HOSTS:
            equal(counters(name)["stale_syn"] - before[name], 1, name)


@both
def S13_refused(v):
    before = {name: counters(name)["refused"] for name in HOSTS}
    s = stream("client", v)
    key = key_of(v, s, 5013)
    equal(s.connect_ex((ADDR[v]["server"], 5013)), 111, "ECONNREFUSED")
    s.close()
    everywhere(key, "SYN_SENT CLOSED", "LISTEN CLOSED")
    for name in HOSTS:
        equal(counters(name)["refused"] - before[name], 1, name)


def pool_at(name, v):
    row = [r for r in table(name, "services") if (r["addr"], r["port"]) == (ADDR[v]["server"], "5014")][0]
    return {state: row[state] for state in ("SYN_RCVD", "ESTABLISHED")}


@both
def S14_half_open_pool(v):
    """Half-open per service in O(1); an established flow is not touched."""
    c, s = pair(v, 5014)
    key = key_of(v, c, 5014)
    with muted(), contextlib.closing(listen("server", v, 5014, 128)):
        wires = [Wire(v, sport=40000 + i, dport=5014) for i in range(20)]
        for w in wires:
            w.send("client", SYN, 1)
            w.close()
        for name in HOSTS:
            until(lambda n=name: pool_at(n, v) == {"SYN_RCVD": "20", "ESTABLISHED": "1"},
                  lambda n=name: f"at {n}: {pool_at(n, v)}")
            equal(pair_of(name, key), "ESTABLISHED:ESTABLISHED", name)
    c.close()
    s.close()


@both
def S15_time_wait_uses_up_the_ports(v):
    """Counted per destination: as many TIME_WAITs as there are ports, and connect() fails."""
    refused = 0
    with contextlib.ExitStack() as stack:
        # On a busy machine a FIN may be sent again, and the answer to its ACK resets a TIME_WAIT.
        for name in HOSTS:
            stack.enter_context(setting(name, tcp_rfc1337=1))
        stack.enter_context(setting("client", ip_local_port_range="20000 20099"))   # no other test has had these
        listener = stack.enter_context(contextlib.closing(listen("server", v, 5015)))
        for _ in range(110):
            with within("client"):
                c = socket.socket(FAMILY[v], socket.SOCK_STREAM)
            try:
                c.connect((ADDR[v]["server"], 5015))
            except OSError as error:
                equal(error.errno, errno.EADDRNOTAVAIL, "why connect() failed")
                refused += 1
                c.close()
                continue
            s, _ = listener.accept()
            c.close()
            equal(s.recv(1), b"")
            s.close()
        equal(refused, 10, "connect() calls without a port")
        for name in HOSTS:
            for port, want in ((5015, 100), (5016, 0)):
                with within(name):
                    _, out, _ = status(TOOL, "-n", "-j", "flows", "state", "time-wait", "dst",
                                       ADDR[v]["server"], "dport", "=", f":{port}")
                equal(len(out.splitlines()), want, f"TIME_WAIT to port {port} at {name}")


@both
def S16_leaked_close_wait_stays_visible(v):
    c, s = pair(v, 5016)
    key = key_of(v, c, 5016)
    c.close()
    for name in HOSTS:
        until(lambda: pair_of(name, key) == "FIN_WAIT_2:CLOSE_WAIT", name)
    row = flow("server", key)
    true(int(row["resp_cookie"]), "the server's socket is known by its cookie")
    with within("server"):
        code, out, _ = status(TOOL, "-n", "flows", "state", "close-wait", "dport", "=", ":5016",
                              "src", ADDR[v]["client"])
        equal(code, 0)
        true("FIN_WAIT_2:CLOSE_WAIT" in out, out)
    s.close()


@test
def S17_each_state_is_explained():
    with within("client"):
        code, out, _ = status(TOOL, "states", "--explain")
    equal(code, 0)
    for state in ("CLOSED", "LISTEN", "SYN_SENT", "SYN_RCVD", "ESTABLISHED", "FIN_WAIT_1",
                  "FIN_WAIT_2", "CLOSE_WAIT", "CLOSING", "LAST_ACK", "TIME_WAIT"):
        true(state in out, f"{state} in --explain")
    true("Waits for its own application to call close()" in out, "whom CLOSE_WAIT waits for")


@both
def S18_connect_and_accept_are_measured(v):
    delay(60)
    try:
        c, s = pair(v, 5018)
        key = key_of(v, c, 5018)
        for name in HOSTS:
            until(lambda: pair_of(name, key) == "ESTABLISHED:ESTABLISHED", name)
        for name, connect_ms, accept_ms in (("client", 120, 120), ("router", 0, 120),
                                            ("server", 0, 120)):
            row = [r for r in table(name, "services")
                   if (r["addr"], r["port"]) == (ADDR[v]["server"], "5018")][0]
            have = int(row["connect_mean_ns"]) / 1e6, int(row["accept_mean_ns"]) / 1e6
            true(have[0] >= connect_ms and have[1] >= accept_ms and have[0] <= have[1],
                 f"connect, accept at {name}: {have} ms")
        c.close()
        s.close()
    finally:
        delay(0)


@both
def reset_by_linger(v):
    c, s = pair(v, 5020)
    key = key_of(v, c, 5020)
    reset(c)
    everywhere(key, f"{CLIENT_OPEN} CLOSED", f"{SERVER_OPEN} CLOSED")
    s.close()


@both
def bad_checksum_moves_nothing(v):
    with wire(v) as w:
        w.send("client", SYN, 100)
        w.send("server", SYN | ACK, 300, 101)
        w.send("client", ACK, 101, 301)
        before = counters("router")["bad_checksum"]
        w.send("client", FIN | ACK, 101, 301, bad_checksum=True)
        w.send("client", RST, 101, bad_checksum=True)
        w.send("client", ACK, 101, 301 + 16384, bad_checksum=True)     # it would hide the FIN
        w.send("server", ACK, 301 + 16384, 101, bad_checksum=True)
        equal(counters("router")["bad_checksum"] - before, 4, "bad_checksum")
        equal(pair_of("router", w.key), "ESTABLISHED:ESTABLISHED")
        w.send("server", FIN | ACK, 301, 101)
        w.send("client", ACK, 101, 302)
        equal(pair_of("router", w.key), "CLOSE_WAIT:FIN_WAIT_2")


if __name__ == "__main__":
    main()
