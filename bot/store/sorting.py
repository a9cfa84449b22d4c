"""Sorts committed alerts: episode by episode into groups, whatever their order and however often they come.

An episode is (source, fingerprint, start). Resolved is final for it; a late copy never reopens it nor closes a newer one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core import grouping, muting
from bot.core.alert import Severity
from bot.core.config import Config
from bot.core.incident import GroupState
from bot.core.service import Catalogue
from bot.store import groups, timeline
from bot.store.database import Database
from bot.store.tables import AlertRow, EpisodeRow, GroupRow, HeartbeatRow, SourceRow

LONG_FIRING = timedelta(minutes=10)
"""An alert that fired this long before its source was first connected belongs to the digest."""


@dataclass
class Sorted:
    """What came of one batch, to be done after the commit."""

    triages: list[tuple[str, int]] = field(default_factory=list)
    """(group, attempt) to start."""
    digests: set[str] = field(default_factory=set)
    touched: dict[int, GroupRow] = field(default_factory=dict)


class Sorter:
    """Sorts one batch in the caller's transaction."""

    def __init__(self, db: Database, config: Config, catalogue: Catalogue) -> None:
        self.db = db
        self.config = config
        self.catalogue = catalogue

    async def sort(self, session: AsyncSession, rows: Sequence[AlertRow]) -> Sorted:
        """Apply every row in the order it was stored."""
        batch = _Batch(self, session)
        await batch.load(rows)
        for row in rows:
            await batch.apply(row)
        await batch.finish()
        return batch.result


