# SPDX-License-Identifier: GPL-2.0
"""What all tests agree on: the hosts and their addresses, TCP's control bits, where programs are."""
import os
import shutil
import socket

HOSTS = ("client", "router", "server")
ADDR = {4: {"client": "10.0.1.1", "server": "10.0.2.1"},
        6: {"client": "fd01::1", "server": "fd02::1"}}
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
TESTS_DIR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
TOP = os.path.join(TESTS_DIR, "../..")


def first(*paths):
    """The first of these paths that exists, or None."""
    return next((path for path in paths if path and os.path.exists(path)), None)


# Without TCPFSM_KO, the host's own module is loaded with modprobe.
MODULE = os.environ.get("TCPFSM_KO")
TOOL = first(os.environ.get("TCPFSM_TOOL"), os.path.join(TOP, "tools/tcpfsm"), shutil.which("tcpfsm"))
TALK, FLOOD = (first(os.path.join(TESTS_DIR, name), os.path.join(TOP, "build/net", name))
               for name in ("talk", "flood"))
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CLONE_NEWNET = 0x40000000
SEED = 1
FLAGS = ("midstream", "unconfirmed", "gap", "one-way", "corrected", "offloaded", "forwarded",
         "local-orig", "local-resp", "synack-resent", "reanchored", "suspect",
         "syn-pending", "unreachable", "mtu")
CLIENT_OPEN = "SYN_SENT ESTABLISHED"
SERVER_OPEN = "LISTEN SYN_RCVD ESTABLISHED"
FIRST = "FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT"
SECOND = "CLOSE_WAIT LAST_ACK CLOSED"
