"""One signal read over a window and judged against its own past: what the tools that read metrics share."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from bot.core.changes.recency import ONSET_TOLERANCE
from bot.core.errors import QueryFailed
from bot.core.facts.measured import DeviationFact
from bot.core.metrics.caller_wait import AT_CALLERS, network_time
from bot.core.metrics.deviation import Deviation, measure_deviation
from bot.core.metrics.series import Series, known_samples, without
from bot.core.metrics.signals import SignalQuery
from bot.core.metrics.wording import deviation_text
from bot.core.text.figures import figure
from bot.parallel import answers_or_failures
from bot.plugins import ToolContext
from bot.ports import Metrics
from tools._earlier_outages import LEAST_USUAL, NOT_USUAL, OutageSpan, outages_over_before
from tools._signals import metrics_of

HISTORY = timedelta(hours=1)
"""What a signal is compared with, unless the caller says otherwise."""
LONGER = (timedelta(hours=6), timedelta(days=3))
"""How far back the normal range is searched for, one after the other, where the history has too few samples to know it."""
_MANY_SAMPLES = 240
STEP_SECONDS = 5.0
MAX_MEASURED = 20
"""Series of one query that are judged; a query of more should have been aggregated."""
_FEW_SAMPLES = 24
_GAP_STEPS = 3
"""Samples that may be missing in a row before nobody knows what was between."""
_AT_ONCE = 6


@dataclass(frozen=True)
class Reading:
    """One signal over one window: its series and, where there are samples enough, its deviation (the worst series)."""

    signal: SignalQuery
    start: datetime
    end: datetime
    series: Sequence[Series] = ()
    deviation: Deviation | None = None
    samples: int = field(default=0)
    earlier: Sequence[Series] = ()
    """The same signal before `start`, where that was needed to know what is normal."""
    gap: str = ""
    """Why what is normal is not known though there are samples enough; "" where it is."""

    @property
    def last(self) -> float:
        """The newest value of the series that counts; NaN without one."""
        return self.worst.last if self.series else float("nan")

    @property
    def worst(self) -> Series:
        """The series whose newest value is furthest on the harmful side."""
        sign = -1.0 if self.signal.harm == "down" else 1.0
        return max(self.series, key=lambda s: sign * s.last if s.last == s.last else float("-inf"))

    @property
    def is_bad(self) -> bool:
        """Whether its newest value is beyond the threshold that its owners set."""
        return bool(self.series) and self.signal.is_bad(self.last)

    @property
    def deviates(self) -> bool:
        """Whether it left its normal range."""
        return self.deviation is not None and self.deviation.doublings > 0

    @property
    def text(self) -> str:
        """The deviation in words; it must not be None."""
        assert self.deviation is not None
        alone = self.is_bad and not self.signal.is_bad(self.deviation.after)
        newest = figure(self.last, self.signal.unit) if alone else ""
        return deviation_text(self.deviation, is_bad=self.is_bad, newest=newest)

    @property
    def fact(self) -> DeviationFact | None:
        """The deviation with the query that shows it; 0 doublings or less where nothing deviates."""
        return self.deviation.as_fact(promql=self.signal.promql) if self.deviation else None


async def read(
    ctx: ToolContext, signal: SignalQuery, *, alert_at: datetime, before: timedelta = HISTORY, until: datetime | None = None
) -> Reading:
    """Read one signal from `before` the moment on and judge it against its own past. Raises QueryFailed."""
    over = await outages_over_before(ctx, signal.service, alert_at)
    return await _read(ctx, signal, over, alert_at=alert_at, before=before, until=until)


async def _read(
    ctx: ToolContext,
    signal: SignalQuery,
    over: Sequence[OutageSpan],
    *,
    alert_at: datetime,
    before: timedelta = HISTORY,
    until: datetime | None = None,
) -> Reading:
    samples = await _samples(ctx, signal, over, alert_at=alert_at, before=before, until=until)
    reading = await _judged(signal, samples, over, alert_at, before)
    if reading.deviates or alert_at != ctx.case.reported_at:
        return reading
    # A person may have named its start too early, or it got worse since.
    now = await _judged(signal, samples, over, samples.end, before)
    return now if now.deviates else reading


async def _read_network_time(
    ctx: ToolContext, outer: SignalQuery, inner: SignalQuery, over: Sequence[OutageSpan], *, alert_at: datetime
) -> Reading:
    """Read the time between a service and its callers: what they waited minus what it took. Raises QueryFailed."""
    signal = SignalQuery(
        service=inner.service,
        name=f"{inner.name} on the wire",
        promql=f"({outer.promql}) - ({inner.promql})",
        family="network",
        harm="up",
        unit=inner.unit,
    )
    ends = [await _samples(ctx, end, over, alert_at=alert_at, before=HISTORY) for end in (outer, inner)]
    series = network_time(ends[0].series, ends[1].series)
    earlier = network_time(ends[0].earlier, ends[1].earlier)
    return await _judged(signal, replace(ends[0], series=series, earlier=earlier), over, alert_at, HISTORY)


@dataclass(frozen=True)
class _Samples:
    """One signal over the window that is judged, and what it was before that."""

    start: datetime
    end: datetime
    series: Sequence[Series]
    earlier: Sequence[Series] = ()

    @property
    def most(self) -> int:
        return max((len(known_samples(s).times) for s in self.series), default=0)

    def without(self, spans: Sequence[OutageSpan]) -> "_Samples":
        """The samples outside some spans of time."""
        return replace(self, series=without_outages(spans, self.series), earlier=without_outages(spans, self.earlier))

    def count_before(self, moment: datetime) -> int:
        """The samples of all series before a moment."""
        return sum(int((one.times < moment.timestamp()).sum()) for one in (*self.series, *self.earlier))


def without_outages(spans: Sequence[OutageSpan], series: Sequence[Series]) -> list[Series]:
    """The series without the times of outages that were over before."""
    return [_without(spans, one) for one in series]


def _without(spans: Sequence[OutageSpan], series: Series) -> Series:
    for span in spans:
        series = without(series, *span)
    return series


async def _judged(
    signal: SignalQuery, samples: _Samples, over: Sequence[OutageSpan], alert_at: datetime, before: timedelta
) -> Reading:
    judged, gap = samples.without(over), ""
    deviation = await asyncio.to_thread(_worst, signal, judged, alert_at, before)
    measured = samples.count_before(alert_at)
    if deviation and (deviation.doublings > 0 or judged.count_before(alert_at) >= LEAST_USUAL * measured):
        deviation = _dated_after(deviation, over, judged)
    elif over:
        deviation = await asyncio.to_thread(_worst, signal, samples, alert_at, before)
        # Where nearly all that was measured is of outages, that it is no worse now is not normal.
        gap = NOT_USUAL if deviation and deviation.doublings <= 0 else ""
        deviation = None if gap else deviation
    deviation = _with_gap(deviation, samples) if deviation else None
    return Reading(signal, samples.start, samples.end, samples.series, deviation, samples.most, samples.earlier, gap)


def _dated_after(deviation: Deviation, over: Sequence[OutageSpan], judged: _Samples) -> Deviation:
    """Dated right before what was left out it began after that: only there both are neighbours."""
    onset = deviation.onset
    for span in over:
        if onset is not None and span.start - ONSET_TOLERANCE <= onset < span.end:
            since = [float(time) for series in judged.series for time in series.times if time >= span.end.timestamp()]
            onset = datetime.fromtimestamp(min(since), UTC) if since else onset
    return replace(deviation, onset=onset)


def _with_gap(deviation: Deviation, samples: _Samples) -> Deviation:
    """With when anything was measured last before the onset, where that is long before: Prometheus was down, say."""
    if deviation.onset is None:
        return deviation
    began = deviation.onset.timestamp()
    before = max((float(time) for one in samples.series for time in known_samples(one).times if time < began), default=began)
    unseen = began - before > max(_GAP_STEPS * deviation.step, ONSET_TOLERANCE.total_seconds())
    return replace(deviation, not_before=datetime.fromtimestamp(before, UTC)) if unseen else deviation


async def _samples(
    ctx: ToolContext,
    signal: SignalQuery,
    over: Sequence[OutageSpan],
    *,
    alert_at: datetime,
    before: timedelta,
    until: datetime | None = None,
) -> _Samples:
    metrics, start, end = metrics_of(ctx), alert_at - before, until or ctx.now
    step = max(STEP_SECONDS, (end - start).total_seconds() / 2_000)
    collected = _Samples(start, end, _own(signal, await metrics.range(signal.promql, start=start, end=end, step=step)))
    if 0 < collected.most < _FEW_SAMPLES:
        # A young series: closer together, a minute of samples is enough to judge.
        first = min(s.times[0] for s in collected.series if len(s.times))
        finer = await metrics.range(signal.promql, start=datetime.fromtimestamp(first, end.tzinfo), end=end, step=1.0)
        collected = replace(collected, series=_own(signal, finer) or collected.series)
    if collected.series and before == HISTORY:
        usual = collected.without(over).most
        return replace(collected, earlier=await _earlier(metrics, signal, start, alert_at, usual))
    return collected


async def _earlier(metrics: Metrics, signal: SignalQuery, start: datetime, alert_at: datetime, samples: int) -> list[Series]:
    """What the same signal was before `start`, as far back as it takes to know what is normal."""
    collected: list[Series] = []
    for back in LONGER:
        if samples + max((len(known_samples(s).times) for s in collected), default=0) >= _MANY_SAMPLES:
            break
        end = start - timedelta(seconds=1)
        step = max(60.0, back.total_seconds() / 1_500)
        collected = _own(signal, await metrics.range(signal.promql, start=alert_at - back, end=end, step=step))
    return collected


def _own(signal: SignalQuery, series: Sequence[Series]) -> list[Series]:
    return [s for s in series if signal.concerns(s.labels)]


def _worst(signal: SignalQuery, samples: _Samples, alert_at: datetime, before: timedelta) -> Deviation | None:
    past = {tuple(sorted(line.labels.items())): line for line in samples.earlier}
    collected = [
        measure_deviation(
            line,
            service=signal.service,
            signal=signal.name,
            alert_at=alert_at,
            family=signal.family,
            unit=signal.unit,
            harm=signal.harm,
            before=before,
            reference=past.get(tuple(sorted(line.labels.items()))),
        )
        for line in samples.series[:MAX_MEASURED]
    ]
    return max((d for d in collected if d is not None), key=lambda d: d.doublings, default=None)


async def read_all(ctx: ToolContext, signals: Sequence[SignalQuery], *, alert_at: datetime) -> list[Reading | QueryFailed]:
    """Read several signals, a few at once; what could not be read stands as its error.

    Where a signal is known at both ends of the calls, the time on the wire between them is read too.
    """
    named = {signal.name: signal for signal in signals}
    ends = [(outer, named.get(outer.name.removesuffix(AT_CALLERS))) for outer in signals if outer.name.endswith(AT_CALLERS)]
    over = {service: await outages_over_before(ctx, service, alert_at) for service in {one.service for one in signals}}
    readings: list[Callable[[], Awaitable[Reading]]] = [
        partial(_read, ctx, one, over[one.service], alert_at=alert_at) for one in signals
    ]
    readings += [
        partial(_read_network_time, ctx, outer, inner, over[inner.service], alert_at=alert_at) for outer, inner in ends if inner
    ]
    return await answers_or_failures(lambda reading: reading(), readings, at_once=_AT_ONCE)
