"""What the figures, versions and moments of evidence stand for: a threshold, a window that was read, a change, an onset."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from bot.core.change import Change
from bot.core.evidence import Evidence, LedgerEntry
from bot.core.facts.alerting import AlertFact
from bot.core.facts.measured import BreakdownFact, DeviationFact
from bot.core.facts.recorded import TemplateFact
from bot.core.verdict.figures.evidence_text import clock_times, iso_moments, without_moments
from bot.core.verdict.figures.quantities import Dimension, Quantity, bounds_of, of_unit, quantities

_THRESHOLD = re.compile(r"\[?\b(?:bad (above|below)|threshold(?: of)?) ([^\]\s,;)]+(?: (?!\[)[^\]\s,;)]+)?)\]?", re.I)
_WINDOW = re.compile(
    r"\b(?:in|within|over|during) (?:the )?(?:last |past )?(\d+(?:\.\d+)? ?(?:h|min|s|d|hours?|minutes?|days?)\b)", re.I
)

_MAX_MOMENTS = 400
"""Onsets (the newest) between which spans are measured: evidence may name thousands of times."""


@dataclass(frozen=True)
class Threshold:
    """Beyond which a signal is bad, with the signal's level now; None where no typed fact states that."""

    service: str
    signal: str
    bound: Quantity
    level: float | None


class Roles:
    """What the typed facts of evidence say that its figures are."""

    def __init__(self, entries: Sequence[LedgerEntry]) -> None:
        self._entries = entries

    @cached_property
    def deviations(self) -> list[DeviationFact]:
        return [row for entry in self._entries for row in entry.evidence.facts.deviations]

    @cached_property
    def changes(self) -> list[Change]:
        return [row for entry in self._entries for row in entry.evidence.facts.changes or ()]

    @cached_property
    def templates(self) -> list[TemplateFact]:
        return [row for rows in self.logs for row in rows]

    @property
    def logs(self) -> Iterator[Sequence[TemplateFact]]:
        """The lines of each search, by their templates."""
        return (entry.evidence.facts.templates for entry in self._entries if entry.evidence.facts.templates)

    @cached_property
    def units(self) -> set[str]:
        """Units of signals that count something of its own: jobs, restarts."""
        return {row.unit for row in self.deviations if row.unit and of_unit(1.0, row.unit).dimension is Dimension.BARE}

    @cached_property
    def counted(self) -> dict[str, list[float]]:
        """The figures that stand before each of these units in the lines of the evidence."""
        texts = [text for entry in self._entries for text in (entry.evidence.summary, *entry.evidence.details)]
        return {
            unit: [float(n) for text in texts for n in re.findall(rf"([\d.]+) {re.escape(unit)}\b", text)]
            for unit in self.units
        }

    @cached_property
    def breakdown(self) -> list[tuple[BreakdownFact, str]]:
        """Each row of a breakdown with the unit of its levels."""
        return [(row, entry.evidence.facts.unit) for entry in self._entries for row in entry.evidence.facts.breakdown]

    @cached_property
    def alerts(self) -> list[AlertFact]:
        return [row for entry in self._entries for row in entry.evidence.facts.alerts or ()]

    @cached_property
    def alerts_by_service(self) -> Counter[str]:
        return Counter(row.service for row in self.alerts)

    def alert_counts(self, text: str) -> set[int]:
        """How many alerts there are of each name and severity that a text names, in all and on each service."""
        kinds = {
            kind for row in self.alerts for kind in (row.name, row.severity) if kind and kind.casefold() in text.casefold()
        }
        rows = [(row, kind) for row in self.alerts for kind in kinds & {row.name, row.severity}]
        return {*Counter(kind for _, kind in rows).values(), *Counter((row.service, kind) for row, kind in rows).values()}

    # ------------------------------------------------------------ thresholds

    @cached_property
    def thresholds(self) -> list[Threshold]:
        return [threshold for entry in self._entries for threshold in _thresholds_of(entry.evidence)]

    @cached_property
    def windows(self) -> list[Quantity]:
        """How long the spans were that were read."""
        spans = [e.evidence.window for e in self._entries if e.evidence.window]
        lengths = [of_unit((span.end - span.start).total_seconds(), "s") for span in spans]
        written = [text for entry in self._entries for text in (*_window_texts(entry.evidence), *_time_arguments(entry))]
        return [*lengths, *(q for text in written for q in quantities(text) if q.dimension is Dimension.TIME)]

    def is_window(self, figure: Quantity) -> bool:
        low, high = bounds_of(figure)
        # A window is told in the words of its text: 402 s are "7 min" there.
        return any(low <= window.value <= high for window in self.windows)

    @cached_property
    def without_thresholds(self) -> list[LedgerEntry]:
        """The evidence without what its thresholds say."""
        return [_with_texts(entry, _THRESHOLD) for entry in self._entries]

    @cached_property
    def without_windows(self) -> list[LedgerEntry]:
        """The evidence without how long the spans were that were read."""
        stripped = (_with_texts(entry, _WINDOW) for entry in self._entries)
        arguments_left = (
            {k: v for k, v in entry.arguments.items() if f"{v} {k}" not in _time_arguments(entry)} for entry in self._entries
        )
        return [
            entry.model_copy(update={"arguments": arguments}) for entry, arguments in zip(stripped, arguments_left, strict=True)
        ]

    # ------------------------------------------------------------ moments

    @cached_property
    def fault_spans(self) -> list[float]:
        """Seconds for which something may have gone on: from an onset or a change until it was seen, or the next onset."""
        began = sorted({moment.timestamp() for moment in self._began})[-_MAX_MOMENTS:]
        ends = [*began, *(entry.at.timestamp() for entry in self._entries)]
        starts = [*began, *(change.at.timestamp() for change in self.changes)]
        return sorted({end - start for start in starts for end in ends if end > start})

    @property
    def _began(self) -> Iterator[datetime]:
        for entry in self._entries:
            facts = entry.evidence.facts
            yield from (at for row in facts.deviations for at in (row.onset, row.climbs_since) if at)
            yield from (row.first for row in facts.templates if row.first)
            yield from (row.starts_at for row in facts.alerts or () if row.starts_at)
            if not facts.changes:
                for text in (entry.evidence.summary, *entry.evidence.details):
                    yield from (*iso_moments(text), *clock_times(text, entry.at))

    def onsets(self, services: Collection[str], signals: Collection[str]) -> list[datetime]:
        """When signals left their normal range: those of the services and with the names, where there are such."""
        moved = [row for row in self.deviations if row.onset and row.doublings > 0]
        if services:
            moved = [row for row in moved if row.service in services]
        if signals:
            moved = [row for row in moved if row.signal in signals]
        return [row.onset for row in moved if row.onset]


