#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The module as such: its parameters, a full table, and coming and going under traffic."""
import contextlib
import os
import socket
import sys
import threading
import time

import bed
from bed import (ACK, ADDR, HOSTS, MODULE, SYN, TOOL, Failed, Wire, close_to, connect, counters,
                 equal, listen, make_hosts, muted, pair, pair_of, remove_hosts, run, status, table,
                 test, true, tuple_of, until, within)


def load(*args):
    run("insmod", MODULE, *args)


def unload():
    run("rmmod", "tcpfsm")


@contextlib.contextmanager
def loaded(*args):
    load(*args)
    try:
        yield
    finally:
        unload()


class Traffic:
    """Connections from client to server, without an end, on several threads."""

    def __init__(self, threads=2):
        self.stopped = threading.Event()
        self.done = 0
        self.errors = []
        self.threads = [threading.Thread(target=self.work, args=(8001 + i,))
                        for i in range(threads)]
        for t in self.threads:
            t.start()

    def work(self, port):
        v = 4 if port % 2 else 6
        with contextlib.closing(listen("server", v, port)) as listener:
            while not self.stopped.is_set():
                try:
                    c = connect("client", v, port)
                    s, _ = listener.accept()
                    c.sendall(b"x" * 3000)
                    s.recv(100)
                    close_to(c, s)
                    self.done += 1
                except OSError as error:
                    self.errors.append(error)

    def stop(self):
        self.stopped.set()
        for t in self.threads:
            t.join()


@test
def parameters_out_of_range_are_refused():
    for arg in ("max_flows=5", "max_flows=99999999", "hashsize=1000", "hashsize=3000000000",
                "max_services=1", "netns=some", "max_flows=x", "no_such=1"):
        code, _, err = status("insmod", MODULE, arg)
        if arg.startswith("no_such"):
            # The kernel itself lets unknown parameters pass, with a note in its log.
            if code == 0:
                unload()
            continue
        true(code != 0, f"{arg} was taken")
        true(not os.path.exists("/proc/net/tcpfsm"), f"{arg}: nothing is left behind")


@test
def the_module_alone_is_enough():
    with loaded():
        true(os.path.exists("/proc/net/tcpfsm/states"), "procfs")
        c, s = pair(4, 8100)
        for name in HOSTS:
            equal(pair_of(name, tuple_of(4, c.getsockname()[1], 8100)),
                  "ESTABLISHED:ESTABLISHED", name)
        close_to(c, s)


@test
def init_namespace_only():
    with loaded("netns=init"):
        c, s = pair(4, 8101)
        for name in HOSTS:
            equal(table(name, "flows"), [], name)
        close_to(c, s)


@test
def load_and_unload_under_traffic():
    traffic = Traffic()
    try:
        for _ in range(12):
            with loaded():
                before = traffic.done
                until(lambda: traffic.done >= before + 20, "traffic goes on")
                until(lambda: any(table(name, "flows") for name in HOSTS), "flows are seen")
    finally:
        traffic.stop()
    equal(traffic.errors, [], "connections that failed")
    print(f"# {traffic.done} connections meanwhile")


@test
def namespaces_come_and_go_under_traffic():
    with loaded():
        for i in range(8):
            run("ip", "netns", "add", "short")
            run("ip", "-n", "short", "link", "set", "lo", "up")
            with within("short"):
                listener = socket.create_server(("127.0.0.1", 8200))
                held = [socket.create_connection(("127.0.0.1", 8200)) for _ in range(50)]
            true(len(table("short", "flows")) == 50, "flows in it")
            run("ip", "netns", "del", "short")
            close_to(listener, *held)
        entries = until(lambda: counters_of("client")["table_entries"] == 0, "all are gone")
        true(entries, "no flow is left")


def counters_of(name):
    return counters(name)


@test
def a_full_table_evicts_half_open_first():
    """A flood of SYNs through the router: established flows stay, no segment is dropped."""
    with loaded("max_flows=1024", "hashsize=1024"):
        c, s = pair(4, 8300)
        key = tuple_of(4, c.getsockname()[1], 8300)
        with muted(), contextlib.closing(Wire(4)) as w:
            for i in range(6000):
                w.sport = 1024 + i
                w.raw_send("client", SYN, i)
                if i % 500 == 0:
                    c.send(b"alive")
                    equal(s.recv(5), b"alive")
        until(lambda: counters("router")["segments"] >= 6000, "all have passed")
        for name in HOSTS:
            equal(pair_of(name, key), "ESTABLISHED:ESTABLISHED", name)
        have = sum(len(table(name, "flows")) for name in HOSTS)
        true(have <= 1024, f"{have} flows of 1024")
        evicted = sum(counters(name)["evicted_opening"] for name in HOSTS)
        true(evicted > 10000, f"{evicted} evicted")
        equal(sum(counters(name)["evicted_established"] for name in HOSTS), 0, "established")
        for name in HOSTS:
            rows = table(name, "pairs")
            total = sum(int(n) for r in rows for k, n in r.items() if k != "orig:resp")
            equal(total, len(table(name, "flows")), f"the gauges at {name}")
        close_to(c, s)


@test
def services_are_bounded():
    with loaded("max_services=16"), muted(), contextlib.closing(Wire(4)) as w:
        for i in range(100):
            w.dport = 9000 + i
            w.raw_send("client", SYN, 1)
        until(lambda: counters("router")["segments"] >= 100, "all have passed")
        rows = [r for name in HOSTS for r in table(name, "services") if r["addr"] != "other"]
        true(len(rows) <= 16, f"{len(rows)} rows")
        other = [r for name in HOSTS for r in table(name, "services") if r["addr"] == "other"]
        equal(sum(int(r["flows"]) for r in other) + sum(int(r["flows"]) for r in rows),
              sum(int(r["entered"]) for name in HOSTS for r in table(name, "states")
                  if r["state"] == "LISTEN"), "each flow in a row")


@test
def the_log_is_a_ring():
    with loaded():
        bed.sysctl("router", "log_size", 64)
        for _ in range(20):
            c, s = pair(4, 8400)
            close_to(c, s)
        time.sleep(0.1)
        rows = table("router", "log")
        equal(len(rows), 64, "rows")
        seqs = [int(r["seq"]) for r in rows]
        equal(seqs, list(range(seqs[0], seqs[0] + 64)), "oldest first, no gap")
        equal(table("router", "log"), rows, "readable again")


@test
def tool_without_module_says_so():
    code, out, err = status(TOOL, "states")
    equal((code, out), (2, ""), "status")
    true("not loaded" in err and "insmod" in err, err)


def main():
    wanted = sys.argv[1:]
    tests = [t for t in bed.TESTS if not wanted or any(w in t[0] for w in wanted)]
    print("TAP version 13", f"1..{len(tests)}", sep="\n", flush=True)
    make_hosts()
    failed = bed.run_all(tests)
    remove_hosts()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
