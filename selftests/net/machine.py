#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Attacks that take a machine's own kernel to be seen: functions that wait where another processor may
come in between, how often sockets are looked up, and whose memory it is.
"""
import contextlib
import json
import os
import socket
import subprocess
import threading
import time

from bed import (ACK, ADDR, FLOW_GET, HOSTS, TOOL, Dump, Failed, Listener, Skipped, Wire, attributes_of,
                 backlog, close_to, counters, equal, flow, guests, key_of, loaded, log_of, main_bare, muted, number_in, pair, reset,
                 run, syns, sysctl, test, true, until, within, write)

DELAY = os.environ.get("TCPFSM_DELAY_KO")


class Late:
    """
    A function waits the first so many times that it is entered, until release(). Its processor takes
    no interrupts meanwhile, so what is to wait runs in held().
    """

    PARAMETERS = "/sys/module/delay/parameters/"

    def __init__(self, function, times=0):
        if not DELAY:
            raise Skipped("TCPFSM_DELAY_KO names no module that makes functions wait")
        # Longer than what is done meanwhile; a processor may be busy for so long.
        run("insmod", DELAY, f"function={function}", "ms=15000", f"times={times}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        run("rmmod", "delay")

    @staticmethod
    @contextlib.contextmanager
    def held(work, *args):
        """Do this on the last processor, and all else on others. Yields the thread, and waits for its end."""
        cpus = os.sched_getaffinity(0)

        def there():
            os.sched_setaffinity(0, {max(cpus)})
            work(*args)

        thread = threading.Thread(target=there)
        os.sched_setaffinity(0, cpus - {max(cpus)})
        try:
            thread.start()
            yield thread
            thread.join()
        finally:
            os.sched_setaffinity(0, cpus)

    def entered(self):
        """How often so far."""
        with open(self.PARAMETERS + "entered", encoding="ascii") as f:
            return int(f.read())

    def release(self):
        write(self.PARAMETERS + "times", 0)


# ---- a dump and the events behind it ----

A_FLOW, A_POSITION, FLOW_ID, FLOW_DPORT = 3, 8, 2, 7
POSITION_CPU, POSITION_FLOW = 2, 4


@test
def a_dump_misses_no_flow_that_its_positions_claim():
    """A flow begins while the dump takes its positions: it is in the dump, or in the events behind."""
    with loaded(), contextlib.closing(Listener("router", "flow")) as listener:
        answer = []

        def dump():
            with contextlib.closing(Dump("router", FLOW_GET)) as d:
                answer.extend(d.rest())

        c, s = pair(4, 7000)            # positions are of processors that have sent events
        with Late("tcpfsm_event_positions", 1) as late, late.held(dump):
            until(late.entered, "the dump begins")
            c2, s2 = pair(4, 7001)
            late.release()
        positions = {}
        dumped = set()
        for message in answer:
            for kind, payload in message:
                if kind == A_POSITION:
                    at = attributes_of(payload)
                    positions[number_in(at, POSITION_CPU)] = number_in(at, POSITION_FLOW)
                elif kind == A_FLOW:
                    dumped.add(number_in(attributes_of(payload), FLOW_DPORT))
        told = set()

        def is_told():
            told.update(number_in(flow, FLOW_DPORT) for cpu, number, flow in listener.events()
                        if number >= positions.get(cpu, 0))
            return 7001 in dumped | told

        until(is_told, "the flow is told")
        print(f"# in the dump: {sorted(dumped)}; behind it: {sorted(told)}")
        close_to(c, s)
        close_to(c2, s2)


@test
def of_two_processors_the_first_to_move_a_flow_is_the_earlier():
    """One FIN waits at the flow's lock while the other passes: the log has them in their order."""
    with loaded():
        c, s = pair(4, 7000)
        key = key_of(4, c, 7000)
        with Late("tcpfsm_segment", 1) as late, late.held(c.shutdown, socket.SHUT_WR):
            until(late.entered, "the client's FIN is at the client's hook")
            s.shutdown(socket.SHUT_WR)
            until(lambda: "FIN_WAIT_1" in flow("client", key)["resp_history"], "the server's has passed")
            late.release()
        until(lambda: "FIN_WAIT_1" in flow("client", key)["orig_history"], "the client's has")
        rows = log_of("client", key)
        equal([int(r["step"]) for r in rows], list(range(1, len(rows) + 1)), f"in their order: {rows}")
        close_to(c, s)


# ---- what readers cost others ----

