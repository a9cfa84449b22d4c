"""The inbox's rows: committed alerts behind a cursor that moves in the transaction of what they changed."""

from collections.abc import Sequence

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alert import Severity
from bot.core.alerts.escalation import deserves_investigation
from bot.core.incident import GroupState
from bot.core.investigation.triage_state import TriageState
from bot.core.messages.content import MessageKind
from bot.store import messages
from bot.store.alerts.repeats import Delivery, deliveries
from bot.store.alerts.sorting import Sorter, SortingResult
from bot.store.db.database import Database, away
from bot.store.tables import AlertRow, CursorRow, GroupRow, TriageRow, UnreadableRow

CURSOR = "inbox"
REPEATS = 8
"""So many times as many deliveries are read as may be sorted: most of them are repeats."""
CHUNK = 400
_READ_TO = func.coalesce(select(CursorRow.seq).where(CursorRow.name == CURSOR).scalar_subquery(), 0)
_WAITING = select(AlertRow.seq).where(col(AlertRow.seq) > _READ_TO).limit(1)


class Inbox:
    """Takes batches in the order they were stored."""

    def __init__(self, db: Database, sorter: Sorter) -> None:
        self.db = db
        self.sorter = sorter
        self._sorted_to: int | None = None

    async def take(self, most: int) -> SortingResult | None:
        """Sort the next rows and move the cursor, all in one transaction; None if there is nothing to read.

        Raises DatabaseAway if the database does not answer, is full or locked: no row is the cause of that.
        """
        with away():
            return await self._take(most)

    async def _take(self, most: int) -> SortingResult | None:
        async with self.db.read() as session:
            if (await session.exec(_WAITING)).first() is None:
                return None
        # The batch may still roll back; what the sorter remembers of it would then be wrong.
        sorted_to, self._sorted_to = self._sorted_to, None
        async with self.db.write(urgent=True) as session:
            cursor = await self._cursor(session)
            # Repeats cost a tenth, so more are read. `most` is 1 after a failure: then the row that fails is searched for.
            waiting = await deliveries(session, cursor.seq, most * REPEATS if most > 1 else 1)
            if not waiting:
                return None
            if cursor.seq != sorted_to:
                # The first batch, one after an undone one, or another replica has sorted since.
                self.sorter.reset()
            sorts, repeats = self.sorter.repeats.split(waiting, most)
            result = await self.sorter.sort(session, await _full_rows(session, sorts)) if sorts else SortingResult()
            if result.rows < len(sorts):
                last = sorts[result.rows].seq - 1
                repeats = [repeat for repeat in repeats if repeat.seq <= last]
            else:
                last = max(delivery.seq for delivery in (*sorts[-1:], *repeats[-1:]))
            await self.sorter.repeats.count(session, repeats)
            result.more = last < waiting[-1].seq or len(waiting) >= most
            for source in sorted(result.backlogs):
                channel, key = self.sorter.config.default_channel, f"{MessageKind.BACKLOG}:{source}"
                await messages.touch(self.db, session, key, channel=channel, kind=MessageKind.BACKLOG, subject=source)
            cursor.seq = last
            session.add(cursor)
        self._sorted_to = last
        return result

    async def set_aside(self) -> None:
        """Move the cursor past one row that cannot be sorted; it is stored as unreadable. Raises DatabaseAway."""
        with away():
            await self._set_aside()

    async def _set_aside(self) -> None:
        async with self.db.write() as session:
            cursor = await self._cursor(session)
            number = await _next_number(session, cursor.seq)
            if number is None:
                return
            # Not the whole row: it may be what cannot be read.
            readable = select(AlertRow.source, AlertRow.name, AlertRow.received_at).where(AlertRow.seq == number)
            source, name, received_at = (await session.exec(readable)).one()
            problem = f"alert {number} could not be sorted; it is stored here and in alerts"
            session.add(UnreadableRow(source=source, received_at=received_at, problem=problem, body=name.encode()))
            cursor.seq = number
            session.add(cursor)

    async def unstarted(self) -> list[tuple[str, int]]:
        """Open groups whose triage never began: a crash fell between the commit and the start. Raises DatabaseAway."""
        with away():
            return await self._unstarted()

    async def _unstarted(self) -> list[tuple[str, int]]:
        async with self.db.read() as session:
            begun = select(TriageRow.group_id)
            query = select(GroupRow.id).where(GroupRow.state != GroupState.RESOLVED, col(GroupRow.id).not_in(begun))
            never = [(f"AL-{id}", 1) for id in (await session.exec(query)).all()]
            return never + [(f"AL-{id}", 2) for id in await self._raised(session)]

    async def _raised(self, session: AsyncSession) -> list[int | None]:
        """Open groups that became worse and whose only triage stopped at the facts, for they were not bad enough then."""
        again = select(TriageRow.group_id).where(TriageRow.attempt > 1)
        query = (
            select(GroupRow.id, GroupRow.severity, TriageRow.findings)
            .join(TriageRow, col(TriageRow.group_id) == GroupRow.id)
            .where(GroupRow.state != GroupState.RESOLVED, TriageRow.state == TriageState.DONE, col(GroupRow.id).not_in(again))
        )
        config = self.sorter.config
        rows = (await session.exec(query)).all()
        return [id for id, severity, findings in rows if not findings and deserves_investigation(Severity(severity), config)]

    async def _cursor(self, session: AsyncSession) -> CursorRow:
        """The cursor, locked: on PostgreSQL one replica reads at a time."""
        cursor = await session.get(CursorRow, CURSOR, with_for_update=True)
        if cursor is None:
            cursor = CursorRow(name=CURSOR)
            session.add(cursor)
            await session.flush()
        return cursor


async def _full_rows(session: AsyncSession, deliveries: Sequence[Delivery]) -> list[AlertRow]:
    """These alerts with all their columns, in their order."""
    rows: list[AlertRow] = []
    for start in range(0, len(deliveries), CHUNK):
        numbers = [delivery.seq for delivery in deliveries[start : start + CHUNK]]
        query = select(AlertRow).where(col(AlertRow.seq).in_(numbers)).order_by(col(AlertRow.seq))
        rows += (await session.exec(query)).all()
    return rows


async def _next_number(session: AsyncSession, after: int) -> int | None:
    return (
        await session.exec(select(AlertRow.seq).where(col(AlertRow.seq) > after).order_by(col(AlertRow.seq)).limit(1))
    ).first()
