# SPDX-License-Identifier: GPL-2.0
"""The module's generic netlink family, byte by byte: what the tool does not ask for, or not so."""
import contextlib
import socket
import struct
import sys

from .ksft import Failed
from .netns import within

NLMSG_ERROR, NLMSG_DONE = 2, 3
FLOW_GET, STATS_GET, COUNTER_GET, SERVICE_GET, LOG_GET = range(1, 6)


def attribute(kind, payload):
    return struct.pack("=HH", 4 + len(payload), kind) + payload + bytes(-len(payload) % 4)


def ask_for_family():
    """The attributes that tell what the generic netlink family is."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16) as s:
        body = struct.pack("=BBH", 3, 1, 0) + attribute(2, b"tcpfsm\0")
        s.send(struct.pack("=IHHII", 16 + len(body), 16, 1, 1, 0) + body)
        return dict(attributes_of(s.recv(65536)[20:]))


def family():
    """The number of the generic netlink family."""
    told = ask_for_family()
    if 1 not in told:
        raise Failed("no family")
    return struct.unpack("=H", told[1][:2])[0]


def group_number(name):
    for _, payload in attributes_of(ask_for_family()[7]):
        group = dict(attributes_of(payload))
        if group[1].rstrip(b"\0").decode() == name:
            return struct.unpack("=I", group[2])[0]
    raise Failed(f"no group {name}")


def attributes_of(data):
    """Kinds and payloads."""
    found = []
    while len(data) >= 4:
        size, kind = struct.unpack("=HH", data[:4])
        found.append((kind & 0x3fff, data[4:size]))
        data = data[size + 3 & ~3:]
    return found


def number_in(attributes, kind):
    """The number in the first attribute of this kind, or None."""
    return next((int.from_bytes(payload, sys.byteorder) for k, payload in attributes if k == kind), None)


def ask_for_flows(name, tuples):
    """Ask a namespace for each of these flows: (src, dst, sport, dport), addresses of 4 or 16 bytes.
    Returns how many there were."""
    number, found = family(), 0
    with within(name):
        s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
    with contextlib.closing(s):
        s.settimeout(5)
        for src, dst, sport, dport in tuples:
            words = ((4, src), (5, dst), (6, struct.pack("=I", sport)), (7, struct.pack("=I", dport)))
            nest = attribute(3 | 0x8000, b"".join(attribute(*word) for word in words))
            body = struct.pack("=BBH", FLOW_GET, 1, 0) + nest
            s.send(struct.pack("=IHHII", 16 + len(body), number, 1, 1, 0) + body)
            answer = s.recv(4096)
            kind, error = struct.unpack("=4xH10xi", answer[:20])
            if kind == number:
                found += 1
            elif kind != NLMSG_ERROR or error != -2:
                raise Failed(f"message {kind}, error {error}")
    return found


class Dump:
    """A dump that is read when the test wants the next piece of it. Without a name: from here."""

    def __init__(self, name, command):
        number = family()
        with within(name) if name else contextlib.nullcontext():
            self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
        self.socket.settimeout(5)
        self.done = False
        body = struct.pack("=BBH", command, 1, 0)
        self.socket.send(struct.pack("=IHHII", 16 + len(body), number, 0x301, command, 0) + body)

    def piece(self):
        """The attributes of each message in the next piece. The one behind it is made by then."""
        data, messages = self.socket.recv(1 << 17), []
        while data:
            size, kind = struct.unpack("=IH", data[:6])
            if kind == NLMSG_ERROR:
                raise Failed(f"error {struct.unpack('=i', data[16:20])[0]}")
            if kind == NLMSG_DONE:
                self.done = True
            else:
                messages.append(attributes_of(data[20:size]))
            data = data[size + 3 & ~3:]
        return messages

    def rest(self):
        messages = []
        while not self.done:
            messages += self.piece()
        return messages

    def close(self):
        self.socket.close()


class Listener:
    """A socket in a group of events, which keeps what comes until it is asked for."""

    EVENT = {"transition": 7, "flow": 3}        # TCPFSM_A_TRANSITION, TCPFSM_A_FLOW

    def __init__(self, name, group):
        self.kind = self.EVENT[group]
        with within(name):
            self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
        self.socket.bind((0, 0))            # without a port number it would be taken for the sender
        self.socket.setsockopt(270, 1, group_number(group))     # NETLINK_ADD_MEMBERSHIP
        self.socket.settimeout(0.2)

    def events(self):
        """Processor, number and attributes of each event that has come."""
        found = []
        while True:
            try:
                data = self.socket.recv(1 << 17)
            except TimeoutError:
                return found
            message = attributes_of(data[20:])
            words = dict(message)
            cpu, first = struct.unpack("=I", words[4])[0], struct.unpack("=Q", words[5])[0]
            events = [payload for kind, payload in message if kind == self.kind]
            found += [(cpu, first + i, attributes_of(e)) for i, e in enumerate(events)]

    def close(self):
        self.socket.close()
