#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What the player of scenarios says of a file that is wrong, and of an engine that does otherwise."""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../net"))
# pylint: disable=wrong-import-position
from bed import equal, planned, run_all, test, true

PLAYER = os.path.join(HERE, "../../build/core/rules")
SYN = "> S 100 | SYN_SENT:LISTEN"


def play(files):
    """Exit status and output for a directory of files, by their names."""
    with tempfile.TemporaryDirectory() as directory:
        for name, text in files.items():
            with open(os.path.join(directory, name), "w", encoding="ascii") as f:
                f.write(text)
        done = subprocess.run([PLAYER, directory], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False)
    return done.returncode, done.stdout


def fails(line, *words):
    """The line, which is the third, makes the test fail, and its place and these words are told."""
    status, out = play({"wrong.tfsm": f"# One line.\n{SYN}\n{line}\n{SYN} syn_retrans\n"})
    equal(status, 1, f"{line}: {out}")
    true("\nnot ok 1 wrong\n" in out, f"{line}: {out}")
    told = [text for text in out.splitlines() if "wrong.tfsm:3: " in text]
    equal(len(told), 1, f"{line}: {out}")
    for word in words:
        true(word in told[0], f"{line}: {word}: {out}")


@test
def right_scenario_passes():
    status, out = play({"right.tfsm": f"# One line.\n{SYN}\n", "note.txt": "no scenario\n"})
    equal((status, out), (0, "TAP version 13\n1..1\nok 1 right\n"))


@test
def segment_that_is_none():
    fails("> 100 | CLOSED:CLOSED", "'100'", "letters of SFRPAU")
    fails("> SX 100 | CLOSED:CLOSED", "'SX'", "letters of SFRPAU")
    fails("> S | CLOSED:CLOSED", "missing", "a sequence number")
    fails("> S 1e3 | CLOSED:CLOSED", "'1e3'", "a sequence number")
    fails("> S 4294967296 | CLOSED:CLOSED", "'4294967296'", "a sequence number")
    fails("> A 100 | CLOSED:CLOSED", "missing", "the number that it acknowledges")
    fails("> S 100 101 | CLOSED:CLOSED", "'101'", "len=")
    fails("> S 100 ws=15 | CLOSED:CLOSED", "'ws=15'", "ws=0-14")
    fails("> S 100 long=1 | CLOSED:CLOSED", "'long=1'", "len=")
    fails(">S 100 | CLOSED:CLOSED", "'>S'", "a direction")


@test
def expectation_is_missing():
    fails("> S 100", "missing", "| and the pair")
    fails("> S 100 |", "missing", "ORIG:RESP")
    fails("expire", "missing", "| and the pair")
    status, out = play({"empty.tfsm": "# Nothing.\n"})
    equal(status, 1, out)
    true("the scenario expects nothing" in out, out)
    status, out = play({"silent.tfsm": f"# SPDX-License-Identifier: GPL-2.0\n{SYN}\n"})
    equal(status, 1, out)
    true("silent.tfsm:2: no comment" in out, out)


@test
def word_that_is_unknown():
    fails("> S 100 | SYN_SENT:LISTENING", "'LISTENING'", "SYN_RCVD")
    fails("> S 100 | SYN_SENT", "'SYN_SENT'", "ORIG:RESP")
    fails("> S 100 | SYN_SENT:LISTEN resent", "'resent'", "syn_retrans")
    fails("expires | CLOSED:CLOSED", "'expires'", "expire, gone")
    fails("gone client | CLOSED:CLOSED", "'client'", "orig resp")
    fails("gone | CLOSED:CLOSED", "''", "orig resp")
    fails("path orig SYN_SEND", "'SYN_SEND'", "SYN_SENT")
    fails("path orig", "missing", "SYN_SENT>ESTABLISHED")
    fails("reason boredom", "'boredom'", "rst-orig")
    fails("before boredom", "'boredom'", "rst-orig")
    fails("flows many", "'many'", "the number of flows")
    fails("flags !odd", "'odd'", "midstream")
    fails("flags", "''", "midstream")
    fails("facts orig !odd", "'odd'", "SYN_ACKED")
    fails("class new", "'new'", "time_wait")
    fails("orig client", "'client'", "> or <")
    fails("set memory", "'memory'", "rfc1337 no-memory")
    fails("local orig OPEN", "'OPEN'", "ESTABLISHED")
    fails("local orig FIN_WAIT_1 end=5", "'end=5'", "fin=")


