"""Spans summed up a minute, and what they tell of the way between services: who waits longer than anybody served.

What if the calls to one service had been so many seconds on the way? For each caller and minute the spans of the servers
it called, with its usual gap on top, say how long its waits should be. The service and the delay that bring what should
be nearest to what was are the lead. A server that is slow itself is in both, so neither it nor its callers show.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bot.core.metrics.deviation import MAX_DOUBLINGS
from bot.core.traces.spans import Span

Values = NDArray[np.float64]
Side = Literal["client", "server", "internal"]

_BANDS = np.array([0.5, 0.95, 1.0])
"""Median, p95 and the longest: of a callee that receives few of the calls only the slowest waits tell."""
_DELAYS = np.array([0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0])
"""Seconds tried."""
_SHARES = (1.0, 0.5)
"""Shares of the calls tried: a delay may begin within the minute, or hit some of a service's pods."""
_PARTLY = 0.9
"""A share is one more thing to choose, which fits what is not there a little better: a tenth of its gain is for that."""
_NOTHING = 0.1
"""Seconds beside which waits are compared, as log((a + 0.1 s) / (b + 0.1 s)): some milliseconds more are no doubling."""
_USUAL = 0.75
_UNKNOWN_GAP = 0.2
"""Seconds taken for usual where fewer than three minutes of history say: gaps of 90 to 220 ms are nothing rare."""
_FEWEST_MINUTES = 3
_LEAST = 4.0
"""Gain below which no delay is told from chance: stretches without one reach 3."""
_JUDGED = 60
"""So many of the newest minutes of history say what gain is usual."""
_POINTS = 20


@dataclass(frozen=True)
class CallSummary:
    """Spans of one kind in one minute: `count` of them, with quantiles of their length in seconds.

    A server span belongs to `service` and was called by `caller` ("" if from outside); a client span belongs to
    `service`, which waits in it for `to` ("" if the spans do not say for whom), so its `caller` is the service itself.
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
    to: str = ""


def summarize_calls(spans: Iterable[Span]) -> list[CallSummary]:
    """Single spans by minute, caller, service and operation; a span seen in two searches counts once.

    A server's span is one whose parent is another service's; a parent that was not kept says nothing about the caller.
    The span that answers a call counts in the call's own minute: clocks of two hosts differ. One that ended before it
    began counts nowhere, but still tells who called.
    """
    kept = {(span.trace, span.id): span for span in spans}
    answered = {(s.trace, s.parent): s.service for s in kept.values() if not s.client}
    groups: dict[tuple[int, str, str, str, Side, str], list[float]] = defaultdict(list)
    for span in (one for one in kept.values() if one.seconds >= 0):
        parent = kept.get((span.trace, span.parent))
        caller = parent.service if parent else ""
        side: Side = "client" if span.client else "internal" if caller == span.service else "server"
        minute = int((parent if parent and parent.client and side == "server" else span).start // 60) * 60
        to = answered.get((span.trace, span.id), "") if side == "client" else ""
        groups[minute, span.service if side == "client" else caller, span.service, span.operation, side, to].append(
            span.seconds
        )
    return [_one_sum(*place, took) for place, took in sorted(groups.items())]


def _one_sum(minute: int, caller: str, service: str, operation: str, side: Side, to: str, took: Sequence[float]) -> CallSummary:
    p50, p95 = float(np.median(took)), float(np.quantile(took, 0.95))
    return CallSummary(minute, caller, service, operation, side, len(took), p50, p95, max(took), to)


@dataclass(frozen=True)
class CallerWaits:
    """What one caller waited in one minute, and how long the servers that it called say they took."""

    minute: int
    caller: str
    to: str
    """The one it waited for, where the spans tell; else "": any of those it called."""
    count: int
    waited: Values
    """Median, p95 and longest, in seconds."""
    seconds: Values
    """The servers' spans, spelled out."""
    weight: Values
    """How many calls each of them stands for."""
    called: Sequence[str]
    """The service of each of them."""


@dataclass(frozen=True)
class Delay:
    """A service whose calls lose time on the way: seconds a call, and the share of all that callers wait longer it explains."""

    service: str
    seconds: float
    fit: float
    gain: float
    """How much nearer to what was: natural logs, summed over callers, minutes and bands, times the root of the calls."""
    score: float = 0.0
    """Doublings of the gain beyond what is usual for it."""


