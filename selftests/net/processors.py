#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Requests on a machine with more processors than fit one message."""
import contextlib
import os
import socket

from bed import (COUNTER_GET, FLOW_GET, LOG_GET, SERVICE_GET, STATS_GET, Dump, Listener, Skipped,
                 attributes_of, equal, loaded, main_bare, number_in, test, true, within)

A_FLOW, A_POSITION, POSITION_CPU = 3, 8, 2
MOST = 104              # positions, of 36 bytes, in a message of a page


def connect_on(cpu):
    os.sched_setaffinity(0, {cpu})
    with socket.socket() as s:
        s.connect_ex(("127.0.0.1", 9))


@test
def positions_of_many_processors_take_several_messages():
    cpus = os.sched_getaffinity(0)
    if len(cpus) <= MOST:
        raise Skipped(f"{len(cpus)} processors; it takes {MOST + 1}")
    with loaded():
        with within("client"), contextlib.closing(Listener("client", "transition")):
            for cpu in sorted(cpus):
                connect_on(cpu)
            os.sched_setaffinity(0, cpus)
            with contextlib.closing(Dump("client", FLOW_GET)) as dump:
                messages = dump.rest()
        positions = [[number_in(attributes_of(payload), POSITION_CPU)
                      for kind, payload in m if kind == A_POSITION] for m in messages]
        have = [cpu for m in positions for cpu in m]
        print(f"# {len(have)} positions in {sum(map(bool, positions))} messages")
        equal(sorted(have), sorted(cpus), "processors")
        true(sum(map(bool, positions)) > 1, "several messages")


@test
def every_dump_works_with_many_possible_processors():
    with open("/sys/devices/system/cpu/possible", encoding="ascii") as f:
        print(f"# possible: {f.read().strip()}")
    with loaded():
        with within("client"):
            connect_on(min(os.sched_getaffinity(0)))
        for command in (FLOW_GET, STATS_GET, COUNTER_GET, SERVICE_GET, LOG_GET):
            with contextlib.closing(Dump("client", command)) as dump:
                true(dump.rest() or command == SERVICE_GET, f"an answer to {command}")


if __name__ == "__main__":
    main_bare()
