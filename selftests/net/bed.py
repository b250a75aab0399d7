# SPDX-License-Identifier: GPL-2.0
"""
Three hosts as network namespaces, a test program in the middle of them, and TAP.

    client ------------- router ------------- server
    10.0.1.1/24   10.0.1.2  10.0.2.2   10.0.2.1/24
    fd01::1/64    fd01::2   fd02::2    fd02::1/64

One process enters whichever namespace it needs, so that a scenario reads from top to bottom.
"""
import contextlib
import ctypes
import itertools
import os
import random
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback

HOSTS = ("client", "router", "server")
ADDR = {4: {"client": "10.0.1.1", "server": "10.0.2.1"},
        6: {"client": "fd01::1", "server": "fd02::1"}}
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
MODULE = os.environ.get("TCPFSM_KO") or os.path.join(os.path.dirname(__file__), "../../tcpfsm.ko")
TOOL = os.path.join(os.path.dirname(__file__), "../../tools/tcpfsm")
TALK = os.path.join(os.path.dirname(__file__), "../../build/net/talk")
FLOOD = os.path.join(os.path.dirname(__file__), "../../build/net/flood")
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CLONE_NEWNET = 0x40000000
SEED = 1

libc = ctypes.CDLL(None, use_errno=True)


class Failed(Exception):
    """A check did not hold."""


class Skipped(Exception):
    """This machine cannot run the test."""


def run(*command, check=True):
    """Run a command. Returns its output; an exit status other than 0 fails the test."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if check and done.returncode:
        raise Failed(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}")
    return done.stdout


def status(*command):
    """Run a command. Returns exit status, standard output and standard error."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stdout, done.stderr


def equal(have, want, what=""):
    if have != want:
        raise Failed(f"{what}: have {have!r}, want {want!r}")


def true(have, what):
    if not have:
        raise Failed(what)


def deep(usual, much):
    """How much of something: what there is time for at any time, or once in a while."""
    return much if os.environ.get("TCPFSM_DEEP") else usual


def setns(fd):
    if libc.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def within(name):
    """Be in the namespace of that name."""
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        setns(there)
        yield
    finally:
        setns(here)
        os.close(here)
        os.close(there)


def read(name, file):
    """The text of /proc/net/tcpfsm/FILE in a namespace."""
    with within(name), open(f"/proc/thread-self/net/tcpfsm/{file}", encoding="ascii") as f:
        return f.read()


def table(name, file):
    """Rows of a file as dictionaries by the words of its header."""
    lines = read(name, file).splitlines()
    header = lines[0].split()
    return [dict(zip(header, line.split())) for line in lines[1:]]


def counters(name):
    return {row["name"]: int(row["value"]) for row in table(name, "counters")}


def entries():
    """Flows of all namespaces, as the initial one is told."""
    with open("/proc/net/tcpfsm/counters", encoding="ascii") as f:
        return int(dict(line.split() for line in f)["table_entries"])


def max_flows(n):
    """At any time after the load."""
    write("/sys/module/tcpfsm/parameters/max_flows", n)


def sysctl(name, key, value=None):
    path = f"/proc/sys/net/tcpfsm/{key}"
    with within(name):
        if value is None:
            with open(path, encoding="ascii") as f:
                return f.read().strip()
        with open(path, "w", encoding="ascii") as f:
            f.write(str(value))
    return None


def until(condition, what, seconds=10):
    """Poll until a condition holds."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(0.02)


@contextlib.contextmanager
def one_cpu():
    """What is sent within goes all its way through the hosts on one processor: whenever this
    process runs, it either waits in the backlog or has arrived."""
    cpus = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cpus)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cpus)


def backlog():
    """Packets that wait on this process's processors for the next host to take them in."""
    with open("/proc/net/softnet_stat", encoding="ascii") as f:
        rows = [[int(word, 16) for word in line.split()] for line in f]
    return sum(row[11] for row in rows if row[12] in os.sched_getaffinity(0))


@contextlib.contextmanager
def guests(n):
    """Namespaces guest0, guest1 ... that user namespaces of their own hold; each has a way out
    to 10.9.0.0/24, where nobody answers."""
    holders = []
    own = os.readlink("/proc/self/ns/net")
    try:
        for i in range(n):
            name = f"guest{i}"
            holders.append(subprocess.Popen(["unshare", "--user", "--net", "sleep", "1000"]))
            pid = holders[-1].pid
            until(lambda pid=pid: os.readlink(f"/proc/{pid}/ns/net") != own, "it has left")
            run("ip", "netns", "attach", name, str(pid))
            run("ip", "-n", name, "link", "add", "out", "type", "dummy")
            run("ip", "-n", name, "addr", "add", "10.9.0.1/24", "dev", "out")
            run("ip", "-n", name, "link", "set", "out", "up")
        yield [f"guest{i}" for i in range(n)]
    finally:
        for i, holder in enumerate(holders):
            run("ip", "netns", "del", f"guest{i}", check=False)
            holder.kill()
            holder.wait()


