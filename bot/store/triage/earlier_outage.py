"""The outage before the one that a case is about, as its alerts and its last ranking show it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement
from sqlmodel import and_, case, col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alerts.arrival_rate import RUNNING_SHARE
from bot.core.alerts.renewal import BURST, SPREADS_WITHIN, older_until
from bot.core.evidence import CauseKind, EarlierOutage, Findings, stored_findings
from bot.core.investigation.triage_state import TriageState
from bot.store.alerts.present_outage import first_firing, of_outage_before, of_present_outage
from bot.store.db.visibility import has_same_readers
from bot.store.tables import EpisodeRow, GroupRow, TriageRow

_Members = Sequence[ColumnElement[bool]]
"""What tells an outage's own alerts from others."""

RELATES_WITHIN = timedelta(hours=1)
"""An outage that began longer ago is no longer in the samples that a signal is compared with."""


async def first_alert_at(session: AsyncSession, group: GroupRow, lead: EpisodeRow) -> datetime:
    """When the first alert fired of the burst that the present outage began with, whichever of its alerts leads by now.

    Where one leads that fires on from the outage before, the group is about that one again.
    """
    row, first = EpisodeRow, await first_firing(session, group, lead)
    if (first.id or 0) < (group.renewed_by or 0):
        return first.starts_at
    own = of_present_outage(group)
    first_seen_at = (await session.exec(select(func.min(row.first_seen_at)).where(*own))).one()
    burst = col(row.first_seen_at) <= first_seen_at + BURST
    return (await session.exec(select(func.min(row.starts_at)).where(*own, burst))).one()


async def outage_before_fires(session: AsyncSession, group: GroupRow, ranking: Findings | None) -> bool:
    """Whether an alert still fires of the outage that was ranked before the group was about what it is about now.

    What began before the onset of that ranking is of an outage before that one.
    """
    if group.renewed_by is None:
        return False
    row = EpisodeRow
    since = [col(row.starts_at) >= ranking.onset] if ranking and ranking.onset else []
    query = select(row.id).where(*of_outage_before(group), row.status == "firing", *since)
    return (await session.exec(query.limit(1))).first() is not None


async def earlier_outage(session: AsyncSession, group: GroupRow, lead: EpisodeRow, began: datetime) -> EarlierOutage | None:
    """The outage before: what the group was about until it was renewed, or another group of the service that ran until then.

    That other group just cleared, or it runs on. `began`: when the first alert of the present outage fired.
    """
    if group.renewed_at is not None and group.renewed_by is not None:
        return await _outage_of(session, group.id or 0, lead, began, before=group.renewed_at, members=of_outage_before(group))
    number = await _other_group(session, group, lead, began)
    members = (col(EpisodeRow.group_id) == number,)
    earlier = await _outage_of(session, number, lead, began, before=began, members=members) if number else None
    return earlier if earlier and (earlier.recovered_at or earlier.runs_on) else None


async def _other_group(session: AsyncSession, group: GroupRow, lead: EpisodeRow, began: datetime) -> int | None:
    """Another group, read by the same people, in which an alert of this service fires or cleared shortly before."""
    row = EpisodeRow
    since, starts_at = began - RELATES_WITHIN, col(row.starts_at)
    of_service = row.service == lead.service, row.service != "", row.group_id != lead.group_id, starts_at >= since
    cleared = col(row.ended_at).between(began - SPREADS_WITHIN, began)
    fires = and_(starts_at < began, or_(col(row.ended_at).is_(None), col(row.ended_at) > began))
    query = select(row.group_id).join(GroupRow, col(GroupRow.id) == row.group_id)
    query = query.where(*of_service, has_same_readers(GroupRow, group))
    # What runs on comes before what has cleared.
    newest = case((fires, 1), else_=0).desc(), case((fires, row.starts_at), else_=row.ended_at).desc()
    return (await session.exec(query.where(or_(cleared, fires)).order_by(*newest).limit(1))).first()


