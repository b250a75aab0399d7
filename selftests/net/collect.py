#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""tcpfsm ship and tcpfsm ipfix with real programs: ClickHouse, nfcapd and nfdump."""
import contextlib
import csv
import glob
import json
import os
import re
import signal
import socket
import subprocess
import time

from bed import (ADDR, HOSTS, TALK, TOOL, address, both, connect, equal, listen, main, pair, reset, run, status,
                 sysctl, table, test, true, until, within)

SQL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/clickhouse")
AT = f"http://{address(4, 2, 2)}:8123"
CONFIG = """<yandex>
<logger><level>warning</level><log>{0}/log</log><errorlog>{0}/err</errorlog></logger>
<http_port>8123</http_port><tcp_port>9000</tcp_port><listen_host>0.0.0.0</listen_host>
<path>{0}/data/</path><tmp_path>{0}/tmp/</tmp_path><users_config>users.xml</users_config>
<default_profile>default</default_profile><default_database>default</default_database>
<mark_cache_size>67108864</mark_cache_size>
<remote_servers><tcpfsm><shard><replica><host>127.0.0.1</host><port>9000</port></replica></shard></tcpfsm>
</remote_servers></yandex>"""
USERS = """<yandex><profiles><default/></profiles><quotas><default/></quotas>
<users><default><password></password><networks><ip>::/0</ip></networks><profile>default</profile>
<quota>default</quota></default></users></yandex>"""


