"""What an incident cost, computed from the service's own signal."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from bot.core.series import Series


@dataclass(frozen=True)
class Impact:
    """`bad_seconds` above (or below) the bound, `peak` and `mean` in the signal's unit, `failed` requests if countable."""

    bad_seconds: float
    peak: float
    mean: float
    failed: float | None
    start: datetime
    end: datetime


def measure(
    signal: Series, *, start: datetime, end: datetime, bad_above: float | None, bad_below: float | None, traffic: Series | None
) -> Impact | None:
    """Integrate the signal over [start, end]; None without samples in it.

    A sample stands until the next one, at most 60 s (a longer gap is not
    counted as good or bad). `failed` = sum of ratio x requests per second x
    seconds over the bad samples, if `traffic` (requests/s) is given.
    """
    inside = (signal.times >= start.timestamp()) & (signal.times <= end.timestamp()) & ~np.isnan(signal.values)
    times, values = signal.times[inside], signal.values[inside]
    if not len(times):
        return None
    spans = np.minimum(np.diff(times, append=end.timestamp()), 60.0).clip(min=0.0)
    bad = np.zeros(len(values), dtype=bool)
    if bad_above is not None:
        bad |= values > bad_above
    if bad_below is not None:
        bad |= values < bad_below
    failed = None
    if traffic is not None and len(traffic.times):
        rate = np.interp(times, traffic.times, np.nan_to_num(traffic.values))
        failed = float((values * rate * spans)[bad].sum())
    weight = spans.sum()
    mean = float((values * spans).sum() / weight) if weight else float(values.mean())
    peak = float(values.min() if bad_above is None and bad_below is not None else values.max())
    return Impact(float(spans[bad].sum()), peak, mean, failed, start, end)
