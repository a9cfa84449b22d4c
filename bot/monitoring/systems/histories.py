"""Change histories of several services: read in parallel, merged newest first, checked by the doctor."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

from bot.core.change import Change
from bot.core.check import Check, failed, ok
from bot.core.errors import PartialResult, QueryFailed

AT_ONCE = 20
"""Services read at the same time in one query."""


async def changes_since(
    of: Callable[[str], Awaitable[Iterable[Change]]], services: Iterable[str], service: str, since: datetime
) -> list[Change]:
    """Changes of one service, or of all `services`, newest first; `of` reads the history of one.

    Raises PartialResult where some histories cannot be read: one that was renamed must not hide those of all others.
    """
    gate, failures = asyncio.Semaphore(AT_ONCE), dict[str, QueryFailed]()

    async def one(name: str) -> Iterable[Change]:
        async with gate:
            try:
                return await of(name)
            except QueryFailed as error:
                failures[name] = error
                return ()

    histories = await asyncio.gather(*(one(name) for name in services if service in ("", name)))
    changes = sorted((c for rows in histories for c in rows if c.at >= since), key=lambda c: c.at, reverse=True)
    if not failures:
        return changes
    first, others = next(iter(failures.items())), len(failures) - 1
    raise PartialResult(f"{first[0]}{f' and {others} more' if others else ''}: {first[1]}", changes)


async def tried(name: str, of: Callable[[str], Awaitable[object]], services: Iterable[str], *, what: str, advice: str) -> Check:
    """Whether the system answers for every configured service; `what` names what is counted."""
    names = list(services)
    try:
        await asyncio.gather(*map(of, names))
    except QueryFailed as error:
        return failed(name, str(error), advice)
    return ok(name, f"{len(names)} {what} can be read")
