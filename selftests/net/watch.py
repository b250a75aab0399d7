#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What a person sees who watches tcpfsm top on a terminal (tmux), and its snapshots."""
import atexit
import contextlib
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import time

from bed import (ACK, ADDR, HOSTS, SYN, TOOL, Traffic, Wire, both, close_to, connect, equal, flow,
                 key_of, listen, load, main, muted, pair, reset, run, status, sysctl, table, test,
                 true, until, within)

STATES = ("CLOSED", "LISTEN", "SYN_SENT", "SYN_RCVD", "ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2",
          "CLOSE_WAIT", "CLOSING", "LAST_ACK", "TIME_WAIT")
RULE = "─"
numbers = itertools.count()


def tmux(*words):
    return run("tmux", "-L", "watch", "-f", "/dev/null", *words)


class Screen:
    """A terminal in which a shell runs top and then says its exit status."""

    def __init__(self, *words, width=80, height=24, locale="C.UTF-8", env=()):
        self.name = f"w{next(numbers)}"
        self.files = [f"/tmp/{self.name}.{when}" for when in ("before", "after")]
        script = (f"set -m; echo was here before; stty -a >{self.files[0]}; "
                  f"env LC_ALL={locale} {' '.join(env)} {TOOL} {' '.join(words)}; code=$?; "
                  f"while [ $code = 148 ]; do sleep 1; fg; code=$?; done; "
                  f"echo status $code; stty -a >{self.files[1]}; exec sleep 1000")
        tmux("new-session", "-d", "-s", self.name, "-x", str(width), "-y", str(height),
             "bash", "-c", script)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        tmux("kill-session", "-t", self.name)

    def lines(self, *how):
        return tmux("capture-pane", "-p", "-t", self.name, *how).splitlines()

    def text(self, *how):
        return "\n".join(self.lines(*how))

    def keys(self, *words):
        for word in words:
            tmux("send-keys", "-t", self.name, word)

    def type(self, text):
        tmux("send-keys", "-l", "-t", self.name, text)

    def resize(self, width, height):
        tmux("resize-window", "-t", self.name, "-x", str(width), "-y", str(height))

    def is_(self, what):
        """A value of tmux's own, as in #{alternate_on}."""
        return tmux("display-message", "-p", "-t", self.name, f"#{{{what}}}").strip()

    def sees(self, pattern, what=""):
        """Wait for a match in what is shown. Returns it."""
        return until(lambda: re.search(pattern, self.text(), re.M),
                     lambda: f"{what or pattern}:\n{self.text()}")

    def misses(self, pattern):
        until(lambda: not re.search(pattern, self.text(), re.M),
              lambda: f"{pattern} goes away:\n{self.text()}")

    def states(self):
        """The panel of the states: orig's and resp's ends."""
        found = {}
        for line in self.lines():
            words = line.split()
            if words and words[0] in STATES and len(words) > 2:
                found[words[0]] = (int(words[1]), int(words[2]))
        return found

    def flows(self):
        """The panel of the flows: dwell, pair, src, dst."""
        lines = self.lines()
        head = [i for i, line in enumerate(lines) if "orig:resp" in line]
        rows = lines[head[0] + 1:-1] if head else []
        return [line.split() for line in rows if len(line.split()) > 3]

    def pid(self):
        """Of top itself."""
        shell = int(self.is_("pane_pid"))
        children = run("ps", "-o", "pid=,comm=", "--ppid", str(shell)).split()
        return int(children[children.index("tcpfsm") - 1])

    def ended(self, code):
        """It has left the terminal as it was, and said why, if there was something to say."""
        self.sees(f"^status {code}$")
        until(lambda: os.path.exists(self.files[1]) and os.path.getsize(self.files[1]), "stty")
        before, after = (open(f, encoding="ascii").read() for f in self.files)
        equal(after, before, "stty")
        equal((self.is_("alternate_on"), self.is_("cursor_flag")), ("0", "1"),
              "alternate screen, cursor")
        equal(self.lines()[0], "was here before", "the screen of before")


def top(name, **kwargs):
    return Screen("-N", name, "top", **kwargs)


def seconds(span):
    """Of 850us, 15.3ms, 7.97s, 1m05s."""
    match = re.fullmatch(r"(?:(\d+)m)?([\d.]+)(us|ms|s)", span)
    true(match, f"no span: {span}")
    return int(match[1] or 0) * 60 + float(match[2]) * {"us": 1e-6, "ms": 1e-3, "s": 1}[match[3]]


