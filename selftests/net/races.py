#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Whatever may happen at the same time, at the same time, on as many processors as there are.

Only a kernel with KCSAN (scripts/vm --kernel kcsan) sees all that goes wrong then: its reports
fail the test in which they came.
"""
import contextlib
import mmap
import os
import random
import signal
import socket
import struct
import sys
import time
import traceback

import bed
from bed import (ADDR, HOSTS, TALK, TOOL, Failed, Traffic, close_to, deep, flood, guests,
                 load_command, make_hosts, pair, read, remove_hosts, run, status, sysctl, test,
                 true, until, within)

SECONDS = deep(20, 300)           # of each mix, at least
VIEWS = ("states", "pairs", "transitions", "counters", "dwell", "flows", "services", "log")
TIMEOUTS = ("closed", "opening", "time_wait", "closing", "established", "half_closed")


# ---- what goes on: a process each, that comes round again and again ----

def talk(half, host, to, v, port):
    """Connections of any course, as fast as they go; the other half is on another processor."""
    return lambda: run("ip", "netns", "exec", host, TALK, half, ADDR[v][to], str(port), "200",
                       check=False)


def conversations():
    """Of both families, across the hosts and within one: both halves of each."""
    for port, (v, to) in enumerate(((4, "server"), (6, "server"), (4, "client"), (6, "client")),
                                   9000):
        yield f"serve {v} {to}", talk("serve", to, to, v, port)
        yield f"call {v} {to}", talk("call", "client", to, v, port)


def floods(*hosts, kinds=("syn", "ack")):
    """Segments of ever new flows: those of each host in turn, of both families."""
    for host in hosts:
        for kind in kinds:
            yield f"{kind} of {host}", lambda host=host, kind=kind: flood(
                host, kind, 4 if host.startswith("guest") else random.choice((4, 6)), 3000,
                random.randrange(8000, 8100))


def shapes(v):
    """Frames of any shape around a connection that is there, and its own data."""
    held = []

    def some():
        if not held:
            held.extend(pair(v, 9100 + v))
        c, s = held
        flood("client", "shapes", v, 3000, 9100 + v, sport=c.getsockname()[1], seq=1, ack=1)
        bed.talk(c, s, 20000)

    yield f"shapes {v}", some


def connections():
    """Traffic of several threads, as elsewhere; a round is a second of it."""
    made = []

    def second():
        if not made:
            made.append(Traffic())
        before = made[0].done
        time.sleep(1)
        true(made[0].done > before, "it goes on")

    yield "connections", second


def readers():
    """Every file of a host, over and over, and the tool's views."""
    def files():
        with within(random.choice(HOSTS)), contextlib.ExitStack() as stack:
            opened = [stack.enter_context(open(f"/proc/thread-self/net/tcpfsm/{view}", "rb"))
                      for view in (*VIEWS, "log", "log", "flows")]
            for _ in range(10):
                file = random.choice(opened)
                while os.read(file.fileno(), 65536):
                    pass
                os.lseek(file.fileno(), 0, os.SEEK_SET)

    def views():
        args = random.choice((("-N", random.choice(HOSTS)), ("-A",), ("-j", "-A")))
        view = random.choice(VIEWS)
        true(status(TOOL, *args, view)[0] == 0, f"tcpfsm {args} {view}")

    yield "files", files
    yield "views", views


def questions(*hosts):
    """For one flow after another, by tuples that may be there, and by ids."""
    def ask(host):
        src = socket.inet_aton(ADDR[4]["client"])
        dst = socket.inet_aton(ADDR[4]["server"])
        bed.ask_for_flows(host, [(*random.choice(((src, dst), (dst, src))), random.randrange(32768, 61000),
                                  random.randrange(9000, 9004)) for _ in range(100)])
        status(TOOL, "-N", host, "flows", "id", str(random.randrange(1, 10000)))

    for host in hosts:
        yield f"questions of {host}", lambda host=host: ask(host)


def own_readers(*guests_):
    """Guests that read what is theirs, over and over."""
    for name in guests_:
        yield f"{name} reads", lambda name=name: [read(name, view) for view in ("flows", "services", "log")]


def listeners():
    """To all events, for a short while."""
    def listen(*args):
        run("timeout", "2", TOOL, "-N", random.choice(HOSTS), *args, "--for",
            f"{random.random():.2f}", "monitor", check=False)

    yield "text", listen
    yield "json", lambda: listen("-j")


def settings():
    """Time-outs, short ones as a rule, the log's size and the audit."""
    def change():
        name = random.choice(HOSTS)
        sysctl(name, f"timeout_{random.choice(TIMEOUTS)}", random.choice((1, 1, 2, 100)))
        sysctl(name, "log_size", random.choice((64, 65, 300, 512, 5000)))
        sysctl(name, "audit", random.randrange(2))
        sysctl(name, f"timeout_{random.choice(TIMEOUTS)}")

    yield "change", change
    yield "change too", change


