"""What expressions evaluate to: arrays over all steps of a query at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.sandbox.world.promql.errors import ExecutionError
from bot.sandbox.world.tables import Labels

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Key = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Vector:
    """Instant vectors over n steps: `values` and `present` have shape (series, n).

    NaN is a value like any other (0/0); whether there is a sample stands in `present`.
    """

    labels: list[Labels]
    values: Floats
    present: Bools

    def map(self, fn: Callable[[Floats], Any]) -> "Vector":
        """The same series without their names, each value replaced."""
        with np.errstate(all="ignore"):
            return Vector(
                [nameless(item) for item in self.labels], np.asarray(fn(self.values), dtype=np.float64), self.present
            ).checked()

    def where(self, keep: Bools) -> "Vector":
        """The same series with samples only where `keep`."""
        return Vector(self.labels, self.values, self.present & keep)

    def checked(self, message: str = "vector cannot contain metrics with the same labelset") -> "Vector":
        """Itself, with one row for series that have the same labels at different steps.

        Raises ExecutionError with the message if two of them have a sample at one step.
        """
        rows: dict[Key, list[int]] = {}
        for row, labels in enumerate(self.labels):
            rows.setdefault(key_of(labels), []).append(row)
        if len(rows) == len(self.labels):
            return self
        if any((self.present[alike].sum(axis=0) > 1).any() for alike in rows.values()):
            raise ExecutionError(message)
        firsts = [alike[0] for alike in rows.values()]
        places = [
            (np.asarray(alike)[self.present[alike].argmax(axis=0)], range(self.values.shape[1])) for alike in rows.values()
        ]
        values = np.vstack([self.values[cells] for cells in places])
        present = np.vstack([self.present[cells] for cells in places])
        return Vector([self.labels[row] for row in firsts], values, present)


Value = Vector | Floats | str
"""A vector, a scalar of shape (n,), or a string."""


def nameless(labels: Labels) -> Labels:
    """Labels without the metric's name."""
    return {name: value for name, value in labels.items() if name != "__name__"}


def key_of(labels: Labels) -> Key:
    """Labels as a hashable; empty values count as absent."""
    return tuple(sorted((name, value) for name, value in labels.items() if value))


def empty(steps: int) -> Vector:
    """No series at all."""
    return Vector([], np.empty((0, steps)), np.empty((0, steps), dtype=bool))


def stack(vectors: list[Vector], steps: int) -> Vector:
    """All series of several vectors."""
    vectors = [vector for vector in vectors if vector.labels]
    if not vectors:
        return empty(steps)
    labels = [item for vector in vectors for item in vector.labels]
    return Vector(labels, np.vstack([v.values for v in vectors]), np.vstack([v.present for v in vectors]))


def quantile_of(values: Floats, q: float) -> float:
    """The q-quantile, linear between neighbours; NaN is less than any number (promql/quantile.go, quantile)."""
    if not len(values) or np.isnan(q):
        return float("nan")
    if not 0 <= q <= 1:
        return float("inf") if q > 1 else float("-inf")
    numbers = values[~np.isnan(values)]
    ascending = np.concatenate([np.full(len(values) - len(numbers), np.nan), np.sort(numbers)])
    rank = q * (len(ascending) - 1)
    lower = int(rank)
    weight = rank - lower
    return float(ascending[lower] * (1 - weight) + ascending[min(len(ascending) - 1, lower + 1)] * weight)


def ordered(rows: Sequence[int], values: Floats, *, descending: bool) -> list[int]:
    """Rows in the order of their values, equal ones as they come; NaN last, and several of them turned round.

    So does Go's insertion sort with Prometheus' comparison, in which NaN comes before everything, NaN included.
    """
    numbers = [row for row in rows if not np.isnan(values[row])]
    numbers.sort(key=lambda row: float(values[row]), reverse=descending)
    return numbers + [row for row in reversed(rows) if np.isnan(values[row])]
