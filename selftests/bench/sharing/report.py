#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
What the plugin has counted, as tables.

    report.py [--blame N] [--spent N] [--modules DIR] COUNTED PRINTED [COUNTED PRINTED]...
    report.py --expected FILE | --record FILE COUNTED PRINTED

The second holds what tcpfsm needs against a record, as TAP, or writes that record. COUNTED is what
the plugin wrote in a guest, PRINTED is what guest.py printed there. Figures are net of the empty
hooks of the same guest and workload.
"""
import argparse
import base64
import bisect
import collections
import dataclasses
import gzip
import os
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
# pylint: disable=wrong-import-position
import markdown

KINDS = ("SYN", "SYN|ACK", "ACK", "data", "FIN", "ACK of it", "FIN back", "last ACK", "RST", "work")
DATA, WORK = 3, 9
FIELDS = ("instructions", "locked", "read", "written", "moved")
WHO = ("conntrack", "tcpfsm")
TOLERANCE = 0.03
# Asked for the first segment of a jiffy, whose number depends on how fast this machine emulates.
ONCE_A_JIFFY = ("tcpfsm_msg_has_listeners", "netlink_has_listeners")
STRAY = 0.5             # lines that move now and then: ticks of the clock, where flows happen to be
HEADER = """\
# SPDX-License-Identifier: GPL-2.0
# What tcpfsm needs for a segment on 8 processors: kind, instructions, lines from other processors.
# scripts/sharing --check fails above that. To record anew what is there: scripts/sharing --record
"""
# How often a kind of segment occurs in a connection that ends by FIN, without its data.
SETUP, CLOSE = (0, 1, 2), (4, 5, 6, 7)


@dataclasses.dataclass
class Row:
    cpus: int
    workload: str
    who: str
    connections: int
    kinds: dict = dataclasses.field(default_factory=dict)   # of means by field
    blames: list = dataclasses.field(default_factory=list)  # moved, pc, site
    spent: list = dataclasses.field(default_factory=list)   # kind, pc, times
    windows: dict = dataclasses.field(default_factory=dict) # by kind
    symbols: "Symbols" = None


class Symbols:
    """The kernel's, by address."""

    def __init__(self, encoded):
        lines = gzip.decompress(base64.b64decode(encoded)).decode().splitlines()
        rows = sorted((int(address, 16), name, module[0].strip("[]") if module else "")
                      for address, _, name, *module in map(str.split, lines))
        self.addresses = [row[0] for row in rows]
        self.rows = rows

    def of(self, address):
        """Returns name, offset in it, and module or ''."""
        i = bisect.bisect_right(self.addresses, address) - 1
        if i < 0:
            return f"{address:x}", 0, ""
        start, name, module = self.rows[i]
        return name, address - start, module


def read_pair(counted, printed):
    """Rows by (cpus, workload, who)."""
    rows, waiting = {}, []
    with open(printed, encoding="utf-8") as f:
        for word, *words in filter(None, map(str.split, f)):
            if word == "row":
                rows[int(words[0])] = Row(int(words[1]), words[2], words[3], int(words[4]))
                waiting.append(rows[int(words[0])])
            elif word == "symbols":
                symbols = Symbols(words[0])
                for row in waiting:
                    row.symbols = symbols
                waiting = []
    with open(counted, encoding="ascii") as f:
        for word, number, *words in map(str.split, f):
            row = rows[int(number)]
            if word == "kind":
                values = dict(zip(words[1::2], map(int, words[2::2])))
                row.kinds[int(words[0])] = {key: values[key] / values["windows"] for key in FIELDS}
                row.windows[int(words[0])] = values["windows"]
            elif word == "spent":
                row.spent.append((int(words[0]), int(words[1], 16), int(words[2])))
            else:
                row.blames.append((int(words[3]), int(words[0], 16), int(words[1], 16)))
    return {(row.cpus, row.workload, row.who): row for row in rows.values()}


def net(rows, row):
    """Means by kind and field, without what the empty hooks need."""
    floor = rows[row.cpus, row.workload, "nobody"]
    return {kind: {field: means[field] - floor.kinds[kind][field] for field in FIELDS}
            for kind, means in row.kinds.items()}