async def _outage_of(
    session: AsyncSession, number: int, lead: EpisodeRow, began: datetime, *, before: datetime, members: _Members
) -> EarlierOutage | None:
    """What the last ranking of a group saw, made `before` a moment; of its alerts its `members` count."""
    made = TriageRow.group_id == number, col(TriageRow.started_at) < before, TriageRow.state == TriageState.DONE
    attempts = (await session.exec(select(TriageRow).where(*made).order_by(col(TriageRow.attempt).desc()))).all()
    rankings = [findings for row in attempts if (findings := stored_findings(row.findings))]
    findings = rankings[0] if rankings else None
    if findings is None or findings.onset is None:
        return None
    # An outage may have begun while one before it ran on: what is left of either in the samples is none of the present one.
    recent = [ranking for ranking in rankings if ranking.onset and ranking.onset >= began - RELATES_WITHIN]
    onsets = [ranking.onset for ranking in recent if ranking.onset]
    alerts = *members, col(EpisodeRow.starts_at) >= findings.onset
    alert_at = (await session.exec(select(func.min(EpisodeRow.starts_at)).where(*alerts))).one()
    until = older_until(findings.onset, alert_at or findings.onset, began)
    if until is None:
        return None
    recovered_at = await _recovered_at(session, members, lead, began)
    runs_on = await _firing_share(session, alerts, began) >= RUNNING_SHARE
    if recovered_at is None and not runs_on:
        recovered_at = await _over_at(session, alerts, lead, began)
    return EarlierOutage(
        until=until,
        likely=_likely(findings),
        superseded=_superseded(findings, recent),
        began_at=min(onsets, default=findings.onset),
        recovered_at=recovered_at,
        runs_on=runs_on,
    )


def _superseded(newest: Findings, rankings: Sequence[Findings]) -> tuple[str, ...]:
    """The changes that other rankings called likely, where the newest one put another cause first."""
    first = newest.first_cause
    changes = {likely[2] for ranking in rankings if (likely := _likely(ranking))}
    return tuple(sorted(changes - {"", first.change_id})) if first else ()


def _likely(ranking: Findings) -> tuple[CauseKind, str, str] | None:
    cause = ranking.likely_cause
    return (cause.kind, cause.service, cause.change_id) if cause else None


async def _firing_share(session: AsyncSession, alerts: Sequence[ColumnElement[bool]], began: datetime) -> float:
    """Of these alerts that began before the present outage: the share that still fired when it began."""
    row = EpisodeRow
    fires = or_(col(row.ended_at).is_(None), col(row.ended_at) > began)
    counts = select(func.count(col(row.id)), func.count(case((fires, 1))))
    fired, firing = (await session.exec(counts.where(*alerts, col(row.starts_at) < began))).one()
    return firing / fired if fired else 0.0


async def _over_at(
    session: AsyncSession, alerts: Sequence[ColumnElement[bool]], lead: EpisodeRow, began: datetime
) -> datetime | None:
    """When an outage in which the service that alerts now had no alert was over: its last end before."""
    row = EpisodeRow
    before = case((col(row.ended_at) <= began, row.ended_at))
    query = select(func.max(before), func.count(case((col(row.service) == lead.service, 1)))).where(*alerts)
    ended_at, own = (await session.exec(query)).one()
    return ended_at if not own else None


async def _recovered_at(session: AsyncSession, members: _Members, lead: EpisodeRow, began: datetime) -> datetime | None:
    """When the alert that leads now had last cleared, where it did not fire the alerts of its service; None: not all had."""
    row = EpisodeRow
    of_service = *members, col(row.service) == lead.service
    for alerts in ((*of_service, col(row.name) == lead.name), of_service):
        query = select(func.max(row.ended_at), func.count(col(row.id)), func.count(col(row.ended_at))).where(*alerts)
        ended_at, fired, ended = (await session.exec(query)).one()
        if fired:
            return ended_at if ended_at and fired == ended and ended_at <= began else None
    return None