def endpoint(v, name, port):
    return f"[{ADDR[v][name]}]:{port}" if v == 6 else f"{ADDR[v][name]}:{port}"


@contextlib.contextmanager
def leaked(v, port):
    """A connection whose server has forgotten to close. Gives the client's socket."""
    c, s = pair(v, port)
    c.shutdown(socket.SHUT_WR)
    equal(s.recv(1), b"", "the client is done")
    until(lambda: flow("server", key_of(v, c, port))["resp"] == "CLOSE_WAIT", "leaked")
    try:
        yield c
    finally:
        close_to(s, c)


# ---- what is shown ----

@both
def a_leaked_close_wait_is_seen_with_who_holds_it(v):
    with leaked(v, 7001) as c, top("server") as screen:
        since = time.monotonic()
        src, dst = endpoint(v, "client", c.getsockname()[1]), endpoint(v, "server", 7001)
        screen.sees(rf" {re.escape(dst)} +0 +1$", "among the services")
        row = screen.sees(rf"^ *(\S+) FIN_WAIT_2:CLOSE_WAIT +{re.escape(src)} +{re.escape(dst)}$",
                          "among the flows")
        time.sleep(3)
        dwell = until(lambda: seconds(screen.flows()[0][0]), "its dwell time")
        true(abs(dwell - (time.monotonic() - since)) < 2.5, f"dwell {dwell}, first {row[1]}")
        screen.keys("3", "Enter")
        screen.sees(rf"^flow \d+  {re.escape(src)} > {re.escape(dst)}$")
        screen.sees(r"^  Waits for its own application to call close\(\)\.$")
        screen.sees(rf"^  Held by \S+, process {os.getpid()}, as file \d+\.$")
        screen.keys("Escape")
        screen.sees(r"^. 3 stuck flows")
        time.sleep(0.3)
    with top("server") as screen:
        screen.sees(rf" {re.escape(dst)} +0 +0$", "closed, it counts no more")


@test
def the_process_stands_with_its_flow():
    who = rf"resp:\S+\({os.getpid()}\)"
    with leaked(4, 7004), top("server") as screen:
        row = r"^ *\S+ .*FIN_WAIT_2:CLOSE_WAIT +\S+ +10\.0\.2\.1:7004"
        screen.sees(row + "$", "without the process")
        screen.keys("P")
        screen.sees(rf"^ *\S+ +CLOSE_WAIT +10\.0\.2\.1:7004 +{who}$", "in the columns that 80 leave")
        screen.resize(120, 30)
        screen.sees(rf"{row} +{who}$", "with it")
        screen.keys("P")
        screen.sees(r"^.dwell .* packets$", "other columns take its place")
        out = batch("server", "-b", "-p", "-c1", "-i", "100ms")
        true(re.search(rf'10\.0\.2\.1:7004 .* resp:\(\("[^"]+",pid={os.getpid()},fd=\d+\)\)$', out, re.M), out)
        one = json.loads(batch("server", "-j", "-p", "-c1", "-i", "100ms", "dport", ":7004"))
        equal(one["flows"][0]["socket"]["resp"]["pid"], os.getpid(), "in JSON")
        one = json.loads(batch("server", "-j", "-c1", "-i", "100ms", "dport", ":7004"))
        true("pid" not in one["flows"][0]["socket"]["resp"], "only if it is asked for")


@test
def states_are_those_of_procfs():
    with leaked(4, 7002), contextlib.closing(listen("server", 6, 7003)) as listener:
        held = [connect("client", 6, 7003) for _ in range(5)]
        taken = [listener.accept()[0] for _ in held]
        for name in HOSTS:
            with top(name) as screen:
                def same(name=name, screen=screen):
                    proc = {r["state"]: (int(r["orig"]), int(r["resp"]))
                            for r in table(name, "states")}
                    return proc == screen.states()
                until(same, lambda name=name, screen=screen: f"{name}: {table(name, 'states')}\n"
                      f"{screen.text()}")
                screen.sees(r"table \d+ of \d+, ")
        close_to(*held, *taken)


@test
def rates_and_the_past_show_traffic():
    traffic = Traffic()
    try:
        with top("router") as screen:
            screen.sees(r"^per second: opened [1-9]")
            screen.sees(r"^ESTABLISHED +\d+ +\d+ +[1-9]\S* +[▁▂▃▄▅▆▇█]+( |$)")
            screen.keys("g")
            screen.sees("past new/s")
            screen.sees(r"^SYN_RCVD +\d+ +\d+ +[1-9]\S* +[▁▂▃▄▅▆▇█]+( |$)")
    finally:
        traffic.stop()


