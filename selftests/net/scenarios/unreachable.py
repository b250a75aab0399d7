# SPDX-License-Identifier: GPL-2.0
"""ICMP errors: who is not reached, who says so, and what is believed."""
import contextlib
import errno
import json
import socket
import subprocess
import time

from bed import (ACK, ADDR, Counted, SYN, TOOL, address, both, equal, flags_of, flow, key_of, listen, nft,
                 numbers, pair, pair_of, pairs_are, read, reset, run, stream, table, talk, test, timeout,
                 true, until, wire, wire_into, within, written)
from .common import ELSEWHERE, UP, accept, key_of_active
from .translation import nat

HOST, PROHIBITED, TOO_BIG = {4: "3/1", 6: "1/3"}, {4: "3/13", 6: "1/1"}, {4: "3/4", 6: "2/0"}
VAIN = "CLOSED:LISTEN"
NOBODY = {4: "10.0.2.77", 6: "fd02::77"}
SAID = (errno.EHOSTUNREACH, errno.EACCES)


def rejects(name, hook, match, how="admin-prohibited", priority=0):
    return nft(name, f"chain r {{ type filter hook {hook} priority {priority}; "
                     f"{match} reject with icmpx type {how}; }};")


def vain(name, v, to, port, where=None, device=None):
    """connect() fails at once, for an error told why. The tuple as the socket knew it."""
    with contextlib.closing(stream(name, v, where=where, device=device)) as s:
        sport = str(s.getsockname()[1])
        source = s.getsockname()[0]
        code = s.connect_ex((to, port) if v == 4 or not device else
                            (to, port, 0, socket.if_nametoindex(device)))
        true(code in SAID, f"connect(): {errno.errorcode.get(code, code)}")
    return source, sport, to, str(port)


def told(name, key, what="unreachable"):
    row = flow(name, key)
    return row and row[what]


def is_told(name, key, *words, what="unreachable"):
    """TYPE/CODE/ORIGIN/END. Returns how often: an error that comes while connect() still holds its socket
    does not end it, but the next one does."""
    want = "/".join(map(str, words))
    until(lambda: "/".join((told(name, key, what) or "").split("/")[:4]) == want,
          lambda: f"{want} at {name}, have {told(name, key, what)}", 5)
    true(what in flags_of(name, key), "its flag")
    return int(told(name, key, what).split("/")[4])


def hasty_neighbours(name, dev):
    """It takes a fifth of a second to find out that nobody answers, not three."""
    keys = {"retrans_time_ms": 100, "mcast_solicit": 2}
    return written(name, {f"/proc/sys/net/ipv{v}/neigh/{dev}/{key}": value for v in (4, 6)
                          for key, value in keys.items()})


# ---- a SYN in vain ----

@both
def a_servers_firewall_prohibits(v):
    since = Counted()
    with rejects("server", "input", "tcp dport 7201"):
        key = vain("client", v, ADDR[v]["server"], 7201)
    pairs_are(key, VAIN, hosts=("client",))
    pairs_are(key, "SYN_SENT:LISTEN", hosts=("router",))
    times = [is_told(name, key, PROHIBITED[v], ADDR[v]["server"], "orig") for name in ("client", "router")]
    equal(times[0], times[1], "how often")
    equal(flags_of("client", key), {"unreachable"}, "the socket is gone")
    equal(flags_of("router", key), {"forwarded", "unreachable"})
    # The server's filter dropped the SYN before the module saw it.
    n = times[0]
    since.grew(icmp_errors=n, icmp_unreachable=(n, n, 0), icmp_no_flow=(0, 0, n), icmp_stale=0)
    other = [r for r in table("client", "services") if r["addr"] == "other"]
    true(int(other[0]["unreachable"]) > 0, "counted with the services")
    # Whoever forwards it finds out when the time is over.
    with timeout("router", "opening", 1), timeout("client", "closed", 1):
        until(lambda: not pair_of("router", key) and not pair_of("client", key), "it ends", 15)
    since.grew(ended_unreachable=(1, 1, 0))


@both
def a_routers_firewall_prohibits(v):
    since = Counted("client", "router")
    with rejects("router", "forward", "tcp dport 7202", "host-unreachable"):
        key = vain("client", v, ADDR[v]["server"], 7202)
    pairs_are(key, VAIN, hosts=("client",))
    n = is_told("client", key, HOST[v], address(v, 1, 2), "orig")
    since.grew(icmp_unreachable=(n, 0), icmp_no_flow=(0, n))


