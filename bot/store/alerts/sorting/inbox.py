"""The inbox's rows: committed alerts behind a cursor that moves in the transaction of what they changed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile

from sqlalchemy import bindparam, delete, exists, func, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alert import Severity
from bot.core.alerts.escalation import deserves_investigation
from bot.core.incident import GroupState, number_of
from bot.core.investigation.triage_state import TriageState
from bot.core.messages.alerts import BacklogSubject
from bot.core.messages.content import MessageKind
from bot.store import messages
from bot.store.alerts import silences
from bot.store.alerts.sorting.reading_order import CURSOR, Cursors, Position, upcoming
from bot.store.alerts.sorting.repeats import Counts, Delivery
from bot.store.alerts.sorting.result import SortingResult
from bot.store.alerts.sorting.sorter import Sorter
from bot.store.db.columns import Moment
from bot.store.db.database import Database, translating_unavailability
from bot.store.db.yielding import LoopYield
from bot.store.tables import AlertRow, CursorRow, GroupRow, RepeatRow, SilenceRow, TriageRow, UnreadableRow

REPEATS = 8
"""So many times as many deliveries are read as may be sorted, where most of the last ones were repeats."""
CHUNK = 400
_READ_TO = func.coalesce(select(CursorRow.seq).where(CursorRow.name == CURSOR).scalar_subquery(), 0)
_WAITING = select(
    or_(exists().where(col(AlertRow.seq) > _READ_TO), exists().where(col(RepeatRow.id).is_not(None))),
    exists().where(col(SilenceRow.released).is_(False), col(SilenceRow.ends_at) <= bindparam("now", type_=Moment())),
)
"""Whether alerts wait, and whether silences are over whose alerts may still fire."""
MAX_BODIES = 20
"""Rows of repeats that one query reads: each holds what one source sent again with one commit, a few alerts or thousands."""
MAX_REPEATS = 5_000
"""Alerts beyond which no more rows of repeats are counted in the same transaction: intake's commits wait for its end."""


@dataclass(frozen=True, slots=True)
class _Body:
    """A row of `repeats`: bodies of one source that were committed together."""

    id: int
    received_at: datetime
    alerts: Sequence[int]


@dataclass(frozen=True, slots=True)
class _Repeat:
    """A stored alert that a body delivered again."""

    number: int
    body: _Body


