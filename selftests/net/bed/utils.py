# SPDX-License-Identifier: GPL-2.0
"""Commands, files, and waiting."""
import contextlib
import os
import subprocess
import time

from . import schema
from .ksft import Failed


def run(*command, check=True):
    """Run a command. Returns its output; an exit status other than 0 fails the test."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if check and done.returncode:
        raise Failed(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}")
    schema.hold(command, done.stdout)
    return done.stdout


def status(*command):
    """Run a command. Returns exit status, standard output and standard error."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    schema.hold(command, done.stdout)
    return done.returncode, done.stdout, done.stderr


@contextlib.contextmanager
def program(*command, **how):
    """One that runs during the block. Of a block that fails, nobody waits for it."""
    with subprocess.Popen(command, **how) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def deep(usual, much):
    """How much of something, by TCPFSM_AMOUNT: the usual amount, much, or little, which is a third."""
    return {"much": much, "little": -(-usual // 3)}.get(os.environ.get("TCPFSM_AMOUNT"), usual)


def until(condition, what, seconds=10):
    """Poll until a condition holds."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(0.02)


@contextlib.contextmanager
def one_cpu(which=min):
    """What is sent within goes all its way through the hosts on one processor: whenever this
    process runs, it either waits in the backlog or has arrived. which: of all their numbers."""
    cpus = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {which(cpus)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cpus)


def backlog():
    """Packets that wait on this process's processors for the next host to take them in."""
    with open("/proc/net/softnet_stat", encoding="ascii") as f:
        rows = [[int(word, 16) for word in line.split()] for line in f]
    return sum(row[11] for row in rows if row[12] in os.sched_getaffinity(0))


def write(path, value):
    with open(path, "w", encoding="ascii") as f:
        f.write(str(value))
