"""Questions and their answers as rows, and the record that an answer is drawn from."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import ColumnElement, false, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import Proposal
from bot.core.approvals.policy_types import who_may
from bot.core.errors import NotFound
from bot.core.evidence import Case
from bot.core.incident import GroupState, IncidentState, number_of
from bot.core.investigation.triage_facts import stored_facts
from bot.core.messages.content import MessageKind
from bot.core.messages.triage_consistency import with_one_onset
from bot.core.questions.answer_facts import AnswerFacts, IncidentStatus, ProposalRecord, WaitingProposal
from bot.core.questions.answering import QuestionAnswer
from bot.core.questions.open_states import OpenState, state_of_group, state_of_incident
from bot.core.text.untrusted import one_line
from bot.core.tool_calls import Tools
from bot.store import messages, timeline
from bot.store.approvals import transitions
from bot.store.approvals.context.decision_context import PAUSE, switches_on
from bot.store.approvals.rows import DECIDABLE, decision_rows, stored_decision, stored_proposal
from bot.store.db.database import Database
from bot.store.incidents.rows import load_group, load_incident
from bot.store.tables import EvidenceRow, GroupRow, IncidentRow, MessageRow, ProposalRow, QuestionRow, TriageRow
from bot.store.triage.attempts import findings_of, shown_triage
from bot.store.triage.cases import case_of, is_earlier
from bot.store.triage.ledger import entry_of
from bot.store.triage.spending import fits, spent

MAX_EVIDENCE = 400
"""Findings read, the newest."""
MAX_PROPOSALS = 8


@dataclass(frozen=True)
class StoredQuestion:
    """A question that is kept now, and the thread in which its answer will stand."""

    number: int
    thread_key: str


@dataclass(frozen=True)
class AnswerTarget:
    """Where an answer stands instead of the thread of what it is about: where it was asked for."""

    channel: str
    thread_key: str = ""
    """Of a message that stands there already."""
    under: str = ""
    """ts of a person's message: the answer opens or continues its thread."""


