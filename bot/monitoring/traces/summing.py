"""Spans of many services summed up, for trace stores that answer whole traces only."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from bot.core.errors import QueryFailed
from bot.core.traces.calls import CallSummary, summarize_calls
from bot.core.traces.spans import Sample, Span
from bot.parallel import answers_or_failures

TRACES = 30
"""Traces read of each service: enough to see whether its callers wait."""
PART, MAX_PARTS, MAX_SEARCHES = timedelta(minutes=10), 6, 48
"""A long window is read in parts, since a store answers the newest traces: those of its last seconds alone."""
_AT_ONCE = 6

ReadSpans = Callable[..., Awaitable[Sample[Span]]]
"""`spans` of the Traces port."""


async def calls_of(read: ReadSpans, services: Sequence[str], *, start: datetime, end: datetime) -> Sample[CallSummary]:
    """The calls in some traces of each service, summed up. Raises QueryFailed if none of the services could be read."""
    windows = _windows(start, end, len(services))

    def spans_of(query: tuple[str, datetime, datetime]) -> Awaitable[Sample[Span]]:
        service, since, until = query
        return read(service, start=since, end=until, traces=TRACES // len(windows))

    queries = [(service, *window) for service in services for window in windows]
    answers = await answers_or_failures(spans_of, queries, at_once=_AT_ONCE)
    samples = [answer for answer in answers if not isinstance(answer, QueryFailed)]
    failed = {each[0]: answer for each, answer in zip(queries, answers, strict=True) if isinstance(answer, QueryFailed)}
    if failed and not samples:
        raise next(iter(failed.values()))
    return Sample(
        await asyncio.to_thread(summarize_calls, [span for answer in samples for span in answer.rows]),
        more=any(answer.more for answer in samples),
        unread=(*(f"{name} could not be read: {why}" for name, why in failed.items()), *_once(samples)),
    )


def sampled(rows: Sequence[Span | None]) -> Sample[Span] | None:
    """The spans that could be read, and how many could not; None if not one of them could: no such API."""
    spans = [row for row in rows if row is not None]
    broken = len(rows) - len(spans)
    if broken and not spans:
        return None
    return Sample(spans, unread=(f"{broken} of {len(rows)} spans lack required fields",) if broken else ())


def _windows(start: datetime, end: datetime, services: int) -> list[tuple[datetime, datetime]]:
    """Parts of the window, each a query of its own: fewer of them the more services there are."""
    most = min(MAX_PARTS, MAX_SEARCHES // max(1, services))
    count = max(1, min(math.ceil((end - start) / PART), most))
    edges = [start + (end - start) / count * index for index in range(count)]
    return list(pairwise([*edges, end]))


def _once(samples: Sequence[Sample[Span]]) -> list[str]:
    return list(dict.fromkeys(why for answer in samples for why in answer.unread))
