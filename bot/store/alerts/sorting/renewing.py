"""Open groups that become about something new: what makes them so, and what follows in the same transaction."""

from collections.abc import Collection, Set
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, func
from sqlmodel import and_, col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alert import Severity
from bot.core.alerts import renewal as renewals
from bot.core.alerts.grouping import GroupingReason
from bot.core.alerts.renewal import BURST, RECOVERED_FOR, FurtherAlert, Members, Renewal, calls_a_member, may_be_new
from bot.core.evidence import Findings
from bot.core.incident import GroupState, IncidentState
from bot.core.messages.alerts import RenewedSubject
from bot.core.messages.content import MessageKind
from bot.core.service import Catalogue
from bot.core.timeline import EntryKind
from bot.store import messages, timeline
from bot.store.approvals import transitions
from bot.store.db.database import Database
from bot.store.tables import ChangeRow, EpisodeRow, GroupRow, IncidentRow, TriageRow


@dataclass(frozen=True)
class Renewing:
    """What a further alert makes of one open group, within the caller's transaction."""

    db: Database
    session: AsyncSession
    catalogue: Catalogue
    group: GroupRow
    members: Members
    fires: bool = False
    """Whether an alert of the same service is known to fire in the group: else that is asked of the database."""

    async def judge(self, episode: EpisodeRow, *, flaps: bool = False) -> Renewal | None:
        """What is new about the group; a cleared one fires again, and what was acknowledged may be something else.

        `flaps`: the alert fires again and again.
        """
        alert = await self._further_alert(episode, flaps=flaps)
        judgement = renewals.judge(alert)
        if alert.cleared:
            await _fire_again(self.db, self.session, self.group, another=judgement.another)
        elif judgement.another:
            _unacknowledge(self.db, self.group)
        return judgement.renewal

    async def _further_alert(self, episode: EpisodeRow, *, flaps: bool) -> FurtherAlert:
        """The alert with what decides; the database is asked only for what can matter of this one."""
        cleared = GroupState(self.group.state) is GroupState.MONITORING
        quiet = not cleared and await self._recovered(episode)
        changed = await self._changed(episode, again=cleared or quiet)
        within = changed and not cleared
        before = not cleared and not flaps and self._fired_in_outage_before(episode)
        alert = FurtherAlert(
            name=episode.name,
            service=episode.service,
            severity=Severity(episode.severity),
            members=self.members,
            catalogue=self.catalogue,
            now=self.db.clock(),
            cleared=cleared,
            flaps=flaps,
            quiet=quiet,
            changed=changed,
            next_burst=episode.grouping_reason == GroupingReason.NEXT_BURST,
            apart=quiet and await self._apart(episode.service),
            had_cleared=within and not quiet and await self._had_cleared(episode),
            present_alerts=await self._present_alerts(episode.service)
            if (within or before) and self.group.renewed_by
            else None,
            fires_elsewhere=cleared and not changed and await self._fires_elsewhere(episode),
            acknowledged_at=self.group.acknowledged_at,
            renewed_at=self.group.renewed_at,
            worst_present=None if cleared else await self._worst_present(),
        )
        if alert.renews is not Renewal.NEW_SERVICE:
            return alert
        return replace(alert, suspected=await _is_suspected(self.session, self.group, episode.service))

    def _fired_in_outage_before(self, episode: EpisodeRow) -> bool:
        """Whether the alert, of something of its service's own, fired in the group, which has cleared since then once."""
        fired = (episode.name, episode.service) in self.members.alerts
        return fired and self.group.reopened > 0 and renewals.is_own(episode.name)

    async def _worst_present(self) -> Severity | None:
        """The worst alert of the present outage, where somebody acknowledged it."""
        if not self.group.acknowledged_by or not self.group.renewed_by:
            return None
        worst = (await self.session.exec(select(func.min(EpisodeRow.severity)).where(*self._present()))).one()
        return Severity(worst) if worst is not None else None

    def _present(self) -> tuple[ColumnElement[bool], ...]:
        """The alerts of the present outage."""
        return col(EpisodeRow.group_id) == self.group.id, col(EpisodeRow.id) >= self.group.renewed_by

    async def _present_alerts(self, service: str) -> Set[str]:
        """Names of this service's alerts that are of the present outage, or fire."""
        fires = (col(EpisodeRow.group_id) == self.group.id, col(EpisodeRow.ended_at).is_(None))
        of_outage = or_(and_(*self._present()), and_(*fires))
        query = select(EpisodeRow.name).where(EpisodeRow.service == service, of_outage).distinct()
        return set((await self.session.exec(query)).all())

    async def _apart(self, service: str) -> bool:
        """Whether nothing of a service fired in the present outage that somebody acknowledged, and nothing hands it that."""
        if not self.group.acknowledged_by or not self.group.renewed_by or calls_a_member(service, self.members, self.catalogue):
            return False
        query = select(EpisodeRow.id).where(*self._present(), EpisodeRow.service == service).limit(1)
        return (await self.session.exec(query)).first() is None

    async def _recovered(self, episode: EpisodeRow) -> bool:
        """Whether the alert's service had recovered, while others of the group still fire."""
        service, now = episode.service, self.db.clock()
        if self.fires or service not in self.members.services or not may_be_new(service, self.members, now):
            return False
        fired_before = (episode.name, service) in self.members.alerts
        quiet_since, burst_until = now - RECOVERED_FOR, self.members.began_at + BURST
        stood_since = max(quiet_since, burst_until)
        since = 0 if await self._fired_in_present(episode) else self.group.renewed_by
        stands = col(EpisodeRow.first_seen_at) <= stood_since, col(EpisodeRow.id) >= since
        return await _recovered(self.session, self.group, episode, quiet_since, and_(*stands), fired_before=fired_before)

    async def _fired_in_present(self, episode: EpisodeRow) -> bool:
        """Whether this alert fired, on any component of its service, in the present outage."""
        row, began = EpisodeRow, self.group.renewed_at
        if began is None:
            return True
        same = row.group_id == self.group.id, row.name == episode.name, row.service == episode.service, row.id != episode.id
        query = select(row.id).where(*same, or_(col(row.ended_at).is_(None), col(row.ended_at) > began)).limit(1)
        return (await self.session.exec(query)).first() is not None

    async def _fires_elsewhere(self, episode: EpisodeRow) -> bool:
        """Whether an alert that nobody acknowledged fires in another group since this one cleared.

        Of its service, or of what that depends on: then what fires again is rather another outage than a flap.
        """
        if self.group.cleared_at is None or not self.group.acknowledged_by or not episode.service:
            return False
        row = EpisodeRow
        services = {episode.service, *self.catalogue.downstream(episode.service)}
        beside = col(row.service).in_(services), row.group_id != self.group.id, row.first_seen_at > self.group.cleared_at
        query = select(row.id).join(GroupRow, col(GroupRow.id) == row.group_id).where(*beside)
        fires = col(row.ended_at).is_(None), GroupRow.acknowledged_by == "", GroupRow.state == GroupState.FIRING
        return (await self.session.exec(query.where(*fires).limit(1))).first() is not None

    async def _had_cleared(self, episode: EpisodeRow) -> bool:
        """Whether the alert fired before and does no more, on any component of its service."""
        row = EpisodeRow
        same = row.group_id == self.group.id, row.name == episode.name, row.service == episode.service
        query = select(func.count(col(row.id)), func.count(col(row.ended_at))).where(*same)
        fired, ended = (await self.session.exec(query)).one()
        return fired > 0 and fired == ended

    async def _changed(self, episode: EpisodeRow, *, again: bool) -> bool:
        """Whether the alert's service was changed since the group's outage began; of one that fires again, or what it calls."""
        if not again and not may_be_new(episode.service, self.members, self.db.clock()):
            return False
        behind = self.catalogue.downstream(episode.service) if again else ()
        return await _changed_since(self.session, {episode.service, *behind}, self.members.began_at)


