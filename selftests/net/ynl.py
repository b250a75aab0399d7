#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The netlink spec, by the kernel's own YNL."""
import json
import os
import subprocess

from bed import (ADDR, Skipped, close_to, equal, forget_flows, main, pair, reset, run, test, timeout, true,
                 until, within)


def group_has_listener(name, pid):
    """Has a process joined a group of generic netlink?"""
    rows = run("ip", "netns", "exec", name, "cat", "/proc/net/netlink").splitlines()[1:]
    return any(r[1] == "16" and r[2] == str(pid) and int(r[3], 16) for r in map(str.split, rows))


@test
def the_spec_serves_ynl():
    """The kernel's own YNL knows the family by its spec, which is valid by the schema: every operation,
    and both notifications."""
    source = os.environ.get("TCPFSM_LINUX")
    if not source:
        raise Skipped("TCPFSM_LINUX names no kernel source with tools/net/ynl")
    here = os.path.dirname(os.path.abspath(__file__))
    cli = ("python3", f"{source}/tools/net/ynl/pyynl/cli.py", "--spec", f"{here}/../../include/netlink/tcpfsm.yaml",
           "--schema", f"{source}/Documentation/netlink/genetlink.yaml", "--output-json")

    def ynl(*words):
        with within("router"):
            return json.loads(run(*cli, *words))

    def told(groups, port):
        """What each group tells of one connection that is opened and reset, to the end of its flow."""
        with within("router"):
            listeners = [subprocess.Popen([*cli, "--subscribe", group, "--duration", "12"],
                                          stdout=subprocess.PIPE, text=True) for group in groups]
        for p in listeners:
            until(lambda p=p: group_has_listener("router", p.pid), "it listens", 60)
        with timeout("router", "closed", 1):
            c, s = pair(4, port)
            reset(c)
            s.close()
            outputs = [p.communicate(timeout=60)[0] for p in listeners]
        equal([p.returncode for p in listeners], [0] * len(groups), "status")
        return [decoded(out) for out in outputs]

    def decoded(out):
        decoder, at, messages = json.JSONDecoder(), 0, []
        while out[at:].strip():
            at += len(out[at:]) - len(out[at:].lstrip())
            message, at = decoder.raw_decode(out, at)
            messages.append(message)
        return messages

    forget_flows()
    c, s = pair(4, 6300)
    rows = [f for m in ynl("--dump", "flow-get") for f in m.get("flow", [])]
    mine = [f for f in rows if f["sport"] == c.getsockname()[1] and f["dport"] == 6300]
    equal([(f["src"], f["orig"]["state"], f["resp"]["state"]) for f in mine],
          [(ADDR[4]["client"], "established", "established")])
    tuple_ = {key: mine[0][key] for key in ("src", "dst", "sport", "dport")}
    one = ynl("--do", "flow-get", "--json", json.dumps({"flow": tuple_}))
    equal(one["flow"][0]["id"], mine[0]["id"], "by its tuple")
    equal([m["counter"]["name"] for m in ynl("--dump", "counter-get")][:2],
          ["bad_flags", "no_ack"], "counters")
    have = [m["log"]["transition"]["move"] >> 4 & 15 for m in ynl("--dump", "log-get")
            if m["log"]["transition"]["flow"] == mine[0]["id"]]
    equal(have, [2, 10, 3, 1, 1], "states entered, by the kernel's numbers")
    true("flows" in json.dumps(ynl("--dump", "service-get")), "services")
    true(ynl("--do", "stats-get")["limit"] > 1000, "limit")
    equal(sum("pairs" in m for m in ynl("--dump", "stats-get")), 1, "namespaces that the router may ask for")
    close_to(c, s)
    forget_flows()      # or a TIME_WAIT ends while it listens
    transitions, ends = told(("transition", "flow"), 6301)
    moves = [t["move"] >> 4 & 15 for m in transitions for t in m["msg"]["transition"]]
    equal(moves, [2, 10, 3, 1, 1, 7, 7], "transitions")
    flows = [f for m in ends for f in m["msg"]["flow"] if f["dport"] == 6301]
    equal(["reason" in f for f in flows], [False, True], "its flow")


if __name__ == "__main__":
    main()
