# SPDX-License-Identifier: GPL-2.0
"""A file's tests from beginning to end."""
import os
import shutil
import sys

from .consts import HOSTS, MODULE, TOOL
from .hosts import make_hosts, remove_hosts
from .ksft import planned, run_all
from .tcpfsm import counters, load, sysctl, table, unload
from .utils import status


def skip_all():
    """Why nothing can run here, or None."""
    if os.geteuid():
        return "only root can load modules and make namespaces"
    if not TOOL:
        return "no tool: TCPFSM_TOOL or PATH says where it is"
    if MODULE and not os.path.exists(MODULE):
        return f"no module '{MODULE}', which TCPFSM_KO names"
    if not MODULE and (not shutil.which("modprobe") or status("modprobe", "-nq", "tcpfsm")[0]):
        return "no module tcpfsm for this kernel: TCPFSM_KO says where it is"
    return None


def main_bare():
    """Run all tests of a file that load the module themselves."""
    tests = planned(skip_all())
    make_hosts()
    failed = run_all(tests)
    remove_hosts()
    sys.exit(1 if failed else 0)


def main(setup=None, module_args=()):
    """Load the module, run all tests of the file, unload it; exit as kselftest wants."""
    tests = planned(skip_all())
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
