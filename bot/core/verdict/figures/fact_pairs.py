"""Two figures of evidence that belong together, of typed facts or of one line: what a sentence may compare."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from bot.core.evidence import LedgerEntry
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.measured import DeviationFact
from bot.core.verdict.figures.evidence_text import without_moments
from bot.core.verdict.figures.quantities import Dimension, Quantity, of_unit, quantities

LARGEST = 6
"""Counts of one finding that are added up in pairs; and all of them together."""
MAX_OF_LINE = 12
"""A line with more figures is a list: relations between all of them would hold any figure by chance."""
_MAX_LINES = 600
"""Lines whose figures are related to each other."""


@dataclass(frozen=True)
class Pair:
    """Two figures that belong together: a level before and after, two rows of one breakdown, two figures of one line."""

    first: float
    second: float
    dimension: Dimension
    in_time: bool = False
    """Before and after: the second as a growth over the first."""


def pairs_of(facts: EvidenceFacts) -> Iterator[Pair]:
    """Levels before and after, rows of one breakdown with each other, errors with requests."""
    for row in facts.deviations:
        yield from _pair(row.before, row.after, row.unit, in_time=True)
    for part in facts.breakdown:
        yield from _pair(part.before, part.after, facts.unit, in_time=True)
    after = [part.after for part in facts.breakdown if part.after is not None][:LARGEST]
    for first, other in combinations(after, 2):
        yield from _pair(first, other, facts.unit)
    for template in facts.templates:
        yield from _pair(template.before, float(template.count), "", in_time=True)
    for spent in facts.spent:
        yield from _pair(spent.before, spent.now, "s", in_time=True)
        yield from _pair(float(spent.errors), float(spent.requests), "")


def pairs_of_one_signal(deviations: Iterable[DeviationFact]) -> Iterator[Pair]:
    """The same signal on two services: "twice as many as on the caller"."""
    by_signal: dict[tuple[str, str], set[float]] = defaultdict(set)
    for row in deviations:
        if row.after is not None:
            by_signal[row.signal, row.unit].add(abs(row.after))
    for (_, unit), levels in by_signal.items():
        for first, second in combinations(sorted(levels)[-LARGEST:], 2):
            yield Pair(first, second, of_unit(first, unit).dimension)


def _pair(before: float | None, after: float | None, unit: str, *, in_time: bool = False) -> Iterator[Pair]:
    if before is not None and after is not None:
        # Texts show three digits: whoever subtracts what is shown gets another last digit.
        for shown in {(before, after), (_as_shown(before), _as_shown(after))}:
            first, second = (of_unit(level, unit) for level in shown)
            yield Pair(first.value, second.value, first.dimension, in_time)


def _as_shown(level: float) -> float:
    return float(f"{level:.3g}")


def lines_of(entry: LedgerEntry) -> list[tuple[Quantity, ...]]:
    """The figures of its summary and of each detail."""
    return [quantities(without_moments(text)) for text in (entry.evidence.summary, *entry.evidence.details)]


def pairs_of_lines(lines: Sequence[tuple[Quantity, ...]]) -> Iterator[Pair]:
    """All figures of one dimension that stand in the same line; of long lines none."""
    for line in lines[:_MAX_LINES]:
        if len(line) <= MAX_OF_LINE:
            alike = ((a, b) for a, b in combinations(line, 2) if a.dimension is b.dimension)
            yield from (Pair(a.value, b.value, a.dimension) for a, b in alike)


def related_lines_of(entry: LedgerEntry) -> list[tuple[Quantity, ...]]:
    """Lines whose figures belong together: the summary, and details whose figures no typed fact relates."""
    return lines_of(entry)[: 1 if any(pairs_of(entry.evidence.facts)) else None]