@test
def a_reset_shows_when_it_happens():
    """Not when the flow leaves the table."""
    with top("router") as screen:
        screen.sees(r"^per second: opened 0 +reset 0 ")
        for _ in range(20):
            c, s = pair(4, 7060)
            reset(c)
            s.close()
        with contextlib.suppress(ConnectionRefusedError):
            connect("client", 4, 7061)
        until(lambda: re.search(r" reset [1-9]", screen.text()), screen.text, 5)


@test
def without_unicode_there_is_none():
    traffic = Traffic()
    try:
        with top("router", locale="C") as screen:
            screen.sees(r"^ESTABLISHED +\d+ +\d+ +[1-9]\S* +[.:=+*%@-]+( |$)")
            true(screen.text().isascii(), screen.text())
    finally:
        traffic.stop()


@test
def colours_are_left_out_if_asked_for():
    colour = re.compile(r"\x1b\[[0-9;]*3[136]m")
    with leaked(4, 7004):
        with top("server") as screen:
            screen.sees("7004")
            until(lambda: colour.search(screen.text("-e")), "colours")
        with top("server", env=["NO_COLOR=1"]) as screen:
            screen.sees("7004")
            true(not colour.search(screen.text("-e")), "no colours")
        with top("server", env=["NO_COLOR="]) as screen:
            until(lambda: colour.search(screen.text("-e")), "an empty one says nothing")


# ---- keys ----

@test
def flows_are_ordered_as_asked_for():
    with leaked(4, 7011), contextlib.ExitStack() as stack:
        time.sleep(1)
        stack.enter_context(leaked(4, 7012))
        time.sleep(1)
        stack.enter_context(leaked(4, 7013))

        def ports():
            return [row[3].rsplit(":", 1)[1] for row in screen.flows()]
        with top("server") as screen:
            screen.keys("3")
            until(lambda: ports() == ["7011", "7012", "7013"], "longest first")
            screen.keys("r")
            screen.sees("longest in their state first, the other way round")
            until(lambda: ports() == ["7013", "7012", "7011"], "the other way round")
            screen.sees("▴dwell")
            screen.keys("r", "s")
            screen.sees("longest without a segment first")
            screen.keys("S")
            screen.sees("longest in their state first$")


@test
def services_and_states_are_ordered_as_asked_for():
    with contextlib.ExitStack() as stack:
        held = []
        for port, n in ((7021, 1), (7022, 3), (7023, 2)):
            listener = stack.enter_context(contextlib.closing(listen("server", 4, port)))
            for _ in range(n):
                held += [connect("client", 4, port), listener.accept()[0]]
        with top("server", width=120, height=40) as screen:
            def ports():
                return re.findall(r"\b10\.0\.2\.1:(702\d) ", screen.text())
            until(lambda: ports() == ["7022", "7023", "7021"], lambda: f"by ESTABLISHED: {ports()}")
            screen.keys("2", "z", "s", "s", "s", "s")
            screen.sees("^by ESTABLISHED$")
            screen.keys("r")
            until(lambda: ports() == ["7021", "7023", "7022"], lambda: f"turned: {ports()}")
            screen.keys("z", "1", "s")
            screen.sees("^by orig's ends in it$")

            def orig():
                return [ends[0] for ends in screen.states().values()]
            until(lambda: orig() == sorted(orig(), reverse=True), lambda: f"most first: {orig()}")
        close_to(*held)


@test
def filters_are_typed():
    with leaked(4, 7031), leaked(4, 7032), top("server") as screen:
        screen.sees("7031.*\n.*7032")
        screen.keys("f")
        screen.sees("^filter:$")
        screen.type("dport = :7032x")
        screen.keys("BSpace", "Enter")
        screen.sees("^. 3 stuck flows: dport = :7032 ")
        until(lambda: [r[3] for r in screen.flows()] == ["10.0.2.1:7032"], "this one alone")
        screen.keys("/", "C-u")
        screen.type("sprot = :1")
        screen.keys("Enter")
        screen.sees("^filter, at character 1: 'sprot':")
        screen.sees("^. 3 stuck flows: dport = :7032 ")
        screen.keys("f")
        screen.sees("^filter: sprot = :1$", "to be set right")
        screen.keys("C-u")
        screen.type("state established")
        screen.keys("Escape")
        screen.sees("^. 3 stuck flows: dport = :7032 ")
        screen.keys("Escape")
        screen.sees(f"^. 3 stuck flows {RULE}")
        until(lambda: len(screen.flows()) == 2, "both")


