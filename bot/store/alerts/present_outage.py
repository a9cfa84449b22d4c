"""Which alerts of a group are of the outage that it is about now, and which fire on from the one before.

An alert that begins anew while it fires, as no end of it was sent, fires on: its source was restarted and forgot its start.
"""

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import aliased
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.tables import EpisodeRow, GroupRow


def of_present_outage(group: GroupRow) -> tuple[ColumnElement[bool], ...]:
    """The alerts since the group is about something new; all, where it is about what it was opened for."""
    row, began_with = EpisodeRow, group.renewed_by
    if not began_with:
        return (col(row.group_id) == group.id,)
    return col(row.group_id) == group.id, col(row.id) >= began_with, col(row.id).not_in(_firing_on(group, began_with))


def of_outage_before(group: GroupRow) -> tuple[ColumnElement[bool], ...]:
    """The alerts of before the group was about something new; none, where it is about what it was opened for."""
    row, began_with = EpisodeRow, group.renewed_by or 0
    before = col(row.id) < began_with
    return col(row.group_id) == group.id, or_(before, col(row.id).in_(_firing_on(group, began_with))) if began_with else before


async def first_firing(session: AsyncSession, group: GroupRow, episode: EpisodeRow) -> EpisodeRow:
    """The episode of the outage before that this one fires on from; itself where there is none."""
    if not group.renewed_by or (episode.id or 0) <= group.renewed_by:
        return episode
    row, firing_on = EpisodeRow, _firing_on(group, group.renewed_by).subquery()
    same = row.source == episode.source, row.fingerprint == episode.fingerprint, row.group_id == episode.group_id
    fires_on = select(firing_on.c.id).where(firing_on.c.id == episode.id).exists()
    query = select(row).where(*same, col(row.id) < group.renewed_by, fires_on)
    return (await session.exec(query.order_by(col(row.id).desc()).limit(1))).first() or episode


def _firing_on(group: GroupRow, began_with: int) -> Any:  # Any: the types of SQLAlchemy know no recursive query
    """The ids of those that began as the same alert's firing before did end, from one of before the present outage on.

    A source that is restarted several times ends an alert as often.
    """
    before, following = aliased(EpisodeRow), aliased(EpisodeRow)
    columns: Any = (following.id, following.source, following.fingerprint, following.ended_at)
    anew = following.group_id == group.id, col(following.id) > began_with
    old = before.group_id == group.id, col(before.id) < began_with, before.ended_at == following.starts_at
    same = before.source == following.source, before.fingerprint == following.fingerprint
    chain = select(*columns).where(*anew, *old, *same).cte(recursive=True)
    links = following.source == chain.c.source, following.fingerprint == chain.c.fingerprint
    chain = chain.union(select(*columns).where(*links, following.starts_at == chain.c.ended_at, *anew))
    return select(chain.c.id)
