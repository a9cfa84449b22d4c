"""What an incident cost, computed from the service's own signal."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from bot.core.loading.arrays import np
from bot.core.metrics.series import Series
from bot.core.metrics.signal_names import family_of
from bot.core.service import Signal
from bot.core.text.durations import decimal_minutes
from bot.core.text.figures import figure
from bot.core.text.moments import clock


@dataclass(frozen=True)
class Impact:
    """`bad_seconds` beyond the threshold, `peak` and `mean` in the signal's unit, `failed` requests if they can be counted."""

    bad_seconds: float
    peak: float
    mean: float
    failed: float | None
    start: datetime
    end: datetime
    gaps: tuple[tuple[datetime, datetime], ...] = ()
    """Where the signal has no samples for longer than a sample stands: nobody knows how it was then."""


MAX_SPAN = 60.0
"""Seconds that a sample stands at most."""
MAX_GAPS = 3


def measure_impact(
    signal: Series, *, start: datetime, end: datetime, bad_above: float | None, bad_below: float | None, traffic: Series | None
) -> Impact | None:
    """Integrate the signal over [start, end]; None without samples in it.

    A sample stands until the next one, at most 60 s (a longer gap is not
    counted as good or bad). `failed` = sum of ratio x requests per second x
    seconds over the bad samples, if `traffic` (requests/s) is given; of a
    signal that is bad when low (share of good requests) 1 - ratio failed.
    """
    inside = (signal.times >= start.timestamp()) & (signal.times <= end.timestamp()) & ~np.isnan(signal.values)
    times, values = signal.times[inside], signal.values[inside]
    if not len(times):
        return None
    spans = np.minimum(np.diff(times, append=end.timestamp()), MAX_SPAN).clip(min=0.0)
    bad = np.zeros(len(values), dtype=bool)
    if bad_above is not None:
        bad |= values > bad_above
    if bad_below is not None:
        bad |= values < bad_below
    failed, falls = None, bad_above is None and bad_below is not None
    if traffic is not None and len(traffic.times):
        rate = np.interp(times, traffic.times, np.nan_to_num(traffic.values))
        share = 1.0 - values if falls else values
        failed = float((share * rate * spans)[bad].sum())
    weight = spans.sum()
    mean = float((values * spans).sum() / weight) if weight else float(values.mean())
    peak = float(values.min() if falls else values.max())
    gaps = tuple(_gaps([start.timestamp(), *times.tolist(), end.timestamp()]))
    return Impact(float(spans[bad].sum()), peak, mean, failed, start, end, gaps)


def _gaps(moments: Sequence[float]) -> Iterator[tuple[datetime, datetime]]:
    for earlier, later in pairwise(moments):
        if later - earlier > MAX_SPAN:
            yield datetime.fromtimestamp(earlier, UTC), datetime.fromtimestamp(later, UTC)


def counts_requests(name: str, signal: Signal) -> bool:
    """Whether the signal is a share of requests that failed (or did not): a full disk by itself fails none."""
    return signal.unit == "ratio" and family_of(name) == "errors"


def impact_text(name: str, signal: Signal, impact: Impact) -> str:
    """`checkout errors exceeded 2 % for 2.1 min (peak 20.4 %, mean 14.7 %); about 1,491 requests failed.`

    The name of a signal may be singular or plural (latency, errors): the verbs fit both.
    """
    peak, mean = figure(impact.peak, signal.unit), figure(impact.mean, signal.unit)
    above, below = (figure(threshold, signal.unit) for threshold in (signal.bad_above, signal.bad_below))
    falls = signal.bad_above is None and signal.bad_below is not None
    levels = f"({'lowest' if falls else 'peak'} {peak}, mean {mean})"
    if signal.bad_above is None and signal.bad_below is None:
        text = f"{name} reached {peak} (mean {mean}); no threshold says for how long that was bad."
        return text + _unmeasured(impact.gaps)
    text = f"fell below {below}" if falls else f"exceeded {above}"
    never = f"never {'fell below ' + below if falls else 'exceeded ' + above}"
    if signal.bad_above is not None and signal.bad_below is not None:
        text, never = f"left the range from {below} to {above}", f"never left the range from {below} to {above}"
    lasted = f"{text} for {decimal_minutes(impact.bad_seconds)}" if impact.bad_seconds > 0 else never
    return f"{name} {lasted} {levels}{_failed(impact.failed)}.{_unmeasured(impact.gaps)}"


def _unmeasured(gaps: Sequence[tuple[datetime, datetime]]) -> str:
    """That the data have a hole: what was bad then is not counted."""
    if not gaps:
        return ""
    spans = " and ".join(f"from {clock(start)} to {clock(end)}" for start, end in gaps[:MAX_GAPS])
    more = f" and {len(gaps) - MAX_GAPS} times more" if len(gaps) > MAX_GAPS else ""
    return f" There are no data {spans}{more}: that time is not counted."


def _failed(count: float | None) -> str:
    if count is None or round(count) < 1:
        return ""
    return "; about 1 request failed" if round(count) == 1 else f"; about {count:,.0f} requests failed"
