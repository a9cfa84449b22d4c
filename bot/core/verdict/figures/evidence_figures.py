"""The figures that evidence holds, and those that follow from them: sums, differences, factors, shares."""

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate, combinations, permutations

from bot.core.evidence import LedgerEntry
from bot.core.text.patterns import Pattern, any_of
from bot.core.verdict.figures.evidence_changes import OF_FACTORS, EvidenceChanges
from bot.core.verdict.figures.evidence_moments import EvidenceMoments
from bot.core.verdict.figures.evidence_text import (
    evidence_text,
    without_marks,
    without_moments,
)
from bot.core.verdict.figures.fact_pairs import (
    LARGEST,
    Pair,
    lines_of,
    pairs_of,
    pairs_of_lines,
    pairs_of_one_signal,
    related_lines_of,
)
from bot.core.verdict.figures.quantities import (
    Dimension,
    Quantity,
    bounds_of,
    numbers_in,
    of_unit,
    one_within,
    ordered,
    quantities,
)
from bot.core.verdict.figures.roles import Roles

_MAX_OF_SUMMARY = 40
"""Figures of one summary that are related to each other."""
_TEMPLATE_BYTES = 1 << 20
_ADDED_UP = (Dimension.BARE, Dimension.RATE)
"""Counts and rates add up; two levels of memory or two latencies do not."""
_LEAST_OF_NAME = 4
"""Letters of the end of a name that stands for the whole: shorter ones occur by chance."""
_SHORT_VERSION = re.compile(r"\d+\.\d+")


