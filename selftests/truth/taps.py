# SPDX-License-Identifier: GPL-2.0
"""
Two taps on a wire, one for each direction, whose clocks differ: what is captured, in the order of
these clocks, goes through the tool's replay. Where the difference is longer than an answer takes,
answers come before what they answer.
"""
import errno
import json
import socket
import struct
import subprocess
import time

from bed import TOOL, within
from bed.capture import ETHERNET, pcap

SO_TIMESTAMPNS, SO_RCVBUFFORCE, SOL_PACKET, PACKET_STATISTICS = 35, 33, 263, 6
ALL_PROTOCOLS, ROOM, LONGEST = 3, 1 << 29, 1 << 17


class Lost(Exception):
    """What was not captured."""


def is_tcp(frame):
    return frame[12:14] == b"\x08\0" and frame[23] == 6 or \
        frame[12:14] == b"\x86\xdd" and frame[20] == 6


class Taps:
    """They capture from now on, at a device of a host. The clock of what it sends is ahead by
    skew."""

    def __init__(self, host, device, skew):
        self.skew = skew
        with within(host):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setblocking(False)
        self.socket.bind((device, ALL_PROTOCOLS))
        time.sleep(0.3)         # the kernel begins to stamp packets a little later

    def frames(self):
        """All that was captured, (seconds, bytes), by the taps' clocks."""
        captured, ended = [], time.time()
        try:
            while True:
                try:
                    data, more, _, address = self.socket.recvmsg(LONGEST, 64)
                except OSError as error:
                    if error.errno == errno.ENETDOWN:   # told once, and what was captured is still there
                        continue
                    raise
                seconds, ns = struct.unpack("qq", more[0][2][:16])
                when = seconds + ns / 10**9
                if not is_tcp(data):
                    continue
                if when > ended:
                    raise Lost("when a packet passed")
                sent = address[2] == socket.PACKET_OUTGOING
                captured.append((when + (self.skew if sent else 0), data))
        except BlockingIOError:
            pass
        _, drops = struct.unpack("II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        if drops:
            raise Lost(f"{drops} packets")
        return sorted(captured, key=lambda packet: packet[0])

    def log(self):
        """The transitions that replay shows, as rows of the module's log. The taps are gone."""
        data = pcap(self.frames(), ETHERNET)
        self.socket.close()
        out = subprocess.run([TOOL, "-j", "replay", "-"], input=data, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, check=False).stdout
        events = [json.loads(line) for line in out.splitlines()]
        return [{**e, "sport": str(e["sport"]), "dport": str(e["dport"]), "time": e["ts"]}
                for e in events]
