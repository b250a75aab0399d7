#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The tool in every network namespace at once: what it tells of each, what they are called, and
that it keeps none alive."""
import contextlib
import json
import os
import signal
import socket
import subprocess
import time

from bed import (HOSTS, TOOL, add_host, both, close_to, counters, equal, flow, forget_flows,
                 key_of, log_of, main, pair, reset, run, status, table, test, true, until, within)


def tool(*words, code=0):
    """Run in the initial namespace."""
    have, out, err = status(TOOL, *words)
    equal(have, code, f"tcpfsm {' '.join(words)}: {err}")
    return out


def rows_of(*words):
    """A table as lines of {column: value}."""
    lines = tool(*words).splitlines()
    return [dict(zip(lines[0].split(), line.split())) for line in lines[1:]]


def parsed(*words, code=0):
    out = tool("-j", *words, code=code)
    return json.loads(out)


def lines_of(*words):
    return [json.loads(line) for line in tool("-j", *words).splitlines()]


@contextlib.contextmanager
def process_elsewhere(*words, unshare=("-n",)):
    """A program in a namespace of its own. Yields the process; its namespace has a loopback device."""
    program = subprocess.Popen(["unshare", *unshare, "sh", "-c", "ip link set lo up; exec \"$@\"", "sh", *words],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield program
    finally:
        program.kill()
        program.wait()


@contextlib.contextmanager
def named(name):
    add_host(name)
    try:
        yield
    finally:
        run("ip", "netns", "del", name)


# A connection of a host with itself each time that a line is read; it says so when it is closed.
ALONE = """
import socket, sys
for line in sys.stdin:
    with socket.create_server(("127.0.0.1", 0)) as l, socket.create_connection(l.getsockname()) as c:
        s, _ = l.accept()
        c.close()
        s.close()
    print("done", flush=True)
