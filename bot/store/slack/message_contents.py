"""The content behind each message, read in one session: what the views of the Slack adapter render."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import Proposal
from bot.core.alert import Severity
from bot.core.alerts.grouping import GroupingReason
from bot.core.alerts.muting import mute_of_backlog
from bot.core.alerts.renewal import BURST, Notify
from bot.core.approvals.remedies import parse_no_proposal
from bot.core.evidence import Findings, Hypothesis, LedgerEntry, nothing_wrong, stored_findings
from bot.core.history.postmortem import PostmortemSection
from bot.core.incident import AlertGroup, GroupState, number_of
from bot.core.investigation.triage_facts import PriorChange, stored_facts
from bot.core.investigation.triage_state import TriageState
from bot.core.messages.alerts import (
    BacklogAlert,
    BacklogContent,
    BurstService,
    CardContent,
    IncidentContent,
    LineContent,
    RaisedContent,
    RenewedContent,
    StormContent,
    backlog_subject,
    renewed_subject,
)
from bot.core.messages.content import Content, MessageKind
from bot.core.messages.investigation import AnswerContent, CauseContent, PostmortemContent, ProposalLine, TriageContent
from bot.core.messages.proposals import ProposalContent
from bot.core.messages.triage_consistency import without_contradictions
from bot.core.messages.triage_summary import next_step, waiting
from bot.core.questions.answering import QuestionAnswer
from bot.core.questions.forms import wants_next_step
from bot.core.text.durations import age_text
from bot.store.alerts.reader import reasons_of
from bot.store.approvals.plan_steps import step_runs
from bot.store.approvals.policies import policy_content
from bot.store.approvals.rows import decision_rows, stored_decision, stored_proposal
from bot.store.approvals.standing.starts import standing_offer
from bot.store.incidents import causes
from bot.store.incidents.incidents import load_incident, to_group, to_incident
from bot.store.tables import (
    EpisodeRow,
    EvidenceRow,
    GroupRow,
    IncidentRow,
    PictureRow,
    PostmortemRow,
    ProposalRow,
    QuestionRow,
    TriageRow,
)
from bot.store.triage.attempts import attempts_of_outage, is_retry, newest_ranking, shown_of, shown_triage
from bot.store.triage.cases import is_earlier, leading_alert, outlasts
from bot.store.triage.earlier_outage import first_alert_at
from bot.store.triage.triage import entry_of

_LINKS = (("Runbook", "runbook_url"), ("Dashboard", "dashboard_url"), ("Panel", "panel_url"))
"""Annotations that hold addresses; they are untrusted, so the renderer shows them only for allowed hosts."""


async def load(session: AsyncSession, kind: str, subject: str) -> Content | None:
    """The content of one message; None if its subject does not exist (any more)."""
    loader = _LOADERS.get(kind)
    return await loader(session, subject) if loader else None


# ---------------------------------------------------------------- alert groups and incidents


MOST_EXPLAINED = 1000
"""Reasons of larger groups are not counted for each edit of their card; the verb `why` counts them."""


async def _card(session: AsyncSession, ref: str) -> CardContent | None:
    group = await session.get(GroupRow, number_of(ref, "AL") or 0)
    if group is None:
        return None
    incident = await session.get(IncidentRow, group.incident_id) if group.incident_id else None
    lead = await leading_alert(session, group)
    triage = await shown_triage(session, group.id)
    ranked = await newest_ranking(session, group.id)
    started_at = await first_alert_at(session, group, lead) if lead else None
    return CardContent(
        group=_headlined(group, lead),
        previous=f"AL-{group.previous_id}" if group.previous_id else "",
        incident=to_incident(incident) if incident else None,
        summary=_summary(lead),
        severity_word=lead.labels.get("severity", "") if lead else "",
        links=_links(lead),
        last_change=_last_change(triage, started_at or group.opened_at),
        first_cause=_first_cause(ranked),
        cause_is_earlier=ranked is not None and (is_earlier(ranked, group) or outlasts(lead, group)),
        started_at=started_at,
        closes_itself=group.human_at is None and (incident is None or incident.human_at is None),
        triaged=triage is not None and (bool(triage.findings) or TriageState(triage.state).running),
        reasons=(await reasons_of(session, group.id)).in_short() if group.id and group.alerts <= MOST_EXPLAINED else "",
    )


def _headlined(group: GroupRow, lead: EpisodeRow | None) -> AlertGroup:
    """The group under the name and service of the alert that leads it now: what the card quotes is that alert's.

    No alert speaks for what a source sent beyond its budget.
    """
    over = group.state == GroupState.RESOLVED or (group.renewed_at is None and lead is not None and lead.status != "firing")
    if lead is None or over or group.overflow:
        return to_group(group)
    return to_group(group).model_copy(update={"title": lead.name, "service": lead.service or group.service})


def _summary(lead: EpisodeRow | None) -> str:
    if lead is None:
        return ""
    return lead.annotations.get("summary") or lead.annotations.get("description") or lead.name


def _links(lead: EpisodeRow | None) -> list[tuple[str, str]]:
    if lead is None:
        return []
    annotated = [(label, lead.annotations.get(key, "")) for label, key in _LINKS]
    return [(label, url) for label, url in (("Source", lead.link), *annotated) if url]


def _last_change(triage: TriageRow | None, started_at: datetime) -> PriorChange | None:
    """The newest change that the facts tell, its age against the start that the card shows."""
    facts = stored_facts(triage.facts) if triage else None
    change = next(iter(facts.changes), None) if facts else None
    return change.model_copy(update={"age_text": age_text(change.at, started_at, of="the alert")}) if change else None


def _first_cause(triage: TriageRow | None) -> Hypothesis | None:
    findings = _findings(triage) if triage and triage.state == TriageState.DONE else None
    # Where nothing looks wrong, what was ranked is no more than chance.
    return None if nothing_wrong(findings) else _first_hypothesis(findings)


def _findings(triage: TriageRow | None) -> Findings | None:
    return stored_findings(triage.findings) if triage else None


def _first_hypothesis(findings: Findings | None) -> Hypothesis | None:
    return next(iter(findings.hypotheses), None) if findings else None


async def _incident(session: AsyncSession, ref: str) -> IncidentContent | None:
    incident = await load_incident(session, ref)
    return IncidentContent(incident=incident) if incident else None


async def _storm(session: AsyncSession, key: str) -> StormContent:
    """The groups that stand on a storm card now, the worst first."""
    query = select(GroupRow).where(GroupRow.on_storm_card == key).order_by(col(GroupRow.severity), col(GroupRow.id))
    return StormContent(groups=[to_group(row) for row in (await session.exec(query)).all()])


async def _backlog(session: AsyncSession, subject: str) -> BacklogContent:
    source, channel = backlog_subject(subject)
    in_backlog = EpisodeRow.source == source, EpisodeRow.muted_by == mute_of_backlog(channel).stored
    rows = (await session.exec(select(EpisodeRow).where(*in_backlog).order_by(col(EpisodeRow.id)))).all()
    return BacklogContent(source=source, alerts=[BacklogAlert(row.name, row.service, row.severity) for row in rows])


async def _line(_session: AsyncSession, text: str) -> LineContent:
    return LineContent(text=text)


async def _raised(session: AsyncSession, ref: str) -> RaisedContent | None:
    row = await session.get(GroupRow, number_of(ref, "AL") or 0)
    if row is None:
        return None
    in_storm, group = row.on_storm_card != "", to_group(row)
    return RaisedContent(
        text=f"{ref} is {'' if in_storm else 'now '}{row.severity}: {row.title} on {row.service or 'unknown service'}",
        group=group,
        services_notified_before=await _notified_before(session, row) if in_storm else (),
    )


_OF_OLD_GROUP = frozenset({GroupingReason.FIRES_AGAIN, GroupingReason.SAME_ALERT, GroupingReason.FLAPPING})
"""Why an alert is in a group in which it fired before."""


_TELLING = frozenset({GroupingReason.RELATED_SERVICE, GroupingReason.SAME_MACHINE, GroupingReason.DECLARED_INCIDENT})
"""Why an alert is in a group, where that is more than what its line says already."""
MOST_OF_BURST = 500


async def _renewed(session: AsyncSession, subject: str) -> RenewedContent | None:
    about = renewed_subject(subject)
    row, first = await session.get(GroupRow, number_of(about.group, "AL") or 0), await session.get(EpisodeRow, about.episode)
    if row is None or first is None:
        return None
    alert = await _worst_of_burst(session, first)
    service, others = alert.service or row.service, about.notify is Notify.OTHERS
    notified = (service,) if row.incident_id and about.notify is not Notify.NOBODY else ()
    return RenewedContent(
        severity=Severity(alert.severity),
        card_severity=Severity(row.severity),
        alert=alert.name,
        alert_service=service,
        started_at=alert.starts_at,
        again=alert.grouping_reason in _OF_OLD_GROUP,
        reason=alert.grouping_text if alert.grouping_reason in _TELLING else "",
        beside=await _burst_of(session, first, alert),
        notified_services=notified,
        services_notified_before=(row.service,) if others and row.service != service else notified if others else (),
    )


async def _worst_of_burst(session: AsyncSession, first: EpisodeRow) -> EpisodeRow:
    """Of the alerts that began on a service together: rules wait differently, so the first is often the mildest."""
    window = col(EpisodeRow.first_seen_at).between(first.first_seen_at, first.first_seen_at + BURST)
    same = EpisodeRow.group_id == first.group_id, EpisodeRow.service == first.service, col(EpisodeRow.id) >= (first.id or 0)
    query = select(EpisodeRow).where(window, *same).order_by(col(EpisodeRow.severity), col(EpisodeRow.id)).limit(1)
    return (await session.exec(query)).first() or first


async def _burst_of(session: AsyncSession, first: EpisodeRow, alert: EpisodeRow) -> list[BurstService]:
    """What began beside an alert in the burst that the first one opened, by service."""
    window = col(EpisodeRow.first_seen_at).between(first.first_seen_at, first.first_seen_at + BURST)
    query = select(EpisodeRow.service, EpisodeRow.name).where(EpisodeRow.group_id == alert.group_id, window)
    names: dict[str, dict[str, None]] = {}
    for service, name in (await session.exec(query.order_by(col(EpisodeRow.id)).limit(MOST_OF_BURST))).all():
        if (service, name) != (alert.service, alert.name):
            names.setdefault(service, {})[name] = None
    return [BurstService(service, list(its)) for service, its in names.items()]


async def _notified_before(session: AsyncSession, group: GroupRow) -> Sequence[str]:
    """Services whose on-call was mentioned in this storm before: those of its earlier groups that are bad enough."""
    query = select(GroupRow.service).where(
        GroupRow.on_storm_card == group.on_storm_card,
        or_(col(GroupRow.incident_id).is_not(None), col(GroupRow.mentioned_at).is_not(None)),
        col(GroupRow.id) < (group.id or 0),
    )
    return list(dict.fromkeys((await session.exec(query.order_by(col(GroupRow.id)))).all()))


# ---------------------------------------------------------------- investigation


async def triage_content(session: AsyncSession, ref: str) -> TriageContent | None:
    """The newest attempt at `AL-n`; None before there is one."""
    group = await session.get(GroupRow, number_of(ref, "AL") or 0)
    attempts = await attempts_of_outage(session, group.id) if group and group.id else []
    if group is None or not attempts:
        return None
    row, shown = attempts[-1], shown_of(attempts)
    rows, proposals = await _evidence_rows(session, group.id), await _proposals(session, group)
    lead, evidence = await leading_alert(session, group), [entry_of(entry) for entry in rows]
    content = TriageContent(
        group=_headlined(group, lead),
        attempt=row.attempt,
        state=TriageState(row.state),
        question=row.question,
        requester=row.requester,
        facts=stored_facts(shown.facts),
        findings=_findings(shown),
        checks=[entry for entry, made in zip(evidence, rows, strict=True) if made.attempt == row.attempt],
        evidence=_by_id(evidence),
        no_proposal=parse_no_proposal(shown.no_proposal),
        for_late_change=bool(row.late_changes),
        shown_attempt=shown.attempt,
        is_retry=is_retry(attempts),
        renewed=row.renewed,
        started_at=await first_alert_at(session, group, lead) if lead and row.renewed else None,
        earlier_cause=await _earlier_cause(session, row),
        over_at=_over_before_ranked(group, shown),
        proposals=[ProposalLine(one.ref, one.state, one.title, _is_of_before(one, group)) for one in proposals],
        waiting=waiting([one for one in proposals if not _is_of_before(one, group)]),
    )
    return without_contradictions(content)


def _over_before_ranked(group: GroupRow, shown: TriageRow) -> datetime | None:
    over_at = to_group(group).over_at
    return over_at if over_at and (shown.finished_at is None or shown.finished_at > over_at) else None


async def _earlier_cause(session: AsyncSession, row: TriageRow) -> Hypothesis | None:
    """The first cause of the outage before, where this attempt is about something new."""
    if not row.renewed:
        return None
    before = TriageRow.group_id == row.group_id, TriageRow.attempt < row.attempt, TriageRow.state == TriageState.DONE
    query = select(TriageRow).where(*before).order_by(col(TriageRow.attempt).desc()).limit(1)
    return _first_cause((await session.exec(query)).first())


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


async def _cause(session: AsyncSession, ref: str) -> CauseContent | None:
    number = number_of(ref, "INC") or 0
    incident = await session.get(IncidentRow, number)
    if incident is None:
        return None
    triage = await shown_triage(session, incident.group_id)
    return CauseContent(
        ref=ref,
        attempt=triage.attempt if triage else 0,
        hypothesis=_first_hypothesis(_findings(triage)),
        confirmed=(await causes.newest(session, [number])).get(number),
    )


async def _answer(session: AsyncSession, number: str) -> AnswerContent | None:
    row = await session.get(QuestionRow, int(number))
    if row is None:
        return None
    ref = f"AL-{row.group_id}" if row.group_id else f"INC-{row.incident_id}"
    triage = await triage_content(session, ref) if row.group_id and wants_next_step(row.text) else None
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


async def _postmortem(session: AsyncSession, ref: str) -> PostmortemContent | None:
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


# ---------------------------------------------------------------- proposals


async def proposal_content(session: AsyncSession, ref: str) -> ProposalContent | None:
    """`AP-n` with the answers of people; None if there is none."""
    row = await session.get(ProposalRow, number_of(ref, "AP") or 0)
    if row is None:
        return None
    incident = await session.get(IncidentRow, row.incident_id) if row.incident_id else None
    group = await session.get(GroupRow, row.group_id) if row.group_id else None
    return ProposalContent(
        proposal=stored_proposal(row),
        decisions=[stored_decision(decision) for decision in await decision_rows(session, row)],
        solo=row.solo,
        break_glass=row.break_glass,
        standing_offer=await standing_offer(session, row),
        manual=row.manual,
        lead=incident.lead if incident else "",
        deputies=tuple(incident.deputies) if incident else (),
        runs=await step_runs(session, row),
        alerts_cleared_at=group.cleared_at if group and to_group(group).cleared else None,
    )


_LOADERS: Mapping[str, Callable[[AsyncSession, str], Awaitable[Content | None]]] = {
    MessageKind.CARD: _card,
    MessageKind.INCIDENT_CARD: _incident,
    MessageKind.STORM: _storm,
    MessageKind.BACKLOG: _backlog,
    MessageKind.TRIAGE: triage_content,
    MessageKind.PROPOSAL: proposal_content,
    MessageKind.POLICY: policy_content,
    MessageKind.POSTMORTEM: _postmortem,
    MessageKind.CAUSE: _cause,
    MessageKind.ANSWER: _answer,
    MessageKind.LINE: _line,
    MessageKind.RAISED: _raised,
    MessageKind.RENEWED: _renewed,
}
