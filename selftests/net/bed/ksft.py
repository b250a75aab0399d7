# SPDX-License-Identifier: GPL-2.0
"""Tests and their TAP."""
import functools
import os
import sys
import traceback

KSFT_SKIP = 4


class Failed(Exception):
    """A check did not hold."""


class Skipped(Exception):
    """This machine cannot run the test."""


def equal(have, want, what=""):
    if have != want:
        raise Failed(f"{what}: have {have!r}, want {want!r}")


def true(have, what):
    if not have:
        raise Failed(what)


TESTS = []


def test(function):
    """Run once."""
    TESTS.append((function.__name__, function))
    return function


def both(function):
    """Run for IPv4 and for IPv6: the argument is 4 or 6."""
    for v in (4, 6):
        TESTS.append((f"{function.__name__} ipv{v}", functools.partial(function, v)))
    return function


def run_all(tests):
    """Run tests and print a TAP line for each. Returns how many failed."""
    failed = 0
    for number, (name, function) in enumerate(tests, 1):
        try:
            function()
            print(f"ok {number} {name}", flush=True)
        except Skipped as reason:
            print(f"ok {number} {name} # SKIP {reason}", flush=True)
        except Exception as reason:     # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} {name}")
            text = str(reason) if isinstance(reason, Failed) else traceback.format_exc()
            print("# " + text.replace("\n", "\n# "), flush=True)
    return failed


def file_of(function):
    return getattr(function, "func", function).__module__.rsplit(".", maxsplit=1)[-1]


def alternate(tests):
    """Of those for both families every other one is for IPv4, the rest for IPv6."""
    names, turn, kept = {name for name, _ in tests}, {}, []
    for name, function in tests:
        what, _, v = name.rpartition(" ipv")
        if {f"{what} ipv4", f"{what} ipv6"} <= names and \
           int(v) != turn.setdefault(what, 4 if len(turn) % 2 else 6):
            continue
        kept.append((name, function))
    return kept


def planned(skip=None):
    """All tests, or those with one of the words given in their name, or as the name of their file;
    with --of FILE,FILE those of these files alone; with TCPFSM_ALTERNATE, all of them for one family.
    With --list, print their names and end; so does, as kselftest wants it, a reason to skip all."""
    listing = sys.argv[1:2] == ["--list"]
    wanted, tests = sys.argv[1 + listing:], TESTS
    if wanted[:1] == ["--of"]:
        tests = [t for t in TESTS if file_of(t[1]) in wanted[1].split(",")]
        wanted = wanted[2:]
    if not wanted and os.environ.get("TCPFSM_ALTERNATE"):
        tests = alternate(tests)
    tests = [t for t in tests if not wanted or file_of(t[1]) in wanted or any(w in t[0] for w in wanted)]
    if listing:
        for name, _ in tests:
            print(name)
        sys.exit()
    if skip:
        print("TAP version 13", f"1..0 # SKIP {skip}", sep="\n")
        sys.exit(KSFT_SKIP)
    print("TAP version 13", f"1..{len(tests)}", sep="\n", flush=True)
    return tests
