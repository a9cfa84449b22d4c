"""Stopping is easy: `stop` for one incident, `pause` for everything. Read again before each remote call."""

from collections.abc import Iterable
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import ProposalState
from bot.core.investigation.triage_state import RUNNING, TriageState
from bot.core.timeline import EntryKind
from bot.store import audit, messages, timeline
from bot.store.approvals import plan_steps, rows, transitions
from bot.store.approvals.context.decision_context import PAUSE, stop_switch
from bot.store.approvals.rows import Owner
from bot.store.db.database import Database
from bot.store.tables import IncidentRow, PageRow, ProposalRow, SwitchRow, TriageRow

_NOT_STARTED = (ProposalState.APPROVED.value, ProposalState.CLAIMED.value)
_FIRST_RESUME = "resume-asked"
"""After an alarm two people resume: this remembers the first."""


class ResumeResult(StrEnum):
    """What came of taking a pause back."""

    RESUMED = "resumed"
    NOT_PAUSED = "not paused"
    SECOND_PERSON_NEEDED = "second person needed"
    """After an alarm two people resume; this was the first."""


class Switches:
    """Turns and reads the switches; every method is one transaction."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def stop(self, ref: str, who: str, reason: str = "") -> list[str]:
        """Halt everything of one group or incident that has not begun; the references that were halted. Raises NotFound."""
        async with self.db.write() as session:
            owner = await rows.owner_of(session, ref)
            # Proposals before the incident's row: the order in which decisions lock them.
            halted = await self._halt(session, await _not_started(session, owner), ProposalState.STOPPED, who, reason)
            await self._set_stop(session, owner, True, who, reason)
            await transitions.mark_human_activity(self.db, session, owner.group_id, owner.incident_id)
            await session.exec(
                update(TriageRow)
                .where(col(TriageRow.group_id) == owner.group_id, col(TriageRow.state).in_(RUNNING))
                .values(state=TriageState.STOPPED, finished_at=self.db.clock())
            )
            await audit.append(self.db, session, who=who, what="stop", subject=ref, after="stopped", reason=reason)
            await self._announce(session, owner, f"Stopped by {who}" + (f": {reason}" if reason else ""), who)
            return halted

    async def resume(self, ref: str, who: str) -> bool:
        """Take a stop back; False if nothing was stopped. Raises NotFound."""
        async with self.db.write() as session:
            owner = await rows.owner_of(session, ref)
            if not await self._is_stopped(session, owner):
                return False
            await self._set_stop(session, owner, False, who, "")
            await audit.append(self.db, session, who=who, what="resume", subject=ref, before="stopped", after="open")
            await self._announce(session, owner, f"Resumed by {who}", who)
            return True

    async def pause(self, who: str, reason: str) -> list[str]:
        """Hold all automated actions everywhere; the references of what was approved and now is stale."""
        async with self.db.write() as session:
            query = select(ProposalRow).where(col(ProposalRow.state).in_(_NOT_STARTED)).order_by(col(ProposalRow.id))
            approved = (await session.exec(query.with_for_update())).all()
            await self._set(session, PAUSE, True, who, reason)
            await self._set(session, _FIRST_RESUME, False, who, "")
            await audit.append(self.db, session, who=who, what="pause", subject="everything", after="paused", reason=reason)
            return await self._halt(session, approved, ProposalState.STALE, who, f"paused by {who}")

    async def unpause(self, who: str) -> ResumeResult:
        """Let actions run again; while an alarm is open that takes a second person."""
        async with self.db.write() as session:
            switch = await session.get(SwitchRow, PAUSE)
            if switch is None or not switch.on:
                return ResumeResult.NOT_PAUSED
            first = await session.get(SwitchRow, _FIRST_RESUME)
            if await _alarm_is_open(session) and (first is None or not first.on or first.who == who):
                await self._set(session, _FIRST_RESUME, True, who, "")
                await audit.append(self.db, session, who=who, what="resume asked", subject="everything", before="paused")
                return ResumeResult.SECOND_PERSON_NEEDED
            await self._set(session, PAUSE, False, who, "")
            await self._set(session, _FIRST_RESUME, False, who, "")
            # Two people have seen it: the next resume needs one again.
            await session.exec(update(PageRow).where(_alarms()).values(wanted="clear", retry_at=None))
            await audit.append(self.db, session, who=who, what="resume", subject="everything", before="paused", after="running")
            return ResumeResult.RESUMED

    async def paused(self) -> str:
        """Who paused everything and why; "" if nothing is paused."""
        async with self.db.read() as session:
            switch = await session.get(SwitchRow, PAUSE)
            return f"{switch.who}: {switch.reason}".rstrip(": ") if switch is not None and switch.on else ""

    # ------------------------------------------------------------ inside

    async def _halt(
        self, session: AsyncSession, proposals: Iterable[ProposalRow], to: ProposalState, who: str, reason: str
    ) -> list[str]:
        halted = []
        for row in proposals:
            why = reason or f"stopped by {who}"
            state, text = plan_steps.halted_state(row, to), plan_steps.halted_text(row, why)
            if await transitions.move(self.db, session, row, state, who=who, reason=why, outcome=text):
                halted.append(transitions.ref_of(row))
        return halted

    async def _set(self, session: AsyncSession, name: str, on: bool, who: str, reason: str) -> None:
        row = await session.get(SwitchRow, name) or SwitchRow(name=name, on=on, who=who, at=self.db.clock())
        row.on, row.who, row.reason, row.at = on, who, reason[:300], self.db.clock()
        session.add(row)
        await session.flush()

    async def _set_stop(self, session: AsyncSession, owner: Owner, on: bool, who: str, reason: str) -> None:
        if owner.incident_id is not None:
            values = {"stopped": on, "rev": IncidentRow.rev + 1, "human_at": self.db.clock()}
            await session.exec(update(IncidentRow).where(col(IncidentRow.id) == owner.incident_id).values(**values))
        if owner.group_id is not None:
            await self._set(session, stop_switch(owner.group_id), on, who, reason)

    async def _is_stopped(self, session: AsyncSession, owner: Owner) -> bool:
        incident = await session.get(IncidentRow, owner.incident_id) if owner.incident_id is not None else None
        switch = await session.get(SwitchRow, stop_switch(owner.group_id)) if owner.group_id is not None else None
        return bool((incident and incident.stopped) or (switch and switch.on))

    async def _announce(self, session: AsyncSession, owner: Owner, text: str, who: str) -> None:
        group, incident = owner.group_id, owner.incident_id
        await timeline.add(self.db, session, EntryKind.SYSTEM, text, group_id=group, incident_id=incident, who=who)
        for key in (f"card:AL-{group}", f"triage:AL-{group}", f"card:INC-{incident}"):
            await messages.refresh(self.db, session, key)


async def _not_started(session: AsyncSession, owner: Owner) -> list[ProposalRow]:
    here = transitions.belongs_to(owner.group_id, owner.incident_id)
    query = select(ProposalRow).where(here, col(ProposalRow.state).in_(_NOT_STARTED)).order_by(col(ProposalRow.id))
    return list((await session.exec(query.with_for_update())).all())


async def _alarm_is_open(session: AsyncSession) -> bool:
    return (await session.exec(select(PageRow.key).where(_alarms()))).first() is not None


def _alarms() -> ColumnElement[bool]:
    return and_(col(PageRow.wanted) == "open", col(PageRow.key).startswith("alarm:"))
