"""Lines of one window: all of them or, of a flood, the newest, some of every part, and the first."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, pairwise

from bot.core.errors import QueryFailed
from bot.core.logs.line import LogLine
from bot.ports import Logs

READ_LINES = 2_000
"""Lines read of a window at once, the newest."""
SLICES, SLICE_LINES = 6, 300
"""What a flood left unread is sampled in so many spans alike."""
HALVINGS = 4
"""So often the unread beginning of a flood is halved: what was logged just as it began is read."""
MORE_SECONDS = 4.0
"""Of all further queries for a flood; a store that needs more has returned its newest lines by then."""
_TICK = timedelta(milliseconds=1)
"""A window holds both its ends, and Loki is queried in milliseconds: a part ends so much before the next."""


@dataclass(frozen=True)
class Sample:
    """Lines of one window and the seconds that they stand for: less than its span where it held more than was read."""

    lines: Sequence[LogLine]
    seconds: float
    full: bool


@dataclass(frozen=True)
class _Part:
    """The newest lines of a span; `full` if it held more, and then they begin at `since`."""

    lines: Sequence[LogLine]
    since: datetime
    end: datetime
    full: bool


async def sample(logs: Logs, service: str, text: str, *, start: datetime, end: datetime) -> Sample:
    """The lines of a window; of a flood at most 5,000 spread over it. Raises QueryFailed."""

    async def read_part(since: datetime, until: datetime, limit: int = SLICE_LINES) -> _Part:
        lines = await logs.search(service, text, start=since, end=until, limit=limit)
        full = len(lines) >= limit
        return _Part(lines, max(since, min(line.at for line in lines)) if full else since, until, full)

    parts = [await read_part(start, end, READ_LINES)]
    length = (parts[0].since - start) / SLICES
    if parts[0].full and length > 2 * _TICK:
        try:
            async with asyncio.timeout(MORE_SECONDS):
                await _rest(parts, read_part, [start + length * index for index in range(SLICES + 1)])
        except (TimeoutError, QueryFailed):
            pass  # What was read stands, and `full` says that there was more.
    seconds = sum((part.end - part.since).total_seconds() for part in parts)
    return Sample(list(chain.from_iterable(part.lines for part in parts)), max(1.0, seconds), parts[0].full)


async def _rest(
    parts: list[_Part], read_part: Callable[[datetime, datetime], Awaitable[_Part]], edges: Sequence[datetime]
) -> None:
    """Add some of every span between the edges, and where the flood began."""
    parts += await asyncio.gather(*(read_part(since, until - _TICK) for since, until in pairwise(edges)))
    # Where the flood began, the lines before those read: each time of the earlier half of what is left.
    began, slice_read = next(
        ((edge, part) for edge, part in zip(edges, parts[1:], strict=False) if part.full), (edges[0], None)
    )
    while slice_read and slice_read.full and len(parts) <= SLICES + HALVINGS and slice_read.since - began > 2 * _TICK:
        slice_read = await read_part(began, began + (slice_read.since - began) / 2 - _TICK)
        parts.append(slice_read)