@test
def a_guest_that_reads_does_not_wait_for_others_flows():
    """Nor do they for it: what is another's is passed over without its lock."""
    with loaded(), guests(1):
        syns("guest0", [(1000, 1000)])
        c, s = pair(4, 7000)

        def dump(name):
            with contextlib.closing(Dump(name, FLOW_GET)) as d:
                return d.rest()

        # The host's reader holds the lock of its flow there, and nobody else enters it.
        with Late("tcpfsm_filter_wants", 1) as late, late.held(dump, "router") as reader:
            until(late.entered, "the host reads")
            flows = sum(kind == A_FLOW for m in dump("guest0") for kind, _ in m)
            first = reader.is_alive()
            late.release()
        close_to(c, s)
        equal(flows, 1, "flows that the guest has read")
        true(first, "the guest's reader is through before the host's")


@test
def one_flow_is_looked_up_without_a_walk():
    with loaded():
        c, s = pair(4, 7000)
        ends = [f"{ADDR[4]['client']}:{c.getsockname()[1]}", f"{ADDR[4]['server']}:7000"]
        with Late("tcpfsm_table_next") as late:
            for words in (ends, ends[::-1]):
                told = json.loads(run("ip", "netns", "exec", "router", TOOL, "-j", "flow", *words))
                equal(told["now"]["dport"], 7000, "the flow")
            buckets = late.entered()
        close_to(c, s)
        print(f"# {buckets} buckets walked through")
        equal(buckets, 0, "buckets walked through")


# ---- what strangers cost ----

@test
def an_unknown_ack_asks_for_each_end_once():
    """BPF programs at socket lookup run for each question, and processors spend time on it."""
    segments = 200

    def lookups(function, enabled):
        for name in HOSTS:
            sysctl(name, "enabled", enabled)
        with muted(), contextlib.closing(Wire(4)) as w, Late(function) as late:
            w.sport, before = 20000, late.entered()
            for i in range(segments):
                w.dport = 30000 + i
                w.raw_send("client", ACK, 1000 + i, 2000)
            until(lambda: not backlog(), "they have arrived")
            return (late.entered() - before) / segments

    with loaded():
        more = {f: lookups(f, 1) - lookups(f, 0)
                for f in ("__inet_lookup_listener", "__inet_lookup_established")}
        print(f"# lookups beyond the stack's own, for each unknown ACK, over {len(HOSTS)} hosts: {more}")
        true(max(more.values()) <= len(HOSTS), f"{more}")


# ---- cgroups ----

CGROUPS = "/run/cgroup"


@contextlib.contextmanager
def cgroup(name, *controllers):
    """Yields its directory."""
    os.makedirs(CGROUPS, exist_ok=True)
    if not os.path.ismount(CGROUPS):
        run("mount", "-t", "cgroup2", "none", CGROUPS)
    for controller in controllers:
        write(f"{CGROUPS}/cgroup.subtree_control", f"+{controller}")
    where = f"{CGROUPS}/{name}"
    os.makedirs(where)
    try:
        yield where
    finally:
        until(lambda: not rmdir_fails(where), "the cgroup is empty")


def rmdir_fails(where):
    try:
        os.rmdir(where)
    except OSError as e:
        return str(e)
    return None


def charged(where):
    """Bytes of kernel memory that a cgroup pays for."""
    with open(f"{where}/memory.stat", encoding="ascii") as f:
        stat = dict(line.split() for line in f)
    return int(stat.get("kernel") or sum(int(stat[k]) for k in ("slab", "percpu", "kernel_stack")))


@contextlib.contextmanager
def joined(where):
    """What this process makes is charged there."""
    write(f"{where}/cgroup.procs", os.getpid())
    try:
        yield
    finally:
        write(f"{CGROUPS}/cgroup.procs", os.getpid())


ID = "0123456789ab" + "cdef" * 13
UID = "2f6c1d52-8b1e-4f0c-9d7a-5a0c3f1e77aa"
# The cgroup that a runtime makes, whether the host is called "web-0" in there, and the name.
CONTAINERS = (
    (f"system.slice/docker-{ID}.scope", False, "docker-0123456789ab"),
    (f"docker/{ID}", False, "docker-0123456789ab"),
    (f"user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope", False, "podman-0123456789ab"),
    (f"system.slice/cri-containerd-{ID}.scope", False, "containerd-0123456789ab"),
    (f"kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{UID.replace('-', '_')}.slice/"
     f"crio-{ID}.scope", True, "web-0"),
    (f"kubepods/besteffort/pod{UID}/{ID}", True, "web-0"),
    (f"kubepods.slice/kubepods-pod{UID.replace('-', '_')}.slice/cri-containerd-{ID}.scope", False, "pod-2f6c1d52"),
    ("lxc.payload.mail", False, "mail"),
    ("machine.slice/systemd-nspawn@build.service", False, "build"),
    ("machine.slice/machine-build.scope", False, "build"),
    (f"system.slice/docker-{ID[:-1]}.scope", False, None),      # too short for an id
    ("system.slice/nginx.service", False, None),
)


