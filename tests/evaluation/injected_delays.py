"""Lays a delay on the way to one service into spans that were summed up: into the calls, and into all that waited for them.

The sums are spelled out as single spans with the same quantiles and tied to each other: the spans of a caller's waits to
the servers' spans by their rank, a wait to a server span of its service that is long enough to hold it. A delayed call
lengthens the wait for it, the server span that this stands in, the wait for that one, and so on to the front. The delayed
service's own spans stay as they are. Sums are taken again only where something was laid.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bot.core.traces.calls import CallSummary

_JITTER = 0.02
_DEPTH = 12
_QUANTILES = (0.5, 0.95, 1.0)


@dataclass
class _Span:
    row: int
    usual: float
    laid: float = 0.0
    within: "_Span | None" = None
    """Of a server's span its caller's wait; of a wait the server's span that it stands in."""

    @property
    def seconds(self) -> float:
        return self.usual + self.laid


@dataclass(frozen=True)
class Delayed:
    """One minute with the delay in it, the seconds that quantiles of a service's spans grew by, and how many calls it met."""

    calls: Sequence[CallSummary]
    longer: Mapping[tuple[str, str, float], float]
    """Service, side and quantile (0 to 1) to seconds."""
    met: int


def add_delay(
    minute: Sequence[CallSummary],
    target: str,
    seconds: float,
    *,
    chance: float,
    rng: np.random.Generator,
    quantiles: Sequence[float],
) -> Delayed:
    """The calls to `target` from other services last `seconds` longer, each with this chance."""
    rows = list(minute)
    spans = [_spelled_out(number, row) for number, row in enumerate(rows)]
    _tie(rows, spans, rng)
    met = 0
    for row, own_spans in zip(rows, spans, strict=True):
        if row.service == target and _from_elsewhere(row):
            for span in own_spans:
                if span.within is not None and rng.random() < chance:
                    met += 1
                    _lengthen(span.within, seconds * max(0.5, rng.normal(1.0, _JITTER)))
    summed = [_summed(row, own_spans) for row, own_spans in zip(rows, spans, strict=True)]
    return Delayed(summed, _longer(rows, spans, quantiles), met)


def _spelled_out(number: int, row: CallSummary) -> list[_Span]:
    if row.count <= 1:
        return [_Span(number, row.longest)]
    shortest = max(0.3 * row.p50, 2 * row.p50 - row.p95)
    lengths = np.interp(np.linspace(0, 1, row.count), (0.0, *_QUANTILES), (shortest, row.p50, row.p95, row.longest))
    return [_Span(number, float(length)) for length in lengths]


def _from_elsewhere(row: CallSummary) -> bool:
    return row.side == "server" and row.caller not in ("", row.service)


def _tie(rows: Sequence[CallSummary], spans: Sequence[list[_Span]], rng: np.random.Generator) -> None:
    waits: dict[str, list[_Span]] = defaultdict(list)
    called_by: dict[str, list[_Span]] = defaultdict(list)
    serves: dict[str, list[_Span]] = defaultdict(list)
    for row, own_spans in zip(rows, spans, strict=True):
        if row.side == "client":
            waits[row.service] += own_spans
        elif row.side == "server":
            serves[row.service] += own_spans
            if _from_elsewhere(row):
                called_by[row.caller] += own_spans
    for service, mine in waits.items():
        mine.sort(key=lambda span: -span.usual)
        for served, wait in zip(sorted(called_by[service], key=lambda span: -span.usual), mine, strict=False):
            served.within = wait
        for wait in mine:
            wait.within = _holder(wait, serves[service], rng)


def _holder(wait: _Span, serving: Sequence[_Span], rng: np.random.Generator) -> _Span | None:
    """One of the server's spans that last at least as long, else the longest."""
    if not serving:
        return None
    long_enough = [span for span in serving if span.usual >= wait.usual]
    return long_enough[int(rng.integers(len(long_enough)))] if long_enough else max(serving, key=lambda span: span.usual)


def _lengthen(span: _Span, seconds: float) -> None:
    """This span and all that it stands in."""
    reached: _Span | None = span
    for _ in range(_DEPTH):
        if reached is None:
            return
        reached.laid += seconds
        reached = reached.within


def _summed(row: CallSummary, spans: Sequence[_Span]) -> CallSummary:
    if not any(span.laid for span in spans):
        return row
    p50, p95, longest = np.quantile([span.seconds for span in spans], _QUANTILES)
    return replace(row, p50=float(p50), p95=float(p95), longest=float(longest))


def _longer(
    rows: Sequence[CallSummary], spans: Sequence[list[_Span]], quantiles: Sequence[float]
) -> dict[tuple[str, str, float], float]:
    groups: dict[tuple[str, str], list[_Span]] = defaultdict(list)
    for row, own_spans in zip(rows, spans, strict=True):
        groups[row.service, row.side] += own_spans
    longer: dict[tuple[str, str, float], float] = {}
    for (service, side), own_spans in groups.items():
        if any(span.laid for span in own_spans):
            grown = _at(quantiles, [s.seconds for s in own_spans]) - _at(quantiles, [s.usual for s in own_spans])
            longer |= {(service, side, q): float(by) for q, by in zip(quantiles, grown, strict=True)}
    return longer


def _at(quantiles: Sequence[float], values: Sequence[float]) -> NDArray[np.float64]:
    return np.asarray(np.quantile(np.array(values), quantiles), dtype=np.float64)