async def _fire_again(db: Database, session: AsyncSession, group: GroupRow, *, another: bool) -> None:
    """A cleared group fires again: its card shows it. Who acknowledged it a moment ago still has it, unless it is `another`.

    What people were asked to decide was about the outage before, so that is over.
    """
    why = "the alerts had cleared, and fire again"
    await transitions.expire_undecided(db, session, group.id, group.incident_id, why=why)
    flaps = group.cleared_at is not None and renewals.keeps_acknowledgement(db.clock() - group.cleared_at, another=another)
    group.state, group.cleared_at, group.reopened = GroupState.FIRING, None, group.reopened + 1
    if group.acknowledged_by and flaps:
        group.state = GroupState.ACKNOWLEDGED
    else:
        _unacknowledge(db, group)
    text = f"Firing again ({_nth(group.reopened + 1)} time)"
    await timeline.add(db, session, EntryKind.GROUP, text, group_id=group.id, incident_id=group.incident_id)
    if group.incident_id and (row := await session.get(IncidentRow, group.incident_id)):
        row.state = IncidentState.OPEN
        session.add(row)


def _unacknowledge(db: Database, group: GroupRow) -> None:
    """What was acknowledged was something else: somebody is waited for from now on."""
    if group.acknowledged_by:
        group.unacknowledged_at = db.clock()
    group.acknowledged_by, group.acknowledged_at = "", None
    if GroupState(group.state) is GroupState.ACKNOWLEDGED:
        group.state = GroupState.FIRING


