#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
The engine's rules as captures: replay of each scenario of core/scenarios, once for every step, shows
what the scenario expects after that step. Segments are a millisecond apart; 2MSL is over when the
next packet of the capture, another connection's, is from a minute later.
"""
import functools
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../net"))
# pylint: disable=wrong-import-position
from bed import SYN, TESTS, equal, planned, run_all
from bed.scenario import Seen, check_step, read_scenarios
from pcap import icmp_error, packet, pcap

TOOL = os.path.join(HERE, "../../tools/tcpfsm")
PORTS, OTHER_PORTS = (40000, 80), (40001, 80)
TICK = 0.01             # a segment that comes sooner may be a copy
TWO_MSL = 60
# What is not on the wire: other scenarios need it.
UNSEEN = {"gone", "lives", "local", "blind", "confirm", "no-memory", "rfc1337", "here",
          "own"}


def packet_of(segment):
    """A first fragment ends at a multiple of 8 bytes."""
    options = segment.options() or (b"\1" * 4 if segment.partial else b"")
    return packet(4, segment.back, segment.flags, segment.seq, segment.ack, b"x" * segment.len,
                  segment.win, PORTS, options=options, partial=segment.partial)


def frame_of(step):
    if step.segment:
        return packet_of(step.segment)
    if step.error:
        return icmp_error(4, *step.error.of(4), packet(4, step.error.back, SYN, step.error.seq, ports=PORTS),
                          step.error.mtu)
    return packet(4, False, SYN, 1, ports=OTHER_PORTS)


def capture_of(steps):
    now, frames = 1000.0, []
    for step in steps:
        now += step.wait + (TWO_MSL if step.what == "expire" else 0) + TICK
        frames.append((now, frame_of(step)))
    return pcap(frames)


def replay(steps):
    """Events, flows and counters of the capture that ends with the last of these steps."""
    done = subprocess.run([TOOL, "-j", "replay", "-", "--flows", "--counters"], input=capture_of(steps),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    equal(done.returncode, 0, done.stderr.decode())
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    ours = [row for row in rows if PORTS[0] in (row.get("sport"), row.get("dport"))]
    return ([row for row in ours if "cause" in row], [row for row in ours if "history" in row],
            next(row["counters"] for row in rows if "counters" in row))


def path_of(events, flow, end):
    return [e["to"] + "!" * ("correction" in e) for e in events
            if e["flow"] == flow["flow"] and e["end"] == end]


def observe(steps, before):
    """What replay shows of these steps, and its counters, given those before the last step."""
    events, flows, counters = replay(steps)
    names = list(counters)
    names = names[:names.index("segments")]
    grown = [name for name in names if counters[name] > before.get(name, 0)]
    last = flows[-1] if flows else {"orig": None}
    return counters, Seen(
        pair=f"{last['orig']}:{last['resp']}" if flows else "-", flows=len(flows),
        paths={end: path_of(events, last, end) for end in ("orig", "resp")},
        flags=set(last.get("flags", ())), orig_is_first=last.get("sport") == PORTS[0],
        reason=last.get("reason") or "-", before=flows[-2]["reason"] if len(flows) > 1 else "-",
        notes=set(grown), refusals=set(grown) & set(names[:names.index("syn_retrans")]))


def replay_scenario(scenario):
    counters = {}
    for n, step in enumerate(scenario.steps, 1):
        with scenario.telling_place(step):
            counters, seen = observe(scenario.steps[:n], counters)
            check_step(step, seen)


if __name__ == "__main__":
    scenarios = read_scenarios()
    for s in scenarios:
        if not s.needs & UNSEEN:
            TESTS.append((s.name, functools.partial(replay_scenario, s)))
    tests = planned()
    print(f"# {len(TESTS)} of {len(scenarios)} scenarios can be a capture; the others need "
          f"{', '.join(sorted(UNSEEN))}")
    sys.exit(1 if run_all(tests) else 0)