class EvidenceFigures:
    """What some evidence says in figures."""

    def __init__(self, cited: Sequence[LedgerEntry]) -> None:
        self._cited = cited
        self._about: dict[str, EvidenceFigures] = {}

    # ------------------------------------------------------------ as it stands there

    @cached_property
    def text(self) -> str:
        """Everything that it says, folded for comparison."""
        return " ".join("\n".join(map(evidence_text, self._cited)).casefold().replace('\\"', '"').split())

    @cached_property
    def plain_text(self) -> str:
        """The same without quotation marks: a quoted line may hold some of its own."""
        return without_marks(self.text)

    def names(self, word: str) -> bool:
        """Whether a word with digits is part of a name there: the end of a pod's name, the beginning of a version."""
        of_name = rf"-{word}(?![\w-])" if word.isalnum() and len(word) >= _LEAST_OF_NAME else ""
        of_version = rf"(?<![\w.]){re.escape(word)}\.\d" if _SHORT_VERSION.fullmatch(word) else ""
        return any(pattern and re.search(pattern, self.text) for pattern in (of_name, of_version))

    @cached_property
    def templates(self) -> list[Pattern]:
        """Log templates as patterns: a quoted line has words where the template is masked.

        Whoever writes log lines writes these: of RE2, for which no template is slow.
        """
        facts = (row.template for entry in self._cited for row in entry.evidence.facts.templates)
        masked = {" ".join(template.casefold().split()) for template in facts if "<*>" in template}
        return [any_of(r"\S.*?".join(map(re.escape, template.split("<*>"))), max_bytes=_TEMPLATE_BYTES) for template in masked]

    @cached_property
    def _lines(self) -> list[tuple[Quantity, ...]]:
        return [line for entry in self._cited for line in lines_of(entry)]

    @cached_property
    def _levels(self) -> Mapping[Dimension, Sequence[float]]:
        """Figures by dimension, from texts, queries, arguments and typed facts."""
        levels: dict[Dimension, list[float]] = defaultdict(list)
        for line in (*self._lines, *map(quantities, self._machine_texts())):
            for quantity in line:
                levels[quantity.dimension].append(quantity.value)
        for pair in self._pairs_of_facts:
            levels[pair.dimension] += [pair.first, pair.second]
        for share in (row.share for entry in self._cited for row in entry.evidence.facts.breakdown):
            levels[Dimension.SHARE].append(abs(share))
        return {dimension: ordered(levels[dimension]) for dimension in Dimension}

    def _machine_texts(self) -> Iterator[str]:
        for entry in self._cited:
            yield from (f"{value} {name}" for name, value in entry.arguments.items())

    @cached_property
    def _bare(self) -> Sequence[float]:
        """Numbers without a unit: those of texts, those of facts that are no level, and how many rows there are."""
        raw = (json.dumps(entry.evidence.facts.model_dump(mode="json")) for entry in self._cited)
        numbers = [number for text in raw for number in numbers_in(without_moments(text))]
        return ordered([*self._levels[Dimension.BARE], *numbers, *self._sizes()])

    def _sizes(self) -> Iterator[float]:
        """How many lines, rows and services there are: "3 changes" counts them."""
        yield float(len(self._cited))
        services: set[str] = set()
        for entry in self._cited:
            facts = entry.evidence.facts
            yield float(len(entry.evidence.details))
            rows = facts.model_dump(mode="json").values()
            yield from (float(len(value)) for value in rows if isinstance(value, list | dict))
            yield float(sum(row.doublings > 0 for row in facts.deviations))
            yield from map(float, _counts(row.service for row in facts.changes or ()))
            yield from map(float, _counts(row.service for row in facts.alerts or ()))
            yield from map(float, _counts(row.name for row in facts.alerts or ()))
            yield from map(float, _counts(row.trend for row in facts.templates))
            services |= {row.service for row in facts.deviations} | {str(entry.arguments.get("service") or "")}
        yield float(len(services - {""}))

    # ------------------------------------------------------------ what follows from it

    @cached_property
    def _pairs_of_facts(self) -> list[Pair]:
        return [pair for entry in self._cited for pair in pairs_of(entry.evidence.facts)]

    @cached_property
    def _pairs(self) -> list[Pair]:
        lines = [line for entry in self._cited for line in related_lines_of(entry)]
        return [*self._pairs_of_facts, *pairs_of_lines(lines), *pairs_of_one_signal(self.roles.deviations)]

    @cached_property
    def _factors(self) -> Sequence[float]:
        # A level over the threshold that its line names, too.
        pairs = [*self._pairs, *pairs_of_lines(self._lines)]
        both_ways = ((a, b) for pair in pairs for a, b in permutations((pair.first, pair.second), 2))
        return ordered([a / b for a, b in both_ways if b > 0])

    @cached_property
    def _relative(self) -> Sequence[float]:
        """Shares that follow: the growth of a level over what it was before, and one count as a share of another."""
        growth = [abs(p.second - p.first) / p.first for p in self._pairs if p.in_time and p.first > 0]
        growth += [abs(a - b) / b for a, b in self._levels_of_summaries() if b > 0]
        return ordered([*growth, *(a / b for a, b in self._counts_of_summaries() if 0 < a <= b)])

    @cached_property
    def _parts(self) -> Sequence[float]:
        """Counts, the largest of them together too, as shares of all counts of their list: lines of a kind among all lines."""
        lists = [sorted(counts, reverse=True) for counts in self._count_lists() if sum(counts) > 0]
        return ordered(part / sum(counts) for counts in lists for part in (*counts, *accumulate(counts)))

    def _levels_of_summaries(self) -> Iterator[tuple[float, float]]:
        """Two levels that one summary names together: "3.2 s (before 0.47 s)"."""
        for entry in self._cited:
            figures = quantities(without_moments(entry.evidence.summary))
            levels = [q for q in figures if q.dimension not in (Dimension.BARE, Dimension.FACTOR)][:_MAX_OF_SUMMARY]
            yield from ((a.value, b.value) for a, b in permutations(levels, 2) if a.dimension is b.dimension)

    def _counts_of_summaries(self) -> Iterator[tuple[float, float]]:
        """Whole numbers that one summary names together: "201 of 241 lines"."""
        for entry in self._cited:
            figures = quantities(without_moments(entry.evidence.summary))
            counts = sorted({q.value for q in figures if q.dimension is Dimension.BARE and q.value.is_integer()})
            yield from combinations(counts[-_MAX_OF_SUMMARY:], 2)

    @cached_property
    def _sums_and_differences(self) -> Mapping[Dimension, Sequence[float]]:
        """Sums and differences, exact to their digits."""
        combined: dict[Dimension, list[float]] = defaultdict(list)
        for pair in self._pairs:
            combined[pair.dimension].append(abs(pair.first - pair.second))
            if pair.dimension in _ADDED_UP:
                combined[pair.dimension].append(pair.first + pair.second)
        for counts in self._count_lists():
            largest = sorted(counts, reverse=True)
            sums = [sum(largest), *(sum(largest[:n]) for n in range(2, len(largest)))]
            combined[Dimension.BARE] += [*sums, *(a + b for a, b in combinations(largest[:LARGEST], 2))]
        return {dimension: ordered(combined[dimension]) for dimension in Dimension}

    def _count_lists(self) -> Iterator[list[float]]:
        by_tool: dict[str, list[float]] = defaultdict(list)
        for entry in self._cited:
            rows = entry.evidence.facts.templates
            counts = [float(row.count) for row in rows]
            yield counts
            yield [float(row.count) for row in rows if row.trend in ("new", "surging")]
            by_tool[entry.tool] += counts
        yield from by_tool.values()

    # ------------------------------------------------------------ whether it carries a figure

    def states(self, quantity: Quantity) -> bool:
        """Whether a figure stands there."""
        return math.isfinite(quantity.value) and any(
            one_within(levels, bounds_of(quantity)) for levels in self._stated(quantity.dimension)
        )

    def measures(self, quantity: Quantity) -> bool:
        """Whether a figure stands in its lines, or as a level of its typed facts: not as any number of these."""
        return any(one_within(levels, bounds_of(quantity)) for levels in (self._levels[quantity.dimension], self._untyped))

    def holds(self, quantity: Quantity) -> bool:
        """Whether a figure stands there or follows from what stands there."""
        if self.states(quantity):
            return True
        if not math.isfinite(quantity.value):
            return False
        near = bounds_of(quantity)
        # "97 times" counts, as "97 lines" does.
        counted = Dimension.BARE if quantity.dimension is Dimension.FACTOR else quantity.dimension
        if one_within(self._sums_and_differences[counted], bounds_of(quantity, exact=True)):
            return True
        match quantity.dimension:
            case Dimension.FACTOR:
                return one_within(self._factors, bounds_of(quantity, rounding=OF_FACTORS))
            case Dimension.SHARE:
                return one_within(self._parts, near)
            case Dimension.TIME:
                return self.moments.holds_span(quantity)
            case Dimension.RATE:
                return one_within(self._parts_of_rates, bounds_of(quantity, rounding=OF_FACTORS))
            case Dimension.BARE:
                return one_within(self._levels[Dimension.SHARE], near)
        return False

    @cached_property
    def _parts_of_rates(self) -> Sequence[float]:
        """A share of the requests of the same service: 40 % of 50 req/s fail, 20 a second."""
        products = []
        for entry in self._cited:
            levels = [of_unit(row.after, row.unit) for row in entry.evidence.facts.deviations if row.after is not None]
            shares = [level.value for level in levels if level.dimension is Dimension.SHARE]
            products += [level.value * share for level in levels if level.dimension is Dimension.RATE for share in shares]
        return ordered(products)

    def _stated(self, dimension: Dimension) -> Iterator[Sequence[float]]:
        yield self._levels[dimension]
        match dimension:
            case Dimension.BARE | Dimension.FACTOR:
                # "logged 36 times" counts.
                yield self._bare
            case Dimension.SHARE:
                yield self._fractions
            case _:
                yield self._untyped

    @cached_property
    def _fractions(self) -> Sequence[float]:
        """Levels without a unit that may be shares: a whole number counts something."""
        fractions = [number for number in self._untyped if number % 1]
        return ordered([*fractions, *(number / 100 for number in fractions)])

    @cached_property
    def _untyped(self) -> Sequence[float]:
        """Levels whose unit nobody stated: of summaries, of signals without a unit, and the newest value of a metric."""
        last = [abs(e.evidence.facts.last) for e in self._cited if e.evidence.facts.last is not None]
        texts = (without_moments(entry.evidence.summary) for entry in self._cited)
        stated = [q.value for text in texts for q in quantities(text) if q.dimension is Dimension.BARE]
        facts = [entry.evidence.facts for entry in self._cited]
        rows = [(row.before, row.after) for fact in facts for row in fact.deviations if not row.unit]
        rows += [(row.before, row.after) for fact in facts if not fact.unit for row in fact.breakdown]
        return ordered([*last, *stated, *(abs(level) for row in rows for level in row if level is not None)])

    def holds_relation(self, quantity: Quantity) -> bool:
        """Whether a level changed by so much, or two figures of one line differ by it; a share: of another level or count."""
        if quantity.dimension is Dimension.SHARE and any(
            one_within(shares, bounds_of(quantity)) for shares in (self._relative, self._factors)
        ):
            return True
        alike = Dimension if quantity.dimension is Dimension.BARE else (quantity.dimension,)
        return any(one_within(self._differences_of_lines[dimension], bounds_of(quantity, exact=True)) for dimension in alike)

    @cached_property
    def _differences_of_lines(self) -> Mapping[Dimension, Sequence[float]]:
        differences: dict[Dimension, list[float]] = {dimension: [] for dimension in Dimension}
        for pair in (*self._pairs_of_facts, *pairs_of_lines(self._lines)):
            differences[pair.dimension].append(abs(pair.first - pair.second))
        return {dimension: ordered(differences[dimension]) for dimension in Dimension}

    def holds_between(self, low: float, high: float, dimension: Dimension) -> bool:
        """Whether a level lies in a range that the sentence names."""
        return any(one_within(levels, (low, high)) for levels in self._stated(dimension))

    @cached_property
    def changes(self) -> EvidenceChanges:
        """How its levels moved."""
        return EvidenceChanges(self._cited)

    @cached_property
    def moments(self) -> EvidenceMoments:
        """Its moments, and the spans between them."""
        return EvidenceMoments(self._cited)

    def about(self, service: str) -> "EvidenceFigures":
        """The evidence that speaks of the service."""
        if service not in self._about:
            named = re.compile(rf"(?<![\w-]){re.escape(service)}(?![\w]|-\w)", re.I)
            self._about[service] = EvidenceFigures([entry for entry in self._cited if named.search(evidence_text(entry))])
        return self._about[service]

    # ------------------------------------------------------------ what its figures are

    @cached_property
    def roles(self) -> Roles:
        """What its figures, versions and moments stand for."""
        return Roles(self._cited)

    @cached_property
    def without_thresholds(self) -> "EvidenceFigures":
        return EvidenceFigures(self.roles.without_thresholds)

    @cached_property
    def without_windows(self) -> "EvidenceFigures":
        return EvidenceFigures(self.roles.without_windows)

    @cached_property
    def without_logs(self) -> "EvidenceFigures":
        return EvidenceFigures([entry for entry in self._cited if not entry.evidence.facts.templates])


def _counts(names: Iterable[str]) -> Iterable[int]:
    counts: dict[str, int] = defaultdict(int)
    for name in names:
        counts[name] += 1
    return counts.values()
