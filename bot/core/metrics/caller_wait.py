"""Time on the wire: what callers waited beyond what the service says it took."""

from collections.abc import Sequence

import numpy as np

from bot.core.metrics.series import Series, known_samples, nearest_values

AT_CALLERS = " at callers"
"""A signal of this ending holds what the signal without it is to those who call: the difference is the way there and back."""


def network_time(outer: Sequence[Series], inner: Sequence[Series]) -> list[Series]:
    """Outer minus inner for series of the same labels, at the outer's times; never below 0, NaN where one end is unknown.

    The two ends are scraped apart: the nearest sample within half a step counts.
    """
    twins = {tuple(sorted(one.labels.items())): known_samples(one) for one in inner}
    found = []
    for one in map(known_samples, outer):
        twin = twins.get(tuple(sorted(one.labels.items())))
        if twin is not None and len(twin.times) > 1 and len(one.times) > 1:
            found.append(Series(one.labels, one.times, np.maximum(0.0, one.values - nearest_values(twin, one.times))))
    return found