def waits_by_caller(calls: Iterable[CallSummary]) -> list[CallerWaits]:
    """By caller and minute, its client spans beside the server spans of those it called.

    Where spans tell whom a wait was for, each callee is compared alone; the other waits with all other callees.
    """
    clients: dict[tuple[int, str, str], list[CallSummary]] = defaultdict(list)
    servers: dict[tuple[int, str], list[CallSummary]] = defaultdict(list)
    for one in calls:
        if one.side == "client":
            clients[one.minute, one.service, one.to].append(one)
        elif one.side == "server" and one.caller and one.caller != one.service:
            servers[one.minute, one.caller].append(one)
    found = []
    for (minute, caller, to), mine in sorted(clients.items(), key=lambda place: place[0]):
        theirs = [s for s in servers[minute, caller] if (s.service == to if to else (minute, caller, s.service) not in clients)]
        if theirs:
            found.append(_waits(minute, caller, to, mine, theirs))
    return found


def _waits(minute: int, caller: str, to: str, mine: Sequence[CallSummary], theirs: Sequence[CallSummary]) -> CallerWaits:
    laid = [_laid_out(one) for one in theirs]
    called = [one.service for one, seconds in zip(theirs, laid, strict=True) for _ in seconds]
    weight = np.concatenate([np.full(len(s), one.count / len(s)) for one, s in zip(theirs, laid, strict=True)])
    own = [_laid_out(one) for one in mine]
    own_weight = np.concatenate([np.full(len(s), one.count / len(s)) for one, s in zip(mine, own, strict=True)])
    waited = _bands(np.concatenate(own)[None, :], own_weight)[0]
    return CallerWaits(minute, caller, to, sum(one.count for one in mine), waited, np.concatenate(laid), weight, called)


def _laid_out(one: CallSummary) -> Values:
    """Durations with these quantiles, at most 20 that stand for all; of a single call its longest."""
    if one.count <= 1:
        return np.array([one.longest])
    shortest = max(0.3 * one.p50, 2 * one.p50 - one.p95)
    ranks = np.linspace(0, 1, min(one.count, _POINTS))
    return np.asarray(np.interp(ranks, (0.0, *_BANDS), (shortest, one.p50, one.p95, one.longest)))


def _bands(seconds: Values, weight: Values) -> Values:
    """Median, p95 and longest of each row of `seconds`, shape (rows, 3), whose columns stand for `weight` calls each."""
    order = np.argsort(seconds, axis=1, kind="stable")
    ordered, weights = np.take_along_axis(seconds, order, axis=1), weight[order]
    middle = np.cumsum(weights, axis=1) - weights / 2
    return np.array([_row_bands(row, at) for row, at in zip(ordered, middle, strict=True)])


def _row_bands(ordered: Values, at: Values) -> Values:
    return np.asarray(np.interp(_BANDS, (at - at[0]) / max(at[-1] - at[0], 1e-9), ordered))


UsualGaps = Mapping[tuple[str, str], Values]
"""Caller and whom it waits for to the seconds by which its bands usually lie above the servers'."""


def usual_gaps(history: Iterable[CallerWaits]) -> dict[tuple[str, str], Values]:
    """The 75 % quantile over the minutes of a history, band by band, of what a caller waits beyond the servers."""
    gaps: dict[tuple[str, str], list[Values]] = defaultdict(list)
    for one in history:
        gaps[one.caller, one.to].append(one.waited - _bands(one.seconds[None, :], one.weight)[0])
    return {
        place: np.maximum(0.0, np.quantile(np.array(found), _USUAL, axis=0))
        for place, found in gaps.items()
        if len(found) >= _FEWEST_MINUTES
    }


@dataclass(frozen=True)
class _Tried:
    """One caller's minute: what it waited longer than it should, and what each callee, share and delay would gain."""

    unexplained: float
    gains: Mapping[str, Values]
    """Callee to gains, shape (shares, delays)."""


def _try_all(one: CallerWaits, usual: UsualGaps) -> _Tried:
    gap = usual.get((one.caller, one.to), np.full(len(_BANDS), _UNKNOWN_GAP))
    calls = math.sqrt(one.count)
    before = _distance(one, one.seconds[None, :], one.weight, gap)[0]
    gains = {}
    for callee in dict.fromkeys(one.called):
        hit = np.array([name == callee for name in one.called])
        rows = [_what_if(one, hit, share, gap) for share in _SHARES]
        worth = np.array([[1.0 if share == 1.0 else _PARTLY] for share in _SHARES])
        gains[callee] = calls * worth * (np.abs(before).sum() - np.array(rows))
    return _Tried(calls * float(np.maximum(0.0, before).sum()), gains)