@test
def word_too_many():
    fails("blind now", "'now'", "the end of the line")
    fails("flows 1 2", "'2'", "the end of the line")
    fails("expire orig | SYN_SENT:LISTEN", "'orig'", "the end of the line")


@test
def outcome_that_is_another():
    fails("> S 100 | SYN_SENT:SYN_RCVD", "SYN_SENT:LISTEN, not SYN_SENT:SYN_RCVD")
    fails("> S 100 | -", "SYN_SENT:LISTEN, not -")
    fails("> S 100 | SYN_SENT:LISTEN syn_pending", "syn_pending does not hold")
    fails("> S 100 | SYN_SENT:LISTEN no-notes", "no-notes does not hold")
    fails("> S 100 | SYN_SENT:LISTEN a-refusal", "a-refusal does not hold")
    fails("> SF 100 | SYN_SENT:LISTEN no-refusal", "no-refusal does not hold")
    fails("path orig SYN_SENT>CLOSED", "the path of orig is SYN_SENT")
    fails("path orig SYN_SENT!", "the path of orig is SYN_SENT")
    fails("reason fin", "the reason is -, not fin")
    fails("before fin", "the reason is -, not fin")
    fails("flows 2", "1 flows, not 2")
    fails("flags gap", "gap does not hold")
    fails("facts orig !SYN", "!SYN does not hold")
    fails("class closed", "opening, not closed")
    fails("orig <", "orig sends >")


@test
def mirror_exchanges_what_is_below_it():
    """The player says the same of both tests, so each word below has to be exchanged."""
    opened = f"# One line.\n{SYN}\n< SA 300 101 | SYN_SENT:SYN_RCVD\n"
    opened += "> A 101 301 | ESTABLISHED:ESTABLISHED\n"
    closed = "> FA 101 301 | FIN_WAIT_1:ESTABLISHED\n< A 301 102 | FIN_WAIT_2:CLOSE_WAIT\n"
    reset = "> R 102 | CLOSED:CLOSED\nreason rst-orig\n"
    orig = "path orig SYN_SENT>ESTABLISHED>FIN_WAIT_1>FIN_WAIT_2>CLOSED\n"
    status, out = play({"both.tfsm": opened + "mirror\n" + closed + reset + orig})
    equal((status, out), (0, "TAP version 13\n1..2\nok 1 both\nok 2 both.mirrored\n"))
    for wrong in (closed.replace("FIN_WAIT_2", "FIN_WAIT_1"),
                  closed + reset.replace("-orig", "-resp"),
                  closed + reset + orig.replace(">FIN_WAIT_2", "")):
        status, out = play({"both.tfsm": opened + "mirror\n" + wrong})
        told = [line for line in out.splitlines() if "tfsm:" in line]
        equal((status, len(told), told[0]), (1, 2, told[-1]), out)
    status, out = play({"both.tfsm": f"# One line.\n{SYN}\nmirror\n"})
    equal(status, 1, out)
    equal(out.count("'mirror' should be where both ends are in the same state"), 2, out)


@test
def same_name_twice():
    with tempfile.TemporaryDirectory() as directory:
        for subject in ("a", "b"):
            os.mkdir(os.path.join(directory, subject))
            with open(os.path.join(directory, subject, "same.tfsm"), "w", encoding="ascii") as f:
                f.write(f"# One line.\n{SYN}\n")
        done = subprocess.run([PLAYER, directory], stdout=subprocess.PIPE, text=True, check=False)
    equal(done.returncode, 1, done.stdout)
    true("a/same.tfsm" in done.stdout and "not ok 2 same" in done.stdout, done.stdout)


@test
def no_scenario_at_all():
    for words in ((), ("--help",), (os.path.join(HERE, "../net/bed"),), ("/nonexistent",),
                  (os.path.join(HERE, "scenarios"), "no_such_name")):
        done = subprocess.run([PLAYER, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, check=False)
        equal((done.returncode, done.stdout), (2, ""), str(words))
        true("rules" in done.stderr, done.stderr)


if __name__ == "__main__":
    sys.exit(1 if run_all(planned()) else 0)
