"""What was recorded of one group or incident, read for an answer about it."""

from collections.abc import Collection
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import DECIDABLE, Proposal
from bot.core.approvals.policy_types import who_may
from bot.core.evidence import Case
from bot.core.incident import GroupState, IncidentState
from bot.core.investigation.triage_facts import stored_facts
from bot.core.messages.triage_consistency import with_one_onset
from bot.core.questions.answer_facts import AnswerFacts, IncidentStatus, ProposalRecord, WaitingProposal
from bot.core.questions.open_states import OpenState, state_of_group, state_of_incident
from bot.core.text.untrusted import one_line
from bot.core.tool_calls import Tools
from bot.store import timeline
from bot.store.approvals.context.decision_context import PAUSE, switches_on
from bot.store.approvals.rows import decision_rows, stored_decision, stored_proposal
from bot.store.approvals.transitions import belongs_to
from bot.store.incidents.rows import load_group, load_incident
from bot.store.tables import EvidenceRow, GroupRow, IncidentRow, ProposalRow, TriageRow
from bot.store.triage.attempts import findings_of, shown_triage
from bot.store.triage.cases import case_of, is_earlier
from bot.store.triage.ledger import entry_of

MAX_EVIDENCE = 400
"""Findings read, the newest."""
MAX_PROPOSALS = 8


async def read_facts(
    session: AsyncSession,
    group_id: int | None,
    incident_id: int | None,
    *,
    services: Collection[str],
    tools: Tools,
    now: datetime,
) -> AnswerFacts:
    """All that was recorded of a group with its incident, or of an incident without one.

    `services`: names of the catalogue, which a question may name; `tools` say which questions they answer.
    """
    triage = await shown_triage(session, group_id)
    group = await session.get(GroupRow, group_id) if group_id else None
    incident_id = incident_id or (group.incident_id if group else None)
    incident = await session.get(IncidentRow, incident_id) if incident_id else None
    case = await case_of(session, group, triage) if group else None
    rows = await _recorded(session, group, triage) if group else []
    facts = stored_facts(triage.facts) if triage else None
    findings = findings_of(triage)
    facts = with_one_onset(facts, findings) if facts else None
    return AnswerFacts(
        ledger=[entry_of(row) for row in rows],
        findings=findings,
        timeline=await timeline.of(session, group_id=group_id, incident_id=incident_id),
        onset=facts.onset_text if facts else "",
        onset_evidence=facts.onset_evidence if facts else "",
        services=services,
        tools=tools,
        group=f"AL-{group_id}" if group_id else "",
        case=case,
        group_state=GroupState(group.state) if group else None,
        firing=group.firing if group else 0,
        status=_status(group, incident, case, now),
        proposals=await _waiting_proposals(session, group_id, incident_id),
        proposal_records=await _proposal_records(session, group_id, incident_id),
        holds=await _holds(session, group, incident),
    )


async def read_state(session: AsyncSession, ref: str) -> OpenState | None:
    """How it is now with an open group, or an incident without one; None where there is none of that name."""
    group = await load_group(session, ref)
    incident = await load_incident(session, group.incident if group else ref)
    if group is not None:
        return state_of_group(group, incident.lead if incident else "")
    return state_of_incident(incident) if incident else None


def _status(group: GroupRow | None, incident: IncidentRow | None, case: Case | None, now: datetime) -> IncidentStatus | None:
    subject = group or incident
    if subject is None:
        return None
    closed = incident if incident and incident.state == IncidentState.RESOLVED else None
    closed_at = closed.resolved_at if closed else None
    if group and case and group.state == GroupState.RESOLVED and (group.firing or case.declared):
        closed_at = closed_at or group.cleared_at
    return IncidentStatus(
        severity=subject.severity,
        began_at=case.alerted_at if case else incident.declared_at if incident else now,
        now=now,
        ended_at=group.cleared_at if group and case and not (group.firing or case.declared) else None,
        end_confirmed=not (group and group.unconfirmed_at),
        unmeasured=group.unmeasured if group else "",
        resolved_at=closed_at,
        resolved_by=closed.resolved_by if closed else "",
        incident=f"INC-{incident.id}" if incident else "",
        incident_severity=incident.severity if incident else "",
        acknowledged_by=group.acknowledged_by if group else "",
        acknowledged_at=group.acknowledged_at if group else None,
        commander=incident.lead if incident else "",
    )


async def _holds(session: AsyncSession, group: GroupRow | None, incident: IncidentRow | None) -> list[str]:
    """Who paused automated actions, and that they are stopped here."""
    switches = await switches_on(session, group)
    paused = [f"All automated actions are paused {switches[PAUSE]}"] if PAUSE in switches else []
    stopped = (incident is not None and incident.stopped) or bool(switches.keys() - {PAUSE})
    return [*paused, *(["stopped here, until somebody says `resume`"] if stopped else [])]


async def _waiting_proposals(session: AsyncSession, group_id: int | None, incident_id: int | None) -> list[WaitingProposal]:
    """Those that people can still decide, oldest first, with who may."""
    query = select(ProposalRow).where(belongs_to(group_id, incident_id), col(ProposalRow.state).in_(DECIDABLE))
    rows = (await session.exec(query.order_by(col(ProposalRow.id)).limit(MAX_PROPOSALS))).all()
    return [_waiting(stored_proposal(row)) for row in rows]


async def _proposal_records(session: AsyncSession, group_id: int | None, incident_id: int | None) -> list[ProposalRecord]:
    """The newest proposals, oldest first, with what people decided."""
    query = select(ProposalRow).where(belongs_to(group_id, incident_id)).order_by(col(ProposalRow.id).desc())
    rows = (await session.exec(query.limit(MAX_PROPOSALS))).all()
    return [await _record_of(session, row) for row in reversed(rows)]


async def _record_of(session: AsyncSession, row: ProposalRow) -> ProposalRecord:
    proposal = stored_proposal(row)
    decisions = [stored_decision(decision) for decision in await decision_rows(session, row, revision=row.revision)]
    return ProposalRecord(
        proposal.ref,
        proposal.title,
        proposal.state,
        decisions,
        proposal.outcome,
        proposal.verification,
        proposal.steps_begun,
    )


def _waiting(proposal: Proposal) -> WaitingProposal:
    who = who_may(proposal.tier, proposal.service, proposal.requester)
    text = f"{proposal.ref} waits for approval: {one_line(proposal.title, 120)}. Who may approve: {who}."
    return WaitingProposal(proposal.ref, text)


async def _recorded(session: AsyncSession, group: GroupRow, shown: TriageRow | None) -> list[EvidenceRow]:
    """The newest evidence, oldest first; once an attempt at a new outage is shown, none of the outage before."""
    newest = select(EvidenceRow).where(EvidenceRow.group_id == group.id).order_by(col(EvidenceRow.n).desc())
    if group.renewed_at and shown and not is_earlier(shown, group):
        newest = newest.where(EvidenceRow.at >= group.renewed_at)
    return list(reversed((await session.exec(newest.limit(MAX_EVIDENCE))).all()))