def _what_if(one: CallerWaits, hit: NDArray[np.bool_], share: float, gap: Values) -> Values:
    """How far from what was it would be, for each delay, with this share of the calls that are hit."""
    late = one.seconds + _DELAYS[:, None] * hit
    if share == 1.0:
        return np.asarray(np.abs(_distance(one, late, one.weight, gap)).sum(axis=1))
    # The calls that are hit are there twice: some that waited, some that did not.
    usual = np.broadcast_to(one.seconds[hit], (len(_DELAYS), int(hit.sum())))
    weight = np.concatenate([np.where(hit, one.weight * share, one.weight), one.weight[hit] * (1 - share)])
    return np.asarray(np.abs(_distance(one, np.concatenate([late, usual], axis=1), weight, gap)).sum(axis=1))


def _distance(one: CallerWaits, seconds: Values, weight: Values, gap: Values) -> Values:
    """log of what was waited over what should be, shape (rows of seconds, 3)."""
    should = _bands(seconds, weight) + gap
    return np.asarray(np.log((one.waited + _NOTHING) / (should + _NOTHING)))


def fit_delays(found: Iterable[CallerWaits], usual: UsualGaps | None = None) -> list[Delay]:
    """For each callee the delay of its calls that alone explains best what all callers wait longer; the best callee first.

    With e = log((waited + 0.1 s) / (should + 0.1 s)) by caller, minute and band, gain = sum of sqrt(calls) x (|e without|
    - |e with the delay|), times 0.9 where only half of the calls are hit; fit = gain / sum of sqrt(calls) x (what of e
    without is above 0). Callees without gain are left out.
    """
    return _best(_try_all(one, usual or {}) for one in found)


def _best(tried: Iterable[_Tried]) -> list[Delay]:
    unexplained, sums = 0.0, dict[str, Values]()
    for one in tried:
        unexplained += one.unexplained
        for callee, gains in one.gains.items():
            sums[callee] = sums[callee] + gains if callee in sums else gains
    delays = []
    for callee, gains in sums.items():
        gain = float(gains.max())
        if gain > 0 and unexplained > 0:
            seconds = float(_DELAYS[int(gains.max(axis=0).argmax())])
            delays.append(Delay(callee, seconds, min(1.0, gain / unexplained), gain))
    return sorted(delays, key=lambda one: (-one.gain, one.service))


def detect_delays(history: Sequence[CallerWaits], present: Sequence[CallerWaits]) -> list[Delay]:
    """Delays on the way now, against the usual ones of the same service: score = log2(gain / limit); the highest first.

    The limit is the larger of 4 and the 75 % quantile of the service's gain over equally long stretches of the newest
    hour of history, so that few minutes of history are enough and none make no silence.
    """
    usual = usual_gaps(history)
    minutes = sorted({one.minute for one in history})[-_JUDGED:]
    tried: dict[int, list[_Tried]] = {minute: [] for minute in minutes}
    for one in history:
        if one.minute in tried:
            tried[one.minute].append(_try_all(one, usual))
    length = len({one.minute for one in present})
    starts = range(max(1, len(minutes) - length + 1)) if minutes and length else range(0)
    past: dict[str, list[float]] = defaultdict(list)
    for start in starts:
        for delay in _best(one for minute in minutes[start : start + length] for one in tried[minute]):
            past[delay.service].append(delay.gain)
    return sorted(
        (_scored(one, past[one.service], len(starts)) for one in fit_delays(present, usual)),
        key=lambda one: (-one.score, -one.gain, one.service),
    )


def _scored(delay: Delay, past: Sequence[float], stretches: int) -> Delay:
    # In the stretches that are not among them nothing was gained.
    seen = [*past, *[0.0] * (stretches - len(past))]
    limit = max(_LEAST, float(np.quantile(seen, _USUAL)) if seen else 0.0)
    score = math.log2(delay.gain / limit)
    return Delay(delay.service, delay.seconds, delay.fit, delay.gain, max(-MAX_DOUBLINGS, min(MAX_DOUBLINGS, score)))
