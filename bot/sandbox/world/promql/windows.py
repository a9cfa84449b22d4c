"""Functions of range vectors, on samples that lie on a regular grid, with or without holes.

`rate` and its kin follow Prometheus' extrapolation (promql/functions.go, extrapolatedRate);
windows are closed at both ends as in Prometheus 2.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bot.sandbox.world.promql.values import Bools, Floats, quantile_of
from bot.sandbox.world.tables import Samples

Ints = NDArray[np.int64]
_NEAR = 1e-6
"""Grid points this close to a window's edge (in steps) lie on it."""


class Windows:
    """For each series and step the samples between `times - offset - seconds` and `times - offset`; shapes (series, n).

    `low` and `high` are the columns of the first and the last sample, `counts` how many there are.
    """

    def __init__(self, samples: Samples, times: Floats, offset: float, seconds: float) -> None:
        grid = samples.grid
        self.samples, self.times, self.seconds = samples, times, seconds
        self.ends = times - offset
        self.starts = self.ends - seconds
        high = np.floor((self.ends - grid.start) / grid.step + _NEAR).astype(np.int64)
        low = np.ceil((self.starts - grid.start) / grid.step - _NEAR).astype(np.int64)
        self.high = np.minimum(high[None, :], samples.last[:, None])
        self.low = np.maximum(low[None, :], samples.first[:, None])
        self.counts = np.maximum(self.high - self.low + 1, 0)
        if samples.present is not None:
            self._leave_holes_out(samples.present[samples.rows])

    def _leave_holes_out(self, present: Bools) -> None:
        columns = np.arange(present.shape[1])
        self._newest = np.maximum.accumulate(np.where(present, columns, -1), axis=1)
        following = np.where(present, columns, present.shape[1])[:, ::-1]
        oldest = np.minimum.accumulate(following, axis=1)[:, ::-1]
        rows = np.arange(len(present))[:, None]
        low, high = np.clip(self.low, 0, columns[-1]), np.clip(self.high, 0, columns[-1])
        until = np.concatenate([np.zeros((len(present), 1), dtype=np.int64), np.cumsum(present, axis=1)], axis=1)
        empty = self.counts == 0
        self.counts = np.where(empty, 0, until[rows, high + 1] - until[rows, low])
        self.low = np.where(empty, self.low, oldest[rows, low])
        self.high = np.where(empty, self.high, self._newest[rows, high])

    def holding(self, count: int) -> Bools:
        """True where a window holds at least `count` samples."""
        return np.asarray(self.counts >= count)

    def take(self, columns: Ints) -> Floats:
        """Values at columns (clipped to what exists; mask with `holding`)."""
        return self.samples.take(np.clip(columns, 0, max(self.samples.newest, 0)))

    def moments(self, columns: Ints) -> Floats:
        """Times of columns."""
        return self.samples.grid.start + self.samples.grid.step * columns.astype(np.float64)

    def before_last(self) -> Ints:
        """The column of the last sample but one."""
        if self.samples.present is None:
            return np.asarray(self.high - 1)
        return np.asarray(self._newest[np.arange(len(self.high))[:, None], np.maximum(self.high - 1, 0)])

    def resets(self) -> Floats | float:
        """What counters lost by resets inside each window."""
        if self.samples.monotone or not self.high.size:
            return 0.0
        first, last = max(int(self.low.min()), 0), min(int(self.high.max()), self.samples.newest)
        if last <= first:
            return 0.0
        columns = np.arange(first, last + 1)[None, :]
        if self.samples.present is not None:
            # In a hole stands the sample before it: the fall, if there is one, lies at the hole's end.
            columns = self._newest[:, first : last + 1]
        values = self.take(columns)
        with np.errstate(invalid="ignore"):
            lost = np.where(np.diff(values, axis=1) < 0, values[:, :-1], 0.0)
        high, low = (np.clip(columns, first, last) - first for columns in (self.high, self.low))
        if not np.isfinite(lost).all():
            # What infinity leaves behind in a running sum would spoil all windows after it.
            return np.asarray(
                [[lost[r, low[r, n] : high[r, n]].sum() for n in range(low.shape[1])] for r in range(len(low))],
                dtype=np.float64,
            )
        running = np.concatenate([np.zeros((len(values), 1)), np.cumsum(lost, axis=1)], axis=1)
        rows = np.arange(len(values))[:, None]
        return np.asarray(running[rows, high] - running[rows, low])


def extrapolated(windows: Windows, *, counter: bool, per_second: bool) -> tuple[Floats, Bools]:
    """`rate`, `increase` and `delta`."""
    ok = windows.holding(2)
    first, last = windows.take(windows.low), windows.take(windows.high)
    change = last - first + (windows.resets() if counter else 0.0)
    sampled = np.where(ok, (windows.high - windows.low) * windows.samples.grid.step, 1.0)
    between = sampled / np.maximum(windows.counts - 1, 1)
    # Prometheus counts in milliseconds.
    before = np.round(windows.moments(windows.low) - windows.starts, 3)
    after = np.round(windows.ends - windows.moments(windows.high), 3)
    before = np.where(before >= 1.1 * between, between / 2, before)
    after = np.where(after >= 1.1 * between, between / 2, after)
    if counter:
        # A counter is not extrapolated below zero.
        falls = (change > 0) & (first >= 0)
        before = np.minimum(before, np.where(falls, sampled * first / np.where(falls, change, 1.0), np.inf))
    result = change * ((sampled + before + after) / sampled)
    return (result / windows.seconds if per_second else result), ok


