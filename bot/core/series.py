"""Time series: what a metric query answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Series:
    """One series: `times` in Unix seconds, ascending, and `values` of the same length, NaN where unknown."""

    labels: Mapping[str, str] = field(default_factory=dict)
    times: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    values: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    @property
    def last(self) -> float:
        """The newest known value; NaN if there is none."""
        known = self.values[~np.isnan(self.values)]
        return float(known[-1]) if len(known) else float("nan")
