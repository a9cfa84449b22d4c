"""The content of messages about alert groups and incidents: cards, storms, backlogs, and lines below a card."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alert import Severity
from bot.core.alerts.component import place_of
from bot.core.alerts.grouping import GroupingReason
from bot.core.alerts.muting import mute_of_backlog
from bot.core.alerts.renewal import BURST, Notify
from bot.core.alerts.storm import OPENED_AGAIN_WINDOW, called_before
from bot.core.commands.declared_incident import began_at
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
    OpenContent,
    RaisedContent,
    RenewedContent,
    StormContent,
    backlog_subject,
    renewed_subject,
    reopened_subject,
)
from bot.core.text.durations import age_text
from bot.store.alerts.reader import reasons_of
from bot.store.incidents import causes
from bot.store.incidents.rows import load_incident, to_group, to_incident
from bot.store.tables import EpisodeRow, GroupRow, IncidentRow, TriageRow
from bot.store.triage.attempts import first_cause, newest_ranking, shown_triage
from bot.store.triage.cases import is_earlier, leading_alert, outlasting, ranking_of_outlasting
from bot.store.triage.earlier_outage import first_alert_at

_LINKS = (("Runbook", "runbook_url"), ("Dashboard", "dashboard_url"), ("Panel", "panel_url"))
"""Annotations that hold addresses; they are untrusted, so the renderer shows them only for allowed hosts."""
MAX_EXPLAINED = 1000
"""Reasons of larger groups are not counted for each edit of their card; the verb `why` counts them."""
MAX_IN_STORM = 500
"""Alerts of a storm whose words for their severity are looked at."""


async def card_content(session: AsyncSession, ref: str) -> CardContent | None:
    group = await session.get(GroupRow, number_of(ref, "AL") or 0)
    if group is None:
        return None
    incident = await session.get(IncidentRow, group.incident_id) if group.incident_id else None
    lead = await leading_alert(session, group)
    triage = await shown_triage(session, group.id)
    outlasts = await outlasting(session, group, lead)
    own = await ranking_of_outlasting(session, group, outlasts)
    ranked = own or await newest_ranking(session, group.id)
    started_at = await first_alert_at(session, group, lead) if lead else began_at(group.title, group.opened_at)
    return CardContent(
        group=headlined(group, lead),
        previous=f"AL-{group.previous_id}" if group.previous_id else "",
        incident=to_incident(incident) if incident else None,
        summary=_summary(lead),
        place=place_of(lead.labels) if lead else "",
        severity_word=lead.labels.get("severity", "") if lead else "",
        links=_links(lead),
        last_change=_last_change(triage, started_at or group.opened_at, of="the alert" if lead else "the reported start"),
        confirmed_cause=await _confirmed_cause(session, group, incident) if incident else "",
        first_cause=first_cause(ranked),
        cause_is_earlier=own is None and ranked is not None and (is_earlier(ranked, group) or outlasts is not None),
        started_at=started_at,
        closes_itself=group.human_at is None and (incident is None or incident.human_at is None),
        triaged=triage is not None and (bool(triage.findings) or TriageState(triage.state).running),
        reasons=(await reasons_of(session, group.id)).in_short() if group.id and group.alerts <= MAX_EXPLAINED else "",
    )


async def _confirmed_cause(session: AsyncSession, group: GroupRow, incident: IncidentRow) -> str:
    """What a person confirmed of a group; "" where it is open and about something new since."""
    if group.state == GroupState.RESOLVED or group.renewed_at is None or not incident.cause:
        return incident.cause
    confirmed = (await causes.newest(session, [incident.id or 0])).get(incident.id or 0)
    return incident.cause if confirmed and confirmed.at >= group.renewed_at else ""


def headlined(group: GroupRow, lead: EpisodeRow | None) -> AlertGroup:
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


def _last_change(triage: TriageRow | None, started_at: datetime, *, of: str) -> PriorChange | None:
    """The newest change that the facts tell, its age against the start that the card shows, `of` an alert or a report."""
    facts = stored_facts(triage.facts) if triage else None
    change = next(iter(facts.changes), None) if facts else None
    return change.model_copy(update={"age_text": age_text(change.at, started_at, of=of)}) if change else None


async def incident_content(session: AsyncSession, ref: str) -> IncidentContent | None:
    incident = await load_incident(session, ref)
    return IncidentContent(incident=incident) if incident else None


async def open_contents(session: AsyncSession, refs: Iterable[str]) -> list[OpenContent]:
    """What the cards of these groups and incidents show, in this order."""
    loads = ((card_content if ref.startswith("AL-") else incident_content, ref) for ref in refs)
    contents = [await load(session, ref) for load, ref in loads]
    return [content for content in contents if content is not None]


async def storm_content(session: AsyncSession, key: str) -> StormContent:
    """The groups that stand on a storm card now, the worst first."""
    query = select(GroupRow).where(GroupRow.on_storm_card == key).order_by(col(GroupRow.severity), col(GroupRow.id))
    groups = [to_group(row) for row in (await session.exec(query)).all()]
    return StormContent(groups=groups, severity_words=await _severity_words(session, key))


async def _severity_words(session: AsyncSession, storm: str) -> Sequence[str]:
    """The senders' words for what counts as SEV3 in a storm: among these are the words that nobody mapped."""
    of_storm = select(GroupRow.id).where(GroupRow.on_storm_card == storm)
    query = select(EpisodeRow.labels).where(col(EpisodeRow.group_id).in_(of_storm), EpisodeRow.severity == Severity.SEV3)
    rows = (await session.exec(query.order_by(col(EpisodeRow.id).desc()).limit(MAX_IN_STORM))).all()
    return sorted({labels["severity"] for labels in rows if labels.get("severity")})


