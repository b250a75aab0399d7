# SPDX-License-Identifier: GPL-2.0
"""TCP options, windows, probes, urgent data."""
import contextlib
import ctypes
import fcntl
import mmap
import os
import select
import socket
import struct
import threading
import time

import sockets
from bed import (ACK, ADDR, CLIENT_OPEN, Counted, FAMILY, FIN, FIRST, HOSTS, PSH, RST, SECOND,
                 SERVER_OPEN, SYN, both, close_to, connect, dropped, equal, everywhere, flags_of,
                 key_of, libc, listen, numbers, pair, pairs_are, path, received, setting, stream,
                 talk, timeout, true, until, wire, wire_into, within)
from .common import UP, attacker


def sign(s, v, peer):
    """TCP_MD5SIG: the peer's segments carry the option, and ours."""
    address = socket.inet_pton(FAMILY[v], ADDR[v][peer])
    if v == 4:
        where = struct.pack("=HH4s", FAMILY[v], 0, address)
    else:
        where = struct.pack("=HHI16s", FAMILY[v], 0, 0, address)
    s.setsockopt(socket.IPPROTO_TCP, 14, struct.pack("=128sBBHi80s", where, 0, 0, 6, 0, b"secret"))


def signed_pair(v, port):
    """A connection whose segments are signed; its key, and the two sockets."""
    with contextlib.closing(listen("server", v, port)) as listener:
        sign(listener, v, "client")
        c = stream("client", v)
        sign(c, v, "server")
        key = key_of(v, c, port)
        c.connect((ADDR[v]["server"], port))
        s, _ = listener.accept()
        talk(c, s)
        return key, c, s


@both
def signed_with_md5(v):
    """The sockets ignore a forged RST that is exact but not signed: the flow resumes."""
    key, c, s = signed_pair(v, 7040)
    with attacker(), wire_into(v, c, 7040) as w:
        since = Counted()
        w.send("client", RST, numbers(s)[1], via="attacker")
        pairs_are(key, UP, "CLOSED:CLOSED", "CLOSED:CLOSED")
        talk(c, s)
        since.grew(rst_ignored=(0, 1, 1))
        pairs_are(key, UP)
    close_to(c, s)
    everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}", ("client",))
    everywhere(key, f"{CLIENT_OPEN} CLOSED ESTABLISHED {FIRST}",
               f"{SERVER_OPEN} CLOSED ESTABLISHED {SECOND}", ("router", "server"))


@both
def rst_that_the_socket_did_not_take_is_put_right_when_it_is_asked(v):
    """Only the server's end: as far as the module knows, the client may have sent the RST."""
    key, c, s = signed_pair(v, 7041)
    with attacker(), wire_into(v, c, 7041) as w:
        since = Counted("server")
        w.send("client", RST, numbers(s)[1], via="attacker")
        pairs_are(key, UP, "CLOSED:CLOSED", "CLOSED:CLOSED")
        with timeout("server", "closed", 1):
            pairs_are(key, "CLOSED:ESTABLISHED", hosts=("server",))
        since.grew(rst_ignored=1)
        true("suspect" in flags_of("server", key), "marked as suspect")
        talk(c, s)
    pairs_are(key, UP)
    close_to(c, s)


@both
def late_segment_with_a_syn_cookie_revives_the_socket(v):
    """Its connection is over, its cookie still good: nothing tells until the socket speaks."""
    with setting("server", tcp_syncookies=2), \
         contextlib.closing(listen("server", v, 7042)) as listener, \
         wire(v, dport=7042, mute=("client",)) as w:
        w.listen("client")
        w.send("client", SYN, 100)
        _, isn, _ = w.hear("client")
        w.send("client", ACK, 101, isn + 1)
        with contextlib.closing(listener.accept()[0]):
            w.send("client", RST, 101)
            pairs_are(w.key, "CLOSED:CLOSED")
            w.send("client", ACK, 101, isn + 1)
            listener.settimeout(5)
            with contextlib.closing(listener.accept()[0]) as revived:
                pairs_are(w.key, "CLOSED:CLOSED")
                revived.sendall(b"I am here")
                pairs_are(w.key, UP)
                true("corrected" in flags_of("server", w.key), "as if the RST had been none")
                w.send("client", RST, 101)


def stack(name, counter):
    """One of TcpExt's."""
    with within(name), open("/proc/thread-self/net/netstat", encoding="ascii") as f:
        names, values = (next(f).split() for _ in range(2))
    return int(values[names.index(counter)])


