#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""tcpfsm export with those it is for: a real Prometheus, its promtool, and a real browser."""
import contextlib
import html
import http.server
import json
import os
import re
import subprocess
import threading
import time
import urllib.parse
import urllib.request

from bed import (ADDR, HOSTS, TOOL, Traffic, both, close_to, equal, main, pair, run, status, table, test,
                 true, until, within)

HERE = os.path.dirname(os.path.abspath(__file__))
ALERTS = os.path.join(HERE, "../../tools/prometheus/alerts.yaml")
DASHBOARD = os.path.join(HERE, "../../tools/prometheus/dashboard.json")
WHERE = "127.0.0.1:9717"


@contextlib.contextmanager
def exporter(name, *words, where=WHERE):
    with within(name):
        run("ip", "link", "set", "lo", "up")
        p = subprocess.Popen([TOOL, "export", *words], stderr=subprocess.PIPE, text=True)
        try:
            true(where in p.stderr.readline(), "it says where")
            yield p
        finally:
            p.terminate()
            equal(p.wait(10), 0, "exit status")


def get(path, *words, where=WHERE):
    return run("curl", "-sS", *words, f"http://{where}{path}")


def samples(text):
    """{name with labels: value}"""
    return {m[1]: float(m[2]) for m in re.finditer(r"^([a-z_]+(?:\{[^}]*\})?) (\S+)$", text, re.M)}


def quiet_flows(v=4):
    """Some in CLOSE_WAIT and some established."""
    held = [pair(v, 9700 + i) for i in range(8)]
    for c, _ in held[:3]:
        c.close()
    time.sleep(0.2)
    return held


def moves(name):
    """Those there were, under their metrics' names."""
    return {f'tcpfsm_transitions_total{{from="{next(iter(r.values()))}",to="{to}"}}': int(n)
            for r in table(name, "transitions") for to, n in list(r.items())[1:] if int(n)}


@both
def metrics_are_what_the_files_say(v):
    held = quiet_flows(v)
    with exporter("router"):
        time.sleep(0.3)
        before = moves("router")
        text = get("/metrics")
        have = samples(text)
        told = {(r["state"], side): have[f'tcpfsm_flows{{side="{side}",state="{r["state"]}"}}']
                for r in table("router", "states") for side in ("orig", "resp")
                if r["state"] in ("CLOSE_WAIT", "FIN_WAIT_2", "FIN_WAIT_1", "LAST_ACK")}
        # As soon as the connection that asked has passed through them.
        until(lambda: told == {(r["state"], side): float(r[side]) for r in table("router", "states")
                               for side in ("orig", "resp") if (r["state"], side) in told},
              lambda: f"as in the file: {told}")
        host = ADDR[v]["server"] if v == 4 else f"[{ADDR[v]['server']}]"
        equal(have[f'tcpfsm_service_close_wait{{service="{host}:9700"}}'], 1)
        equal(have["tcpfsm_events_lost_total"], 0)
        true(have["tcpfsm_table_entries"] >= 8, "entries")
        after = moves("router")
        for name, n in before.items():
            true(n <= have[name] <= after[name], name)
        true(not any(re.search(r":\d+ *>", k) for k in have), "no flow is a label")
        done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        equal((done.returncode, done.stdout), (0, ""), "promtool check metrics")
        text = get("/metrics", "-H", "Accept: application/openmetrics-text; version=1.0.0")
        true(text.endswith("# EOF\n") and "# TYPE tcpfsm_transitions counter" in text, "OpenMetrics")
    close_to(*(s for both_ends in held for s in both_ends))


