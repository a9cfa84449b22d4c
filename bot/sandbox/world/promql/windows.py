"""Functions of range vectors, on samples that lie on a regular grid.

`rate` and its kin follow Prometheus' extrapolation (promql/functions.go, extrapolatedRate);
windows are closed at both ends as in Prometheus 2.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bot.sandbox.world.promql.values import Bools, Floats
from bot.sandbox.world.tables import Samples

Ints = NDArray[np.int64]
_NEAR = 1e-6
"""Grid points this close to a window's edge (in steps) lie on it."""


class Windows:
    """For each series and step the columns low..high that fall into the window; shapes (series, n)."""

    def __init__(self, samples: Samples, ends: Floats, seconds: float) -> None:
        grid = samples.grid
        self.samples, self.ends, self.seconds = samples, ends, seconds
        self.starts = ends - seconds
        high = np.floor((ends - grid.start) / grid.step + _NEAR).astype(np.int64)
        low = np.ceil((self.starts - grid.start) / grid.step - _NEAR).astype(np.int64)
        self.high = np.minimum(high[None, :], samples.last[:, None])
        self.low = np.maximum(low[None, :], samples.first[:, None])

    def holding(self, count: int) -> Bools:
        """True where a window holds at least `count` samples."""
        return (self.high - self.low + 1) >= count

    def take(self, columns: Ints) -> Floats:
        """Values at columns (clipped to what exists; mask with `holding`)."""
        return self.samples.take(np.clip(columns, 0, max(self.samples.newest, 0)))

    def moments(self, columns: Ints) -> Floats:
        """Times of columns."""
        return self.samples.grid.start + self.samples.grid.step * columns.astype(np.float64)

    def resets(self) -> Floats | float:
        """What counters lost by resets inside each window."""
        if self.samples.monotone or not self.high.size:
            return 0.0
        first, last = max(int(self.low.min()), 0), min(int(self.high.max()), self.samples.newest)
        if last <= first:
            return 0.0
        values = self.take(np.arange(first, last + 1)[None, :])
        with np.errstate(invalid="ignore"):
            lost = np.where(np.diff(values, axis=1) < 0, values[:, :-1], 0.0)
        running = np.concatenate([np.zeros((len(values), 1)), np.cumsum(lost, axis=1)], axis=1)
        rows = np.arange(len(values))[:, None]
        high, low = (np.clip(columns, first, last) - first for columns in (self.high, self.low))
        return np.asarray(running[rows, high] - running[rows, low])


def extrapolated(windows: Windows, *, counter: bool, per_second: bool) -> tuple[Floats, Bools]:
    """`rate`, `increase` and `delta`."""
    step = windows.samples.grid.step
    ok = windows.holding(2)
    first, last = windows.take(windows.low), windows.take(windows.high)
    change = last - first + (windows.resets() if counter else 0.0)
    sampled = np.where(ok, (windows.high - windows.low) * step, 1.0)
    before = windows.moments(windows.low) - windows.starts
    after = windows.ends - windows.moments(windows.high)
    before = np.where(before >= 1.1 * step, step / 2, before)
    after = np.where(after >= 1.1 * step, step / 2, after)
    if counter:
        # A counter is not extrapolated below zero.
        to_zero = np.where((change > 0) & (first >= 0), sampled * first / np.where(change > 0, change, 1.0), np.inf)
        before = np.minimum(before, to_zero)
    result = change * (sampled + before + after) / sampled
    return (result / windows.seconds if per_second else result), ok


def instant_change(windows: Windows, *, counter: bool) -> tuple[Floats, Bools]:
    """`irate` (per second) and `idelta`: the last two samples."""
    last, previous = windows.take(windows.high), windows.take(windows.high - 1)
    change = last - previous
    if not counter:
        return change, windows.holding(2)
    return np.where(change < 0, last, change) / windows.samples.grid.step, windows.holding(2)


def slope(windows: Windows) -> tuple[Floats, Floats, Bools]:
    """Least squares over each window: value at its end, change per second, and where two samples exist."""
    ok = windows.holding(2)
    shape = windows.high.shape
    level, per_second = np.full(shape, np.nan), np.full(shape, np.nan)
    for row, column in zip(*np.nonzero(ok), strict=True):
        columns = np.arange(windows.low[row, column], windows.high[row, column] + 1)
        x = windows.moments(columns) - windows.ends[column]
        y = windows.samples.table[windows.samples.rows[row], columns]
        centred = x - x.mean()
        per_second[row, column] = (centred * (y - y.mean())).sum() / (centred**2).sum()
        level[row, column] = y.mean() - per_second[row, column] * x.mean()
    return level, per_second, ok


def predicted(windows: Windows, ahead: Floats) -> tuple[Floats, Bools]:
    """`predict_linear`: the line of `slope`, `ahead` seconds after each window's end."""
    level, per_second, ok = slope(windows)
    return level + per_second * ahead, ok


def over_time(windows: Windows, fn: Callable[[Floats], Floats]) -> tuple[Floats, Bools]:
    """`fn` reduces (series, samples), NaN where there is none, along the last axis; one call a step."""
    ok = windows.holding(1)
    result = np.full(windows.high.shape, np.nan)
    for column in range(windows.high.shape[1]):
        if not ok[:, column].any():
            continue
        rows = np.nonzero(ok[:, column])[0]
        low, high = windows.low[rows, column], windows.high[rows, column]
        columns = np.arange(low.min(), high.max() + 1)
        values = windows.samples.table[windows.samples.rows[rows][:, None], columns[None, :]]
        values = np.where((columns >= low[:, None]) & (columns <= high[:, None]), values, np.nan)
        result[rows, column] = fn(values)
    return result, ok


def changes(values: Floats) -> Floats:
    """How often the value changed."""
    return _neighbours(values, lambda step: step != 0)


def resets(values: Floats) -> Floats:
    """How often a counter fell."""
    return _neighbours(values, lambda step: step < 0)


def _neighbours(values: Floats, test: Callable[[Floats], Bools]) -> Floats:
    step = np.diff(values, axis=1)
    return np.asarray((test(step) & ~np.isnan(step)).sum(axis=1), dtype=np.float64)


def last(values: Floats) -> Floats:
    """The newest sample."""
    place = values.shape[1] - 1 - np.argmax(~np.isnan(values)[:, ::-1], axis=1)
    return np.asarray(values[np.arange(len(values)), place])


def count(values: Floats) -> Floats:
    """How many samples."""
    return np.asarray((~np.isnan(values)).sum(axis=1), dtype=np.float64)


def mean(values: Floats) -> Floats:
    """Mean of the samples; unlike numpy's nanmean silent where there is none."""
    return np.asarray(np.nansum(values, axis=1) / count(values))


def variance(values: Floats) -> Floats:
    """Population variance of the samples."""
    return mean((values - mean(values)[:, None]) ** 2)


def quantile(values: Floats, q: float) -> Floats:
    """The q-quantile of each row's samples, linear between neighbours."""
    rows = [row[~np.isnan(row)] for row in values]
    outside = np.inf if q > 1 else -np.inf
    return np.asarray([(np.quantile(row, q) if 0 <= q <= 1 else outside) if len(row) else np.nan for row in rows])
