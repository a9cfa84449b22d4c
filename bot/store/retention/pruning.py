"""Deletes what is older than tocsin.yaml keeps it, in small transactions with pauses: nobody waits long behind one of them."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Table, delete, exists, tuple_
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alerts.ties.topology import REMEMBERED
from bot.core.config import Config
from bot.core.config.retention import Retention
from bot.store import audit
from bot.store.approvals.context.decision_context import stop_switch
from bot.store.db.database import Database
from bot.store.retention.candidates import old_groups, old_incidents, old_messages
from bot.store.retention.ownership import key_of, owned_by
from bot.store.tables import (
    AlertRow,
    CallRow,
    ChangeRow,
    CursorRow,
    EpisodeRow,
    GroupRow,
    IncidentRow,
    MessageRow,
    PageRow,
    PictureRow,
    ProposalRow,
    QuestionRow,
    RepeatRow,
    SeenRow,
    SilenceRow,
    SwitchRow,
    TimelineRow,
    UnreadableRow,
)

BATCH = 200
"""Rows of one table that one transaction deletes: some milliseconds on SQLite, whose one writer others wait for."""
MAX_TRANSACTIONS = 1_000
"""Transactions of one round; what is left over waits for the next."""
PAUSE_SECONDS = 0.02
REPEATED_WITHIN = timedelta(hours=12)
"""A repeat names a stored delivery of at most some hours before: while one waits longer, no delivery is deleted."""

Count = Callable[[str, int], None]


class Pruning:
    """`await pruning()` is one round. `count(table, rows)` is called for what was deleted."""

    def __init__(
        self,
        db: Database,
        config: Config,
        count: Count = lambda table, rows: None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.db, self.config = db, config
        self._count, self._pause = count, pause
        self._left = 0

    @property
    def retention(self) -> Retention:
        """As the configuration says now: it may be read anew while the bot runs."""
        return self.config.retention

    async def __call__(self) -> Counter[str]:
        """Delete what is old; rows deleted by table."""
        self._left = MAX_TRANSACTIONS
        self._deleted: Counter[str] = Counter()
        await self._single_rows()
        before = self.db.clock() - self.retention.incidents
        for group in await old_groups(self.db, before, self._left):
            await self._delete_group(group)
        for incident in await old_incidents(self.db, before, self._left):
            await self._delete_whole([], [incident])
        await self._messages(before)
        await self._audit()
        for table, rows in self._deleted.items():
            self._count(table, rows)
        return self._deleted

    async def _single_rows(self) -> None:
        """Rows that belong to nothing."""
        now, retention = self.db.clock(), self.retention
        sorted_until = select(CursorRow.seq).where(CursorRow.name == "inbox").scalar_subquery()
        over = col(PageRow.wanted) == "clear", col(PageRow.sent) == "clear"
        counted = ~exists().where(col(RepeatRow.received_at) < now - REPEATED_WITHIN)
        await self._old(AlertRow, AlertRow.received_at, now - retention.deliveries, col(AlertRow.seq) <= sorted_until, counted)
        await self._old(UnreadableRow, UnreadableRow.received_at, now - retention.alerts)
        await self._old(EpisodeRow, EpisodeRow.last_seen_at, now - retention.alerts, col(EpisodeRow.group_id).is_(None))
        await self._old(PageRow, PageRow.at, now - retention.alerts, *over)
        await self._old(SeenRow, SeenRow.at, now - retention.journal)
        await self._old(ChangeRow, ChangeRow.at, now - retention.incidents)
        await self._old(SilenceRow, SilenceRow.ends_at, now - retention.incidents, col(SilenceRow.released).is_(True))
        await self._old(CallRow, CallRow.last_seen_at, now - REMEMBERED)
        for table in (TimelineRow, QuestionRow):
            alone = col(table.group_id).is_(None), col(table.incident_id).is_(None)
            await self._old(table, table.at, now - retention.incidents, *alone)

    async def _old(
        self, row: type[SQLModel], moment: datetime, before: datetime, *conditions: ColumnElement[bool] | bool
    ) -> None:
        table: Table = row.__table__  # type: ignore[attr-defined]
        old = col(moment) < before, *conditions
        while self._left > 0 and await self._transaction([(table, old)]) == BATCH:
            await self._pause(PAUSE_SECONDS)

    async def _delete_group(self, group: int) -> None:
        async with self.db.read() as session:
            incidents = (await session.exec(select(IncidentRow.id).where(IncidentRow.group_id == group))).all()
        await self._delete_whole([group], [number for number in incidents if number is not None])

    async def _delete_whole(self, groups: Sequence[int], incidents: Sequence[int]) -> None:
        """First what belongs to them, then their own rows: cut off in between, the next round finds them again."""
        belongs = col(ProposalRow.group_id).in_(groups) | col(ProposalRow.incident_id).in_(incidents)
        async with self.db.read() as session:
            proposals = (await session.exec(select(ProposalRow.id).where(belongs))).all()
        owners = (("proposal_id", proposals), ("group_id", groups), ("incident_id", incidents))
        for column, ids in owners:
            rows = [(table, (table.columns[column].in_(ids),)) for table in owned_by(column)]
            while self._left > 0 and await self._transaction(rows) == BATCH:
                await self._pause(PAUSE_SECONDS)
        if self._left > 0:
            await self._transaction(_own_rows(groups, incidents))
            await self._pause(PAUSE_SECONDS)

    async def _messages(self, before: datetime) -> None:
        keys = await old_messages(self.db, before, BATCH * min(self._left, 10))
        for start in range(0, len(keys), BATCH):
            await self._transaction([(_table(MessageRow), (col(MessageRow.key).in_(keys[start : start + BATCH]),))])
            await self._pause(PAUSE_SECONDS)

    async def _audit(self) -> None:
        before = self.db.clock() - self.retention.audit
        while self._left > 0 and (rows := await audit.prune(self.db, before)):
            self._left -= 1
            self._deleted["audit"] += rows
            await self._pause(PAUSE_SECONDS)

    async def _transaction(self, rows: Sequence[tuple[Table, Sequence[ColumnElement[bool] | bool]]]) -> int:
        """Delete at most BATCH rows of each table; how many of the one that lost most."""
        self._left -= 1
        most = 0
        # Nobody else writes to rows that are so old: on PostgreSQL this need not wait for its turn.
        async with self.db.write(in_turn=False) as session:
            for table, conditions in rows:
                most = max(most, await self._delete(session, table, conditions))
        return most

    async def _delete(self, session: AsyncSession, table: Table, conditions: Sequence[ColumnElement[bool] | bool]) -> int:
        key = key_of(table)
        some = select(*key).where(*conditions).limit(BATCH)
        count: int = (await session.exec(delete(table).where(tuple_(*key).in_(some)))).rowcount
        if count:
            self._deleted[table.name] += count
        return count


def _own_rows(groups: Sequence[int], incidents: Sequence[int]) -> list[tuple[Table, Sequence[ColumnElement[bool]]]]:
    """Graphs and switches are named after their owner."""
    pictures = [f"triage:AL-{number}:" for number in groups] + [f"postmortem:INC-{number}:" for number in incidents]
    return [
        *((_table(PictureRow), (col(PictureRow.key) >= start, col(PictureRow.key) < f"{start[:-1]};")) for start in pictures),
        (_table(SwitchRow), (col(SwitchRow.name).in_([stop_switch(number) for number in groups]),)),
        (_table(IncidentRow), (col(IncidentRow.id).in_(incidents),)),
        (_table(GroupRow), (col(GroupRow.id).in_(groups),)),
    ]


def _table(row: type[SQLModel]) -> Table:
    table: Table = row.__table__  # type: ignore[attr-defined]
    return table
