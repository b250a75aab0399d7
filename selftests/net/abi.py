#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
What others rely on stays as it is: abi.golden lists the numbers of the uapi header, the columns of the
proc files, the keys of the tool's JSON, its exit statuses and the names of its metrics. What is
removed, renumbered or moved fails a test. What is added passes, with a note, and belongs into the file:

    scripts/abi         write it anew
    abi.py --print      what there is now, as the file has it
"""
import contextlib
import json
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import urllib.request

from bed import (TOOL, Failed, Skipped, close_to, equal, key_of, loaded, main, make_hosts, pair,
                 program, read, remove_hosts, reset, run, schema, status, sysctl, table, test, true,
                 until, within)
from bed.schema import documents

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, "abi.golden")
HEADERS = (os.path.join(HERE, "../../include/uapi/linux/tcpfsm.h"), "/usr/include/linux/tcpfsm.h")
FILES = ("states", "pairs", "transitions", "counters", "flows", "services", "dwell", "log")
PORT = 6100
# They count what stands before them, and grow with it.
COUNTS = ("TCPFSM_CAUSES", "TCPFSM_REASONS")
MACROS = ("TCPFSM_MOVE(1, 1, 2, 3, 4, 5)", "TCPFSM_MOVE_FROM(0xfedcba98)",
          "TCPFSM_MOVE_TO(0xfedcba98)", "TCPFSM_MOVE_CAUSE(0xfedcba98)",
          "TCPFSM_MOVE_END(0xfedcba98)", "TCPFSM_MOVE_FLAGS(0xfedcba98)",
          "TCPFSM_MOVE_STEP(0xfedcba98)")


# ---- what there is ----

def uapi():
    """The compiler says what each name of the header is worth."""
    header = next((h for h in HEADERS if os.path.exists(h)), None)
    if not header:
        raise Skipped("no linux/tcpfsm.h")
    with open(header, encoding="utf-8") as f:
        text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
    names = re.findall(r"^#define (TCPFSM_\w+)[ \t]+\S", text, re.M)
    for body in re.findall(r"enum \w*\s*{(.*?)}", text, re.S):
        names += re.findall(r"^\s*(TCPFSM_\w+)", body, re.M)
    grown = set(re.findall(r"^#define (\w+) \(__\w+_MAX - 1\)", text, re.M)) | set(COUNTS)
    names = [name for name in names if name not in grown] + list(MACROS)
    strings = set(re.findall(r'^#define (\w+)\s+"', text, re.M))
    lines = "".join(f'\tprintf("%s %{"s" if n in strings else "lld"}\\n", "{n}", '
                    f'{"" if n in strings else "(long long)"}{n});\n' for n in names)
    with tempfile.TemporaryDirectory() as work:
        source, program = os.path.join(work, "abi.c"), os.path.join(work, "abi")
        with open(source, "w", encoding="utf-8") as f:
            f.write(f'#include <stdio.h>\n#include "{os.path.abspath(header)}"\n'
                    f"int main(void)\n{{\n{lines}\treturn 0;\n}}\n")
        run("cc", "-o", program, source)
        return [f"uapi {line}" for line in run(program).splitlines()]


def proc():
    """Columns are only ever appended."""
    return [f"proc {file} {number} {column}" for file in FILES
            for number, column in enumerate(read("router", file).splitlines()[0].split())] + \
        [f"proc counters name {row['name']}" for row in table("router", "counters")]


def paths(value, at=""):
    """Every key of an object, and of what it holds."""
    if isinstance(value, list):
        for item in value:
            yield from paths(item, f"{at}[]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield f"{at}.{key}" if at else key
            yield from paths(item, f"{at}.{key}" if at else key)


def tool(*words):
    return ("ip", "netns", "exec", "router", TOOL, *words)


def connections(v):
    """One that lives, and those that ended with FIN and with RST."""
    c, s = pair(v, PORT)
    c.sendall(b"x")
    close_to(c, s)
    c, s = pair(v, PORT)
    reset(c)
    s.close()
    return pair(v, PORT)


def capture(path):
    """Some connections as Ethernet frames in a file."""
    with within("router"):
        ear = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    with ear:
        ear.bind(("to-client", 0))
        c, s = connections(4)
        close_to(c, s)
        ear.settimeout(0.5)
        with open(path, "wb") as f, contextlib.suppress(TimeoutError):
            f.write(struct.pack("=IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
            while True:
                frame = ear.recv(65535)
                f.write(struct.pack("=IIII", 1, 0, len(frame), len(frame)) + frame)


def keys():
    """Of each verb that speaks JSON, where there is something to say."""
    found = set()
    with tempfile.TemporaryDirectory() as work:
        record = os.path.join(work, "record")
        with program(*tool("-j", "monitor", "--record", record), stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE, text=True) as monitor, \
             program(*tool("-j", "monitor", "--flows"), stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE, text=True) as ends:
            for process in (monitor, ends):
                process.stderr.readline()       # it follows
            sysctl("router", "timeout_closed", 1)
            c, s = connections(4)
            key = key_of(4, c, PORT)
            for words in (("states",), ("pairs",), ("transitions",), ("flows",), ("services",),
                          ("counters",), ("dwell",), ("log",), ("graph",), ("doctor",),
                          ("count", "src,dst,sport,dport,service,pair"), ("count", "reason,flags,uid"),
                          ("top", "-b", "-c", "1", "-i", "100ms"),
                          ("flow", f"{key[0]}:{key[1]}", f"{key[2]}:{key[3]}")):
                code, out, err = status(*tool("-j", *words))
                if not out:
                    raise Failed(f"{words}: status {code}, {err}")
                for document in documents(out):
                    found |= {f"json {words[0]} {path}" for path in paths(document)}
            for words in (("flow", f"{key[0]}:{key[1]}"), ("flows", "-p"), ("count", "process,state")):
                out = run("ip", "netns", "exec", "client", TOOL, "-j", *words)
                found |= {f"json {words[0]} {path}" for document in documents(out)
                          for path in paths(document)}
            close_to(c, s)
            first = {ends: ends.stdout.readline()}
            for process, name in ((monitor, "monitor"), (ends, "monitor --flows")):
                process.terminate()
                text = first.get(process, "") + process.communicate()[0]
                schema.hold(process.args, text)
                for line in text.splitlines():
                    found |= {f"json {name} {path}" for path in paths(json.loads(line))}
        pcap = os.path.join(work, "pcap")
        capture(pcap)
        for words, file in (((), record), ((), pcap), (("-q", "--flows"), pcap),
                            (("-q", "--counters"), pcap), (("--by", "src,dport"), pcap)):
            name = " ".join(("replay", *words, "of a", os.path.basename(file)))
            for document in documents(status(*tool("-j", "replay", *words, file))[1]):
                found |= {f"json {name} {path}" for path in paths(document)}
    return sorted(found)


def exits():
    """As grep's: 0 found, 1 nothing found, 2 it did not work."""
    c, s = pair(4, PORT)
    with c, s:
        commands = (("states",), ("flows", "dport", f"= :{PORT}"), ("flows", "dport = :1"),
                    ("flows", "nonsense"), ("nonsense",), (), ("--help",), ("--version",),
                    ("flow", "1000000000"), ("log", "dport = :1"), ("replay", "/nonexistent"),
                    ("states", "--nonsense"), ("-N", "nonesuch", "states"))
        return [f"exit {status(*tool(*words))[0]} {' '.join(('tcpfsm', *words))}" for words in commands]


