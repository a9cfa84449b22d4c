"""What expressions evaluate to: arrays over all steps of a query at once."""

from collections.abc import Callable
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

    def checked(self) -> "Vector":
        """Itself; raises ExecutionError if two series with the same labels have a sample at one step."""
        keys = [key_of(item) for item in self.labels]
        if len(set(keys)) != len(keys):
            for key in {k for k in keys if keys.count(k) > 1}:
                rows = [i for i, k in enumerate(keys) if k == key]
                if (self.present[rows].sum(axis=0) > 1).any():
                    raise ExecutionError("vector cannot contain metrics with the same labelset")
        return self


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
