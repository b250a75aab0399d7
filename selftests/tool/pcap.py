# SPDX-License-Identifier: GPL-2.0
"""Packets, frames, and captures in the newer format, byte by byte."""
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../net"))
# pylint: disable=wrong-import-position
from bed import checksum
from bed.capture import ETHERNET, LOOPBACK, RAW, SLL, SLL2, pcap    # pylint: disable=unused-import


def packet(v, back, flags, seq, ack=0, data=b"", win=65535, ports=(1000, 80), bad=False,
           options=b"", partial=False, ident=0):
    """An IP packet, from the client unless back; partial: the first fragment of one; ident: its
    identification (IPv4)."""
    a, b = ((b"\x0a\0\0\1", b"\x0a\0\0\2") if v == 4 else
            (b"\xfd" + b"\0" * 14 + b"\1", b"\xfd" + b"\0" * 14 + b"\2"))
    src, dst, sport, dport = (b, a, *ports[::-1]) if back else (a, b, *ports)
    segment = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 80 + len(options) * 4, flags, win,
                          0, 0) + options + data
    pseudo = src + dst + struct.pack("!BBH" if v == 4 else "!BxxxB2xH", 0, 6, len(segment))
    if v == 6:
        pseudo = src + dst + struct.pack("!IHBB", len(segment), 0, 0, 6)
    total = checksum(pseudo + segment) ^ (0x1111 if bad else 0)
    segment = segment[:16] + struct.pack("!H", total) + segment[18:]
    if v == 4:
        return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), ident, partial << 13,
                           64, 6, 0, src, dst) + segment
    return struct.pack("!IHBB16s16s", 6 << 28, len(segment), 6, 64, src, dst) + segment


def icmp_error(v, kind, code, quoted, mtu=0, size=None, bad=False):
    """An ICMP error of a router that quotes an IP packet, or its first bytes (size: of TCP)."""
    head = 20 if v == 4 else 40
    quoted = quoted[:head + (8 if size is None else size)]
    src = b"\x0a\0\0\xfe" if v == 4 else b"\xfd" + b"\0" * 14 + b"\xfe"
    dst = quoted[12:16] if v == 4 else quoted[8:24]
    rest = struct.pack("!HH" if v == 4 else "!I", *((0, mtu) if v == 4 else (mtu,)))
    pseudo = b"" if v == 4 else src + dst + struct.pack("!IHBB", 8 + len(quoted), 0, 0, 58)
    total = checksum(pseudo + bytes((kind, code, 0, 0)) + rest + quoted) ^ (0x1111 if bad else 0)
    body = struct.pack("!BBH", kind, code, total) + rest + quoted
    if v == 4:
        return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64, 1, 0, src, dst) + body
    return struct.pack("!IHBB16s16s", 6 << 28, len(body), 58, 64, src, dst) + body


def frame(link, v, ip, vlan=False):
    kind = b"\x08\0" if v == 4 else b"\x86\xdd"
    if link == ETHERNET:
        return b"\2" * 12 + (b"\x81\0\0\5" if vlan else b"") + kind + ip
    if link == SLL:
        return struct.pack("!HHH8s", 0, 1, 6, b"\2" * 8) + kind + ip
    if link == SLL2:
        return kind + struct.pack("!HIHBB8s", 0, 1, 1, 0, 6, b"\2" * 8) + ip
    if link == LOOPBACK:
        return struct.pack("I", 2 if v == 4 else 10) + ip
    return ip


def pcapng(frames, link=RAW):
    """The same as pcap() in the newer format."""
    def block(kind, body):
        size = 12 + len(body)
        return struct.pack("II", kind, size) + body + struct.pack("I", size)
    out = block(0x0a0d0d0a, struct.pack("IHHq", 0x1a2b3c4d, 1, 0, -1))
    out += block(1, struct.pack("HHI", link, 0, 262144))
    for when, data in frames:
        us = round(when * 10**6)
        body = struct.pack("IIIII", 0, us >> 32, us & 0xffffffff, len(data), len(data))
        out += block(6, body + data + b"\0" * (-len(data) % 4))
    return out
