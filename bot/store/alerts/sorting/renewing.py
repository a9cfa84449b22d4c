"""Groups that become about something new, or are open again: what follows in the same transaction."""

from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alerts import renewal
from bot.core.alerts.grouping import GroupingReason
from bot.core.alerts.renewal import FurtherAlert, RenewalReason
from bot.core.incident import GroupState, IncidentState
from bot.core.messages.alerts import RenewedSubject, ReopenedSubject
from bot.core.messages.content import MessageKind
from bot.core.text.durations import elapsed_text
from bot.core.text.figures import ordinal
from bot.core.timeline import EntryKind
from bot.store import audit, messages, timeline
from bot.store.alerts import groups
from bot.store.approvals import transitions
from bot.store.db.database import Database
from bot.store.tables import EpisodeRow, GroupRow, IncidentRow

ACKNOWLEDGEMENT_HOLDS_FOR = timedelta(hours=1)
"""Whoever acknowledged what is no longer measured is not still at it much later: a service that was removed may come back."""


async def receive_further_alert(
    db: Database, session: AsyncSession, group: GroupRow, alert: FurtherAlert
) -> RenewalReason | None:
    """What is new about the group, for `renew`; a cleared one fires again, and what was acknowledged may be something else."""
    judgement = renewal.judge_further_alert(alert)
    if GroupState(group.state) is GroupState.MONITORING and not alert.cleared:
        await _fire_on(db, session, group)
    if alert.cleared:
        await _fire_again(db, session, group, another=judgement.another)
    elif judgement.another:
        _unacknowledge(db, group)
    return judgement.renewal


async def take_back_end(db: Database, session: AsyncSession, group: GroupRow, episode: EpisodeRow) -> bool:
    """Let an episode fire on, and its group, that ended only because nobody saw it. False: it stays so.

    While Prometheus cannot be read, what is delivered is of before. That is not followed once somebody resolved the group, and
    it can be where only a service is not measured: what is delivered then was not over.
    """
    unreadable = GroupState(group.state) is not GroupState.RESOLVED and not group.unmeasured and group.readable_at is None
    if group.unconfirmed_at is None or unreadable:
        return False
    episode.status, episode.ended_at = "firing", None
    if GroupState(group.state) is GroupState.MONITORING:
        await _fire_on(db, session, group)
    return True


async def _fire_on(db: Database, session: AsyncSession, group: GroupRow) -> None:
    """A group whose alerts had only ended since nobody saw them fires again: it is the same outage, in the same hands."""
    if group.unmeasured and group.cleared_at and db.clock() - group.cleared_at > ACKNOWLEDGEMENT_HOLDS_FOR:
        _unacknowledge(db, group)
    name = f"fires on:{group.cleared_at.isoformat() if group.cleared_at else ''}"
    group.state, group.cleared_at = GroupState.ACKNOWLEDGED if group.acknowledged_by else GroupState.FIRING, None
    why = f"{group.unmeasured} was not measured" if group.unmeasured else "Prometheus could not be read"
    text = f"Its alerts are reported again. It is the same outage: they had only ended while {why}."
    _count_as_measured(group)
    await timeline.add(db, session, EntryKind.GROUP, text, group_id=group.id, incident_id=group.incident_id)
    await groups.add_line(db, session, group, name, text)
    await transitions.refresh_undecided(db, session, group.id)
    await _reopen_incident(session, group)


def _count_as_measured(group: GroupRow) -> None:
    """What fires is measured: its end will be looked at by itself."""
    if group.unmeasured:
        group.unmeasured, group.unconfirmed_at = "", None


async def _reopen_incident(session: AsyncSession, group: GroupRow) -> None:
    if group.incident_id and (row := await session.get(IncidentRow, group.incident_id)):
        row.state = IncidentState.OPEN
        session.add(row)


async def _fire_again(db: Database, session: AsyncSession, group: GroupRow, *, another: bool) -> None:
    """A cleared group fires again: its card shows it. Who acknowledged it a moment ago still has it, unless it is `another`.

    What people were asked to decide was about the outage before, so that is over.
    """
    why = "the alerts had cleared, and fire again"
    await transitions.expire_undecided(db, session, group.id, group.incident_id, why=why)
    keeps = group.cleared_at is not None and renewal.keeps_acknowledgement(db.clock() - group.cleared_at, another=another)
    group.state, group.cleared_at, group.reopened = GroupState.FIRING, None, group.reopened + 1
    if group.acknowledged_by and keeps:
        group.state = GroupState.ACKNOWLEDGED
    else:
        _unacknowledge(db, group)
    text = f"Firing again ({ordinal(group.reopened + 1)} time)"
    await timeline.add(db, session, EntryKind.GROUP, text, group_id=group.id, incident_id=group.incident_id)
    await _reopen_incident(session, group)


