"""Spans of traces: where the time of requests goes, now and before.

Self time is a span's duration less the time in which a child ran. Network time is how much longer a client's span lasts
than the server's span that answers it: queues, network and retries. Spans as OpenTelemetry defines them:
https://opentelemetry.io/docs/specs/otel/trace/api/
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Generic, TypeVar

from bot.core.text.untrusted import one_line
from bot.core.tool_calls import could_not_check

_T = TypeVar("_T", covariant=True)


@dataclass(frozen=True)
class Span:
    """One operation of one service within a trace; names are untrusted text."""

    trace: str
    id: str
    parent: str
    """"" for a root, or where the parent was not recorded."""
    service: str
    operation: str
    start: float
    """Seconds since 1970."""
    seconds: float
    """Negative where its clock was set back meanwhile: how long it took is unknown."""
    error: bool = False
    client: bool = False
    """The caller's view of one call to another service."""


@dataclass(frozen=True)
class Sample(Generic[_T]):
    """What was read of a trace store: spans, or their sums."""

    rows: Sequence[_T] = ()
    more: bool = False
    """True if the store holds more traces than were read."""
    unread: tuple[str, ...] = ()
    """What could not be read, and why."""

    @property
    def limits(self) -> str:
        """`a sample: there were more traces; ...` for the end of a sentence; "" if all was read."""
        return "; ".join([*(["a sample: there were more traces"] if self.more else []), *self.unread[:2]])


def unread_parts(*samples: Sample[object]) -> tuple[str, ...]:
    """What of them could not be read, one sentence each, as evidence lists it."""
    return tuple(dict.fromkeys(could_not_check("traces", one_line(why, 200)) for sample in samples for why in sample.unread))


@dataclass(frozen=True)
class TimeSpent:
    """Median seconds a request of one operation, now and before; 0 requests where there was none."""

    service: str
    operation: str
    """`GET /pay`, or `wire to payments`."""
    now: float
    before: float
    requests: int
    requests_before: int
    errors: int
    errors_before: int

    @property
    def lost(self) -> float:
        """Seconds that a request takes longer than before."""
        return self.now - self.before if self.requests and self.requests_before else 0.0


def compare_spans(now: Sequence[Span], before: Sequence[Span]) -> list[TimeSpent]:
    """Where the time goes: self time of each operation and network time between services, most time lost first."""
    spent, spent_before = _spent(now), _spent(before)
    rows = [_row(key, spent.get(key, ()), spent_before.get(key, ())) for key in {**spent, **spent_before}]
    return sorted(rows, key=lambda row: (-abs(row.lost), -row.requests, row.service, row.operation))


def _row(key: tuple[str, str], now: Sequence[tuple[float, bool]], before: Sequence[tuple[float, bool]]) -> TimeSpent:
    return TimeSpent(
        service=key[0],
        operation=key[1],
        now=median(seconds for seconds, _ in now) if now else 0.0,
        before=median(seconds for seconds, _ in before) if before else 0.0,
        requests=len(now),
        requests_before=len(before),
        errors=sum(error for _, error in now),
        errors_before=sum(error for _, error in before),
    )


def _spent(spans: Sequence[Span]) -> dict[tuple[str, str], list[tuple[float, bool]]]:
    children: dict[tuple[str, str], list[Span]] = {}
    for span in spans:
        children.setdefault((span.trace, span.parent), []).append(span)
    spent: dict[tuple[str, str], list[tuple[float, bool]]] = {}
    for span in (timed for timed in spans if timed.seconds >= 0):
        own_children = children.get((span.trace, span.id), [])
        answer = next((child for child in own_children if child.service != span.service and child.seconds >= 0), None)
        if span.client and answer is not None:
            # Both ends of one call: what it lasts longer at the caller is spent on the way, and is no work of the caller.
            key, seconds = (span.service, f"wire to {answer.service}"), max(0.0, span.seconds - answer.seconds)
        else:
            key, seconds = (span.service, span.operation), self_seconds(span, own_children)
        spent.setdefault(key, []).append((seconds, span.error))
    return spent


def self_seconds(span: Span, children: Iterable[Span]) -> float:
    """Seconds of a span in which no child ran; children that run at the same time count once."""
    end, covered, covered_until = span.start + span.seconds, 0.0, span.start
    for child in sorted(children, key=lambda call: call.start):
        first, last = max(covered_until, child.start), min(end, child.start + child.seconds)
        if last > first:
            covered += last - first
            covered_until = last
    return max(0.0, span.seconds - covered)


def neighbours(spans: Iterable[Span], service: str) -> tuple[set[str], set[str]]:
    """The services that one calls and those that call it, by parents that belong to another service."""
    by_id = {(span.trace, span.id): span for span in spans}
    called: set[str] = set()
    calling: set[str] = set()
    for span in by_id.values():
        parent = by_id.get((span.trace, span.parent))
        if parent is not None and parent.service != span.service:
            if parent.service == service:
                called.add(span.service)
            elif span.service == service:
                calling.add(parent.service)
    return called, calling
