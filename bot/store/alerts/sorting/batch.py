"""One batch of alerts: each begins or changes an episode, is muted, or joins or opens a group; at the end cards follow."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.actor import KnownChannels
from bot.core.alert import Severity
from bot.core.alerts import muting
from bot.core.alerts.episodes import end_of, flapping_of, last_time
from bot.core.alerts.escalation import escalation
from bot.core.alerts.grouping import Arrival, GroupingReason, Membership
from bot.core.alerts.renewal import BURST, Members, RenewalReason, has_no_part_in, outlasts_resolve
from bot.core.alerts.staleness import Gaps
from bot.core.config import Config
from bot.core.service import Catalogue
from bot.core.timeline import EntryKind
from bot.store import messages, timeline
from bot.store.alerts import groups
from bot.store.alerts.sorting.changed_groups import ChangedGroups
from bot.store.alerts.sorting.episodes import (
    EpisodeIndex,
    delivered_now,
    new_episode,
    record_heartbeat,
    reported_end,
    status_of,
    worsen,
)
from bot.store.alerts.sorting.further_alert import FurtherAlertReader
from bot.store.alerts.sorting.mutes import Mutes
from bot.store.alerts.sorting.new_episodes import NewEpisodes
from bot.store.alerts.sorting.open_groups import OpenGroups, arrival_of
from bot.store.alerts.sorting.opening import Opening
from bot.store.alerts.sorting.renewing import (
    receive_further_alert,
    renew,
    renewed_key,
    reopen,
    service_joins_renewal,
    take_back_end,
)
from bot.store.alerts.sorting.repeats import learn_intervals
from bot.store.alerts.sorting.result import SortingResult
from bot.store.alerts.sorting.routing import Routing
from bot.store.db.database import Database
from bot.store.tables import AlertRow, EpisodeRow, GroupRow


class SortingBatch:
    """What one batch reads and changes, in the transaction of its caller."""

    def __init__(
        self,
        db: Database,
        session: AsyncSession,
        config: Config,
        catalogue: Catalogue,
        open_groups: OpenGroups,
        channels: KnownChannels,
    ) -> None:
        self.db, self.config, self.catalogue = db, config, catalogue
        self.session = session
        self.result = SortingResult()
        self.episodes = EpisodeIndex(config)
        self.new_episodes = NewEpisodes(session)
        self.open_groups = open_groups
        self.groups = ChangedGroups(db, session, open_groups)
        self.gaps = Gaps()
        self.routing = Routing(catalogue, config.default_channel, channels)
        self.mutes = Mutes(db, session, config, self.routing, self.episodes)
        self.opening = Opening(db, session, config, self.routing)
        self.grown_renewals: set[str] = set()
        """Keys of messages that say what is new in a group: more alerts of the same burst have joined it."""

    # ------------------------------------------------------------ loading

    async def load(self, rows: Sequence[AlertRow]) -> None:
        """Read what this batch may touch: its fingerprints' episodes, the open groups and what is in them."""
        await self.load_alerts(rows)
        await self.open_groups.refresh(self.session, self.routing.channels)
        numbers = self.open_groups.of_services({self.catalogue.of_labels(row.labels) for row in rows})
        numbers |= {episode.group_id for episode in self.episodes.all() if episode.group_id in self.open_groups.groups}
        await self.groups.lock(numbers)
        await self.open_groups.learn(self.session, self.db.clock())

    async def load_alerts(self, rows: Sequence[AlertRow]) -> None:
        """Read what these alerts are and what may mute them, and no group."""
        await self.episodes.load(self.session, rows)
        await self.mutes.load(rows)

    # ------------------------------------------------------------ one alert

    async def apply(self, row: AlertRow) -> None:
        """Find or make the alert's episode and what follows from it."""
        if muting.is_heartbeat(row.name, self.config):
            await record_heartbeat(self.session, row)
        episode = self.episodes.same(row)
        if episode is not None:
            await self._redelivered(episode, row)
            return
        episode = new_episode(row, self.config, self.catalogue)
        await self._end_older(self.episodes.add(episode))
        if mute := muting.mute_of_history(status_of(row), status_of(episode)):
            episode.muted_by = mute.stored
        else:
            await self._assign_group(episode, row)
        if episode.id is None:
            self.new_episodes.add(episode)

    async def _write_now(self, episode: EpisodeRow) -> None:
        """What follows is about it, by its number."""
        if episode.id is None:
            self.new_episodes.add(episode)
        await self.new_episodes.flush()

    async def place_again(self, episode: EpisodeRow) -> None:
        """Place a firing episode whose mute is over."""
        await self._assign_group(episode, delivered_now(episode, self.db.clock()))

    async def _end_older(self, episodes: Sequence[EpisodeRow]) -> None:
        """End every episode of one alert where the next one began, if nothing ended it before."""
        for older, newer in pairwise(episodes):
            await self._end_episode(older, newer.starts_at, begins_anew=True)

    async def _end_episode(self, episode: EpisodeRow, at: datetime, *, begins_anew: bool = False) -> None:
        episode.ended_at = end_of(episode.ended_at, at, episode.starts_at)
        if episode.status == "firing":
            episode.status = "resolved"
            if (group := await self.groups.get(episode.group_id)) is not None:
                self.groups.end_firing(group, episode.service)
                if begins_anew:
                    # If it flaps, it takes the mark to where it fires now.
                    group.flapping, group.flapping_until = "", None

    async def _redelivered(self, episode: EpisodeRow, row: AlertRow) -> None:
        """Apply a further delivery of an episode: its end, a repeat, or news about its severity or its muting."""
        last_seen_at, episode.last_seen_at = episode.last_seen_at, max(episode.last_seen_at, row.received_at)
        if row.status == "resolved":
            await self._end_episode(episode, reported_end(row))
            return
        worse = worsen(episode, self.config.severity_of(row.severity))
        group = await self.groups.get(episode.group_id)
        if episode.status != "firing":
            if not await self._takes_back_end(group, episode):
                return
            if group is not None:
                self.groups.begin_firing(group, episode.service)
                if worse:
                    await self._escalate(group, episode)
                return
        episode.repeats += 1
        self.gaps.add(row.source, last_seen_at, row.received_at)
        if group is not None:
            # Repeats are counted, not shown: the card has the count with its next real change.
            group.repeats += 1
            self.session.add(group)
            if worse:
                await self._escalate(group, episode)
        elif episode.group_id is not None:
            await self._fires_on(episode, row, worse=worse)
        elif not muting.is_lasting(episode.muted_by):
            # What muted it may be over: a maintenance ends while its alerts still fire.
            await self._assign_group(episode, row)

    async def _takes_back_end(self, group: GroupRow | None, episode: EpisodeRow) -> bool:
        """Whether an episode that had ended fires on, now that it is delivered again; no `group`: somebody resolved it."""
        if episode.group_id is None or not self.episodes.is_newest(episode):
            return False
        row = group or await self.session.get(GroupRow, episode.group_id, with_for_update=True)
        return row is not None and await take_back_end(self.db, self.session, row, episode)

    async def _fires_on(self, episode: EpisodeRow, row: AlertRow, *, worse: bool) -> None:
        """An alert is still reported whose group somebody resolved: after a while, or once it is worse, that is open again."""
        group = await self.session.get(GroupRow, episode.group_id, with_for_update=True)
        if group is not None and (worse or outlasts_resolve(group.cleared_at, row.received_at)):
            await self.open_again(group, episode, row)

    async def open_again(self, group: GroupRow, episode: EpisodeRow, row: AlertRow, finding: str = "still fires") -> bool:
        """Open a group that somebody resolved for an alert of it that is not over; False: the alert is muted by now.

        What a threshold let through once is no news that must pass it again.
        """
        mute = self.mutes.mute_of(episode, row)
        if mute and mute.reason is not muting.MuteReason.THRESHOLD:
            return False
        await self.session.flush()
        await reopen(self.db, self.session, group, episode, row.received_at, finding)
        await self.session.flush()
        await self.open_groups.open_again(self.session, group)
        self.groups.add(group)
        self.groups.touch(group)
        await self._escalate(group, episode)
        return True

    # ------------------------------------------------------------ its group

    async def _assign_group(self, episode: EpisodeRow, row: AlertRow) -> None:
        """Mute a firing episode with the reason, or let it join or open a group."""
        mute = self.mutes.mute_of(episode, row)
        episode.muted_by = mute.stored if mute else ""
        if mute:
            if mute.reason is muting.MuteReason.BACKLOG:
                self.result.backlogs.add((row.source, self.mutes.backlog_channel(episode)))
            return
        arrival = self._arrival(episode, row.received_at)
        flapping = flapping_of(self.episodes.in_open_groups_before(episode, self.open_groups.groups), episode.starts_at)
        group, membership = await self._find_group(arrival)
        if group is None and (beyond := await self.opening.over_budget(row)):
            channel = self.routing.common_channel_of(episode.service)
            group, membership = await self.groups.get(self.open_groups.overflow_of(row.source, channel)), beyond
        episode.grouping_reason, episode.grouping_text = membership.reason.value, membership.text
        if group is None:
            group = await self._open_group(episode, row, membership)
        else:
            await self._join(group, episode, flaps_rapidly=arrival.last.flaps_rapidly)
        assert group.id is not None
        if flapping:
            of_service = f" of {episode.service}" if episode.service else ""
            group.flapping, group.flapping_until = (
                f"{episode.name}{of_service} {flapping.text}",
                row.received_at + flapping.hold,
            )
        group.alerts += 1
        group.last_alert_at = max(group.last_alert_at, row.received_at)
        episode.group_id = group.id
        self.open_groups.add_member(group.id, arrival)
        self.groups.begin_firing(group, episode.service)

    async def _first_alert(self, group: GroupRow, episode: EpisodeRow) -> None:
        """The first alert of an incident that a person declared: it is investigated anew, from what the alert says."""
        text = f"{episode.name} joined this incident: {episode.annotations.get('summary') or episode.name}"
        await timeline.add(
            self.db, self.session, EntryKind.ALERT, text, group_id=group.id, incident_id=group.incident_id, link=episode.link
        )
        await self._investigate_anew(group)

    async def _investigate_anew(self, group: GroupRow) -> None:
        """One more attempt: people may have started some of their own."""
        ref = f"AL-{group.id}"
        if all(started != ref for started, _ in self.result.triages):
            self.result.triages.append((ref, await groups.next_attempt(self.session, group)))

    async def _join(self, group: GroupRow, episode: EpisodeRow, *, flaps_rapidly: bool) -> None:
        """What a further alert means for an open group: it fires again, is about something new, or is worse than before."""
        if group.overflow:
            await self._escalate(group, episode, renewed=True)
            return
        if group.alerts == 0:
            await self._first_alert(group, episode)
            await self._escalate(group, episode, renewed=True)
            return
        current = self.open_groups.groups[group.id or 0]
        began_at = group.renewed_at or group.opened_at
        members = Members(current.alerts, current.kinds, current.services | {group.service}, began_at)
        reader = FurtherAlertReader(self.db, self.session, self.catalogue, group, members, episode.service in current.firing)
        alert = await reader.read(episode, flaps_rapidly=flaps_rapidly)
        change = await receive_further_alert(self.db, self.session, group, alert)
        if change:
            await self._write_now(episode)
            await renew(self.db, self.session, group, episode, change)
        elif group.renewed_at and self.db.clock() - group.renewed_at <= BURST:
            if has_no_part_in(episode.service, members, self.catalogue):
                await self._write_now(episode)
                await service_joins_renewal(self.db, self.session, group, episode)
            self.grown_renewals.add(renewed_key(group))
        await self._escalate(group, episode, renewed=change is not None)

    def _arrival(self, episode: EpisodeRow, at: datetime) -> Arrival:
        """The episode as grouping sees it, with what its alert did before."""
        last = last_time(self.episodes.before(episode), episode.starts_at)
        return arrival_of(episode, max(at, episode.last_seen_at), last, self.routing.channel_of(episode.service))

    async def _find_group(self, arrival: Arrival) -> tuple[GroupRow | None, Membership]:
        """The group that this arrival joins, None for a new one; one that was resolved a moment ago takes nobody."""
        while (match := self.open_groups.place(arrival)).group is not None:
            if (row := await self.groups.get(match.group.number)) is not None:
                return row, match.membership
        return None, match.membership

    async def _open_group(self, episode: EpisodeRow, row: AlertRow, membership: Membership) -> GroupRow:
        if membership.reason is GroupingReason.OVER_BUDGET:
            group = await self.opening.overflow(episode, row)
        else:
            group = await self.opening.group(episode, row)
        self.open_groups.open(group, burst=membership.reason is GroupingReason.NEW_BURST)
        self.groups.add(group)
        self.result.triages.append((f"AL-{group.id}", 1))
        self.result.opened += 1
        return group

    async def _escalate(self, group: GroupRow, episode: EpisodeRow, *, renewed: bool = False) -> None:
        """A worse alert names the group: its severity, service and title follow."""
        severity = Severity(episode.severity)
        change = escalation(
            Severity(group.severity),
            severity,
            has_incident=group.incident_id is not None,
            mentioned=group.mentioned_at is not None,
            config=self.config,
        )
        if change is None:
            return
        if not (group.overflow or self.open_groups.groups[group.id or 0].declared):
            # What a person declared keeps the person's words.
            group.service, group.title = episode.service or group.service, episode.name
        await groups.raise_severity(self.db, self.session, group, severity, change)
        self.groups.touch(group)
        if not (renewed or change.investigation):
            await self._write_now(episode)
            await renew(self.db, self.session, group, episode, RenewalReason.WORSE, line=not change.mention)
        if change.investigation:
            await self._investigate_anew(group)

    # ------------------------------------------------------------ the end

    async def finish(self) -> None:
        """Clear groups whose last alert ended; show what changed, one touch a group."""
        await self.groups.finish()
        for key in sorted(self.grown_renewals):
            await messages.refresh(self.db, self.session, key)
        await learn_intervals(self.session, self.gaps, self.db.clock())