class Questions:
    """What the verb `ask` writes and the workflow `question` reads and writes."""

    def __init__(self, db: Database, services: Collection[str] = (), tools: Tools = MappingProxyType({})) -> None:
        """`services`: names of the catalogue, which a question may name; `tools` say which questions they answer."""
        self.db = db
        self.services = services
        self.tools = tools

    async def put(
        self,
        key: str,
        text: str,
        who: str,
        *,
        group: str = "",
        incident: str = "",
        refs: Sequence[str] = (),
        target: AnswerTarget | None = None,
    ) -> StoredQuestion:
        """Keep a question, once for each key: a repeat gets what the first one made. `refs`: all of those it is about."""
        group_id, incident_id = number_of(group, "AL"), number_of(incident, "INC")
        try:
            async with self.db.write() as session:
                row = QuestionRow(
                    key=key[:400], group_id=group_id, incident_id=incident_id, text=text, requester=who, at=self.db.clock()
                )
                row.refs = list(refs) or None
                session.add(row)
                await session.flush()
                number = row.id or 0
                if target is not None:
                    await self._reserve_answer(session, number, target, group or incident)
        except IntegrityError:
            number = 0
        async with self.db.read() as session:
            query = select(QuestionRow.id).where(QuestionRow.key == key[:400])
            number = number or (await session.exec(query)).one() or 0
            return StoredQuestion(number, (await transitions.thread_of(session, group_id, incident_id))[1])

    async def _reserve_answer(self, session: AsyncSession, number: int, target: AnswerTarget, about: str) -> None:
        """The answer's message, not yet wanted: whoever shows the answer finds its place there."""
        key, thread_key, now = f"answer:{number}", target.thread_key, self.db.clock()
        if target.under:
            thread_key = f"asked:{number}"
            row = MessageRow(
                key=thread_key,
                kind=MessageKind.QUESTION,
                subject=about,
                channel=target.channel,
                posted_channel=target.channel,
                ts=target.under,
                sent_rev=1,
                sent_at=now,
                created_at=now,
                changed_at=now,
            )
            session.add(row)
        await messages.reserve(
            self.db, session, key, channel=target.channel, kind=MessageKind.ANSWER, subject=str(number), thread_key=thread_key
        )

    async def row(self, number: int) -> QuestionRow:
        """One question; raises NotFound."""
        async with self.db.read() as session:
            row = await session.get(QuestionRow, number)
        if row is None:
            raise NotFound(f"no question {number}")
        return row

    async def unanswered(self) -> list[int]:
        """Questions whose workflow may never have begun, oldest first."""
        async with self.db.read() as session:
            waiting = select(QuestionRow.id).where(QuestionRow.state == "asked").order_by(col(QuestionRow.id))
            return [number for number in (await session.exec(waiting)).all() if number]

    async def answer_facts(self, number: int) -> AnswerFacts:
        """All that was recorded of what the question is about."""
        row = await self.row(number)
        return await self._facts(row.group_id, row.incident_id)

    async def facts_of(self, ref: str) -> AnswerFacts:
        """All that was recorded of one group with its incident, or of an incident without one."""
        return await (self._facts(None, number_of(ref, "INC")) if ref.startswith("INC-") else self.facts_of_group(ref))

    async def facts_of_group(self, ref: str) -> AnswerFacts:
        """All that was recorded of one group and its incident."""
        number = number_of(ref, "AL")
        async with self.db.read() as session:
            group = await session.get(GroupRow, number or 0)
        if group is None:
            raise NotFound(f"no alert group {ref}")
        return await self._facts(number, group.incident_id)

    async def _facts(self, group_id: int | None, incident_id: int | None) -> AnswerFacts:
        async with self.db.read() as session:
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
                services=self.services,
                tools=self.tools,
                group=f"AL-{group_id}" if group_id else "",
                case=case,
                group_state=GroupState(group.state) if group else None,
                firing=group.firing if group else 0,
                status=_status(group, incident, case, self.db.clock()),
                proposals=await _waiting_proposals(session, group_id, incident_id),
                proposal_records=await _proposal_records(session, group_id, incident_id),
                holds=await _holds(session, group, incident),
            )

    async def open_states(self, refs: Sequence[str]) -> list[OpenState]:
        """How it is with these groups and incidents now, in this order."""
        async with self.db.read() as session:
            return [state for ref in refs if (state := await _state_of(session, ref)) is not None]

    async def reserve(self, number: int, usd: float, *, since: datetime, limit: float) -> bool:
        """Set aside what a model's answer may cost, as an attempt does; the answer's real cost is written over it."""
        own = col(QuestionRow.id) == number
        async with self.db.write() as session:
            others = (col(QuestionRow.at) >= since) & ~own
            if not fits(await spent(session, col(TriageRow.started_at) >= since, others), usd, limit):
                return False
            await session.exec(update(QuestionRow).where(own).values(usd=usd))
            return True

    async def answer(self, number: int, answer: QuestionAnswer, *, final: bool) -> None:
        """Keep the answer and have it stand in the thread; a later one replaces it in the same message."""
        now: datetime = self.db.clock()
        ended = {"state": "answered", "answered_at": now, "usd": answer.usd} if final else {}
        async with self.db.write() as session:
            values = {"answer": answer.model_dump(mode="json"), **ended}
            await session.exec(update(QuestionRow).where(col(QuestionRow.id) == number).values(**values))
            await self._show(session, number)

    async def failed(self, number: int) -> None:
        """No answer could be made: the message says so, or what stands there already stays."""
        async with self.db.write() as session:
            unanswered = (col(QuestionRow.id) == number) & (col(QuestionRow.state) == "asked")
            await session.exec(update(QuestionRow).where(unanswered).values(state="failed", answered_at=self.db.clock()))
            await self._show(session, number)

    async def _show(self, session: AsyncSession, number: int) -> None:
        row = await session.get(QuestionRow, number)
        if row is None:
            raise NotFound(f"no question {number}")
        channel, thread_key = await transitions.thread_of(session, row.group_id, row.incident_id)
        subject = str(number)
        await messages.touch(
            self.db,
            session,
            f"answer:{number}",
            channel=channel,
            kind=MessageKind.ANSWER,
            subject=subject,
            thread_key=thread_key,
        )


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


async def _state_of(session: AsyncSession, ref: str) -> OpenState | None:
    group = await load_group(session, ref)
    incident = await load_incident(session, group.incident if group else ref)
    if group is not None:
        return state_of_group(group, incident.lead if incident else "")
    return state_of_incident(incident) if incident else None


async def _holds(session: AsyncSession, group: GroupRow | None, incident: IncidentRow | None) -> list[str]:
    """Who paused automated actions, and that they are stopped here."""
    switches = await switches_on(session, group)
    paused = [f"All automated actions are paused {switches[PAUSE]}"] if PAUSE in switches else []
    stopped = (incident is not None and incident.stopped) or bool(switches.keys() - {PAUSE})
    return [*paused, *(["stopped here, until somebody says `resume`"] if stopped else [])]


async def _waiting_proposals(session: AsyncSession, group_id: int | None, incident_id: int | None) -> list[WaitingProposal]:
    """Those that people can still decide, oldest first, with who may."""
    query = select(ProposalRow).where(_belongs(group_id, incident_id), col(ProposalRow.state).in_(DECIDABLE))
    rows = (await session.exec(query.order_by(col(ProposalRow.id)).limit(MAX_PROPOSALS))).all()
    return [_waiting(stored_proposal(row)) for row in rows]


async def _proposal_records(session: AsyncSession, group_id: int | None, incident_id: int | None) -> list[ProposalRecord]:
    """The newest proposals, oldest first, with what people decided."""
    query = select(ProposalRow).where(_belongs(group_id, incident_id)).order_by(col(ProposalRow.id).desc())
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


def _belongs(group_id: int | None, incident_id: int | None) -> ColumnElement[bool]:
    """Whether a proposal is of this group or incident; false without either."""
    owners = ((col(ProposalRow.group_id), group_id), (col(ProposalRow.incident_id), incident_id))
    return or_(false(), *(column == number for column, number in owners if number is not None))


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