@test
def from_states_and_services_to_their_flows():
    c, s = pair(4, 7041)
    with leaked(4, 7042), top("server") as screen:
        screen.sees("7042")
        screen.keys("1", *["Down"] * STATES.index("ESTABLISHED"))
        screen.sees("^Many idle: connection pools")
        screen.keys("Enter")
        screen.sees("^. 3 flows: state ESTABLISHED")
        until(lambda: "10.0.2.1:7041" in [r[3] for r in screen.flows()], "the established one")
        screen.keys("2", "Enter")
        screen.sees("^. 3 stuck flows: dst 10.0.2.1:7042")
        until(lambda: [r[3] for r in screen.flows()] == ["10.0.2.1:7042"], "the service's")
    close_to(c, s)


@test
def a_filter_may_come_with_the_command():
    c, s = pair(4, 7051)
    with Screen("-N", "server", "top", "state", "established", "dport", "=", ":7051") as screen:
        screen.sees("^. 3 flows: state established dport = :7051 .* 1, read")
        equal([r[3] for r in screen.flows()], ["10.0.2.1:7051"])
    close_to(c, s)


@test
def panels_pause_interval_help():
    with leaked(4, 7061), top("router") as screen:
        screen.sees("every 1s")
        screen.keys("+")
        screen.sees("every 2s")
        screen.keys("-", "-")
        screen.sees("every 500ms")
        screen.keys("p")
        screen.sees("paused, p goes on")
        before = screen.states()
        c, s = pair(4, 7062)
        time.sleep(1.5)
        equal(screen.states(), before, "nothing moves")
        screen.keys("p")
        until(lambda: screen.states()["ESTABLISHED"] != before["ESTABLISHED"], "it goes on")
        close_to(c, s)
        screen.keys("h")
        screen.sees("^q            quit$")
        screen.misses("CLOSE_WAIT  ")
        screen.keys("?", "2", "z")
        screen.sees("^2 service.* opening c-wait t-wait ")
        screen.misses("3 stuck")
        screen.keys("z", "Tab", "Tab", "z")
        screen.sees("^1 state.* past$")
        screen.misses("2 service")


@test
def a_small_or_a_large_screen_will_do():
    with leaked(4, 7071), top("server") as screen:
        screen.sees("7071")
        screen.resize(40, 10)
        screen.sees("^1 state")
        true(len(screen.lines()) == 10 and all(len(x) <= 40 for x in screen.lines()), "40x10")
        equal(len(screen.states()), 7, "states that fit")
        screen.keys("End")
        screen.sees("^TIME_WAIT")
        screen.keys("2")
        screen.sees("^2 service.* opening c-wait$")
        screen.sees(r"^10\.0\.2\.1:7071 +0 +1$")
        screen.keys("3")
        screen.sees(r"^ *\S+ CLOSE_WAIT  10\.0\.2\.1:7071$")
        screen.keys("h", "End")
        screen.sees("could go")
        screen.keys("Escape")
        for width, height in ((10, 3), (200, 60), (79, 15), (1, 1), (120, 40)):
            screen.resize(width, height)
            time.sleep(0.2)
        screen.sees(r"^.dwell +idle +age orig:resp +src +dst +packets$")
        screen.sees(r"^ *\S+ +\S+ +\S+ FIN_WAIT_2:CLOSE_WAIT .* 10\.0\.2\.1:7071 +\d+/\d+$")
        screen.resize(80, 24)
        screen.sees("^.dwell orig:resp +src +dst$")
        screen.sees("z zoom$")


# ---- how it ends ----

@test
def the_terminal_is_left_clean():
    def terminated(screen):
        os.kill(screen.pid(), signal.SIGTERM)
    for how in (lambda s: s.keys("q"), lambda s: s.keys("C-c"), terminated,
                lambda s: s.keys("f", "x", "C-c")):
        with top("router") as screen:
            screen.sees("TIME_WAIT")
            equal(screen.is_("alternate_on"), "1", "a screen of its own")
            how(screen)
            screen.ended(0)
    with Screen("-N", "router", "top", "--for", "1s", "-i", "200ms") as screen:
        screen.ended(0)
    with Screen("-N", "router", "top", "-c", "3", "-i", "200ms") as screen:
        screen.ended(0)


