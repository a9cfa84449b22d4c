"""Alerts by state, for tools and the API."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import Text, cast, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from bot.core.alert import Alert
from bot.core.alerts.grouping import GroupingReason, Membership
from bot.core.alerts.muting import Mute, MuteReason, parse_mute
from bot.core.alerts.reasons import AlertReasons, ReasonCount
from bot.store.db.database import Database
from bot.store.tables import EpisodeRow, GroupRow, SourceRow

Q = TypeVar("Q", bound=sa.Select[Any])

HISTORY = timedelta(days=30)
"""How far back alerts that fired together are read."""
_AT_ONCE = 500
_MAX_EARLIER = 10_000
"""Episodes of that history, the newest first: enough for rarity, and read within one tool call."""
_MAX_LABELS, _MAX_HISTORY = 8_000, 8_000_000
"""Characters of labels of one past alert and of all: one that alone has more is no history. An investigation holds them all."""
_FEW = 10
"""Firing alerts that are read at once: each may hold half a megabyte of text."""
_MAX_TEXT = 300
"""Characters of each text of a firing alert: what an investigation shows is shorter."""
_ANNOTATIONS = ("summary", "description")


@dataclass(frozen=True)
class Hidden:
    """Of whose alerts whoever reads here learns the service alone: those of some groups, and those in none of some services."""

    groups: Set[int] = frozenset()
    services: Set[str] = frozenset()

    def holds(self, group: int | None, service: str) -> bool:
        """Whether an alert of this group and service is one of them."""
        return service in self.services if group is None else group in self.groups


async def _none(_services: Set[str]) -> Hidden:
    return Hidden()


class Alerts:
    """Reads episodes. `hidden`: which of them are not for whoever reads here; it is given the services of those in no group."""

    def __init__(self, db: Database, hidden: Callable[[Set[str]], Awaitable[Hidden]] = _none) -> None:
        self.db, self._hidden = db, hidden

    async def last_delivery(self, source: str) -> datetime | None:
        """When the last delivery of a source was received; None if there was none."""
        async with self.db.read() as session:
            row = await session.get(SourceRow, source)
        return row.last_seen_at if row else None

    async def active(self, service: str = "") -> list[Alert]:
        """Firing alerts of one service ("" = all), newest first, at most 500; muted ones included, heartbeats not.

        A heartbeat fires while all is well: as the oldest it would stand first among what fires in an outage.
        Of annotations the summary and the description alone, and of every text at most 300 characters.
        """
        no_heartbeat = col(EpisodeRow.muted_by) != Mute(MuteReason.HEARTBEAT).stored
        newest = _newest(_filtered(select(EpisodeRow.id).where(no_heartbeat), "firing", service, None), 500)
        grouped: list[tuple[int | None, Alert]] = []
        async with self.db.read() as session:
            ids = (await session.exec(newest)).all()
            for start in range(0, len(ids), _FEW):
                few: Any = _newest(sa.select(*_FIRING).where(col(EpisodeRow.id).in_(ids[start : start + _FEW])), _FEW)
                grouped += [(group, _firing(*row)) for group, *row in (await session.exec(few)).all()]
        # Afterwards: a group that was opened meanwhile counts too.
        hidden = await self._hidden({_service(alert) for group, alert in grouped if group is None})
        return [_nameless(alert) if hidden.holds(group, _service(alert)) else alert for group, alert in grouped]

    async def earlier(self, before: datetime) -> list[list[Alert]]:
        """Alerts that began before, one list for each group they were in, of the last 30 days; at most 10,000 in all.

        Only what distinguishes them is read: source, fingerprint, name, labels and start; no more labels than memory is for.
        """
        row = EpisodeRow
        past = (col(row.last_seen_at) >= before - HISTORY, col(row.starts_at) < before, col(row.group_id).is_not(None))
        newest: Any = _newest(sa.select(col(row.id), func.length(cast(row.labels, Text))).where(*past), _MAX_EARLIER)
        read = (row.group_id, row.source, row.fingerprint, row.name, row.labels, row.service, row.starts_at)
        groups: dict[Any, list[Alert]] = {}
        async with self.db.read() as session:
            ids = _affordable((await session.exec(newest)).all())
            for start in range(0, len(ids), _AT_ONCE):
                of_these: Any = sa.select(*map(col, read)).where(col(row.id).in_(ids[start : start + _AT_ONCE]))
                part: Any = _newest(of_these, _AT_ONCE)
                for group, *fields in (await session.exec(part)).all():
                    groups.setdefault(group, []).append(_past(*fields))
                # Whoever waits for the loop waits for so many of them at most.
                await asyncio.sleep(0)
        hidden = (await self._hidden(frozenset())).groups
        return [[*map(_nameless, alerts)] if group in hidden else alerts for group, alerts in groups.items()]

    async def public_episodes(
        self, *, state: str = "", service: str = "", since: datetime | None = None, limit: int = 500
    ) -> list[EpisodeRow]:
        """Episodes of no private group, newest first; `since` is when they were last received."""
        private = select(GroupRow.id).where(col(GroupRow.private).is_(True))
        public = col(EpisodeRow.group_id).is_(None) | col(EpisodeRow.group_id).not_in(private)
        query = _newest(_filtered(select(EpisodeRow).where(public), state, service, since), limit)
        async with self.db.read() as session:
            return list((await session.exec(query)).all())

    async def count(self, *, state: str = "", service: str = "", since: datetime | None = None) -> int:
        """How many episodes there are in all."""
        async with self.db.read() as session:
            query = _filtered(select(func.count()).select_from(EpisodeRow), state, service, since)
            return int((await session.exec(query)).one())


async def reasons_of(session: AsyncSession, group_id: int) -> AlertReasons:
    """Why the alerts of a group belong to it, and what muted alerts of its service since; empty for an unknown group."""
    group = await session.get(GroupRow, group_id)
    if group is None:
        return AlertReasons("")
    episode = EpisodeRow
    joined = select(episode.grouping_reason, episode.grouping_text, func.count()).where(
        # Rows of before 0006 keep no reason.
        col(episode.group_id) == group_id,
        col(episode.grouping_text) != "",
        col(episode.grouping_reason).in_(list(GroupingReason)),
    )
    muted = select(episode.muted_by, func.count()).where(
        col(episode.group_id).is_(None),
        col(episode.service) == group.service,
        col(episode.muted_by) != "",
        col(episode.last_seen_at) >= group.opened_at,
    )
    rows = await session.exec(joined.group_by(col(episode.grouping_reason), col(episode.grouping_text)))
    return AlertReasons(
        group.service,
        joined=[(Membership(GroupingReason(reason), text), count) for reason, text, count in rows.all()],
        muted=_described(await _reason_counts(session, muted.group_by(col(episode.muted_by)))) if group.service else (),
    )


async def _reason_counts(session: AsyncSession, query: Select[str, int]) -> list[ReasonCount]:
    return [(text, count) for text, count in (await session.exec(query)).all()]


def _described(muted: Sequence[ReasonCount]) -> list[ReasonCount]:
    """The stored words of mutes as people read them."""
    return [(mute.describe() if (mute := parse_mute(stored)) else stored, count) for stored, count in muted]


def _newest(query: Q, limit: int) -> Q:
    return query.order_by(col(EpisodeRow.starts_at).desc(), col(EpisodeRow.id).desc()).limit(limit)


def _filtered(query: Q, state: str, service: str, since: datetime | None) -> Q:
    if state:
        query = query.where(col(EpisodeRow.status) == state)
    if service:
        query = query.where(col(EpisodeRow.service) == service)
    if since:
        query = query.where(col(EpisodeRow.last_seen_at) >= since)
    return query


def _service(alert: Alert) -> str:
    return alert.labels.get("service", "")


def _nameless(alert: Alert) -> Alert:
    """The signal without what it says. The same name gives the same stand-in: how often it fired is counted all the same."""
    stand_in = f"alert {hashlib.sha256(alert.name.encode()).hexdigest()[:4]} of another channel"
    labels = {"service": alert.labels["service"]} if "service" in alert.labels else {}
    return alert.model_copy(update={"name": stand_in, "labels": labels, "annotations": {}, "link": "", "expression": ""})


def _affordable(sizes: Sequence[tuple[int, int]]) -> list[int]:
    """Which past alerts are read, by (id, characters of labels): the first of them while all their labels fit in."""
    ids, characters = [], 0
    for id, length in sizes:
        if length > _MAX_LABELS:
            continue
        characters += length
        if characters > _MAX_HISTORY:
            break
        ids.append(id)
    return ids


def _past(source: str, fingerprint: str, name: str, labels: dict[str, str], service: str, starts_at: datetime) -> Alert:
    labels = {**labels, "service": service} if service else labels
    # The table holds checked values: checking ten thousand of them again would take longer than reading them.
    return Alert.model_construct(
        source=source, fingerprint=fingerprint, status="resolved", name=name, labels=labels, starts_at=starts_at
    )


_FIRING: Any = (
    EpisodeRow.group_id,
    EpisodeRow.source,
    EpisodeRow.fingerprint,
    EpisodeRow.name,
    EpisodeRow.severity,
    EpisodeRow.labels,
    EpisodeRow.annotations,
    EpisodeRow.starts_at,
    EpisodeRow.ended_at,
    EpisodeRow.group_key,
    EpisodeRow.link,
    EpisodeRow.expression,
    EpisodeRow.service,
)
_FIELDS = ("source", "fingerprint", "name", "severity", "labels", "annotations", "starts_at", "ends_at", "group_key", "link")


def _firing(*row: Any) -> Alert:  # Any: the columns of _FIRING
    *fields, expression, service = row
    values = dict(zip(_FIELDS, fields, strict=True))
    if service:
        values["labels"] = {**values["labels"], "service": service}
    values["labels"] = {name: text[:_MAX_TEXT] for name, text in values["labels"].items()}
    values["annotations"] = {
        name: values["annotations"][name][:_MAX_TEXT] for name in _ANNOTATIONS if name in values["annotations"]
    }
    return Alert.model_construct(status="firing", expression=expression, **values)
