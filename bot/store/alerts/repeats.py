"""Repeats: further deliveries of a firing alert that only count. Nearly all that a source sends are such.

What fires is remembered between batches, so that a repeat is counted without reading its labels or its episode:
a tenth of the price of sorting it. Every other delivery is sorted.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Case, bindparam, case, update
from sqlalchemy.orm import Mapped
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.incident import GroupState
from bot.store.db.columns import Moment
from bot.store.tables import AlertRow, EpisodeRow, GroupRow, SourceRow

MAX_EPISODES = 100_000
"""Episodes remembered; beyond that everything is forgotten and learned anew."""

Signal = tuple[str, str]
"""Source and fingerprint."""


@dataclass(frozen=True, slots=True)
class _Firing:
    """The firing episode of one alert, in a group; `severity` is the word that its source sent last."""

    episode: int
    group: int
    starts_at: datetime
    severity: str


@dataclass(frozen=True)
class Delivery:
    """The part of a stored alert that decides whether it is a repeat."""

    seq: int
    source: str
    fingerprint: str
    status: str
    severity: str
    starts_at: datetime
    received_at: datetime

    @property
    def signal(self) -> Signal:
        return self.source, self.fingerprint


async def deliveries(session: AsyncSession, after: int, most: int) -> list[Delivery]:
    """The next stored alerts behind the cursor, in their order, without their texts."""
    columns: Any = (
        AlertRow.seq,
        AlertRow.source,
        AlertRow.fingerprint,
        AlertRow.status,
        AlertRow.severity,
        AlertRow.starts_at,
        AlertRow.received_at,
    )
    query = select(*columns).where(col(AlertRow.seq) > after).order_by(col(AlertRow.seq)).limit(most)
    return [Delivery(*row) for row in (await session.exec(query)).all()]


class Repeats:
    """Valid as long as OpenGroups is: while nobody else moves the inbox's cursor and no batch is undone."""

    def __init__(self) -> None:
        self._firing: dict[Signal, _Firing] = {}

    def split(self, batch: Sequence[Delivery], most: int) -> tuple[list[Delivery], list[Delivery]]:
        """The head of the batch up to its `most`-th piece of news, in two: what must be sorted, and what only repeats.

        If one delivery of an alert is news, all deliveries of it in this batch are sorted: their order matters.
        """
        if len(self._firing) > MAX_EPISODES:
            self._firing.clear()
        news: list[Delivery] = []
        head: list[Delivery] = []
        for delivery in batch:
            if not self._is_repeat(delivery):
                if len(news) == most:
                    break
                news.append(delivery)
            head.append(delivery)
        signals = {delivery.signal for delivery in news}
        sorts = [delivery for delivery in head if delivery.signal in signals]
        return sorts, [delivery for delivery in head if delivery.signal not in signals]

    def _is_repeat(self, delivery: Delivery) -> bool:
        firing = self._firing.get(delivery.signal)
        return (
            firing is not None
            and delivery.status == "firing"
            and delivery.starts_at == firing.starts_at
            and delivery.severity == firing.severity
        )

    async def count(self, session: AsyncSession, repeats: Sequence[Delivery]) -> None:
        """Count them, in the caller's transaction: their episodes, and their groups unless somebody resolved them."""
        if not repeats:
            return
        episodes: Counter[int] = Counter()
        groups: Counter[int] = Counter()
        last_seen: dict[int, datetime] = {}
        sources: dict[str, datetime] = {}
        for repeat in repeats:
            firing = self._firing[repeat.signal]
            episodes[firing.episode] += 1
            groups[firing.group] += 1
            last_seen[firing.episode] = max(repeat.received_at, last_seen.get(firing.episode, repeat.received_at))
            sources[repeat.source] = max(repeat.received_at, sources.get(repeat.source, repeat.received_at))
        connection = await session.connection()
        await connection.execute(_EPISODES, [{"of": id, "more": n, "at": last_seen[id]} for id, n in sorted(episodes.items())])
        await connection.execute(_GROUPS, [{"of": id, "more": n} for id, n in sorted(groups.items())])
        await connection.execute(_SOURCES, [{"of": name, "at": at} for name, at in sorted(sources.items())])

    def remember(self, rows: Iterable[AlertRow], episodes: Iterable[EpisodeRow]) -> None:
        """Take over what one batch made of these rows; its episodes must have their ids."""
        firing = {(e.source, e.fingerprint): e for e in episodes if e.status == "firing" and e.group_id and e.id}
        for row in rows:
            signal = row.source, row.fingerprint
            self._firing.pop(signal, None)
            episode = firing.get(signal)
            if episode is not None and episode.id and episode.group_id and episode.starts_at == row.starts_at:
                self._firing[signal] = _Firing(episode.id, episode.group_id, episode.starts_at, row.severity)


def _later(column: Mapped[datetime]) -> Case[datetime]:
    at = bindparam("at", type_=Moment())
    return case((column < at, at), else_=column)


_EPISODES = (
    update(EpisodeRow)
    .where(col(EpisodeRow.id) == bindparam("of"))
    .values(repeats=EpisodeRow.repeats + bindparam("more"), last_seen_at=_later(col(EpisodeRow.last_seen_at)))
)
_GROUPS = (
    update(GroupRow)
    .where(col(GroupRow.id) == bindparam("of"), col(GroupRow.state) != GroupState.RESOLVED.value)
    .values(repeats=GroupRow.repeats + bindparam("more"))
)
_SOURCES = (
    update(SourceRow).where(col(SourceRow.name) == bindparam("of")).values(last_seen_at=_later(col(SourceRow.last_seen_at)))
)