class InboxReader:
    """Takes batches in the order they were stored."""

    def __init__(self, db: Database, sorter: Sorter) -> None:
        self.db = db
        self.sorter = sorter
        self._sorted_to: Position | None = None
        self._mostly_repeats = False
        self._fair = True

    def service_of(self, ref: str) -> str:
        """A service that alerts in an open group, as it was sorted; "" if none is known."""
        group = self.sorter.open_groups.groups.get(number_of(ref, "AL") or 0)
        return min(group.services, default="") if group else ""

    async def take(self, most: int) -> SortingResult | None:
        """Sort the next rows and move the cursor, all in one transaction; None if there is nothing to read.

        Raises DatabaseUnavailable if the database does not answer, is full or locked: no row is the cause of that.
        """
        with translating_unavailability():
            return await self._take(most)

    async def _take(self, most: int) -> SortingResult | None:
        async with self.db.read() as session:
            alerts, silences_over = (await session.exec(_WAITING, params={"now": self.db.clock()})).one()
        if not alerts and not silences_over:
            return None
        result = await self._sort(most) if alerts else SortingResult()
        if silences_over and not result.more:
            await self._end_silences(result)
        return result

    async def _sort(self, most: int) -> SortingResult:
        # The batch may still roll back; what the sorter remembers of it would then be wrong.
        sorted_to, self._sorted_to = self._sorted_to, None
        # And a row that fails is searched for in the order of the rows.
        fair, self._fair = self._fair and len(self.sorter.config.sources) > 1, False
        async with self.db.write(urgent=True) as session:
            cursors = await Cursors.locked(session)
            if cursors.position != sorted_to:
                # The first batch, one after an undone one, or another replica has sorted since.
                self.sorter.reset()
            result = await self._sort_new(session, cursors, most, fair=fair)
            if not result.more:
                await self._count_again(session, cursors.position.seq, most, result)
            for source, own_channel in sorted(result.backlogs):
                subject = BacklogSubject(source, own_channel).stored
                channel, key = own_channel or self.sorter.config.default_channel, f"{MessageKind.BACKLOG}:{subject}"
                await messages.touch(self.db, session, key, channel=channel, kind=MessageKind.BACKLOG, subject=subject)
        self._sorted_to, self._fair = cursors.position, fair or not result.more
        return result

    async def _end_silences(self, result: SortingResult) -> None:
        """Show again what still fires of the silences that are over, one a batch; what opens too many groups goes on after it.

        In a transaction of its own: whatever is wrong with it, alerts are sorted.
        """
        sorted_to, self._sorted_to = self._sorted_to, None
        async with self.db.write() as session:
            cursors = await Cursors.locked(session)
            if cursors.position != sorted_to:
                self.sorter.reset()
            for silence in (await silences.over(session, self.db.clock()))[:1]:
                result.merge(await self.sorter.show_again(session, silence))
        self._sorted_to = cursors.position

    async def _sort_new(self, session: AsyncSession, cursors: Cursors, most: int, *, fair: bool) -> SortingResult:
        """Sort the stored alerts behind the cursor, and move it."""
        # Repeats cost a tenth, so more are read. `most` is 1 after a failure: then the row that fails is searched for.
        limit = most * REPEATS if most > 1 and self._mostly_repeats else most
        batch = await upcoming(session, cursors.position, limit, fair=fair, sources=self.sorter.config.sources)
        await self.sorter.repeats.forget_changed(session, batch.deliveries)
        sorts, repeats = self.sorter.repeats.split(batch.deliveries, most)
        self._mostly_repeats = len(repeats) > len(sorts)
        result = await self.sorter.sort(session, await _full_rows(session, sorts)) if sorts else SortingResult()
        # What was not reached is for the next batch.
        reached = {delivery.seq for delivery in (*sorts[: result.rows], *repeats)}
        done = list(takewhile(lambda delivery: delivery.seq in reached, batch.deliveries))
        counted = {delivery.seq for delivery in done}
        await self.sorter.repeats.count(session, [repeat for repeat in repeats if repeat.seq in counted])
        result.more = len(done) < len(batch.deliveries) or not batch.is_all
        await cursors.move(session, batch.after(done))
        return result

    async def _count_again(self, session: AsyncSession, sorted_to: int, most: int, result: SortingResult) -> None:
        """Count the alerts that were delivered again; what may be more than a repeat is sorted like the first delivery."""
        bodies = await _waiting_bodies(session, sorted_to, MAX_REPEATS if most > 1 else 1)
        news = await self._counted(session, bodies)
        head = news[:most]
        sorts = await _delivered_again(session, head)
        again = await self.sorter.sort(session, sorts) if sorts else SortingResult()
        result.merge(again)
        left = head[again.rows :] if again.rows < len(sorts) else []
        await self._keep_only(session, bodies, [*left, *news[most:]])
        result.more = bool(left) or len(news) > most or _alerts_of(bodies) >= MAX_REPEATS

    async def _counted(self, session: AsyncSession, bodies: Sequence[_Body]) -> list[_Repeat]:
        repeats, counts, loop = self.sorter.repeats, Counts(), LoopYield()
        await repeats.look_up(session, [number for body in bodies for number in body.alerts])
        news: list[_Repeat] = []
        for body in bodies:
            for number in body.alerts:
                if firing := repeats.counted(number):
                    counts.add(firing, body.received_at)
                else:
                    news.append(_Repeat(number, body))
            await loop.when_due()
        await counts.write(session)
        return news

    async def _keep_only(self, session: AsyncSession, bodies: Sequence[_Body], left: Sequence[_Repeat]) -> None:
        """Forget what was counted or sorted: of each body only what is left stays for the next batch."""
        staying: dict[int, list[int]] = {}
        for again in left:
            staying.setdefault(again.body.id, []).append(again.number)
        over = [body.id for body in bodies if body.id not in staying]
        for start in range(0, len(over), CHUNK):
            await session.exec(delete(RepeatRow).where(col(RepeatRow.id).in_(over[start : start + CHUNK])))
        for id, alerts in staying.items():
            await session.exec(update(RepeatRow).where(col(RepeatRow.id) == id).values(alerts=alerts))

    async def set_aside(self) -> None:
        """Move the cursor past one row that cannot be sorted; it is stored as unreadable. Raises DatabaseUnavailable."""
        with translating_unavailability():
            await self._set_aside()

    async def _set_aside(self) -> None:
        async with self.db.write() as session:
            cursors = await Cursors.locked(session)
            position = cursors.position
            number = await _next_number(session, position)
            if number is None:
                await self._set_repeat_aside(session)
                return
            # Not the whole row: it may be what cannot be read.
            readable = select(AlertRow.source, AlertRow.name, AlertRow.received_at).where(AlertRow.seq == number)
            source, name, received_at = (await session.exec(readable)).one()
            problem = f"alert {number} could not be sorted; it is stored here and in alerts"
            session.add(UnreadableRow(source=source, received_at=received_at, problem=problem, body=name.encode()))
            await cursors.move(session, replace(position, seq=number))

    async def _set_repeat_aside(self, session: AsyncSession) -> None:
        """Nothing new waits, so a body of repeats cannot be counted: it is stored as unreadable."""
        body = (await session.exec(select(RepeatRow).order_by(col(RepeatRow.id)).limit(1))).first()
        if body is not None:
            problem = "repeats of stored alerts could not be counted; their numbers are stored here"
            numbers = json.dumps(body.alerts).encode()
            session.add(UnreadableRow(source=body.source, received_at=body.received_at, problem=problem, body=numbers))
            await session.delete(body)

    async def unstarted(self) -> list[tuple[str, int]]:
        """Open groups whose triage never began: a crash fell between the commit and the start. Raises DatabaseUnavailable."""
        with translating_unavailability():
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