class _Batch:
    def __init__(self, sorter: Sorter, session: AsyncSession) -> None:
        self.db, self.config, self.catalogue = sorter.db, sorter.config, sorter.catalogue
        self.session = session
        self.result = Sorted()
        self.episodes: dict[tuple[str, str], list[EpisodeRow]] = {}
        self.open: dict[int, grouping.OpenGroup] = {}
        self.rows: dict[int, GroupRow] = {}
        self.firing: dict[int, int] = {}
        self.sources: dict[str, SourceRow] = {}

    # ------------------------------------------------------------ loading

    async def load(self, rows: Sequence[AlertRow]) -> None:
        """Read what this batch may touch: its fingerprints' episodes, the open groups and who is in them."""
        wanted = sorted({row.fingerprint for row in rows})
        for start in range(0, len(wanted), 400):
            query = select(EpisodeRow).where(col(EpisodeRow.fingerprint).in_(wanted[start : start + 400]))
            for episode in (await self.session.exec(query)).all():
                self._known(episode)
        for source in {row.source for row in rows}:
            self.sources[source] = await self._source(source, min(r.received_at for r in rows if r.source == source))
        standing = select(GroupRow).where(GroupRow.state != GroupState.RESOLVED)
        for group in (await self.session.exec(standing)).all():
            self._open(group)
        members = select(EpisodeRow).where(col(EpisodeRow.group_id).in_(list(self.rows)))
        for episode in (await self.session.exec(members)).all() if self.rows else ():
            self._count(episode)

    def _known(self, episode: EpisodeRow) -> None:
        self.episodes.setdefault((episode.source, episode.fingerprint), []).append(episode)

    async def _source(self, name: str, received_at: datetime) -> SourceRow:
        row = await self.session.get(SourceRow, name)
        if row is None:
            row = SourceRow(name=name, first_seen_at=received_at, last_seen_at=received_at)
        row.last_seen_at = max(row.last_seen_at, received_at)
        self.session.add(row)
        return row

    def _open(self, group: GroupRow) -> None:
        assert group.id is not None
        self.rows[group.id] = group
        self.open[group.id] = grouping.OpenGroup(
            id=group.id,
            state=GroupState(group.state),
            service=group.service,
            last_alert_at=group.last_alert_at,
            cleared_at=group.cleared_at,
            keys={group.key} if group.key else set(),
            services={group.service} if group.service else set(),
        )
        self.firing.setdefault(group.id, 0)

    def _count(self, episode: EpisodeRow) -> None:
        group = self.open.get(episode.group_id or 0)
        if group is None:
            return
        arrival = _arrival(episode, episode.last_seen_at)
        group.fingerprints.add(episode.fingerprint)
        group.names.add(arrival.shared)
        if episode.service:
            group.services.add(episode.service)
        if episode.group_key:
            group.keys.add(episode.group_key)
        if episode.status == "firing":
            self.firing[group.id] += 1

    # ------------------------------------------------------------ one alert

    async def apply(self, row: AlertRow) -> None:
        """Find or make the alert's episode and what follows from it."""
        if muting.heartbeat(row.name, self.config):
            await self._beat(row)
        known = self.episodes.get((row.source, row.fingerprint), [])
        episode = _same_episode(row, known)
        if episode is not None:
            await self._again(episode, row)
            return
        newest = max((e.starts_at for e in known), default=None)
        episode = self._episode(row)
        self._known(episode)
        self.session.add(episode)
        if row.status == "resolved":
            episode.muted_by = "already over when it was first seen"
        elif newest is not None and newest > row.starts_at:
            # A late copy of something older than what we know: history, not news.
            episode.status, episode.ended_at, episode.muted_by = "resolved", newest, "superseded by a newer episode"
        else:
            await self._supersede(known, row)
            await self._place(episode, row)

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
            ended_at=(row.ends_at or row.received_at) if row.status == "resolved" else None,
        )

    async def _again(self, episode: EpisodeRow, row: AlertRow) -> None:
        episode.last_seen_at = max(episode.last_seen_at, row.received_at)
        self.session.add(episode)
        group = self.rows.get(episode.group_id or 0)
        if row.status == "resolved" and episode.status == "firing":
            await self._end(episode, row.ends_at or row.received_at)
        elif row.status == "firing" and group is not None and episode.status == "firing":
            episode.repeats += 1
            group.repeats += 1
            # Repeats are counted, not told: the card shows the count with its next real change.
            self.session.add(group)

    async def _supersede(self, known: Sequence[EpisodeRow], row: AlertRow) -> None:
        for older in known:
            if older.status == "firing":
                await self._end(older, row.starts_at)

    async def _end(self, episode: EpisodeRow, at: datetime) -> None:
        episode.status, episode.ended_at = "resolved", at
        self.session.add(episode)
        group = self.rows.get(episode.group_id or 0)
        if group is None or group.id is None:
            return
        self.firing[group.id] = max(0, self.firing[group.id] - 1)
        self.result.touched[group.id] = group

    # ------------------------------------------------------------ its place

    async def _place(self, episode: EpisodeRow, row: AlertRow) -> None:
        if reason := self._quiet(episode, row):
            episode.muted_by = reason
            if reason == "digest":
                self.result.digests.add(row.source)
            return
        arrival = _arrival(episode, row.received_at)
        joined = grouping.join(arrival, self.open.values(), self.catalogue)
        group = self.rows[joined.group] if joined.group is not None else await self._new_group(episode, row)
        assert group.id is not None
        episode.group_id = group.id
        if GroupState(group.state) is GroupState.MONITORING:
            await groups.fire_again(self.db, self.session, group)
        group.alerts += 1
        group.last_alert_at = max(group.last_alert_at, row.received_at)
        opened = self.open[group.id]
        opened.state, opened.last_alert_at, opened.cleared_at = GroupState(group.state), group.last_alert_at, group.cleared_at
        self._count(episode)
        if joined.group is not None:
            await self._raise(group, episode)
        self.result.touched[group.id] = group

    def _quiet(self, episode: EpisodeRow, row: AlertRow) -> str:
        if muting.heartbeat(row.name, self.config):
            return "heartbeat"
        source = self.sources[row.source]
        severity = Severity(episode.severity)
        firing = [e.labels for known in self.episodes.values() for e in known if e.status == "firing"]
        at = row.received_at
        reason = muting.muted_by(
            row.labels, severity, config=self.config, firing=firing if self.config.inhibitions else (), at=at
        )
        if reason:
            return reason
        if seconds := muting.threshold_window(row.labels, self.config):
            since = at - timedelta(seconds=seconds)
            known = self.episodes.get((row.source, row.fingerprint), [])
            seen = sum(1 for e in known if e.first_seen_at >= since and e is not episode) + 1
            if reason := muting.below_threshold(row.labels, self.config, seen):
                return reason
        return "digest" if row.starts_at < source.first_seen_at - LONG_FIRING else ""

    def _firing_labels(self) -> list[dict[str, str]]:
        """Label sets that may inhibit; none are gathered when nothing inhibits."""
        if not self.config.inhibitions:
            return []
        return [e.labels for known in self.episodes.values() for e in known if e.status == "firing"]

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
            on_storm_card=await groups.storm_of(self.session, channel, self.db.clock()),
            opened_at=row.received_at,
            last_alert_at=row.received_at,
            previous_id=previous,
        )
        self.session.add(group)
        await self.session.flush()
        self._open(group)
        said = f"{episode.name} opened this group: {episode.annotations.get('summary') or episode.name}"
        await timeline.add(self.db, self.session, "alert", said, group_id=group.id, link=episode.link)
        if self._incident_worthy(group):
            await groups.open_incident(self.db, self.session, group, by="policy")
        self.result.triages.append((f"AL-{group.id}", 1))
        return group

    async def _raise(self, group: GroupRow, episode: EpisodeRow) -> None:
        """A worse alert names the group: its severity, service and title follow."""
        severity, before = Severity(episode.severity), Severity(group.severity)
        if severity is before or not severity.at_least(before):
            return
        group.service, group.title = episode.service or group.service, episode.name
        worthy = severity.at_least(Severity(self.config.incident_from))
        await groups.raise_severity(self.db, self.session, group, severity, mention=worthy)
        if worthy and group.incident_id is None:
            await groups.open_incident(self.db, self.session, group, by="policy")
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
        if row.status == "firing":
            beat.last_seen_at = max(beat.last_seen_at, row.received_at)
        self.session.add(beat)

    # ------------------------------------------------------------ the end

    async def finish(self) -> None:
        """Clear groups whose last alert ended; show what changed, one touch a group."""
        for id, group in self.result.touched.items():
            group.firing = self.firing[id]
            if group.firing == 0:
                await groups.clear(self.db, self.session, group, self.db.clock())
            await groups.touch_card(self.db, self.session, group)


def _same_episode(row: AlertRow, known: Sequence[EpisodeRow]) -> EpisodeRow | None:
    """The episode this delivery speaks of. A source that tells no start (it equals the arrival) means the one that fires."""
    for episode in known:
        if episode.starts_at == row.starts_at:
            return episode
    if row.status == "resolved" or row.starts_at == row.received_at:
        firing = [e for e in known if e.status == "firing" and e.starts_at <= row.starts_at]
        if firing and (row.starts_at == row.received_at):
            return max(firing, key=lambda e: e.starts_at)
    return None


def _arrival(episode: EpisodeRow, at: datetime) -> grouping.Arrival:
    return grouping.Arrival(
        name=episode.name,
        service=episode.service,
        fingerprint=episode.fingerprint,
        group_key=episode.group_key,
        labels=episode.labels,
        at=at,
    )