class ClickHouse:
    """A server at the router, started and stopped at will."""

    def __init__(self, where):
        self.where = where
        for name in ("data", "tmp"):
            os.makedirs(f"{where}/{name}")
        for name, text in (("config", CONFIG.format(where)), ("users", USERS)):
            with open(f"{where}/{name}.xml", "w", encoding="ascii") as f:
                f.write(text)
        self.process = None

    def start(self):
        with within("router"):
            self.process = subprocess.Popen(
                ["clickhouse-server", f"--config-file={self.where}/config.xml"], stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, cwd=self.where)
        until(lambda: status("ip", "netns", "exec", "router", "curl", "-sSf", "http://127.0.0.1:8123")[0] == 0,
              "the server answers", 60)

    def stop(self):
        if self.process:
            self.process.kill()     # as when its power goes
            self.process.wait()
        self.process = None

    def ask(self, *queries):
        """Rows of the last of them."""
        done = subprocess.run(["ip", "netns", "exec", "router", "clickhouse-client", "--multiquery",
                               "--format=CSVWithNames"], input=";".join(queries), text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        equal((done.returncode, done.stderr), (0, ""), queries[-1])
        return list(csv.DictReader(done.stdout.splitlines()))

    def one(self, query):
        return list(self.ask(query)[0].values())[0]


def sql(name):
    """The statements of a file."""
    with open(f"{SQL}/{name}", encoding="ascii") as f:
        lines = [line for line in f if not line.startswith("--")]
    return [q.strip() for q in "".join(lines).split(";") if q.strip()]


SHIPS = []


def ship(name, *words, url=AT):
    """Ship from a host of that name."""
    with within(name):
        SHIPS.append(subprocess.Popen(["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', name,
                                       TOOL, "ship", "--interval", "500ms", "--spool", f"/tmp/spool-{name}",
                                       url, *words], stderr=subprocess.PIPE, text=True))
    return SHIPS[-1]


def stop(p, what=0):
    p.send_signal(signal.SIGTERM)
    _, err = p.communicate(timeout=60)
    equal(p.returncode, what, err)
    return err


def spooled(name):
    return sorted(os.path.basename(p) for p in glob.glob(f"/tmp/spool-{name}/*"))


def following(p):
    """The next line of its messages."""
    line = p.stderr.readline()
    true("following" in line, line)
    return p


def connections(port, count):
    """Of every kind, between client and server, in eight pairs of processes."""
    work = []
    for host, verb in (("server", "serve"), ("client", "call")):
        for i in range(8):
            with within(host):
                work.append(subprocess.Popen([TALK, verb, ADDR[4]["server"], str(port + i), str(count // 8)]))
        if verb == "serve":
            until(lambda: all(f":{port + i} " in run("ip", "netns", "exec", "server", "ss", "-Hltn")
                              for i in range(8)), "all listen")
    return work


def of_ports(name, first, end):
    return [f for f in table(name, "flows") if first <= int(f["dport"]) < end]


@contextlib.contextmanager
def clickhouse():
    server = ClickHouse("/tmp/clickhouse")
    server.start()
    try:
        for name in ("schema.sql", "cluster.sql"):
            server.ask(*sql(name))
        yield server
    finally:
        server.stop()
        for p in SHIPS:         # of a test that failed
            p.kill()
            p.wait()
        SHIPS.clear()
        run("rm", "-rf", "/tmp/clickhouse", *glob.glob("/tmp/spool-*"))


@test
def a_million_rows_arrive_once_each():
    """The server goes away and comes back meanwhile, and some rows arrive twice."""
    for name in HOSTS:
        for key in ("time_wait", "closed", "closing", "opening"):
            sysctl(name, f"timeout_{key}", "2")
    with clickhouse() as server:
        ships = {name: following(ship(name)) for name in ("client", "server")}
        work = connections(9100, 24000)
        until(lambda: int(server.one("select count() from tcpfsm.transitions")) > 10000, "rows come", 60)
        server.stop()
        work += connections(9200, 24000)
        err = ships["client"].stderr.readline()
        true("kept for later" in err, err)
        for p in work:
            p.wait()
        for name in ships:
            for key in ("established", "half_closed"):
                sysctl(name, f"timeout_{key}", "2")
            until(lambda name=name: not of_ports(name, 9100, 9300),
                  lambda name=name: f"flows are left: {of_ports(name, 9100, 9300)[:3]}", 120)     # TIME_WAIT
        time.sleep(1)       # and in the spool
        waiting = {name: [f for f in spooled(name) if not f.endswith(".part")] for name in ships}
        true(all(len(files) > 2 for files in waiting.values()), waiting)
        for name, files in waiting.items():     # as if the server had taken them and not lived to say so
            again = files[0].replace("-0000", "-9999", 1)
            run("cp", f"/tmp/spool-{name}/{files[0]}", f"/tmp/spool-{name}/{again}")
        server.start()
        err = ships["client"].stderr.readline()
        true("takes rows again" in err, err)
        until(lambda: not any(f for name in ships for f in spooled(name) if not f.endswith(".part")),
              "all is delivered", 600)
        for p in ships.values():
            true("left for the next run" not in stop(p), "nothing is left")
        equal([spooled(name) for name in ships], [[], []], "in the spools")
        rows = {t: (int(server.one(f"select count() from tcpfsm.{t}")),
                    int(server.one(f"select count() from tcpfsm.{t} final")))
                for t in ("transitions", "flows", "losses")}
        print(f"# rows as they came, and without those that came twice: {rows}")
        equal(rows["losses"], (0, 0), "losses")
        true(sum(n for _, n in rows.values()) >= 1000000, "a million")
        true(sum(n for n, _ in rows.values()) > sum(n for _, n in rows.values()), "some came twice")
        whole = [q for q in sql("queries.sql") if "AS missing" in q][0]
        runs = server.ask(whole)
        equal([(r["host"], r["missing"], r["lost"]) for r in runs],
              [(name, "0", "0") for name in sorted(ships)], "numbers without a row")
        # Each flow that ended came with all its transitions.
        torn = server.ask("select host, flow, count() as n, max(step) as last, groupArray(step) as steps, "
                          "groupArray(to) as way from tcpfsm.transitions final where dport >= 9100 and dport < 9300 "
                          "group by host, flow having n != last")
        equal(torn, [], "flows with transitions missing")
        equal(server.one("select count() from tcpfsm.transitions where dport = 0"), "0", "transitions of unknown flows")
        flows = server.ask("select host, count() as n, uniqExact(flow) as u from tcpfsm.flows final "
                           "where dport >= 9100 and dport < 9300 group by host order by host")
        moved = server.ask("select host, uniqExact(flow) as u from tcpfsm.transitions final "
                           "where dport >= 9100 and dport < 9300 group by host order by host")
        for f, m in zip(flows, moved):
            equal((f["n"], f["u"]), (m["u"], m["u"]), f"flows of {f['host']}")
        equal(server.one("select count() from tcpfsm.transitions_all"),
              server.one("select count() from tcpfsm.transitions"), "by way of the cluster's table")
        have = server.ask("select distinct IPv6NumToString(dst_ip) as ip from tcpfsm.flows where dport = 9100")
        equal(have, [{"ip": f"::ffff:{ADDR[4]['server']}"}], "addresses to compare")


@both
def the_questions_are_answered(v):
    to = ADDR[v]["server"]
    with clickhouse() as server:
        p = following(ship("server"))
        held = [pair(v, 9300 + i) for i in range(3)]
        for c, _ in held:
            c.close()                               # and s forgets to
        for _ in range(4):
            c, s = pair(v, 9310)
            reset(c)
            s.close()
        with within("client"):
            for _ in range(5):
                with socket.socket(socket.AF_INET6 if v == 6 else socket.AF_INET) as s:
                    true(s.connect_ex((to, 9320)) != 0, "refused")
        until(lambda: int(server.one("select count() from tcpfsm.flows where dport = 9320")) == 5, "rows", 30)
        until(lambda: int(server.one("select count() from tcpfsm.transitions where to = 'CLOSE_WAIT' "
                                     "and dport >= 9300")) == 3, "rows", 30)
        leaks, resets, slow, failed, whole = [server.ask(q) for q in sql("queries.sql")]
        equal(sorted((r["host"], r["dst"], r["dport"], r["end"], r["ends"]) for r in leaks),
              [("server", to, str(9300 + i), "resp", "1") for i in range(3)], "leaks")
        equal({(r["dport"], r["reason"]): r["resets"] for r in resets if r["dport"] != "8123"},
              {("9310", "rst-orig"): "4", ("9320", "refused"): "5"}, "resets")
        handshakes = {r["dport"]: r for r in slow}
        equal(handshakes["9310"]["handshakes"], "4")
        true(0 < float(handshakes["9310"]["median_ms"]) <= float(handshakes["9310"]["p99_ms"]), handshakes)
        equal([(r["dst"], r["dport"], r["refused"], r["failed"]) for r in failed if r["dport"] == "9320"],
              [(to, "9320", "5", "5")], "asked and not answered")
        equal([(r["host"], r["missing"], r["lost"]) for r in whole], [("server", "0", "0")], "whole")
        stop(p)
        for c, s in held:
            s.close()


@test
def what_the_server_refuses_is_kept():
    with clickhouse() as server:
        os.makedirs("/tmp/spool-client", exist_ok=True)
        with open("/tmp/spool-client/00000000000000000001-0000000001-1.flows", "w", encoding="ascii") as f:
            f.write("{nonsense\n")
        with open("/tmp/spool-client/00000000000000000001-0000000003-2.flows", "w", encoding="ascii") as f:
            f.write('{"host":"old","boot":"b","run":1,"seq":2}\n{"host":"old","boot"')     # its disk lost the rest
        with open("/tmp/spool-client/00000000000000000001-0000000002.flows.part", "w", encoding="ascii") as f:
            f.write('{"host":"old","boot":"b","run":1,"seq":1}\n{"host":"old","bo')
        p = ship("client")
        said = "".join(p.stderr.readline() for _ in range(3))
        true("00000000000000000001-0000000003-2.flows.refused: Code: none, it was cut short" in said, said)
        true("00000000000000000001-0000000001-1.flows.refused: Code: " in said, said)
        until(lambda: server.one("select count() from tcpfsm.flows where host = 'old'") == "1",
              "the whole rows of one that died")
        code, out, err = status("ip", "netns", "exec", "client", TOOL, "ship", "--spool", "/tmp/spool-client", AT)
        equal((code, out), (2, ""), err)
        true("another ship uses it" in err, err)
        stop(p)
        equal(spooled("client"), ["00000000000000000001-0000000001-1.flows.refused",
                                  "00000000000000000001-0000000003-2.flows.refused"], "what is left")


@test
def a_spool_that_is_full_loses_the_oldest_and_says_so():
    p = following(ship("router", "--spool-limit", "100000", "--flows"))
    for i in range(4):
        for q in connections(9400 + 10 * i, 400):
            q.wait()
    time.sleep(1)
    with clickhouse() as server:
        until(lambda: int(server.one("select count() from tcpfsm.losses where what = 'spool'")) > 0, "the loss", 90)
        err = stop(p)
        lost = sum(int(n) for n in re.findall(r"(\d+) rows had to go", err))
        true(lost > 0, err)
        whole = server.ask([q for q in sql("queries.sql") if "AS missing" in q][0])[0]
        equal((int(whole["missing"]), int(whole["lost"])), (lost, lost), "rows without a number")
        equal(server.one("select count() from tcpfsm.transitions"), "0", "--flows: no transitions")


@test
def tables_of_an_older_version_are_upgraded():
    with clickhouse() as server:
        def shape():
            return {t: [(c["name"], c["type"]) for c in server.ask(f"describe table tcpfsm.{t}")]
                    for t in ("transitions", "flows", "losses")}

        new = shape()
        for table in new:
            for column, _ in new[table]:
                if column == "netns" or column.startswith("nat_"):
                    server.ask(f"alter table tcpfsm.{table} drop column {column}")
        true(all("netns" not in dict(columns) for columns in shape().values()), "as they were")
        server.ask(*sql("upgrade.sql"))
        equal(shape(), new, "as schema.sql makes them")


# ---- IPFIX ----

def flow_records(where):
    """What nfdump reads: {(src, sport, dst, dport): (packets, bytes, packets back, bytes back, ends)}"""
    form = "%sa|%sp|%da|%dp|%ipkt|%ibyt|%opkt|%obyt|%pr|%ts|%te"
    rows = [[w.strip() for w in line.split("|")]
            for line in run("nfdump", "-q", "-6", "-N", "-R", where, "-o", f"fmt:{form}").splitlines()]
    return {tuple(r[:4]): (*map(int, r[4:8]), *r[8:]) for r in rows if len(r) == 11}


def stamp():
    """Now, as nfdump prints times."""
    return time.strftime("%Y-%m-%d %H:%M:%S.") + f"{time.time_ns() // 10 ** 6 % 1000:03}"


@both
def nfcapd_takes_the_records(v):
    """What nfdump reads back is what monitor says of the flows."""
    os.makedirs("/tmp/nfcapd")
    with within("router"):
        collector = subprocess.Popen(["nfcapd", "-w", "/tmp/nfcapd", "-p", "4739", "-b", "127.0.0.1", "-t", "60"],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(1)
        monitor = subprocess.Popen([TOOL, "-j", "monitor", "--flows"], stdout=subprocess.PIPE, text=True,
                                   stderr=subprocess.DEVNULL)
        p = following(subprocess.Popen([TOOL, "ipfix", "127.0.0.1:4739", "dport", ">=", ":9500", "and", "dport",
                                        "<", ":9600"], stderr=subprocess.PIPE, text=True))
    time.sleep(0.5)
    before = stamp()
    with contextlib.closing(listen("server", v, 9500)) as listener:
        for i in range(20):
            c = connect("client", v, 9500)
            s, _ = listener.accept()
            c.sendall(b"x" * 100 * i)
            if i:
                s.sendall(s.recv(10000) * 3)
            reset(c)
            s.close()
    time.sleep(0.1)                     # ends are told some milliseconds late
    after = stamp()
    reset(pair(v, 9600)[0])             # not asked for
    time.sleep(2)
    stop(p)
    monitor.send_signal(signal.SIGINT)
    lines = monitor.communicate()[0].splitlines()
    collector.terminate()
    err = collector.communicate(timeout=20)[1]
    equal(collector.returncode, 0, err)
    want = {(f["src"], str(f["sport"]), f["dst"], "9500"):
            (f["packets"]["orig"], f["bytes"]["orig"], f["packets"]["resp"], f["bytes"]["resp"])
            for f in map(json.loads, lines) if f.get("dport") == 9500}
    equal(len(want), 20, "flows")
    have = flow_records("/tmp/nfcapd")
    equal({key: f[:4] for key, f in have.items()}, want, "as nfdump has it")
    for proto, start, end in (f[4:] for f in have.values()):
        equal(proto, "6")
        true(before <= start <= end <= after, f"{before} {start} {end} {after}")
    equal(run("nfdump", "-q", "-R", "/tmp/nfcapd", "-o", "raw").count("0x03 end of Flow detected"), 20, "end reason")
    run("rm", "-r", "/tmp/nfcapd")


if __name__ == "__main__":
    main()
