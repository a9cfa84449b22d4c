"""The case of an attempt: what its group and its worst alert hold for an investigator."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from bot.core.alerts.renewal import BURST
from bot.core.commands.declared_incident import began_at
from bot.core.evidence import Case
from bot.core.investigation.triage_facts import stored_facts
from bot.core.investigation.triage_state import TriageState
from bot.store.alerts.present_outage import first_firing, of_present_outage
from bot.store.tables import EpisodeRow, GroupRow, TriageRow
from bot.store.triage.attempts import all_attempts, onset_of_outage
from bot.store.triage.earlier_outage import earlier_outage, first_alert_at
from bot.store.triage.firing_intervals import firing_before


async def leading_alert(session: AsyncSession, group: GroupRow) -> EpisodeRow | None:
    """What a group is about: the worst, oldest alert that fires, those first that came since it is about something new.

    Once none fires: the worst, oldest of these. What an outage before was about is no headline of the present one.
    """
    worst = (await session.exec(_worst(group.id or 0))).first()
    if not group.renewed_by:
        return worst
    newest = (await session.exec(_worst(group.id or 0).where(*of_present_outage(group)))).first()
    fires_before = worst is not None and worst.status == "firing" and (newest is None or newest.status != "firing")
    return worst if fires_before or newest is None else newest


def is_earlier(attempt: TriageRow, group: GroupRow) -> bool:
    """Whether an attempt was made before its group was about something new."""
    return group.renewed_at is not None and attempt.started_at < group.renewed_at


async def outlasting(session: AsyncSession, group: GroupRow, lead: EpisodeRow | None) -> EpisodeRow | None:
    """What leads a group now, as it fired first, where that was before the group was about something new.

    What was ranked since does not explain it.
    """
    first = await first_firing(session, group, lead) if lead and group.renewed_by else None
    return first if first and (first.id or 0) < (group.renewed_by or 0) else None


async def ranking_of_outlasting(session: AsyncSession, group: GroupRow, outlasting: EpisodeRow | None) -> TriageRow | None:
    """The last ranking about an alert that leads a group again, after what the group was about since is over.

    None where nothing since then has ended, and where no attempt looked at its service while it fired.
    """
    if outlasting is None or not outlasting.service or group.renewed_at is None:
        return None
    since, until = outlasting.first_seen_at - BURST, group.renewed_at
    for attempt in reversed(await all_attempts(session, group.id or 0)):
        facts = stored_facts(attempt.facts) if since <= attempt.started_at < until and attempt.findings else None
        if facts and facts.signal.startswith(f"{outlasting.service} ") and attempt.state == TriageState.DONE:
            return attempt
    return None


def _worst(number: int) -> SelectOfScalar[EpisodeRow]:
    firing_first = (col(EpisodeRow.status), col(EpisodeRow.severity), col(EpisodeRow.starts_at), col(EpisodeRow.id))
    return select(EpisodeRow).where(EpisodeRow.group_id == number).order_by(*firing_first).limit(1)


async def case_of(session: AsyncSession, group: GroupRow, row: TriageRow | None) -> Case:
    """The case of one attempt; without an attempt, that of the first one."""
    lead = await leading_alert(session, group)
    case = _case(group, lead, row)
    if lead is not None:
        began = await first_alert_at(session, group, lead)
        earlier, fired = await earlier_outage(session, group, lead, began), await firing_before(session, group, lead, began)
        case = case.model_copy(update={"first_alert_at": began, "earlier": earlier, "firing_before": fired})
    since = case.earlier.until if case.earlier else None
    return case.model_copy(update={"onset": await onset_of_outage(session, group, case.attempt, since=since)})


def _case(group: GroupRow, lead: EpisodeRow | None, row: TriageRow | None) -> Case:
    """What the group, its leading alert and the attempt say themselves."""
    return Case(
        group=f"AL-{group.id}",
        attempt=row.attempt if row else 1,
        service=(lead.service if lead and group.renewed_at else "") or group.service,
        alert_name=lead.name if lead else group.title,
        severity=group.severity,
        summary=(lead.annotations.get("summary") or lead.name) if lead else group.title,
        labels=lead.labels if lead else {},
        expression=lead.expression if lead else "",
        runbook_url=lead.annotations.get("runbook_url", "") if lead else "",
        declared=lead is None,
        started_at=lead.starts_at if lead else began_at(group.title, group.opened_at) or group.opened_at,
        question=row.question if row else "",
        requester=row.requester if row else "",
    )
