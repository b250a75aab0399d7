# SPDX-License-Identifier: GPL-2.0
"""Network namespaces."""
import contextlib
import ctypes
import os
import subprocess

from .consts import CLONE_NEWNET
from .utils import run, until, write

libc = ctypes.CDLL(None, use_errno=True)


def setns(fd):
    if libc.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def within(name):
    """Be in the namespace of that name."""
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        setns(there)
        yield
    finally:
        setns(here)
        os.close(here)
        os.close(there)


@contextlib.contextmanager
def guests(n):
    """Namespaces guest0, guest1 ... that user namespaces of their own hold; each has a way out
    to 10.9.0.0/24, where nobody answers."""
    holders = []
    own = os.readlink("/proc/self/ns/net")
    try:
        for i in range(n):
            name = f"guest{i}"
            holders.append(subprocess.Popen(["unshare", "--user", "--net", "sleep", "1000"]))
            pid = holders[-1].pid
            until(lambda pid=pid: os.readlink(f"/proc/{pid}/ns/net") != own, "it has left")
            run("ip", "netns", "attach", name, str(pid))
            run("ip", "-n", name, "link", "add", "out", "type", "dummy")
            run("ip", "-n", name, "addr", "add", "10.9.0.1/24", "dev", "out")
            run("ip", "-n", name, "link", "set", "out", "up")
        yield [f"guest{i}" for i in range(n)]
    finally:
        for i, holder in enumerate(holders):
            run("ip", "netns", "del", f"guest{i}", check=False)
            holder.kill()
            holder.wait()


def add_host(name):
    run("ip", "netns", "add", name)
    run("ip", "-n", name, "link", "set", "lo", "up")
    with within(name):
        for key in ("all", "default"):
            write(f"/proc/sys/net/ipv6/conf/{key}/accept_dad", 0)
