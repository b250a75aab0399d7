#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
tcpfsm measured beside nf_conntrack, in one run, in the same guest. What is slower than it should
be is shown and fails nothing; what did not happen as it must fails.
"""
import argparse
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../net"))
# pylint: disable=wrong-import-position,unused-import
import load
import reading
import speed
from bed import run
from beds import PUSHER, pin
from report import PARTS, Report, machine

# Memory first: what others have freed lies about in the slabs.
ORDER = ("memory", "segment", "listener", "readers", "events", "record", "dump", "growth", "cpus", "expiry", "flood",
         "namespaces")


def arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description=__doc__, add_help=False,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("parts", nargs="*")
    return parser.parse_args()


def touch_memory():
    """Have all memory of the guest once: its host gives it a page when it first touches it, and
    the side measured first would be slower for it."""
    block = bytes(1 << 20)
    files = [os.path.join(where, "touch") for where in ("/tmp", "/dev/shm")]
    for file in files:
        room = os.statvfs(os.path.dirname(file))
        with open(file, "wb") as f:
            for _ in range(room.f_bavail * room.f_bsize * 9 // 10 >> 20):
                f.write(block)
    for file in files:
        os.unlink(file)


def main():
    words = arguments()
    report = Report(words.rounds)
    report.say(machine())
    run("insmod", PUSHER)
    pin(0)
    touch_memory()
    try:
        for name in words.parts or ORDER:
            report.say(f"\n# {name}: {PARTS[name].__doc__}")
            PARTS[name](report)
    finally:
        report.table()
    run("rmmod", "bench")


if __name__ == "__main__":
    sys.exit(main())