@both
def no_neighbour_of_the_router(v):
    """The router itself says so, of a flow that it forwards."""
    since = Counted("client", "router")
    with hasty_neighbours("router", "to-server"):
        key = vain("client", v, NOBODY[v], 7203)
    pairs_are(key, VAIN, "SYN_SENT:LISTEN", hosts=("client", "router"))
    for name in ("client", "router"):
        n = is_told(name, key, HOST[v], address(v, 1, 2), "orig")
    since.grew(icmp_unreachable=n, icmp_stale=0)


@both
def no_neighbour_of_the_host(v):
    """The host says it to itself, and hears it once."""
    to = {4: "10.0.1.77", 6: "fd01::77"}[v]
    since = Counted("client")
    with hasty_neighbours("client", "eth0"):
        key = vain("client", v, to, 7204)
    pairs_are(key, VAIN, hosts=("client",))
    n = is_told("client", key, HOST[v], ADDR[v]["client"], "orig")
    since.grew(icmp_errors=n, icmp_unreachable=n)
    equal(n, int(flow("client", key)["orig_packets"]), "once for each SYN")


@test
def no_neighbour_of_a_link_local_address():
    """Linux looks for a socket at the device of the error, which is loopback: connect() goes on. The flow
    is of the link all the same."""
    since = Counted("client")
    with within("client"):
        own = run("ip", "-6", "-o", "addr", "show", "dev", "eth0", "scope", "link").split()[3].split("/")[0]
        index = socket.if_nametoindex("eth0")
        s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    with contextlib.closing(s), hasty_neighbours("client", "eth0"):
        s.setblocking(False)
        s.bind((own, 0, 0, index))
        s.connect_ex(("fe80::77", 7205, 0, index))
        key = own, str(s.getsockname()[1]), "fe80::77", "7205"
        is_told("client", key, HOST[6], own, "orig")
    equal(since.grown("client", "icmp_no_flow"), 0, "icmp_no_flow")


@both
def no_neighbour_on_a_bridge(v):
    net = 77 if v == 4 else 7
    run("ip", "-n", "client", "link", "add", "br0", "type", "bridge")
    try:
        run("ip", "-n", "client", "link", "add", "port0", "type", "veth", "peer", "name", "port1")
        run("ip", "-n", "client", "link", "set", "port0", "master", "br0")
        for dev in ("port0", "port1", "br0"):
            run("ip", "-n", "client", "link", "set", dev, "up")
        run("ip", "-n", "client", "addr", "add", address(v, net) + ("/24" if v == 4 else "/64"), "dev", "br0",
            *(("nodad",) if v == 6 else ()))
        until(lambda: "state UP" in run("ip", "-n", "client", "link", "show", "br0"), "br0 is up")
        with hasty_neighbours("client", "br0"):
            key = vain("client", v, address(v, net, 77), 7206, where=address(v, net))
        pairs_are(key, VAIN, hosts=("client",))
        is_told("client", key, HOST[v], address(v, net), "orig")
    finally:
        run("ip", "-n", "client", "link", "del", "br0")
        run("ip", "-n", "client", "link", "del", "port0", check=False)


@both
def over_loopback_it_is_heard_once(v):
    local = {4: "127.0.0.1", 6: "::1"}[v]
    since = Counted("client")
    with rejects("client", "input", "tcp dport 7207", "host-unreachable"):
        key = vain("client", v, local, 7207, where=local)
    pairs_are(key, VAIN, hosts=("client",))
    n = is_told("client", key, HOST[v], local, "orig")
    since.grew(icmp_errors=n, icmp_unreachable=n)
    equal(n, int(flow("client", key)["orig_packets"]), "once for each SYN")


# ---- translation ----

@both
def behind_dnat_and_masquerade(v):
    rules = (nat("prerouting", f"@ daddr {ELSEWHERE[v]} tcp dport 7212 dnat @ to "
                 + (f"{ADDR[v]['server']}:7210" if v == 4 else f"[{ADDR[v]['server']}]:7210"), v) +
             nat("postrouting", "oifname to-server masquerade", v))
    since = Counted("client", "router")
    with nft("router", rules), rejects("server", "input", "tcp dport 7210"):
        key = vain("client", v, ELSEWHERE[v], 7212)
    pairs_are(key, VAIN, hosts=("client",))
    inside = (*key[:2], ADDR[v]["server"], "7210")
    n = is_told("router", inside, PROHIBITED[v], ADDR[v]["server"], "orig")
    true((told("client", key) or "").startswith(PROHIBITED[v] + "/"), told("client", key))
    since.grew(icmp_unreachable=n, icmp_no_flow=0, icmp_stale=0, icmp_bad_checksum=0)


