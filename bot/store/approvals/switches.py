"""Stopping is easy: `stop` for one incident, `pause` for everything. Read again before each remote call."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, and_, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import ProposalState
from bot.core.investigation.triage_state import RUNNING, TriageState
from bot.store import audit, messages, timeline
from bot.store.approvals import rows as proposals
from bot.store.approvals import transitions as edges
from bot.store.approvals.context import PAUSE, stop_switch
from bot.store.approvals.rows import Places
from bot.store.db.database import Database
from bot.store.tables import IncidentRow, PageRow, ProposalRow, SwitchRow, TriageRow

_NOT_STARTED = (ProposalState.APPROVED.value, ProposalState.CLAIMED.value)
_ASKED = "resume-asked"
"""After an alarm two people resume: this remembers the first."""


class Switches:
    """Throws and reads the switches; every method is one transaction."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def stop(self, ref: str, who: str, reason: str = "") -> list[str]:
        """Halt everything of one group or incident that has not begun; the references that were halted. Raises NotFound."""
        async with self.db.write() as session:
            where = await proposals.places(session, ref)
            # Proposals before the incident's row: the order in which decisions lock them.
            halted = await self._halt(session, await _of_place(session, where), ProposalState.STOPPED, who, reason)
            await self._throw_stop(session, where, True, who, reason)
            await edges.human(self.db, session, where.group_id, where.incident_id)
            await session.exec(
                update(TriageRow)
                .where(col(TriageRow.group_id) == where.group_id, col(TriageRow.state).in_(RUNNING))
                .values(state=TriageState.STOPPED, finished_at=self.db.clock())
            )
            await audit.append(self.db, session, who=who, what="stop", subject=ref, after="stopped", reason=reason)
            await self._tell(session, where, f"Stopped by {who}" + (f": {reason}" if reason else ""), who)
            return halted

    async def resume(self, ref: str, who: str) -> bool:
        """Take a stop back; False if nothing was stopped. Raises NotFound."""
        async with self.db.write() as session:
            where = await proposals.places(session, ref)
            if not await self._is_stopped(session, where):
                return False
            await self._throw_stop(session, where, False, who, "")
            await audit.append(self.db, session, who=who, what="resume", subject=ref, before="stopped", after="open")
            await self._tell(session, where, f"Resumed by {who}", who)
            return True

    async def pause(self, who: str, reason: str) -> list[str]:
        """Hold all automated actions everywhere; the references of what was approved and now is stale."""
        async with self.db.write() as session:
            query = select(ProposalRow).where(col(ProposalRow.state).in_(_NOT_STARTED)).order_by(col(ProposalRow.id))
            rows = (await session.exec(query.with_for_update())).all()
            await self._throw(session, PAUSE, True, who, reason)
            await self._throw(session, _ASKED, False, who, "")
            await audit.append(self.db, session, who=who, what="pause", subject="everything", after="paused", reason=reason)
            return await self._halt(session, rows, ProposalState.STALE, who, f"paused by {who}")

    async def unpause(self, who: str) -> str:
        """Let actions run again: "resumed", "not paused", or "second" when an alarm stands and a second person is needed."""
        async with self.db.write() as session:
            switch = await session.get(SwitchRow, PAUSE)
            if switch is None or not switch.on:
                return "not paused"
            first = await session.get(SwitchRow, _ASKED)
            if await _alarm_stands(session) and (first is None or not first.on or first.who == who):
                await self._throw(session, _ASKED, True, who, "")
                await audit.append(self.db, session, who=who, what="resume asked", subject="everything", before="paused")
                return "second"
            await self._throw(session, PAUSE, False, who, "")
            await self._throw(session, _ASKED, False, who, "")
            # Two people have seen it: the next resume needs one again.
            await session.exec(update(PageRow).where(_alarms()).values(wanted="clear", retry_at=None))
            await audit.append(self.db, session, who=who, what="resume", subject="everything", before="paused", after="running")
            return "resumed"

    async def paused(self) -> str:
        """Who paused everything and why; "" if nothing is paused."""
        async with self.db.read() as session:
            switch = await session.get(SwitchRow, PAUSE)
            return f"{switch.who}: {switch.reason}".rstrip(": ") if switch is not None and switch.on else ""

    # ------------------------------------------------------------ inside

    async def _halt(
        self, session: AsyncSession, rows: Iterable[ProposalRow], to: ProposalState, who: str, reason: str
    ) -> list[str]:
        halted = []
        for row in rows:
            why = reason or f"stopped by {who}"
            if await edges.move(self.db, session, row, to, who=who, reason=why, outcome=f"Not run: {why}."):
                halted.append(edges.ref_of(row))
        return halted

    async def _throw(self, session: AsyncSession, name: str, on: bool, who: str, reason: str) -> None:
        row = await session.get(SwitchRow, name) or SwitchRow(name=name, on=on, who=who, at=self.db.clock())
        row.on, row.who, row.reason, row.at = on, who, reason[:300], self.db.clock()
        session.add(row)
        await session.flush()

    async def _throw_stop(self, session: AsyncSession, where: Places, on: bool, who: str, reason: str) -> None:
        if where.incident_id is not None:
            values = {"stopped": on, "rev": IncidentRow.rev + 1, "human_at": self.db.clock()}
            await session.exec(update(IncidentRow).where(col(IncidentRow.id) == where.incident_id).values(**values))
        if where.group_id is not None:
            await self._throw(session, stop_switch(where.group_id), on, who, reason)

    async def _is_stopped(self, session: AsyncSession, where: Places) -> bool:
        incident = await session.get(IncidentRow, where.incident_id) if where.incident_id is not None else None
        switch = await session.get(SwitchRow, stop_switch(where.group_id)) if where.group_id is not None else None
        return bool((incident and incident.stopped) or (switch and switch.on))

    async def _tell(self, session: AsyncSession, where: Places, text: str, who: str) -> None:
        group, incident = where.group_id, where.incident_id
        await timeline.add(self.db, session, "system", text, group_id=group, incident_id=incident, who=who)
        for key in (f"card:AL-{group}", f"triage:AL-{group}", f"card:INC-{incident}"):
            await messages.refresh(self.db, session, key)


async def _of_place(session: AsyncSession, where: Places) -> list[ProposalRow]:
    # One that was proposed for the group before its incident was declared belongs to the incident all the same.
    owners = ((col(ProposalRow.incident_id), where.incident_id), (col(ProposalRow.group_id), where.group_id))
    here = [column == number for column, number in owners if number is not None]
    query = select(ProposalRow).where(or_(*here), col(ProposalRow.state).in_(_NOT_STARTED)).order_by(col(ProposalRow.id))
    return list((await session.exec(query.with_for_update())).all())


async def _alarm_stands(session: AsyncSession) -> bool:
    return (await session.exec(select(PageRow.key).where(_alarms()))).first() is not None


def _alarms() -> ColumnElement[bool]:
    return and_(col(PageRow.wanted) == "open", col(PageRow.key).startswith("alarm:"))
