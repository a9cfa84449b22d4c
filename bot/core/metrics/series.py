"""Time series: the answer of a metric query, what is normal for it, and since when it is not."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from bot.core.loading.arrays import Floats, np


@dataclass(frozen=True)
class Series:
    """One series: `times` in Unix seconds, ascending, and `values` of the same length, NaN where unknown."""

    labels: Mapping[str, str] = field(default_factory=dict)
    times: Floats = field(default_factory=lambda: np.empty(0))
    values: Floats = field(default_factory=lambda: np.empty(0))

    @property
    def last(self) -> float:
        """The newest known value; NaN if there is none."""
        values = self.values[~np.isnan(self.values)]
        return float(values[-1]) if len(values) else float("nan")


Direction = Literal["up", "down"]

_RELATIVE_NOISE = 0.05
"""Noise expected of a metric about which little is known, as a share of its own level."""
_PRIOR_SAMPLES = 8
"""How many samples the expectation above is worth: with an hour of history the history decides."""
_NORMAL_SCALES = 3.0
"""Scales from the median within which one sample is normal."""
_JUMP_WITHIN = timedelta(minutes=4)
"""So long after a sample that is hardly out of the normal range the jump comes at the latest."""
_SUDDEN = 10.0
"""So many times as far from the level before lies the first sample of a jump as those before it."""
_MAX_GAP = 2
"""So many normal samples in a row end a deviation; a single one is noise."""
_MIN_SAMPLES = 8
"""Fewer samples than this say nothing about what is normal."""
_TIME_AFTER_ALERT = timedelta(minutes=5)
"""Samples later than this after the alert are not used: a repair may be in them."""


def finite_or_none(value: float) -> float | None:
    """A number as JSON has it: NaN and infinity are None."""
    return value if math.isfinite(value) else None


def time_after_alert(series: Series) -> timedelta:
    """How long after the alert samples still count: five minutes, or three samples where they are further apart."""
    step = float(np.median(np.diff(series.times))) if len(series.times) > 1 else 0.0
    return max(_TIME_AFTER_ALERT, timedelta(seconds=3 * step))


def known_samples(series: Series) -> Series:
    """The same series without its unknown samples (NaN, infinite)."""
    keep = np.isfinite(series.values)
    return Series(labels=series.labels, times=series.times[keep], values=series.values[keep])


def between(series: Series, start: datetime, end: datetime) -> Series:
    """The samples of `start <= moment <= end`."""
    keep = (series.times >= start.timestamp()) & (series.times <= end.timestamp())
    return Series(labels=series.labels, times=series.times[keep], values=series.values[keep])


def without(series: Series, start: datetime, end: datetime) -> Series:
    """The samples before `start` and from `end` on."""
    keep = (series.times < start.timestamp()) | (series.times >= end.timestamp())
    return Series(labels=series.labels, times=series.times[keep], values=series.values[keep])


def per_request(calls: Sequence[Series], requests: Sequence[Series]) -> Series:
    """All calls over all requests at the times of the first series of requests; NaN where nothing was requested.

    Series are summed sample by sample (the nearest within half a step), unknown ones left out.
    """
    times = requests[0].times
    all_requests = np.nansum([nearest_values(known_samples(line), times) for line in requests], axis=0)
    all_calls = np.nansum([nearest_values(known_samples(line), times) for line in calls], axis=0)
    return Series({}, times, np.divide(all_calls, all_requests, out=np.full(len(times), np.nan), where=all_requests > 0))


def nearest_values(series: Series, times: Floats) -> Floats:
    """The values nearest to `times`, NaN where none is within half a step (and at least a second)."""
    if len(series.times) < 2:
        return np.full(len(times), np.nan)
    farthest = max(1.0, float(np.diff(series.times).min()) / 2)
    after = np.clip(np.searchsorted(series.times, times), 1, len(series.times) - 1)
    near = np.where(times - series.times[after - 1] <= series.times[after] - times, after - 1, after)
    return np.where(np.abs(series.times[near] - times) <= farthest, series.values[near], np.nan)


def median_and_scale(values: Floats, *, least: float = 0.0) -> tuple[float, float]:
    """Median and scale of the normal range, both in the unit of `values` (no NaN).

    The scale is 1.4826 MAD, pooled with 5 % of the level as if eight samples had that spread: a metric that never moved
    in a short history is then not infinitely surprising. `least` is the smallest scale that matters (for an error ratio
    that was always zero). It is no least deviation of large levels: small shifts of averages are real.
    """
    if not len(values):
        return float("nan"), float("nan")
    median = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - median)))
    n, prior = len(values), _PRIOR_SAMPLES
    pooled = ((n * spread**2 + prior * (_RELATIVE_NOISE * median) ** 2) / (n + prior)) ** 0.5
    return median, max(pooled, least, 1e-12)


def change_point(values: Floats) -> int:
    """The index at which the mean shifts most (CUSUM of deviations from the mean); 0 if nothing shifts.

    Outliers are clipped to eight robust scales around the median first, or one spike would decide.
    """
    if len(values) < 2:
        return 0
    median, scale = median_and_scale(values)
    spread = float(np.median(np.abs(values - median)))
    clipped = np.clip(values, median - 8 * scale, median + 8 * scale) if spread > 0 else values
    sums = np.cumsum(clipped - clipped.mean())[:-1]
    peak = int(np.argmax(np.abs(sums)))
    return peak + 1 if abs(sums[peak]) > 1e-12 * max(1.0, abs(median)) else 0


def find_onset(
    series: Series,
    *,
    alert_at: datetime,
    before: timedelta = timedelta(hours=1),
    direction: Direction | None = None,
    least: float = 0.0,
    has_single_events: bool = False,
) -> datetime | None:
    """When the deviation that still stood at `alert_at` began: the time of its first sample; None if there is none.

    The samples from `before` the alert to five minutes after it count. The change point gives the level before; from the
    alert's sample the search goes back to two normal samples in a row. An earlier excursion that ended is skipped by a new
    search after its change point. `direction` limits which way counts. `has_single_events`: errors, of which some always come.
    """
    window = known_samples(between(series, alert_at - before, alert_at + time_after_alert(series)))
    start = 0
    for _ in range(4):
        values = window.values[start:]
        split = change_point(values)
        if len(values) < _MIN_SAMPLES or split == 0:
            return None
        run = _start_of_last_run(values, split, direction, least) if split >= _MIN_SAMPLES - 2 else None
        if run is not None:
            if start and _is_back(window.values, start, least):
                return None
            first = _start_of_ramp(values, run, direction, least)
            if has_single_events:
                first = _start_of_jump(values, first, _last_for_jump(window.times[start:], first, alert_at))
            return datetime.fromtimestamp(float(window.times[start + first]), UTC)
        start += split
    return None


def _is_back(values: Floats, excursion: int, least: float) -> bool:
    """True if the end is where it was before an excursion: coming back to normal is no deviation."""
    median, scale = median_and_scale(values[:excursion], least=least)
    return abs(float(np.median(values[-3:])) - median) <= _NORMAL_SCALES * scale


def _start_of_ramp(values: Floats, first: int, direction: Direction | None, least: float) -> int:
    """The first sample of the run, found again from what came before it until it stays: a slow ramp shifts its own past."""
    for _ in range(10):
        earlier = _start_of_last_run(values, first, direction, least) if first >= _MIN_SAMPLES else None
        if earlier is None or earlier >= first:
            return first
        first = earlier
    return first


def _last_for_jump(times: Floats, first: int, alert_at: datetime) -> int:
    """The last sample that may be the jump: of the alert at the latest, and minutes after the first one at most."""
    latest = min(float(times[first]) + _JUMP_WITHIN.total_seconds(), alert_at.timestamp())
    return max(first, int(np.searchsorted(times, latest, side="right")) - 1)


def _start_of_jump(values: Floats, first: int, last: int) -> int:
    """The first sample of the run, or the jump soon after it, where those before it are single ones as they came before.

    Where a signal hardly ever moves, its smallest step is beyond the normal range: 0.5 errors a minute after 0.4, and three
    minutes later 17. What begins small and was not seen twice before, or stays, is a beginning. Never later than `last`.
    """
    away = np.abs(values - np.median(values[:first] if first else values))
    for later in range(first + 1, last + 1):
        before = away[first:later]
        largest = before.max()
        stays = np.any((before[1:] > largest / 2) & (before[:-1] > largest / 2))
        usual = largest > 0 and np.count_nonzero(away[:first] >= largest) > 1
        if usual and not stays and away[later] >= _SUDDEN * largest:
            return later
    return first


def _start_of_last_run(values: Floats, split: int, direction: Direction | None, least: float) -> int | None:
    """Index of the first sample of the deviating run that reaches (nearly) to the end; None if the end is normal."""
    median, scale = median_and_scale(values[:split], least=least)
    z = (values - median) / scale
    side = 1.0 if np.median(z[-3:]) > 0 else -1.0
    if direction is not None and side != (1.0 if direction == "up" else -1.0):
        return None
    # The level before is uncertain if it rests on few samples, so a deviation from it must be larger.
    limit = _NORMAL_SCALES * (1 + 2 / split**0.5)
    deviating = np.flatnonzero(side * z > limit)
    if len(deviating) < 2 or deviating[-1] < len(values) - 1 - 2 * _MAX_GAP:
        return None
    breaks = np.flatnonzero(np.diff(deviating) > _MAX_GAP)
    run = deviating[breaks[-1] + 1 :] if len(breaks) else deviating
    first = int(run[0])
    # The first samples of a rate over a window hold only a part of the change: they belong to it while they climb.
    while first > 0 and side * z[first - 1] > _NORMAL_SCALES / 2 and side * z[first - 1] < side * z[first]:
        first -= 1
    return first if len(run) >= 2 else None