async def reopen(
    db: Database, session: AsyncSession, group: GroupRow, episode: EpisodeRow, at: datetime, finding: str = "still fires"
) -> None:
    """Open a group again that somebody resolved and whose alert is not over at a moment; its on-call hears of it.

    `finding`: what is known of the alert then, after its name. A cause that was confirmed with the resolve stays in the record
    of causes, and is not the confirmed one of what fires on.
    """
    ref, name = f"AL-{group.id}", f"{episode.name} on {episode.service}" if episode.service else episode.name
    resolved_for = at - (group.cleared_at or at)
    text = f"{name} {finding} {elapsed_text(resolved_for)} after {ref} was resolved by hand: it is open again."
    # Ends are not counted in a group that is resolved.
    fires = EpisodeRow.group_id == group.id, EpisodeRow.status == "firing"
    group.firing = (await session.exec(select(func.count()).select_from(EpisodeRow).where(*fires))).one()
    group.state, group.cleared_at, group.reopened = GroupState.FIRING, None, group.reopened + 1
    group.recheck_at, group.opened_again_at = None, at
    _count_as_measured(group)
    _unacknowledge(db, group)
    # Nobody was waited for while it was resolved.
    group.unacknowledged_at = db.clock()
    await timeline.add(db, session, EntryKind.GROUP, text, group_id=group.id, incident_id=group.incident_id)
    before, after = GroupState.RESOLVED.value, GroupState.FIRING.value
    await audit.append(db, session, who="tocsin", what="reopen", subject=ref, before=before, after=after, reason=text)
    if group.incident_id and (incident := await session.get(IncidentRow, group.incident_id)):
        incident.state, incident.resolved_at, incident.resolved_by, incident.cause = IncidentState.OPEN, None, "", ""
        session.add(incident)
    await messages.touch(
        db,
        session,
        f"reopened:{ref}:{group.reopened}",
        channel=group.channel,
        kind=MessageKind.REOPENED,
        subject=ReopenedSubject(ref, text).stored,
        thread_key=group.on_storm_card or f"card:{ref}",
    )


def _unacknowledge(db: Database, group: GroupRow) -> None:
    """What was acknowledged was something else: somebody is waited for from now on."""
    if group.acknowledged_by:
        group.unacknowledged_at = db.clock()
    group.acknowledged_by, group.acknowledged_at = "", None
    if GroupState(group.state) is GroupState.ACKNOWLEDGED:
        group.state = GroupState.FIRING


async def renew(
    db: Database, session: AsyncSession, group: GroupRow, episode: EpisodeRow, change: RenewalReason, *, line: bool = True
) -> None:
    """An open group is about something new: its thread says so, its on-call hears of it, and its causes are ranked again.

    What was acknowledged was something else, so it is not acknowledged any more; only what fires again soon still is.
    `line`: whether the thread must say so; a storm's card shows its groups itself.
    """
    acknowledged = group.acknowledged_by != ""
    quiet_for = db.clock() - (group.renewed_at or group.opened_at)
    group.renewed_at, group.renewed_by, group.renewals = db.clock(), episode.id, group.renewals + 1
    if change is not RenewalReason.FIRES_AGAIN and acknowledged:
        _unacknowledge(db, group)
    if change in (RenewalReason.NEW_SERVICE, RenewalReason.NEW_KIND):
        text = _what_is_new(episode, change)
        await timeline.add(db, session, EntryKind.GROUP, text, group_id=group.id, incident_id=group.incident_id)
    times = await _times(session, group, episode)
    worth = renewal.worth_a_line(change, renewals=group.renewals, times=times, quiet_for=quiet_for)
    if line and worth and not group.on_storm_card:
        await _add_line(db, session, group, episode, renewal.notify(change, acknowledged=acknowledged))


async def service_joins_renewal(db: Database, session: AsyncSession, group: GroupRow, episode: EpisodeRow) -> None:
    """A service that had no part in the group alerts moments after a renewal: the thread tells of that one if it did not.

    An alert that flaps had no line for itself, and may have been the first of another outage.
    """
    if group.on_storm_card or await messages.refresh(db, session, renewed_key(group)):
        return
    await _add_line(
        db, session, group, episode, renewal.notify(RenewalReason.NEW_SERVICE, acknowledged=group.acknowledged_by != "")
    )


async def _add_line(db: Database, session: AsyncSession, group: GroupRow, episode: EpisodeRow, notify: renewal.Notify) -> None:
    ref = f"AL-{group.id}"
    await messages.touch(
        db,
        session,
        renewed_key(group),
        channel=group.channel,
        kind=MessageKind.RENEWED,
        subject=RenewedSubject(ref, episode.id or 0, notify).stored,
        thread_key=f"card:{ref}",
    )


def _what_is_new(episode: EpisodeRow, change: RenewalReason) -> str:
    what = f"{episode.name} on {episode.service or 'unknown service'}"
    if episode.grouping_reason == GroupingReason.NEXT_BURST:
        return f"{what} begins another outage here: {episode.grouping_text}"
    if change is RenewalReason.NEW_SERVICE:
        return f"{what}: the first alert of that service here ({episode.grouping_text})"
    return f"{what} is another kind of problem than before here"


async def _times(session: AsyncSession, group: GroupRow, episode: EpisodeRow) -> int:
    """How often an alert fired in a group before."""
    own = EpisodeRow.source == episode.source, EpisodeRow.fingerprint == episode.fingerprint, EpisodeRow.group_id == group.id
    query = select(func.count()).select_from(EpisodeRow).where(*own, EpisodeRow.starts_at < episode.starts_at)
    return int((await session.exec(query)).one())


def renewed_key(group: GroupRow) -> str:
    """Of the message that says what the group is about since its last renewal."""
    return f"renewed:AL-{group.id}:{group.renewals}"