def metrics():
    """Names and kinds, as Prometheus reads them."""
    c, s = connections(4)
    with c, s, subprocess.Popen(tool("export"), stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL) as export:
        try:
            with within("router"):
                def scrape():
                    try:
                        with urllib.request.urlopen("http://127.0.0.1:9717/metrics") as page:
                            return page.read().decode()
                    except (OSError, socket.error):
                        return None
                text = until(scrape, "it serves")
        finally:
            export.terminate()
    found = {f"metric {m[0]} {m[1]}" for m in re.findall(r"^# TYPE (\S+) (\S+)", text, re.M)}
    found |= {f"metric {m[0]} label {label}" for m in re.findall(r"^(\w+){(.*?)} ", text, re.M)
              for label in re.findall(r'(\w+)="', m[1])}
    return sorted(found)


KINDS = {"uapi": uapi, "proc": proc, "json": keys, "exit": exits, "metric": metrics}


# ---- held against the file ----

def compare(kind):
    with open(GOLDEN, encoding="utf-8") as f:
        want = [line for line in f.read().splitlines() if line.startswith(f"{kind} ")]
    have = KINDS[kind]()
    added = [line for line in have if line not in want]
    gone = [line for line in want if line not in have]
    if added:
        print("# new, for scripts/abi to write down:", *added, sep="\n#   ")
    if not want or gone:
        raise Failed("gone, or with another number:\n" + "\n".join(gone))


@test
def numbers_of_the_uapi_header():
    compare("uapi")


@test
def columns_of_proc_files_and_names_of_counters():
    compare("proc")


@test
def keys_of_json():
    compare("json")


@test
def every_command_has_its_schema():
    if not (whole := schema.load()):
        raise Skipped("the schema is not installed")
    schema.check_itself()
    known, seen = whole["$defs"], set()
    for command in re.findall(r"^  ([a-z]+) ", run(TOOL, "--help").split("Options")[0], re.M):
        has = "--json" in run(TOOL, command, "--help")
        if has and command != "live":       # it prints what replay does
            seen.add(command)
    equal(seen - set(known), set(), "commands with --json, but without a schema")
    equal({name.split("-")[0] for name in known if "-" in name} - seen, set(), "schemas of no command")
    text = json.dumps(whole)
    equal({name for name in known if f'"#/$defs/{name}"' not in text} - seen -
          {name for name in known if name.split("-")[0] in seen}, set(), "parts that nothing refers to")
    c, s = connections(4)
    with within("router"):
        # run() holds each against its schema.
        for words in (("states", "--explain"), ("states", "-A"), ("pairs", "-A"), ("transitions", "--explain"),
                      ("transitions", "-A"), ("counters", "--explain"), ("counters", "-A"), ("dwell", "-A"),
                      ("flows", "--explain"), ("flows", "-A", "-p"), ("services", "-A"), ("log", "-A", "-p"),
                      ("graph", "-i", "10ms"), ("graph", "-A"), ("count", "-A", "netns,src/24,state"),
                      ("doctor", "-A"), ("top", "-A", "-b", "-c", "1", "-i", "100ms")):
            true(documents(run(TOOL, "-j", *words, check=False)), f"{words}: no JSON")
    close_to(c, s)
    try:
        schema.hold((TOOL, "-j", "flows"), '{"flow": 1}')
    except Failed:
        return
    raise Failed("a flow without anything passes")


@test
def exit_statuses():
    compare("exit")


@test
def names_of_metrics():
    compare("metric")


def print_all():
    print("# SPDX-License-Identifier: GPL-2.0\n# What abi.py holds the module and the tool against; "
          "scripts/abi writes it.")
    with loaded():
        make_hosts()
        for collect in KINDS.values():
            print(*collect(), sep="\n")
        remove_hosts()


if __name__ == "__main__":
    if sys.argv[1:] == ["--print"]:
        print_all()
    else:
        main()
