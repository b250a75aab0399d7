# SPDX-License-Identifier: GPL-2.0
"""
What the applications at both ends do. A workload makes COUNT connections from client to server
(v: 4 or 6) on the ports it is given, and returns when its own part is done.
"""
import contextlib
import errno
import os
import select
import signal
import socket
import struct
import subprocess
import threading
import time

import sockets
from bed import ADDR, FAMILY, HOSTS, close_to, run, sysctl, within, write

PORTS = 8       # that a workload may use
ERRORS = (OSError, socket.timeout)
WORKLOADS = {}
patience = 4    # seconds to recover from a cut link
MSG_FASTOPEN, TCP_FASTOPEN, TCP_USER_TIMEOUT = 0x20000000, 23, 18
LEAK = 300      # seconds: longer than flows that may be ghosts are kept


class Workload:
    def __init__(self, run_it, name, base="", lossy=False, programs=False, waits=False,
                 midstream=False, cookies=False):
        self.run = run_it
        self.name = name
        self.base = base            # what the links are like where they have no impairment
        self.lossy = lossy          # it drops segments itself
        self.programs = programs    # real ones, which want a clock that goes on as they work
        self.waits = waits          # minutes, which wants a clock that jumps
        self.midstream = midstream  # the module meets the connections after their handshake
        self.cookies = cookies      # of SYNs: late segments may revive a server's socket


def workload(name, **kwargs):
    def add(function):
        WORKLOADS[name] = Workload(function, name, **kwargs)
        return function
    return add


# ---- hosts ----

def in_ns(name, function, *args, **kwargs):
    with within(name):
        return function(*args, **kwargs)


def ipv4_setting(host, **settings):
    """net.ipv4.* of a host; the hosts do not outlive a cell."""
    with within(host):
        for key, value in settings.items():
            write(f"/proc/sys/net/ipv4/{key}", value)


def on_links(*words):
    """ip link set dev DEV WORDS, at both ends of both links."""
    for name, dev in (("client", "eth0"), ("router", "to-client"), ("router", "to-server"),
                      ("server", "eth0")):
        run("ip", "-n", name, "link", "set", "dev", dev, *words)


@contextlib.contextmanager
def cut():
    """The client's link has no carrier."""
    with within("router"):
        write("/proc/sys/net/ipv6/conf/to-client/keep_addr_on_down", 1)
    run("ip", "-n", "router", "link", "set", "to-client", "down")
    try:
        yield
    finally:
        run("ip", "-n", "router", "link", "set", "to-client", "up")


# ---- sockets ----

def new(host, family, *options, local=None):
    s = in_ns(host, socket.socket, family, socket.SOCK_STREAM)
    s.settimeout(100)
    for option in options:
        s.setsockopt(*option)
    if local:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(local)
    return s


def listener(v, port, backlog=64, options=(), family=None, address=None):
    s = new("server", family or FAMILY[v], *options,
            local=(address or ADDR[v]["server"], port))
    s.listen(backlog)
    return s


