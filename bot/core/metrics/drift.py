"""Resources that climb for hours: from when on, and up to which restart. A leak's first minutes tell what brought it."""

from collections.abc import Callable

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

    A level and then a line that rises from it are fitted at each possible turn; where that leaves more than half of the
    error of one line, a line that begins anywhere, as after a restart. Of a line from its level the turn is dated four times
    as well: to a minute at a noise of a twentieth of the climb.
    """
    samples = known_samples(series)
    step = max(1, len(samples.times) // _MAX_POINTS)
    times, values = samples.times[::step], side * samples.values[::step]
    if len(times) < 2 * _FEWEST:
        return None
    most = _BETTER * _line_error(times, values)
    turn = _turn(times, values, _bend_error, most) or _turn(times, values, _parts_error, most)
    if turn is None:
        return None
    level = float(np.mean(values[:turn]))
    return float(times[turn]) if values[-1] - level > _SMALLEST_RISE * abs(level) else None


def _turn(times: Floats, values: Floats, error: Callable[[Floats, Floats, int], float], most: float) -> int | None:
    """The index from which on a fit leaves the least error; None if that is more than `most`."""
    turns = range(_FEWEST // 2, len(times) - _FEWEST // 2)
    errors = [error(times, values, turn) for turn in turns]
    best = int(np.argmin(errors))
    return turns[best] if errors[best] <= most else None


def _bend_error(times: Floats, values: Floats, turn: int) -> float:
    """What a level and a line that rises from its end leave."""
    hours = np.maximum(0.0, times - times[turn]) / 3600
    slope, level = np.polyfit(hours, values, 1)
    return float(np.sum((values - level - slope * hours) ** 2))


def _parts_error(times: Floats, values: Floats, turn: int) -> float:
    """What a level and a line of its own leave."""
    return _level_error(values[:turn]) + _line_error(times[turn:], values[turn:])


def _level_error(values: Floats) -> float:
    return float(np.sum((values - values.mean()) ** 2))


def _line_error(times: Floats, values: Floats) -> float:
    hours = (times - times[0]) / 3600
    slope, start = np.polyfit(hours, values, 1)
    return float(np.sum((values - start - slope * hours) ** 2))
