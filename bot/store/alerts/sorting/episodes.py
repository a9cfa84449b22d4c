"""The episodes that one batch concerns: the stored ones in the order in which they began, and what a delivery says of one."""

import sys
from bisect import insort
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import col, delete, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alert import Severity, Status
from bot.core.alerts import muting
from bot.core.alerts.episodes import CLOCKS_DIFFER, end_of, episode_of
from bot.core.alerts.heartbeat import HeartbeatKey, next_rhythm
from bot.core.config import Config
from bot.core.service import Catalogue
from bot.store.db.rows import new_row
from bot.store.tables import AlertRow, EpisodeRow, HeartbeatRow

MEMORY = timedelta(days=1)
"""Ended episodes that began this long before any of the batch are not read: an alert that flaps for months has thousands."""
_CHUNK = 400


class EpisodeIndex:
    """By source and fingerprint."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._episodes: dict[tuple[str, str], list[EpisodeRow]] = {}
        self._firing_elsewhere: list[Mapping[str, str]] = []
        self._replicated = {source.replica_of for source in config.sources.values()}

    async def load(self, session: AsyncSession, rows: Sequence[AlertRow]) -> None:
        """Read the episodes of these alerts, and if anything inhibits, the labels of whatever else may inhibit them."""
        windows = [rule.window for rule in self.config.thresholds]
        earliest = min(min(row.starts_at, row.received_at) for row in rows) - max([MEMORY, *windows])
        lasting = (col(EpisodeRow.status) == "firing") | (col(EpisodeRow.starts_at) >= earliest)
        for source in {row.source for row in rows}:
            fingerprints = sorted({row.fingerprint for row in rows if row.source == source})
            for start in range(0, len(fingerprints), _CHUNK):
                of_these = EpisodeRow.source == source, col(EpisodeRow.fingerprint).in_(fingerprints[start : start + _CHUNK])
                for episode in (await session.exec(select(EpisodeRow).where(*of_these, lasting))).all():
                    self.add(episode)
        if self.config.inhibitions:
            await self._load_inhibiting(session)

    async def _load_inhibiting(self, session: AsyncSession) -> None:
        firing = select(EpisodeRow.source, EpisodeRow.fingerprint, EpisodeRow.labels).where(EpisodeRow.status == "firing")
        for source, fingerprint, labels in (await session.exec(firing)).all():
            if (source, fingerprint) not in self._episodes and self._may_inhibit(labels):
                self._firing_elsewhere.append(labels)

    def _may_inhibit(self, labels: Mapping[str, str]) -> bool:
        return any(muting.matches(rule.source, labels) for rule in self.config.inhibitions)

    def add(self, episode: EpisodeRow) -> Sequence[EpisodeRow]:
        """Add one. Returns all of the same alert, the oldest first."""
        same = self._episodes.setdefault((episode.source, episode.fingerprint), [])
        insort(same, episode, key=lambda e: e.starts_at)
        return same

    def all(self) -> Iterator[EpisodeRow]:
        for episodes in self._episodes.values():
            yield from episodes

    def same(self, row: AlertRow) -> EpisodeRow | None:
        """The episode that this delivery is about; None if it is a new one."""
        episodes = self._episodes.get((row.source, row.fingerprint), [])
        replicated = row.source in self._replicated
        return episode_of(
            episodes,
            starts_at=row.starts_at,
            received_at=row.received_at,
            replicated=replicated,
            is_report=row.start_is_report,
        )

    def is_newest(self, episode: EpisodeRow) -> bool:
        """Whether its alert began anew in none that is known."""
        return self._episodes[episode.source, episode.fingerprint][-1] is episode

    def earlier(self, episode: EpisodeRow) -> Iterator[datetime]:
        """When the other episodes of the same alert were first seen."""
        same = self._episodes.get((episode.source, episode.fingerprint), [])
        return (other.first_seen_at for other in same if other is not episode)

    def before(self, episode: EpisodeRow) -> Sequence[EpisodeRow]:
        """Episodes of the same alert that began before, the oldest first."""
        same = self._episodes.get((episode.source, episode.fingerprint), [])
        return [other for other in same if other.starts_at < episode.starts_at]

    def in_open_groups_before(self, episode: EpisodeRow, open_groups: Container[int]) -> Sequence[EpisodeRow]:
        """Of those only what is not of a group that is resolved: that was another outage, which ended."""
        return [other for other in self.before(episode) if other.group_id is None or other.group_id in open_groups]

    def inhibiting(self, episode: EpisodeRow) -> Sequence[Mapping[str, str]]:
        """Labels of what fires and may inhibit this one; an alert never inhibits itself."""
        if not self.config.inhibitions:
            return ()
        here = [e.labels for e in self.all() if e is not episode and e.status == "firing" and self._may_inhibit(e.labels)]
        return [*here, *self._firing_elsewhere]


def new_episode(row: AlertRow, config: Config, catalogue: Catalogue) -> EpisodeRow:
    """The episode that a delivery is the first of."""
    return new_row(
        EpisodeRow,
        # It is remembered of each open alert, and there are few.
        source=sys.intern(row.source),
        fingerprint=row.fingerprint,
        starts_at=row.starts_at,
        status=row.status,
        name=row.name,
        service=catalogue.of_labels(row.labels),
        severity=config.severity_of(row.severity).value,
        labels=row.labels,
        annotations=row.annotations,
        link=row.link,
        expression=row.expression,
        group_key=row.group_key,
        first_seen_at=row.received_at,
        last_seen_at=row.received_at,
        ended_at=end_of(None, reported_end(row), row.starts_at) if row.status == "resolved" else None,
    )


def delivered_now(episode: EpisodeRow, at: datetime) -> AlertRow:
    """What its source would send now of an alert that still fires; the severity is ours already."""
    fields = {"source", "fingerprint", "status", "name", "severity", "labels", "annotations", "starts_at", "group_key"}
    return AlertRow(**episode.model_dump(include={*fields, "link", "expression"}), received_at=at)


def worsen(episode: EpisodeRow, severity: Severity) -> bool:
    """Give an episode a severity that its source reports now, if it is worse; whether it is. The worst reported one counts."""
    if not severity.worse_than(Severity(episode.severity)):
        return False
    episode.severity = severity.value
    return True


def reported_end(row: AlertRow) -> datetime:
    """When a delivery says that its episode ended; its arrival where it does not say, or names a moment to come."""
    return row.ends_at if row.ends_at and row.ends_at <= row.received_at + CLOCKS_DIFFER else row.received_at


def status_of(row: AlertRow | EpisodeRow) -> Status:
    """The status as one of the two that there are."""
    return "resolved" if row.status == "resolved" else "firing"


async def record_heartbeat(session: AsyncSession, row: AlertRow) -> None:
    """Note one more heartbeat of an always-firing rule, or its end: where another of its instances fires that is none."""
    key = HeartbeatKey.of(row.source, row.name, row.labels)
    heartbeat = await session.get(HeartbeatRow, key.stored)
    if heartbeat is None:
        heartbeat = HeartbeatRow(key=key.stored, last_seen_at=row.received_at, beats=1)
        session.add(heartbeat)
        if key.scope:
            # It may have come without its labels, or been stored so by an earlier version: else it would be missed.
            await session.exec(delete(HeartbeatRow).where(col(HeartbeatRow.key) == replace(key, scope="").stored))
        await session.flush()
    if row.status == "firing":
        rhythm = next_rhythm(heartbeat.rhythm, row.received_at)
        heartbeat.last_seen_at, heartbeat.beats = rhythm.last_seen_at, rhythm.count
        heartbeat.every_seconds = rhythm.period.total_seconds()
        heartbeat.missed = False
    else:
        heartbeat.missed = not await _fires_otherwise(session, row, key)
    session.add(heartbeat)


async def _fires_otherwise(session: AsyncSession, row: AlertRow, key: HeartbeatKey) -> bool:
    """Whether the rule fires since another moment, or with other labels: of another Prometheus, or after a restart."""
    episode = EpisodeRow
    same_rule = episode.source == row.source, episode.name == row.name, episode.status == "firing"
    another = or_(episode.fingerprint != row.fingerprint, episode.starts_at != row.starts_at)
    labels = (await session.exec(select(episode.labels).where(*same_rule, another))).all()
    return any(HeartbeatKey.of(row.source, row.name, one) == key for one in labels)
