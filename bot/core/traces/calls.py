"""Spans summed up by minute, and delays between services: callers that wait longer than any server says it took.

For each caller and minute, the spans of the servers that it called plus its usual gap say how long its own waits should
be. Each delay of each service is tried: if its calls had taken so many seconds longer on the way, how long would the
callers have waited? The service and the delay that bring the expected waits nearest to the real ones are the lead. A
server that is slow itself is slow at both ends, so neither it nor its callers show.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bot.core.loading.arrays import Flags, Floats, np
from bot.core.metrics.deviation import MAX_DOUBLINGS
from bot.core.traces.spans import Span

Values = Floats
Side = Literal["client", "server", "internal"]

WIRE_TIME = "time of a call on the wire"
"""The signal of a delay: of all its services one fit says how much each explains of the same waits."""
_BANDS = (0.5, 0.95, 1.0)
"""Median, p95 and the longest: a callee that receives few of the calls shows in the slowest waits alone."""
_DELAYS = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)
"""Seconds tried."""
_SHARES = (1.0, 0.5)
"""Shares of the calls tried: a delay may begin within the minute, or affect some of a service's pods."""
_PARTIAL_FACTOR = 0.9
"""Factor on the gain where half of the calls are delayed: one more choice fits noise a little better."""
_OFFSET = 0.1
"""Seconds added to both waits that are compared, log((a + 0.1 s) / (b + 0.1 s)): a few milliseconds are no doubling."""
_USUAL = 0.75
_UNKNOWN_GAP = 0.2
"""The usual gap in seconds where the history has fewer than three minutes: gaps of 90 to 220 ms are common."""
_MIN_MINUTES = 3
_MIN_GAIN = 4.0
"""Gain below which a delay may be chance: periods without one reach 3."""
_HISTORY_MINUTES = 60
"""So many of the newest minutes of history say what gain is usual."""
_MAX_POINTS = 20


@dataclass(frozen=True)
class CallSummary:
    """Spans of one kind in one minute: `count` of them, with quantiles of their length in seconds.

    A server span belongs to `service` and was called by `caller` ("" if from outside). A client span belongs to
    `service`, which waits in it for `to` ("" if the spans do not say for whom); its `caller` is the service itself.
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
    """Single spans summed up by minute, caller, service and operation; a span that two searches returned counts once.

    A server's span is one whose parent is another service's; a parent that was not recorded says nothing about the caller.
    The span that answers a call counts in the call's own minute: clocks of two hosts differ. A span that ended before it
    began counts nowhere, but still says who called.
    """
    by_id = {(span.trace, span.id): span for span in spans}
    callees = {(s.trace, s.parent): s.service for s in by_id.values() if not s.client}
    groups: dict[tuple[int, str, str, str, Side, str], list[float]] = defaultdict(list)
    for span in (timed for timed in by_id.values() if timed.seconds >= 0):
        parent = by_id.get((span.trace, span.parent))
        caller = parent.service if parent else ""
        side: Side = "client" if span.client else "internal" if caller == span.service else "server"
        minute = int((parent if parent and parent.client and side == "server" else span).start // 60) * 60
        to = callees.get((span.trace, span.id), "") if side == "client" else ""
        groups[minute, span.service if side == "client" else caller, span.service, span.operation, side, to].append(
            span.seconds
        )
    return [_summary(*key, lengths) for key, lengths in sorted(groups.items())]


def _summary(
    minute: int, caller: str, service: str, operation: str, side: Side, to: str, lengths: Sequence[float]
) -> CallSummary:
    p50, p95 = float(np.median(lengths)), float(np.quantile(lengths, 0.95))
    return CallSummary(minute, caller, service, operation, side, len(lengths), p50, p95, max(lengths), to)


@dataclass(frozen=True)
class CallerWaits:
    """How long one caller waited in one minute, and how long the servers that it called say they took."""

    minute: int
    caller: str
    to: str
    """The service it waited for, where the spans say so; else "": any of those it called."""
    count: int
    waited: Values
    """Median, p95 and longest, in seconds."""
    seconds: Values
    """Lengths of the servers' spans, drawn from their quantiles."""
    weight: Values
    """How many calls each of them stands for."""
    callees: Sequence[str]
    """The service of each of them."""


@dataclass(frozen=True)
class Delay:
    """A service whose calls lose time on the way to it."""

    service: str
    seconds: float
    """Time lost by each call."""
    fit: float
    """Share of the callers' additional waiting that it explains, 0 to 1."""
    gain: float
    """How much nearer it brings the expected waits: natural logs, summed over callers, minutes and bands, times root calls."""
    doublings: float = 0.0
    """log2 of the gain over its usual limit."""