async def backlog_content(session: AsyncSession, subject: str) -> BacklogContent:
    source, channel = backlog_subject(subject)
    in_backlog = EpisodeRow.source == source, EpisodeRow.muted_by == mute_of_backlog(channel).stored
    rows = (await session.exec(select(EpisodeRow).where(*in_backlog).order_by(col(EpisodeRow.id)))).all()
    return BacklogContent(source=source, alerts=[BacklogAlert(row.name, row.service, row.severity) for row in rows])


async def line_content(_session: AsyncSession, text: str) -> LineContent:
    return LineContent(text=text)


async def raised_content(session: AsyncSession, ref: str) -> RaisedContent | None:
    row = await session.get(GroupRow, number_of(ref, "AL") or 0)
    if row is None:
        return None
    in_storm, group = row.on_storm_card != "", to_group(row)
    return RaisedContent(
        text=f"{ref} is {'' if in_storm else 'now '}{row.severity}: {row.title} on {row.service or 'unknown service'}",
        group=group,
        services_notified_before=await _notified_before(session, row) if in_storm else (),
        in_storm=in_storm,
    )


async def reopened_content(session: AsyncSession, subject: str) -> RaisedContent | None:
    about = reopened_subject(subject)
    row = await session.get(GroupRow, number_of(about.group, "AL") or 0)
    if row is None:
        return None
    in_storm, before = row.on_storm_card != "", await _opened_again_before(session, row)
    called = called_before(before, on_storm_card=in_storm)
    return RaisedContent(text=about.text, group=to_group(row), services_notified_before=called, in_storm=in_storm)


_OF_OLD_GROUP = frozenset({GroupingReason.FIRES_AGAIN, GroupingReason.SAME_ALERT, GroupingReason.FLAPPING})
"""Why an alert is in a group in which it fired before."""


_TELLING = frozenset({GroupingReason.RELATED_SERVICE, GroupingReason.SAME_MACHINE, GroupingReason.DECLARED_INCIDENT})
"""Why an alert is in a group, where that is more than what its line says already."""
MAX_OF_BURST = 500


async def renewed_content(session: AsyncSession, subject: str) -> RenewedContent | None:
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
    for service, name in (await session.exec(query.order_by(col(EpisodeRow.id)).limit(MAX_OF_BURST))).all():
        if (service, name) != (alert.service, alert.name):
            names.setdefault(service, {})[name] = None
    return [BurstService(service, list(its)) for service, its in names.items()]


async def _notified_before(session: AsyncSession, group: GroupRow) -> Sequence[str]:
    """Services whose on-call was mentioned in this storm before: those of its earlier groups that are bad enough."""
    of_storm = GroupRow.on_storm_card == group.on_storm_card, _mentions(), col(GroupRow.id) < (group.id or 0)
    query = select(GroupRow.service).where(*of_storm).order_by(col(GroupRow.id))
    return list(dict.fromkeys((await session.exec(query)).all()))


async def _opened_again_before(session: AsyncSession, group: GroupRow) -> Sequence[str]:
    """The service of each group that was opened again just before this one, on the same storm's card or else in its channel."""
    row, at = GroupRow, group.opened_again_at
    if at is None:
        return ()
    earlier = or_(col(row.opened_again_at) < at, and_(col(row.opened_again_at) == at, col(row.id) < (group.id or 0)))
    within = col(row.opened_again_at) >= at - OPENED_AGAIN_WINDOW, earlier
    beside = row.channel == group.channel, row.on_storm_card == group.on_storm_card
    query = select(row.service).where(*beside, *within, _mentions()).order_by(col(row.opened_again_at), col(row.id))
    return list((await session.exec(query)).all())


def _mentions() -> ColumnElement[bool]:
    """Whether a group is bad enough for its on-call to be mentioned."""
    return or_(col(GroupRow.incident_id).is_not(None), col(GroupRow.mentioned_at).is_not(None))
