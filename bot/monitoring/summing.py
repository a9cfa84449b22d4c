"""Spans of many services summed up, for trace stores that answer whole traces only."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

from bot.core.calls import Calls, summed_up
from bot.core.errors import LookFailed
from bot.core.spans import Span

TRACES = 30
"""Traces read of each service: enough to see whether its callers wait."""
_AT_ONCE = 6

ReadSpans = Callable[..., Awaitable[list[Span]]]
"""`spans` of the Traces port."""


async def calls_of(read: ReadSpans, services: Iterable[str], *, start: datetime, end: datetime) -> list[Calls]:
    """What the newest traces of each service tell together. Raises LookFailed if none of the services could be read."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(service: str) -> list[Span] | LookFailed:
        async with turns:
            try:
                return await read(service, start=start, end=end, traces=TRACES)
            except LookFailed as error:
                return error

    found = await asyncio.gather(*map(one, services))
    failures = [answer for answer in found if isinstance(answer, LookFailed)]
    if failures and len(failures) == len(found):
        raise failures[0]
    return summed_up(span for answer in found if not isinstance(answer, LookFailed) for span in answer)