def _thresholds_of(evidence: Evidence) -> Iterator[Threshold]:
    for text in dict.fromkeys((evidence.summary, *evidence.details)):
        row = next((row for row in evidence.facts.deviations if text.startswith(f"{row.service} {row.signal} ")), None)
        for match in _THRESHOLD.finditer(without_moments(text)):
            for bound in quantities(match.group(2))[:1]:
                level = of_unit(row.after, row.unit).value if row and row.after is not None else None
                yield Threshold(row.service if row else "", row.signal if row else "", bound, level)


def _window_texts(evidence: Evidence) -> Iterator[str]:
    for text in (evidence.summary, *evidence.details):
        yield from (match.group(1) for match in _WINDOW.finditer(text))


def _time_arguments(entry: LedgerEntry) -> list[str]:
    texts = [f"{value} {name}" for name, value in entry.arguments.items()]
    return [text for text in texts if any(quantity.dimension is Dimension.TIME for quantity in quantities(text))]


def _with_texts(entry: LedgerEntry, left_out: re.Pattern[str]) -> LedgerEntry:
    """The entry with its texts without a pattern; of its facts the texts are left out."""
    evidence = entry.evidence
    update = {
        "summary": left_out.sub(" ", evidence.summary),
        "details": tuple(left_out.sub(" ", text) for text in evidence.details),
        "facts": evidence.facts.model_copy(update={"beyond": None, "current": None}),
    }
    return entry.model_copy(update={"evidence": evidence.model_copy(update=update)})
