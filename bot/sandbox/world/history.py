"""What has happened so far: columns on one regular time grid that only ever grow."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bot.sandbox.world.noise import Floats


class Column:
    """One quantity of one thing from grid index `first` to `end` (exclusive), without holes."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.end = first
        self._values = np.empty(64)

    def append(self, values: Floats) -> None:
        """Add the next points."""
        used, needed = self.end - self.first, self.end - self.first + len(values)
        if needed > len(self._values):
            grown = np.empty(max(needed, 2 * len(self._values)))
            grown[:used] = self._values[:used]
            self._values = grown
        self._values[used:needed] = values
        self.end += len(values)

    def slice(self, first: int, end: int) -> tuple[int, Floats]:
        """The part within [first, end): its first index and its values (may be empty)."""
        start, stop = max(first, self.first), min(end, self.end)
        if stop <= start:
            return start, np.empty(0)
        return start, self._values[start - self.first : stop - self.first]

    def at(self, index: int) -> float:
        """The value at a grid index, NaN outside."""
        return float(self._values[index - self.first]) if self.first <= index < self.end else float("nan")


@dataclass(frozen=True)
class Grid:
    """Index i stands for the moment `start + i * step` (Unix seconds)."""

    start: float
    step: float

    def times(self, first: int, count: int) -> Floats:
        """The moments of `count` points from `first` on."""
        return np.asarray(self.start + self.step * np.arange(first, first + count), dtype=np.float64)

    def index(self, at: float) -> int:
        """The newest grid point not after `at`."""
        return int(np.floor((at - self.start) / self.step + 1e-6))


class History:
    """Columns by kind ("error", "memory", ...) and by the thing they describe."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.length = 0
        self._columns: dict[str, dict[str, Column]] = {}

    def append(self, kind: str, thing: str, first: int, values: Floats) -> None:
        """Add points from `first` on; the thing's column must end there or not exist yet."""
        if len(values) == 0:
            return
        column = self._columns.setdefault(kind, {}).get(thing)
        if column is None:
            column = self._columns[kind][thing] = Column(first)
        if column.end != first:
            raise ValueError(f"hole in {kind} of {thing}: ends at {column.end}, continued at {first}")
        column.append(values)

    def of(self, kind: str, first: int, end: int) -> Iterator[tuple[str, int, Floats]]:
        """(thing, first index, values) of everything with points in [first, end)."""
        for thing, column in self._columns.get(kind, {}).items():
            start, values = column.slice(first, end)
            if len(values):
                yield thing, start, values

    def part(self, kind: str, thing: str, first: int, end: int) -> Floats:
        """Values of one thing in [first, end); raises KeyError if there is no such column."""
        return self._columns[kind][thing].slice(first, end)[1]

    def at(self, kind: str, thing: str, index: int) -> float:
        """One value, NaN where there is none."""
        column = self._columns.get(kind, {}).get(thing)
        return column.at(index) if column else float("nan")
