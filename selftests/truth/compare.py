# SPDX-License-Identifier: GPL-2.0
"""
What tcpfsm showed at a place, held against what the sockets did: in order, incarnation by
incarnation. A place is the endpoint's own host, the router, or the far host. The kinds of
difference, all of them among the limits in mod/README.md:

    silent      the socket ended without a segment: shown when the stack is asked (GONE), at its own
                host; elsewhere the flow times out
    above       segments that passed the hook and were refused above it: a full accept queue, a
                request socket that gave up, or data after close(), which a RST answered
    queued-fin  a FIN that waited behind data when the peer's FIN came: the socket says FIN_WAIT_1 >
                CLOSING, the wire CLOSE_WAIT > LAST_ACK; or when a RST came: it never passed
    unacked     a FIN that the socket took, and a RST came before it acknowledged it
    holes       the peer's FIN lay behind more than one hole: when they were filled is not followed, so
                that FIN_WAIT_2 and CLOSING may be taken for each other
    joined      the peer's FIN and its ACK of ours met a socket in use, which keeps segments for later
                and joins them: it took both at once, FIN_WAIT_2, where one by one they make CLOSING
    revived     a segment that came late, after its connection's end, carried a SYN cookie that was
                still good: the server's socket is there again until a RST answers it, or nobody has
                accepted it when its listener closes
    order       not at its own host, and only where segments are lost or overtaken: SYNs, FINs and
                their ACKs passed here in another order than they reached the endpoint
    ahead       not at its own host, and only where segments are lost: one that passed here got lost
                behind us
    behind      likewise: one that never passed here, or for which another stood

Anything else is unexplained.
"""
import collections

from sockets import HANDED_OVER

KINDS = ("equal", "silent", "above", "queued-fin", "unacked", "holes", "joined", "revived", "order",
         "ahead", "behind", "UNEXPLAINED")
PLACES = ("own", "router", "far")
TAPS = "taps"       # one more, where links have them: see taps.py
LIMITED = ("queued-fin", "unacked", "holes", "joined", "revived")    # at the own host, to their share:
MOST = 0.001
HEAVY = ("loss 20%",)       # a FIN then often waits behind data that is lost
MOST_HEAVY = 0.06


class Shown:
    """One flow's end, as tcpfsm showed it."""

    def __init__(self, rows):
        self.path = []
        self.gone = False
        self.reset = False
        self.sent_rst = False
        for r in rows:
            if r["to"] == "LISTEN" or r["cause"] == "EXPIRE":
                continue        # presumed, and a time-wait socket's: no socket says these
            self.gone |= r["cause"] == "GONE"
            self.reset |= r["cause"] == "RCV_RST"
            self.sent_rst |= r["cause"] == "SND_RST"
            if r["cause"] == "SND_FIN_FIRST":       # CLOSE_WAIT was FIN_WAIT_1
                self.path[-1] = "FIN_WAIT_1"
            if r["cause"] == "RESUME" and self.path:    # the RST was none
                self.path.pop()
                if self.path and self.path[-1] == r["to"]:
                    continue
            if r["cause"] == "NO_FIN" and r["to"] in self.path:     # it was inferred wrongly
                while self.path[-1] != r["to"]:
                    self.path.pop()
                continue
            self.path.append(r["to"])

    def half_open(self):
        """Only a request socket can have stood for it."""
        return all(state in ("SYN_RCVD", "CLOSED") for state in self.path)


def shown(log):
    """{tuple as the endpoint sees itself: [Shown, ...]} by the log of a place."""
    flows = collections.defaultdict(list)
    for r in log:
        key = (r["src"], r["sport"], r["dst"], r["dport"])
        if r["end"] == "resp":
            key = key[2:] + key[:2]
        flows[key, int(r["flow"])].append(r)
    ends = collections.defaultdict(list)
    for (key, _), rows in flows.items():
        ends[key].append(Shown(rows))
    return ends


def rows_of(log, key):
    """What was logged of a tuple, seen from either end, in words."""
    return [f"{r['time']} flow {r['flow']} {r['end']} {r['from']} > {r['to']} {r['cause']}"
            for r in log
            if {(r["src"], r["sport"]), (r["dst"], r["dport"])} == {key[:2], key[2:]}]


def up_to_the_end(path):
    for i, state in enumerate(path):
        if state in ("TIME_WAIT", "CLOSED", HANDED_OVER):
            return path[:i + 1]
    return path


