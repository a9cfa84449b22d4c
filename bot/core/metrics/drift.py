"""Resources that climb for hours: from when on, and up to which restart. A leak's first minutes tell what brought it."""

from bot.core.loading.arrays import Floats, np
from bot.core.metrics.series import Series, known_samples

_MAX_POINTS = 200
_FEWEST = 12
_FALL = 0.4
"""Share of its highest level by which a resource must fall for a restart: the process began anew."""
_LATE = 0.5
"""Share of the window after which the highest level must lie: what fell long ago is no present climb."""
_BETTER = 0.5
"""Share of one line's error that a level followed by a line may have: else it climbed all the time."""
_SMALLEST_RISE = 0.1


def until_restart(window: Series, side: float) -> Series:
    """The window up to its highest level where it fell from there at once, as memory does in a restart; else all of it."""
    values = side * window.values
    if side < 0 or len(values) < _FEWEST:
        return window
    peak = int(np.argmax(values))
    fell = peak + 1 < len(values) and float(np.median(values[peak + 1 :])) < (1 - _FALL) * values[peak]
    if not fell or peak < _LATE * len(values):
        return window
    return Series(window.labels, window.times[: peak + 1], window.values[: peak + 1])


def climb_start(series: Series, side: float) -> float | None:
    """Unix seconds at which a level turned into a climb that lasts to the end; None where no such moment stands out.

    A level and then a line are fitted at each possible turn; the best must leave half of the error of one line at most.
    """
    samples = known_samples(series)
    step = max(1, len(samples.times) // _MAX_POINTS)
    times, values = samples.times[::step], side * samples.values[::step]
    if len(times) < 2 * _FEWEST:
        return None
    turns = range(_FEWEST // 2, len(times) - _FEWEST // 2)
    errors = [_level_error(values[:turn]) + _line_error(times[turn:], values[turn:]) for turn in turns]
    best = int(np.argmin(errors))
    turn = turns[best]
    rise = float(values[-1] - np.mean(values[:turn]))
    stands_out = errors[best] <= _BETTER * _line_error(times, values)
    return float(times[turn]) if stands_out and rise > _SMALLEST_RISE * abs(float(np.mean(values[:turn]))) else None


def _level_error(values: Floats) -> float:
    return float(np.sum((values - values.mean()) ** 2))


def _line_error(times: Floats, values: Floats) -> float:
    hours = (times - times[0]) / 3600
    slope, start = np.polyfit(hours, values, 1)
    return float(np.sum((values - start - slope * hours) ** 2))
