"""One group or incident with all that is known about it, read in one session: for the API."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import Decision, Proposal
from bot.core.errors import NotFound
from bot.core.evidence import LedgerEntry
from bot.core.incident import AlertGroup, Incident, number_of
from bot.core.timeline import TimelineEntry
from bot.store import audit, timeline
from bot.store.approvals import rows as proposal_rows
from bot.store.approvals.transitions import belongs_to
from bot.store.db.database import Database
from bot.store.incidents import overview
from bot.store.incidents import rows as incident_rows
from bot.store.incidents.privacy import private_refs
from bot.store.tables import AuditRow, EpisodeRow, EvidenceRow, ProposalRow, TriageRow
from bot.store.triage.attempts import all_attempts
from bot.store.triage.ledger import entry_of

MAX_ALERTS = 500
"""Alerts shown of one group; it counts all of them."""


@dataclass(frozen=True)
class Record:
    """What belongs together; `group` or `incident` may be None, not both."""

    group: AlertGroup | None
    incident: Incident | None
    alerts: Sequence[EpisodeRow]
    timeline: Sequence[TimelineEntry]
    evidence: Sequence[LedgerEntry]
    triages: Sequence[TriageRow]
    proposals: Sequence[tuple[Proposal, Sequence[Decision]]]


async def record_of(db: Database, ref: str) -> Record:
    """The record behind `AL-n` or `INC-n`. Raises NotFound."""
    async with db.read() as session:
        incident = await incident_rows.load_incident(session, ref)
        group = await incident_rows.load_group(session, incident.group if incident else ref)
        if group is None and incident is None:
            raise NotFound(f"there is no {ref}")
        if group is not None and incident is None and group.incident:
            incident = await incident_rows.load_incident(session, group.incident)
        group_id = number_of(group.ref, "AL") if group else None
        incident_id = number_of(incident.ref, "INC") if incident else None
        return Record(
            group=group,
            incident=incident,
            alerts=await _alerts(session, group_id),
            timeline=await timeline.of(session, group_id=group_id, incident_id=incident_id),
            evidence=await _evidence(session, group_id),
            triages=await all_attempts(session, group_id) if group_id is not None else (),
            proposals=await _proposals(session, group_id, incident_id),
        )


async def require_public(db: Database, ref: str) -> None:
    """Raise NotFound, as for what does not exist, if a group, an incident or a proposal of one is private."""
    visibility = await overview.visibility_of(db, ref)
    if visibility is not None and visibility.is_private:
        raise NotFound(f"there is no {ref}")


async def audit_after(db: Database, seq: int) -> list[tuple[AuditRow, bool]]:
    """Audit rows behind `seq`, the oldest first, at most 500, each with whether it is about something private."""
    rows = await audit.after(db, seq)
    refs = {row.subject: row.subject.partition(":")[0] for row in rows}
    async with db.read() as session:
        private = await private_refs(session, set(refs.values()))
    return [(row, refs[row.subject] in private) for row in rows]


async def evidence_of(db: Database, group: str, id: str) -> LedgerEntry:
    """One finding: `AL-3`, `E7`. Raises NotFound."""
    async with db.read() as session:
        number = number_of(f"E-{id[1:]}" if id[:1] in "Ee" else id, "E")
        query = select(EvidenceRow).where(EvidenceRow.group_id == (number_of(group, "AL") or 0), EvidenceRow.n == (number or 0))
        row = (await session.exec(query)).first()
    if row is None:
        raise NotFound(f"there is no evidence {id} of {group}")
    return entry_of(row)


async def proposal_of(db: Database, ref: str) -> tuple[Proposal, Sequence[Decision]]:
    """One proposal with all answers to all its revisions. Raises NotFound."""
    async with db.read() as session:
        row = await proposal_rows.row_of(session, ref)
        return await _decided(session, row)


async def _alerts(session: AsyncSession, group_id: int | None) -> Sequence[EpisodeRow]:
    order = (col(EpisodeRow.starts_at), col(EpisodeRow.id))
    query = select(EpisodeRow).where(EpisodeRow.group_id == group_id).order_by(*order).limit(MAX_ALERTS)
    return (await session.exec(query)).all() if group_id is not None else ()


async def _evidence(session: AsyncSession, group_id: int | None) -> Sequence[LedgerEntry]:
    query = select(EvidenceRow).where(EvidenceRow.group_id == group_id).order_by(col(EvidenceRow.n))
    return [entry_of(row) for row in (await session.exec(query)).all()] if group_id is not None else ()


async def _proposals(
    session: AsyncSession, group_id: int | None, incident_id: int | None
) -> Sequence[tuple[Proposal, Sequence[Decision]]]:
    query = select(ProposalRow).where(belongs_to(group_id, incident_id)).order_by(col(ProposalRow.id))
    return [await _decided(session, row) for row in (await session.exec(query)).all()]


async def _decided(session: AsyncSession, row: ProposalRow) -> tuple[Proposal, Sequence[Decision]]:
    decisions = await proposal_rows.decision_rows(session, row)
    return proposal_rows.stored_proposal(row), [proposal_rows.stored_decision(decision) for decision in decisions]
