"""What an investigation may name: only what everybody may read who reads the channel in which it stands."""

from collections.abc import Awaitable, Callable, Collection
from functools import partial

from sqlalchemy import not_
from sqlmodel import col, select

from bot.core.actor import Visibility
from bot.store.alerts.reader import HISTORY, Alerts
from bot.store.db.database import Database
from bot.store.db.visibility import has_visibility
from bot.store.incidents import overview
from bot.store.tables import GroupRow

Recallable = Callable[[Collection[Visibility], str], Awaitable[Collection[Visibility]]]
"""Which of some visibilities may be named in a channel."""


async def visible_to(db: Database, group: str, recallable: Recallable) -> Collection[Visibility]:
    """Those of groups and incidents that the investigation of a group may name."""
    return await _visible_of(db, group, recallable, await overview.visibilities(db))


async def _visible_of(
    db: Database, group: str, recallable: Recallable, visibilities: Collection[Visibility]
) -> Collection[Visibility]:
    of = await overview.visibility_of(db, group)
    return await recallable(visibilities, of.channel if of else "")


def visible_alerts(db: Database, group: str, recallable: Recallable) -> Alerts:
    """The reader of alerts for the investigation of a group."""
    return Alerts(db, partial(hidden_groups, db, group, recallable))


async def hidden_groups(db: Database, group: str, recallable: Recallable) -> frozenset[int]:
    """The groups, as far back as alerts are read, whose alerts the investigation of a group may not name."""
    every = await overview.visibilities(db)
    visible = await _visible_of(db, group, recallable, every)
    if len(visible) == len(every):
        return frozenset()
    since = db.clock() - HISTORY
    query = select(GroupRow.id).where(col(GroupRow.last_alert_at) >= since, not_(has_visibility(GroupRow, visible)))
    async with db.read() as session:
        return frozenset(number for number in (await session.exec(query)).all() if number is not None)
