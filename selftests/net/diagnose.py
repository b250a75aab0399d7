#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
What tells people about a flow and about a host: tcpfsm flow, and tcpfsm doctor, of whose findings
each is provoked here. In a guest with time travel, where waiting takes no time.
"""
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time

import bed
from bed import (ADDR, HOSTS, RST, SYN, TOOL, both, close_to, connect, dropped, equal, key_of, listen, loaded,
                 main_bare, muted, nft, numbers, pair, pairs_are, reset, run, setting, status, stream,
                 sysctl, table, test, true, until, vanish, wire, wire_into, within, write)

HEALTHY = "Nothing is wrong with"


def doctor(name):
    """In a namespace (None: the initial one): {id: [finding, ...]}; the exit status must fit."""
    with within(name) if name else contextlib.nullcontext():
        code, out, err = status(TOOL, "-j", "doctor")
    true(code in (0, 1), err)
    found = json.loads(out)["findings"]
    equal(code, 1 if any(f["rank"] != "note" for f in found) else 0, "exit status")
    by_id = {}
    for f in found:
        by_id.setdefault(f["id"], []).append(f)
    return by_id


def timeless(text):
    return re.sub(r"[0-9.]+ ?m?s\b", "N s", text)


def says(name, what, *words):
    """One finding of a kind, with these words in it; in text, too."""
    found = doctor(name)
    equal(len(found.get(what, [])), 1, f"{what} among {list(found)}")
    f = found[what][0]
    for word in words:
        true(word in " ".join((f["what"], *f["evidence"], f["look"] or "")), f"'{word}' in {f}")
    with within(name) if name else contextlib.nullcontext():
        code, out, _ = status(TOOL, "doctor")
    true(code in (0, 1), "exit status")
    for line in (f"{f['rank']}: {f['what']}", f"look: {f['look'] or ''}"):
        true(timeless(line) in timeless(out), out)
    return f


def endpoint(v, name, port):
    """As sentences have it, and as a word of a command."""
    text = f"{ADDR[v][name]}:{port}" if v == 4 else f"[{ADDR[v][name]}]:{port}"
    return text, text if v == 4 else f"'{text}'"


def shell(command):
    """What a command prints that was pasted."""
    return run("sh", "-c", f"PATH={os.path.dirname(TOOL)}:$PATH; {command}")


PROGRAM = """
import socket, sys
with socket.create_server((sys.argv[1], int(sys.argv[2])), family=int(sys.argv[3])) as s:
    held = []
    print("ready", flush=True)
    while True:
        held.append(s.accept()[0])
