"""Recorded metrics, logs and traces: the ports over data in memory, for tests and for measuring on public incidents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote

from bot.core.errors import QueryFailed
from bot.core.logs.line import LogLine
from bot.core.metrics.series import Series, between
from bot.core.systems import AlertRule, MetricDescription
from bot.core.traces.calls import CallSummary, summarize_calls
from bot.core.traces.spans import Sample, Span

LOOKBACK = timedelta(minutes=5)
"""How old the sample of an instant answer may be, as in Prometheus."""


@dataclass(frozen=True)
class RecordedMetrics:
    """Series by the exact query that gave them. A query that was not recorded fails: that is not "no series"."""

    series: Mapping[str, Sequence[Series]] = field(default_factory=dict)
    alerting: Sequence[AlertRule] = ()
    absent: str = ""
    """Prefix of the metric names that the recorded system did not have: "no series" is the right answer for them."""

    async def range(self, promql: str, *, start: datetime, end: datetime, step: float) -> list[Series]:
        """The recorded samples of the window, in their own step."""
        cut = [between(series, start, end) for series in self._recorded(promql)]
        return [series for series in cut if len(series.times)]

    async def instant(self, promql: str, *, at: datetime | None = None) -> list[Series]:
        """The newest sample of each series, at most five minutes before `at`."""
        chosen = [between(s, at - LOOKBACK, at) if at else s for s in self._recorded(promql)]
        return [Series(s.labels, s.times[-1:], s.values[-1:]) for s in chosen if len(s.times)]

    async def names(self, selector: str, *, start: datetime, end: datetime) -> list[str]:
        """Raises QueryFailed: queries were recorded, and not what else there was."""
        raise QueryFailed("the names of metrics were not recorded")

    async def label_sets(self, selector: str, *, start: datetime, end: datetime) -> list[Mapping[str, str]]:
        """The labels of the series that were recorded for this query."""
        return [dict(line.labels) for line in await self.range(selector, start=start, end=end, step=0)]

    async def metadata(self) -> Mapping[str, MetricDescription]:
        """Raises QueryFailed: as `names`."""
        raise QueryFailed("the descriptions of metrics were not recorded")

    async def rules(self) -> list[AlertRule]:
        """The recorded alerting rules."""
        return list(self.alerting)

    def link(self, promql: str, *, start: datetime, end: datetime) -> str:
        """An address of the recording; it opens nowhere."""
        return f"recorded:{quote(promql, safe='')}"

    def _recorded(self, promql: str) -> Sequence[Series]:
        if promql not in self.series:
            if (self.absent and self.absent in promql) or "by (__name__)" in promql:
                # All that a service exports: nothing was recorded beside its signals.
                return ()
            raise QueryFailed(f"this query was not recorded: {promql}")
        return self.series[promql]


@dataclass(frozen=True)
class RecordedLogs:
    """Log lines by service."""

    lines: Mapping[str, Sequence[LogLine]] = field(default_factory=dict)

    async def search(
        self, service: str, text: str, *, start: datetime, end: datetime, limit: int, pod: str = ""
    ) -> list[LogLine]:
        """Lines of the window that hold the text, newest first."""
        if service not in self.lines:
            raise QueryFailed(f"no log lines of {service} were recorded")
        needle = text.casefold()
        of_pod = [line for line in self.lines[service] if pod in ("", line.pod)]
        matching = [line for line in of_pod if start <= line.at <= end and needle in line.text.casefold()]
        return sorted(matching, key=lambda line: line.at, reverse=True)[:limit]

    def query(self, service: str, text: str, pod: str = "") -> str:
        """The query, in words."""
        return f"recorded lines of {pod or service}" + (f" that hold {text!r}" if text else "")


@dataclass(frozen=True)
class RecordedTraces:
    """Sums over spans; single spans are not recorded."""

    recorded: Sequence[CallSummary] = ()

    async def spans(self, service: str, *, start: datetime, end: datetime, traces: int) -> Sample[Span]:
        """Raises QueryFailed: only sums were recorded."""
        raise QueryFailed(f"no single spans of {service} were recorded")

    async def calls(self, services: Sequence[str], *, start: datetime, end: datetime) -> Sample[CallSummary]:
        """The sums of the minutes that lie in the window as a whole; a minute cut off by its end would be incomplete.

        All of them: traces through some services hold the spans of others too.
        """
        first, last = start.timestamp(), end.timestamp()
        return Sample([call for call in self.recorded if first <= call.minute and call.minute + 60 <= last])

    def query(self, service: str) -> str:
        """The query, in words."""
        return f"recorded spans of {service} by minute, caller and operation"


@dataclass(frozen=True)
class RecordedSpans:
    """Single spans."""

    recorded: Sequence[Span] = ()

    async def spans(self, service: str, *, start: datetime, end: datetime, traces: int) -> Sample[Span]:
        """All spans of the newest traces of the window that pass through the service."""
        began: dict[str, float] = {}
        for span in self.recorded:
            if span.service == service and start.timestamp() <= span.start <= end.timestamp():
                began[span.trace] = max(span.start, began.get(span.trace, span.start))
        newest = sorted(began, key=lambda trace: -began[trace])[:traces]
        return Sample([span for span in self.recorded if span.trace in newest], more=len(began) > len(newest))

    async def calls(self, services: Sequence[str], *, start: datetime, end: datetime) -> Sample[CallSummary]:
        """The spans of the window, summed up."""
        return Sample(summarize_calls(s for s in self.recorded if start.timestamp() <= s.start <= end.timestamp()))

    def query(self, service: str) -> str:
        """The query, in words."""
        return f"recorded traces through {service}"
