# SPDX-License-Identifier: GPL-2.0
"""Routing domains, balancers and bridges."""
import contextlib
import time

from bed import (ADDR, CLIENT_OPEN, Counted, HOSTS, SERVER_OPEN, add_host, address, both, close_to,
                 connect, counters, equal, everywhere, extra_host, flags_of, flow, forwards,
                 is_tuple, listen, pair_of, reset, run, stream, table, talk, timeout, true, until,
                 within, write)
from .common import (ELSEWHERE, UP, accept, at, bypass, close_in_turn, key_of_active,
                     key_of_passive, send_by, whole)


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
