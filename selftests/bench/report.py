# SPDX-License-Identifier: GPL-2.0
"""What the parts of the benchmark have found: lines as it goes, and one table at the end."""
import dataclasses
import os
import statistics

import markdown

PARTS = {}


def part(function):
    """A part of the benchmark, called with the Report."""
    PARTS[function.__name__] = function
    return function


@dataclasses.dataclass
class Row:
    """A line of the table. Of figures a side has not, None is shown as a dash."""
    what: str
    conntrack: float | str | None
    tcpfsm: float | str | None
    ratio: float | None = None
    target: str = ""
    met: bool | None = None

    def cells(self):
        return (self.what, text(self.conntrack), text(self.tcpfsm),
                "-" if self.ratio is None else f"{self.ratio:.3f}", self.target or "-",
                "-" if self.met is None else ("NO", "yes")[self.met])


def text(value):
    """Of a figure: three digits that count."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if abs(value) >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


class Report:
    def __init__(self, rounds):
        """rounds: how often what varies is repeated."""
        self.rounds = rounds
        self.rows = []

    def say(self, line):
        print(line, flush=True)

    def add(self, *args, **kwargs):
        row = Row(*args, **kwargs)
        self.rows.append(row)
        self.say("  " + " | ".join(row.cells()))

    def ratio(self, what, conntrack, tcpfsm, target=None):
        """Lists of one figure a round, less being better: medians, and the median ratio."""
        ratios = [t / c for t, c in zip(tcpfsm, conntrack)]
        ratio = statistics.median(ratios)
        self.add(what, statistics.median(conntrack), statistics.median(tcpfsm), ratio,
                 f"{target:.2f}" if target else "", ratio <= target if target else None)
        if len(ratios) > 1:
            self.say(f"    ratios {', '.join(f'{r:.3f}' for r in sorted(ratios))}")

    def table(self):
        header = ("what", "nf_conntrack", "tcpfsm", "ratio", "target", "met?")
        self.say("\n" + machine())
        for line in markdown.table(header, [row.cells() for row in self.rows]):
            self.say(line)


def machine():
    """Where this was measured. The guest does not know what it runs on."""
    return (f"{os.environ.get('TCPFSM_MACHINE', 'unknown machine')}; "
            f"Linux {os.uname().release}, User-mode Linux, {os.cpu_count()} CPUs")
