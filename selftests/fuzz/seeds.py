#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The seeds of the fuzz targets: seeds.py DIRECTORY writes one directory for each target."""
import os
import socket
import struct
import sys

SYN, FIN, RST, ACK = 2, 1, 4, 16


# ---- engine: struct op of engine.c ----

def op(what, flags, seq=0, ack=0, length=0, win=1000):
    return struct.pack("<BBBBHH", what, flags, seq & 255, ack & 255, length, win)


HANDSHAKE = op(0, SYN) + op(1, SYN | ACK) + op(0, ACK)
ENGINE = {
    "close": HANDSHAKE + op(0, ACK, length=10) + op(1, ACK) + op(0, FIN | ACK) + op(1, ACK) +
             op(1, FIN | ACK) + op(0, ACK) + op(128, 0),
    "together": HANDSHAKE + op(0, FIN | ACK) + op(1, FIN | ACK, 0, -1) + op(0, ACK) + op(1, ACK),
    "reset": HANDSHAKE + op(0, RST) + op(1, ACK) + op(0, ACK) + op(128, 2),
    "both open": op(0, SYN) + op(1, SYN) + op(0, SYN | ACK) + op(1, SYN | ACK),
    "midstream": op(0, ACK, length=100) + op(1, ACK) + op(1, FIN | ACK) + op(128, 1),
    "again": HANDSHAKE + op(0, FIN | ACK) + op(1, FIN | ACK) + op(0, ACK) + op(0, SYN | 0, 9) +
             op(1, SYN | ACK, 9) + op(0, ACK),
    "hole": HANDSHAKE + op(0, ACK, 20, 0, 10) + op(0, FIN | ACK, 0) + op(1, RST) + op(128, 3),
}


# ---- frames ----

def tcp(flags, options=b"", payload=b"", seq=1, ack=2):
    offset = (20 + len(options)) // 4
    return struct.pack("!HHIIBBHHH", 40000, 443, seq, ack, offset << 4, flags, 1000, 0, 0) + \
        options + payload


def ip4(body, fragment=0, protocol=6):
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 1, fragment, 64, protocol, 0,
                       socket.inet_aton("10.0.0.1"), socket.inet_aton("10.0.0.2")) + body


def ip6(body, protocol=6):
    address = socket.inet_pton(socket.AF_INET6, "fd00::1")
    return struct.pack("!IHBB", 6 << 28, len(body), protocol, 64) + address + address + body


def ethernet(packet, kind):
    return bytes(12) + struct.pack("!H", kind) + packet


WSCALE = b"\2\4\5\xb4\1\3\3\7"
EXTENSIONS = bytes([60, 0]) + bytes(6) + bytes([44, 0]) + bytes(6) + bytes([6, 0, 0, 1]) + bytes(4)
FRAMES = {
    "syn": (0, ethernet(ip4(tcp(SYN, WSCALE)), 0x800)),
    "syn6": (0, ethernet(ip6(tcp(SYN, WSCALE)), 0x86dd)),
    "vlan": (8, ethernet(struct.pack("!HH", 5, 0x800) + ip4(tcp(ACK, payload=b"x" * 9)), 0x8100)),
    "raw": (1, ip4(tcp(FIN | ACK))),
    "fragment": (1, ip4(tcp(ACK), 0x2000)),
    "extensions": (1, ip6(EXTENSIONS + tcp(ACK), 0)),
    "cooked": (2, bytes(14) + struct.pack("!H", 0x800) + ip4(tcp(RST))),
    "cooked2": (3, struct.pack("!H", 0x86dd) + bytes(18) + ip6(tcp(ACK))),
    "null": (6, struct.pack("<I", 2) + ip4(tcp(ACK))),
}


# ---- captures ----

