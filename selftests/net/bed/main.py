# SPDX-License-Identifier: GPL-2.0
"""A file's tests from beginning to end."""
import sys

from .consts import HOSTS
from .hosts import make_hosts, remove_hosts
from .ksft import planned, run_all
from .tcpfsm import counters, load, sysctl, table, unload


def main_bare():
    """For tests that load the module themselves."""
    tests = planned()
    make_hosts()
    failed = run_all(tests)
    remove_hosts()
    sys.exit(1 if failed else 0)


def main(setup=None, module_args=()):
    """Load the module, run all tests of the file, unload it; exit as kselftest wants."""
    tests = planned()
    load(*module_args)
    make_hosts()
    for name in HOSTS:
        sysctl(name, "log_size", 65536)
    if setup:
        setup()
    failed = run_all(tests)
    totals = {key: sum(counters(name)[key] for name in HOSTS) for key in ("segments",)}
    moves = sum(int(row["entered"]) for name in HOSTS for row in table(name, "states"))
    print(f"# segments seen {totals['segments']}, transitions seen {moves}")
    remove_hosts()
    unload()
    sys.exit(1 if failed else 0)