def _alerts_of(bodies: Sequence[_Body]) -> int:
    return sum(len(body.alerts) for body in bodies)


async def _waiting_bodies(session: AsyncSession, sorted_to: int, most: int) -> list[_Body]:
    """The oldest bodies, until they hold `most` alerts: how many one holds shows when it is read."""
    bodies: list[_Body] = []
    query = select(RepeatRow.id, RepeatRow.received_at, RepeatRow.alerts).where(col(RepeatRow.after) <= sorted_to)
    query, page = query.order_by(col(RepeatRow.id)), min(MAX_BODIES, most)
    while _alerts_of(bodies) < most:
        further = query.where(col(RepeatRow.id) > bodies[-1].id) if bodies else query
        rows = (await session.exec(further.limit(page))).all()
        bodies += [_Body(id or 0, received_at, alerts) for id, received_at, alerts in rows]
        if len(rows) < page:
            break
    return bodies


async def _full_rows(session: AsyncSession, deliveries: Sequence[Delivery]) -> list[AlertRow]:
    """These alerts with all their columns, in their order."""
    rows: dict[int | None, AlertRow] = {}
    for start in range(0, len(deliveries), CHUNK):
        numbers = [delivery.seq for delivery in deliveries[start : start + CHUNK]]
        query = select(AlertRow).where(col(AlertRow.seq).in_(numbers))
        rows |= {row.seq: row for row in (await session.exec(query)).all()}
    return [rows[delivery.seq] for delivery in deliveries]


async def _delivered_again(session: AsyncSession, again: Sequence[_Repeat]) -> list[AlertRow]:
    """The stored alerts as if they came with these bodies; one that was pruned meanwhile is over for long and left out."""
    numbers = sorted({one.number for one in again})
    stored: dict[int | None, AlertRow] = {}
    for start in range(0, len(numbers), CHUNK):
        query = select(AlertRow).where(col(AlertRow.seq).in_(numbers[start : start + CHUNK]))
        stored |= {row.seq: row for row in (await session.exec(query)).all()}
    rows = [(stored[one.number], one.body) for one in again if one.number in stored]
    return [AlertRow.model_validate({**row.model_dump(), "received_at": body.received_at}) for row, body in rows]


async def _next_number(session: AsyncSession, position: Position) -> int | None:
    query = select(AlertRow.seq).where(position.unsorted).order_by(col(AlertRow.seq)).limit(1)
    return (await session.exec(query)).first()
