"""Log lines by template: masked, grouped by a parse tree, counted in two windows and classified by how they changed.

The masks go first: they cost less than the tree, and lines that are equal once masked are looked up, not searched.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from bot.core.logs.line import LogLine
from bot.core.logs.masking import masked
from bot.core.logs.parsing import message_of
from bot.core.logs.template_tree import Template, TemplateTree

MAX_NEW_TEMPLATES = 200
"""Templates that one window may add: a flood of lines that are all different must neither make the search long nor, by
filling the window before, hide what is new."""
OTHER = "(lines of other kinds)"
_URGENT = frozenset({"error", "fatal", "warn"})
MAX_WORDS = 40
"""Words of a line that are compared; what follows is left out."""
_SEPARATORS = re.compile(r"([\s=:]+)")
SURGE_SIGMAS = 3.0
VANISHED_FROM = 5.0
"""From so many expected lines on, none at all is more than chance: its probability after Poisson is below 1 %."""


class Trend(StrEnum):
    """How the lines of one template changed from the window before to this one."""

    NEW = "new"
    VANISHED = "vanished"
    SURGING = "surging"
    STEADY = "steady"


@dataclass(frozen=True)
class TemplateCount:
    """How often lines of one template came in a window, and how often they would have at the rate of the window before."""

    template: str
    count: int
    before: float
    """Lines of the window before, scaled to the span of this one."""
    trend: Trend
    first_at: datetime | None = None
    """When the first line of this window came."""
    last_at: datetime | None = None
    example: str = ""
    """The first line of this window."""
    lines: tuple[LogLine, ...] = ()
    """Those of this window."""

    @property
    def sigmas(self) -> float:
        """How many standard deviations of a Poisson count the change is, with one line more as prior."""
        return (self.count - self.before) / math.sqrt(self.before + 1)


@dataclass
class _Tally:
    """What was counted of one template."""

    template: Template
    gaps: list[str]
    """What stood between the words of its first line."""
    before: int = 0
    lines: list[LogLine] = field(default_factory=list)
    """Those of the window now."""

    @property
    def text(self) -> str:
        words = self.template.words
        return "".join(part for pair in zip(self.gaps, (*words, ""), strict=True) for part in pair)


@dataclass
class TemplateMiner:
    """The templates of all lines so far. Lines that are equal once masked are looked up."""

    capacity: int
    """Templates that may still be added; lines that would need more are counted as OTHER."""
    tree: TemplateTree = field(default_factory=TemplateTree)
    by_line: dict[str, _Tally] = field(default_factory=dict)
    by_number: dict[int, _Tally] = field(default_factory=dict)

    def tally_of(self, text: str) -> _Tally:
        """The template of one message, with what is counted of it."""
        line = masked(text)
        if line not in self.by_line:
            self.by_line[line] = self._search(line) if self.capacity else self._other()
        return self.by_line[line]

    def _search(self, line: str) -> _Tally:
        gaps, words = _parts(line)
        template = self.tree.add(words)
        if template.number not in self.by_number:
            self.capacity -= 1
            self.by_number[template.number] = _Tally(template, gaps)
        return self.by_number[template.number]

    def _other(self) -> _Tally:
        return self.by_number.setdefault(0, _Tally(Template(0, ()), [OTHER]))


def _parts(line: str) -> tuple[list[str], list[str]]:
    """What stands between the words, and the words themselves: always one gap more than words."""
    pieces = _SEPARATORS.split(line)
    # A separator at an end leaves an empty word there: it belongs to the gap.
    lead = pieces.pop(0) + pieces.pop(0) if len(pieces) > 1 and not pieces[0] else ""
    tail = pieces.pop(-2) + pieces.pop() if len(pieces) > 1 and not pieces[-1] else ""
    words, gaps = pieces[::2][:MAX_WORDS], pieces[1::2][: MAX_WORDS - 1]
    return ([lead, *gaps, tail], words) if words != [""] else ([lead + tail], [])


def count_templates(now: Iterable[LogLine], before: Iterable[LogLine], *, scale: float = 1.0) -> list[TemplateCount]:
    """The templates of both windows: new, surging and vanished ones first, the least likely by chance first.

    `scale`: the span of the window now over the span of the one before. A flood takes a while: keep it off the event loop.
    """
    miner = TemplateMiner(capacity=MAX_NEW_TEMPLATES)
    for line in _urgent_first(before):
        miner.tally_of(message_of(line.text)).before += 1
    miner.capacity = MAX_NEW_TEMPLATES
    for line in _urgent_first(now):
        miner.tally_of(message_of(line.text)).lines.append(line)
    rows = [_counted(tally, scale) for tally in miner.by_number.values()]
    return sorted(rows, key=lambda row: (row.trend is Trend.STEADY, -abs(row.sigmas), -row.count, row.template))


def _urgent_first(lines: Iterable[LogLine]) -> Sequence[LogLine]:
    """Errors before the rest, so that no flood of other lines uses up the capacity; each oldest first."""
    return sorted(lines, key=lambda line: (line.level not in _URGENT, line.at))


def _counted(tally: _Tally, scale: float) -> TemplateCount:
    first = min(tally.lines, key=lambda line: line.at, default=None)
    row = TemplateCount(
        template=tally.text,
        count=len(tally.lines),
        before=round(tally.before * scale, 1),
        trend=Trend.STEADY,
        first_at=first.at if first else None,
        last_at=max((line.at for line in tally.lines), default=None),
        example=first.text if first else "",
        lines=tuple(tally.lines),
    )
    return replace(row, trend=_trend(row, is_new=not tally.before))


def _trend(row: TemplateCount, *, is_new: bool) -> Trend:
    if is_new:
        return Trend.NEW
    if not row.count:
        return Trend.VANISHED if row.before >= VANISHED_FROM else Trend.STEADY
    return Trend.SURGING if row.sigmas >= SURGE_SIGMAS and row.count > 2 * row.before else Trend.STEADY
