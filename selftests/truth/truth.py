#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
tcpfsm against the kernel's own sockets. Client, router and server watch the same connections; the
sockets' tracepoints tell what both of them did (sockets.py has the mapping); each endpoint's
transitions are compared in order, at each of the three places (compare.py has the documented kinds
of difference). Many workloads (workloads.py), over links with many impairments.

Exit status 1: something is unexplained, or the documented kinds at an endpoint's own host exceed
their share of its transitions (compare.py).
"""
import argparse
import collections
import os
import random
import resource
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../net")]
# pylint: disable=wrong-import-position
import compare
import sockets
import taps
import workloads
from bed import (ADDR, HOSTS, KSFT_SKIP, counters, load, make_hosts, remove_hosts, run, skip_all,
                 sysctl, table, within)
from workloads import PORTS, WORKLOADS

IMPAIRMENTS = {         # what netem does
    "none": "",
    "loss 1%": "loss 1%",
    "loss 5%": "loss 5%",
    "loss 20%": "loss 20%",
    "reorder 25%": "delay 2ms reorder 75% 25%",
    "duplicate 5%": "duplicate 5%",
    "jitter": "delay 3ms 2ms",
    "corrupt 1%": "corrupt 1%",
    "mixture": "delay 2ms 1ms loss 2% duplicate 2% corrupt 0.5%",
    "taps, +6 ms": "delay 1ms",
    "taps, -6 ms": "delay 1ms",
}
SKEW = {"taps, +6 ms": 0.006, "taps, -6 ms": -0.006}    # there are two taps whose clocks differ so
LOSSY = ("loss", "corrupt", "mixture")
DISORDERED = ("reorder", "jitter", "duplicate")
LIVING = ("01", "02", "03", "04", "05", "08", "09", "0B", "0C")    # not LISTEN, CLOSE, TIME_WAIT


def time_travels():
    with open("/proc/cmdline", encoding="ascii") as f:
        return "time-travel" in f.read()


def impair(how):
    for name, dev in (("client", "eth0"), ("router", "to-client"), ("router", "to-server"),
                      ("server", "eth0")):
        run("tc", "-n", name, "qdisc", "del", "dev", dev, "root", check=False)
        if how:
            run("tc", "-n", name, "qdisc", "add", "dev", dev, "root", "netem", "limit", "100000",
                *how.split())


def alive():
    """The number of sockets that have yet to close."""
    count = 0
    for name in ("client", "server"):
        for file in ("tcp", "tcp6"):
            with within(name), open(f"/proc/thread-self/net/{file}", encoding="ascii") as f:
                count += sum(line.split()[3] in LIVING for line in list(f)[1:])
    return count


def tapped(impairment):
    """Two taps, if the link has them, else None; they do not outlive a cell."""
    return taps.Taps("router", "to-client", SKEW[impairment]) if impairment in SKEW else None


def one(v, work, impairment, count, first_port, audit):
    make_hosts()
    try:
        for name in HOSTS:
            sysctl(name, "log_size", 1 << 18)
            sysctl(name, "audit", 1)
        sockets.forget()
        ports = list(range(first_port, first_port + PORTS))
        impair(IMPAIRMENTS[impairment] or work.base)
        if IMPAIRMENTS[impairment] and work.base and "delay" not in IMPAIRMENTS[impairment]:
            impair(f"{work.base} {IMPAIRMENTS[impairment]}")
        two = tapped(impairment)
        work.run(v, ports, count)
        impair("")
        # The rest must be told, too: where waiting costs nothing, up to the last time-out.
        patience = 600 if time_travels() else 20
        end = time.monotonic() + patience
        while alive() and time.monotonic() < end:
            time.sleep(1 if time_travels() else 0.1)
        time.sleep(300 if time_travels() else 0.3)
        for name in HOSTS:
            for key, value in counters(name).items():
                audit[key] += value if key.startswith("audit_") else 0
        lives = sockets.told(set(ADDR[4].values()) | set(ADDR[6].values()), set(ports))
        addresses = ADDR[4 if work.name == "v4-mapped" else v]
        logs = {name: table(name, "log") for name in HOSTS}
        if two:
            logs[compare.TAPS] = two.log()
        result, unexplained = compare.compare(
            logs, lives, addresses, set(ports), work,
            work.lossy or impairment.startswith(LOSSY),
            impairment.startswith(DISORDERED) or bool(work.base))
        for place, key, want, have in unexplained[:8]:
            print(f"#   {place} {' '.join(key)}: socket {'>'.join(want)}, shown {'>'.join(have)}")
            print("".join(f"#     {r}\n" for r in compare.rows_of(logs[place], key)), end="")
        return result, not unexplained
    finally:
        remove_hosts()


def row(words, count):
    return "  ".join(f"{w:<{n}}" for w, n in zip(words, (26, 12, 4, 6))) + "  " + \
        "  ".join(f"{count[k]:>8}" for k in ("compared",) + compare.KINDS)


def arguments():
    p = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    p.add_argument("-c", "--count", type=int, default=24, help="connections of each cell")
    p.add_argument("-n", "--count-none", type=int, metavar="COUNT",
                   help="connections of each cell without impairment; the same")
    p.add_argument("-w", "--workload", action="append", metavar="NAME",
                   help=f"only this one, or those that it begins: {', '.join(WORKLOADS)}")
    p.add_argument("-i", "--impairment", action="append", choices=IMPAIRMENTS)
    p.add_argument("-v", "--family", action="append", type=int, choices=(4, 6))
    p.add_argument("-l", "--list", action="store_true", help="print the names of the workloads")
    p.add_argument("part", nargs="*", help="only workloads whose name contains one of these")
    return p.parse_args()


def within_limit(by_impairment, heavy):
    """Of the links that lose much, or of all others."""
    own = collections.Counter()
    for (impairment, place), count in by_impairment.items():
        if place == "own" and (impairment in compare.HEAVY) == heavy:
            own.update(count)
    documented = sum(own[kind] for kind in compare.LIMITED)
    most = compare.MOST_HEAVY if heavy else compare.MOST
    if own["compared"]:
        print(f"# at the endpoints' own hosts, links that lose {'much' if heavy else 'little'}: {documented} "
              f"of {own['compared']} are {', '.join(compare.LIMITED)}: "
              f"{documented / own['compared']:.3%}, at most {most:.1%}")
    return documented <= own["compared"] * most


def main():
    args = arguments()
    works = [w for w in WORKLOADS.values()
             if not args.workload or any(w.name.startswith(x) for x in args.workload)
             if not args.part or any(x in w.name for x in args.part)]
    if args.list:
        for w in works:
            print(w.name)
        return
    if skip_all():
        print("TAP version 13", f"1..0 # SKIP {skip_all()}", sep="\n")
        sys.exit(KSFT_SKIP)
    cells = [(v, w, i) for w in works if not (w.programs if time_travels() else w.waits)
             for i in IMPAIRMENTS if i in (args.impairment or IMPAIRMENTS)
             for v in args.family or (4, 6) if (w.name, v) != ("v4-mapped", 6)]
    print("TAP version 13", f"1..{len(cells) + 1}", sep="\n")
    print("# " + row(("workload", "impairment", "ip", "place"), {k: k for k in
                                                                ("compared",) + compare.KINDS}))
    random.seed(1)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if time_travels():
        workloads.patience = 60
    load()
    sockets.start()
    failed = 0
    audit = collections.Counter()
    sums = collections.defaultdict(collections.Counter)
    by_impairment = collections.defaultdict(collections.Counter)
    for number, (v, work, impairment) in enumerate(cells, 1):
        count = impairment == "none" and args.count_none or args.count
        result, ok = one(v, work, impairment, count, 10000 + number * PORTS % 9000, audit)
        places = compare.PLACES + (compare.TAPS,) * (impairment in SKEW)
        ok = ok and all(result[place]["compared"] for place in places)
        failed += not ok
        for place in places:
            sums[place].update(result[place])
            by_impairment[impairment, place].update(result[place])
            print("# " + row((work.name, impairment, v, place), result[place]))
        print(f"{'ok' if ok else 'not ok'} {number} {work.name}, {impairment}, ipv{v}", flush=True)
    for (impairment, place), count in by_impairment.items():
        print("# " + row(("all", impairment, "", place), count))
    for place, count in sums.items():
        print("# " + row(("all", "", "", place), count))
    print(f"# audit: {audit['audit_checked']} segments of sockets checked, "
          f"{audit['audit_agreed']} agreed, {audit['audit_differed']} differed")
    print(f"# {sum(s['compared'] for s in sums.values())} transitions compared")
    ok = all([within_limit(by_impairment, heavy) for heavy in (False, True)])
    failed += not ok
    print(f"{'ok' if ok else 'not ok'} {len(cells) + 1} documented kinds at the own host")
    sockets.stop()
    run("rmmod", "tcpfsm")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
