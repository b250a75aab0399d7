# SPDX-License-Identifier: GPL-2.0
"""
The scenarios of core/scenarios, for programs that make real segments of them; the README there has
their syntax, and the player of core/ rejects what does not keep to it.
"""
import contextlib
import dataclasses
import glob
import os

from .consts import TESTS_DIR
from .ksft import Failed, equal, true

SCENARIOS = os.path.join(TESTS_DIR, "../core/scenarios")
FLAG_BITS = dict(zip("FSRPAU", (1, 2, 4, 8, 16, 32)))
# What no observer can say: it is the engine's own.
INTERNAL = ("class", "facts", "told")
# How an end comes to be established.
ESTABLISHED = {"orig": ["SYN_SENT", "ESTABLISHED"], "resp": ["LISTEN", "SYN_RCVD", "ESTABLISHED"]}
OTHER = {"orig": "resp", "resp": "orig", "rst-orig": "rst-resp", "rst-resp": "rst-orig"}
# What ICMPv6 calls the types of ICMPv4's errors (RFC 792, 4443), but for 3/4: packet too big.
TYPE6 = {3: 1, 11: 3, 12: 4}


@dataclasses.dataclass
class Segment:
    """What one end sends; back: in the direction <."""
    back: bool
    flags: int
    seq: int
    ack: int = 0
    len: int = 0
    win: int = 65535
    ws: int = None
    partial: bool = False
    here: bool = False
    own: bool = False

    def options(self):
        """The TCP options, in bytes."""
        return b"" if self.ws is None else bytes((3, 3, self.ws, 1))

    def mirrored(self, isn):
        """The other end sends it: numbers are as far from its ISN. Who has no connection sends a
        RST of 0."""
        shift = isn[not self.back] - isn[self.back]
        seq = self.seq + shift if self.seq or not self.flags & FLAG_BITS["R"] else 0
        ack = self.ack - shift if self.flags & FLAG_BITS["A"] else 0
        return dataclasses.replace(self, back=not self.back, seq=seq % 2**32, ack=ack % 2**32)


def parse_segment(words):
    direction, flags, seq, *rest = words
    s = Segment(direction == "<", sum(FLAG_BITS[letter] for letter in flags), int(seq))
    if "A" in flags:
        s.ack = int(rest.pop(0))
    for word in rest:
        key, _, value = word.partition("=")
        setattr(s, key, int(value) if value else True)
    return s


@dataclasses.dataclass
class IcmpError:
    """An ICMP error; back: the segment that it quotes went in the direction <."""
    back: bool
    type: int                   # of ICMPv4
    code: int
    seq: int
    mtu: int = 0

    def of(self, v):
        """Type and code in a family."""
        if v == 4:
            return self.type, self.code
        return (2, 0) if (self.type, self.code) == (3, 4) else (TYPE6[self.type], 0)


def parse_error(words):
    direction, what, seq, *rest = words
    kind, code = (int(n) for n in what.split("/"))
    return IcmpError(direction == "<", kind, code, int(seq), *(int(w.partition("=")[2]) for w in rest))


@dataclasses.dataclass
class Step:
    """One thing that happens, and what has to hold after it."""
    line: int
    what: str                   # segment, icmp, expire, gone, lives
    segment: Segment = None
    error: IcmpError = None
    wait: int = 0               # seconds before it
    settings: list = dataclasses.field(default_factory=list)     # lines before it: lists of words
    mirrored: bool = False      # each end does what the file says of the other
    pair: str = None
    notes: list = dataclasses.field(default_factory=list)
    checks: list = dataclasses.field(default_factory=list)       # lines behind it: lists of words


