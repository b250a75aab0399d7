# SPDX-License-Identifier: GPL-2.0
"""
Three hosts as network namespaces, a test program in the middle of them, and TAP.

    client ------------- router ------------- server
    10.0.1.1/24   10.0.1.2  10.0.2.2   10.0.2.1/24
    fd01::1/64    fd01::2   fd02::2    fd02::1/64

One process enters whichever namespace it needs, so that a scenario reads from top to bottom.
"""
from .command import Monitor, stream_of, tool
from .consts import (ACK, ADDR, CLIENT_OPEN, FAMILY, FIN, FIRST, FLAGS, FLOOD, HOSTS, MODULE, PSH,
                     RST, SECOND, SEED, SERVER_OPEN, SYN, TALK, TOOL)
from .hosts import (address, default_route, delay, dropped, extra_host, forwards, link, make_hosts,
                    muted, nft, remove_hosts, setting, written)
from .ksft import KSFT_SKIP, Failed, Skipped, TESTS, both, equal, planned, run_all, test, true
from .main import main, main_bare, skip_all
from .netlink import (COUNTER_GET, FLOW_GET, LOG_GET, SERVICE_GET, STATS_GET, Dump, Listener, ask_for_flows,
                      attribute, attributes_of, family, group_number, number_in)
from .netns import add_host, guests, libc, setns, within
from .sock import (Traffic, close_to, connect, connect_many, listen, numbers, pair, received, repaired, reset,
                   stream, talk, vanish)
from .tcpfsm import (Counted, counters, entries, everywhere, flags_of, flow, forget_flows, is_tuple, key_of,
                     load, load_command, loaded, log_of, max_flows, pair_of, pairs_are, path, read, sysctl,
                     table, timeout, tuple_of, unload)
from .utils import backlog, deep, one_cpu, program, run, status, until, write
from .wire import Wire, checksum, flood, syns, wire, wire_into