"""


@both
def every_command_tells_of_every_namespace(v):
    forget_flows()
    c, s = pair(v, 8001)
    key = key_of(v, c, 8001)
    ends = [f"[{a}]:{p}" if v == 6 else f"{a}:{p}" for a, p in (key[:2], key[2:])]
    equal(sorted(r["netns"] for r in rows_of("flows", "-A", "sport = :%s" % key[1])), sorted(HOSTS), "flows")
    for name in HOSTS:
        row = flow(name, key)
        for told in ([r for r in rows_of("flows", "-A") if r["netns"] == name],
                     [r for r in lines_of("flows", "-A") if r["netns"] == name]):
            equal([str(r["flow"]) for r in told], [row["flow"]], f"flows of {name}")
        for command, file in (("pairs", "pairs"), ("transitions", "transitions")):
            have = [r for r in rows_of(command, "-A") if r["netns"] == name]
            with within(name):
                want = json.loads(run(TOOL, "-j", command))
            equal(want["netns"], name, f"{command} of {name} alone")
            equal([{k: x for k, x in r.items() if k != "netns"} for r in have],
                  [{k: str(x) for k, x in r.items()} for r in want[file]], f"{command} of {name}")
            equal([r[file] for r in parsed(command, "-A") if r["netns"] == name], [want[file]], "JSON")
        have = {r["name"]: int(r["value"]) for r in rows_of("counters", "-A") if r["netns"] == name}
        equal(have["flows_opened"], counters(name)["flows_opened"], f"counters of {name}")
        own = next(r for r in parsed("counters", "-A") if r["netns"] == name)
        equal(own["counters"]["flows_opened"], have["flows_opened"], "counters as JSON")
        have = [r for r in rows_of("services", "-A") if r["netns"] == name and r["service"] == ends[1]]
        equal([int(r["established"]) for r in have], [1], f"service at {name}")
        have = [r["states"]["ESTABLISHED"] for r in parsed("services", "-A")["services"]
                if r["netns"] == name and (r["addr"], r["port"]) == (key[2], 8001)]
        equal(have, [1], "service as JSON")
        true(next(r for r in parsed("dwell", "-A") if r["netns"] == name)["dwell"], f"dwell of {name}")
        true(f"netns {name}\n" in tool("dwell", "-A"), "dwell as text")
    logged = [r for r in lines_of("log", "-A") if r["src"] == key[0] and str(r["sport"]) == key[1]]
    equal([r["ts"] for r in logged], sorted(r["ts"] for r in logged), "in the order of time")
    for name in HOSTS:
        equal(len([r for r in logged if r["netns"] == name]), len(log_of(name, key)), f"log of {name}")
    counted = {r["netns"]: int(r["flows"]) for r in rows_of("count", "netns", "-A", "sport = :%s" % key[1])}
    equal(counted, {name: 1 for name in HOSTS}, "count")
    lives = parsed("flow", "-A", *ends)
    equal(sorted(x["netns"] for x in lives), sorted(HOSTS), "flow")
    true(all(x["transitions"] and x["transitions"][0]["netns"] == x["netns"] for x in lives), "their logs")
    sockets = {x["netns"]: sorted(x["sockets"]) for x in lives}
    equal(sockets, {"client": ["orig"], "router": [], "server": ["resp"]}, "the sockets of each namespace")
    have = {r["netns"]: sorted(r.get("socket", {})) for r in lines_of("flows", "-A", "-p", "sport = :%s" % key[1])}
    equal(have, sockets, "flows -p")
    with within("client"):
        equal([r["netns"] for r in lines_of("flows", "-A")], ["client"], "from another one: its own alone")
    close_to(c, s)


@test
def sums_over_all():
    forget_flows()
    c, s = pair(4, 8002)
    top = json.loads(tool("-j", "top", "-b", "-A", "-c", "1", "-i", "100ms"))
    equal(top["netns"], None, "of no single one")
    states = {r["state"]: r["orig"] + r["resp"] for r in top["states"]}
    want = sum(int(r["orig"]) + int(r["resp"]) for name in HOSTS for r in table(name, "states")
               if r["state"] == "ESTABLISHED")
    equal(states["ESTABLISHED"], want, "states")
    equal(sorted(r["netns"] for r in top["services"] if r["port"] == 8002), sorted(HOSTS), "services")
    true(f"{want // 2} / {want // 2}" in tool("graph", "-A"), "graph")
    close_to(c, s)


@test
def what_they_are_called():
    names = {r["netns"]: int(r["inode"]) for r in rows_of("states", "-A")}
    for name in HOSTS:
        equal(names.get(name), os.stat(f"/run/netns/{name}").st_ino, name)
    with process_elsewhere("python3", "-c", ALONE) as program:
        program.stdin.write("\n")
        program.stdin.flush()
        program.stdout.readline()
        inode = os.stat(f"/proc/{program.pid}/ns/net").st_ino
        name = f"python3-{program.pid}"
        names = {r["netns"]: int(r["inode"]) for r in rows_of("states", "-A")}
        equal(names.get(name), inode, "by its process")
        for word in (name, str(program.pid), f"/proc/{program.pid}/ns/net", str(inode)):
            equal(parsed("states", "-N", word)["netns_inode"], inode, f"-N {word}")
        equal(json.loads(run("nsenter", "-n", "-t", str(program.pid), TOOL, "-j", "states"))["netns"], name,
              "from within")
    host = os.stat("/proc/1/ns/net").st_ino
    true(parsed("states", "-N", "host")["netns_inode"] == host == parsed("states")["netns_inode"], "host")
    true("host" in tool("--complete", "states", "-N").splitlines(), "completion")


@test
def equal_names_are_told_apart():
    """A process may call itself as another namespace is called."""
    call = ("import ctypes, sys, time\nctypes.CDLL(None).prctl(15, sys.argv[1].encode())\n"
            "print('done', flush=True)\ntime.sleep(1000)")
    with process_elsewhere("python3", "-c", call, "a\x1b[2J;b") as program:
        program.stdout.readline()
        listed = tool("--complete", "states", "-N").splitlines()
        true(f"a__2J_b-{program.pid}" in listed, f"no control characters: {listed}")
    with process_elsewhere("python3", "-c", call, "same") as program:
        program.stdout.readline()
        inode = os.stat(f"/proc/{program.pid}/ns/net").st_ino
        name = f"same-{program.pid}"
        run("ip", "netns", "add", name)
        try:
            listed = tool("--complete", "states", "-N").splitlines()
            true(name in listed and f"{name}@{inode}" in listed, f"{listed}")
            equal(parsed("states", "-N", name)["netns_inode"], os.stat(f"/run/netns/{name}").st_ino,
                  "ip netns keeps the name")
            equal(parsed("states", "-N", f"{name}@{inode}")["netns_inode"], inode, "with the number")
        finally:
            run("ip", "netns", "del", name)


@test
def mistakes_are_told():
    for words, said in ((("-N", "nowhere"), "no network namespace 'nowhere'"),
                        (("-N", "/proc/self/status"), "'/proc/self/status': that is not a network namespace"),
                        (("-N", "/run/nothing"), "'/run/nothing': No such file"),
                        (("-N", "4294967295"), "no network namespace '4294967295'"),
                        (("-N", ""), "no network namespace ''"),
                        (("-A", "-N", "client"), "--netns and --all-netns")):
        code, out, err = status(TOOL, *words, "states")
        equal((code, out), (2, ""), " ".join(words))
        true(said in err, err)
    equal(status(TOOL, "replay", "-A", "x")[0], 2, "a capture has none")


@contextlib.contextmanager
def following(*words):
    """Yields the program, which follows."""
    program = subprocess.Popen([TOOL, "-j", "monitor", "-A", *words], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    try:
        true("following" in program.stderr.readline(), "it follows")
        yield program
    finally:
        program.kill()
        program.communicate()


def end_of(program):
    program.send_signal(signal.SIGINT)
    out, err = program.communicate()
    equal((program.returncode, err), (0, ""), "its end")
    return [json.loads(line) for line in out.splitlines()]


def moves(rows):
    return [(r["end"], r["from"], r["to"], r["cause"]) for r in rows]


@both
def monitor_tells_of_every_namespace_in_order(v):
    forget_flows()
    keys = []
    with following() as program:
        for i in range(20):
            c, s = pair(v, 8100 + i)
            keys.append(key_of(v, c, 8100 + i))
            if i % 3:
                close_to(c, s)
            else:
                reset(c)
                s.close()
        time.sleep(0.3)
        told = end_of(program)
    true(not [r for r in told if "lost" in r], "nothing is lost")
    equal([r["seq"] for r in told], list(range(1, len(told) + 1)), "one series of numbers")
    for name in HOSTS:
        for key in keys:
            have = [r for r in told if r["netns"] == name and str(r["sport"]) == key[1] and r["src"] == key[0]]
            want = [(r["end"], r["from"], r["to"], r["cause"]) for r in log_of(name, key)]
            equal(moves(have), want, f"{name}, {key}")
            equal([r["step"] for r in have], list(range(1, len(have) + 1)), "steps")


@both
def processes_where_people_look(v):
    """monitor and log name the processes of both ends, each where its socket is."""
    with following("-p", "sport", "gt", ":0") as program, following("-p", "--flows") as flows:
        c, s = pair(v, 8150)
        key = key_of(v, c, 8150)
        time.sleep(1.2)
        have = [r for r in lines_of("log", "-A", "-p") if r["src"] == key[0] and str(r["sport"]) == key[1]]
        for name, end in (("client", "orig"), ("server", "resp")):
            one = next(r for r in have if r["netns"] == name)
            equal({e: (x["process"], x["pid"]) for e, x in one["socket"].items()}, {end: ("python3", os.getpid())},
                  f"log of {name}")
        true(not any("socket" in r for r in have if r["netns"] == "router"), "the router has none")
        with within("client"):
            true(f'orig:(("python3",pid={os.getpid()},fd={c.fileno()}))' in run(TOOL, "log", "-p"), "as text")
        reset(c)
        s.close()
        time.sleep(0.3)
        told = [r for r in end_of(program) if r["src"] == key[0] and str(r["sport"]) == key[1]]
        for name, end in (("client", "orig"), ("server", "resp")):
            last = [r for r in told if r["netns"] == name][-1]
            equal((last["to"], last.get("socket", {}).get(end, {}).get("pid")), ("CLOSED", os.getpid()),
                  f"monitor of {name}: known to the end")
        forget_flows()
        time.sleep(0.3)
        ended = [r for r in end_of(flows) if r["src"] == key[0] and str(r["sport"]) == key[1]]
        equal({r["netns"]: sorted(e for e, x in r.get("socket", {}).items() if "pid" in x) for r in ended},
              {"client": ["orig"], "router": [], "server": ["resp"]}, "flows that ended")


@test
def monitor_follows_namespaces_that_come_later():
    """It hears one that the kernel gives a number at once, and another within a second or so."""
    with following("cause", "=", "SND_SYN") as program:
        with named("late"):
            run("ip", "link", "add", "to-late", "type", "veth", "peer", "name", "eth0", "netns", "late")
            run("ip", "-n", "late", "link", "set", "lo", "up")
            time.sleep(0.3)
            with within("late"), socket.create_server(("127.0.0.1", 8201)) as l, \
                 socket.create_connection(l.getsockname()) as c:
                s, _ = l.accept()
                reset(c)
                s.close()
            with process_elsewhere("python3", "-c", ALONE) as alone:
                name = f"python3-{alone.pid}"
                time.sleep(2.5)
                for _ in range(3):
                    alone.stdin.write("\n")
                    alone.stdin.flush()
                    alone.stdout.readline()
                time.sleep(0.5)
            run("ip", "link", "del", "to-late")
        told = end_of(program)
    equal(len([r for r in told if r["netns"] == "late"]), 1, f"with a number: {told}")
    equal(len([r for r in told if r["netns"] == name]), 3, f"found: {told}")


@test
def monitor_keeps_no_namespace_alive():
    """Its module's counts are gone with it, and what is born on its number is another one."""
    with following() as program:
        for i in range(3):
            with named("short"):
                run("ip", "link", "add", "to-short", "type", "veth", "peer", "name", "eth0", "netns", "short")
                run("ip", "-n", "short", "link", "set", "lo", "up")
                time.sleep(0.3)
                with within("short"), socket.create_server(("127.0.0.1", 8301 + i)) as l, \
                     socket.create_connection(l.getsockname()) as c:
                    s, _ = l.accept()
                    reset(c)
                    s.close()
                inode = os.stat("/run/netns/short").st_ino
                true(str(inode) in [r["inode"] for r in rows_of("states", "-A")], "it is there")
                time.sleep(0.2)
            until(lambda: not os.path.exists("/sys/class/net/to-short"), "its device goes with it")
            until(lambda: "short" not in [r["netns"] for r in rows_of("states", "-A")], "it is gone")
        told = end_of(program)
    true(not [r for r in told if "lost" in r], "nothing is lost")
    for i in range(3):
        have = [r for r in told if r.get("dport") == 8301 + i]
        equal({r["netns"] for r in have}, {"short"}, f"round {i}")
        equal([r["step"] for r in have], list(range(1, len(have) + 1)), f"steps of round {i}")
        true(len(have) >= 6, f"{len(have)} transitions")


