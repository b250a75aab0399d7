# SPDX-License-Identifier: GPL-2.0
"""Address translation, SYN proxies and flowtables."""
import contextlib
import json
import os
import tempfile
import time

from bed import (ADDR, CLIENT_OPEN, Counted, FIRST, HOSTS, Monitor, SECOND, SERVER_OPEN, TOOL, address,
                 both, connect, equal, everywhere, flags_of, flow, listen, log_of, nft, pair,
                 pairs_are, reset, run, status, stream, talk, timeout, true, until, vanish,
                 within, write)
from .common import (ELSEWHERE, UP, accept, at, close_in_turn, exchange, key_of_active,
                     key_of_passive, whole)


def nat(hook, rule, v):
    """A NAT rule; @ is the family's word."""
    priority = "-100" if hook in ("prerouting", "output") else "100"
    return (f"chain nat_{hook} {{ type nat hook {hook} priority {priority}; "
            f"{rule.replace('@', 'ip' if v == 4 else 'ip6')}; }};")


@both
def dnat_at_the_clients_output(v):
    """The socket's tuple is not the one on the wire; the socket is found all the same."""
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


def told_of(name, *words, code=0):
    """What the tool says there, as a list of JSON objects."""
    with within(name):
        have, out, err = status(TOOL, "-j", *words)
    equal(have, code, f"tcpfsm {' '.join(words)}: {err}")
    return [json.loads(line) for line in out.splitlines()]


@both
def a_flow_is_found_by_what_each_host_calls_it(v):
    """DNAT and masquerade: the router's flow has the client's address and the server's, and is known by all four."""
    rules = (nat("prerouting", f"@ daddr {ELSEWHERE[v]} tcp dport 7121 dnat @ to "
                 f"{at(v, ADDR[v]['server'], 7120)}", v) +
             nat("postrouting", "oifname to-server masquerade", v))
    with contextlib.closing(listen("server", v, 7120)) as listener:
        with nft("router", rules):
            c = connect("client", v, 7121, ELSEWHERE[v])
            s = accept(listener)
            client, server = at(v, *c.getsockname()[:2]), at(v, ADDR[v]["server"], 7120)
            outside, inside = at(v, ELSEWHERE[v], 7121), at(v, *s.getpeername()[:2])
            true(inside != client, f"it is masqueraded: {inside}")
            want = {"orig": (client, outside), "resp": (inside, server)}
            for words in (("src", client), ("dst", server), ("dst", outside), ("src", inside), ("sport", "=", client),
                          ("dport", "=", ":7121"), ("dport", "=", ":7120"), ("dst", ELSEWHERE[v]), ("host", outside)):
                words = [w if not words[0].endswith("port") else ":" + w.rsplit(":", 1)[1] if ":" in w else w
                         for w in words]
                found = told_of("router", f"-{v}", "flows", *words)
                equal(len(found), 1, " ".join(words))
                have = {end: tuple(at(v, t[x], t[x[0] + "port"]) for x in ("src", "dst"))
                        for end, t in found[0]["nat"].items()}
                equal(have, want, "what it is translated from and to")
            for words in (("dport", "!=", ":7121"), ("dport", "!=", ":7120"), ("not", "dst", ELSEWHERE[v])):
                equal(told_of("router", "flows", "(", *words, ")", "and", "src", client, code=1), [], " ".join(words))
            for ends in ((client, outside), (server, inside), (client, server), (outside,), (inside,)):
                life = told_of("router", "flow", *ends)[0]
                equal((life["flow"], life["now"]["nat"]), (found[0]["flow"], found[0]["nat"]), " ".join(ends))
                true(len(life["transitions"]) == 5, f"its log: {len(life['transitions'])}")
            equal(told_of("router", "flow", client, inside, code=1), [], "of two sides that do not belong together")
            with within("router"):
                text = run(TOOL, "flows", "-e", "dst", outside)
            true(f"nat orig:{client}>{outside} resp:{inside}>{server}" in text, text)
            true("nat" not in told_of("server", "flows", "dst", server)[0], "where nothing is translated")
            reset(c)
            s.close()


@both
def transitions_and_ends_say_what_is_translated(v):
    """By the router alone DNAT, masquerade, and both; a flow that nothing translates beside them."""
    server = ADDR[v]["server"]
    rules = (nat("prerouting", f"@ daddr {ELSEWHERE[v]} tcp dport 7131 dnat @ to {at(v, server, 7130)}", v) +
             nat("postrouting", "oifname to-server tcp sport { 5131, 5132 } masquerade", v))
    with nft("router", rules), contextlib.closing(listen("server", v, 7130)) as listener, \
         timeout("router", "closed", 1), tempfile.TemporaryDirectory() as work:
        record = os.path.join(work, "record")
        moves = Monitor("router", f"-{v}", "--record", record, "port", ":7130")
        outside = Monitor("router", "dst", at(v, ELSEWHERE[v], 7131))
        ends = Monitor("router", f"-{v}", "--flows")
        want = {}
        for sport, host, port in ((5130, ELSEWHERE[v], 7131), (5131, server, 7130), (5132, ELSEWHERE[v], 7131),
                                  (5133, server, 7130)):
            with contextlib.closing(stream("client", v, sport)) as c:
                c.connect((host, port))
                s = accept(listener)
                client, inside = at(v, ADDR[v]["client"], sport), at(v, *s.getpeername()[:2])
                sides = {"orig": (client, at(v, host, port)), "resp": (inside, at(v, server, 7130))}
                want[flow("router", (ADDR[v]["client"], str(sport), server, "7130"))["flow"]] = \
                    None if sides["orig"] == sides["resp"] else sides
                reset(c)
                s.close()
            time.sleep(1.2)
        until(lambda: {str(f["flow"]) for f in ends.lines} >= set(want), "they end")
        moves, outside, ends = [m.stop() for m in (moves, outside, ends)]

        def sides_of(told):
            return {end: tuple(at(v, t[x], t[x[0] + "port"]) for x in ("src", "dst"))
                    for end, t in told["nat"].items()} if "nat" in told else None

        equal(len({tuple(x.items()) for x in want.values() if x}), 3, "three kinds")
        for told in (moves, ends, told_of("router", "replay", record)):
            equal({(str(t["flow"]), str(sides_of(t))) for t in told if str(t["flow"]) in want},
                  {(number, str(sides)) for number, sides in want.items()}, "what each line says")
        via = {number for number, sides in want.items() if sides and sides["orig"][1] == at(v, ELSEWHERE[v], 7131)}
        equal({str(t["flow"]) for t in outside}, via, "by an address that is translated")
        again = told_of("router", "replay", record, "dst", at(v, ELSEWHERE[v], 7131))
        equal({str(t["flow"]) for t in again}, via, "by the same, from the record")


@both
def another_socket_with_a_dead_ones_tuple_is_not_it(v):
    """The first connection falls silent behind NAT; another socket then takes its socket's tuple."""
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
    """The server's socket sees another address than the client's."""
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
    """A rule turns the connection back to a listener on the same host, over loopback."""
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
    """The flowtable hides connections to that port from the router's hooks."""
    return nft("router", f"""
        flowtable fast {{ hook ingress priority 0; devices = {{ to-client, to-server }}; }};
        chain mid {{ type filter hook forward priority 0; tcp dport {port} flow add @fast; }};""")


def offloaded(v, port):
    """A connection that has sent much data through the flowtable."""
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
    """The router sees the close, with sequence numbers far from those it saw last."""
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