def is_called(where, directory, renamed, want):
    """A program in that cgroup, and in a namespace of its own: -N knows it by all its names."""
    call = "hostname web-0; " if renamed else ""
    program = subprocess.Popen(["unshare", "-n", *["-u"] * renamed, "sh", "-c",
                                f"echo $$ >{directory}/cgroup.procs; {call}echo; exec sleep 1000"],
                               stdout=subprocess.PIPE)
    try:
        program.stdout.readline()
        inode = os.stat(f"/proc/{program.pid}/ns/net").st_ino
        words = [want or f"sleep-{program.pid}"]
        if want and ID in where:
            words += [ID, ID[:12]]
        if UID.replace("-", "_") in where.replace("-", "_"):
            words.append(UID)
        for word in words:
            until(lambda w=word: json.loads(run(TOOL, "-j", "states", "-N", w))["netns_inode"] == inode,
                  f"{where}: -N {word}")
        equal(json.loads(run(TOOL, "-j", "states", "-N", str(program.pid)))["netns"], words[0], where)
    finally:
        program.kill()
        program.wait()


@test
def containers_have_the_name_of_their_cgroup():
    with loaded():
        for where, renamed, want in CONTAINERS:
            with cgroup(where) as directory:
                is_called(where, directory, renamed, want)


# ---- whose memory it is ----

def use_up(where):
    """Limit the cgroup of guest0 to little more than it has, and let it open flows until it is there."""
    with open(f"{where}/memory.current", encoding="ascii") as f:
        write(f"{where}/memory.max", int(f.read()) + (1 << 20))
    for port in range(1, 100):
        syns("guest0", [(1000 + i, port) for i in range(1000)])
        if counters("guest0")["no_memory"]:
            return
    raise Failed(f"{counters('guest0')['flows_opened']} flows, and none is lost")


@test
def what_a_guest_makes_us_allocate_is_charged_to_its_maker():
    flows = 20000
    with loaded("max_flows=100000"), cgroup("container", "memory") as where:
        with joined(where):
            stack = contextlib.ExitStack()
            stack.enter_context(guests(1))
        with stack:
            syns("guest0", [(1, 1)])            # sent by a process of nobody's cgroup
            before = charged(where)
            syns("guest0", [(1000 + i % 50000, 1000 + i // 50000) for i in range(flows)])
            have = counters("guest0")["flows_opened"]
            grown = charged(where) - before
            print(f"# {have} flows, {grown} bytes charged, {grown / have:.0f} a flow")
            true(have >= flows, f"{have} flows")
            true(grown > 176 * flows, f"{grown} bytes charged")


@test
def a_guest_at_its_limit_loses_its_own_flows_only():
    with loaded("max_flows=1000000"), cgroup("container", "memory") as where:
        with joined(where):
            stack = contextlib.ExitStack()
            stack.enter_context(guests(1))
        with stack:
            use_up(where)
            print(f"# {counters('guest0')['flows_opened']} flows before the first was lost")
            c, s = pair(4, 7100)
            true(counters("router")["table_entries"], "the host goes on")
            equal(counters("router")["no_memory"], 0, "that the host lost")
            close_to(c, s)


@test
def without_memory_every_event_is_counted_as_lost():
    """Somebody listens, and there is no memory to number events with: a report may have several."""
    with loaded(), cgroup("container", "memory") as where:
        with joined(where):
            stack = contextlib.ExitStack()
            stack.enter_context(guests(1))
        with stack:
            run("ip", "-n", "guest0", "link", "set", "lo", "up")
            with within("guest0"), socket.create_server(("127.0.0.1", 7000)) as server:
                c = socket.create_connection(("127.0.0.1", 7000))
                s = server.accept()[0]
            use_up(where)
            before = counters("guest0")
            with contextlib.closing(Listener("guest0", "transition")) as listener:
                reset(c)
                s.close()
                until(lambda: counters("guest0")["reset"] > before["reset"], "it is reset")
                told = len(listener.events())
            lost = counters("guest0")["events_lost"] - before["events_lost"]
            print(f"# {before['no_memory']} flows without memory; {told} events told, {lost} lost")
            equal((told, lost), (0, 2), "events told and lost")


if __name__ == "__main__":
    main_bare()
