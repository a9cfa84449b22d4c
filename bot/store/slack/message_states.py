"""What a message shows, as plain dictionaries read in one session: the input of bot/slack/views."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.evidence import nothing_wrong
from bot.core.incident import number_of
from bot.store.incidents import causes
from bot.store.tables import (
    DecisionRow,
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
from bot.store.triage.triage import leading

State = dict[str, Any]

_LINKS = (("Runbook", "runbook_url"), ("Dashboard", "dashboard_url"), ("Panel", "panel_url"))
"""Annotations that hold addresses; they are foreign, so the renderer shows them only for allowed hosts."""


async def load(session: AsyncSession, kind: str, subject: str) -> State | None:
    """The state behind one message; None if its subject does not exist (any more)."""
    loader = _LOADERS.get(kind)
    return await loader(session, subject) if loader else None


# ---------------------------------------------------------------- alert groups


async def _card(session: AsyncSession, ref: str) -> State | None:
    group = await session.get(GroupRow, number_of(ref, "AL") or 0)
    if group is None:
        return None
    incident = await session.get(IncidentRow, group.incident_id) if group.incident_id else None
    lead = (await session.exec(leading(group.id or 0))).first()
    triage = await newest_triage(session, group.id)
    return {
        **_group(group),
        **_of_incident(incident),
        "summary": _summary(lead),
        "links": _links(lead),
        "last_change": _last_change(triage),
        "first_cause": _first_cause(triage),
        "closes": group.human_at is None and (incident is None or incident.human_at is None),
        "triaged": triage is not None and (bool(triage.findings) or triage.state not in ("done", "failed", "stopped")),
    }


def _group(group: GroupRow) -> State:
    return {
        **group.model_dump(include=_GROUP_FIELDS),
        "ref": f"AL-{group.id}",
        "previous": f"AL-{group.previous_id}" if group.previous_id else "",
    }


_GROUP_FIELDS = {
    "title",
    "service",
    "severity",
    "state",
    "channel",
    "opened_at",
    "cleared_at",
    "acknowledged_by",
    "acknowledged_at",
    "alerts",
    "firing",
    "repeats",
    "reopened",
    "mentioned_at",
}


def _of_incident(incident: IncidentRow | None) -> State:
    return {
        "incident": f"INC-{incident.id}" if incident else "",
        "lead": incident.lead if incident else "",
        "stopped": incident.stopped if incident else False,
        "resolved_by": incident.resolved_by if incident else "",
        "resolved_at": incident.resolved_at if incident else None,
        "cause": incident.cause if incident else "",
    }


def _summary(lead: EpisodeRow | None) -> str:
    if lead is None:
        return ""
    return lead.annotations.get("summary") or lead.annotations.get("description") or lead.name


def _links(lead: EpisodeRow | None) -> list[tuple[str, str]]:
    if lead is None:
        return []
    found = [(label, lead.annotations.get(key, "")) for label, key in _LINKS]
    return [(label, url) for label, url in (("Source", lead.link), *found) if url]


def _last_change(triage: TriageRow | None) -> Mapping[str, str] | None:
    changes = triage.facts.get("changes") if triage else None
    if not changes:
        return None
    newest = changes[0]
    return {name: newest.get(name, "") for name in ("kind", "service", "version", "title", "age_text")}


def _first_cause(triage: TriageRow | None) -> Mapping[str, Any] | None:
    done = triage.findings if triage and triage.state == "done" else {}
    # Where nothing looks wrong, what was ranked is no more than chance.
    hypotheses = None if nothing_wrong(done) else done.get("hypotheses")
    return {name: hypotheses[0][name] for name in ("confidence", "cause")} if hypotheses else None


async def newest_triage(session: AsyncSession, group_id: int | None) -> TriageRow | None:
    """The latest attempt of a group."""
    query = select(TriageRow).where(TriageRow.group_id == group_id).order_by(col(TriageRow.attempt).desc()).limit(1)
    return (await session.exec(query)).first()


async def _storm(session: AsyncSession, key: str) -> State:
    """The groups that stand on a storm card now, the worst of them for its service, and the services with an incident."""
    query = select(GroupRow).where(GroupRow.on_storm_card == key).order_by(col(GroupRow.severity), col(GroupRow.id))
    rows = (await session.exec(query)).all()
    worst = rows[0] if rows else None
    return {
        "key": key,
        "groups": [_group(row) for row in rows],
        "service": worst.service if worst else "",
        "incident": next((f"INC-{row.incident_id}" for row in rows if row.incident_id), ""),
        "incident_services": list(dict.fromkeys(row.service for row in rows if row.incident_id and row.service)),
    }


async def _digest(session: AsyncSession, source: str) -> State | None:
    query = select(EpisodeRow).where(EpisodeRow.source == source, EpisodeRow.muted_by == "digest").order_by(col(EpisodeRow.id))
    rows = (await session.exec(query)).all()
    alerts = [{"name": row.name, "service": row.service, "severity": row.severity} for row in rows]
    return {"source": source, "alerts": alerts}


# ---------------------------------------------------------------- triage and evidence


async def _triage(session: AsyncSession, ref: str) -> State | None:
    group = await session.get(GroupRow, number_of(ref, "AL") or 0)
    row = await newest_triage(session, group.id) if group else None
    if group is None or row is None:
        return None
    ledger = await evidence(session, group.id)
    return {
        **_group(group),
        "attempt": row.attempt,
        "triage_state": row.state,
        "question": row.question,
        "requester": row.requester,
        "facts": row.facts,
        "findings": row.findings,
        "checks": [line for line in ledger.values() if line["attempt"] == row.attempt],
        "no_proposal": row.no_proposal,
        "late": bool(row.late_changes),
        "evidence": ledger,
        "proposals": await _proposals(session, group.id),
    }


async def evidence(session: AsyncSession, group_id: int | None) -> dict[str, State]:
    """All evidence of a group by id: summary, query, link, ok, details, which tool was asked for what in which attempt."""
    query = select(EvidenceRow).where(EvidenceRow.group_id == group_id).order_by(col(EvidenceRow.n))
    rows = (await session.exec(query)).all()
    return {f"E{row.n}": {**row.evidence, **row.model_dump(include={"tool", "arguments", "attempt"})} for row in rows}


async def _proposals(session: AsyncSession, group_id: int | None) -> list[State]:
    query = select(ProposalRow).where(ProposalRow.group_id == group_id).order_by(col(ProposalRow.id))
    return [{"ref": f"AP-{row.id}", "state": row.state} for row in (await session.exec(query)).all()]


# ---------------------------------------------------------------- incidents, proposals, drafts, lines


async def _incident(session: AsyncSession, ref: str) -> State | None:
    row = await session.get(IncidentRow, number_of(ref, "INC") or 0)
    if row is None:
        return None
    group = f"AL-{row.group_id}" if row.group_id else ""
    return {**row.model_dump(exclude={"id", "group_id", "rev"}), "ref": f"INC-{row.id}", "group": group}


async def _proposal(session: AsyncSession, ref: str) -> State | None:
    row = await session.get(ProposalRow, number_of(ref, "AP") or 0)
    if row is None:
        return None
    incident = await session.get(IncidentRow, row.incident_id) if row.incident_id else None
    order = (col(DecisionRow.at), col(DecisionRow.id))
    decided = await session.exec(select(DecisionRow).where(DecisionRow.proposal_id == row.id).order_by(*order))
    return {
        **row.model_dump(exclude={"id", "key", "group_id", "incident_id", "rev"}),
        "ref": f"AP-{row.id}",
        "group": f"AL-{row.group_id}" if row.group_id else "",
        "incident": f"INC-{row.incident_id}" if row.incident_id else "",
        "lead": incident.lead if incident else "",
        "deputies": list(incident.deputies) if incident else [],
        "incident_severity": incident.severity if incident else "",
        "decisions": [d.model_dump(include={"person", "verdict", "reason", "revision", "at"}) for d in decided.all()],
    }


async def _postmortem(session: AsyncSession, ref: str) -> State | None:
    number = number_of(ref, "INC") or 0
    incident = await session.get(IncidentRow, number)
    drafts = select(PostmortemRow).where(PostmortemRow.incident_id == number, PostmortemRow.state != "failed")
    row = (await session.exec(drafts.order_by(col(PostmortemRow.n).desc()).limit(1))).first()
    if incident is None or row is None:
        return None
    key = f"postmortem:{ref}:{row.n}"
    graph = key if (await session.exec(select(PictureRow.key).where(PictureRow.key == key))).first() else ""
    return {"ref": ref, "n": row.n, "title": incident.title, "state": row.state, "sections": row.sections, "graph": graph}


async def _cause(session: AsyncSession, ref: str) -> State | None:
    number = number_of(ref, "INC") or 0
    incident = await session.get(IncidentRow, number)
    if incident is None:
        return None
    triage = await newest_triage(session, incident.group_id) if incident.group_id else None
    hypotheses = triage.findings.get("hypotheses") if triage else None
    said = (await causes.newest(session, [number])).get(number)
    return {
        "ref": ref,
        "title": incident.title,
        "attempt": triage.attempt if triage else 0,
        "hypothesis": hypotheses[0] if hypotheses else None,
        "said": said.model_dump() if said else None,
    }


async def _answer(session: AsyncSession, number: str) -> State | None:
    row = await session.get(QuestionRow, int(number))
    if row is None:
        return None
    return {
        "ref": f"AL-{row.group_id}" if row.group_id else f"INC-{row.incident_id}",
        "question": row.text,
        "asked_by": row.asked_by,
        "answer_state": row.state,
        "answer": row.answer,
        "evidence": await evidence(session, row.group_id) if row.group_id else {},
    }


async def _line(_session: AsyncSession, text: str) -> State | None:
    return {"text": text}


async def _raised(session: AsyncSession, ref: str) -> State | None:
    """The line that mentions the on-call when a group became worse after its card was posted."""
    group = await session.get(GroupRow, number_of(ref, "AL") or 0)
    if group is None:
        return None
    in_storm = group.on_storm_card != ""
    text = f"{ref} is {'' if in_storm else 'now '}{group.severity}: {group.title} on {group.service or 'unknown service'}"
    return {
        "text": text,
        "service": group.service,
        "incident": f"INC-{group.incident_id}" if group.incident_id else "",
        "told_services": await _told_before(session, group) if in_storm else [],
    }


async def _told_before(session: AsyncSession, group: GroupRow) -> list[str]:
    """Services whose on-call was told of this storm before: those of its earlier groups with an incident."""
    query = select(GroupRow.service).where(
        GroupRow.on_storm_card == group.on_storm_card,
        col(GroupRow.incident_id).is_not(None),
        col(GroupRow.id) < (group.id or 0),
    )
    return list(dict.fromkeys((await session.exec(query.order_by(col(GroupRow.id)))).all()))


_LOADERS: dict[str, Callable[[AsyncSession, str], Awaitable[State | None]]] = {
    "card": _card,
    "incident_card": _incident,
    "storm": _storm,
    "digest": _digest,
    "triage": _triage,
    "proposal": _proposal,
    "postmortem": _postmortem,
    "cause": _cause,
    "answer": _answer,
    "line": _line,
    "raised": _raised,
}