@test
def doctor_says_where():
    held = [pair(4, 8401) for _ in range(6)]
    for c, _ in held:
        c.shutdown(socket.SHUT_WR)
    with within("server"):
        alone = json.loads(status(TOOL, "-j", "doctor")[1])
    found = parsed("doctor", "-A", code=1 if any(f["rank"] != "note" for f in alone["findings"]) else 0)
    equal([f["what"] for f in found["findings"] if f["netns"] == "server"],
          [f["what"] for f in alone["findings"]], "as in the namespace")
    for f in found["findings"]:
        for command in (f["look"] or "").split("; "):
            if command.startswith(("tcpfsm ", "ss ")):
                true(f" -N {f['netns']} " in command, command)
                words = command.split()
                words[0] = TOOL if words[0] == "tcpfsm" else words[0]
                true(status(*words)[0] in (0, 1), f"it works as it stands: {command}")
    close_to(*(s for ends in held for s in ends))


@test
def one_out_of_reach_is_told():
    """Only a socket keeps it: no process is in it, and no name leads to it."""
    with named("gone"):
        with within("gone"):
            run("ip", "link", "set", "lo", "up")
            with socket.create_server(("127.0.0.1", 8501)) as l:
                keeps = socket.create_connection(l.getsockname())
        inode = os.stat("/run/netns/gone").st_ino
    try:
        true(str(inode) in [r["netns"] for r in rows_of("states", "-A")], "by its number")
        code, out, err = status(TOOL, "flows", "-A")
        true(code < 2 and f"1 network namespace is out of reach, as {inode}" in err, err)
        code, out, err = status(TOOL, "flows", "-N", str(inode))
        equal((code, out), (2, ""), "it cannot be entered")
        true(f"no network namespace '{inode}'" in err, err)
    finally:
        keeps.close()


if __name__ == "__main__":
    main()
