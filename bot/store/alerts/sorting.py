"""Sorts committed alerts: episode by episode into groups, whatever their order and however often they come.

An episode is (source, fingerprint, start). Resolved is final for it; a late copy never reopens it nor closes a newer one.
It has ended at the latest when the next episode of the same alert began.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alert import Severity
from bot.core.alerts import muting
from bot.core.config import Config
from bot.core.incident import GroupState
from bot.core.service import Catalogue
from bot.store import timeline
from bot.store.alerts import groups
from bot.store.alerts.known_episodes import KnownEpisodes
from bot.store.alerts.open_groups import OpenGroups, arrival_of
from bot.store.alerts.repeats import Repeats
from bot.store.db.database import Database
from bot.store.tables import AlertRow, EpisodeRow, GroupRow, HeartbeatRow, SourceRow

LONG_FIRING = timedelta(minutes=10)
"""An alert that fired this long before its source was first connected belongs to the digest."""
MOST_OPENED = 8
"""New groups a batch: they cost most, and acknowledgements and cards wait while a batch holds the one writer."""
LASTING = ("digest", "heartbeat")
"""Reasons for being quiet that a repeat does not put in question."""


@dataclass
class Sorted:
    """What came of one batch, to be done after the commit."""

    triages: list[tuple[str, int]] = field(default_factory=list)
    """(group, attempt) to start."""
    digests: set[str] = field(default_factory=set)
    touched: dict[int, GroupRow] = field(default_factory=dict)
    rows: int = 0
    """How many of the rows given were sorted: the rest are for the next batch."""
    opened: int = 0
    """Groups that this batch opened."""
    more: bool = False
    """Whether more is likely to wait behind this batch."""


class Sorter:
    """Sorts one batch in the caller's transaction."""

    def __init__(self, db: Database, config: Config, catalogue: Catalogue) -> None:
        self.db = db
        self.config = config
        self.catalogue = catalogue
        self.open = OpenGroups(catalogue)
        self.repeats = Repeats()

    def forget(self) -> None:
        """Read the open groups anew before the next batch: this one was undone, or another replica sorted in between."""
        self.open = OpenGroups(self.catalogue)
        self.repeats = Repeats()

    async def sort(self, session: AsyncSession, rows: Sequence[AlertRow]) -> Sorted:
        """Apply the rows in the order they were stored, until enough groups were opened."""
        batch = _Batch(self, session)
        await batch.load(rows)
        # What is asked for in between was flushed by whoever made it; nothing else need be written row by row.
        with session.no_autoflush:
            for row in rows:
                if batch.result.opened == MOST_OPENED:
                    break
                await batch.apply(row)
                batch.result.rows += 1
                # Nothing here waits for SQLite, and others have requests to answer meanwhile.
                await asyncio.sleep(0)
            await batch.finish()
        # Episodes get their ids now.
        await session.flush()
        self.repeats.learn(rows[: batch.result.rows], batch.known.all())
        return batch.result