def capture(frames, link=101, magic=0xa1b2c3d4):
    out = struct.pack("<IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    for i, frame in enumerate(frames):
        out += struct.pack("<IIII", 1000 + i, i, len(frame), len(frame)) + frame
    return out


LIFE = [ip4(tcp(SYN, WSCALE, seq=9)), ip4(tcp(ACK, seq=10)), ip4(tcp(FIN | ACK, seq=10))]
RECORD = (b'{"seq":1,"ts":"2026-11-21T16:55:51.123456789Z","flow":7,"step":1,"src":"10.0.0.1","sport":1,'
          b'"dst":"10.0.0.2","dport":80,"end":"orig","from":"CLOSED","to":"SYN_SENT","cause":"SND_SYN",'
          b'"dwell_ns":1}\n{"lost":3,"group":"transition","cpu":0,"first":5}\n')
CAPTURES = {
    "record": b"\0" + RECORD,
    "life": b"\0" + capture(LIFE),
    "flows": b"\x3f" + capture(LIFE),
    "ethernet": b"\x02" + capture([ethernet(p, 0x800) for p in LIFE], 1, 0xa1b23c4d),
    "empty": b"\0" + capture([]),
}

FILTERS = {
    "arc": "resp from established to close-wait cause TOOK_FIN",
    "states": "state established or state time-wait",
    "pair": "pair ESTABLISHED:CLOSE_WAIT and not midstream",
    "address": "src 10.0.0.0/8 dport 443",
    "group": "( dst [fd00::]/64 or sport >= :1024 ) and age > 5s",
    "service": "dport = :https idle > 1m",
    "words": "exclude bucket cause SND_FIN dwell > 2ms",
}


# ---- messages ----

def attr(kind, payload):
    return struct.pack("<HH", 4 + len(payload), kind) + payload + bytes(-len(payload) % 4)


def message(command, *attrs, kind=0x20):
    body = struct.pack("<BBH", command, 1, 0) + b"".join(attrs)
    return struct.pack("<IHHII", 16 + len(body), kind, 2, 0, 0) + body


def piece(*messages):
    body = b"".join(messages)
    return struct.pack("<H", len(body)) + body


DONE = struct.pack("<IHHIIi", 20, 3, 2, 0, 0, 0)
NESTED = 0x8000


def u32(kind, value):
    return attr(kind, struct.pack("<I", value))


def u64(kind, value):
    return attr(kind, struct.pack("<Q", value))


def numbered(first, last):
    """Every attribute of a nest as a number: what it means is for the parser to say."""
    return b"".join(u64(i, i) for i in range(first, last))


def messages():
    out = {}
    for verb in range(8):
        body = [attr(kind | NESTED, numbered(1, 20) + attr(12 | NESTED, numbered(1, 12)))
                for kind in range(1, 20)]
        out[f"verb{verb}"] = bytes([verb]) + piece(message(1, *body), DONE)
        out[f"json{verb}"] = bytes([verb | 16]) + piece(message(1, *body)) + piece(DONE)
    for command in range(1, 12):
        body = [attr(kind | NESTED, numbered(1, 20)) for kind in range(1, 20)]
        event = message(command, u32(1, 0), u64(2, 5), u32(3, 1), *body)
        out[f"events{command}"] = bytes([8 | 16]) + piece(message(1, *body), DONE) + piece(event)
    return out


# ---- records: what records.c calls the body of a block ----

def number(v):
    """LEB128."""
    out = b""
    while v > 127:
        out, v = out + bytes([v & 127 | 128]), v >> 7
    return out + bytes([v])


def zigzag(v):
    return number(v << 1 if v >= 0 else (-v << 1) - 1)


def body(*columns):
    return b"".join(number(len(c)) + c for c in columns)


def numbers(*values):
    return b"".join(number(v) for v in values)


def records():
    """A flow with two moves, in a namespace; one that ended; a loss; a counter."""
    now = 1_700_000_000_000_000_000
    counts = (now, now + 9, 1, 1, 2, 1, 1, 1)
    heads = numbers(*counts, 1 | 16, 2, 0x11, 16)
    addresses = bytes([10, 0, 0, 1, 10, 0, 0, 2]) * 2
    ports = struct.pack("<HH", 40000, 80) * 2
    moves = bytes([0x13, 1, 2, 0x12, 2, 3])
    times = zigzag(0) + zigzag(5) + zigzag(9) + zigzag(0)
    half = numbers(0, 1) + bytes(8)
    ends = numbers(3, 0, 5, 0, 0) + half + half + numbers(0, 0)
    rest = numbers(7, 4) + b"host" + numbers(0, 4, 9, 0, 0, 6) + b"record" + numbers(3, 0, 8) + b"segments"
    whole = body(heads, zigzag(5) + zigzag(1), addresses, ports, moves, times, numbers(1, 2, 3, 4, 5), ends,
                 numbers(1, 2, 3, 4), rest)
    return {**{f"block{how}": bytes([how]) + whole for how in range(0, 32, 5)},
            "empty": b"\x00" + body(*[b""] * 10), "file": b"\x80TBLK" + bytes(44)}


def main():
    sets = {
        "engine": {k: b"\0" + v for k, v in ENGINE.items()},
        "frames": {k: bytes([how]) + frame for k, (how, frame) in FRAMES.items()},
        "captures": CAPTURES,
        "filters": {k: v.encode() for k, v in FILTERS.items()},
        "messages": messages(),
        "records": records(),
    }
    for target, seeds in sets.items():
        path = os.path.join(sys.argv[1], target)
        os.makedirs(path, exist_ok=True)
        for name, data in seeds.items():
            with open(os.path.join(path, name.replace(" ", "-")), "wb") as f:
                f.write(data)


main()
