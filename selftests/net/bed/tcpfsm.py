# SPDX-License-Identifier: GPL-2.0
"""The module: what it shows in a namespace, its settings, loading it."""
import contextlib

from .consts import ADDR, FLAGS, HOSTS, MODULE
from .ksft import Failed, equal
from .netns import within
from .utils import run, until, write


def read(name, file):
    """The text of /proc/net/tcpfsm/FILE in a namespace."""
    with within(name), open(f"/proc/thread-self/net/tcpfsm/{file}", encoding="ascii") as f:
        return f.read()


def table(name, file):
    """Rows of a file as dictionaries by the words of its header."""
    lines = read(name, file).splitlines()
    header = lines[0].split()
    return [dict(zip(header, line.split())) for line in lines[1:]]


def counters(name):
    return {row["name"]: int(row["value"]) for row in table(name, "counters")}


def entries():
    """The number of flows of all namespaces."""
    with open("/proc/net/tcpfsm/counters", encoding="ascii") as f:
        return int(dict(line.split() for line in f)["table_entries"])


def max_flows(n):
    """Set the table's limit, which works at any time after the load."""
    write("/sys/module/tcpfsm/parameters/max_flows", n)


def sysctl(name, key, value=None):
    path = f"/proc/sys/net/tcpfsm/{key}"
    with within(name):
        if value is None:
            with open(path, encoding="ascii") as f:
                return f.read().strip()
        with open(path, "w", encoding="ascii") as f:
            f.write(str(value))
    return None


def forget_flows():
    """So that none ends while a test counts."""
    for name in HOSTS:
        sysctl(name, "enabled", 0)
        sysctl(name, "enabled", 1)


@contextlib.contextmanager
def timeout(name, key, seconds):
    before = sysctl(name, f"timeout_{key}")
    sysctl(name, f"timeout_{key}", seconds)
    try:
        yield
    finally:
        sysctl(name, f"timeout_{key}", before)


def tuple_of(v, sport, dport, client="client"):
    """src, sport, dst, dport as files print them. dport may be None: any."""
    server = "server" if client == "client" else "client"
    return ADDR[v][client], str(sport), ADDR[v][server], dport and str(dport)


def is_tuple(row, key):
    return (row["src"], row["sport"], row["dst"]) == key[:3] and key[3] in (None, row["dport"])


def log_of(name, key):
    return [row for row in table(name, "log") if is_tuple(row, key)]


def path(name, key, end, flow=-1):
    """The states that an end of the last (flow=-1) incarnation took, in order."""
    rows = log_of(name, key)
    flows = list(dict.fromkeys(row["flow"] for row in rows))
    if not flows:
        return []
    return [row["to"] for row in rows if row["end"] == end and row["flow"] == flows[flow]]


def flow(name, key):
    """The live flow of a tuple, or None."""
    rows = [row for row in table(name, "flows") if is_tuple(row, key)]
    return rows[-1] if rows else None


def pair_of(name, key):
    row = flow(name, key)
    return f"{row['orig']}:{row['resp']}" if row else None


def key_of(v, c, port):
    """The tuple of a client's socket."""
    return tuple_of(v, c.getsockname()[1], port)


def everywhere(key, orig, resp, hosts=HOSTS, incarnation=-1):
    """Both ends took these paths, as seen at client, router and server."""
    for name in hosts:
        for end, want in (("orig", orig), ("resp", resp)):
            want = want.split()
            try:
                until(lambda: path(name, key, end, incarnation) == want, "", 5)
            except Failed:
                have = " ".join(path(name, key, end, incarnation))
                raise Failed(f"{end} as seen at {name}: have {have}, "
                             f"want {' '.join(want)}") from None


def pairs_are(key, *wanted, hosts=HOSTS):
    """The pair at each host comes to be this: one for all, or one for each."""
    wanted = wanted * len(hosts) if len(wanted) == 1 else wanted
    for name, want in zip(hosts, wanted):
        until(lambda: pair_of(name, key) == want,
              lambda: f"{want} at {name}, have {pair_of(name, key)}", 30)


def flags_of(name, key):
    """The names of the flags of a live flow."""
    row = flow(name, key)
    if not row:
        raise Failed(f"no flow {key} at {name}")
    bits = int(row["flags"], 0)
    return {flag for i, flag in enumerate(FLAGS) if bits & 1 << i}


class Counted:
    """What counters grew by since it was made."""

    def __init__(self, *hosts):
        self.before = {name: counters(name) for name in hosts or HOSTS}

    def grown(self, name, counter):
        return counters(name)[counter] - self.before[name][counter]

    def grew(self, **wanted):
        """counter=(n at each host) or one n for all."""
        for counter, want in wanted.items():
            have = tuple(self.grown(name, counter) for name in self.before)
            equal(have, want if isinstance(want, tuple) else (want,) * len(have), counter)


def load_command(*args):
    """What loads the module with these parameters."""
    return ("insmod", MODULE, *args) if MODULE else ("modprobe", "tcpfsm", *args)


def load(*args):
    run(*load_command(*args))


def unload():
    run("rmmod", "tcpfsm")


@contextlib.contextmanager
def loaded(*args):
    load(*args)
    try:
        yield
    finally:
        unload()
