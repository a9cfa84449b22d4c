"""Everything that is known of one alert group or incident, read in one session: what the API hands out."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import Decision, Proposal
from bot.core.errors import NotFound
from bot.core.evidence import LedgerEntry
from bot.core.incident import AlertGroup, Incident, number_of
from bot.core.timeline import TimelineEntry
from bot.store import incidents, proposals, timeline
from bot.store.database import Database
from bot.store.tables import DecisionRow, EvidenceRow, ProposalRow, TriageRow


class Triage(BaseModel):
    """One investigation attempt: its state, the facts that needed no model, and the judged findings."""

    attempt: int
    state: str
    facts: dict[str, Any]
    findings: dict[str, Any]


class Dossier(BaseModel):
    """A group and its incident with all that happened; lists are oldest first."""

    group: AlertGroup | None
    incident: Incident | None
    timeline: list[TimelineEntry]
    evidence: list[LedgerEntry]
    triages: list[Triage]
    proposals: list[Proposal]
    decisions: list[Decision]


async def read_dossier(db: Database, ref: str) -> Dossier:
    """`AL-n` or `INC-n` in any case. Raises NotFound."""
    async with db.read() as session:
        group, incident = await _subject(session, ref)
        group_id = number_of(group.ref, "AL") if group else None
        incident_id = number_of(incident.ref, "INC") if incident else None
        rows = await _proposals(session, group_id, incident_id)
        return Dossier(
            group=group,
            incident=incident,
            timeline=await timeline.of(session, group_id=group_id, incident_id=incident_id),
            evidence=await _evidence(session, group_id),
            triages=await _triages(session, group_id),
            proposals=[proposals.noun(row) for row in rows],
            decisions=await _decisions(session, rows),
        )


async def _subject(session: AsyncSession, ref: str) -> tuple[AlertGroup | None, Incident | None]:
    group = await incidents.load_group(session, ref)
    incident = await incidents.load_incident(session, group.incident if group else ref)
    if group is None and incident is None:
        raise NotFound(f"there is no {ref.upper()[:20]}")
    if group is None and incident is not None and incident.group:
        group = await incidents.load_group(session, incident.group)
    return group, incident


async def _evidence(session: AsyncSession, group_id: int | None) -> list[LedgerEntry]:
    query = select(EvidenceRow).where(EvidenceRow.group_id == group_id).order_by(col(EvidenceRow.n))
    return [
        LedgerEntry.model_validate(
            {**row.model_dump(include={"tool", "arguments", "at", "evidence"}), "id": f"E{row.n}", "group": f"AL-{group_id}"}
        )
        for row in (await session.exec(query)).all()
    ]


async def _triages(session: AsyncSession, group_id: int | None) -> list[Triage]:
    query = select(TriageRow).where(TriageRow.group_id == group_id).order_by(col(TriageRow.attempt))
    return [
        Triage(attempt=row.attempt, state=row.state, facts=row.facts, findings=row.findings)
        for row in (await session.exec(query)).all()
    ]


async def _proposals(session: AsyncSession, group_id: int | None, incident_id: int | None) -> Sequence[ProposalRow]:
    places = [
        column == number
        for column, number in ((col(ProposalRow.group_id), group_id), (col(ProposalRow.incident_id), incident_id))
        if number is not None
    ]
    return (await session.exec(select(ProposalRow).where(or_(*places)).order_by(col(ProposalRow.id)))).all()


async def _decisions(session: AsyncSession, rows: Sequence[ProposalRow]) -> list[Decision]:
    query = select(DecisionRow).where(col(DecisionRow.proposal_id).in_([row.id for row in rows]))
    ordered = query.order_by(col(DecisionRow.at), col(DecisionRow.id))
    return [proposals.decision_noun(row) for row in (await session.exec(ordered)).all()]