def instant_change(windows: Windows, *, counter: bool) -> tuple[Floats, Bools]:
    """`irate` (per second) and `idelta`: the last two samples."""
    before = windows.before_last()
    last, previous = windows.take(windows.high), windows.take(before)
    change = last - previous
    if not counter:
        return change, windows.holding(2)
    seconds = (windows.high - before) * windows.samples.grid.step
    return np.where(change < 0, last, change) / seconds, windows.holding(2)


def slope(windows: Windows) -> tuple[Floats, Floats, Bools]:
    """Least squares over each window: value at the moment of the query, change per second, and where two samples exist."""
    ok = windows.holding(2)
    shape = windows.high.shape
    level, per_second = np.full(shape, np.nan), np.full(shape, np.nan)
    for row, column in zip(*np.nonzero(ok), strict=True):
        columns = np.arange(windows.low[row, column], windows.high[row, column] + 1)
        if windows.samples.present is not None:
            columns = columns[windows.samples.present[windows.samples.rows[row], columns]]
        # An offset moves the window, and not the moment from which is predicted.
        x = np.round(windows.moments(columns) - windows.times[column], 3)
        y = windows.samples.table[windows.samples.rows[row], columns]
        centred = x - x.mean()
        per_second[row, column] = (centred * (y - y.mean())).sum() / (centred**2).sum()
        level[row, column] = y.mean() - per_second[row, column] * x.mean()
    return level, per_second, ok


def predicted(windows: Windows, ahead: Floats) -> tuple[Floats, Bools]:
    """`predict_linear`: the line of `slope`, `ahead` seconds after the moment of the query."""
    level, per_second, ok = slope(windows)
    return level + per_second * ahead, ok


Reduce = Callable[..., Floats]
"""From (series, samples), and where there is a sample, to one value a series. NaN is a sample like any other."""


def over_time(windows: Windows, reduce: Reduce, *parameters: Floats) -> tuple[Floats, Bools]:
    """`reduce` along the last axis; one call a step, with each parameter's value at that step."""
    ok = windows.holding(1)
    result = np.full(windows.high.shape, np.nan)
    for column in range(windows.high.shape[1]):
        if not ok[:, column].any():
            continue
        rows = np.nonzero(ok[:, column])[0]
        low, high = windows.low[rows, column], windows.high[rows, column]
        columns = np.arange(low.min(), high.max() + 1)
        places = windows.samples.rows[rows][:, None], columns[None, :]
        here = (columns >= low[:, None]) & (columns <= high[:, None])
        if windows.samples.present is not None:
            here &= windows.samples.present[places]
        result[rows, column] = reduce(windows.samples.table[places], here, *(values[column] for values in parameters))
    return result, ok


def changes(values: Floats, here: Bools) -> Floats:
    """How often the value changed; from NaN to NaN is no change."""
    return _neighbours(values, here, lambda old, new: (old != new) & ~(np.isnan(old) & np.isnan(new)))


def resets(values: Floats, here: Bools) -> Floats:
    """How often a counter fell."""
    return _neighbours(values, here, lambda old, new: new < old)


def _neighbours(values: Floats, here: Bools, test: Callable[[Floats, Floats], Bools]) -> Floats:
    rows = (row[row_here] for row, row_here in zip(values, here, strict=True))
    return np.asarray([test(row[:-1], row[1:]).sum() for row in rows], dtype=np.float64)


def total(values: Floats, here: Bools) -> Floats:
    """Sum of the samples."""
    return np.asarray(np.where(here, values, 0.0).sum(axis=1))


def least(values: Floats, here: Bools) -> Floats:
    """The smallest sample; NaN only if there is no other."""
    return np.asarray(np.fmin.reduce(np.where(here, values, np.nan), axis=1))


def greatest(values: Floats, here: Bools) -> Floats:
    """The largest sample; NaN only if there is no other."""
    return np.asarray(np.fmax.reduce(np.where(here, values, np.nan), axis=1))


def last(values: Floats, here: Bools) -> Floats:
    """The newest sample."""
    index = values.shape[1] - 1 - np.argmax(here[:, ::-1], axis=1)
    return np.asarray(values[np.arange(len(values)), index])


def count(values: Floats, here: Bools) -> Floats:
    """How many samples."""
    return np.asarray(here.sum(axis=1), dtype=np.float64)


def present(values: Floats, here: Bools) -> Floats:
    """1."""
    return np.ones(len(values))


def mean(values: Floats, here: Bools) -> Floats:
    """Mean of the samples."""
    return np.asarray(total(values, here) / count(values, here))


def variance(values: Floats, here: Bools) -> Floats:
    """Population variance of the samples."""
    return mean((values - mean(values, here)[:, None]) ** 2, here)


def deviation(values: Floats, here: Bools) -> Floats:
    """Population standard deviation of the samples."""
    return np.asarray(np.sqrt(variance(values, here)))


def quantile(values: Floats, here: Bools, q: float) -> Floats:
    """The q-quantile of each row's samples."""
    return np.asarray([quantile_of(row[row_here], q) for row, row_here in zip(values, here, strict=True)])
