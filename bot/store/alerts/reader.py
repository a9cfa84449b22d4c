"""Alerts by state, for tools and the API."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlalchemy import select as columns
from sqlmodel import col, select

from bot.core.alert import Alert
from bot.store.db.database import Database
from bot.store.tables import EpisodeRow

HISTORY = timedelta(days=30)
"""How far back it is known what used to fire together."""
_MOST_EARLIER = 10_000
"""Episodes of that history, the newest first: enough for rarity, and read within a look."""


class Alerts:
    """Reads episodes."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def active(self, service: str = "") -> list[Alert]:
        """Firing alerts of one service ("" = all), newest first, at most 500; muted ones included."""
        return [_alert(row) for row in await self.episodes(state="firing", service=service)]

    async def earlier(self, before: datetime) -> list[list[Alert]]:
        """Alerts that began before, one list for each group they were in, of the last 30 days; at most 10,000 in all.

        Only what tells them apart is read: source, fingerprint, name, labels and start.
        """
        row = EpisodeRow
        read = (row.group_id, row.source, row.fingerprint, row.name, row.labels, row.service, row.starts_at)
        query = columns(*map(col, read)).where(
            col(row.last_seen_at) >= before - HISTORY, col(row.starts_at) < before, col(row.group_id).is_not(None)
        )
        query = query.order_by(col(row.starts_at).desc(), col(row.id).desc()).limit(_MOST_EARLIER)
        groups: dict[Any, list[Alert]] = {}
        async with self.db.read() as session:
            # In parts, so that whoever waits for the loop waits for five hundred of them at most.
            async for part in (await session.stream(query)).partitions(500):
                for group, *fields in part:
                    groups.setdefault(group, []).append(_past(*fields))
        return list(groups.values())

    async def episodes(
        self,
        *,
        state: str = "",
        service: str = "",
        since: datetime | None = None,
        group_id: int | None = None,
        limit: int = 500,
    ) -> list[EpisodeRow]:
        """Episodes, newest first; `since` is when they were last told of."""
        query = _filtered(select(EpisodeRow), state, service, since, group_id)
        query = query.order_by(col(EpisodeRow.starts_at).desc(), col(EpisodeRow.id).desc()).limit(limit)
        async with self.db.read() as session:
            return list((await session.exec(query)).all())

    async def count(self, *, state: str = "", service: str = "", since: datetime | None = None) -> int:
        """How many episodes there are in all."""
        async with self.db.read() as session:
            query = _filtered(select(func.count()).select_from(EpisodeRow), state, service, since, None)
            return int((await session.exec(query)).one())


def _filtered(query: Any, state: str, service: str, since: datetime | None, group_id: int | None) -> Any:
    if state:
        query = query.where(EpisodeRow.status == state)
    if service:
        query = query.where(EpisodeRow.service == service)
    if since:
        query = query.where(col(EpisodeRow.last_seen_at) >= since)
    if group_id is not None:
        query = query.where(EpisodeRow.group_id == group_id)
    return query


def _past(source: str, fingerprint: str, name: str, labels: dict[str, str], service: str, starts_at: datetime) -> Alert:
    labels = {**labels, "service": service} if service else labels
    # Read from our own table: checking ten thousand of them again would take longer than reading them.
    return Alert.model_construct(
        source=source, fingerprint=fingerprint, status="resolved", name=name, labels=labels, starts_at=starts_at
    )


def _alert(row: EpisodeRow) -> Alert:
    return Alert(
        source=row.source,
        fingerprint=row.fingerprint,
        status="firing" if row.status == "firing" else "resolved",
        name=row.name,
        severity=row.severity,
        labels={**row.labels, **({"service": row.service} if row.service else {})},
        annotations=row.annotations,
        starts_at=row.starts_at,
        ends_at=row.ended_at,
        group_key=row.group_key,
        link=row.link,
        expression=row.expression,
    )