def waits_by_caller(calls: Iterable[CallSummary]) -> list[CallerWaits]:
    """By caller and minute, its client spans with the server spans of those it called.

    Where spans say whom a wait was for, it is compared with that callee alone; the other waits with all other callees.
    """
    clients: dict[tuple[int, str, str], list[CallSummary]] = defaultdict(list)
    servers: dict[tuple[int, str], list[CallSummary]] = defaultdict(list)
    for call in calls:
        if call.side == "client":
            clients[call.minute, call.service, call.to].append(call)
        elif call.side == "server" and call.caller and call.caller != call.service:
            servers[call.minute, call.caller].append(call)
    waits = []
    for (minute, caller, to), own in sorted(clients.items(), key=lambda group: group[0]):
        called = [s for s in servers[minute, caller] if (s.service == to if to else (minute, caller, s.service) not in clients)]
        if called:
            waits.append(_waits(minute, caller, to, own, called))
    return waits


def _waits(minute: int, caller: str, to: str, own: Sequence[CallSummary], called: Sequence[CallSummary]) -> CallerWaits:
    served, weight = _weighted_durations(called)
    callees = [call.service for call, seconds in zip(called, served, strict=True) for _ in seconds]
    own_waits, own_weight = _weighted_durations(own)
    waited = _bands(np.concatenate(own_waits)[None, :], own_weight)[0]
    return CallerWaits(minute, caller, to, sum(call.count for call in own), waited, np.concatenate(served), weight, callees)


def _weighted_durations(calls: Sequence[CallSummary]) -> tuple[list[Values], Values]:
    """Durations of each summary, and how many calls each duration of all of them stands for."""
    durations = [_durations(call) for call in calls]
    return durations, np.concatenate([np.full(len(d), call.count / len(d)) for call, d in zip(calls, durations, strict=True)])


def _durations(call: CallSummary) -> Values:
    """Durations with these quantiles, at most 20 that stand for all; of a single call its longest."""
    if call.count <= 1:
        return np.array([call.longest])
    shortest = max(0.3 * call.p50, 2 * call.p50 - call.p95)
    ranks = np.linspace(0, 1, min(call.count, _MAX_POINTS))
    return np.asarray(np.interp(ranks, (0.0, *_BANDS), (shortest, call.p50, call.p95, call.longest)))


def _bands(seconds: Values, weight: Values) -> Values:
    """Median, p95 and longest of each row of `seconds`, shape (rows, 3), whose columns stand for `weight` calls each."""
    order = np.argsort(seconds, axis=1, kind="stable")
    ordered, weights = np.take_along_axis(seconds, order, axis=1), weight[order]
    middle = np.cumsum(weights, axis=1) - weights / 2
    return np.array([_row_bands(row, at) for row, at in zip(ordered, middle, strict=True)])


def _row_bands(ordered: Values, at: Values) -> Values:
    return np.asarray(np.interp(_BANDS, (at - at[0]) / max(at[-1] - at[0], 1e-9), ordered))


UsualGaps = Mapping[tuple[str, str], Values]
"""(caller, whom it waits for) to the seconds by which each of its bands usually lies above the servers'."""


def usual_gaps(history: Iterable[CallerWaits]) -> dict[tuple[str, str], Values]:
    """By how much a caller usually waits longer than the servers take: the 75 % quantile over a history, band by band."""
    gaps: dict[tuple[str, str], list[Values]] = defaultdict(list)
    for waits in history:
        gaps[waits.caller, waits.to].append(waits.waited - _bands(waits.seconds[None, :], waits.weight)[0])
    return {
        pair: np.maximum(0.0, np.quantile(np.array(by_minute), _USUAL, axis=0))
        for pair, by_minute in gaps.items()
        if len(by_minute) >= _MIN_MINUTES
    }


@dataclass(frozen=True)
class _Trial:
    """One caller's minute: how much longer it waited than expected, and what each callee, share and delay would gain."""

    unexplained: float
    gains: Mapping[str, Values]
    """Callee to gains, shape (shares, delays)."""


def _try_all(waits: CallerWaits, usual: UsualGaps) -> _Trial:
    gap = usual.get((waits.caller, waits.to), np.full(len(_BANDS), _UNKNOWN_GAP))
    calls = math.sqrt(waits.count)
    undelayed = _distance(waits, waits.seconds[None, :], waits.weight, gap)[0]
    gains = {}
    for callee in dict.fromkeys(waits.callees):
        is_callee = np.array([name == callee for name in waits.callees])
        rows = [_delayed_distance(waits, is_callee, share, gap) for share in _SHARES]
        factor = np.array([[1.0 if share == 1.0 else _PARTIAL_FACTOR] for share in _SHARES])
        gains[callee] = calls * factor * (np.abs(undelayed).sum() - np.array(rows))
    return _Trial(calls * float(np.maximum(0.0, undelayed).sum()), gains)


