"""Spans summed up a minute, and what they tell of the way between services: who waits longer than anybody served."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bot.core.deviation import HIGHEST
from bot.core.spans import Span

Side = Literal["client", "server", "internal"]
_SLOW = 0.3
"""Seconds that a call must have waited beyond all servers to count; gaps of 90 to 220 ms are always there."""
_OWN_TIME = 0.5
"""Share of a call's time that no server may explain for it to count."""
_LEAST = 0.1
"""Seconds a call below which no delay is told from the usual gaps."""
_USUAL = 0.75
_SEEN = ("slow", "lost", "fewest", "most")


@dataclass(frozen=True)
class Calls:
    """Spans of one kind in one minute: `count` of them, with quantiles of their length in seconds.

    A server span belongs to `service` and was called by `caller` ("" if from outside); a client span belongs to
    `service`, which waits in it for somebody whose name it need not tell, so its `caller` is the service itself.
    """

    minute: int
    """Unix seconds of the minute's start."""
    caller: str
    service: str
    operation: str
    side: Side
    count: int
    p50: float
    p95: float
    longest: float


def summed_up(spans: Iterable[Span]) -> list[Calls]:
    """Single spans by minute, caller, service and operation; a span seen in two searches counts once.

    A server's span is one whose parent is another service's; a parent that was not kept says nothing about the caller.
    The span that answers a call counts in the call's own minute: clocks of two hosts differ. One that ended before it
    began counts nowhere, but still tells who called.
    """
    kept = {(span.trace, span.id): span for span in spans}
    groups: dict[tuple[int, str, str, str, Side], list[float]] = defaultdict(list)
    for span in (one for one in kept.values() if one.seconds >= 0):
        parent = kept.get((span.trace, span.parent))
        caller = parent.service if parent else ""
        side: Side = "client" if span.client else "internal" if caller == span.service else "server"
        minute = int((parent if parent and parent.client and side == "server" else span).start // 60) * 60
        groups[minute, span.service if side == "client" else caller, span.service, span.operation, side].append(span.seconds)
    return [
        Calls(*place, len(took), float(np.median(took)), float(np.quantile(took, 0.95)), max(took))
        for place, took in sorted(groups.items())
    ]


@dataclass(frozen=True)
class Waits:
    """The calls of one caller in one minute that waited beyond all servers: about `slow`, surely `fewest` to `most`."""

    minute: int
    caller: str
    slow: int
    fewest: int
    most: int
    lost: float
    """Seconds that the slow calls waited in all."""
    called: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Delay:
    """A service whose calls lose their time on the way: seconds a call, how well that alone fits all callers (0 to 1)."""

    service: str
    seconds: float
    fit: float
    score: float = 0.0
    """Doublings of seconds x fit beyond what is usual for it."""


def waits(calls: Iterable[Calls]) -> list[Waits]:
    """By caller and minute, how much longer its client spans took than the server spans of those it called.

    Medians, p95 and maxima are compared: a callee that receives a share of the calls can slow the slowest share only,
    so means and medians alone do not show it.
    """
    clients: dict[tuple[int, str], list[Calls]] = defaultdict(list)
    servers: dict[tuple[int, str], list[Calls]] = defaultdict(list)
    for one in calls:
        if one.side == "client":
            clients[one.minute, one.service].append(one)
        elif one.side == "server" and one.caller and one.caller != one.service:
            servers[one.minute, one.caller].append(one)
    return [
        _waits(*place, mine, servers[place]) for place, mine in sorted(clients.items(), key=lambda p: p[0]) if place in servers
    ]


def _waits(minute: int, caller: str, mine: Sequence[Calls], theirs: Sequence[Calls]) -> Waits:
    count = sum(one.count for one in mine)
    waited, served = _bands(mine), _bands(theirs)
    by_rank = _laid_out(count, *waited)
    lost = _beyond(by_rank, _laid_out(count, *served))
    bands = _beyond(waited, served) > 0
    # Of n calls whose p95 is slow and whose median is not, between a twentieth and a half were.
    places = [count - math.ceil(0.5 * (count - 1)), count - math.ceil(0.95 * (count - 1)), 1]
    fewest = max((place for place, slow in zip(places, bands, strict=True) if slow), default=0)
    most = min((place - 1 for place, slow in zip(places, bands, strict=True) if not slow), default=count)
    called: dict[str, int] = defaultdict(int)
    for one in theirs:
        called[one.service] += one.count
    return Waits(minute, caller, int((lost > 0).sum()), fewest, max(fewest, most), float(lost.sum()), dict(called))


def _beyond(waited: NDArray[np.float64], served: NDArray[np.float64]) -> NDArray[np.float64]:
    """Seconds waited beyond the server; 0 where that is little, or little of the call."""
    beyond = waited - served
    return np.where((beyond >= _SLOW) & (beyond >= _OWN_TIME * waited), beyond, 0.0)


def _bands(calls: Sequence[Calls]) -> NDArray[np.float64]:
    """Median, p95 and maximum of all the calls together, in seconds."""
    mixture = np.concatenate([_laid_out(one.count, one.p50, one.p95, one.longest) for one in calls])
    return np.array([np.median(mixture), np.quantile(mixture, 0.95), max(one.longest for one in calls)])


def _laid_out(count: int, p50: float, p95: float, longest: float) -> NDArray[np.float64]:
    """Durations with these quantiles, by rank; of a single call its longest."""
    if count <= 1:
        return np.array([longest])
    shortest = 2 * p50 - p95 if p95 < 2 * p50 else 0.3 * p50
    ranks = (np.arange(count) + 0.5) / count
    return np.interp(ranks, [0.0, 0.5, 0.95, 1.0], [shortest, p50, p95, longest])


def fit_delays(found: Sequence[Waits]) -> list[Delay]:
    """For each callee, how well a delay of its calls alone explains which calls of all callers are slow; best first.

    With n the calls to it from one caller in one minute and k the slow ones of that caller: slope = n.k / n.n and
    seconds = n.lost / n.n. The fit is the product of
    - 1 - |k - slope n|^2 / |k|^2: its calls and the slow ones come and go together;
    - min(1, slope)^0.5: a delay slows all calls on its way;
    - 1 - sum gap^2 / sum (n^2 + fewest^2), the gap being how far n lies outside of fewest to most.
    """
    slow, lost, fewest, most = (np.array([getattr(one, name) for one in found], dtype=np.float64) for name in _SEEN)
    if not slow.sum():
        return []
    delays = []
    for service in sorted({service for one in found for service in one.called}):
        calls = np.array([one.called.get(service, 0) for one in found], dtype=np.float64)
        slope = float(calls @ slow / (calls @ calls))
        together = max(0.0, 1 - float(((slow - slope * calls) ** 2).sum() / (slow**2).sum()))
        gap = np.maximum(0.0, np.maximum(fewest - calls, calls - most))
        within = max(0.0, 1 - float((gap**2).sum() / (calls**2 + fewest**2).sum()))
        fit = together * min(1.0, slope) ** 0.5 * within
        delays.append(Delay(service, float(calls @ lost / (calls @ calls)), fit))
    return sorted(delays, key=lambda one: (-one.fit * one.seconds, one.service))


def delayed(history: Sequence[Waits], present: Sequence[Waits]) -> list[Delay]:
    """Delays on the way now, against the usual ones of the same service: score = log2(seconds x fit / limit).

    The limit is the larger of 0.1 s and the 75 % quantile of seconds x fit over equally long stretches of the history,
    so that few minutes of history are enough and none make no silence.
    """
    past: dict[str, list[float]] = defaultdict(list)
    stretches = list(_stretches(history, len({one.minute for one in present})))
    for stretch in stretches:
        for one in fit_delays(stretch):
            past[one.service].append(one.seconds * one.fit)
    scored = []
    for one in fit_delays(present):
        seen = past[one.service] + [0.0] * (len(stretches) - len(past[one.service]))
        limit = max(_LEAST, float(np.quantile(seen, _USUAL)) if seen else 0.0)
        score = math.log2(max(one.seconds * one.fit, limit / 64) / limit)
        scored.append(Delay(one.service, one.seconds, one.fit, max(-HIGHEST, min(HIGHEST, score))))
    return scored


def _stretches(history: Sequence[Waits], length: int) -> Iterable[list[Waits]]:
    minutes = sorted({one.minute for one in history})
    by_minute: dict[int, list[Waits]] = defaultdict(list)
    for one in history:
        by_minute[one.minute].append(one)
    for start in range(max(1, len(minutes) - length + 1)) if minutes and length else ():
        yield [one for minute in minutes[start : start + length] for one in by_minute[minute]]
