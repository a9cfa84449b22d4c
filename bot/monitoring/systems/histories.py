"""What systems of record share that know one history a service: asked side by side, told newest first, tried by the doctor."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any

from bot.core.change import Change
from bot.core.check import Check, failed, ok
from bot.core.errors import PartialResult, QueryFailed

AT_ONCE = 20
"""Services asked at the same time in one look."""


async def told_since(
    of: Callable[[str], Awaitable[Iterable[Change]]], known: Iterable[str], service: str, since: datetime
) -> list[Change]:
    """Changes of one service, or of all that are `known`, newest first; `of` reads the history of one.

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

    found = await asyncio.gather(*(one(name) for name in known if service in ("", name)))
    changes = sorted((c for rows in found for c in rows if c.at >= since), key=lambda c: c.at, reverse=True)
    if not failures:
        return changes
    first, others = next(iter(failures.items())), len(failures) - 1
    raise PartialResult(f"{first[0]}{f' and {others} more' if others else ''}: {first[1]}", changes)


async def tried(name: str, of: Callable[[str], Awaitable[Any]], known: Iterable[str], *, what: str, advice: str) -> Check:
    """Whether the system answers for every service that it is said to know; `what` is counted."""
    services = list(known)
    try:
        await asyncio.gather(*map(of, services))
    except QueryFailed as error:
        return failed(name, str(error), advice)
    return ok(name, f"{len(services)} {what} can be read")
