# SPDX-License-Identifier: GPL-2.0
"""Captures."""
import struct

ETHERNET, LOOPBACK, RAW, SLL, SLL2 = 1, 0, 101, 113, 276


def pcap(frames, link=RAW):
    """A capture; frames are (seconds, bytes)."""
    out = [struct.pack("IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 262144, link)]
    for when, data in frames:
        ns = round(when * 10**9)
        out += struct.pack("IIII", ns // 10**9, ns % 10**9, len(data), len(data)), data
    return b"".join(out)
