# SPDX-License-Identifier: GPL-2.0
"""RFC 9293, figures 8 to 11, with sockets."""
import contextlib

from bed import (ACK, ADDR, CLIENT_OPEN, Counted, HOSTS, RST, SERVER_OPEN, SYN, both, close_to,
                 connect, dropped, equal, everywhere, key_of, listen, log_of, pair, pairs_are,
                 stream, talk, vanish, wire, wire_into)
from .common import UP, attacker


@both
def old_syn_reaches_the_server_while_the_client_opens(v):
    """Figure 8: the client, in SYN_SENT, answers the bad ACK with a RST and stays."""
    with contextlib.closing(listen("server", v, 7010)) as listener, attacker():
        c = stream("client", v)
        key = key_of(v, c, 7010)
        with wire_into(v, c, 7010) as w:
            since = Counted()
            with dropped("router", "iifname to-client tcp flags & syn == syn"):
                c.setblocking(False)
                c.connect_ex((ADDR[v]["server"], 7010))
                pairs_are(key, "SYN_SENT:LISTEN", hosts=("client",))
                w.send("client", SYN, 90, via="attacker")
                everywhere(key, "SYN_SENT CLOSED", "LISTEN SYN_RCVD LISTEN", ("router", "server"))
                pairs_are(key, "SYN_SENT:LISTEN", hosts=("client",))
                since.grew(synack_bad_ack=(1, 0, 0), rst_unproven=(1, 0, 0), stale_syn=(0, 1, 1))
        s, _ = listener.accept()
        c.settimeout(10)
        talk(c, s)
        everywhere(key, CLIENT_OPEN, SERVER_OPEN)
        equal(len({r["flow"] for r in log_of("client", key)}), 1, "flows at the client")
        close_to(c, s)


@both
def bad_ack_in_syn_rcvd_is_answered_with_rst(v):
    """The server's socket resets the ACK's number and goes on waiting."""
    with contextlib.closing(listen("server", v, 7011)), \
         wire(v, dport=7011, mute=("client",)) as w:
        w.listen("client")
        w.send("client", SYN, 1000)
        flags, isn, ack = w.hear("client")
        equal((flags, ack), (SYN | ACK, 1001))
        since = Counted()
        w.send("client", ACK, 1001, isn + 7777)
        equal(w.hear("client")[:2], (RST, isn + 7777))
        since.grew(handshake_ack=1, rst_unproven=1)
        pairs_are(w.key, "SYN_SENT:SYN_RCVD")
        w.send("client", ACK, 1001, isn + 1)
        everywhere(w.key, CLIENT_OPEN, SERVER_OPEN)


@both
def peer_rebooted_and_connects_anew(v):
    """Figure 9: its SYN meets the old connection; ACK, RST, and the SYN again."""
    with contextlib.closing(listen("server", v, 7012)) as listener:
        c = connect("client", v, 7012)
        old, _ = listener.accept()
        key = key_of(v, c, 7012)
        port = c.getsockname()[1]
        pairs_are(key, UP)
        since = Counted()
        vanish(c)
        c = stream("client", v, port)
        c.connect((ADDR[v]["server"], 7012))
        s, _ = listener.accept()
        talk(c, s)
        since.grew(syn_pending=1, ended_rst=1)
        everywhere(key, f"{CLIENT_OPEN} CLOSED", f"{SERVER_OPEN} CLOSED", incarnation=-2)
        everywhere(key, CLIENT_OPEN, SERVER_OPEN)
        close_to(c, s, old)


@both
def peer_rebooted_and_is_sent_data(v):
    """Figure 10: the rebooted host resets a connection that it does not know."""
    c, s = pair(v, 7013)
    key = key_of(v, c, 7013)
    pairs_are(key, UP)
    vanish(c)
    s.send(b"hello")
    everywhere(key, f"{CLIENT_OPEN} CLOSED", f"{SERVER_OPEN} CLOSED")
    for name in HOSTS:
        equal([r["cause"] for r in log_of(name, key)[-2:]], ["SND_RST", "RCV_RST"], name)
    s.close()


@both
def old_syn_between_two_listeners(v):
    """Figure 11: the client's port listens too; it resets what it did not ask for."""
    with contextlib.closing(listen("server", v, 7014)), \
         contextlib.closing(listen("client", v, 7015)), wire(v, 7015, 7014, mute=()) as w:
        since = Counted()
        w.send("client", SYN, 90)
        everywhere(w.key, "SYN_SENT CLOSED", "LISTEN SYN_RCVD LISTEN")
        since.grew(stale_syn=1)
