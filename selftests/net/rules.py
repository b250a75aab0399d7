#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
The engine's rules in the live bed: client and server send the segments of each scenario of
core/scenarios through the router, where the module shows after each step what the scenario expects.
"""
import contextlib
import functools
import itertools
import time

from bed import (ADDR, FLAGS, SYN, TESTS, counters, main, read, setting, timeout, true, until, wire)
from bed.hosts import mute
from bed.ksft import Failed
from bed.scenario import Seen, check_step, mirrored_pair, read_scenarios

ROUTER = "router"
CLIENT_PORTS, SERVER_PORT = itertools.count(40000), 80
# What only a local socket or the engine itself can do: other scenarios need it.
UNSEEN = {"gone", "lives", "local", "blind", "confirm", "no-memory", "own"}
# Which counter tells why a flow has ended.
ENDED = {"fin": "ended_fin", "rst-orig": "ended_rst", "rst-resp": "ended_rst", "rst-host": "ended_rst",
         "refused": "ended_refused", "stale-syn": "ended_stale_syn", "reopened": "ended_reopened"}
FINISHED = {"CLOSED:CLOSED", "CLOSED:LISTEN"}


class Observer:
    """What the router shows of the flows of a made-up connection, whose client's port no other has."""

    def __init__(self, w):
        self.port, self.client = str(w.sport), ADDR[w.v]["client"]
        self.before = counters(ROUTER)

    def rows(self, file):
        """By the column: a time or a count may be the same number as the port."""
        header, *lines = read(ROUTER, file).splitlines()
        rows = (dict(zip(header.split(), line.split())) for line in lines if self.port in line)
        return [row for row in rows if self.port in (row["sport"], row["dport"])]

    def pair(self):
        rows = self.rows("flows")
        return f"{rows[-1]['orig']}:{rows[-1]['resp']}" if rows else "-"

    def grown(self):
        """The counters that have grown since this was last asked; the engine's notes come first, and
        among them its refusals."""
        now = counters(ROUTER)
        grown = [name for name in now if now[name] > self.before[name]]
        self.before = now
        return grown

    def look(self, step, grown):
        """The log is long: it is read only if the step expects something of it."""
        flows = self.rows("flows")
        log = self.rows("log") if {"path", "flows"} & {words[0] for words in step.checks} else []
        last = flows[-1] if flows else {"flow": None, "src": None, "flags": "0"}
        bits = int(last["flags"], 0)
        names = list(self.before)
        return Seen(pair=self.pair(), flows=len({row["flow"] for row in log}),
                    paths={end: path_of(log, last["flow"], end) for end in ("orig", "resp")},
                    flags={flag for i, flag in enumerate(FLAGS) if bits & 1 << i},
                    orig_is_first=last["src"] == self.client, reason=None, before=None,
                    notes=set(grown) & set(names[:names.index("segments")]),
                    refusals=set(grown) & set(names[:names.index("syn_retrans")]))


def path_of(log, flow, end):
    """A correction is the lowest bit of a transition's flags."""
    return [row["to"] + "!" * (int(row["flags"]) & 1) for row in log
            if row["flow"] == flow and row["end"] == end]


def send(w, segment):
    """What the router makes itself goes out there, in the name of the end that is said to send it."""
    w.send("server" if segment.back else "client", segment.flags, segment.seq, segment.ack,
           b"x" * segment.len, segment.win, options=segment.options(),
           fragment=(0, True, 1) if segment.partial else None, via=ROUTER if segment.here else None)


def play_step(w, observer, step):
    time.sleep(step.wait)
    if step.error:
        w.send_error("server" if step.error.back else "client", *step.error.of(w.v), step.error.seq,
                     step.error.mtu)
    if step.segment:
        send(w, step.segment)
    pair = mirrored_pair(step.pair) if step.mirrored else step.pair
    with contextlib.suppress(Failed):       # what is there instead, check_step() tells
        until(lambda: observer.pair() == pair, "the pair that is expected", 3)
    grown = observer.grown()
    check_step(step, observer.look(step, grown))
    for what, *words in step.checks:
        if what == "before":
            true(ENDED[words[0]] in grown, f"the flow before ended: {words[0]}")


def check_reason(w, observer, step):
    """Nothing more is to come, so that another flow may take the tuple: why did this one end?"""
    for what, *words in step.checks:
        if what == "reason" and words[0] in ENDED and step.pair in FINISHED:
            w.send("client", SYN, 3000000000)
            true(ENDED[words[0]] in observer.grown(), f"the flow ended: {words[0]}")


def play_scenario(scenario, v):
    with contextlib.ExitStack() as stack:
        w = stack.enter_context(wire(v, next(CLIENT_PORTS), SERVER_PORT, mute=()))
        if "expire" in scenario.needs:
            stack.enter_context(timeout(ROUTER, "time_wait", 1))
        observer = Observer(w)
        for step in scenario.steps:
            for what, _ in step.settings:           # all that a scenario can set here
                stack.enter_context(setting(ROUTER, tcp_rfc1337=int(what == "set")))
            with scenario.telling_place(step):
                play_step(w, observer, step)
        with scenario.telling_place(step):
            check_reason(w, observer, step)


def main_rules():
    scenarios = read_scenarios()
    seen = [s for s in scenarios if not s.needs & UNSEEN]
    for scenario in seen:
        for v in (4, 6):
            TESTS.append((f"{scenario.name} ipv{v}", functools.partial(play_scenario, scenario, v)))

    def setup():
        print(f"# {len(seen)} of {len(scenarios)} scenarios can pass a router; the others need "
              f"{', '.join(sorted(UNSEEN))}")
        mute("client", "server")

    main(setup)


if __name__ == "__main__":
    main_rules()