@contextlib.contextmanager
def page_to_wait_for():
    """A page of memory whose first reader blocks; a file that is readable once a reader waits; and a
    function that lets the reader go on."""
    page = mmap.mmap(-1, mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    start = ctypes.addressof(ctypes.c_char.from_buffer(page))
    flags = os.O_CLOEXEC | os.O_NONBLOCK    # it cannot be waited for without the latter
    faults = libc.syscall(ctypes.c_long(323), ctypes.c_long(flags))     # userfaultfd()
    true(faults >= 0, f"userfaultfd(): {os.strerror(ctypes.get_errno())}")
    try:
        fcntl.ioctl(faults, 0xc018aa3f, struct.pack("QQQ", 0xaa, 0, 0))         # UFFDIO_API
        fcntl.ioctl(faults, 0xc020aa00,                                         # UFFDIO_REGISTER
                    struct.pack("QQQQ", start, mmap.PAGESIZE, 1, 0))
        yield page, faults, lambda: fcntl.ioctl(faults, 0xc020aa04,             # UFFDIO_ZEROPAGE
                                                struct.pack("QQQq", start, mmap.PAGESIZE, 0, 0))
    finally:
        os.close(faults)


@both
def fin_and_its_ack_joined_by_a_socket_in_use(v):
    """One after the other, they lead to CLOSING; a socket that is busy copying takes both at once."""
    c = stream("client", v)
    c.setblocking(False)
    key = key_of(v, c, 7043)
    sockets.start()
    with wire(v, c.getsockname()[1], 7043, mute=("server",)) as w, \
         page_to_wait_for() as (page, faults, fill):
        w.listen("server")
        c.connect_ex((ADDR[v]["server"], 7043))
        isn = w.hear("server")[1]
        w.send("server", SYN | ACK, 9000, isn + 1)
        w.send("server", ACK, 9001, isn + 1, b"d")
        c.shutdown(socket.SHUT_WR)
        c.setblocking(True)
        reader = threading.Thread(target=c.recv_into, args=(page,))
        reader.start()
        true(select.select([faults], [], [], 5)[0], "it holds the socket")
        w.send("server", FIN | ACK, 9002, isn + 1)
        joined = stack("client", "TCPBacklogCoalesce")
        w.send("server", ACK, 9003, isn + 2)
        until(lambda: stack("client", "TCPBacklogCoalesce") > joined, "the ACK is there, too")
        fill()
        reader.join()
        everywhere(key, f"{CLIENT_OPEN} FIN_WAIT_1 CLOSING TIME_WAIT",
                   "LISTEN SYN_RCVD ESTABLISHED FIN_WAIT_1 CLOSING TIME_WAIT")
        lives = sockets.told(set(ADDR[v].values()), {7043})
        equal(lives[key][-1].path,
              f"{CLIENT_OPEN} FIN_WAIT_1 FIN_WAIT_2 {sockets.HANDED_OVER}".split(), "the socket")
    sockets.stop()
    c.close()


@both
def options_of_tcp_ao_hide_nothing(v):
    """The window scale stands behind the AO option, and counts."""
    ao = bytes((29, 16, 1, 1)) + b"m" * 12
    with wire(v) as w:
        since = Counted()
        w.send("client", SYN, 100, win=1000, options=ao + b"\3\3\7\1")
        w.send("server", SYN | ACK, 300, 101, win=1000, options=ao + b"\3\3\7\1")
        w.send("client", ACK, 101, 301, win=1000, options=ao)
        w.send("server", ACK, 301, 101, win=1000, options=ao)
        w.send("client", FIN | ACK, 101 + 127000, 301, options=ao)
        everywhere(w.key, f"{CLIENT_OPEN} FIN_WAIT_1", SERVER_OPEN)
        since.grew(seq_beyond_window=0, short_header=0)


@both
def keepalive_probes(v):
    """Probes repeat the byte before the next one: no endpoint moves."""
    c, s = pair(v, 7041)
    key = key_of(v, c, 7041)
    pairs_are(key, UP)
    since = Counted()
    for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1)):
        c.setsockopt(socket.IPPROTO_TCP, option, value)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    until(lambda: since.grown("client", "keepalive") >= 2, "two probes")
    for name in HOSTS:
        true(since.grown(name, "keepalive") >= 2, name)
    since.grew(data_retrans=0, seq_old=0)
    everywhere(key, CLIENT_OPEN, SERVER_OPEN)
    close_to(c, s)
    everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}")


@both
def keepalives_unanswered_end_silently(v):
    """The peer is unreachable: the socket times out and sends a RST, which is lost."""
    c, s = pair(v, 7042)
    key = key_of(v, c, 7042)
    pairs_are(key, UP)
    with dropped("router", "iifname to-client tcp dport 7042"):
        for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1),
                              (socket.TCP_KEEPCNT, 2)):
            c.setsockopt(socket.IPPROTO_TCP, option, value)
        c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        pairs_are(key, "CLOSED:CLOSED", UP, UP)
        time.sleep(0.1)
    close_to(c, s)
    everywhere(key, f"{CLIENT_OPEN} CLOSED", f"{SERVER_OPEN} CLOSED", ("client",))
    everywhere(key, f"{CLIENT_OPEN} CLOSED", f"{SERVER_OPEN} FIN_WAIT_1 CLOSED",
               ("router", "server"))


