#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
What nobody should do to the module, under a kernel that notices what comes of it: netlink requests
and frames of any shape, and allocations that fail, one after another. Afterwards it works as
before, and the guest's kernel has nothing to say.
"""
import contextlib
import ctypes
import errno
import json
import os
import random
import re
import socket
import struct

from bed import (HOSTS, MODULE, SEED, TOOL, Counted, Failed, Traffic, attribute, both, close_to,
                 counters, deep, equal, family, flood, key_of, libc, load, log_of, main, make_hosts,
                 numbers, pair,
                 pairs_are, remove_hosts, run, sysctl, talk, test, true, within, write)

REQUESTS = 8000
FRAMES = deep(50_000, 5_000_000)

UP = "ESTABLISHED:ESTABLISHED"


# ---- netlink ----

def attributes(rng, depth=0):
    """Some attributes, most of them well formed."""
    out = b""
    for _ in range(rng.randrange(5)):
        kind = rng.randrange(24) | rng.choice((0, 0, 0x8000, 0x4000))
        if depth < 3 and rng.random() < 0.4:
            payload = attributes(rng, depth + 1)
        else:
            payload = rng.randbytes(rng.choice((0, 1, 2, 4, 4, 4, 8, 8, 16, 17, 200)))
            if rng.random() < 0.5:
                payload = payload[:1] + bytes(max(0, len(payload) - 1))
        a = bytearray(attribute(kind, payload))
        if rng.random() < 0.05:
            a[:2] = rng.randbytes(2)
        out += bytes(a)
    return out


def request(rng, number):
    body = struct.pack("=BBH", rng.randrange(12), rng.randrange(3), 0)
    body += attributes(rng)
    if rng.random() < 0.3:      # what a filter looks like
        body = struct.pack("=BBH", 1, 1, 0) + attribute(rng.randrange(1, 20) | 0x8000,
                                                        attributes(rng, 1))
    flags = 1 | rng.choice((0, 4, 0x300, 0x300, 0x304)) | (rng.randrange(65536) & ~1
                                                          if rng.random() < 0.05 else 0)
    size = 16 + len(body) if rng.random() < 0.97 else rng.randrange(16, 100)
    return struct.pack("=IHHII", size, number, flags, rng.randrange(1 << 32), 0) + body


def answers(s, seen):
    """Count what has come so far, by error."""
    with contextlib.suppress(BlockingIOError):
        while True:
            data = s.recv(1 << 16, socket.MSG_DONTWAIT)
            while len(data) >= 16:
                size, kind = struct.unpack("=IH", data[:6])
                if kind == 2:
                    code = -struct.unpack("=i", data[16:20])[0]
                    seen[code] = seen.get(code, 0) + 1
                else:
                    seen["data"] = seen.get("data", 0) + 1
                data = data[size + 3 & ~3:] if size >= 16 else b""


@test
def requests_of_any_shape():
    rng = random.Random(SEED)
    number, seen = family(), {}
    traffic = Traffic()
    with within("router"), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16) as s:
        s.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)    # SO_RCVBUFFORCE
        for _ in range(REQUESTS):
            with contextlib.suppress(OSError):
                s.send(request(rng, number))
            with contextlib.suppress(OSError):
                answers(s, seen)
    traffic.stop()
    print("# " + ", ".join(f"{n} {errno.errorcode.get(k, k) if k else 'done'}"
                           for k, n in sorted(seen.items(), key=str)))
    true(seen.get(errno.EINVAL, 0) > 100, "some were refused")
    true(seen.get("data", 0) > 100, "some were answered")
    for name in HOSTS:
        run("ip", "netns", "exec", name, TOOL, "-j", "states")


def walk(data, where, seen):
    """Attributes to the last byte: what stands between them is zero."""
    while data:
        if len(data) < 4:
            raise Failed(f"{where}: {len(data)} bytes behind the last attribute")
        size, kind = struct.unpack("=HH", data[:4])
        if size < 4 or size > len(data):
            raise Failed(f"{where}: attribute {kind & 0x3fff} of {size} bytes in {len(data)}")
        padding = data[size:size + 3 & ~3]
        if padding.strip(b"\0"):
            raise Failed(f"{where}: attribute {kind & 0x3fff} is padded with {padding!r}")
        seen.add((where, kind & 0x3fff))
        if kind & 0x8000:
            walk(data[4:size], f"{where}/{kind & 0x3fff}", seen)
        data = data[size + 3 & ~3:]


@both
def not_a_byte_but_attributes_leaves(v):
    """Every dump, to the last byte: no hole in a message shows what was in memory before it."""
    c, s = pair(v, 9100)
    seen, number = set(), family()
    with within("server"), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16) as nl:
        nl.settimeout(5)
        for command in range(1, 10):
            body = struct.pack("=BBH", command, 1, 0)
            nl.send(struct.pack("=IHHII", 16 + len(body), number, 0x301, command, 0) + body)
            done = False
            while not done:
                data = nl.recv(1 << 16)
                while data:
                    size, kind = struct.unpack("=IH", data[:6])
                    done = done or kind in (2, 3)
                    if kind == number:
                        walk(data[20:size], str(command), seen)
                    data = data[size + 3 & ~3:]
    close_to(c, s)
    true(len(seen) > 40, f"only {len(seen)} attributes seen")


# ---- frames ----

@both
def frames_of_any_shape(v):
    """Whatever the flags, options, fragments, headers and lengths, the connection survives."""
    c, s = pair(v, 9101)
    key = key_of(v, c, 9101)
    seq, ack = numbers(c)
    since = Counted("router")
    flood("client", "shapes", v, FRAMES, sport=c.getsockname()[1], dport=9101, seq=seq, ack=ack)
    pairs_are(key, UP)
    talk(c, s)
    refused = {k: since.grown("router", k) for k in ("bad_checksum", "short_header")}
    print(f"# {FRAMES} frames; at the router {refused}")
    true(refused["bad_checksum"] > FRAMES / 100, "checksums were looked at")
    equal([len(log_of(name, key)) for name in HOSTS], [5, 5, 5], "its transitions")
    close_to(c, s)


# ---- allocations that fail ----

FAULTS = "/sys/kernel/debug/failslab", "/sys/kernel/debug/fail_page_alloc"
SYS_DELETE_MODULE, SYS_FINIT_MODULE = 176, 313     # x86-64
CLONE_NEWNET = 0x40000000


def text_of(function):
    """Where a function of the kernel begins and ends."""
    with open("/proc/kallsyms", encoding="ascii") as f:
        lines = [line.split() for line in f]
    start = next(int(a, 16) for a, _, name, *_ in lines if name == function)
    return start, min(int(a, 16) for a, *_ in lines if int(a, 16) > start)


@contextlib.contextmanager
def faults(within_module, probability=0):
    """
    What fails is ours: the module's text is on the stack. While it is being loaded that is not
    known; but not the tracepoints of modules, the kernel itself warns where those lack memory.
    """
    start, end = 0, (1 << 64) - 1
    spare = text_of("trace_define_field")[0], text_of("event_trace_del_tracer")[1]
    if within_module:
        with open("/proc/modules", encoding="ascii") as f:
            size, start = next((int(l.split()[1]), int(l.split()[5], 16)) for l in f
                               if l.startswith("tcpfsm "))
        end = start + size
    for path in FAULTS:
        write(f"{path}/verbose", 0)
        write(f"{path}/ignore-gfp-wait", "N")
        write(f"{path}/require-start", hex(start))
        write(f"{path}/require-end", hex(end))
        write(f"{path}/reject-start", hex(spare[0]))
        write(f"{path}/reject-end", hex(spare[1]))
        write(f"{path}/stacktrace-depth", 32)
        write(f"{path}/times", -1)
        write(f"{path}/interval", 1)
        write(f"{path}/probability", probability)
    write("/sys/kernel/debug/fail_page_alloc/min-order", 0)
    try:
        yield
    finally:
        for path in FAULTS:
            write(f"{path}/probability", 0)
        forgive()


def forgive():
    """The kernel logs each failed allocation with a trace: clear the log."""
    log = run("dmesg")
    bad = re.search("WARNING:|BUG|Oops|general protection|Objects remaining|refcount_t|suspicious RCU|"
                    "possible .*deadlock", log)
    true(not bad, f"the kernel's log: {bad and log[bad.start():][:2000]}")
    run("dmesg", "-C")


@contextlib.contextmanager
def failing(n):
    """This thread's nth allocation fails. Yields a function: how many are left till then."""
    fd = os.open("/proc/thread-self/fail-nth", os.O_RDWR)
    os.write(fd, str(n).encode())
    try:
        yield lambda: int(os.pread(fd, 16, 0))
    finally:
        os.pwrite(fd, b"0", 0)
        os.close(fd)


