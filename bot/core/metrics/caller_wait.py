"""Network time: what callers of a service wait beyond what the service says it took."""

from collections.abc import Sequence

from bot.core.loading.arrays import np
from bot.core.metrics.series import Series, known_samples, nearest_values

AT_CALLERS = " at callers"
"""A signal whose name ends so is measured by the callers, the one without it by the service itself."""


def network_time(at_callers: Sequence[Series], at_service: Sequence[Series]) -> list[Series]:
    """What callers measured minus what the service measured, for series of the same labels, at the callers' times.

    Never below 0, NaN where one end is unknown. The two ends are scraped apart: the nearest sample within half a step counts.
    """
    of_service = {_identity(line): known_samples(line) for line in at_service}
    differences = []
    for waited in map(known_samples, at_callers):
        took = of_service.get(_identity(waited))
        if took is not None and len(took.times) > 1 and len(waited.times) > 1:
            seconds = np.maximum(0.0, waited.values - nearest_values(took, waited.times))
            differences.append(Series(waited.labels, waited.times, seconds))
    return differences


def _identity(series: Series) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(series.labels.items()))
