"""What decides about a further alert of an open group, as it is stored."""

from collections.abc import Collection, Set
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, func
from sqlmodel import and_, col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alert import Severity
from bot.core.alerts.grouping import GroupingReason
from bot.core.alerts.problem_kind import is_own
from bot.core.alerts.renewal import BURST, RECOVERED_FOR, FurtherAlert, Members, RenewalReason, calls_a_member, may_be_new
from bot.core.evidence import stored_findings
from bot.core.incident import GroupState
from bot.core.service import Catalogue
from bot.store.db.database import Database
from bot.store.tables import ChangeRow, EpisodeRow, GroupRow, TriageRow


@dataclass(frozen=True)
class FurtherAlertReader:
    """Reads what decides about a further alert of one open group, within the caller's transaction."""

    db: Database
    session: AsyncSession
    catalogue: Catalogue
    group: GroupRow
    members: Members
    fires: bool = False
    """Whether an alert of the same service is known to fire in the group: else that is asked of the database."""

    async def read(self, episode: EpisodeRow, *, flaps_rapidly: bool = False) -> FurtherAlert:
        """The alert with what decides; the database is asked only for what can matter of this one.

        `flaps_rapidly`: the alert fires again and again.
        """
        unconfirmed = self.group.unconfirmed_at is not None
        cleared = GroupState(self.group.state) is GroupState.MONITORING and not unconfirmed
        quiet = not cleared and await self._service_recovered(episode)
        changed = await self._changed(episode, again=cleared or quiet)
        within = changed and not cleared
        before = not cleared and not flaps_rapidly and self._fired_in_outage_before(episode)
        alert = FurtherAlert(
            name=episode.name,
            service=episode.service,
            severity=Severity(episode.severity),
            members=self.members,
            catalogue=self.catalogue,
            now=self.db.clock(),
            cleared=cleared,
            flaps_rapidly=flaps_rapidly,
            quiet=quiet,
            changed=changed,
            next_burst=episode.grouping_reason == GroupingReason.NEXT_BURST,
            absent_from_present_outage=quiet and await self._absent_from_present_outage(episode.service),
            alert_had_ended=within and not (quiet or unconfirmed) and await self._alert_had_ended(episode),
            present_alerts=await self._present_alerts(episode.service)
            if (within or before) and self.group.renewed_by
            else None,
            fires_elsewhere=cleared and not changed and await self._fires_elsewhere(episode),
            acknowledged_at=self.group.acknowledged_at,
            renewed_at=self.group.renewed_at,
            worst_present=None if cleared else await self._worst_present(),
        )
        if alert.renews is not RenewalReason.NEW_SERVICE:
            return alert
        return replace(alert, suspected=await _is_suspected(self.session, self.group, episode.service))

    def _fired_in_outage_before(self, episode: EpisodeRow) -> bool:
        """Whether the alert, of something of its service's own, fired in the group, which has cleared since then once."""
        fired = (episode.name, episode.service) in self.members.alerts
        return fired and self.group.reopened > 0 and is_own(episode.name)

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

    async def _absent_from_present_outage(self, service: str) -> bool:
        """Whether nothing of a service fired in the present outage that somebody acknowledged, and nothing hands it that."""
        if not self.group.acknowledged_by or not self.group.renewed_by or calls_a_member(service, self.members, self.catalogue):
            return False
        query = select(EpisodeRow.id).where(*self._present(), EpisodeRow.service == service).limit(1)
        return (await self.session.exec(query)).first() is None

    async def _service_recovered(self, episode: EpisodeRow) -> bool:
        """Whether the alert's service was well before this alert of it, while others of the group still fire.

        It was not while another alert of it stood, or until shortly before:
        - What fires now stood before, unless it began with this alert. Where this alert had ended before the present outage
          began, what still fires of an outage before says nothing either: a queue is long for hours after.
        - What ended within `RECOVERED_FOR` stood until now. Of an alert that fired before only its own end counts: slow alerts
          (an error budget's) end shortly before the next outage, which does not make it the same one.
        - What ended while Prometheus could not be read may not have ended: it is no recovery of anything.
        """
        row, service, now = EpisodeRow, episode.service, self.db.clock()
        if self.fires or service not in self.members.services or not may_be_new(service, self.members, now):
            return False
        quiet_since, burst_until = now - RECOVERED_FOR, self.members.began_at + BURST
        since = 0 if await self._fired_in_present(episode) else self.group.renewed_by
        began_before = col(row.first_seen_at) <= max(quiet_since, burst_until), col(row.id) >= since
        stands = and_(col(row.ended_at).is_(None), *began_before)
        ended_lately = col(row.ended_at) > min(quiet_since, (self.group.unconfirmed_at or now) - RECOVERED_FOR)
        if (episode.name, service) in self.members.alerts:
            ended_lately = and_(ended_lately, row.name == episode.name)
        own = row.group_id == self.group.id, row.service == service
        query = select(row.id).where(*own, or_(stands, ended_lately)).limit(1)
        return (await self.session.exec(query)).first() is None

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

    async def _alert_had_ended(self, episode: EpisodeRow) -> bool:
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
    findings = stored_findings(newest.findings) if newest else None
    return any(one.service == service and one.confidence != "unlikely" for one in (findings.hypotheses if findings else ()))