# ---- topology ----

def add_host(name):
    run("ip", "netns", "add", name)
    run("ip", "-n", name, "link", "set", "lo", "up")
    with within(name):
        for key in ("all", "default"):
            write(f"/proc/sys/net/ipv6/conf/{key}/accept_dad", 0)


def make_hosts():
    for name in HOSTS:
        add_host(name)
    for side, net in (("client", 1), ("server", 2)):
        link(side, "eth0", "router", f"to-{side}", net)
        default_route(side, net)
    forwards("router")


def forwards(name):
    with within(name):
        write("/proc/sys/net/ipv4/ip_forward", 1)
        write("/proc/sys/net/ipv6/conf/all/forwarding", 1)


def address(v, net, number=1):
    """Of a host on a network."""
    return f"10.0.{net}.{number}" if v == 4 else f"fd0{net}::{number}"


def remove_hosts():
    for name in HOSTS:
        run("ip", "netns", "del", name, check=False)


def write(path, value):
    with open(path, "w", encoding="ascii") as f:
        f.write(str(value))


def delay(milliseconds):
    """Delay on both ways between client and router; 0 takes it away."""
    for name, dev in (("client", "eth0"), ("router", "to-client")):
        run("tc", "-n", name, "qdisc", "del", "dev", dev, "root", check=False)
        if milliseconds:
            run("tc", "-n", name, "qdisc", "add", "dev", dev, "root", "netem",
                "delay", f"{milliseconds}ms")


@contextlib.contextmanager
def extra_host(name, net, to="router"):
    """One more host, on a network of its own: 10.0.NET.1 and fd0NET::1, the other end has .2."""
    add_host(name)
    try:
        link(name, "eth0", to, f"to-{name}", net)
        default_route(name, net)
        sysctl(name, "log_size", 65536)
        yield
    finally:
        run("ip", "-n", to, "link", "del", f"to-{name}")
        run("ip", "netns", "del", name)


def link(name, dev, other, other_dev, net):
    """A wire between two hosts: .1 and ::1 at the first, .2 and ::2 at the other."""
    run("ip", "-n", name, "link", "add", dev, "type", "veth", "peer", "name", other_dev,
        "netns", other)
    for host, end, number in ((name, dev, 1), (other, other_dev, 2)):
        run("ip", "-n", host, "addr", "add", f"10.0.{net}.{number}/24", "dev", end)
        run("ip", "-n", host, "addr", "add", f"fd0{net}::{number}/64", "dev", end, "nodad")
        run("ip", "-n", host, "link", "set", end, "up")
    for host, end in ((name, dev), (other, other_dev)):     # IPv6 is silent until then
        until(lambda host=host, end=end: "state UP" in run("ip", "-n", host, "link", "show", end),
              f"{end} of {host} is up")


def default_route(name, net):
    run("ip", "-n", name, "route", "add", "default", "via", f"10.0.{net}.2")
    run("ip", "-n", name, "-6", "route", "add", "default", "via", f"fd0{net}::2")


tables = itertools.count()


@contextlib.contextmanager
def nft(name, rules):
    """Chains in a table of their own."""
    own = f"inet own{next(tables)}"
    with within(name):
        run("nft", f"table {own} {{ {rules} }}")
    try:
        yield
    finally:
        with within(name):
            run("nft", f"delete table {own}")


def dropped(name, match, hook="prerouting"):
    """What matches is lost on its way to a host, before the module there sees it."""
    return nft(name, f"chain lose {{ type filter hook {hook} priority -350; {match} drop; }};")


@contextlib.contextmanager
def setting(name, **values):
    """Other values of net.ipv4.KEY for a while."""
    before = {}
    with within(name):
        for key, value in values.items():
            path = f"/proc/sys/net/ipv4/{key}"
            with open(path, encoding="ascii") as f:
                before[path] = f.read().strip()
            write(path, value)
    try:
        yield
    finally:
        with within(name):
            for path, value in before.items():
                write(path, value)


@contextlib.contextmanager
def timeout(name, key, seconds):
    before = sysctl(name, f"timeout_{key}")
    sysctl(name, f"timeout_{key}", seconds)
    try:
        yield
    finally:
        sysctl(name, f"timeout_{key}", before)