def _delayed_distance(waits: CallerWaits, is_callee: Flags, share: float, gap: Values) -> Values:
    """Distance of the expected from the real waits, for each delay of this share of the callee's calls."""
    delayed = waits.seconds + np.array(_DELAYS)[:, None] * is_callee
    if share == 1.0:
        return np.asarray(np.abs(_distance(waits, delayed, waits.weight, gap)).sum(axis=1))
    # The callee's calls are there twice: the share that is delayed, and the rest that is not.
    undelayed = np.broadcast_to(waits.seconds[is_callee], (len(_DELAYS), int(is_callee.sum())))
    weight = np.concatenate([np.where(is_callee, waits.weight * share, waits.weight), waits.weight[is_callee] * (1 - share)])
    return np.asarray(np.abs(_distance(waits, np.concatenate([delayed, undelayed], axis=1), weight, gap)).sum(axis=1))


def _distance(waits: CallerWaits, seconds: Values, weight: Values, gap: Values) -> Values:
    """log of the real over the expected waits, shape (rows of seconds, 3)."""
    expected = _bands(seconds, weight) + gap
    return np.asarray(np.log((waits.waited + _OFFSET) / (expected + _OFFSET)))


def fit_delays(waits: Iterable[CallerWaits], usual: UsualGaps | None = None) -> list[Delay]:
    """For each callee the delay of its calls that alone explains best why its callers wait longer; the best callee first.

    With e = log((waited + 0.1 s) / (expected + 0.1 s)) by caller, minute and band, gain = sum of sqrt(calls) x (|e without
    delay| - |e with it|), times 0.9 where half of the calls are delayed; fit = gain / sum of sqrt(calls) x (the part of e
    without delay that is above 0). Callees without gain are left out.
    """
    return _best(_try_all(wait, usual or {}) for wait in waits)


def _best(trials: Iterable[_Trial]) -> list[Delay]:
    unexplained, sums = 0.0, dict[str, Values]()
    for trial in trials:
        unexplained += trial.unexplained
        for callee, gains in trial.gains.items():
            sums[callee] = sums[callee] + gains if callee in sums else gains
    delays = []
    for callee, gains in sums.items():
        gain = float(gains.max())
        if gain > 0 and unexplained > 0:
            seconds = float(_DELAYS[int(gains.max(axis=0).argmax())])
            delays.append(Delay(callee, seconds, min(1.0, gain / unexplained), gain))
    return sorted(delays, key=lambda delay: (-delay.gain, delay.service))


def detect_delays(history: Sequence[CallerWaits], present: Sequence[CallerWaits]) -> list[Delay]:
    """Delays on the way now, compared with the same service's past: doublings = log2(gain / limit); the highest first.

    The limit is the larger of 4 and the 75 % quantile of the service's gain over equally long periods of the newest hour
    of history, so that few minutes of history are enough, and none is no reason to find nothing.
    """
    usual = usual_gaps(history)
    minutes = sorted({waits.minute for waits in history})[-_HISTORY_MINUTES:]
    trials: dict[int, list[_Trial]] = {minute: [] for minute in minutes}
    for waits in history:
        if waits.minute in trials:
            trials[waits.minute].append(_try_all(waits, usual))
    length = len({waits.minute for waits in present})
    starts = range(max(1, len(minutes) - length + 1)) if minutes and length else range(0)
    past: dict[str, list[float]] = defaultdict(list)
    for start in starts:
        for delay in _best(trial for minute in minutes[start : start + length] for trial in trials[minute]):
            past[delay.service].append(delay.gain)
    return sorted(
        (_compared(delay, past[delay.service], len(starts)) for delay in fit_delays(present, usual)),
        key=lambda delay: (-delay.doublings, -delay.gain, delay.service),
    )


def _compared(delay: Delay, past_gains: Sequence[float], periods: int) -> Delay:
    # A period that is not among them gained nothing.
    gains = [*past_gains, *[0.0] * (periods - len(past_gains))]
    limit = max(_MIN_GAIN, float(np.quantile(gains, _USUAL)) if gains else 0.0)
    doublings = max(-MAX_DOUBLINGS, min(MAX_DOUBLINGS, math.log2(delay.gain / limit)))
    return replace(delay, doublings=doublings)