@both
def no_neighbour_behind_masquerade(v):
    """The router quotes what it has translated; its own OUTPUT turns that back."""
    since = Counted("client", "router")
    with nft("router", nat("postrouting", "oifname to-server masquerade", v)), \
         hasty_neighbours("router", "to-server"):
        key = vain("client", v, NOBODY[v], 7213)
    pairs_are(key, VAIN, "SYN_SENT:LISTEN", hosts=("client", "router"))
    for name in ("client", "router"):
        true((told(name, key) or "").startswith(HOST[v] + "/"), f"at {name}: {told(name, key)}")
    since.grew(icmp_no_flow=0, icmp_stale=0, icmp_bad_checksum=0)


@both
def behind_dnat_at_the_clients_output(v):
    target = f"{ADDR[v]['server']}:7214" if v == 4 else f"[{ADDR[v]['server']}]:7214"
    rules = nat("output", f"@ daddr {ELSEWHERE[v]} tcp dport 7215 dnat @ to {target}", v)
    with nft("client", rules), rejects("server", "input", "tcp dport 7214"):
        key = vain("client", v, ELSEWHERE[v], 7215)
    wire_key = (*key[:2], ADDR[v]["server"], "7214")
    pairs_are(wire_key, VAIN, "SYN_SENT:LISTEN", hosts=("client", "router"))
    for name in ("client", "router"):
        is_told(name, wire_key, PROHIBITED[v], ADDR[v]["server"], "orig")


@both
def behind_snat_at_the_servers_input(v):
    """The server's answers do not come back: of its segments the error is."""
    with nft("server", nat("input", f"tcp dport 7216 snat @ to {ELSEWHERE[v]}", v)), \
         contextlib.closing(listen("server", v, 7216)) as listener:
        c = stream("client", v)
        c.connect((ADDR[v]["server"], 7216))
        s = accept(listener)
        talk(c, s)
        key = key_of_active(c)
        with rejects("client", "prerouting", "tcp sport 7216", priority=-300):
            s.sendall(b"x")
            until(lambda: (told("server", key) or "").startswith(PROHIBITED[v]), "the server is told", 5)
        true("/resp/" in told("server", key), told("server", key))
        pairs_are(key, UP)
        reset(c)
        s.close()


# ---- established connections ----

@both
def a_soft_error_is_survived(v):
    c, s = pair(v, 7220)
    key = key_of(v, c, 7220)
    with rejects("server", "input", "tcp dport 7220", "host-unreachable"):
        c.sendall(b"x" * 100)
        until(lambda: told("client", key) != "-", "the client is told", 5)
    for name in ("client", "router"):
        true(told(name, key).startswith(f"{HOST[v]}/{ADDR[v]['server']}/orig/"), told(name, key))
    s.sendall(b"y")
    equal(c.recv(1), b"y")
    equal(s.recv(100), b"x" * 100)
    pairs_are(key, UP)
    reset(c)
    s.close()


@contextlib.contextmanager
def narrow(name, dev, mtu):
    run("ip", "-n", name, "link", "set", dev, "mtu", str(mtu))
    try:
        yield
    finally:
        run("ip", "-n", name, "link", "set", dev, "mtu", "1500")
        for host in ("client", "server"):
            for v in ("-4", "-6"):
                run("ip", "-n", host, v, "route", "flush", "cache", check=False)


@both
def a_small_mtu_on_the_way(v):
    """Path MTU discovery works: the sender is told once, and heeds it."""
    c, s = pair(v, 7221)
    key = key_of(v, c, 7221)
    with narrow("router", "to-server", 1400):
        c.sendall(b"x" * 20000)
        have = b""
        while len(have) < 20000:
            have += s.recv(20000)
        for name in ("client", "router"):
            is_told(name, key, TOO_BIG[v], address(v, 1, 2), "orig", what="mtu")
            true(told(name, key, "mtu").endswith("/mtu=1400"), told(name, key, "mtu"))
            equal(told(name, key), "-", "of the other sort")
        pairs_are(key, UP)
    reset(c)
    s.close()