async def _recovered(
    session: AsyncSession,
    group: GroupRow,
    episode: EpisodeRow,
    quiet_since: datetime,
    stood: ColumnElement[bool],
    *,
    fired_before: bool,
) -> bool:
    """Whether a service of a group was quiet before this alert of it, and this alert (else all of them) for a while.

    Slow alerts (an error budget's) stand until shortly before the next outage; that they stood does not make it the same one.
    `stood`: of what fires, what says that it did not recover: not what is of the outage that begins now, nor, where this alert
    was over before the present outage began, what stands from one before (a queue that is long for hours after).
    """
    row = EpisodeRow
    stands = and_(col(row.ended_at).is_(None), stood)
    ended = col(row.ended_at) > quiet_since
    lately = and_(ended, row.name == episode.name) if fired_before else ended
    query = select(row.id).where(row.group_id == group.id, row.service == episode.service, or_(stands, lately)).limit(1)
    return (await session.exec(query)).first() is None


async def _changed_since(session: AsyncSession, services: Collection[str], since: datetime) -> bool:
    """Whether a change of one of these services is known that was made after a moment."""
    query = select(ChangeRow.id).where(col(ChangeRow.service).in_(services), ChangeRow.at > since).limit(1)
    return (await session.exec(query)).first() is not None


async def _is_suspected(session: AsyncSession, group: GroupRow, service: str) -> bool:
    """Whether the newest ranking of a group names this service already: that it alerts then is no news."""
    since = [col(TriageRow.started_at) >= group.renewed_at] if group.renewed_at else []
    query = select(TriageRow).where(TriageRow.group_id == group.id, *since).order_by(col(TriageRow.attempt).desc())
    # While a further attempt runs the one before says what is suspected.
    newest = next((row for row in (await session.exec(query)).all() if row.findings), None)
    if newest is None:
        return False
    hypotheses = Findings.model_validate(newest.findings).hypotheses
    return any(one.service == service and one.confidence != "unlikely" for one in hypotheses)


async def renew(
    db: Database, session: AsyncSession, group: GroupRow, episode: EpisodeRow, change: Renewal, *, line: bool = True
) -> None:
    """An open group is about something new: its thread says so, its on-call hears of it, and its causes are ranked again.

    What was acknowledged was something else, so it is not acknowledged any more; only what fires again soon still is.
    `line`: whether the thread must say so; a storm's card shows its groups itself.
    """
    ref, acknowledged = f"AL-{group.id}", group.acknowledged_by != ""
    quiet_for = db.clock() - (group.renewed_at or group.opened_at)
    group.renewed_at, group.renewed_by, group.renewals = db.clock(), episode.id, group.renewals + 1
    if change is not Renewal.FIRES_AGAIN and acknowledged:
        _unacknowledge(db, group)
    if change in (Renewal.NEW_SERVICE, Renewal.NEW_KIND):
        text = _what_is_new(episode, change)
        await timeline.add(db, session, EntryKind.GROUP, text, group_id=group.id, incident_id=group.incident_id)
    times = await _times(session, group, episode)
    worth = renewals.worth_a_line(change, renewals=group.renewals, times=times, quiet_for=quiet_for)
    if line and worth and not group.on_storm_card:
        subject = RenewedSubject(ref, episode.id or 0, renewals.notify(change, acknowledged=acknowledged))
        await messages.touch(
            db,
            session,
            renewed_key(group),
            channel=group.channel,
            kind=MessageKind.RENEWED,
            subject=subject.stored,
            thread_key=f"card:{ref}",
        )


def _what_is_new(episode: EpisodeRow, change: Renewal) -> str:
    what = f"{episode.name} on {episode.service or 'unknown service'}"
    if episode.grouping_reason == GroupingReason.NEXT_BURST:
        return f"{what} begins another outage here: {episode.grouping_text}"
    if change is Renewal.NEW_SERVICE:
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


_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def _nth(number: int) -> str:
    return f"{number}{_ENDINGS.get(number if number < 20 else number % 10, 'th')}"