@test
def every_namespace_has_a_label():
    held = quiet_flows()
    p = subprocess.Popen([TOOL, "export", "-A", "-q", "--listen", "[::1]:9800"])
    try:
        run("ip", "link", "set", "lo", "up")
        have = until(lambda: status("curl", "-sS", "http://[::1]:9800/metrics")[1], "it answers")
        for name in HOSTS:
            true(f'tcpfsm_flows{{netns="{name}",side="orig",state="ESTABLISHED"}} ' in have, name)
            true(f'tcpfsm_counted_total{{netns="{name}",what="flows_opened"}} ' in have, f"counters of {name}")
            true(f'tcpfsm_service_close_wait{{netns="{name}",service="' in have, f"services of {name}")
            true(f'tcpfsm_events_lost_total{{netns="{name}"}} 0' in have, f"events of {name}")
        true(float(re.search(r"^tcpfsm_netns (\d+)$", have, re.M)[1]) >= len(HOSTS), "how many")
        done = subprocess.run(["promtool", "check", "metrics"], input=have, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        equal((done.returncode, done.stdout), (0, ""), "promtool check metrics")
    finally:
        p.terminate()
        equal(p.wait(10), 0, "exit status")
    close_to(*(s for both_ends in held for s in both_ends))


@test
def what_it_does_not_serve():
    with exporter("router"):
        for path, words, code in (("/", (), "200"), ("/nothing", (), "404"), ("/metrics", ("-d", "x"), "405"),
                                  ("/metrics", ("-I",), "200")):
            equal(get(path, "-o", "/dev/null", "-w", "%{http_code}", *words), code, path)
        for host, code in (("evil.example", "403"), ("localhost:9717", "200"), ("[::1]", "200")):
            equal(get("/state.json", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"Host: {host}"), code, host)
        code, out, err = status(TOOL, "export")
        equal((code, out), (2, ""), "the port is taken")
        true(f"cannot listen at {WHERE}" in err, err)
    for word in ("9717", "localhost:http", "1.2.3.4.5:1", ":"):
        code, out, err = status(TOOL, "export", "--listen", word)
        equal((code, out), (2, ""), err)
        true(f"'{word}'" in err and "--listen takes" in err, err)


@contextlib.contextmanager
def prometheus():
    """Scrapes every second and has our alerts. Yields a function: the answer to a query."""
    with open("/tmp/prometheus.yml", "w", encoding="ascii") as f:
        f.write("global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
                f"rule_files: ['{ALERTS}']\n"
                "scrape_configs:\n"
                f"  - {{job_name: tcpfsm, static_configs: [{{targets: ['{WHERE}']}}]}}\n")
    with within("router"):
        p = subprocess.Popen(["prometheus", "--config.file=/tmp/prometheus.yml",
                              "--storage.tsdb.path=/tmp/prometheus", "--web.listen-address=127.0.0.1:9090"],
                             stderr=subprocess.DEVNULL)

        def ask(what):
            code, out, _ = status("curl", "-sS", "http://127.0.0.1:9090/api/v1/" + what)
            return json.loads(out) if code == 0 and out.startswith("{") else {}

        try:
            until(lambda: ask("query?query=up").get("status") == "success", "Prometheus is up", 60)
            yield ask
        finally:
            p.terminate()
            p.wait()


@test
def a_prometheus_scrapes_it():
    """Values, alerts and every question of the dashboard."""
    held = quiet_flows()
    with exporter("router"), prometheus() as ask:
        def value(query):
            found = ask("query?query=" + urllib.parse.quote(query)).get("data", {}).get("result")
            return float(found[0]["value"][1]) if found else None

        until(lambda: value('tcpfsm_flows{side="resp",state="CLOSE_WAIT"}') == 3, "three in CLOSE_WAIT", 60)
        equal(value("up"), 1, "up")
        equal(value('sum(tcpfsm_service_close_wait)'), 3, "by services")
        equal(value('tcpfsm_build_info'), 1, "versions")
        close_to(*(s for ends in (pair(4, 9720) for _ in range(5)) for s in ends))
        until(lambda: value('tcpfsm_service_handshakes_total{service="10.0.2.1:9720"}') == 5, "five more", 60)
        rules = ask("rules")["data"]["groups"][0]["rules"]
        equal([r["health"] for r in rules], ["ok"] * 6, "rules")
        with open(DASHBOARD, encoding="ascii") as f:
            panels = json.load(f)["panels"]
        for panel in panels:
            for target in panel["targets"]:
                query = target["expr"].replace("$instance", ".*").replace("$__rate_interval", "1m")
                equal(ask("query?query=" + urllib.parse.quote(query)).get("status"), "success", query)
        true(value('tcpfsm_flow_pairs{orig="FIN_WAIT_2",resp="CLOSE_WAIT"}') == 3, "pairs")
    close_to(*(s for both_ends in held for s in both_ends))


@test
def alerts_fire_when_they_should():
    out = run("promtool", "check", "rules", ALERTS)
    true("6 rules found" in out, out)
    run("promtool", "test", "rules", os.path.join(HERE, "alerts.test.yaml"))


def browser(size, *words, address=None):
    code, out, err = status("timeout", "600", "chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
                            "--user-data-dir=/tmp/chromium", "--disable-dev-shm-usage", "--no-zygote",
                            "--virtual-time-budget=600000", f"--window-size={size}", *words,
                            address or f"http://{WHERE}/")
    equal(code, 0, err[-2000:])
    return out


@test
def a_browser_shows_the_page():
    """What its script made of the answers: counts on the states, services, what is stuck."""
    held = quiet_flows()
    traffic = Traffic()
    with exporter("router"):
        time.sleep(10)          # till they count as stuck
        page = browser("1200,1000", "--dump-dom")
        browser("390,844", "--screenshot=/tmp/page.png")
        true(os.path.getsize("/tmp/page.png") > 20000, "a picture on a phone")
    traffic.stop()
    counts = dict(re.findall(r'id="count ([A-Z_12]+)">([^<]*)<', page))
    equal(len(counts), 11, "states")
    # The three that are held, and what each thread of the traffic may be at.
    for state, side in (("CLOSE_WAIT", 1), ("FIN_WAIT_2", 0)):
        ends = [int(n) for n in counts[state].split(" / ")]
        true(ends[not side] == 0 and 3 <= ends[side] <= 3 + len(traffic.threads), f"{state}: {ends}")
    rates = dict(re.findall(r'id="rate ([A-Z_12]+&gt;[A-Z_12]+)">([^<]*)<', page))
    true(rates["SYN_SENT&gt;ESTABLISHED"] not in ("", "0/s"), rates)
    true("3 flows longer than 10 s" in page and "10.0.2.1:9700" in page, "what is stuck, and a service")
    true(not re.search(r'https?://(?!127|www\.w3\.org)', page), "nothing from elsewhere")
    close_to(*(s for both_ends in held for s in both_ends))


# Three windows with the page; what sticks out of them, and how high it is, is written into the title.
FRAMES = """<!doctype html><title>waiting</title>
<iframe width=390 height=800 src="page/"></iframe>
<iframe width=1400 height=800 src="page/"></iframe>
<iframe width=1920 height=800 src="page/"></iframe>
<script>
setTimeout(() => document.title = JSON.stringify([...document.querySelectorAll("iframe")].map(frame => {
	const page = frame.contentDocument, right = page.documentElement.clientWidth;
	return {
		rows: page.querySelectorAll("#stuck tr").length,
		out: [...page.querySelectorAll("body, section, td, th, svg.spark, text.rate")].filter(e =>
			e.getBoundingClientRect().right > right || e.scrollWidth > e.clientWidth + 1 &&
			e instanceof HTMLElement).map(e => e.outerHTML.slice(0, 100)),
		small: [...page.querySelectorAll("svg text")].map(e => parseFloat(frame.contentWindow.getComputedStyle(e)
			.fontSize) * e.ownerSVGElement.getScreenCTM().a).reduce((a, b) => Math.min(a, b)),
		high: page.documentElement.scrollHeight,
	};
})), 30000);
</script>"""


class Framed(http.server.BaseHTTPRequestHandler):
    """The exporter's page within frames of the same origin, which alone may look into it."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        if self.path.startswith("/page/"):
            with urllib.request.urlopen(f"http://{WHERE}/{self.path[6:]}") as answer:
                self.wfile.write(answer.read())
        else:
            self.wfile.write(FRAMES.encode())

    def log_message(self, *_):
        pass


@both
def the_page_fits_a_phone_and_a_wide_screen(v):
    held = quiet_flows(v)
    with exporter("router"), http.server.ThreadingHTTPServer(("127.0.0.1", 9718), Framed) as server:
        time.sleep(10)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = browser("2000,900", "--dump-dom", address="http://127.0.0.1:9718/")
        server.shutdown()
    phone, desk, wide = json.loads(html.unescape(re.search("<title>(.*?)</title>", page)[1]))
    for frame in (phone, desk, wide):
        equal((frame["rows"], frame["out"]), (4, []), "flows that are stuck, and what sticks out")
        true(frame["small"] > 9, f"the smallest letters: {frame['small']} pixels")
    true(wide["high"] < desk["high"] < phone["high"], f"{wide['high']}, {desk['high']}, {phone['high']}")
    close_to(*(s for both_ends in held for s in both_ends))


if __name__ == "__main__":
    main()
