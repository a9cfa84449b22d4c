"""Kinds of log lines: masked, grouped by drain3, counted in two windows, and told apart by how they changed.

Drain after He et al. (2017), "Drain: An Online Log Parsing Approach with Fixed Depth Tree". The masks go first: they cost
less than the tree, and what they fold together is looked up and not searched.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from drain3.drain import Drain, LogCluster

from bot.core.logs.line import LogLine
from bot.core.logs.masking import MASK, masked
from bot.core.logs.parsing import message_of

DEPTH, SIMILARITY = 4, 0.5
DELIMITERS = ("=", ":")
NEW_KINDS = 200
"""Kinds that one window may add: a flood of lines that are all different must neither make the search long nor, by
filling the window before, hide what is new."""
OTHER = "(lines of other kinds)"
_URGENT = frozenset({"error", "fatal", "warn"})
MOST_WORDS = 40
_SPLIT = re.compile(r"([\s=:]+)")
SURGE_SIGMAS = 3.0
VANISHED_FROM = 5.0
"""Lines expected from which none at all is no chance: below 1 % after Poisson."""

Turn = Literal["new", "vanished", "surging", "steady"]


@dataclass(frozen=True)
class TemplateCount:
    """How often one kind of line came in a window, and how often it would have, had all stayed as it was before."""

    template: str
    count: int
    before: float
    """Lines of the window before, scaled to the span of this one."""
    turn: Turn
    first_at: datetime | None = None
    """The first line of this window."""
    last_at: datetime | None = None
    example: str = ""
    """The first line."""

    @property
    def sigmas(self) -> float:
        """How many standard deviations of a Poisson count the change is, with one line more as prior."""
        return (self.count - self.before) / math.sqrt(self.before + 1)


@dataclass
class _Kind:
    cluster: LogCluster
    gaps: list[str]
    """What stood between the words of its first line."""
    count: int = 0
    before: int = 0
    first: LogLine | None = None
    last_at: datetime | None = None

    @property
    def template(self) -> str:
        words = self.cluster.log_template_tokens
        return "".join(part for pair in zip(self.gaps, (*words, ""), strict=True) for part in pair)


@dataclass
class _Miner:
    """The kinds seen so far, by cluster; lines that are masked alike are looked up."""

    drain: Drain = field(
        default_factory=lambda: Drain(depth=DEPTH, sim_th=SIMILARITY, extra_delimiters=DELIMITERS, param_str=MASK)
    )
    known: dict[str, _Kind] = field(default_factory=dict)
    kinds: dict[int, _Kind] = field(default_factory=dict)
    room: int = 0
    """Kinds that may still be added; what would need more is counted as OTHER."""

    def kind_of(self, text: str) -> _Kind:
        line = masked(text)
        if line not in self.known:
            self.known[line] = self._searched(line) if self.room else self._other()
        return self.known[line]

    def _searched(self, line: str) -> _Kind:
        gaps, words = _parts(line)
        cluster, _ = self.drain.add_log_message(" ".join(words))
        if cluster.cluster_id not in self.kinds:
            self.room -= 1
            self.kinds[cluster.cluster_id] = _Kind(cluster, gaps)
        return self.kinds[cluster.cluster_id]

    def _other(self) -> _Kind:
        return self.kinds.setdefault(0, _Kind(LogCluster([], 0), [OTHER]))


def _parts(line: str) -> tuple[list[str], list[str]]:
    """What stands between the words, and the words as Drain takes them apart: always one gap more than words."""
    pieces = _SPLIT.split(line)
    # A separator at an end leaves an empty word there: it belongs to the gap.
    lead = pieces.pop(0) + pieces.pop(0) if len(pieces) > 1 and not pieces[0] else ""
    tail = pieces.pop(-2) + pieces.pop() if len(pieces) > 1 and not pieces[-1] else ""
    words, gaps = pieces[::2][:MOST_WORDS], pieces[1::2][: MOST_WORDS - 1]
    return ([lead, *gaps, tail], words) if words != [""] else ([lead + tail], [])


def count_templates(now: Iterable[LogLine], before: Iterable[LogLine], *, scale: float = 1.0) -> list[TemplateCount]:
    """The kinds of lines of both windows: what is new, grew or vanished first, in the order of how far from chance it is.

    `scale`: the span of the window now over the span of the one before. A flood takes a while: keep it off the event loop.
    """
    miner = _Miner()
    miner.room = NEW_KINDS
    for line in _urgent_first(before):
        miner.kind_of(message_of(line.text)).before += 1
    miner.room = NEW_KINDS
    for line in _urgent_first(now):
        kind = miner.kind_of(message_of(line.text))
        kind.count += 1
        kind.first = line if kind.first is None or line.at < kind.first.at else kind.first
        kind.last_at = max(line.at, kind.last_at or line.at)
    rows = [_counted(kind, scale) for kind in miner.kinds.values()]
    return sorted(rows, key=lambda row: (row.turn == "steady", -abs(row.sigmas), -row.count, row.template))


def mine(texts: Sequence[str]) -> list[tuple[int, str]]:
    """The kind of each message: a number and its template, as it stands after all were read."""
    miner = _Miner(room=len(texts))
    kinds = [miner.kind_of(text) for text in texts]
    return [(kind.cluster.cluster_id, kind.template) for kind in kinds]


def _urgent_first(lines: Iterable[LogLine]) -> Sequence[LogLine]:
    """Errors before the rest, so that no flood of others takes the room from them; each oldest first."""
    return sorted(lines, key=lambda line: (line.level not in _URGENT, line.at))


def _counted(kind: _Kind, scale: float) -> TemplateCount:
    first = kind.first
    row = TemplateCount(
        template=kind.template,
        count=kind.count,
        before=round(kind.before * scale, 1),
        turn="steady",
        first_at=first.at if first else None,
        last_at=kind.last_at,
        example=first.text if first else "",
    )
    return TemplateCount(**{**vars(row), "turn": _turn(row, seen_before=kind.before > 0)})


def _turn(row: TemplateCount, *, seen_before: bool) -> Turn:
    if not seen_before:
        return "new"
    if not row.count:
        return "vanished" if row.before >= VANISHED_FROM else "steady"
    return "surging" if row.sigmas >= SURGE_SIGMAS and row.count > 2 * row.before else "steady"
