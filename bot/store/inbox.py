"""The inbox's rows: committed alerts behind a cursor that moves in the transaction of what they changed."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.incident import GroupState
from bot.store import messages
from bot.store.database import Database
from bot.store.sorting import Sorted, Sorter
from bot.store.tables import AlertRow, CursorRow, GroupRow, TriageRow, UnreadableRow

CURSOR = "inbox"


class Inbox:
    """Takes batches in the order they were stored."""

    def __init__(self, db: Database, sorter: Sorter) -> None:
        self.db = db
        self.sorter = sorter

    async def take(self, most: int) -> Sorted | None:
        """Sort the next rows and move the cursor, all in one transaction; None if there is nothing to read."""
        async with self.db.read() as session:
            position = await session.get(CursorRow, CURSOR)
            if not await _next(session, position.seq if position else 0, 1):
                return None
        async with self.db.write() as session:
            cursor = await self._cursor(session)
            rows = await _next(session, cursor.seq, most)
            if not rows:
                return None
            result = await self.sorter.sort(session, rows)
            for source in sorted(result.digests):
                channel = self.sorter.config.default_channel
                key = f"digest:{source}"
                await messages.touch(self.db, session, key, channel=channel, kind="digest", subject=source)
            cursor.seq = rows[-1].seq or cursor.seq
            session.add(cursor)
            return result

    async def set_aside(self) -> None:
        """Move the cursor past one row that cannot be sorted; it is kept as unreadable."""
        async with self.db.write() as session:
            cursor = await self._cursor(session)
            for row in await _next(session, cursor.seq, 1):
                problem = f"alert {row.seq} could not be sorted; it is kept here and in alerts"
                session.add(
                    UnreadableRow(source=row.source, received_at=row.received_at, problem=problem, body=row.name.encode())
                )
                cursor.seq = row.seq or cursor.seq
            session.add(cursor)

    async def unstarted(self) -> list[tuple[str, int]]:
        """Open groups whose triage never began: a crash fell between the commit and the start."""
        async with self.db.read() as session:
            begun = select(TriageRow.group_id)
            query = select(GroupRow.id).where(GroupRow.state != GroupState.RESOLVED, col(GroupRow.id).not_in(begun))
            return [(f"AL-{id}", 1) for id in (await session.exec(query)).all()]

    async def _cursor(self, session: AsyncSession) -> CursorRow:
        """The cursor, locked: on PostgreSQL one replica reads at a time."""
        cursor = await session.get(CursorRow, CURSOR, with_for_update=True)
        if cursor is None:
            cursor = CursorRow(name=CURSOR)
            session.add(cursor)
            await session.flush()
        return cursor


async def _next(session: AsyncSession, after: int, most: int) -> list[AlertRow]:
    query = select(AlertRow).where(col(AlertRow.seq) > after).order_by(col(AlertRow.seq)).limit(most)
    return list((await session.exec(query)).all())
