#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
How many instructions the engine takes for a segment, part by part, held against what was recorded:
unlike times, they are the same in every run. Only where compiler and machine are those of the
record; with another compiler nothing can be said.

    instructions.py            compare, as TAP
    instructions.py --record   write down what is there now
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "../..")
RECORD = os.path.join(HERE, "instructions.expected")
TOLERANCE = 0.03
FLOWS, ROUNDS = 1000, 10        # as in engine.c
SEGMENTS = {"open_flow": 3 * FLOWS, "data": ROUNDS * FLOWS, "ack": ROUNDS * FLOWS,
            "close_flow": 3 * FLOWS}
HEADER = """\
# SPDX-License-Identifier: GPL-2.0
# Instructions of the engine for a segment, by part of a connection (engine.c): what instructions.py
# compares with. To record anew what is there: selftests/bench/instructions.py --record
"""


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def build(to):
    sources = [f for f in glob.glob(os.path.join(TOP, "mod/core/*.c")) if ".mod." not in f]
    subprocess.run(["gcc", "-std=gnu11", "-O2", "-I" + os.path.join(TOP, "include/uapi"), "-o", to,
                    os.path.join(HERE, "engine.c"), *sorted(sources)], check=True)


def count(program, part, work):
    """Instructions a segment within a function of engine.c and what it calls."""
    found = os.path.join(work, part)
    done = subprocess.run(["valgrind", "--tool=callgrind", f"--toggle-collect={part}",
                           f"--callgrind-out-file={found}", program],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError(f"valgrind: status {done.returncode}\n{done.stdout}")
    with open(found, encoding="ascii") as f:
        total = int(re.search(r"^(?:summary|totals): (\d+)", f.read(), re.M)[1])
    if not total:
        raise RuntimeError(f"nothing was counted in {part}")
    return total / SEGMENTS[part]


def counts():
    with tempfile.TemporaryDirectory() as work:
        program = os.path.join(work, "engine")
        build(program)
        return {part: count(program, part, work) for part in SEGMENTS}


def here():
    return {"compiler": "gcc " + output("gcc", "-dumpfullversion"), "machine": os.uname().machine}


def recorded():
    """What the record says, as words by name."""
    with open(RECORD, encoding="ascii") as f:
        return dict(line.strip().split(": ") for line in f if not line.startswith("#"))


def record():
    lines = {**here(), **{part: f"{value:.1f}" for part, value in counts().items()}}
    with open(RECORD, "w", encoding="ascii") as f:
        f.write(HEADER + "".join(f"{name}: {value}\n" for name, value in lines.items()))


def judge(have, want):
    """What is wrong, or nothing."""
    if have > want * (1 + TOLERANCE):
        return f"{have:.1f} instructions a segment, recorded are {want:.1f}: it has become slower"
    if have < want * (1 - TOLERANCE):
        return (f"{have:.1f} instructions a segment, recorded are {want:.1f}: it has become "
                "faster; record it (instructions.py --record), so that it stays so")
    return None


def reason_to_skip(want):
    for name, value in here().items():
        if want[name] != value:
            return f"{value} here, recorded with {want[name]}"
    return None if shutil.which("valgrind") else "no valgrind"


def compare():
    """Print TAP. Returns how many parts differ."""
    want, failed = recorded(), 0
    print("TAP version 13", f"1..{len(SEGMENTS)}", sep="\n")
    skip = reason_to_skip(want)
    have = {} if skip else counts()
    for number, part in enumerate(SEGMENTS, 1):
        what = f"{number} instructions a segment, {part}"
        wrong = None if skip else judge(have[part], float(want[part]))
        if skip:
            print(f"ok {what} # SKIP {skip}")
        elif wrong:
            failed += 1
            print(f"not ok {what}", f"# {wrong}", sep="\n")
        else:
            print(f"ok {what}", f"# {have[part]:.1f}", sep="\n")
    return failed


def main():
    if sys.argv[1:] == ["--record"]:
        record()
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        sys.exit(1 if compare() else 0)


if __name__ == "__main__":
    main()
