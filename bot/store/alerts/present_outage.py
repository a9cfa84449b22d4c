"""Which alerts of a group are of the outage that it is about now, and which fire on from the one before.

An alert that begins anew while it fires, as no end of it was sent, fires on: its source was restarted and forgot its start.
"""

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
    return col(row.group_id) == group.id, col(row.id) >= began_with, or_(row.id == began_with, ~_fires_on(began_with))


def of_outage_before(group: GroupRow) -> tuple[ColumnElement[bool], ...]:
    """The alerts of before the group was about something new; none, where it is about what it was opened for."""
    row, began_with = EpisodeRow, group.renewed_by or 0
    return col(row.group_id) == group.id, col(row.id) != began_with, or_(col(row.id) < began_with, _fires_on(began_with))


async def first_firing(session: AsyncSession, group: GroupRow, episode: EpisodeRow) -> EpisodeRow:
    """The episode of the outage before that this one fires on from; itself where there is none."""
    if not group.renewed_by or episode.id == group.renewed_by:
        return episode
    row = EpisodeRow
    same = row.source == episode.source, row.fingerprint == episode.fingerprint, row.group_id == episode.group_id
    query = select(row).where(*same, row.ended_at == episode.starts_at, col(row.id) < group.renewed_by)
    return (await session.exec(query.order_by(col(row.id).desc()).limit(1))).first() or episode


def _fires_on(began_with: int) -> ColumnElement[bool]:
    """Whether another episode of the same alert, of before the present outage, was ended by nothing but this one's start."""
    row, before = EpisodeRow, aliased(EpisodeRow)
    same = before.source == row.source, before.fingerprint == row.fingerprint, before.group_id == row.group_id
    return select(before.id).where(*same, before.ended_at == row.starts_at, col(before.id) < began_with).exists()