class Scenario:
    """One file; or what of it is below the line "mirror" in the mirror."""

    def __init__(self, file, in_mirror=False):
        self.name = os.path.basename(file).partition(".")[0] + ".mirrored" * in_mirror
        self.file = file
        self.steps = []
        self.needs = set()      # what cannot be said by a segment
        self.has_mirror = False
        self.in_mirror = in_mirror
        self.isn = [0, 0]       # of the SYNs above the mirror
        settings, wait = [], 0
        with open(file, encoding="ascii") as f:
            for number, text in enumerate(f, 1):
                head, _, outcome = text.partition("#")[0].partition("|")
                words, outcome = head.split(), outcome.split()
                if outcome:
                    self.steps.append(self.parse_step(number, words, settings, outcome))
                    self.steps[-1].wait = wait
                    settings, wait = [], 0
                elif words == ["mirror"]:
                    self.has_mirror = True
                elif words and words[0] == "wait":
                    wait = int(words[1])
                elif words and words[0] in ("set", "unset", "local", "blind", "confirm"):
                    self.needs.add(words[1] if words[0] == "set" else words[0])
                    settings.append(words)
                elif words:
                    self.steps[-1].checks.append(words)
        self.needs.discard("unset")

    def parse_step(self, number, words, settings, outcome):
        step = Step(number, words[0], settings=settings, pair=outcome[0], notes=outcome[1:],
                    mirrored=self.has_mirror and self.in_mirror)
        if words[0] in "<>":
            step.what, step.segment = "segment", self.parse_segment(words, step.mirrored)
            self.needs |= {name for name in ("here", "own") if getattr(step.segment, name)}
        elif words[0] == "icmp":
            step.error = parse_error(words[1:])
        else:
            self.needs.add(words[0])
        return step

    def parse_segment(self, words, mirrored):
        segment = parse_segment(words)
        if not self.has_mirror and segment.flags & FLAG_BITS["S"]:
            self.isn[segment.back] = segment.seq
        return segment.mirrored(self.isn) if mirrored else segment

    @contextlib.contextmanager
    def telling_place(self, step):
        """What fails within says where the scenario expects otherwise."""
        try:
            yield
        except Failed as why:
            raise Failed(f"{os.path.relpath(self.file)}:{step.line}: {why}") from None


def read_scenarios():
    """All of them, in the order of their files."""
    files = sorted(glob.glob(f"{SCENARIOS}/*/*.tfsm"))
    if not files:
        raise FileNotFoundError(f"no scenarios in {SCENARIOS}")
    all_ = [Scenario(file) for file in files]
    return all_ + [Scenario(s.file, in_mirror=True) for s in all_ if s.has_mirror]


@dataclasses.dataclass
class Seen:
    """What an observer shows after a step, of the last flow on the tuple."""
    pair: str                   # "-": no flow
    flows: int
    paths: dict                 # by end: a list of states
    flags: set
    orig_is_first: bool         # its orig is that of the first flow
    reason: str                 # why it ended, as it looks now, or "-"
    before: str                 # why the flow before it ended, or "-"
    notes: set                  # of this step
    refusals: set               # those of the notes that mean that nothing moved

    def mirrored(self):
        """As the file would have it."""
        return dataclasses.replace(
            self, pair=mirrored_pair(self.pair), orig_is_first=not self.orig_is_first,
            paths={end: mirrored_path(end, self.paths[OTHER[end]]) for end in self.paths},
            reason=OTHER.get(self.reason, self.reason), before=OTHER.get(self.before, self.before))


def mirrored_pair(pair):
    return ":".join(reversed(pair.split(":")))


def mirrored_path(end, path):
    """Before the mirror it is that of the other end."""
    theirs = ESTABLISHED[OTHER[end]]
    return ESTABLISHED[end] + path[len(theirs):] if path[:len(theirs)] == theirs else path


def check_note(note, seen):
    if note == "no-notes":
        equal(seen.notes, set(), note)
    elif note == "no-refusal":
        equal(seen.refusals, set(), note)
    elif note == "a-refusal":
        true(seen.refusals, note)
    else:
        true(note in seen.notes, f"{note} is noted; have {sorted(seen.notes)}")


def check_line(words, seen):
    what, *words = words
    if what == "path":
        equal(">".join(seen.paths[words[0]]), words[1], f"path of {words[0]}")
    elif what == "flags":
        for word in words:
            equal(word.lstrip("!") in seen.flags, not word.startswith("!"), word)
    elif what == "flows":
        equal(seen.flows, int(words[0]), what)
    elif what == "orig":
        equal("<>"[seen.orig_is_first], words[0], what)
    elif what in ("reason", "before"):
        equal(getattr(seen, what), words[0], what)
    else:
        true(what in INTERNAL, f"no word '{what}'")


def check_step(step, seen):
    """Does what was seen after a step agree with what the scenario expects? What is None, the
    observer cannot tell."""
    seen = seen.mirrored() if step.mirrored else seen
    equal(seen.pair, step.pair, "pair")
    for note in step.notes:
        check_note(note, seen)
    for words in step.checks:
        if getattr(seen, words[0], "") is not None:
            check_line(words, seen)