class _Batch:
    def __init__(self, sorter: Sorter, session: AsyncSession) -> None:
        self.db, self.config, self.catalogue = sorter.db, sorter.config, sorter.catalogue
        self.session = session
        self.result = Sorted()
        self.known = KnownEpisodes(sorter.config)
        self.open = sorter.open
        self.groups: dict[int, GroupRow] = {}
        """Rows that this batch has locked."""
        self.sources: dict[str, SourceRow] = {}
        self.storms: dict[tuple[str, datetime], str] = {}
        """Channel and moment -> the storm card that groups opened there stand on."""

    # ------------------------------------------------------------ loading

    async def load(self, rows: Sequence[AlertRow]) -> None:
        """Read what this batch may touch: its fingerprints' episodes, the open groups and what is in them."""
        await self.known.load(self.session, rows)
        for source in {row.source for row in rows}:
            received = [row.received_at for row in rows if row.source == source]
            self.sources[source] = await self._source(source, min(received), max(received))
        await self.open.refresh(self.session)

    async def _source(self, name: str, first: datetime, last: datetime) -> SourceRow:
        row = await self.session.get(SourceRow, name)
        if row is None:
            row = SourceRow(name=name, first_seen_at=first, last_seen_at=last)
        row.last_seen_at = max(row.last_seen_at, last)
        self.session.add(row)
        return row

    # ------------------------------------------------------------ one alert

    async def apply(self, row: AlertRow) -> None:
        """Find or make the alert's episode and what follows from it."""
        if muting.heartbeat(row.name, self.config):
            await self._beat(row)
        episode = self.known.same(row)
        if episode is not None:
            await self._again(episode, row)
            return
        episode = self._episode(row)
        await self._settle(self.known.add(episode))
        if row.status == "resolved":
            episode.muted_by = "already over when it was first seen"
        elif episode.status == "resolved":
            # A late copy of something older than what we know: history, not news.
            episode.muted_by = "superseded by a newer episode"
        else:
            await self._place(episode, row)
        self.session.add(episode)

    def _episode(self, row: AlertRow) -> EpisodeRow:
        return EpisodeRow(
            source=row.source,
            fingerprint=row.fingerprint,
            starts_at=row.starts_at,
            status=row.status,
            name=row.name,
            service=self.catalogue.of_labels(row.labels),
            severity=self.config.severity_of(row.severity).value,
            labels=row.labels,
            annotations=row.annotations,
            link=row.link,
            expression=row.expression,
            group_key=row.group_key,
            first_seen_at=row.received_at,
            last_seen_at=row.received_at,
            ended_at=_end_of(row) if row.status == "resolved" else None,
        )

    async def _settle(self, episodes: Sequence[EpisodeRow]) -> None:
        """End every episode of one alert where the next one began, if nothing ended it before."""
        for older, newer in pairwise(episodes):
            await self._end(older, newer.starts_at)

    async def _end(self, episode: EpisodeRow, at: datetime) -> None:
        """The earliest end that was told or follows stands: then the order of telling does not matter."""
        if episode.ended_at is None or at < episode.ended_at:
            episode.ended_at = max(at, episode.starts_at)
            self.session.add(episode)
        if episode.status == "firing":
            episode.status = "resolved"
            if (group := await self._group(episode)) is not None:
                self._show(group, firing=-1)

    async def _group(self, episode: EpisodeRow) -> GroupRow | None:
        """The locked row of the episode's group; None if it has none, or somebody resolved it."""
        number = episode.group_id or 0
        if number not in self.open.groups:
            return None
        if number not in self.groups:
            row = await self.session.get(GroupRow, number, with_for_update=True)
            if row is None or GroupState(row.state) is GroupState.RESOLVED:
                self.open.close(number)
                return None
            self.groups[number] = row
        return self.groups[number]

    def _show(self, group: GroupRow, *, firing: int = 0) -> None:
        """Have the group's card shown anew after this batch; `firing` is added to its count."""
        assert group.id is not None
        group.firing = max(0, group.firing + firing)
        self.result.touched[group.id] = group

    async def _again(self, episode: EpisodeRow, row: AlertRow) -> None:
        """A further delivery of a known episode: its end, a repeat, or news about its severity or its muting."""
        episode.last_seen_at = max(episode.last_seen_at, row.received_at)
        self.session.add(episode)
        if row.status == "resolved":
            await self._end(episode, _end_of(row))
            return
        worse = self._worse(episode, row)
        if episode.status != "firing":
            return
        episode.repeats += 1
        group = await self._group(episode)
        if group is not None:
            # Repeats are counted, not told: the card shows the count with its next real change.
            group.repeats += 1
            self.session.add(group)
            if worse:
                await self._raise(group, episode)
        elif episode.group_id is None and episode.muted_by not in LASTING:
            # What muted it may be over: a maintenance ends while its alerts still fire.
            await self._place(episode, row)

    def _worse(self, episode: EpisodeRow, row: AlertRow) -> bool:
        """A source may tell a worse severity of the same alert; the worst that was told stands."""
        told, before = self.config.severity_of(row.severity), Severity(episode.severity)
        if told is before or not told.at_least(before):
            return False
        episode.severity = told.value
        return True

    # ------------------------------------------------------------ its place

    async def _place(self, episode: EpisodeRow, row: AlertRow) -> None:
        """Mute a firing episode with the reason, or let it join or open a group."""
        episode.muted_by = self._quiet(episode, row)
        if episode.muted_by == "digest":
            self.result.digests.add(row.source)
        if episode.muted_by:
            return
        group = await self._joined(episode)
        if group is None:
            group = await self._new_group(episode, row)
        else:
            if GroupState(group.state) is GroupState.MONITORING:
                await groups.fire_again(self.db, self.session, group)
            await self._raise(group, episode)
        assert group.id is not None
        group.alerts += 1
        group.last_alert_at = max(group.last_alert_at, row.received_at)
        episode.group_id = group.id
        self.open.take(group.id, arrival_of(episode))
        self._show(group, firing=+1)
        self._remember(group)

    async def _joined(self, episode: EpisodeRow) -> GroupRow | None:
        """The group this episode joins; one that somebody resolved a moment ago takes nobody, so the next best is asked."""
        while (found := self.open.find(arrival_of(episode)).group) is not None:
            episode.group_id = found.number
            if (group := await self._group(episode)) is not None:
                return group
        episode.group_id = None
        return None

    def _remember(self, group: GroupRow) -> None:
        seen = self.open.groups[group.id or 0]
        seen.state, seen.last_alert_at, seen.cleared_at = GroupState(group.state), group.last_alert_at, group.cleared_at

    def _quiet(self, episode: EpisodeRow, row: AlertRow) -> str:
        """Why this episode is kept quiet; "" if it is not."""
        if muting.heartbeat(row.name, self.config):
            return "heartbeat"
        severity, at = Severity(episode.severity), row.received_at
        firing = self.known.inhibiting(episode)
        if reason := muting.muted_by(row.labels, severity, config=self.config, firing=firing, at=at):
            return reason
        if seconds := muting.threshold_window(row.labels, self.config):
            seen = self.known.count(episode, since=at - timedelta(seconds=seconds))
            if reason := muting.below_threshold(row.labels, self.config, seen):
                return reason
        return "digest" if row.starts_at < self.sources[row.source].first_seen_at - LONG_FIRING else ""

    async def _new_group(self, episode: EpisodeRow, row: AlertRow) -> GroupRow:
        service = self.catalogue.get(episode.service)
        channel = (service.channel if service else "") or self.config.default_channel
        before = select(GroupRow.id).where(GroupRow.service == episode.service, GroupRow.title == episode.name)
        previous = (await self.session.exec(before.order_by(col(GroupRow.id).desc()).limit(1))).first()
        group = GroupRow(
            key=row.group_key,
            title=episode.name,
            service=episode.service,
            severity=episode.severity,
            state=GroupState.FIRING,
            channel=channel,
            on_storm_card=await self._storm(channel, row.received_at),
            opened_at=row.received_at,
            last_alert_at=row.received_at,
            previous_id=previous,
        )
        self.session.add(group)
        await self.session.flush()
        self.open.open(group)
        self.groups[group.id or 0] = group
        said = f"{episode.name} opened this group: {episode.annotations.get('summary') or episode.name}"
        await timeline.add(self.db, self.session, "alert", said, group_id=group.id, link=episode.link)
        if self._incident_worthy(group):
            await groups.open_incident(self.db, self.session, group, by="policy")
            await groups.mention_in_storm(self.db, self.session, group)
        self.result.triages.append((f"AL-{group.id}", 1))
        self.result.opened += 1
        return group

    async def _storm(self, channel: str, at: datetime) -> str:
        """Once there is a storm, what arrives in the same moment belongs to it."""
        if (channel, at) not in self.storms and (key := await groups.storm_of(self.session, channel, at)):
            self.storms[channel, at] = key
        return self.storms.get((channel, at), "")

    async def _raise(self, group: GroupRow, episode: EpisodeRow) -> None:
        """A worse alert names the group: its severity, service and title follow."""
        severity, before = Severity(episode.severity), Severity(group.severity)
        if severity is before or not severity.at_least(before):
            return
        group.service, group.title = episode.service or group.service, episode.name
        worthy = severity.at_least(Severity(self.config.incident_from))
        await groups.raise_severity(self.db, self.session, group, severity, tell=worthy)
        if worthy and group.incident_id is None:
            await groups.open_incident(self.db, self.session, group, by="policy")
        self._show(group)
        triage_from = Severity(self.config.triage_from)
        if (
            severity.at_least(triage_from)
            and not before.at_least(triage_from)
            and (f"AL-{group.id}", 1) not in self.result.triages
        ):
            self.result.triages.append((f"AL-{group.id}", 2))

    def _incident_worthy(self, group: GroupRow) -> bool:
        return Severity(group.severity).at_least(Severity(self.config.incident_from))

    async def _beat(self, row: AlertRow) -> None:
        key = f"{row.source}:{row.name}"
        beat = await self.session.get(HeartbeatRow, key)
        if beat is None:
            every = self.config.heartbeat_every.total_seconds()
            beat = HeartbeatRow(key=key, last_seen_at=row.received_at, every_seconds=every)
            self.session.add(beat)
            await self.session.flush()
        if row.status == "firing":
            beat.last_seen_at = max(beat.last_seen_at, row.received_at)
        self.session.add(beat)

    # ------------------------------------------------------------ the end

    async def finish(self) -> None:
        """Clear groups whose last alert ended; show what changed, one touch a group."""
        for group in self.result.touched.values():
            if group.firing == 0:
                await groups.clear(self.db, self.session, group, self.db.clock())
                self._remember(group)
        await groups.touch_cards(self.db, self.session, self.result.touched.values())


def _end_of(row: AlertRow) -> datetime:
    return row.ends_at or row.received_at
