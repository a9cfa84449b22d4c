"""The content of messages about an investigation: the triage, causes, answers and postmortems."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import Proposal, ProposalState
from bot.core.approvals.remedies import parse_no_proposal
from bot.core.evidence import Hypothesis, LedgerEntry
from bot.core.history.postmortem import PostmortemSection
from bot.core.incident import number_of
from bot.core.investigation.triage_facts import stored_facts
from bot.core.investigation.triage_state import TriageState
from bot.core.messages.investigation import AnswerContent, CauseContent, PostmortemContent, ProposalLine, TriageContent
from bot.core.messages.triage_consistency import without_contradictions
from bot.core.messages.triage_summary import next_step, waiting
from bot.core.questions.answering import QuestionAnswer
from bot.core.questions.parsing.forms import wants_next_step
from bot.core.questions.parsing.spelling import spelled_out
from bot.store.approvals.rows import stored_proposal
from bot.store.incidents import causes
from bot.store.incidents.rows import to_group
from bot.store.slack.alert_contents import headlined, open_contents
from bot.store.tables import (
    EvidenceRow,
    GroupRow,
    IncidentRow,
    PictureRow,
    PostmortemRow,
    ProposalRow,
    QuestionRow,
    TriageRow,
)
from bot.store.triage.attempts import (
    all_attempts,
    attempts_of_outage,
    findings_of,
    first_cause,
    is_retry,
    of_newest_outage,
    shown_of,
    shown_triage,
)
from bot.store.triage.cases import leading_alert
from bot.store.triage.earlier_outage import first_alert_at, outage_before_fires
from bot.store.triage.ledger import entry_of

MAX_CARDS = 6
"""Groups and incidents that an answer about all that is open names."""
ALL_OPEN = "all that is open"


async def triage_content(session: AsyncSession, ref: str) -> TriageContent | None:
    """The newest attempt at `AL-n`; None before there is one."""
    group = await session.get(GroupRow, number_of(ref, "AL") or 0)
    attempts = await attempts_of_outage(session, group.id) if group and group.id else []
    if group is None or not attempts:
        return None
    row, shown = attempts[-1], shown_of(attempts)
    rows, proposals = await _evidence_rows(session, group.id), await _proposals(session, group)
    lead, evidence = await leading_alert(session, group), [entry_of(entry) for entry in rows]
    renewed, before = attempts[0].renewed, await _ranked_before(session, attempts[0])
    earlier, earlier_findings = first_cause(before), findings_of(before)
    content = TriageContent(
        group=headlined(group, lead),
        attempt=row.attempt,
        state=TriageState(row.state),
        question=row.question,
        requester=row.requester,
        facts=stored_facts(shown.facts),
        findings=findings_of(shown),
        checks=[entry for entry, made in zip(evidence, rows, strict=True) if made.attempt == row.attempt],
        evidence=_by_id(evidence),
        no_proposal=parse_no_proposal(shown.no_proposal),
        for_late_change=bool(row.late_changes),
        shown_attempt=shown.attempt,
        is_retry=is_retry(attempts),
        renewed=renewed,
        started_at=await first_alert_at(session, group, lead) if lead and renewed else None,
        earlier_cause=earlier,
        earlier_onset=earlier_findings.onset if earlier_findings else None,
        earlier_fires=before is not None and await outage_before_fires(session, group, earlier_findings),
        recovered_after=await _recovered_after(session, group, earlier, before) if earlier and before else "",
        over_at=_over_before_ranked(group, shown),
        proposals=[ProposalLine(one.ref, one.state, one.title, _is_of_before(one, group)) for one in proposals],
        waiting=waiting([one for one in proposals if not _is_of_before(one, group)]),
    )
    return without_contradictions(content)


def _over_before_ranked(group: GroupRow, shown: TriageRow) -> datetime | None:
    over_at = to_group(group).over_at
    return over_at if over_at and (shown.finished_at is None or shown.finished_at > over_at) else None


async def _ranked_before(session: AsyncSession, row: TriageRow) -> TriageRow | None:
    """The last ranking of the outage before, where this attempt, the first of its outage, is about something new."""
    if not row.renewed:
        return None
    before = TriageRow.group_id == row.group_id, TriageRow.attempt < row.attempt, TriageRow.state == TriageState.DONE
    query = select(TriageRow).where(*before).order_by(col(TriageRow.attempt).desc()).limit(1)
    return (await session.exec(query)).first()


async def _recovered_after(session: AsyncSession, group: GroupRow, earlier: Hypothesis, ranked: TriageRow) -> str:
    """The newest proposal for the cause of the outage before after which its service recovered; "" for none.

    `ranked`: the attempt that named that cause. What worked in an outage before that one did not end this.
    """
    attempts = [one for one in await all_attempts(session, group.id or 0) if one.attempt <= ranked.attempt]
    began = of_newest_outage(attempts)[0].started_at
    worked = ProposalRow.state == ProposalState.SUCCEEDED.value, ProposalRow.service == earlier.service
    of_outage = ProposalRow.group_id == group.id, col(ProposalRow.created_at).between(began, group.renewed_at)
    query = select(ProposalRow.id).where(*worked, *of_outage).order_by(col(ProposalRow.id).desc()).limit(1)
    number = (await session.exec(query)).first()
    return f"AP-{number}" if number else ""


async def _evidence_rows(session: AsyncSession, group_id: int | None) -> Sequence[EvidenceRow]:
    return (await session.exec(select(EvidenceRow).where(EvidenceRow.group_id == group_id).order_by(col(EvidenceRow.n)))).all()


def _by_id(entries: Iterable[LedgerEntry]) -> Mapping[str, LedgerEntry]:
    return {entry.id: entry for entry in entries}


async def _proposals(session: AsyncSession, group: GroupRow) -> list[Proposal]:
    """Those for what the group is about now, and what of before still waits or runs: what worked then says nothing now."""
    query = select(ProposalRow).where(ProposalRow.group_id == group.id).order_by(col(ProposalRow.id))
    proposals = [stored_proposal(row) for row in (await session.exec(query)).all()]
    return [one for one in proposals if not (_is_of_before(one, group) and one.state.final)]


def _is_of_before(proposal: Proposal, group: GroupRow) -> bool:
    """Whether it was made before the group was about what it is about now."""
    return group.renewed_at is not None and proposal.created_at < group.renewed_at


async def cause_content(session: AsyncSession, ref: str) -> CauseContent | None:
    number = number_of(ref, "INC") or 0
    incident = await session.get(IncidentRow, number)
    if incident is None:
        return None
    triage = await shown_triage(session, incident.group_id)
    findings = findings_of(triage)
    return CauseContent(
        ref=ref,
        attempt=triage.attempt if triage else 0,
        hypothesis=findings.first_cause if findings else None,
        confirmed=(await causes.newest(session, [number])).get(number),
    )


async def answer_content(session: AsyncSession, number: str) -> AnswerContent | None:
    row = await session.get(QuestionRow, int(number))
    if row is None:
        return None
    if row.refs:
        return await _answer_about_all(session, row, row.refs)
    ref = f"AL-{row.group_id}" if row.group_id else f"INC-{row.incident_id}"
    triage = await triage_content(session, ref) if row.group_id and wants_next_step(spelled_out(row.text)) else None
    step = next_step(triage) if triage else None
    return AnswerContent(
        ref=ref,
        next_step=step.text if step else "",
        question=row.text,
        requester=row.requester,
        answer=QuestionAnswer.model_validate(row.answer) if row.answer else None,
        failed=row.state == "failed",
        evidence=_by_id(map(entry_of, await _evidence_rows(session, row.group_id))) if row.group_id else {},
    )


async def _answer_about_all(session: AsyncSession, row: QuestionRow, refs: Sequence[str]) -> AnswerContent:
    answer = QuestionAnswer.model_validate(row.answer) if row.answer else None
    group_id = number_of(answer.evidence_of, "AL") if answer else None
    return AnswerContent(
        ref=ALL_OPEN,
        question=row.text,
        requester=row.requester,
        answer=answer,
        failed=row.state == "failed",
        evidence=_by_id(map(entry_of, await _evidence_rows(session, group_id))) if group_id else {},
        cards=await open_contents(session, refs[:MAX_CARDS]),
        others=max(0, len(refs) - MAX_CARDS),
    )


async def postmortem_content(session: AsyncSession, ref: str) -> PostmortemContent | None:
    number = number_of(ref, "INC") or 0
    incident = await session.get(IncidentRow, number)
    drafts = select(PostmortemRow).where(PostmortemRow.incident_id == number, PostmortemRow.state != "failed")
    row = (await session.exec(drafts.order_by(col(PostmortemRow.n).desc()).limit(1))).first()
    if incident is None or row is None:
        return None
    key = f"postmortem:{ref}:{row.n}"
    graph = key if (await session.exec(select(PictureRow.key).where(PictureRow.key == key))).first() else ""
    sections = [PostmortemSection.model_validate(section) for section in row.sections]
    return PostmortemContent(ref=ref, n=row.n, title=incident.title, sections=sections, graph=graph)