@contextlib.contextmanager
def muted(*names):
    """Drop the RSTs by which the hosts' own stacks answer crafted segments."""
    names = names or ("client", "server")
    for name in names:
        run("ip", "netns", "exec", name, "nft", """
            table inet mute {
                chain out {
                    type filter hook output priority 0;
                    tcp flags & rst == rst meta mark != 1 drop
                }
            }""")
    try:
        yield
    finally:
        for name in names:
            run("ip", "netns", "exec", name, "nft", "delete", "table", "inet", "mute")


# ---- sockets ----

def stream(name, v, port=0, where=None, device=None):
    """A bound, unconnected socket."""
    with within(name):
        s = socket.socket(FAMILY[v], socket.SOCK_STREAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if device:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        s.bind((where or ADDR[v][name], port))
        s.settimeout(10)
        return s


def listen(name, v, port, backlog=64, where=None, device=None):
    s = stream(name, v, port, where, device)
    s.listen(backlog)
    return s


def connect(name, v, port, to="server"):
    """Connect to a host, or to an address."""
    s = stream(name, v)
    s.connect((ADDR[v].get(to, to), port))
    return s


def pair(v, port):
    """A connection from client to server: both sockets."""
    with contextlib.closing(listen("server", v, port)) as listener:
        c = connect("client", v, port)
        s, _ = listener.accept()
        s.settimeout(10)
        return c, s


def close_to(*sockets):
    """One after the other: where nothing delays them, a FIN and its ACK have passed before the next
    socket closes, unless others keep this processor busy."""
    for s in sockets:
        with one_cpu(), contextlib.suppress(Failed):
            s.close()
            until(lambda: not backlog(), "the FIN passed", 0.2)


def reset(s):
    """Close with a RST."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


@contextlib.contextmanager
def repaired(s):
    """TCP_REPAIR: the socket says and does nothing on the wire."""
    s.setsockopt(socket.IPPROTO_TCP, 19, 1)
    yield
    if s.fileno() >= 0:
        s.setsockopt(socket.IPPROTO_TCP, 19, -1)


def numbers(s):
    """The next sequence numbers that a socket sends and expects."""
    with repaired(s):
        found = []
        for queue in (2, 1):
            s.setsockopt(socket.IPPROTO_TCP, 20, queue)         # TCP_REPAIR_QUEUE
            found.append(s.getsockopt(socket.IPPROTO_TCP, 21) & 0xffffffff)     # TCP_QUEUE_SEQ
    return found


def vanish(s):
    """The socket is gone and the peer is not told, as when its host has crashed."""
    with repaired(s):
        s.close()


def talk(a, b, size=5):
    """Data one way and the other."""
    for one, other in ((a, b), (b, a)):
        one.sendall(b"t" * size)
        received(other, size)


def received(s, size):
    while size:
        size -= len(s.recv(min(size, 1 << 16))) or size


# ---- crafted segments ----

class Traffic:
    """Connections from client to server, without an end, on several threads: of IPv4 to odd ports from
    8001 on, of IPv6 to even ones."""

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


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Wire:
    """A made-up connection: segments sent from the real hosts, without sockets."""

    def __init__(self, v, sport=None, dport=None):
        self.v = v
        self.sport = sport or random.randrange(20000, 30000)
        self.dport = dport or random.randrange(30000, 32000)
        self.key = tuple_of(v, self.sport, self.dport)
        self.extension = None           # (kind of the first, bytes) of IPv6 extension headers
        self.raw = {}
        self.ears = {}

    def raw_socket(self, name):
        if name not in self.raw:
            with within(name):
                s = socket.socket(FAMILY[self.v], socket.SOCK_RAW, socket.IPPROTO_RAW)
                s.setsockopt(socket.SOL_SOCKET, 36, 1)      # SO_MARK
                self.raw[name] = s
        return self.raw[name]

    def close(self):
        for s in (*self.raw.values(), *self.ears.values()):
            s.close()

    def listen(self, name):
        """From now on, keep what arrives at a host."""
        with within(name):
            s = socket.socket(FAMILY[self.v], socket.SOCK_RAW, socket.IPPROTO_TCP)
            s.settimeout(5)
            self.ears[name] = s

    def hear(self, name):
        """The next segment of the connection that arrived: its flags, SEQ and ACK."""
        ports = (self.dport, self.sport) if name == "client" else (self.sport, self.dport)
        while True:
            data = self.ears[name].recv(65536)
            if self.v == 4:
                data = data[(data[0] & 15) * 4:]
            have = struct.unpack("!HHIIBB", data[:14])
            if have[:2] == ports:
                return have[5], have[2], have[3]

    def send(self, *args, **kwargs):
        """Send, and let it and its answers pass everywhere: the next one may depend on them."""
        with one_cpu():
            self.raw_send(*args, **kwargs)
            until(lambda: not backlog(), "the segment passed")

    def raw_send(self, name, flags, seq, ack=0, data=b"", win=65535, bad_checksum=False,
                 options=b"", fragment=None, urgent=0, via=None):
        """As from a host, or forged by the one that it goes out at (via).

        fragment: (offset, more to come, id); its data follows the 20 bytes of TCP header.
        """
        to = "server" if name == "client" else "client"
        src, dst = (socket.inet_pton(FAMILY[self.v], ADDR[self.v][n]) for n in (name, to))
        ports = (self.sport, self.dport) if name == "client" else (self.dport, self.sport)
        words = 5 + len(options) // 4
        header = struct.pack("!HHIIBBHHH", *ports, seq & 0xffffffff, ack & 0xffffffff,
                             words << 4, flags, win, 0, urgent) + options
        segment = header + data
        if self.v == 4:
            pseudo = src + dst + struct.pack("!BBH", 0, 6, len(segment))
        else:
            pseudo = src + dst + struct.pack("!IHBB", len(segment), 0, 0, 6)
        total = checksum(pseudo + segment)
        if bad_checksum:
            total ^= 0x5555
        segment = segment[:16] + struct.pack("!H", total) + segment[18:]
        if fragment and fragment[0]:
            segment = b"f" * 64
        if self.v == 4:
            offset, more, ident = fragment or (0, False, 0)
            ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), ident,
                             offset // 8 | more << 13, 64, 6, 0, src, dst)
        else:
            kind, extra = self.extension or (6, b"")
            if fragment:
                kind, extra = 44, struct.pack("!BBHI", 6, 0, fragment[0] // 8 << 3 | fragment[1],
                                              fragment[2])
            ip = struct.pack("!IHBB16s16s", 6 << 28, len(extra) + len(segment), kind, 64,
                             src, dst) + extra
        with within(via or name):
            self.raw_socket(via or name).sendto(ip + segment, (ADDR[self.v][to], 0))


def flood(name, what, v, count, dport, sport=0, seq=0, ack=0):
    """Many segments towards the server, on the wire behind a host or (guests) out of its own stack;
    flood.c has the kinds. Returns ns a segment: of the first tenth, and of the last."""
    to = ADDR[v]["server"] if name in HOSTS else "10.9.0.2"
    args = [FLOOD, what, "-n", str(count), "-d", to, "-s", ADDR[v]["client"], "-q", str(dport),
            "-p", str(sport), "-S", str(seq), "-A", str(ack), "-r", str(SEED)]
    if name in HOSTS:
        link_of = run("ip", "-n", "router", "-o", "link", "show", "to-client")
        args += ["-i", "eth0", "-m", link_of.split("link/ether ")[1].split()[0]]
    return [float(word) for word in run("ip", "netns", "exec", name, *args).split()]


@contextlib.contextmanager
def wire(v, sport=None, dport=None, mute=("client", "server")):
    """A made-up connection, the hosts' own answers held back at those that are mute."""
    with muted(*mute) if mute else contextlib.nullcontext(), \
         contextlib.closing(Wire(v, sport, dport)) as w:
        yield w


def wire_into(v, s, port):
    """Segments forged into the connection of a client's socket."""
    return wire(v, s.getsockname()[1], port, mute=())


# ---- what tcpfsm says ----

def tuple_of(v, sport, dport, client="client"):
    """src, sport, dst, dport as files print them. dport may be None: any."""
    server = "server" if client == "client" else "client"
    return ADDR[v][client], str(sport), ADDR[v][server], dport and str(dport)


def is_tuple(row, key):
    return (row["src"], row["sport"], row["dst"]) == key[:3] and key[3] in (None, row["dport"])


def log_of(name, key):
    return [row for row in table(name, "log") if is_tuple(row, key)]


def path(name, key, end, flow=-1):
    """The states that an end of the last (flow=-1) incarnation took, in order."""
    rows = log_of(name, key)
    flows = sorted({int(row["flow"]) for row in rows})
    if not flows:
        return []
    return [row["to"] for row in rows
            if row["end"] == end and int(row["flow"]) == flows[flow]]


def flow(name, key):
    """The live flow of a tuple, or None."""
    rows = [row for row in table(name, "flows") if is_tuple(row, key)]
    return rows[-1] if rows else None


def pair_of(name, key):
    row = flow(name, key)
    return f"{row['orig']}:{row['resp']}" if row else None


def key_of(v, c, port):
    """The tuple of a client's socket."""
    return tuple_of(v, c.getsockname()[1], port)


def everywhere(key, orig, resp, hosts=HOSTS, incarnation=-1):
    """Both ends took these paths, as seen at client, router and server."""
    for name in hosts:
        for end, want in (("orig", orig), ("resp", resp)):
            want = want.split()
            try:
                until(lambda: path(name, key, end, incarnation) == want, "", 5)
            except Failed:
                have = " ".join(path(name, key, end, incarnation))
                raise Failed(f"{end} as seen at {name}: have {have}, "
                             f"want {' '.join(want)}") from None


def pairs_are(key, *wanted, hosts=HOSTS):
    """The pair at each host comes to be this: one for all, or one for each."""
    wanted = wanted * len(hosts) if len(wanted) == 1 else wanted
    for name, want in zip(hosts, wanted):
        until(lambda: pair_of(name, key) == want,
              lambda: f"{want} at {name}, have {pair_of(name, key)}", 5)


FLAGS = ("midstream", "unconfirmed", "gap", "one-way", "corrected", "offloaded", "forwarded",
         "local-orig", "local-resp", "synack-resent", "reanchored", "suspect")


def flags_of(name, key):
    """The names of the flags of a live flow."""
    row = flow(name, key)
    if not row:
        raise Failed(f"no flow {key} at {name}")
    bits = int(row["flags"], 0)
    return {flag for i, flag in enumerate(FLAGS) if bits & 1 << i}


class Counted:
    """What counters grew by since it was made."""

    def __init__(self, *hosts):
        self.before = {name: counters(name) for name in hosts or HOSTS}

    def grown(self, name, counter):
        return counters(name)[counter] - self.before[name][counter]

    def grew(self, **wanted):
        """counter=(n at each host) or one n for all."""
        for counter, want in wanted.items():
            have = tuple(self.grown(name, counter) for name in self.before)
            equal(have, want if isinstance(want, tuple) else (want,) * len(have), counter)


CLIENT_OPEN = "SYN_SENT ESTABLISHED"
SERVER_OPEN = "LISTEN SYN_RCVD ESTABLISHED"
FIRST = "FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT"
SECOND = "CLOSE_WAIT LAST_ACK CLOSED"


# ---- TAP ----

TESTS = []


def test(function):
    """Run once."""
    TESTS.append((function.__name__, function))
    return function


def both(function):
    """Run for IPv4 and for IPv6: the argument is 4 or 6."""
    for v in (4, 6):
        TESTS.append((f"{function.__name__} ipv{v}", lambda v=v: function(v)))
    return function


def run_all(tests):
    """Run tests and print a TAP line for each. Returns how many failed."""
    failed = 0
    for number, (name, function) in enumerate(tests, 1):
        try:
            function()
            print(f"ok {number} {name}", flush=True)
        except Skipped as reason:
            print(f"ok {number} {name} # SKIP {reason}", flush=True)
        except Exception as reason:     # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} {name}")
            text = str(reason) if isinstance(reason, Failed) else traceback.format_exc()
            print("# " + text.replace("\n", "\n# "), flush=True)
    return failed


def planned():
    """The tests of the file, or those with one of the words given in their name. With --list, print
    their names and end."""
    listing = sys.argv[1:2] == ["--list"]
    wanted = sys.argv[1 + listing:]
    tests = [t for t in TESTS if not wanted or any(w in t[0] for w in wanted)]
    if listing:
        for name, _ in tests:
            print(name)
        sys.exit()
    print("TAP version 13", f"1..{len(tests)}", sep="\n", flush=True)
    return tests


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


def main_bare():
    """For tests that load the module themselves."""
    tests = planned()
    make_hosts()
    failed = run_all(tests)
    remove_hosts()
    sys.exit(1 if failed else 0)


def main(setup=None, module_args=()):
    """Load the module, run all tests of the file, unload it; exit as kselftest wants."""
    tests = planned()
    load(*module_args)
    make_hosts()
    for name in HOSTS:
        sysctl(name, "log_size", 65536)
    if setup:
        setup()
    failed = run_all(tests)
    totals = {key: sum(counters(name)[key] for name in HOSTS) for key in ("segments",)}
    moves = sum(int(row["entered"]) for name in HOSTS for row in table(name, "states"))
    print(f"# segments seen {totals['segments']}, transitions seen {moves}")
    remove_hosts()
    unload()
    sys.exit(1 if failed else 0)