"""


@contextlib.contextmanager
def forgetful_server(v, port):
    """A program that accepts connections and never closes one."""
    with within("server"):
        p = subprocess.Popen([sys.executable, "-c", PROGRAM, ADDR[v]["server"], str(port),
                              str(int(bed.FAMILY[v]))], stdout=subprocess.PIPE)
    p.stdout.readline()
    try:
        yield p
    finally:
        p.kill()
        p.wait()


# ---- flow ----

@both
def a_flow_by_number_and_by_its_ends(v):
    with loaded(), forgetful_server(v, 9600) as program:
        c = connect("client", v, 9600)
        key = key_of(v, c, 9600)
        c.sendall(b"x" * 700)
        pairs_are(key, "ESTABLISHED:ESTABLISHED")
        c.shutdown(socket.SHUT_WR)
        pairs_are(key, "FIN_WAIT_2:CLOSE_WAIT")
        time.sleep(30)
        ends = [f"{a}:{p}" if v == 4 else f"[{a}]:{p}" for a, p in (key[:2], key[2:])]
        with within("server"):
            text = run(TOOL, "flow", *ends)
            number = text.split()[1]
            for words in (ends[::-1], [number]):
                equal(timeless(run(TOOL, "flow", *words)), timeless(text), " ".join(words))
            have = json.loads(run(TOOL, "-j", "flow", number))
        for words in (f"flow {number}  {ends[0]} > {ends[1]}", "CLOSE_WAIT for 30", " 700 bytes unread",
                      f"of resp: CLOSE_WAIT, python3 (pid {program.pid}", "SND_FIN", "refused    0 segments"):
            true(words in text, f"'{words}' in {text}")
        equal([(t["end"], t["from"], t["to"], t["cause"]) for t in have["transitions"]],
              [(r["end"], r["from"], r["to"], r["cause"]) for r in bed.log_of("server", key)], "its log")
        equal((have["now"]["orig"], have["now"]["resp"]), ("FIN_WAIT_2", "CLOSE_WAIT"))
        equal(have["sockets"]["resp"]["pid"], program.pid, "who holds it")
        reset(c)


@test
def a_flow_that_is_over_and_one_that_never_was():
    with loaded():
        sysctl("server", "timeout_closed", 1)
        c, s = pair(4, 9601)
        key = key_of(4, c, 9601)
        reset(c)
        s.close()
        pairs_are(key, "CLOSED:CLOSED")
        until(lambda: not table("server", "flows"), "it is forgotten", 60)
        with within("server"):
            text = run(TOOL, "flow", f"{key[0]}:{key[1]}", f"{key[2]}:{key[3]}")
            true("not in the table any more" in text and "RCV_RST" in text, text)
            code, out, err = status(TOOL, "flow", "123456")
            equal((code, out), (1, ""), err)
            for words in ((), ("1", "2", "3"), ("here", "there")):
                code, out, err = status(TOOL, "flow", *words)
                equal((code, out), (2, ""), err)


@test
def a_flow_counts_what_was_refused():
    with loaded():
        c, s = pair(4, 9602)
        seq = numbers(s)[1]
        with wire_into(4, c, 9602) as w:
            for _ in range(3):
                w.send("client", RST, seq - 1000)
        key = key_of(4, c, 9602)
        with within("router"):
            have = json.loads(run(TOOL, "-j", "flow", f"{key[0]}:{key[1]}", f"{key[2]}:{key[3]}"))
        equal(have["now"]["refused"], 3, "refused")
        equal([r["refused"] for r in table("router", "flows")], ["3"], "in the file")
        close_to(c, s)


@both
def a_flow_and_nf_conntrack(v):
    with loaded(), nft("router", "chain f { type filter hook forward priority 0; ct state new accept; };"):
        c, s = pair(v, 9603)
        key = key_of(v, c, 9603)
        ends = [f"{a}:{p}" if v == 4 else f"[{a}]:{p}" for a, p in (key[:2], key[2:])]
        with within("router"):
            text = run(TOOL, "flow", *ends)
            have = json.loads(run(TOOL, "-j", "flow", *ends))
        true("conntrack  ESTABLISHED, assured, forgets it in 4" in text, text)
        equal(have["conntrack"]["state"], "ESTABLISHED")
        true(431000 < have["conntrack"]["timeout_s"] <= 432000, have["conntrack"])
        close_to(c, s)


# ---- doctor ----

@both
def a_router_that_does_not_reach_the_target(v):
    nobody, router = {4: ("10.0.2.77", "10.0.1.2"), 6: ("fd02::77", "fd01::2")}[v]
    with loaded():
        equal(doctor("router"), {}, "before")
        with contextlib.closing(stream("client", v)) as c:
            true(c.connect_ex((nobody, 9610)) != 0, "connect() fails")
            key = (*map(str, c.getsockname()[:2]), nobody, "9610")
            ends = [f"{a}:{p}" if v == 4 else f"[{a}]:{p}" for a, p in (key[:2], key[2:])]
            for name in ("client", "router"):
                says(name, "unreachable", f"{router} says that {ends[1]} is not reached", " 1 connection ",
                     {4: "host unreachable", 6: "address unreachable"}[v], ends[0])
                equal([what for what in doctor(name) if what != "unreachable"], [], f"else at {name}")
                with within(name):
                    text = run(TOOL, "flow", *ends)
                    have = json.loads(run(TOOL, "-j", "flow", *ends))["now"]
                    listed = run(TOOL, "flows", "-e", "flag", "unreachable")
                true(f"icmp       {router}: " in text and "orig's segments, " in text, text)
                true(f"icmp {router}: " in listed, listed)
                have_told = have["unreachable"]         # once for each SYN that waited for the neighbour
                equal((have_told["origin"], have_told["end"], have_told["pending"]), (router, "orig", True), name)
                true(have_told["count"] >= 1, have_told)
                true("unreachable" in have["flags"], have["flags"])


@contextlib.contextmanager
def narrow_router(mtu):
    run("ip", "-n", "router", "link", "set", "to-server", "mtu", str(mtu))
    try:
        yield
    finally:
        run("ip", "-n", "router", "link", "set", "to-server", "mtu", "1500")
        for family in ("-4", "-6"):
            run("ip", "-n", "client", family, "route", "flush", "cache", check=False)


@both
def a_path_that_takes_smaller_packets(v):
    """Where path MTU discovery works, nothing is wrong; where the sender is not told, it says who knows."""
    router = {4: "10.0.1.2", 6: "fd01::2"}[v]
    lost = {4: "icmp type destination-unreachable", 6: "icmpv6 type packet-too-big"}[v]
    with loaded(), narrow_router(1400):
        c, s = pair(v, 9611)
        c.sendall(b"x" * 20000)
        bed.received(s, 20000)
        for name in ("client", "router"):
            true("mtu" in bed.flags_of(name, key_of(v, c, 9611)), f"{name} was told")
            equal(doctor(name), {}, f"at {name}, where it works")
        close_to(c, s)
    with loaded(), dropped("client", lost), narrow_router(1400):
        c, s = pair(v, 9612)
        c.sendall(b"x" * 20000)
        time.sleep(5)
        says("router", "mtu", f"{router} says that ", " is sent too big segments", " 1 connection stalls",
             "packets of 1400 bytes")
        true("mtu" not in doctor("client"), "the client is not told")
        reset(c)
        s.close()


@both
def healthy(v):
    with loaded():
        for i in range(20):
            close_to(*pair(v, 9610 + i))
        held = pair(v, 9630)
        time.sleep(100)
        for name in HOSTS:
            with within(name):
                code, out, err = status(TOOL, "doctor")
            equal((code, err), (0, ""), out)
            true(out.startswith(HEALTHY), out)
        close_to(*held)


@both
def connections_that_a_program_forgets_to_close(v):
    with loaded(), forgetful_server(v, 9640) as program:
        held = [connect("client", v, 9640) for _ in range(5)]
        for c in held:
            c.shutdown(socket.SHUT_WR)
        time.sleep(5)
        true("close-wait" not in doctor("server"), "not yet")
        time.sleep(300)
        where, word = endpoint(v, "server", 9640)
        f = says("server", "close-wait",
                 f"python3 (pid {program.pid}), which serves {where}, holds 5 connections in CLOSE_WAIT", "5m",
                 f"tcpfsm flows -p --sort dwell state close-wait dwell gt 1m dst {word}")
        equal([f[key] for key in ("count", "service", "pid")], [5, where, program.pid], "for programs")
        true(300e9 < f["oldest_ns"] < 330e9, f)
        with within("server"):
            equal(len(shell(f["look"]).splitlines()), 6, "what it says to look at")
        says("router", "close-wait", f"{where} holds 5 connections")
        for c in held:
            reset(c)


@both
def a_socket_that_went_without_a_segment_leaks_nothing(v):
    with loaded():
        c, s = pair(v, 9643)
        c.shutdown(socket.SHUT_WR)
        pairs_are(key_of(v, c, 9643), "FIN_WAIT_2:CLOSE_WAIT")
        time.sleep(70)
        says("server", "close-wait", "holds 1 connection in CLOSE_WAIT")
        vanish(s)               # the module has just asked for it
        time.sleep(5)
        f = says("server", "no-socket", "1 end of this host waits without a socket, the oldest for 1m15s in CLOSE_WAIT")
        equal((f["rank"], f["count"]), ("note", 1), "for programs")
        with within("server"):
            equal(run(TOOL, "doctor").count("look:"), 1, "and nothing else is")
            true("CLOSE_WAIT" in shell(f["look"]), "what it says to look at")
        time.sleep(60)
        equal(doctor("server"), {}, "the module has asked")
        c.close()


@both
def a_peer_that_does_not_acknowledge_a_fin(v):
    with loaded():
        c, s = pair(v, 9641)
        vanish(s)
        with dropped("client", "tcp sport 9641"):
            c.close()
            time.sleep(30)
            where, word = endpoint(v, "server", 9641)
            says("client", "fin-unanswered", f"{where} does not acknowledge", "1 connection,", f" dst {word}")


@both
def a_service_that_answers_no_syn(v):
    with loaded(), dropped("server", "tcp dport 9642"):
        c = stream("client", v)
        c.setblocking(False)
        c.connect_ex((ADDR[v]["server"], 9642))
        time.sleep(20)
        where, word = endpoint(v, "server", 9642)
        says("client", "syn-unanswered", f"{where} leaves SYNs unanswered", "1 connection waits", f" dst {word}")
        says("router", "syn-unanswered", where)
        c.close()


@both
def a_backend_that_refuses(v):
    with loaded():
        for n in range(5):
            with contextlib.closing(stream("client", v)) as c:
                true(c.connect_ex((ADDR[v]["server"], 9650)) != 0, "nobody listens")
            if n == 1:
                true("refused" not in doctor("router"), "two are nothing")
        where, word = endpoint(v, "server", 9650)
        f = says("router", "refused", f"{where} refuses 5 of 5 connections", f" dst {word}")
        equal((f["count"], f["service"]), (5, where))
        for _ in range(6):
            close_to(*pair(v, 9650))
        true("refused" not in doctor("router"), "it serves again, more than it refused")


@test
def more_services_than_are_named():
    """What is told of the others together is about none of them."""
    with loaded():
        sysctl("router", "log_size", 4096)
        for n in range(66 * 3):
            with contextlib.closing(stream("client", 4)) as c:
                true(c.connect_ex((ADDR[4]["server"], 9700 + n % 66)) != 0, "nobody listens")
        found = doctor("router")["refused"]
        equal(len(found), 65, "64 by name, and the others")
        others = [f for f in found if f["what"].startswith("Others")]
        equal([(f["count"], f.get("service"), f["look"]) for f in others],
              [(6, None, "tcpfsm log cause SND_RST; tcpfsm monitor cause SND_RST")])


@test
def ports_that_time_wait_takes():
    with loaded(), setting("client", ip_local_port_range="40000 40099"):
        with contextlib.closing(listen("server", 4, 9643)) as listener:
            for n in range(95):
                with within("client"):
                    c = socket.create_connection((ADDR[4]["server"], 9643))
                s, _ = listener.accept()
                close_to(c, s)
                if n == 30:
                    true("ports" not in doctor("client"), "not yet")
                if n == 60:
                    equal(says("client", "ports", "61 of the 100 ports")["rank"], "warning")
        f = says("client", "ports", "95 of the 100 ports", "95 of them in TIME_WAIT", "40000 40099")
        equal(f["rank"], "serious")
        true("ports" not in doctor("router"), "whose ports they are not")


@both
def somebody_who_resets(v):
    with loaded():
        for _ in range(12):
            c, s = pair(v, 9644)
            reset(c)
            s.close()
        says("router", "resets", f"The client {ADDR[v]['client']} reset connections", "12 times")
        found = json.loads(status(TOOL, "-j", "-N", "router", "doctor")[1])["findings"]
        _, word = endpoint(v, "server", 9644)
        equal([f["look"] for f in found if f["id"] == "resets"],
              [f"tcpfsm -N router log cause SND_RST dst {word}; "
               f"tcpfsm -N router monitor cause SND_RST dst {word}"], "where to look")
        time.sleep(100)
        true("resets" not in doctor("router"), "that was long ago")


@both
def resets_that_are_not_exact(v):
    with loaded():
        c, s = pair(v, 9645)
        seq = numbers(s)[1]
        with wire_into(v, c, 9645) as w:
            for i in range(12):
                w.send("client", RST, seq + 100 if i % 2 else seq - 100)
        says("router", "rst-inexact", "12 RSTs", "6 within the window")
        close_to(c, s)


@both
def half_closed_and_soon_forgotten_by_conntrack(v):
    with loaded(), forgetful_server(v, 9646), \
         nft("router", "chain f { type filter hook forward priority 0; ct state new accept; };"):
        c = connect("client", v, 9646)
        c.shutdown(socket.SHUT_WR)
        time.sleep(20)
        says("router", "conntrack-forgets", "CLOSE_WAIT", "1 half-closed connection", "the first in ")
        true("conntrack-forgets" not in doctor("client"), "who has no nf_conntrack")
        reset(c)


@test
def flows_of_a_flowtable():
    rules = """flowtable f { hook ingress priority 0; devices = { to-client, to-server }; };
        chain forward { type filter hook forward priority 0; ip protocol tcp flow add @f; };"""
    with loaded(), nft("router", rules):
        c, s = pair(4, 9647)
        bed.talk(c, s)
        bed.talk(c, s)
        says("router", "offloaded", "1 connection is handed to a flowtable")
        close_to(c, s)


@both
def a_program_that_does_not_accept(v):
    with loaded(), contextlib.closing(listen("server", v, 9648, backlog=3)):
        held = []
        for _ in range(3):
            held.append(connect("client", v, 9648))
        time.sleep(1)
        equal(says("server", "accept-queue", "3 connections wait, its limit is 3", "python3")["rank"], "warning")
        held.append(connect("client", v, 9648))
        time.sleep(1)
        equal(says("server", "accept-queue", "is full: 4 connections wait, its limit is 3", "new ones are dropped")["rank"], "serious")
        close_to(*held)


@both
def a_pool_of_half_open_connections(v):
    with loaded(), muted("client"), contextlib.closing(listen("server", v, 9649, backlog=32)), \
         wire(v, dport=9649, mute=()) as w:
        for i in range(30):
            w.sport = 2000 + i
            w.raw_send("client", SYN, 1000)
        time.sleep(0.5)
        says("server", "half-open", "30 handshakes", "its limit is 32", "syncookies", "from 1 address")
        time.sleep(5)
        where, word = endpoint(v, "server", 9649)
        f = says("router", "half-open", f"30 handshakes with {where} are half-open", "from 1 address",
                 f"state syn-recv dst {word}")
        equal((f["count"], f["service"], f["rank"]), (30, where, "warning"))


@test
def a_table_that_fills_and_overflows():
    with loaded("max_flows=1024", "hashsize=1024"), wire(4) as w:
        for i in range(300):
            w.sport = 2000 + i
            w.raw_send("client", SYN, 1)
        time.sleep(0.1)
        says(None, "table", "900 of at most 1024")
        for i in range(300):
            w.sport = 3000 + i
            w.raw_send("client", SYN, 1)
        time.sleep(0.1)
        says("router", "evicted", "gave way")


@test
def tracking_that_is_switched_off():
    with loaded():
        sysctl("router", "enabled", 0)
        says("router", "disabled", "switched off", "net.tcpfsm.enabled=1")
        true("disabled" not in doctor("client"), "elsewhere it is on")


@contextlib.contextmanager
def mounted(what, where):
    run("mount", "--bind", what, where)
    try:
        yield
    finally:
        run("umount", where)


@test
def a_module_of_another_version():
    with loaded():
        write("/tmp/version", "0.0.1\n")
        with mounted("/tmp/version", "/sys/module/tcpfsm/version"):
            says("router", "version", "0.0.1")


@test
def a_kernel_that_is_installed_and_has_no_module():
    """With a /boot and a /lib/modules of our own; the rest of /lib shines through."""
    release = os.uname().release
    for path in ("real", f"lib/modules/{release}/updates/dkms", "lib/modules/9.9.9-next", "boot"):
        os.makedirs(f"/tmp/k/{path}")
    for path in (f"lib/modules/{release}/updates/dkms/tcpfsm.ko", "boot/vmlinuz-9.9.9-next"):
        write(f"/tmp/k/{path}", "")
    for name in os.listdir("/usr/lib"):
        if name != "modules":
            os.symlink(f"/tmp/k/real/{name}", f"/tmp/k/lib/{name}")
    with loaded(), mounted("/usr/lib", "/tmp/k/real"), mounted("/tmp/k/lib", "/usr/lib"), \
         mounted("/tmp/k/boot", "/boot"):
        says("router", "next-kernel", "9.9.9-next", "linux-headers-9.9.9-next")


@test
def no_module_and_no_right():
    out = status(TOOL, "-j", "doctor", "--explain")[1]
    told = json.loads(out)["explain"]
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/verbs/doctor")
    if os.path.isdir(here):
        source = "".join(open(os.path.join(here, f), encoding="ascii").read() for f in sorted(os.listdir(here))
                         if f.endswith(".c") and f != "explain.c")
        kinds = set(re.findall(r'finding\([^;"]*?"([a-z0-9-]+)",', source) + re.findall(r'complaint = {\s*"([a-z-]+)"', source))
        equal(set(told), kinds, "kinds of findings")
    for words in ((), ("-j",)):
        code, out, err = status(TOOL, *words, "doctor")
        equal((code, err), (2, ""), out)
        true("not loaded" in out and "headers" in out, out)
    with loaded():
        code, out, err = status("setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=-all", TOOL, "doctor")
        equal(code, 2, out)
        true("CAP_NET_ADMIN" in err, err)


if __name__ == "__main__":
    main_bare()
