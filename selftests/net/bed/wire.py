# SPDX-License-Identifier: GPL-2.0
"""Segments without sockets."""
import contextlib
import random
import socket
import struct
import time

from .consts import ADDR, FAMILY, FLOOD, HOSTS, SEED, SYN
from .hosts import muted
from .netns import within
from .tcpfsm import tuple_of
from .utils import backlog, one_cpu, run, until


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def send_icmp_error(v, kind, code, quoted, to, mtu=0, bad_checksum=False, size=None):
    """From the host at hand: quoted is a packet, of which at most so many bytes are quoted."""
    rest = struct.pack("!HH", 0, mtu) if v == 4 else struct.pack("!I", mtu)
    quoted = quoted[:size]
    message = struct.pack("!BBH", kind, code, 0) + rest + quoted
    proto = socket.IPPROTO_ICMP if v == 4 else socket.IPPROTO_ICMPV6
    with socket.socket(FAMILY[v], socket.SOCK_RAW, proto) as s:
        s.setsockopt(socket.SOL_SOCKET, 36, 1)          # SO_MARK, as all that is crafted
        if v == 4:                                      # the kernel does it for ICMPv6
            total = checksum(message) ^ (0x5555 if bad_checksum else 0)
            message = message[:2] + struct.pack("!H", total) + message[4:]
        s.sendto(message, (to, 0))


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

    def send_error(self, name, kind, code, seq, mtu=0, via=None, **how):
        """An ICMP error about a segment that a host sent, from its peer or from via; see icmp_error()."""
        other = "server" if name == "client" else "client"
        src, dst = (socket.inet_pton(FAMILY[self.v], ADDR[self.v][n]) for n in (name, other))
        ports = (self.sport, self.dport) if name == "client" else (self.dport, self.sport)
        tcp = struct.pack("!HHIIBBHHH", *ports, seq & 0xffffffff, 0, 5 << 4, SYN, 65535, 0, 0)
        if self.v == 4:
            quoted = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 60, 6, 0, src, dst)
            quoted = quoted[:10] + struct.pack("!H", checksum(quoted)) + quoted[12:]
        else:
            quoted = struct.pack("!IHBB16s16s", 6 << 28, 20, 6, 60, src, dst)
        with one_cpu():
            with within(via or other):
                send_icmp_error(self.v, kind, code, quoted + tcp, ADDR[self.v][name], mtu, **how)
            until(lambda: not backlog(), "the error passed")

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


SOURCE, NOBODY = "10.9.0.1", "10.9.0.2"     # of guests()


def syns(name, ports):
    """A SYN of a guest from each pair of ports to an address where nobody answers; longest and mean ns."""
    src, dst = socket.inet_aton(SOURCE), socket.inet_aton(NOBODY)
    pseudo = sum(struct.unpack("!4H", src + dst)) + 6 + 20
    longest, began = 0, time.monotonic_ns()
    with within(name), socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as s:
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, 0, src, dst)
        for sport, dport in ports:
            words = (sport, dport, 0, 1, 0, 0, 5 << 12 | SYN, 1000, 0, 0)
            total = pseudo + sum(words)
            total = (total & 0xffff) + (total >> 16)
            total = ~((total & 0xffff) + (total >> 16)) & 0xffff
            before = time.monotonic_ns()
            s.sendto(head + struct.pack("!10H", *words[:8], total, 0), (NOBODY, 0))
            longest = max(longest, time.monotonic_ns() - before)
    return longest, (time.monotonic_ns() - began) / len(ports)
