"""How much waits to be done: what /metrics shows beside counters. Each query finds its few rows by an index."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.incident import IncidentState
from bot.store.db.database import Database
from bot.store.tables import AlertRow, CursorRow, IncidentRow, MessageRow


@dataclass(frozen=True)
class Backlog:
    unsorted_alerts: int
    """Acknowledged, and not read by the inbox yet."""
    unsent_messages: int
    """Messages whose newest state does not stand in Slack; without those that it refuses with a reason."""
    unsent_seconds: float
    """Age of the oldest state that waits so; 0 without one."""
    open_incidents: int


async def backlog(db: Database) -> Backlog:
    """What waits now. Raises the driver's errors while the database does not answer."""
    async with db.read() as session:
        unsent, oldest = await _unsent(session)
        waiting = (db.clock() - oldest).total_seconds() if oldest else 0.0
        return Backlog(await _unsorted(session), unsent, max(0.0, waiting), await _open_incidents(session))


async def _unsorted(session: AsyncSession) -> int:
    cursor = (await session.exec(select(CursorRow.seq).where(CursorRow.name == "inbox"))).first() or 0
    return (await session.exec(select(func.count()).select_from(AlertRow).where(col(AlertRow.seq) > cursor))).one()


async def _unsent(session: AsyncSession) -> tuple[int, datetime | None]:
    due = col(MessageRow.wanted_rev) > col(MessageRow.sent_rev), col(MessageRow.undelivered) == ""
    query = select(func.count(), func.min(MessageRow.changed_at)).select_from(MessageRow).where(*due)
    count, oldest = (await session.exec(query)).one()
    return count, oldest


async def _open_incidents(session: AsyncSession) -> int:
    states = [state.value for state in IncidentState if state != IncidentState.RESOLVED]
    query = select(func.count()).select_from(IncidentRow).where(col(IncidentRow.state).in_(states))
    return (await session.exec(query)).one()