@both
def shrunken_window_does_not_refuse_what_was_granted(v):
    with wire(v) as w:
        w.send("client", SYN, 100)
        w.send("server", SYN | ACK, 300, 101, win=20000)
        w.send("client", ACK, 101, 301)
        w.send("server", ACK, 301, 101, win=20000)
        w.send("server", ACK, 301, 101, win=100)
        since = Counted()
        w.send("client", ACK, 101 + 18500, 301, b"z" * 1000)
        since.grew(seq_beyond_window=0)
        w.send("client", FIN | ACK, 101 + 20500, 301)
        since.grew(seq_beyond_window=1)
        pairs_are(w.key, UP)
        w.send("client", FIN | ACK, 101 + 19500, 301)
        everywhere(w.key, f"{CLIENT_OPEN} FIN_WAIT_1", SERVER_OPEN)


@both
def fin_behind_a_closed_window(v):
    """The socket has closed, but its FIN still waits behind data."""
    with contextlib.closing(listen("server", v, 7043)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        c = connect("client", v, 7043)
        s, _ = listener.accept()
        key = key_of(v, c, 7043)
        c.setblocking(False)
        sent = 0
        with contextlib.suppress(BlockingIOError):
            while sent < 30000:
                sent += c.send(b"w" * 1000)
        since = Counted()
        c.close()
        time.sleep(0.5)
        pairs_are(key, UP)
        since.grew(seq_beyond_window=0, ack_beyond=0, seq_old=0)
        s.settimeout(10)
        received(s, sent)
        equal(s.recv(1), b"")
        pairs_are(key, "FIN_WAIT_2:CLOSE_WAIT")
        s.close()
        everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}")


@both
def urgent_data(v):
    c, s = pair(v, 7044)
    key = key_of(v, c, 7044)
    since = Counted()
    c.send(b"!", socket.MSG_OOB)
    s.setblocking(False)
    until(lambda: recv_urgent(s) == b"!", "the urgent byte")
    pairs_are(key, UP)
    c.send(b"?", socket.MSG_OOB)
    c.close()
    s.close()
    until(lambda: path("client", key, "orig")[2:3] == ["FIN_WAIT_1"], "closing")
    since.grew(bad_flags=0, no_ack=0)
    with wire(v) as w:
        w.send("client", SYN, 100)
        w.send("server", SYN | ACK, 300, 101)
        w.send("client", ACK, 101, 301)
        w.send("client", FIN | ACK | PSH | 32, 101, 301, b"last", urgent=3)
        w.send("server", ACK, 301, 106)
        pairs_are(w.key, "FIN_WAIT_2:CLOSE_WAIT")


def recv_urgent(s):
    try:
        return s.recv(1, socket.MSG_OOB)
    except OSError:
        return None


def old_timestamp(s):
    """A timestamp older than any that this socket has sent."""
    now = s.getsockopt(socket.IPPROTO_TCP, 24)      # TCP_TIMESTAMP
    return b"\1\1\x08\x0a" + struct.pack("!II", (now - 1000000) & 0xffffffff, 0)


@both
def old_timestamp_is_dropped_by_the_socket(v):
    """PAWS: in the window, and yet refused. The observer must not believe the FIN was taken."""
    c, s = pair(v, 7045)
    key = key_of(v, c, 7045)
    talk(c, s)
    with attacker(), wire_into(v, c, 7045) as w:
        seq, ack = numbers(c)
        w.listen("client")
        w.send("client", FIN | ACK, seq, ack, options=old_timestamp(c), via="attacker")
        equal(w.hear("client"), (ACK, ack, seq), "the ACK that answers it")
        pairs_are(key, UP, "FIN_WAIT_1:ESTABLISHED", "FIN_WAIT_1:ESTABLISHED")
        for _ in range(4):
            talk(c, s)
        pairs_are(key, UP)
    close_to(c, s)
    pairs_are(key, "TIME_WAIT:CLOSED")


@both
def refused_data_does_not_hide_the_fin_that_follows(v):
    """PAWS again: data that the socket dropped lies where the client's FIN will be."""
    c, s = pair(v, 7046)
    key = key_of(v, c, 7046)
    talk(c, s)
    with attacker(), wire_into(v, c, 7046) as w:
        seq, ack = numbers(c)
        w.send("client", ACK | PSH, seq, ack, b"e" * 500, options=old_timestamp(c), via="attacker")
        pairs_are(key, UP)
    c.close()
    equal(s.recv(1), b"")
    pairs_are(key, "FIN_WAIT_2:CLOSE_WAIT")
    s.close()
    everywhere(key, f"{CLIENT_OPEN} {FIRST}", f"{SERVER_OPEN} {SECOND}")