@both
def a_small_mtu_that_the_sender_is_not_told(v):
    """A firewall in front of the client drops the errors: each retransmission is told of again."""
    c, s = pair(v, 7222)
    key = key_of(v, c, 7222)
    lost = "icmp type destination-unreachable drop" if v == 4 else \
        "icmpv6 type packet-too-big drop"
    with narrow("router", "to-server", 1400), \
         nft("client", f"chain lose {{ type filter hook prerouting priority -350; {lost}; }};"):
        c.sendall(b"x" * 20000)
        until(lambda: (told("router", key, "mtu") or "").split("/")[4:5] not in ([], ["1"]),
              lambda: f"it is told again, {told('router', key, 'mtu')}", 20)
        equal(told("client", key, "mtu"), "-", "the client")
        with within("router"):
            ends = [f"{a}:{p}" if v == 4 else f"[{a}]:{p}" for a, p in (key[:2], key[2:])]
            have = json.loads(run(TOOL, "-j", "flow", *ends))["now"]["mtu"]
        equal((have["origin"], have["end"], have["mtu"], have.get("pending")),
              (address(v, 1, 2), "orig", 1400, True), "as JSON")
    reset(c)
    s.close()


# ---- what is not believed ----

@both
def forged_numbers_are_not_believed(v):
    c, s = pair(v, 7230)
    key = key_of(v, c, 7230)
    kind, code = map(int, HOST[v].split("/"))
    since = Counted("client", "router")
    with wire_into(v, c, 7230) as w:
        seq = numbers(c)[0]
        for wrong in (-1, -1000, 1, 1 << 20, 1 << 31):
            w.send_error("client", kind, code, seq + wrong)
        since.grew(icmp_errors=5, icmp_stale=5, icmp_unreachable=0)
        for name in ("client", "router"):
            equal(told(name, key), "-", name)
        # This one is.
        w.send_error("client", kind, code, seq)
        since.grew(icmp_errors=6, icmp_unreachable=1)
    pairs_are(key, UP)
    talk(c, s)
    reset(c)
    s.close()


@both
def of_an_unknown_flow_and_what_is_no_error(v):
    kind, code = map(int, HOST[v].split("/"))
    since = Counted("client", "router")
    with wire(v) as w:
        w.send_error("client", kind, code, 1)
        since.grew(icmp_errors=1, icmp_no_flow=1)
        w.send_error("client", 5 if v == 4 else 137, 0, 1)          # redirect
        w.send_error("client", 8 if v == 4 else 128, 0, 1)          # echo request
        w.send_error("client", kind, code, 1, size=(20 if v == 4 else 40) + 7)
        since.grew(icmp_errors=1)


@test
def a_wrong_checksum_tells_nothing():
    with wire(4) as w:
        w.send("client", SYN, 1000)
        since = Counted("router")
        w.send_error("client", 3, 1, 1000, bad_checksum=True)
        since.grew(icmp_errors=1, icmp_bad_checksum=1, icmp_unreachable=0)
        equal(told("router", w.key), "-")
        w.send_error("client", 3, 1, 1000, size=28)
        since.grew(icmp_bad_checksum=1, icmp_unreachable=1)


@both
def the_next_flow_on_a_tuple_is_told_nothing(v):
    """A kept SYN begins the next flow, which takes over what the one before had allocated."""
    kind, code = map(int, HOST[v].split("/"))
    with within("router"):
        monitor = subprocess.Popen([TOOL, "-j", "monitor", "--flows"], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True)
    time.sleep(1)
    try:
        with wire(v) as w:
            w.send("client", SYN, 1000)
            w.send_error("client", kind, code, 1000)
            before = flow("router", w.key)
            true("unreachable" in flags_of("router", w.key), "the first is told")
            w.send("client", SYN, 500000)
            w.send("server", SYN | ACK, 3000, 500001)
            pairs_are(w.key, "SYN_SENT:SYN_RCVD", hosts=("router",))
            after = flow("router", w.key)
            true(before["flow"] != after["flow"], "it is another flow")
            equal((after["unreachable"], flags_of("router", w.key)),
                  ("-", {"forwarded", "syn-pending"}), "the client may still stand by its first SYN")
            w.send_error("client", kind, code, 500000)
            w.send_error("server", kind, code, 3000)
            is_told("router", w.key, HOST[v], ADDR[v]["client"], "resp")
            read("router", "flows")
        time.sleep(0.5)
    finally:
        monitor.terminate()
        said = [json.loads(line) for line in monitor.communicate()[0].splitlines()]
    ends = [e for e in said if e.get("flow") == int(before["flow"]) and e.get("reason")]
    equal([(e["reason"], "unreachable" in e["flags"]) for e in ends], [("reopened", True)], f"its end: {said}")
