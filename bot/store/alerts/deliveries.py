"""What a delivery says: the episode that it begins or ends, or a beat of an always-firing rule."""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alert import Status
from bot.core.alerts.heartbeat import next_rhythm
from bot.core.config import Config
from bot.core.service import Catalogue
from bot.store.db.rows import new_row
from bot.store.tables import AlertRow, EpisodeRow, HeartbeatRow


def episode_of(row: AlertRow, config: Config, catalogue: Catalogue) -> EpisodeRow:
    """The episode that a delivery is the first of."""
    return new_row(
        EpisodeRow,
        source=row.source,
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
        ended_at=reported_end(row) if row.status == "resolved" else None,
    )


def delivered_now(episode: EpisodeRow, at: datetime) -> AlertRow:
    """What its source would send now of an alert that still fires; the severity is ours already."""
    fields = {"source", "fingerprint", "status", "name", "severity", "labels", "annotations", "starts_at", "group_key"}
    return AlertRow(**episode.model_dump(include={*fields, "link", "expression"}), received_at=at)


def reported_end(row: AlertRow) -> datetime:
    """When a delivery says that its episode ended: by its arrival at the latest."""
    return row.ends_at or row.received_at


def status_of(row: AlertRow | EpisodeRow) -> Status:
    """The status as one of the two that there are."""
    return "resolved" if row.status == "resolved" else "firing"


async def record_heartbeat(session: AsyncSession, row: AlertRow) -> None:
    """Note one more beat of an always-firing rule."""
    key = f"{row.source}:{row.name}"
    heartbeat = await session.get(HeartbeatRow, key)
    if heartbeat is None:
        heartbeat = HeartbeatRow(key=key, last_seen_at=row.received_at, beats=1)
        session.add(heartbeat)
        await session.flush()
    if row.status == "firing":
        rhythm = next_rhythm(heartbeat.rhythm, row.received_at)
        heartbeat.last_seen_at, heartbeat.beats = rhythm.last_seen_at, rhythm.beats
        heartbeat.every_seconds = rhythm.period.total_seconds()
    session.add(heartbeat)
