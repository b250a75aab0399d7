# SPDX-License-Identifier: GPL-2.0
"""What several files of scenarios use."""
import contextlib
import threading

from bed import (ADDR, CLIENT_OPEN, FIRST, SECOND, SERVER_OPEN, add_host, address, equal,
                 everywhere, extra_host, forwards, link, log_of, received, run, talk)

UP = "ESTABLISHED:ESTABLISHED"


def attacker():
    """A host behind the router that sends with the client's address."""
    return extra_host("attacker", 3)


@contextlib.contextmanager
def bypass():
    """Another way between client and server, past the router."""
    add_host("bypass")
    try:
        for side, net, home in (("client", 4, 1), ("server", 5, 2)):
            link(side, "eth1", "bypass", f"to-{side}", net)
            for v in (4, 6):
                run("ip", "-n", "bypass", "route", "add", ADDR[v][side], "via", address(v, net))
        forwards("bypass")
        yield
    finally:
        for side in ("client", "server"):
            run("ip", "-n", side, "link", "del", "eth1")
        run("ip", "netns", "del", "bypass")


def send_by(name, v, way):
    """From now on, a host sends to the other by the bypass or by the router."""
    other, net = ("server", 4) if name == "client" else ("client", 5)
    if way == "bypass":
        run("ip", "-n", name, "route", "replace", ADDR[v][other], "via", address(v, net, 2))
    else:
        run("ip", "-n", name, "route", "del", ADDR[v][other])


def exchange(c, s, size=8 << 20):
    """Much data both ways."""
    for one, other in ((c, s), (s, c)):
        sender = threading.Thread(target=one.sendall, args=(b"b" * size,))
        sender.start()
        received(other, size)
        sender.join()


def at(v, where, port):
    return f"{where}:{port}" if v == 4 else f"[{where}]:{port}"


def key_of_active(c):
    """The tuple as the socket that connected knows it."""
    return (*map(str, c.getsockname()[:2]), *map(str, c.getpeername()[:2]))


def key_of_passive(s):
    """The tuple as the socket that was accepted knows it."""
    return (*map(str, s.getpeername()[:2]), *map(str, s.getsockname()[:2]))


def accept(listener):
    s, _ = listener.accept()
    s.settimeout(10)
    return s


def close_in_turn(c, s):
    """Talk, and close from the client's side."""
    talk(c, s)
    c.close()
    equal(s.recv(1), b"")
    s.close()


def whole(key, *hosts):
    """From the SYN to the last ACK, once, as if nothing had been translated."""
    everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}", hosts)
    for name in hosts:
        equal(len({r["flow"] for r in log_of(name, key)}), 1, f"flows at {name}")


ELSEWHERE = {4: "10.0.99.1", 6: "fd99::1"}
