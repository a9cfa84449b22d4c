"""Sentences about signals that can be read aloud, each number with its unit."""

from bot.core.metrics.deviation import Deviation
from bot.core.metrics.series import Series, known_samples
from bot.core.metrics.signals import SignalQuery
from bot.core.text.figures import figure
from bot.core.text.moments import clock_of_onset
from bot.core.text.untrusted import one_line


def threshold_text(signal: SignalQuery) -> str:
    """`bad above 5 %`; "" where no threshold is known."""
    if signal.bad_above is not None:
        return f"bad above {figure(signal.bad_above, signal.unit)}"
    return f"bad below {figure(signal.bad_below, signal.unit)}" if signal.bad_below is not None else ""


def deviation_text(deviation: Deviation, *, is_bad: bool = False, newest: str = "") -> str:
    """`checkout errors rose from 0.1 % to 12 % at 10:02:30 UTC (34 times its usual range)` or `... stayed normal: 0.1 %`,
    or, where it was bad for less than half of the time, that it left its range and what it mostly is. What is at
    another level than mostly before, and was there now and then, is within its usual range and yet not called normal.

    The name of a signal may be singular or plural (latency, errors): the verbs fit both. `is_bad`: it is beyond the threshold
    that its owners set, so no level of before makes it normal; `newest`: its newest value, where that alone is beyond it.
    """
    name = f"{deviation.service} {deviation.signal}"
    before, after = figure(deviation.before, deviation.unit), figure(deviation.after, deviation.unit)
    if deviation.doublings <= 0 and newest:
        return f"{name}: {newest} now, mostly {after} around the start, before {before}"
    if deviation.doublings <= 0 and not is_bad and is_at_another_level(deviation):
        return f"{name} stayed within the usual range: {after}, mostly {before} before"
    if deviation.doublings <= 0:
        return f"{name} stayed {'as bad as before' if is_bad else 'normal'}: {after}, before {before}"
    moved = "rose" if deviation.direction == "up" else "fell"
    at = f" {clock_of_onset(deviation.onset, deviation.not_before)}" if deviation.onset else ""
    if before == after:
        return f"{name} deviated briefly{at} ({range_text(deviation.doublings)}): mostly {after}, as before"
    return f"{name} {moved} from {before} to {after}{at} ({range_text(deviation.doublings)})"


_OTHER_LEVEL = 2.0
"""So many times its median, or one of so many parts of it: nobody would call both the same."""


def is_at_another_level(deviation: Deviation) -> bool:
    """Whether its level is clearly another one than its median of before, however often it was there."""
    low, high = sorted((abs(deviation.before), abs(deviation.after)))
    return high > _OTHER_LEVEL * low and figure(deviation.before, deviation.unit) != figure(deviation.after, deviation.unit)


def range_text(doublings: float) -> str:
    """`34 times its usual range`: how far a signal moved, where its normal range is 1."""
    times = 2.0**doublings
    return f"{times:.0f} times its usual range" if times >= 9.95 else f"{times:.1f} times its usual range"


def series_text(series: Series, unit: str) -> str:
    """`{version="1.5.0"} now 12 %, lowest 0 %, highest 13 %` for one series."""
    values = known_samples(series).values
    labels = labels_text(dict(series.labels))
    if not len(values):
        return f"{labels} no value"
    low, high = figure(float(values.min()), unit), figure(float(values.max()), unit)
    return f"{labels} now {figure(float(values[-1]), unit)}, lowest {low}, highest {high}"


def labels_text(labels: dict[str, str], most: int = 8) -> str:
    """Labels as one line; their values are untrusted text."""
    shown = [f'{name}="{one_line(value, 80)}"' for name, value in sorted(labels.items())[:most]]
    return "{" + ", ".join(shown) + (", …" if len(labels) > most else "") + "}"
