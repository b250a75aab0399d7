#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
What scripts/sharing runs in its guest: connections on all processors at once, past empty hooks,
nf_conntrack and tcpfsm, counted by QEMU's plugin. Prints a line for each row that the plugin
counts, and the kernel's symbols, by which the plugin's addresses can be read:

    row NUMBER CPUS WORKLOAD WHO CONNECTIONS
    symbols BASE64
"""
import argparse
import base64
import contextlib
import gzip
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [os.path.join(HERE, ".."), os.path.join(HERE, "../../net")]
# pylint: disable=wrong-import-position
from bed import TOOL, equal, run, write
from beds import Conntrack, FILE, Nobody, PUSHER, Tcpfsm, host, reader

FLOWS = 65536
FULL = 1024             # flows in a table that is full: the least that the module takes
AGED = 64               # connections of each processor before those that are counted
WHO = {"nobody": Nobody, "conntrack": Conntrack, "tcpfsm": Tcpfsm}
LISTENER = {"conntrack": ["conntrack", "-E"], "tcpfsm": [TOOL, "monitor"]}
WORKLOADS = {
    "together": {"services": 1},
    "split": {"services": 1, "split": 1},
    "services": {"services": 4099},
    "subscriber": {"services": 1},
    "evicting": {"services": 1, "syns": 1},
    "container": {"services": 1},
    "expiry": {"services": 1},
}
EXPIRES = "expire_flows"        # the function that a processor's tickets are met by


class Rows:
    """Rows of the plugin's, and what they are."""

    def __init__(self, cpus):
        self.cpus = cpus
        self.last = 0

    def next(self, workload, who, measured):
        self.last += 1
        print("row", self.last, self.cpus, workload, who, self.cpus * measured, flush=True)
        return self.last


def symbols():
    with open("/proc/kallsyms", encoding="ascii") as f:
        return [line.split() for line in f]


def tell(words):
    with open(FILE, "r+b", buffering=0) as f:
        f.write(words.encode())


def name_entry(all_symbols):
    """Where interrupts enter the kernel."""
    ends = {name: address for address, _, name, *_ in all_symbols
            if name in ("__entry_text_start", "__entry_text_end")}
    tell(f"entry={ends['__entry_text_start']}-{ends['__entry_text_end']}")


def name_modules():
    """The texts of those that are measured."""
    tell("text=")
    ours = {}
    for address, kind, name, *module in symbols():
        if module and kind in "tT" and module[0] in ("[tcpfsm]", "[nf_conntrack]"):
            ours.setdefault(module[0], []).append(int(address, 16))
    for addresses in ours.values():
        tell(f"text={min(addresses):x}-{max(addresses) + 4096:x}")


def per_cpu(cpus):
    """How many connections each processor has: enough that what happens now and then counts."""
    return max(16, 256 // cpus)


def print_symbols():
    """As they are while the last row's modules are loaded."""
    text = "\n".join(" ".join(line) for line in symbols() if line[1] in "tTwW")
    print("symbols", base64.b64encode(gzip.compress(text.encode())).decode(), flush=True)


def connections(rows, workload, name, measured, warm=8):
    words = WORKLOADS[workload]
    evicting = workload == "evicting"
    most = FULL if evicting else FLOWS
    if evicting:
        warm = 2 * FULL // rows.cpus
    who = WHO[name](FLOWS, most)
    listen = workload == "subscriber" and name in LISTENER
    with host(who, workload == "container") as push, reader(LISTENER[name]) if listen else contextlib.nullcontext():
        name_modules()
        if not evicting:
            # What each processor makes once, as pages of a log, is not a connection's cost.
            push.try_to(op="turns", cpus=rows.cpus, flows=AGED, first=1 << 20, **words)
        row = rows.next(workload, name, measured)
        answer = push.try_to(op="turns", cpus=rows.cpus, flows=measured, warm=warm, row=row, **words)
        if not evicting:
            equal(answer["dropped"], 0, f"segments that {name} dropped")
        elif name == "tcpfsm":
            equal(who.have(), most, "flows in a full table")
        if name == "tcpfsm":
            print_symbols()


def expiry(rows, measured):
    """Of tcpfsm alone: nf_conntrack walks its whole table for flows that are over, however many."""
    who = Tcpfsm(FLOWS, FLOWS)
    with host(who) as push:
        for key in ("time_wait", "closed"):
            write(f"/proc/sys/net/tcpfsm/timeout_{key}", 1)
        name_modules()
        push.try_to(op="turns", cpus=rows.cpus, flows=measured, **WORKLOADS["expiry"])
        equal(who.have(), rows.cpus * measured, "flows")
        push.try_to(op="work", work=EXPIRES, ms=6000, row=rows.next("expiry", "tcpfsm", measured))
        equal(who.have(), 0, "flows that are left")
        print_symbols()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, add_help=False)
    parser.add_argument("--who", default="nobody,conntrack,tcpfsm")
    parser.add_argument("--workloads", default=",".join(WORKLOADS))
    parser.add_argument("--connections", type=int)
    return parser.parse_args()


def main():
    words = arguments()
    cpus = os.cpu_count()
    run("modprobe", "nf_conntrack")
    run("insmod", PUSHER)
    rows = Rows(cpus)
    name_entry(symbols())
    for workload in words.workloads.split(","):
        if workload in ("split", "subscriber") and cpus == 1:
            continue            # the other side is on a processor of its own
        if workload == "expiry":
            expiry(rows, words.connections or per_cpu(cpus))
            continue
        for name in words.who.split(","):
            connections(rows, workload, name, words.connections or per_cpu(cpus))


if __name__ == "__main__":
    sys.exit(main())