def of_work(row, field):
    """What expiry takes of a connection: there is a window whenever tickets are met."""
    return row.kinds[WORK][field] * row.windows[WORK] / row.connections


def total(kinds, wanted, field):
    """Of these kinds together, or None if one of them did not occur."""
    if any(kind not in kinds for kind in wanted):
        return None
    return sum(kinds[kind][field] for kind in wanted)


def figure(value):
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}"


def print_table(head, body):
    print(*markdown.table(head, body), sep="\n")


def print_kinds(rows, cpus, workload):
    """One table for a workload: kinds of segments, and what each of the two needs."""
    nets = {who: net(rows, rows[cpus, workload, who]) for who in WHO
            if (cpus, workload, who) in rows}
    head = [f"{cpus} CPUs, {workload}"] + [f"{who} {field}" for field in FIELDS for who in nets]
    body = []
    for i, kind in enumerate(KINDS):
        if any(i in kinds for kinds in nets.values()):
            body.append([kind] + [figure(kinds[i][field] if i in kinds else None)
                                  for field in FIELDS for kinds in nets.values()])
    for name, kinds in (("set-up", SETUP), ("close", CLOSE), ("connection", SETUP + CLOSE)):
        if all(total(of, kinds, "moved") is not None for of in nets.values()):
            body.append([name] + [figure(total(of, kinds, field))
                                  for field in FIELDS for of in nets.values()])
    print()
    print_table(head, body)


def print_summary(rows):
    """What the two need for a connection, and what that is of each other."""
    body = []
    for cpus, workload in dict.fromkeys((row.cpus, row.workload) for row in rows.values()):
        if workload == "expiry":
            row = rows[cpus, workload, "tcpfsm"]
            body += [[f"{cpus} CPUs, expiry of a connection, {what}", "-",
                      figure(of_work(row, field)), "-"]
                     for what, field in (("instructions", "instructions"), ("lines moved", "moved"))]
            continue
        nets = [net(rows, rows[key]) for who in WHO if (key := (cpus, workload, who)) in rows]
        if len(nets) < len(WHO):
            continue
        for what, kinds, field in (("set-up, instructions", SETUP, "instructions"),
                                   ("close, instructions", CLOSE, "instructions"),
                                   ("data, instructions", (DATA,), "instructions"),
                                   ("a SYN, instructions", (0,), "instructions"),
                                   ("set-up and close, lines moved", SETUP + CLOSE, "moved"),
                                   ("data, lines moved", (DATA,), "moved")):
            theirs, ours = (total(of, kinds, field) for of in nets)
            if theirs is None or (what.startswith("a SYN") and total(nets[0], SETUP, field)):
                continue
            body.append([f"{cpus} CPUs, {workload}: {what}", figure(theirs), figure(ours),
                         f"{ours / theirs:.2f}" if theirs > 1 else "-"])
    print()
    print_table(["what", "nf_conntrack", "tcpfsm", "ratio"], body)


class Lines:
    """Source lines of a module, by symbol and offset."""

    def __init__(self, directory):
        self.directory = directory
        self.known = {}

    def of(self, name, offset, module):
        file = os.path.join(self.directory or "", f"{module}.ko")
        if not self.directory or not module or not os.path.exists(file):
            return ""
        key = name, offset, module
        if key not in self.known:
            self.known[key] = self.ask(file, name, offset)
        return self.known[key]

    @staticmethod
    def ask(file, name, offset):
        table = subprocess.run(["nm", file], stdout=subprocess.PIPE, text=True, check=True).stdout
        starts = [int(line.split()[0], 16) for line in table.splitlines()
                  if line.split()[-1] == name and line.split()[0] != "U"]
        if len(starts) != 1:
            return ""
        said = subprocess.run(["addr2line", "-e", file, "-j", ".text", f"{starts[0] + offset:x}"],
                              stdout=subprocess.PIPE, text=True, check=True).stdout
        return os.path.basename(said.split()[0])


