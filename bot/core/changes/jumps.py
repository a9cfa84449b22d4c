"""What moved with a change: a signal that jumped within minutes of it and stayed there, whether or not that is bad."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.loading.arrays import Floats, np
from bot.core.metrics.series import Series, between, known_samples

SETTLES = timedelta(minutes=1)
"""Pods that start are no effect."""
SHOWS_WITHIN = timedelta(minutes=4)
"""A jump that a change brings shows so soon after it; what follows later may have another reason."""
BEFORE, AFTER = timedelta(minutes=30), timedelta(minutes=15)
"""What a signal was before the change, and how long it is followed after it."""
_LEAST_BEFORE, _LEAST_AFTER = 8, 3
"""Samples without which nothing can be said."""
_NEIGHBOURS = 5
"""Samples just before the change that the first ones after it are compared with: a climb has no jump between them."""
_LEAST_SCALES = 6.0
_NOISE_OF_LEVEL = 0.03
"""The smallest scale, as a share of the level: a step within some percent is nobody's effect."""
_LEAST_OF_SHIFT = 0.5
"""Share of the whole shift that the jump must be."""
_LEAST_BEYOND = 0.9
"""Share of the samples after it that lie beyond all before it."""
_BY_RESTART = re.compile(
    r"mem|rss|heap|uptime|restart|cpu|replica|ready|pod|version|thread|conn|goroutine|fds|build_info", re.I
)
"""Signals that every roll-out moves: it starts processes anew."""
_OF_WORK = re.compile(
    r"_per_(order|request|call|message|record|event|item|row|job|quer(y|ies)|transaction|document|page|image|frame|batch|payment)$",
    re.I,
)
"""What is used for a request or record: that is more just after a start, and as before some minutes later."""
_LIMIT = re.compile(r"(?<![a-z])(max|limits?|capacity|quota|ceiling)(?![a-z])", re.I)
_USED = re.compile(r"us(ed|age)|util|active|working|rss|wait|latenc|age(?![a-z])|reject|pending|of_limit|peak", re.I)
_RESOURCE = re.compile(r"mem|heap|cpu|cores|disk|conn|pool|thread|fds?(?![a-z])|file|slot|worker", re.I)
"""What a process may use at most, which it is given when it starts; the longest of some pauses is no limit."""


@dataclass(frozen=True)
class Jump:
    """Medians before and after, in the signal's unit, and the jump in robust standard deviations of what it was before."""

    before: float
    after: float
    scales: float


def moves_with_any_rollout(signal: str) -> bool:
    """Whether a restart alone moves a signal of this name."""
    return _BY_RESTART.search(signal) is not None and not is_limit(signal) and not _OF_WORK.search(signal)


def is_limit(signal: str) -> bool:
    """Whether a signal of this name says how much may be used, and not how much is."""
    named = _LIMIT.search(signal) is not None and _RESOURCE.search(signal) is not None
    return named and _USED.search(signal) is None


def jump_at(series: Sequence[Series], at: datetime, until: datetime) -> Jump | None:
    """The jump of a signal at a moment, None without one; the median of its series that were there before and after.

    `until`: when what was followed ends, at most a quarter of an hour later.
    """
    samples = [known_samples(one) for one in series]
    sides = [(between(one, at - BEFORE, at - timedelta(seconds=1)).values, _after(one, at, until)) for one in samples]
    judged = [(before, after) for before, after in sides if len(before) >= _LEAST_BEFORE and len(after.values) >= _LEAST_AFTER]
    jumps = [jump for before, after in judged if (jump := _jump(before, after, at))]
    if 2 * len(jumps) <= len(judged):
        return None
    return sorted(jumps, key=lambda jump: jump.scales)[len(jumps) // 2]


def _after(series: Series, at: datetime, until: datetime) -> Series:
    return between(series, at + SETTLES, min(at + AFTER, until))


def _jump(before: Floats, after: Series, at: datetime) -> Jump | None:
    usual, level = float(np.median(before)), float(np.median(after.values))
    first = after.values[after.times <= (at + SHOWS_WITHIN).timestamp()]
    if not len(first):
        return None
    jump, shift = float(np.median(first) - np.median(before[-_NEIGHBOURS:])), level - usual
    scale = _scale(before, usual)
    beyond = after.values > before.max() if shift > 0 else after.values < before.min()
    clear = abs(jump) >= _LEAST_SCALES * scale and jump * shift > 0 and abs(jump) >= _LEAST_OF_SHIFT * abs(shift)
    return Jump(usual, level, abs(jump) / scale) if clear and float(beyond.mean()) >= _LEAST_BEYOND else None


def _scale(before: Floats, usual: float) -> float:
    """Of what it was before: the larger of its spread, of what it moves from sample to sample, and of a share of its level."""
    spread, steps = np.median(np.abs(before - usual)), np.median(np.abs(np.diff(before)))
    return max(1.4826 * float(max(spread, steps)), _NOISE_OF_LEVEL * abs(usual), 1e-9)
