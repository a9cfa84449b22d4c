"""Two figures of typed facts that belong together: what a sentence may compare."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.verdict.quantities import Dimension, of_unit

LARGEST = 6
"""Counts of one finding that are added up in pairs; and all of them together."""


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


def _pair(before: float | None, after: float | None, unit: str, *, in_time: bool = False) -> Iterator[Pair]:
    if before is not None and after is not None:
        first, second = of_unit(before, unit), of_unit(after, unit)
        yield Pair(first.value, second.value, first.dimension, in_time)