def on_each_port(work, ports, count):
    """work(port, share of COUNT) for each port in a thread of its own."""
    workers = [threading.Thread(target=work, args=(port, count // len(ports))) for port in ports]
    for w in workers:
        w.start()
    for w in workers:
        w.join()


def each(v, ports, count, talk, backlog=64, dial=None, options=(), family=None, address=None):
    """COUNT connections one after another on every port, in threads: talk(c, s)."""
    def dialled(port):
        c = new("client", FAMILY[v])
        c.connect((ADDR[v]["server"], port))
        return c

    def work(port, share):
        with contextlib.closing(listener(v, port, backlog, options, family, address)) as accepting:
            for _ in range(share):
                try:
                    c = (dial or dialled)(port)
                except ERRORS:
                    continue
                try:
                    s, _ = accepting.accept()
                    s.settimeout(100)
                except ERRORS:
                    c.close()
                    continue
                try:
                    talk(c, s)
                except ERRORS:
                    pass
                close_to(c, s)
    on_each_port(work, ports, count)


def batch(v, port, count, options=(), of_client=(), backlog=None):
    """COUNT connections at the same time: [(c, s), ...], those that came up."""
    pairs = []
    with contextlib.closing(listener(v, port, backlog or count, options)) as accepting:
        for _ in range(count):
            c = new("client", FAMILY[v], *of_client)
            try:
                c.connect((ADDR[v]["server"], port))
                s, _ = accepting.accept()
                s.settimeout(100)
                pairs.append((c, s))
            except ERRORS:
                c.close()
    return pairs


def drain(s):
    try:
        while s.recv(65536):
            pass
    except ERRORS:
        pass


def attempt(function, *args):
    try:
        return function(*args)
    except ERRORS:
        return None


LINGER_0 = (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


# ---- one after another ----

def client_first(c, s):
    c.sendall(b"q")
    s.recv(10)
    s.sendall(b"a" * 3000)
    c.recv(10)
    c.shutdown(socket.SHUT_WR)
    drain(s)
    s.close()
    drain(c)
    c.close()


def reset_by_linger(c, s):
    c.sendall(b"q")
    s.recv(10)
    c.setsockopt(*LINGER_0)
    c.close()
    drain(s)
    s.close()


def bulk_and_close(c, s):
    c.sendall(b"b" * 20000)
    c.shutdown(socket.SHUT_WR)
    drain(s)
    s.sendall(b"r" * 20000)
    s.close()
    drain(c)
    c.close()


@workload("client first")
def _(v, ports, count):
    each(v, ports, count, client_first)


@workload("server first")
def _(v, ports, count):
    each(v, ports, count, lambda c, s: client_first(s, c))


@workload("close by close()")
def _(v, ports, count):
    def talk(c, s):
        c.sendall(b"q")
        s.recv(10)
        c.close()           # an orphan from here on
        s.recv(10)
        s.close()
    each(v, ports, count, talk)


@workload("half-close")
def _(v, ports, count):
    def talk(c, s):
        c.shutdown(socket.SHUT_WR)
        drain(s)
        for _ in range(10):
            s.sendall(b"d" * 8000)
            c.recv(65536)
        s.close()
        drain(c)
        c.close()
    each(v, ports, count, talk)


@workload("simultaneous close")
def _(v, ports, count):
    def talk(c, s):
        c.shutdown(socket.SHUT_WR)
        s.shutdown(socket.SHUT_WR)
        drain(c)
        drain(s)
        close_to(c, s)
    each(v, ports, count, talk)


@workload("simultaneous close, data", base="delay 2ms")
def _(v, ports, count):
    def talk(c, s):
        c.sendall(b"c" * 5000)
        s.sendall(b"s" * 5000)
        c.shutdown(socket.SHUT_WR)
        s.shutdown(socket.SHUT_WR)
        drain(c)
        drain(s)
        close_to(c, s)
    each(v, ports, count, talk)


@workload("RST by linger")
def _(v, ports, count):
    each(v, ports, count, reset_by_linger)


@workload("RST, unread data")
def _(v, ports, count):
    def talk(c, s):
        s.sendall(b"u" * 2000)
        c.recv(1)
        c.close()
        drain(s)
        s.close()
    each(v, ports, count, talk)


@workload("RST, data after close")
def _(v, ports, count):
    def talk(c, s):
        c.close()
        s.recv(1)
        s.sendall(b"late" * 100)
        drain(s)
        s.close()
    each(v, ports, count, talk)


@workload("health check")
def _(v, ports, count):
    """As HAProxy's: the ACK of the handshake waits for data, and a RST|ACK goes instead."""
    def check(port):
        c = new("client", FAMILY[v], (socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0), LINGER_0)
        attempt(c.connect, (ADDR[v]["server"], port))
        c.close()

    def work(port, share):
        with contextlib.closing(listener(v, port, share)):
            for _ in range(share):
                check(port)
    on_each_port(work, ports, count)


def listed(ports):
    return ", ".join(map(str, ports))


@workload("killed by ICMP", lossy=True, waits=True)
def _(v, ports, count):
    """The router refuses to forward the SYN, and says so."""
    run("ip", "netns", "exec", "router", "nft", f"""
        table inet closed {{
            chain through {{
                type filter hook forward priority 0
                tcp dport {{ {listed(ports[::2])} }} reject with icmpx admin-prohibited
                tcp dport {{ {listed(ports[1::2])} }} reject with icmpx host-unreachable
            }}
        }}""")

    def dial(port):
        c = new("client", FAMILY[v])
        attempt(c.connect, (ADDR[v]["server"], port))
        c.close()
    on_each_port(lambda port, share: [dial(port) for _ in range(share)], ports, count)


@workload("refused")
def _(v, ports, count):
    def dial(port):
        c = new("client", FAMILY[v])
        attempt(c.connect, (ADDR[v]["server"], port))
        c.close()
    on_each_port(lambda port, share: [dial(port) for _ in range(share)], ports, count)


@workload("SYN cookies", cookies=True)
def _(v, ports, count):
    ipv4_setting("server", tcp_syncookies=2)
    each(v, ports, count, client_first)


def until_next_minute():
    """Seconds until SYN cookies count the next minute, which they do in jiffies."""
    def jiffies():
        with open("/proc/timer_list", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("jiffies:"))
    before, began = jiffies(), time.monotonic()
    time.sleep(1)
    hz = round((jiffies() - before) / (time.monotonic() - began) / 50) * 50
    return -jiffies() % (60 * hz) / hz


def dial_all(v, ports, count):
    """COUNT clients that connect at the same time."""
    clients = []
    for i in range(count):
        c = new("client", FAMILY[v])
        c.setblocking(False)
        c.connect_ex((ADDR[v]["server"], ports[i % len(ports)]))
        clients.append(c)
    return clients


def key_of(c):
    """The ports of a client's connection, or None if there is none."""
    peer = attempt(c.getpeername)
    return peer and (c.getsockname()[1], peer[1])


def accept_all(accepting):
    """All that listeners have to give: {ports as in key_of(): socket}."""
    servers = {}
    for a in accepting:
        a.setblocking(False)
        with contextlib.suppress(OSError):
            while True:
                s, peer = a.accept()
                s.settimeout(100)
                servers[peer[1], s.getsockname()[1]] = s
    return servers


@workload("SYN cookies, next minute", base="delay 300ms", waits=True, cookies=True)
def _(v, ports, count):
    """Each SYN is sent again before its SYN|ACK has come back, and a minute ends in between: the
    second SYN|ACK has another number, and the first is taken."""
    ipv4_setting("server", tcp_syncookies=2)
    accepting = [listener(v, port, count) for port in ports]
    time.sleep((until_next_minute() - 1.1) % 60)
    clients = dial_all(v, ports, count)
    time.sleep(5)
    servers = accept_all(accepting)
    pairs = [(c, servers[key]) for c in clients if (key := key_of(c)) in servers]
    for i, (c, s) in enumerate(pairs):
        attempt(c.send, b"q")
        attempt((c, s)[i % 2].shutdown, socket.SHUT_WR)
    time.sleep(5)
    for i, pair in enumerate(pairs):
        pair[not i % 2].close()
    time.sleep(5)
    close_to(*clients, *servers.values(), *accepting)


def fast_open(v, port):
    c = new("client", FAMILY[v])
    c.settimeout(None)      # with a time-out it would not wait for the first cookie
    c.sendto(b"hello", MSG_FASTOPEN, (ADDR[v]["server"], port))
    c.settimeout(100)
    return c


@workload("TCP Fast Open")
def _(v, ports, count):
    """Data in the SYN, and the answer perhaps before its ACK."""
    for host in ("client", "server"):
        ipv4_setting(host, tcp_fastopen=3, tcp_fastopen_blackhole_timeout_sec=0)

    def talk(c, s):
        s.sendall(b"a" * 3000)
        s.recv(10)
        c.recv(10)
        s.close()
        drain(c)
        c.close()
    each(v, ports, count, talk, dial=lambda port: fast_open(v, port),
         options=[(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)])


@workload("TFO, server closes at once")
def _(v, ports, count):
    for host in ("client", "server"):
        ipv4_setting(host, tcp_fastopen=3, tcp_fastopen_blackhole_timeout_sec=0)

    def talk(c, s):
        s.recv(10)
        s.close()
        drain(c)
        c.close()
    each(v, ports, count, talk, dial=lambda port: fast_open(v, port),
         options=[(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)])


@workload("v4-mapped")
def _(_v, ports, count):
    def dial(port):
        c = new("client", socket.AF_INET6)
        c.connect(("::ffff:" + ADDR[4]["server"], port))
        return c
    each(4, ports, count, client_first, dial=dial, family=socket.AF_INET6, address="::")


@workload("MTU 576")
def _(v, ports, count):
    on_links("mtu", "576" if v == 4 else "1280")
    each(v, ports, count, bulk_and_close)


@workload("MTU 9000")
def _(v, ports, count):
    on_links("mtu", "9000")
    each(v, ports, count, bulk_and_close)


def features(*words):
    for host, dev in (("client", "eth0"), ("router", "to-client"), ("router", "to-server"),
                      ("server", "eth0")):
        run("ip", "netns", "exec", host, "ethtool", "-K", dev, *words)


@workload("GSO off")
def _(v, ports, count):
    features("tso", "off", "gso", "off", "gro", "off")
    each(v, ports, count, bulk_and_close)


@workload("GRO on")
def _(v, ports, count):
    features("gro", "on")
    each(v, ports, count, bulk_and_close)


# ---- tuples used again ----

def fixed_ports(v, ports, count, talk):
    """From one client port to each server port, again and again; the server's SO_REUSEADDR."""
    def work(port, share):
        with contextlib.closing(listener(v, port)) as accepting:
            for _ in range(share):
                c = new("client", FAMILY[v], local=(ADDR[v]["client"], port + 20000))
                try:
                    c.connect((ADDR[v]["server"], port))
                except ERRORS:      # its TIME_WAIT is not a second old
                    c.close()
                    time.sleep(0.6)
                    continue
                try:
                    s, _ = accepting.accept()
                except ERRORS:
                    c.close()
                    continue
                s.settimeout(100)
                attempt(talk, c, s)
                close_to(c, s)
    on_each_port(work, ports, count)


@workload("reuse, client's TIME_WAIT")
def _(v, ports, count):
    ipv4_setting("client", tcp_tw_reuse=1)
    fixed_ports(v, ports, count, client_first)


@workload("reuse, server's TIME_WAIT")
def _(v, ports, count):
    fixed_ports(v, ports, count, lambda c, s: client_first(s, c))


@workload("reuse, after RST")
def _(v, ports, count):
    fixed_ports(v, ports, count, reset_by_linger)


# ---- at the same time ----

@workload("SYN never answered", lossy=True)
def _(v, ports, count):
    ipv4_setting("client", tcp_syn_retries=1)
    run("ip", "netns", "exec", "server", "nft", """
        table inet deaf {
            chain in {
                type filter hook prerouting priority -400
                tcp flags & syn == syn drop
            }
        }""")
    clients = dial_all(v, ports, count)
    time.sleep(4)
    close_to(*clients)


@workload("backlog overflow")
def _(v, ports, count):
    ipv4_setting("server", tcp_synack_retries=2)
    accepting = [listener(v, port, 1) for port in ports]
    clients = []
    for i in range(count):
        c = new("client", FAMILY[v])
        c.setblocking(False)
        c.connect_ex((ADDR[v]["server"], ports[i % len(ports)]))
        clients.append(c)
    time.sleep(0.5)
    for c in clients[::2]:
        attempt(c.send, b"q")
    time.sleep(1)
    servers = []
    for a in accepting:
        a.setblocking(False)
    for _ in range(8):
        for a in accepting:
            with contextlib.suppress(OSError):
                while True:
                    servers.append(a.accept()[0])
        time.sleep(0.3)
    close_to(*clients)
    time.sleep(0.2)
    close_to(*servers, *accepting)


@workload("keepalive, dead peer", lossy=True)
def _(v, ports, count):
    keep = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1),
            (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1),
            (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 2)]
    pairs = batch(v, ports[0], count, of_client=keep)
    time.sleep(1.2)         # one that is answered
    with cut():
        time.sleep(5)
    for c, s in pairs:
        attempt(s.send, b"are you there")
    time.sleep(4)
    for c, s in pairs:
        close_to(c, s)


@workload("zero window")
def _(v, ports, count):
    pairs = batch(v, ports[0], min(count, 64),
                  options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)],
                  of_client=[(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)])
    for c, _s in pairs:
        c.setblocking(False)
        with contextlib.suppress(OSError):
            while True:
                c.send(b"z" * 4096)
        c.shutdown(socket.SHUT_WR)
    time.sleep(2.5)
    for c, s in pairs:
        drain(s)
        s.close()
        c.setblocking(True)
        drain(c)
        c.close()


