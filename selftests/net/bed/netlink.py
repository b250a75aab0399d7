# SPDX-License-Identifier: GPL-2.0
"""The module's generic netlink family, byte by byte: what the tool does not ask for, or not so."""
import contextlib
import socket
import struct

from .ksft import Failed
from .netns import within

NLMSG_ERROR, NLMSG_DONE = 2, 3
FLOW_GET, STATS_GET, COUNTER_GET, SERVICE_GET, LOG_GET = range(1, 6)


def attribute(kind, payload):
    return struct.pack("=HH", 4 + len(payload), kind) + payload + bytes(-len(payload) % 4)


def family():
    """The number of the generic netlink family."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16) as s:
        body = struct.pack("=BBH", 3, 1, 0) + attribute(2, b"tcpfsm\0")
        s.send(struct.pack("=IHHII", 16 + len(body), 16, 1, 1, 0) + body)
        for kind, payload in attributes_of(s.recv(65536)[20:]):
            if kind == 1:
                return struct.unpack("=H", payload[:2])[0]
    raise Failed("no family")


def attributes_of(data):
    """Kinds and payloads."""
    found = []
    while len(data) >= 4:
        size, kind = struct.unpack("=HH", data[:4])
        found.append((kind & 0x3fff, data[4:size]))
        data = data[size + 3 & ~3:]
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
