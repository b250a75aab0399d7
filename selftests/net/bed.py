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
import os
import random
import socket
import struct
import subprocess
import sys
import time
import traceback

HOSTS = ("client", "router", "server")
ADDR = {4: {"client": "10.0.1.1", "server": "10.0.2.1"},
        6: {"client": "fd01::1", "server": "fd02::1"}}
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
MODULE = os.environ.get("TCPFSM_KO") or os.path.join(os.path.dirname(__file__), "../../tcpfsm.ko")
TOOL = os.path.join(os.path.dirname(__file__), "../../tools/tcpfsm")
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CLONE_NEWNET = 0x40000000

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

def make_hosts():
    for name in HOSTS:
        run("ip", "netns", "add", name)
        run("ip", "-n", name, "link", "set", "lo", "up")
        with within(name):
            for key in ("all", "default"):
                write(f"/proc/sys/net/ipv6/conf/{key}/accept_dad", 0)
    for side, net in (("client", 1), ("server", 2)):
        run("ip", "-n", "router", "link", "add", f"to-{side}", "type", "veth",
            "peer", "name", "eth0", "netns", side)
        for name, dev, host in ((side, "eth0", 1), ("router", f"to-{side}", 2)):
            run("ip", "-n", name, "addr", "add", f"10.0.{net}.{host}/24", "dev", dev)
            run("ip", "-n", name, "addr", "add", f"fd0{net}::{host}/64", "dev", dev, "nodad")
            run("ip", "-n", name, "link", "set", dev, "up")
        run("ip", "-n", side, "route", "add", "default", "via", f"10.0.{net}.2")
        run("ip", "-n", side, "-6", "route", "add", "default", "via", f"fd0{net}::2")
    with within("router"):
        write("/proc/sys/net/ipv4/ip_forward", 1)
        write("/proc/sys/net/ipv6/conf/all/forwarding", 1)


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


def mute():
    """Drop the RSTs by which the hosts' own stacks answer crafted segments."""
    for name in ("client", "server"):
        run("ip", "netns", "exec", name, "nft", """
            table inet mute {
                chain out {
                    type filter hook output priority 0;
                    tcp flags & rst == rst meta mark != 1 drop
                }
            }""")


def unmute():
    for name in ("client", "server"):
        run("ip", "netns", "exec", name, "nft", "delete", "table", "inet", "mute")


@contextlib.contextmanager
def muted():
    mute()
    try:
        yield
    finally:
        unmute()


# ---- sockets ----

def listen(name, v, port, backlog=64):
    with within(name):
        s = socket.socket(FAMILY[v], socket.SOCK_STREAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((ADDR[v][name], port))
        s.listen(backlog)
        s.settimeout(10)
        return s


def stream(name, v, port=0):
    """A bound, unconnected socket."""
    with within(name):
        s = socket.socket(FAMILY[v], socket.SOCK_STREAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((ADDR[v][name], port))
        s.settimeout(10)
        return s


def connect(name, v, port, to="server"):
    s = stream(name, v)
    s.connect((ADDR[v][to], port))
    return s


def pair(v, port):
    """A connection from client to server: both sockets."""
    with contextlib.closing(listen("server", v, port)) as listener:
        c = connect("client", v, port)
        s, _ = listener.accept()
        s.settimeout(10)
        return c, s


def close_to(*sockets):
    for s in sockets:
        s.close()


# ---- crafted segments ----

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
        self.extension = None           # (kind of the first, bytes) of IPv6 extension headers
        self.raw = {}
        for name in ("client", "server"):
            with within(name):
                s = socket.socket(FAMILY[v], socket.SOCK_RAW, socket.IPPROTO_RAW)
                s.setsockopt(socket.SOL_SOCKET, 36, 1)      # SO_MARK
                self.raw[name] = s

    def close(self):
        for s in self.raw.values():
            s.close()

    def send(self, *args, **kwargs):
        """Send, and let it pass everywhere: the next one may depend on it."""
        self.raw_send(*args, **kwargs)
        time.sleep(0.01)

    def raw_send(self, name, flags, seq, ack=0, data=b"", win=65535, bad_checksum=False,
                 options=b"", fragment=None):
        """fragment: (offset, more to come, id); its data follows the 20 bytes of TCP header."""
        to = "server" if name == "client" else "client"
        src, dst = (socket.inet_pton(FAMILY[self.v], ADDR[self.v][n]) for n in (name, to))
        ports = (self.sport, self.dport) if name == "client" else (self.dport, self.sport)
        words = 5 + len(options) // 4
        header = struct.pack("!HHIIBBHHH", *ports, seq & 0xffffffff, ack & 0xffffffff,
                             words << 4, flags, win, 0, 0) + options
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
        with within(name):
            self.raw[name].sendto(ip + segment, (ADDR[self.v][to], 0))


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


def everywhere(key, orig, resp, hosts=HOSTS):
    """Both ends took these paths, as seen at client, router and server."""
    for name in hosts:
        for end, want in (("orig", orig), ("resp", resp)):
            want = want.split()
            try:
                until(lambda: path(name, key, end) == want, "", 5)
            except Failed:
                raise Failed(f"{end} as seen at {name}: have "
                             f"{' '.join(path(name, key, end))}, want {' '.join(want)}") from None


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


def main(setup=None, module_args=()):
    """Load the module, run all tests of the file, unload it; exit as kselftest wants."""
    wanted = sys.argv[1:]
    tests = [t for t in TESTS if not wanted or any(w in t[0] for w in wanted)]
    print("TAP version 13", f"1..{len(tests)}", sep="\n", flush=True)
    run("insmod", MODULE, *module_args)
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
    run("rmmod", "tcpfsm")
    sys.exit(1 if failed else 0)
