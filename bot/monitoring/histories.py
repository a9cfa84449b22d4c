"""What systems of record share that know one history a service: asked side by side, told newest first, tried by the doctor."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any

from bot.core.change import Change
from bot.core.check import Check, failed, ok
from bot.core.errors import LookFailed

MOST = 40
"""Services asked in one look; the rest of a large inventory is asked by service."""


async def told_since(
    of: Callable[[str], Awaitable[Iterable[Change]]], known: Iterable[str], service: str, since: datetime
) -> list[Change]:
    """Changes of one service, or of all that are `known`, newest first; `of` reads the history of one."""
    asked = [name for name in known if service in ("", name)][:MOST]
    found = await asyncio.gather(*map(of, asked))
    return sorted((c for rows in found for c in rows if c.at >= since), key=lambda c: c.at, reverse=True)


async def tried(name: str, of: Callable[[str], Awaitable[Any]], known: Iterable[str], *, what: str, advice: str) -> Check:
    """Whether the system answers for every service that it is said to know; `what` is counted."""
    services = list(known)
    try:
        await asyncio.gather(*map(of, services))
    except LookFailed as error:
        return failed(name, str(error), advice)
    return ok(name, f"{len(services)} {what} can be read")