def same(want, have):
    """No tracepoint tells what a time-wait socket does, or one that gave up."""
    if want[-1] == HANDED_OVER:
        head = want[:-1]
        return have[:len(head)] == head and have[len(head):] in ([], ["TIME_WAIT"], ["CLOSED"])
    return want == have


def subsequence(short, long):
    steps = iter(long)
    return all(state in steps for state in short)


ENDS = ("TIME_WAIT", "CLOSED", HANDED_OVER)
SWAP = {"CLOSE_WAIT": "FIN_WAIT_1", "LAST_ACK": "CLOSING"}
SENT_FIN = {"FIN_WAIT_1", "FIN_WAIT_2", "CLOSING", "LAST_ACK", "TIME_WAIT"}
TOOK_FIN = {"CLOSE_WAIT", "LAST_ACK", "CLOSING", "TIME_WAIT"}


def queued_fin(want, have, end):
    """The socket has closed, and its FIN has not left yet."""
    not_yet = ENDS if "ESTABLISHED" in want else ENDS + ("ESTABLISHED",)    # close() in SYN_RCVD
    closed = [x for x in want if x not in not_yet]
    if not_yet != ENDS and [x for x in have if x not in not_yet] == closed:
        return "queued-fin"
    if "CLOSE_WAIT" in have and "FIN_WAIT_1" in want and \
       [SWAP.get(x, x) for x in have if x not in not_yet] in (closed, closed[:-1]):
        return "queued-fin"
    if len(want) > 1 and want[-1] == "CLOSED" and want[-2] in ("FIN_WAIT_1", "LAST_ACK"):
        if have == want[:-2]:
            return "silent"
        if have == want[:-2] + ["CLOSED"]:
            return "silent" if end.gone else "queued-fin"
    return None


def did(path):
    """What an end did, whatever the order: did it send and take a FIN?"""
    states = {"TIME_WAIT" if state == HANDED_OVER else state for state in path}
    return bool(states & SENT_FIN), bool(states & TOOK_FIN)


def did_no_more(have, want):
    return all(shows <= done for shows, done in zip(did(have), did(want)))


def overtaken_by_rst(want, have, end):
    """A RST overtook what was sent before it. A socket handed over may have ended by one, too."""
    return (end.reset or end.sent_rst) and have[-1] == "CLOSED" and \
        want[-1] in ("CLOSED", HANDED_OVER) and did_no_more(have, want)


def elsewhere(want, have):
    """
    At another place than the endpoint's own host, with losses on the way. Whatever the order, an
    end is never shown to have sent or taken a FIN that it has not.
    """
    if not did_no_more(have, want):
        return "UNEXPLAINED"
    want = [x for x in want if x not in ENDS]
    ended = have[-1:] == ["CLOSED"]
    have = [x for x in have if x not in ENDS]
    if have == want:
        return "ahead" if ended else "behind"
    if have[:len(want)] == want:
        return "ahead"
    if subsequence(have, want):
        return "ahead" if ended else "behind"
    return "order"


def kind_of(want, end, own, lossy, disordered):
    """A documented kind of difference, or UNEXPLAINED."""
    have = up_to_the_end(end.path)
    if same(want, have):
        return "silent" if end.gone else "equal"
    if want[-1] == "CLOSED" and have == want[:-1]:
        return "silent"
    if own or not (lossy or disordered):
        kind = queued_fin(want, have, end)
        if kind:
            return kind
        if same(want, ["FIN_WAIT_2" if x == "CLOSING" else x for x in have]):
            return "holes" if lossy or disordered else "joined"
    if own:
        return at_home(want, have, end, lossy or disordered)
    if lossy:
        return elsewhere(want, have)
    if disordered and (did(want) == did(have) or overtaken_by_rst(want, have, end)):
        return "order"
    return "UNEXPLAINED"


def at_home(want, have, end, disturbed):
    """At the endpoint's own host all that it sent and took has passed."""
    if have[:len(want)] == want and want[-1] != "CLOSED":
        return "above"
    if want[-1:] == ["CLOSED"] == have[-1:]:     # of one that never moved, there is none
        if have[:-2] == want[:-1] and end.sent_rst:
            return "above"
        if want[:-2] == have[:-1] and want[-2] in ("CLOSE_WAIT", "CLOSING") and end.reset:
            return "unacked"
    either = {"FIN_WAIT_2": "CLOSING"}
    if disturbed and same([either.get(x, x) for x in want], [either.get(x, x) for x in have]):
        return "holes"
    return "UNEXPLAINED"