@workload("simultaneous open", base="delay 2ms")
def _(v, ports, count):
    ends = []
    for i in range(count):
        port = ports[i % len(ports)]
        high = 30000 + i // len(ports)
        c = new("client", FAMILY[v], local=(ADDR[v]["client"], port))
        s = new("server", FAMILY[v], local=(ADDR[v]["server"], high))
        c.setblocking(False)
        s.setblocking(False)
        c.connect_ex((ADDR[v]["server"], high))
        s.connect_ex((ADDR[v]["client"], port))
        ends.append((c, s))
    time.sleep(1)
    for c, s in ends:
        c.settimeout(10)
        s.settimeout(10)
        attempt(client_first, c, s)
        close_to(c, s)


@workload("server killed")
def _(v, ports, count):
    """SIGKILL: with data unread its stack resets, else it sends FIN."""
    with contextlib.closing(listener(v, ports[0], count)) as accepting:
        ready, tell = os.pipe()
        child = os.fork()
        if not child:
            held = []
            with contextlib.suppress(OSError):
                accepting.settimeout(20)
                while len(held) < count:
                    held.append(accepting.accept()[0])
                    os.write(tell, b"1")
            time.sleep(10000)
        os.close(tell)
    clients = []
    for i in range(count):
        c = new("client", FAMILY[v])
        try:
            c.connect((ADDR[v]["server"], ports[0]))
        except ERRORS:
            c.close()
            continue
        clients.append(c)
        if i % 2:
            attempt(c.send, b"unread")
    got = 0
    while got < len(clients) and select.select([ready], [], [], 5)[0]:
        got += len(os.read(ready, 4096))
    os.close(ready)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    for c in clients:
        drain(c)
        c.close()


