"""What an investigation may name: only what everybody may read who reads the channel in which it stands."""

from collections.abc import Awaitable, Callable, Collection, Set
from functools import partial

from sqlalchemy import not_
from sqlmodel import col, select

from bot.core.actor import Visibility
from bot.core.service import Catalogue
from bot.store.alerts.reader import HISTORY, Alerts, Hidden
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


def visible_alerts(db: Database, group: str, recallable: Recallable, catalogue: Catalogue, default_channel: str) -> Alerts:
    """The reader of alerts for the investigation of a group."""
    return Alerts(db, partial(_hidden, db, group, recallable, partial(catalogue.channel_of, default=default_channel)))


async def _hidden(
    db: Database, group: str, recallable: Recallable, channel_of: Callable[[str], str], services: Set[str]
) -> Hidden:
    """What the investigation of a group may not name; of alerts in no group the service decides."""
    own = {service: Visibility(channel_of(service)) for service in services}
    every = await overview.visibilities(db)
    visible = await _visible_of(db, group, recallable, {*every, *own.values()})
    silent = frozenset(service for service, of in own.items() if of not in visible)
    return Hidden(await _hidden_groups(db, every, visible), silent)


async def _hidden_groups(db: Database, every: Collection[Visibility], visible: Collection[Visibility]) -> frozenset[int]:
    """The groups, as far back as alerts are read, that have none of the visible ones of `every`."""
    if all(one in visible for one in every):
        return frozenset()
    since = db.clock() - HISTORY
    query = select(GroupRow.id).where(col(GroupRow.last_alert_at) >= since, not_(has_visibility(GroupRow, visible)))
    async with db.read() as session:
        return frozenset(number for number in (await session.exec(query)).all() if number is not None)
