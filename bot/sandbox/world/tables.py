"""Metric families as tables on the grid: one row a series, filled when somebody first asks, extended later."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from bot.sandbox.world.history import Grid
from bot.sandbox.world.noise import Floats

Labels = dict[str, str]
Rows = Iterable[tuple[Labels, int, Floats]]
"""(labels without the name, first grid index, values or increments)."""


@dataclass(frozen=True)
class Family:
    """One metric name; `rows(first, end)` gives values (gauge) or increments (counter) for grid points [first, end)."""

    name: str
    kind: Literal["counter", "gauge", "histogram", "summary"]
    help: str
    rows: Callable[[int, int], Rows]
    whole: bool = True
    """Counters of things are shown as whole numbers, counters of seconds are not."""
    stored_as: Literal["counter", "gauge", ""] = ""

    @property
    def title(self) -> str:
        """The name without the suffix of a histogram's or summary's part."""
        return self.name.rsplit("_", 1)[0] if self.kind in ("histogram", "summary") else self.name

    @property
    def counts(self) -> bool:
        """True if the rows are increments."""
        return (self.stored_as or self.kind) != "gauge"


@dataclass(frozen=True)
class Samples:
    """Series on a common grid; series i is row rows[i] of `table`, with samples at columns first[i]..last[i]."""

    labels: list[Labels]
    table: Floats
    rows: np.ndarray[tuple[int], np.dtype[np.int64]]
    first: np.ndarray[tuple[int], np.dtype[np.int64]]
    last: np.ndarray[tuple[int], np.dtype[np.int64]]
    grid: Grid
    newest: int
    monotone: bool
    """No counter resets inside: rate needs no correction."""
    present: np.ndarray[Any, np.dtype[np.bool_]] | None = None
    """Where `table` holds a sample between first and last; None: everywhere. A subquery's series may have holes."""

    def take(self, columns: np.ndarray[Any, np.dtype[np.int64]]) -> Floats:
        """Values of series i at columns[i, :]; columns of shape (1, n) serve all series. Shape (series, n)."""
        return np.asarray(self.table[self.rows[:, None], columns])


class Table:
    """All series of one family so far."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self.labels: list[Labels] = []
        self._row_of: dict[tuple[tuple[str, str], ...], int] = {}
        self._values = np.full((16, 256), np.nan)
        self._first = np.zeros(16, dtype=np.int64)
        self._last = np.full(16, -1, dtype=np.int64)
        self._total = np.zeros(16)
        self._end = 0

    def extend(self, end: int) -> None:
        """Fill in everything before grid index `end`."""
        if end <= self._end:
            return
        for labels, first, values in self.family.rows(self._end, end):
            if len(values):
                self._write(self._row(labels, first), first, values)
        self._end = end

    def samples(self, rows: list[int], grid: Grid) -> Samples:
        """The chosen rows, as a view on this table."""
        chosen = np.asarray(rows, dtype=np.int64)
        return Samples(
            [{"__name__": self.family.name, **self.labels[row]} for row in rows],
            self._values,
            chosen,
            self._first[chosen],
            self._last[chosen],
            grid,
            self._end - 1,
            self.family.counts,
        )

    def current(self) -> Iterable[tuple[Labels, float]]:
        """Series that still live, with their newest value."""
        for row, labels in enumerate(self.labels):
            if self._last[row] == self._end - 1:
                yield labels, float(self._values[row, self._end - 1])

    def _row(self, labels: Labels, first: int) -> int:
        key = tuple(sorted(labels.items()))
        row = self._row_of.get(key)
        if row is None:
            row = self._row_of[key] = len(self.labels)
            self.labels.append(labels)
            if row >= len(self._values):
                self._values = np.vstack([self._values, np.full_like(self._values, np.nan)])
                self._first, self._last = np.tile(self._first, 2), np.concatenate([self._last, np.full(row, -1)])
                self._total = np.concatenate([self._total, np.zeros(row)])
            self._first[row] = first
        return row

    def _write(self, row: int, first: int, values: Floats) -> None:
        end = first + len(values)
        if end > self._values.shape[1]:
            width = max(end, int(self._values.shape[1] * 1.5)) - self._values.shape[1]
            self._values = np.hstack([self._values, np.full((len(self._values), width), np.nan)])
        if self.family.counts:
            values = self._total[row] + np.cumsum(values)
            self._total[row] = values[-1]
            values = np.floor(values + 1e-6) if self.family.whole else values
        self._values[row, first:end] = values
        self._last[row] = end - 1
