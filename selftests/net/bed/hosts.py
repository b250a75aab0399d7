# SPDX-License-Identifier: GPL-2.0
"""The three hosts, the wires between them, and what is done to packets there."""
import contextlib
import itertools

from .consts import HOSTS
from .netns import add_host, within
from .tcpfsm import sysctl
from .utils import run, until, write


def make_hosts():
    for name in HOSTS:
        add_host(name)
    for side, net in (("client", 1), ("server", 2)):
        link(side, "eth0", "router", f"to-{side}", net)
        default_route(side, net)
    forwards("router")


def forwards(name):
    with within(name):
        write("/proc/sys/net/ipv4/ip_forward", 1)
        write("/proc/sys/net/ipv6/conf/all/forwarding", 1)


def address(v, net, number=1):
    """The address of a host on a network."""
    return f"10.0.{net}.{number}" if v == 4 else f"fd0{net}::{number}"


def remove_hosts():
    for name in HOSTS:
        run("ip", "netns", "del", name, check=False)


def delay(milliseconds):
    """Delay on both ways between client and router; 0 takes it away."""
    for name, dev in (("client", "eth0"), ("router", "to-client")):
        run("tc", "-n", name, "qdisc", "del", "dev", dev, "root", check=False)
        if milliseconds:
            run("tc", "-n", name, "qdisc", "add", "dev", dev, "root", "netem",
                "delay", f"{milliseconds}ms")


@contextlib.contextmanager
def extra_host(name, net, to="router"):
    """One more host, on a network of its own: 10.0.NET.1 and fd0NET::1, the other end has .2."""
    add_host(name)
    try:
        link(name, "eth0", to, f"to-{name}", net)
        default_route(name, net)
        sysctl(name, "log_size", 65536)
        yield
    finally:
        run("ip", "-n", to, "link", "del", f"to-{name}")
        run("ip", "netns", "del", name)


def link(name, dev, other, other_dev, net):
    """A wire between two hosts: .1 and ::1 at the first, .2 and ::2 at the other."""
    run("ip", "-n", name, "link", "add", dev, "type", "veth", "peer", "name", other_dev,
        "netns", other)
    for host, end, number in ((name, dev, 1), (other, other_dev, 2)):
        run("ip", "-n", host, "addr", "add", f"10.0.{net}.{number}/24", "dev", end)
        run("ip", "-n", host, "addr", "add", f"fd0{net}::{number}/64", "dev", end, "nodad")
        run("ip", "-n", host, "link", "set", end, "up")
    for host, end in ((name, dev), (other, other_dev)):     # IPv6 is silent until then
        until(lambda host=host, end=end: "state UP" in run("ip", "-n", host, "link", "show", end),
              f"{end} of {host} is up")


def default_route(name, net):
    run("ip", "-n", name, "route", "add", "default", "via", f"10.0.{net}.2")
    run("ip", "-n", name, "-6", "route", "add", "default", "via", f"fd0{net}::2")


tables = itertools.count()


@contextlib.contextmanager
def nft(name, rules):
    """Chains in a table of their own."""
    own = f"inet own{next(tables)}"
    with within(name):
        run("nft", f"table {own} {{ {rules} }}")
    try:
        yield
    finally:
        with within(name):
            run("nft", f"delete table {own}")


def dropped(name, match, hook="prerouting"):
    """What matches is lost on its way to a host, before the module there sees it."""
    return nft(name, f"chain lose {{ type filter hook {hook} priority -350; {match} drop; }};")


@contextlib.contextmanager
def written(name, values):
    """Other values in files of /proc/sys for a while: {path: value}."""
    before = {}
    with within(name):
        for path, value in values.items():
            with open(path, encoding="ascii") as f:
                before[path] = f.read().strip()
            write(path, value)
    try:
        yield
    finally:
        with within(name):
            for path, value in before.items():
                write(path, value)


def setting(name, **values):
    """Other values of net.ipv4.KEY for a while."""
    return written(name, {f"/proc/sys/net/ipv4/{key}": value for key, value in values.items()})


def mute(*names):
    """From now on, drop the RSTs by which the hosts' own stacks answer crafted segments."""
    for name in names:
        run("ip", "netns", "exec", name, "nft", """
            table inet mute {
                chain out {
                    type filter hook output priority 0;
                    tcp flags & rst == rst meta mark != 1 drop
                }
            }""")


@contextlib.contextmanager
def muted(*names):
    """Mute hosts for a while."""
    names = names or ("client", "server")
    mute(*names)
    try:
        yield
    finally:
        for name in names:
            run("ip", "netns", "exec", name, "nft", "delete", "table", "inet", "mute")