COST = {"equal": 0, "silent": 1, "UNEXPLAINED": 12}
HALF_OPEN, NO_SOCKET, NO_FLOW = 0.5, 8, 8
CONNECT_FAILED = ["SYN_SENT", "CLOSED"]


def align(lives, ends, kind):
    """Pairs of (incarnation or None, shown or None), in order, at the least cost."""
    cost = [[0] * (len(ends) + 1) for _ in range(len(lives) + 1)]
    step = [[None] * (len(ends) + 1) for _ in range(len(lives) + 1)]
    for i in range(len(lives) + 1):
        for j in range(len(ends) + 1):
            ways = []
            if i and j:
                ways.append((cost[i - 1][j - 1] + COST.get(kind(lives[i - 1], ends[j - 1]), 2),
                             (1, 1)))
            if i:
                alone = HALF_OPEN if lives[i - 1].path == CONNECT_FAILED else NO_FLOW
                ways.append((cost[i - 1][j] + alone, (1, 0)))
            if j:
                alone = HALF_OPEN if ends[j - 1].half_open() else NO_SOCKET
                ways.append((cost[i][j - 1] + alone, (0, 1)))
            if ways:
                cost[i][j], step[i][j] = min(ways)
    pairs = []
    i, j = len(lives), len(ends)
    while i or j:
        di, dj = step[i][j]
        pairs.append((lives[i - 1] if di else None, ends[j - 1] if dj else None))
        i, j = i - di, j - dj
    return pairs[::-1]


def without_socket(end, own, host, disturbed):
    """The kind of a flow's end that no socket was made for, or had been."""
    if end.half_open():
        return "half-open"          # a request socket: not told
    if own and host == "server":
        return "above"              # nobody accepted it
    if not own and (disturbed or host == "server"):
        return "ahead"
    return "UNEXPLAINED"


def without_flow(life, own, lossy, again):
    """The kind of a socket of which nothing was seen."""
    if life.path == CONNECT_FAILED and again:
        return "silent"             # connect() refused a port in use
    if not own and lossy:
        return "behind"             # no segment of it arrived
    return "UNEXPLAINED"


def revived(life, end):
    """A server's socket from a late segment: not seen, or seen midstream once it speaks."""
    if life.path[:2] != ["SYN_RCVD", "ESTABLISHED"]:
        return False
    if end:
        return up_to_the_end(end.path) == up_to_the_end(life.path)[-len(end.path):]
    return not set(life.path) & SENT_FIN


def met(path, midstream):
    """What of a socket's path a place can have seen: of one that it met midstream, what is left."""
    path = up_to_the_end(path)
    return path[path.index("ESTABLISHED"):] if midstream and "ESTABLISHED" in path else path


def place_of(observer, host):
    """Where the observer is, seen from an endpoint at a host."""
    if observer == host:
        return "own"
    return observer if observer in ("router", TAPS) else "far"


def compare(logs, lives, addresses, ports, work, lossy, disordered):
    """
    logs: {observer: rows}; addresses: {host: its address}. Returns {place: Counter of transitions
    by kind, and of 'compared' and 'half-open'}, and a list of what is unexplained.
    """
    result, unexplained = collections.defaultdict(collections.Counter), []
    host_of = {address: host for host, address in addresses.items()}
    for observer, log in logs.items():
        mixed = disordered or observer == TAPS
        midstream = work.midstream and observer != TAPS     # which are there from the beginning
        all_ends = {key: e for key, e in shown(log).items()
                    if {int(key[1]), int(key[3])} & ports and key[0] != key[2]}
        for key in lives.keys() | all_ends.keys():
            host = host_of.get(key[0])
            place = place_of(observer, host)
            own = place == "own"
            count = result[place]

            def kind(life, end):
                return kind_of(met(life.path, midstream), end, own, lossy, mixed)

            for life, end in align(lives.get(key, []), all_ends.get(key, []), kind):
                if life and life.over and not end and observer != TAPS:
                    continue
                want = met(life.path, midstream) if life else ["no socket"]
                if life and end:
                    what = kind(life, end)
                elif end:
                    what = without_socket(end, own, host, lossy or mixed)
                else:
                    what = without_flow(life, own, lossy, len(lives[key]) > 1)
                if what == "UNEXPLAINED" and work.cookies and disordered and \
                   len(lives.get(key, [])) > 1 and life and revived(life, end):
                    what = "revived"
                weight = len(want) if life else len(end.path)
                count[what] += weight
                if what != "half-open":
                    count["compared"] += weight
                if what == "UNEXPLAINED":
                    unexplained.append((observer, key, want, end.path if end else ["no flow"]))
    return result, unexplained