def print_blame(row, most, lines):
    """Who asks for lines of other processors."""
    places = collections.Counter()
    for moved, pc, site in row.blames:
        name, offset, module = row.symbols.of(pc)
        where = f"{name}+{offset:#x} {lines.of(name, offset, module)}".strip()
        if not module and site:
            name, offset, module = row.symbols.of(site)
            where += f", from {name} {lines.of(name, offset, module)}".rstrip()
        places[where] += moved
    print(f"\nLines from other processors, {row.who}, {row.cpus} CPUs, {row.workload}: "
          f"{sum(places.values()) / row.connections:.2f} for each connection, data included")
    for where, moved in places.most_common(most):
        print(f"  {moved / row.connections:7.3f}  {where}")


def print_spent(row, most):
    """Which functions the instructions are spent in, for each kind of segment."""
    by_name = collections.defaultdict(collections.Counter)
    for kind, pc, times in row.spent:
        by_name[row.symbols.of(pc)[0]][kind] += times / row.windows[kind]
    kinds = sorted(row.windows)
    body = [[name] + [figure(counts[kind]) if counts[kind] else "" for kind in kinds]
            for name, counts in sorted(by_name.items(), key=lambda item: -sum(item[1].values()))]
    print()
    print_table([f"{row.who}, {row.cpus} CPUs, {row.workload}: instructions"] +
                [KINDS[kind] for kind in kinds], body[:most])


def named_figures(rows):
    """
    Of tcpfsm in the only workload: instructions, but for those once a jiffy, and transfers by kind
    of segment.
    """
    row, = (row for row in rows.values() if row.who == "tcpfsm")
    for kind, pc, times in row.spent:
        if row.symbols.of(pc)[0] in ONCE_A_JIFFY:
            row.kinds[kind]["instructions"] -= times / row.windows[kind]
    return {KINDS[kind].replace(" ", "_"): (means["instructions"], means["moved"])
            for kind, means in sorted(net(rows, row).items())}


def record(figures, file):
    with open(file, "w", encoding="ascii") as f:
        f.write(HEADER + "".join(f"{kind} {insns:.0f} {moved:.2f}\n"
                                 for kind, (insns, moved) in figures.items()))


def check(figures, file):
    """Print TAP. Returns how many figures are above the record."""
    with open(file, encoding="ascii") as f:
        rows = [line.split() for line in f if not line.startswith("#")]
    wanted = {kind: (float(insns), float(moved)) for kind, insns, moved in rows}
    failed = 0
    print("TAP version 13", f"1..{len(wanted)}", sep="\n")
    for number, (kind, (insns, moved)) in enumerate(wanted.items(), 1):
        have = figures.get(kind)
        good = have and have[0] <= insns * (1 + TOLERANCE) and \
            have[1] <= moved * (1 + TOLERANCE) + STRAY
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} {kind} on 8 processors")
        print(f"# {have[0]:.0f} instructions, recorded {insns:.0f}; {have[1]:.2f} lines from other "
              f"processors, recorded {moved:.2f}" if have else "# no such segment was counted")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blame", type=int, default=20)
    parser.add_argument("--spent", type=int, default=0)
    parser.add_argument("--modules")
    parser.add_argument("--expected")
    parser.add_argument("--record")
    parser.add_argument("files", nargs="+")
    words = parser.parse_args()
    rows = {}
    for counted, printed in zip(words.files[::2], words.files[1::2]):
        rows.update(read_pair(counted, printed))
    if words.record:
        record(named_figures(rows), words.record)
        return 0
    if words.expected:
        return 1 if check(named_figures(rows), words.expected) else 0
    for cpus, workload in dict.fromkeys((row.cpus, row.workload) for row in rows.values()):
        if workload != "expiry":
            print_kinds(rows, cpus, workload)
    print_summary(rows)
    lines = Lines(words.modules)
    for row in rows.values():
        if row.who != "nobody" and row.symbols and words.blame:
            print_blame(row, words.blame, lines)
        if row.symbols and words.spent:
            print_spent(row, words.spent)
    return 0


if __name__ == "__main__":
    sys.exit(main())
