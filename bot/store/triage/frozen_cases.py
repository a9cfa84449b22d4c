"""Frozen cases as rows: made from closed incidents whose cause a person confirmed, read by replay and accuracy."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.evidence import Findings, LedgerEntry, stored_findings
from bot.core.history.frozen_cases import FrozenCase, scrubbed
from bot.core.history.past_incidents import ConfirmedCause
from bot.core.incident import number_of
from bot.core.investigation.triage_state import TriageState
from bot.core.messages.content import MessageKind
from bot.store import messages
from bot.store.db.database import Database
from bot.store.incidents import causes
from bot.store.tables import CauseRow, EvidenceRow, FrozenCaseRow, GroupRow, IncidentRow, MessageRow, TriageRow
from bot.store.triage.cases import case_of
from bot.store.triage.ledger import entry_of

AT_ONCE = 20
"""Cases frozen in one go."""
AFTER = timedelta(seconds=5)
"""Evidence may be written a moment after the attempt that asked for it is marked as finished."""
_RANKED = (col(TriageRow.state) == TriageState.DONE, col(TriageRow.findings)["by"].as_string().is_not(None))
"""Attempts that ranked causes; others stopped at the facts."""
NOT_QUERIES = frozenset({"impact"})
"""Evidence of the postmortem: no investigator may ask for it."""


class Cases:
    """The frozen cases, for replay and the team's accuracy."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def due_incidents(self) -> list[int]:
        """Resolved incidents with a confirmed cause that are not frozen, or whose cause was corrected since."""
        async with self.db.read() as session:
            frozen = select(FrozenCaseRow.at).where(FrozenCaseRow.incident_id == IncidentRow.id).scalar_subquery()
            confirmed = select(func.max(CauseRow.at)).where(CauseRow.incident_id == IncidentRow.id).scalar_subquery()
            investigated = select(TriageRow.id).where(TriageRow.group_id == IncidentRow.group_id, *_RANKED)
            query = select(IncidentRow.id).where(
                IncidentRow.state == "RESOLVED",
                confirmed.is_not(None),
                frozen.is_(None) | (confirmed > frozen),
                investigated.exists(),
            )
            return [id for id in (await session.exec(query.order_by(col(IncidentRow.id)).limit(AT_ONCE))).all() if id]

    async def freeze(self, incident_id: int) -> None:
        """Store the case, its evidence, the answer and the confirmed cause, without secrets; replaces an earlier one."""
        async with self.db.write() as session:
            incident = await session.get(IncidentRow, incident_id)
            cause = (await causes.newest(session, [incident_id])).get(incident_id)
            group = await session.get(GroupRow, incident.group_id) if incident and incident.group_id else None
            triage = await _last_ranked(session, incident) if incident else None
            if group is None or cause is None or triage is None:
                return
            case = await case_of(session, group, triage)
            entries = await _entries_until(session, triage)
            row = await session.get(FrozenCaseRow, incident_id) or FrozenCaseRow(
                incident_id=incident_id, case={}, transcripts=[], confirmed={}, at=self.db.clock()
            )
            row.case = scrubbed(case.model_dump(mode="json"))
            row.transcripts = [scrubbed(entry.model_dump(mode="json")) for entry in entries]
            row.findings, row.confirmed = scrubbed(triage.findings), cause.model_dump(mode="json")
            row.at = self.db.clock()
            session.add(row)

    async def all(self) -> list[FrozenCase]:
        """The frozen cases, oldest incident first."""
        async with self.db.read() as session:
            rows = (await session.exec(select(FrozenCaseRow).order_by(col(FrozenCaseRow.incident_id)))).all()
        return [_noun(row) for row in rows]

    async def graded_pairs(self, since: datetime, before: datetime) -> list[tuple[Findings, ConfirmedCause]]:
        """Findings and the confirmed cause of each case whose cause was confirmed in [since, before)."""
        async with self.db.read() as session:
            # A case is frozen after its cause was confirmed, so the index finds the few that matter.
            query = select(FrozenCaseRow.findings, FrozenCaseRow.confirmed).where(col(FrozenCaseRow.at) >= since)
            rows = (await session.exec(query)).all()
        pairs = [(stored_findings(findings), ConfirmedCause.model_validate(confirmed)) for findings, confirmed in rows]
        return [(findings, confirmed) for findings, confirmed in pairs if findings and since <= confirmed.at < before]

    async def case(self, ref: str) -> FrozenCase | None:
        """The frozen case of `INC-n`; None if it is not frozen."""
        async with self.db.read() as session:
            row = await session.get(FrozenCaseRow, number_of(ref, "INC") or 0)
            return _noun(row) if row else None

    async def post_once(self, key: str, channel: str, text: str) -> None:
        """Post one line in a channel, once for each key."""
        async with self.db.write() as session:
            if await session.get(MessageRow, f"line:{key}") is None:
                await messages.touch(self.db, session, f"line:{key}", channel=channel, kind=MessageKind.LINE, subject=text)

    async def was_posted(self, key: str) -> bool:
        """Whether the line of this key was posted."""
        async with self.db.read() as session:
            return await session.get(MessageRow, f"line:{key}") is not None


async def _last_ranked(session: AsyncSession, incident: IncidentRow) -> TriageRow | None:
    """The attempt whose answer people had while the incident lasted; else the first one that was finished after it."""
    ranked = select(TriageRow).where(TriageRow.group_id == incident.group_id, *_RANKED)
    during = ranked.where(col(TriageRow.finished_at) <= incident.resolved_at).order_by(col(TriageRow.attempt).desc())
    latest = (await session.exec(during.limit(1))).first()
    return latest or (await session.exec(ranked.order_by(col(TriageRow.attempt)).limit(1))).first()


async def _entries_until(session: AsyncSession, triage: TriageRow) -> Sequence[LedgerEntry]:
    """The evidence collected up to the end of an attempt, oldest first."""
    query = select(EvidenceRow).where(EvidenceRow.group_id == triage.group_id).order_by(col(EvidenceRow.n))
    if triage.finished_at:
        query = query.where(col(EvidenceRow.at) <= triage.finished_at + AFTER)
    return [entry_of(row) for row in (await session.exec(query)).all() if row.tool not in NOT_QUERIES]


def _noun(row: FrozenCaseRow) -> FrozenCase:
    values = row.model_dump(exclude={"incident_id"})
    return FrozenCase.model_validate({**values, "ref": f"INC-{row.incident_id}"})
