# SPDX-License-Identifier: GPL-2.0
"""Connections with sockets."""
import contextlib
import socket
import struct
import threading

from .consts import ADDR, FAMILY
from .ksft import Failed
from .netns import within
from .utils import backlog, one_cpu, until


def stream(name, v, port=0, where=None, device=None):
    """A bound, unconnected socket."""
    with within(name):
        s = socket.socket(FAMILY[v], socket.SOCK_STREAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if device:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        s.bind((where or ADDR[v][name], port))
        s.settimeout(10)
        return s


def listen(name, v, port, backlog=64, where=None, device=None):
    s = stream(name, v, port, where, device)
    s.listen(backlog)
    return s


def connect(name, v, port, to="server", sport=0):
    """Connect to a host, or to an address."""
    s = stream(name, v, sport)
    s.connect((ADDR[v].get(to, to), port))
    return s


def pair(v, port, sport=0):
    """A connection from client to server: both sockets."""
    with contextlib.closing(listen("server", v, port)) as listener:
        c = connect("client", v, port, sport=sport)
        s, _ = listener.accept()
        s.settimeout(10)
        return c, s


def close_to(*sockets):
    """One after the other: where nothing delays them, a FIN and its ACK have passed before the next
    socket closes, unless others keep this processor busy."""
    for s in sockets:
        with one_cpu(), contextlib.suppress(Failed):
            s.close()
            until(lambda: not backlog(), "the FIN passed", 0.2)


def reset(s):
    """Close with a RST."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


@contextlib.contextmanager
def repaired(s):
    """TCP_REPAIR: the socket says and does nothing on the wire."""
    s.setsockopt(socket.IPPROTO_TCP, 19, 1)
    yield
    if s.fileno() >= 0:
        s.setsockopt(socket.IPPROTO_TCP, 19, -1)


def numbers(s):
    """The next sequence numbers that a socket sends and expects."""
    with repaired(s):
        found = []
        for queue in (2, 1):
            s.setsockopt(socket.IPPROTO_TCP, 20, queue)         # TCP_REPAIR_QUEUE
            found.append(s.getsockopt(socket.IPPROTO_TCP, 21) & 0xffffffff)     # TCP_QUEUE_SEQ
    return found


def connect_many(n, port, v=4):
    with contextlib.closing(listen("server", v, port, 256)) as listener:
        return [(connect("client", v, port), listener.accept()[0]) for _ in range(n)]


def vanish(s):
    """The socket is gone and the peer is not told, as when its host has crashed."""
    with repaired(s):
        s.close()


def talk(a, b, size=5):
    """Data one way and the other."""
    for one, other in ((a, b), (b, a)):
        one.sendall(b"t" * size)
        received(other, size)


def received(s, size):
    while size:
        size -= len(s.recv(min(size, 1 << 16))) or size


class Traffic:
    """Connections from client to server, without an end, on several threads: of IPv4 to odd ports from
    8001 on, of IPv6 to even ones."""

    def __init__(self, threads=2):
        self.stopped = threading.Event()
        self.done = 0
        self.errors = []
        self.threads = [threading.Thread(target=self.work, args=(8001 + i,))
                        for i in range(threads)]
        for t in self.threads:
            t.start()

    def work(self, port):
        v = 4 if port % 2 else 6
        with contextlib.closing(listen("server", v, port)) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 1)     # its RSTs pass where hosts are mute
            while not self.stopped.is_set():
                try:
                    c = connect("client", v, port)
                    s, _ = listener.accept()
                    c.sendall(b"x" * 3000)
                    s.recv(100)
                    close_to(c, s)
                    self.done += 1
                except OSError as error:
                    self.errors.append(error)

    def stop(self):
        self.stopped.set()
        for t in self.threads:
            t.join()
