"""What is old enough to be deleted. Read from the oldest key on and only as far as something old can stand: a list of all
groups of a year would hold up the event loop."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.incident import GroupState
from bot.store.db.database import Database
from bot.store.retention.ownership import living, references
from bot.store.tables import GroupRow, IncidentRow, MessageRow

PAGE = 200
_GROUP: Any = (
    GroupRow.id,
    GroupRow.state,
    GroupRow.opened_at,
    GroupRow.last_alert_at,
    GroupRow.cleared_at,
    GroupRow.human_at,
)


async def old_groups(db: Database, before: datetime, most: int) -> list[int]:
    """Resolved groups where nothing happened since `before`, nor in their incident; at most some `most`, oldest first."""
    old: list[int] = []
    after = 0
    while len(old) < most:
        async with db.read() as session:
            query = select(*_GROUP).where(col(GroupRow.id) > after).order_by(col(GroupRow.id)).limit(PAGE)
            page = (await session.exec(query)).all()
            busy = await _busy(session, [row.id for row in page], before)
        old += [row.id for row in page if row.id not in busy and _is_over(row, before)]
        if len(page) < PAGE or page[-1].opened_at >= before:
            break
        after = page[-1].id
    return old


def _is_over(row: Row[Any], before: datetime) -> bool:  # Any: the columns of the select above
    moments = (row.opened_at, row.last_alert_at, row.cleared_at, row.human_at)
    return row.state == GroupState.RESOLVED and all(moment < before for moment in moments if moment is not None)


async def _busy(session: AsyncSession, groups: Sequence[int], before: datetime) -> set[int | None]:
    """Those of the groups whose incident is open, or was resolved since `before`."""
    lasting = or_(col(IncidentRow.resolved_at).is_(None), col(IncidentRow.resolved_at) >= before)
    query = select(IncidentRow.group_id).where(col(IncidentRow.group_id).in_(groups), lasting)
    return set((await session.exec(query)).all())


async def old_incidents(db: Database, before: datetime, most: int) -> list[int]:
    """Resolved incidents without a group that ended before `before`."""
    ended = col(IncidentRow.resolved_at) < before, col(IncidentRow.group_id).is_(None)
    async with db.read() as session:
        query = select(IncidentRow.id).where(*ended).order_by(col(IncidentRow.id)).limit(most)
        return [number for number in (await session.exec(query)).all() if number is not None]


async def old_messages(db: Database, before: datetime, most: int) -> list[str]:
    """Keys of messages that were last sent before `before`, or never were, and are about nothing that is still stored."""
    old: list[str] = []
    skipped = 0
    while len(old) < most:
        async with db.read() as session:
            sent = select(MessageRow).where(col(MessageRow.sent_at) < before).order_by(col(MessageRow.sent_at), MessageRow.key)
            page = (await session.exec(sent.offset(skipped + len(old)).limit(PAGE))).all()
            stale = await _about_nothing(session, page)
        skipped += len(page) - len(stale)
        old += stale
        if len(page) < PAGE:
            return old + await _never_sent(db, before)
    return old


async def _never_sent(db: Database, before: datetime) -> list[str]:
    async with db.read() as session:
        never = col(MessageRow.sent_at).is_(None), col(MessageRow.created_at) < before
        rows = (await session.exec(select(MessageRow).where(*never).limit(PAGE))).all()
        return await _about_nothing(session, rows)


async def _about_nothing(session: AsyncSession, page: Sequence[MessageRow]) -> list[str]:
    named = {row.key: references(row) for row in page}
    existing = await living(session, set().union(*named.values()))
    return [key for key, about in named.items() if not about & existing]