@test
def stopped_and_brought_back():
    """The shell stops it and has the terminal meanwhile."""
    with top("router") as screen:
        screen.sees("TIME_WAIT")
        screen.keys("C-z")
        until(lambda: screen.is_("alternate_on") == "0", "the shell's screen")
        until(lambda: screen.is_("alternate_on") == "1", "its own again")
        screen.keys("2", "z")
        screen.sees("^2 service.* t-wait")
        screen.keys("q")
        screen.ended(0)


@test
def the_module_goes_away():
    with top("router") as screen, within("router"), \
         subprocess.Popen([TOOL, "top", "-b", "-i", "200ms"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as batch:
        screen.sees("TIME_WAIT")
        until(lambda: not subprocess.run(["rmmod", "tcpfsm"], stderr=subprocess.DEVNULL,
                                         check=False).returncode, "unloaded")
        try:
            screen.ended(2)
            screen.sees("^tcpfsm: top: the kernel module was unloaded$")
            equal((batch.wait(), batch.stderr.read()),
                  (2, "tcpfsm: top: the kernel module was unloaded\n"))
            with top("router") as none:
                none.ended(2)
                none.sees("^tcpfsm: the kernel module is not loaded")
        finally:
            load()
            for name in HOSTS:
                sysctl(name, "log_size", 65536)


@test
def where_no_screen_can_be_shown():
    with within("router"):
        code, out, err = status(TOOL, "top")
    equal((code, out), (2, ""), "no terminal")
    true("top -b" in err, err)
    for term, word in (("dumb", "TERM=dumb"), ("nonsense", "TERM=nonsense"), ("", "TERM=")):
        with top("router", env=[f"TERM={term}"]) as screen:
            screen.ended(2)
            screen.sees(rf"^tcpfsm: top: .*{word}")
            screen.sees("top -b")


@test
def mistakes_are_told():
    for words, token in ((("-i", "1ms"), "100ms"), (("-i", "soon"), "'soon'"), (("-c", "0"), "'0'"),
                         (("--for", "x"), "'x'"), (("sprot", "=", ":1"), "sprot"),
                         (("--buffer", "9"), "--buffer")):
        with within("router"):
            code, out, err = status(TOOL, "top", "-b", *words)
        equal((code, out), (2, ""), " ".join(words))
        true(token in err, f"{words}: {err}")
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all")
    with within("router"):
        code, out, err = status(*nobody, TOOL, "top", "-b", "-i", "100ms")
    equal((code, out), (2, ""), "nobody")
    true("CAP_NET_ADMIN" in err, err)


@test
def options_before_and_behind_the_command():
    with within("router"):
        for words in (("top", "-b", "-c", "1", "-i", "100ms"), ("-b", "top", "-c1", "-i", "100ms"),
                      ("-bc", "1", "top", "-i", "100ms")):
            code, out, err = status(TOOL, *words)
            true(code == 0 and "per second:" in out, f"{words}: {err}")
        for words in (("monitor", "--buffer", "8192", "--for", "100ms"),
                      ("--buffer", "8192", "monitor", "--for", "100ms")):
            code, _, err = status(TOOL, *words)
            true(code in (0, 1), f"{words}: {err}")


# ---- without a screen ----

def batch(name, *words):
    with within(name):
        code, out, err = status(TOOL, "top", *words)
    equal((code, err), (0, ""), " ".join(words))
    return out


@test
def snapshots_in_text():
    with leaked(4, 7081) as c:
        out = batch("server", "-b", "-c", "3", "-i", "200ms")
        equal(len(re.findall(r"^20\S+Z netns server table \d+ of \d+$", out, re.M)), 3, "snapshots")
        equal(len(re.findall(r"^CLOSE_WAIT +\d+ +\d+ +\d+ +\S+$", out, re.M)), 3, "states")
        equal(len(re.findall(r"^10\.0\.2\.1:7081 +0 +0 +0 +1 ", out, re.M)), 3, "services")
        sport = c.getsockname()[1]
        equal(len(re.findall(rf"^\d+ +10\.0\.1\.1:{sport} .* FIN_WAIT_2:CLOSE_WAIT ", out, re.M)),
              3, "flows")
        true("state" not in batch("server", "-b", "-H", "-c1", "-i", "100ms"), "no headers")
        out = batch("server", "-b", "--for", "1s", "-i", "300ms")
        equal(out.count("per second:"), 3, "in a second")
        equal(batch("server", "-b", "--for", "300ms", "-i", "1h"), "", "before the first")
        true("7081" not in batch("server", "-b", "-c1", "-i", "100ms", "-6"), "IPv6 only")


@test
def snapshots_in_json():
    traffic = Traffic()
    try:
        with leaked(6, 7082):
            out = batch("router", "-j", "-c", "3", "-i", "500ms", "dport = :7082")
    finally:
        traffic.stop()
    rows = [json.loads(line) for line in out.splitlines()]
    equal(len(rows), 3, "one a line")
    for one in rows:
        equal([s["state"] for s in one["states"]], list(STATES), "states")
        true(0 < one["entries"] < one["limit"], "the table")
        equal(one["netns"], "router", "the namespace")
        true(one["per_second"]["opened"] > 0 and one["per_second"]["segments"] > 0, "rates")
        true(one["dump_age_ns"] < 10e9, "what the dump is of")
        equal((one["flows_matched"], [f["dport"] for f in one["flows"]]), (1, [7082]), "flows")
        true([s for s in one["services"] if s["port"] == 7082 and s["states"]["CLOSE_WAIT"] == 1],
             "services")
        true(one["flows"][0]["dwell_ns"]["resp"] > 0, "dwell")
    for before, after in zip(rows, rows[1:]):
        grown = (after["states"][4]["entered"] - before["states"][4]["entered"]) / 0.5
        told = after["states"][4]["entered_per_second"]
        true(abs(told - grown) <= 0.5 * grown + 10, f"ESTABLISHED: {told} a second, by {grown}")


@test
def snapshots_count_as_states_do():
    with leaked(4, 7083), leaked(6, 7084):
        for name in HOSTS:
            def same(name=name):
                one = json.loads(batch(name, "-j", "-c", "1", "-i", "100ms"))
                proc = {r["state"]: (int(r["orig"]), int(r["resp"]), int(r["entered"]))
                        for r in table(name, "states")}
                return proc == {s["state"]: (s["orig"], s["resp"], s["entered"])
                                for s in one["states"]}
            until(same, name)


@test
def of_many_flows_the_oldest_are_kept():
    """More than it keeps: those that have been stuck for longest come first, in order."""
    with muted(), contextlib.closing(Wire(4)) as w:
        w.dport = 7091
        for i in range(5):
            w.sport = 40000 + i
            w.send("client", SYN, 1)
            time.sleep(0.02)        # two ticks: ages are told apart
        time.sleep(0.3)
        for i in range(700):
            w.sport = 41000 + i
            w.raw_send("client", SYN, 1)
        one = json.loads(batch("router", "-j", "-c", "1", "-i", "500ms", "dport = :7091"))
        equal(one["flows_matched"], 705, "matched")
        equal([f["sport"] for f in one["flows"][:5]], [40000 + i for i in range(5)], "the first")
        dwell = [max(f["dwell_ns"].values()) for f in one["flows"]]
        equal(dwell, sorted(dwell, reverse=True), "in order")
        with top("router") as screen:
            screen.sees("^. 3 stuck flows .* [0-9]+, read")
            screen.keys("3", "End")
            screen.sees(r"^ +\S+ SYN_SENT:LISTEN +10\.0\.1\.1:4\d+ +10\.0\.2\.1:7091$")
            true("10.0.1.1:40000 " not in screen.text(), "scrolled")
            screen.keys("Home")
            screen.sees("10.0.1.1:40000 ")
            with open(f"/proc/{screen.pid()}/status", encoding="ascii") as f:
                rss = int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])
            true(rss < 20000, f"{rss} kB")
        w.sport = 50000
        w.send("client", SYN, 1)
        w.send("server", SYN | ACK, 5, 2)
        out = batch("router", "-b", "-c", "1", "-i", "100ms")
        true(re.search(r"^10\.0\.2\.1:7091 +\d+ +1 ", out, re.M), "half-open")


def keep_tmux():
    """A session that stays: tmux would end its server with the last one while a test asks for the next."""
    atexit.register(tmux, "kill-server")
    tmux("new-session", "-d", "-s", "keep", "sleep", "10000")


if __name__ == "__main__":
    main(setup=keep_tmux)
