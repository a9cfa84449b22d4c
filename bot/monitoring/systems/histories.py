"""Change histories of several services: read in parallel, merged newest first, checked by the doctor."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

from bot.core.change import Change
from bot.core.check import Check, absent, failed, ok
from bot.core.errors import PartialResult, QueryFailed
from bot.parallel import answers_or_failures

AT_ONCE = 20
"""Services read at the same time in one query."""


async def changes_since(
    of: Callable[[str], Awaitable[Iterable[Change]]], services: Iterable[str], service: str, since: datetime
) -> list[Change]:
    """Changes of one service, or of all `services`, newest first; `of` reads the history of one.

    Raises PartialResult where some histories cannot be read: one that was renamed must not hide those of all others.
    """
    names = [name for name in services if service in ("", name)]
    histories = dict(zip(names, await answers_or_failures(of, names, at_once=AT_ONCE), strict=True))
    failures = {name: error for name, error in histories.items() if isinstance(error, QueryFailed)}
    rows = (change for history in histories.values() if not isinstance(history, QueryFailed) for change in history)
    changes = sorted((change for change in rows if change.at >= since), key=lambda change: change.at, reverse=True)
    if not failures:
        return changes
    first, others = next(iter(failures.items())), len(failures) - 1
    raise PartialResult(f"{first[0]}{f' and {others} more' if others else ''}: {first[1]}", changes)


async def tried(name: str, of: Callable[[str], Awaitable[object]], services: Iterable[str], *, what: str, advice: str) -> Check:
    """Whether the system answers for every configured service; `what` names what is counted."""
    names = list(services)
    if not names:
        return unused(name, what)
    try:
        await asyncio.gather(*map(of, names))
    except QueryFailed as error:
        return failed(name, str(error), advice)
    return ok(name, f"{len(names)} {what} can be read")


def unused(name: str, what: str) -> Check:
    """A system with an address that no service uses: nothing can be asked, so nothing is known of it."""
    return absent(name, f"it is never asked: no service says which {what} are its own (`known_as`, docs/systems.md)")