def switches():
    """Tracking off and on: each time, all flows are flushed."""
    def off_and_on():
        name = random.choice(HOSTS)
        sysctl(name, "enabled", 0)
        sysctl(name, "enabled", 1)
        time.sleep(random.random() / 10)

    yield "switch", off_and_on
    yield "switch too", off_and_on


def namespaces(*names):
    """Each with traffic, which its end meets."""
    def live(name):
        bed.add_host(name)
        try:
            sysctl(name, "timeout_closed", 1)
            with within(name):
                server = socket.create_server(("127.0.0.1", 8200))
                held = [socket.create_connection(("127.0.0.1", 8200)) for _ in range(20)]
            read(name, "flows")
        finally:
            run("ip", "netns", "del", name)
        close_to(server, *held)

    for name in names:
        yield name, lambda name=name: live(name)


def limits():
    """How many flows there may be changes, too."""
    def change():
        bed.write("/sys/module/tcpfsm/parameters/max_flows", random.choice((1024, 1500, 4096)))
        time.sleep(random.random() / 10)

    yield "limits", change


# ---- how it goes on ----

def child(number, work, rounds):
    """Go on until killed. What fails since something else is on its way does not count."""
    os.setpgid(0, 0)
    os.sched_setaffinity(0, {number % os.cpu_count()})
    random.seed()
    while True:
        try:
            work()
        except (OSError, Failed):
            time.sleep(0.001)
            continue
        done, = struct.unpack_from("Q", rounds, 8 * number)
        struct.pack_into("Q", rounds, 8 * number, done + 1)


def start(number, work, rounds):
    pid = os.fork()
    if pid:
        return pid
    try:
        child(number, work, rounds)
    finally:
        traceback.print_exc(file=sys.stdout)
        sys.stdout.flush()
        os._exit(1)


def stop(pid):
    """What it has started, too. Return: how it ended."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@contextlib.contextmanager
def going_on(works):
    """All of this on alternating processors, until each of them has come round."""
    rounds = mmap.mmap(-1, 8 * len(works))

    def done():
        return dict(zip(works, struct.unpack(f"{len(works)}Q", rounds)))

    pids = [start(number, work, rounds) for number, work in enumerate(works.values())]
    try:
        yield
        until(lambda: all(done().values()), lambda: f"all have come round: {done()}", 900)
    finally:
        ended = [stop(pid) for pid in pids]
        print("# rounds:", ", ".join(f"{name} {n}" for name, n in done().items()))
    for name, code in zip(works, ended):
        true(code == -signal.SIGKILL, f"{name} has ended")


def load(*args):
    run(*load_command(*args))


def unload():
    """A reader that was killed lets go of the module soon."""
    until(lambda: status("rmmod", "tcpfsm")[0] == 0, "it is not in use", 60)


def reports():
    """What KCSAN has said so far."""
    return [part for part in run("dmesg", "--notime").split("=" * 66) if "BUG: KCSAN" in part]


@contextlib.contextmanager
def race(*parts, args=()):
    """These things, and those within, with the module: what they do to it at the same time."""
    before = len(reports())
    load(*args)
    try:
        with going_on({name: work for part in parts for name, work in part}):
            yield
    finally:
        run("ip", "netns", "del", "short1", check=False)
        run("ip", "netns", "del", "short2", check=False)
        unload()
    found = reports()[before:]
    if found:
        raise Failed(f"{len(found)} reports of KCSAN\n" + "\n".join(found))


def mix(*parts, args=()):
    with race(*parts, args=args):
        time.sleep(SECONDS)


# ---- mixes ----

SMALL = ("max_flows=1024", "hashsize=1024", "max_services=64")


@test
def segments_of_the_same_flows():
    mix(conversations())


@test
def segments_that_open_flows():
    mix(floods("client"), shapes(4), shapes(6), connections())


@test
def traffic_and_readers():
    mix(conversations(), floods("client", kinds=("syn",)), readers(), questions("router", "client"))


@test
def traffic_and_listeners():
    mix(conversations(), floods("client", kinds=("syn",)), listeners())


@test
def short_time_outs():
    mix(conversations(), floods("client"), settings(), readers())


@test
def switched_off_and_on():
    mix(conversations(), floods("client"), switches(), readers(), listeners())


@test
def namespaces_come_and_go():
    mix(conversations(), namespaces("short1", "short2"), readers(), listeners())


@test
def full_tables():
    """Of flows and of services; the host's half and that of others."""
    with guests(2) as names:
        mix(conversations(), floods("client", *names), readers(), own_readers(*names), limits(),
            questions("router", *names), args=SMALL)


@test
def loaded_again_and_again():
    with race(conversations(), floods("client"), readers(), listeners(), settings(),
              namespaces("short1")):
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            unload()
            load(*random.choice((SMALL, ())))
            time.sleep(2 * random.random())


@test
def all_at_once():
    with guests(1) as names:
        mix(conversations(), floods("client", *names), shapes(6), connections(), readers(),
            listeners(), settings(), switches(), namespaces("short1"), limits(), own_readers(*names),
            questions("router", *names), args=SMALL)


def main():
    tests = bed.planned(bed.skip_all())
    make_hosts()
    failed = bed.run_all(tests)
    remove_hosts()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