@workload("link cut", lossy=True)
def _(v, ports, count):
    """A third of the clients closes meanwhile; the others write, and half of them give up."""
    pairs = batch(v, ports[0], count)
    for c, _s in pairs[::3]:
        c.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, 1000)
    with cut():
        for i, (c, s) in enumerate(pairs):
            if i % 3 == 1:
                c.close()
                continue
            attempt(c.send, b"c" * 2000)
            attempt(s.send, b"s" * 2000)
        time.sleep(4)
    time.sleep(patience)
    for c, s in pairs:
        s.settimeout(10)
        s.shutdown(socket.SHUT_WR) if attempt(s.getpeername) else None
        close_to(c, s)


def begin_tracking(enabled):
    for host in HOSTS:
        sysctl(host, "enabled", int(enabled))
    if enabled:
        sockets.mark()


@workload("leak, met midstream", waits=True, midstream=True)
def _(v, ports, count):
    """One end of each closes. The other is in no hurry: its CLOSE_WAIT is a leak for a while."""
    begin_tracking(False)
    pairs = batch(v, ports[0], count)
    begin_tracking(True)
    for c, s in pairs:
        for a, b in ((c, s), (s, c)) * 3:
            attempt(a.sendall, b"x" * 10)
            attempt(b.recv, 10)
    for i, pair in enumerate(pairs):
        pair[i % 2].shutdown(socket.SHUT_WR)
    time.sleep(LEAK)
    for i, pair in enumerate(pairs):
        first, last = pair[i % 2], pair[not i % 2]
        attempt(last.sendall, b"late")
        last.close()
        drain(first)
        first.close()