def fail_each(action, undo=lambda: None, limit=3000):
    """Do it again and again: the first allocation fails, the second one, ... Return: how many."""
    for n in range(1, limit):
        with failing(n) as left_of:
            done = action()
            left = left_of()
        if done:
            undo()
        if left:
            true(done, "it works when nothing fails")
            return n - 1
    raise Failed(f"still failing after {limit}")


def delete():
    if libc.syscall(SYS_DELETE_MODULE, b"tcpfsm", os.O_NONBLOCK):
        raise Failed("rmmod: " + os.strerror(ctypes.get_errno()))


@test
def every_allocation_of_a_load_fails():
    remove_hosts()
    delete()
    try:
        with open(MODULE or run("modinfo", "-n", "tcpfsm").strip(), "rb") as f, faults(False):
            n = fail_each(lambda: not libc.syscall(SYS_FINIT_MODULE, f.fileno(), b"", 0), delete)
    finally:
        load()
        make_hosts()
    print(f"# {n} allocations")
    true(n > 50, "allocations were made")


def reads(number, command, flags):
    """A request's answer, whole or refused, asked for by this thread."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16) as s:
        s.settimeout(5)
        body = struct.pack("=BBH", command, 1, 0)
        try:
            s.send(struct.pack("=IHHII", 16 + len(body), number, 1 | flags, 1, 0) + body)
            while True:
                data = s.recv(1 << 16)
                while data:
                    size, kind = struct.unpack("=IH", data[:6])
                    if kind in (2, 3):
                        return not struct.unpack("=i", data[16:20])[0]
                    data = data[size + 3 & ~3:]
        except OSError:
            return False


@test
def every_allocation_of_a_dump_fails():
    c, s = pair(4, 9102)
    number, sums = family(), {}
    with within("server"), faults(True):
        for command, flags in ((1, 0x300), (2, 4), (2, 0x300), (3, 0x300), (4, 0x300), (5, 0x300)):
            sums[command, flags] = fail_each(lambda: reads(number, command, flags))
    close_to(c, s)
    print(f"# {sums}")
    true(sum(sums.values()) > 5, "allocations were made")


def read_proc(name):
    try:
        with open(f"/proc/thread-self/net/tcpfsm/{name}", "rb") as f:
            return bool(f.read())
    except OSError:
        return False


@test
def every_allocation_of_procfs_and_sysctl_fails():
    close_to(*pair(4, 9103))
    n = 0
    with within("server"), faults(True):
        for name in ("states", "pairs", "transitions", "counters", "dwell", "flows", "services", "log"):
            n += fail_each(lambda: read_proc(name))

        fd = os.open("/proc/sys/net/tcpfsm/log_size", os.O_RDWR)

        def resize(size):
            try:
                os.pwrite(fd, str(size).encode(), 0)
                return True
            except OSError:
                true(int(os.pread(fd, 16, 0)) != size, "without memory, nothing changes")
                return False

        n += fail_each(lambda: resize(1024), lambda: resize(65536))
        os.close(fd)
    print(f"# {n} allocations")
    true(n > 5, "allocations were made")


@test
def every_allocation_of_a_namespace_fails():
    def in_child(n):
        """Return: whether it was made, and whether anything was left to fail."""
        r, w = os.pipe()
        pid = os.fork()
        if not pid:
            with failing(n) as left_of:
                made = libc.unshare(CLONE_NEWNET) == 0
                left = left_of()
            os.write(w, struct.pack("=BI", made, left))
            os._exit(0)
        os.close(w)
        made, left = struct.unpack("=BI", os.read(r, 5))
        os.close(r)
        os.waitpid(pid, 0)
        return made, left

    n, left = 0, 0
    with faults(True):
        while not left:
            n += 1
            made, left = in_child(n)
    true(made, "it works when nothing fails")
    print(f"# {n - 1} allocations")
    true(n > 5, "allocations were made")


@test
def allocations_fail_under_traffic():
    """A flow without memory is not tracked; connections do not notice."""
    since = {name: counters(name)["no_memory"] for name in HOSTS}
    with faults(True, 30):
        traffic = Traffic()
        while traffic.done < 300 and not traffic.errors:
            run("ip", "netns", "exec", "router", TOOL, "-q", "monitor", "--for", "200ms", check=False)
        traffic.stop()
    equal(traffic.errors, [], "connections that failed")
    grown = {name: counters(name)["no_memory"] - since[name] for name in HOSTS}
    print(f"# {traffic.done} connections, without memory {grown}")
    true(sum(grown.values()) > 10, "allocations failed")
    lost = counters("router")["events_lost"]
    found = json.loads(run("ip", "netns", "exec", "router", TOOL, "-j", "doctor", check=False))
    ids = [f["id"] for f in found["findings"]]
    true("memory" in ids and ("events-lost" in ids) == (lost > 0), f"the doctor notices: {ids}, {lost} lost")
    c, s = pair(4, 9103)
    pairs_are(key_of(4, c, 9103), UP)
    close_to(c, s)


if __name__ == "__main__":
    main()
