"""How the levels of evidence moved: from before to after, and by what factor."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import permutations

from bot.core.evidence import LedgerEntry
from bot.core.verdict.figures.fact_pairs import MAX_OF_LINE, Pair, lines_of, pairs_of
from bot.core.verdict.figures.quantities import Quantity, bounds_of, one_within, ordered

OF_FACTORS = 0.05
"""A factor of two rounded levels is less exact than they are: 25.7 times may be called 25."""


class EvidenceChanges:
    """The levels of some evidence before and after."""

    def __init__(self, cited: Sequence[LedgerEntry]) -> None:
        self._cited = cited

    @cached_property
    def steps(self) -> list[Pair]:
        """Each measured level before and after."""
        return [pair for entry in self._cited for pair in pairs_of(entry.evidence.facts) if pair.in_time]

    def holds_growth(self, factor: Quantity, *, shrinking: bool = False) -> bool:
        """Whether a level grew (shrank) by so many times from before to after."""
        return one_within(self._shrinkages if shrinking else self._growths, bounds_of(factor, rounding=OF_FACTORS))

    @cached_property
    def _growths(self) -> Sequence[float]:
        return ordered(after / before for before, after in self._before_and_after() if before > 0)

    @cached_property
    def _shrinkages(self) -> Sequence[float]:
        return ordered(before / after for before, after in self._before_and_after() if after > 0)

    def _before_and_after(self) -> Iterator[tuple[float, float]]:
        """The levels before and after of typed facts; where evidence has none, any two figures of a line may be that."""
        for entry in self._cited:
            steps = [pair for pair in pairs_of(entry.evidence.facts) if pair.in_time]
            yield from ((step.first, step.second) for step in steps)
            if not steps:
                yield from self._related_in_lines(entry)

    def _related_in_lines(self, entry: LedgerEntry) -> Iterator[tuple[float, float]]:
        for line in lines_of(entry):
            if len(line) <= MAX_OF_LINE:
                yield from ((a.value, b.value) for a, b in permutations(line, 2) if a.dimension is b.dimension)