# ---- real programs ----

def background(host, *words):
    with within(host):
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)


def wait_for_port(v, port):
    for _ in range(200):
        with contextlib.closing(new("server", FAMILY[v])) as s:
            if s.connect_ex((ADDR[v]["server"], port)) != errno.ECONNREFUSED:
                return
        time.sleep(0.05)


def client(*words):
    with within("client"):
        subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=300)


def url(v, port):
    return f"http://[{ADDR[6]['server']}]:{port}/" if v == 6 else f"http://{ADDR[4]['server']}:{port}/"


@contextlib.contextmanager
def serving(v, port, *words):
    server = background("server", *words)
    try:
        wait_for_port(v, port)
        yield
    finally:
        server.terminate()
        server.wait()


@workload("nginx, curl and wrk", programs=True)
def _(v, ports, count):
    where = f"/tmp/nginx-{ports[0]}"
    os.makedirs(f"{where}/www", exist_ok=True)
    write(f"{where}/www/index.html", "x" * 20000)
    address = f"[{ADDR[6]['server']}]" if v == 6 else ADDR[4]["server"]
    write(f"{where}/conf", f"""
        daemon off; master_process off; pid {where}/pid; error_log {where}/error;
        events {{ }}
        http {{
            access_log off; client_body_temp_path {where}; proxy_temp_path {where};
            fastcgi_temp_path {where}; uwsgi_temp_path {where}; scgi_temp_path {where};
            keepalive_requests 5;
            server {{ listen {address}:{ports[0]}; root {where}/www; }}
        }}""")
    with serving(v, ports[0], "nginx", "-e", f"{where}/error", "-c", f"{where}/conf"):
        for _ in range(count // 8):
            client("curl", "-s", "-g", "-m", "60", url(v, ports[0]))
        client("wrk", "-t", "1", "-c", "8", "-d", "1s", "--timeout", "10s", url(v, ports[0]))


@workload("iperf3", programs=True)
def _(v, ports, _count):
    with serving(v, ports[0], "iperf3", "-s", "-p", str(ports[0])):
        for more in ((), ("-R",), ("-P", "4"), ("--bidir",)):
            client("iperf3", f"-{v}", "-c", ADDR[v]["server"], "-p", str(ports[0]), "-n", "200K",
                   "--connect-timeout", "5000", *more)


@workload("redis", programs=True)
def _(v, ports, count):
    with serving(v, ports[0], "redis-server", "--port", str(ports[0]), "--bind",
                 ADDR[v]["server"], "--save", "", "--protected-mode", "no"):
        client("redis-benchmark", "-h", ADDR[v]["server"], "-p", str(ports[0]), "-n",
               str(count * 2), "-c", "8", "-k", "0", "-t", "set,get", "-q")
