"""The moments that evidence names, and the spans between two of them."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from itertools import combinations

from bot.core.evidence import LedgerEntry
from bot.core.verdict.figures.evidence_text import clock_times, evidence_text, iso_moments, of_day
from bot.core.verdict.figures.quantities import MOMENT_SLACK, Dimension, Quantity, one_within, ordered, span_bounds

_MAX_MOMENTS = 400
"""Moments (the newest) between which spans are measured."""
_WHOLE_SECONDS = 0.5
"""Half of the last digit of a span between moments. A time that is told more exactly is a latency."""


class EvidenceMoments:
    """When what some evidence tells happened."""

    def __init__(self, cited: Sequence[LedgerEntry]) -> None:
        self._cited = cited

    @cached_property
    def all(self) -> list[datetime]:
        """Each moment, those of texts on the day of their evidence."""
        moments: set[datetime] = set()
        for entry in self._cited:
            texts = (entry.evidence.summary, *entry.evidence.details)
            moments.update(iso_moments(evidence_text(entry)))
            for text in texts:
                moments.update(clock_times(text, entry.at))
            moments.add(entry.at)
        return sorted(moments)

    def holds_span(self, quantity: Quantity) -> bool:
        """Whether two moments lie so far apart."""
        whole = quantity.dimension is Dimension.TIME and quantity.step >= _WHOLE_SECONDS
        return whole and one_within(self._spans, span_bounds(quantity))

    def holds_clock(self, hour: int, minute: int, second: int | None) -> bool:
        """Whether a time of day is that of a moment: to two seconds, or to the minute, cut off or rounded."""
        seconds_of_day = 3600 * hour + 60 * minute + (second or 0)
        before, after = (MOMENT_SLACK, MOMENT_SLACK) if second is not None else (30.0, 60.0)
        # The day is a circle: a time just after midnight is near one just before it.
        return any(
            one_within(self._times_of_day, (seconds_of_day + turn - before, seconds_of_day + turn + after))
            for turn in (-86400, 0, 86400)
        )

    @cached_property
    def _times_of_day(self) -> Sequence[float]:
        """Seconds of the day of all moments, the earliest first: evidence may name thousands of them."""
        return ordered(map(of_day, self.all))

    @cached_property
    def _spans(self) -> list[float]:
        """Seconds between two moments, the shortest first."""
        moments = [moment.timestamp() for moment in self.all[-_MAX_MOMENTS:]]
        return sorted({round(later - earlier, 1) for earlier, later in combinations(moments, 2)})
