"""Repeats: further deliveries of a firing alert that only count. Nearly all that a source sends are such.

What fires is remembered between batches, so that a repeat is counted without reading its labels or its episode:
a tenth of the price of sorting it. Every other delivery is sorted.
"""

import sys
from collections import Counter
from collections.abc import Callable, Collection, Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Case, ColumnElement, bindparam, case, update
from sqlalchemy.orm import Mapped
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alerts.staleness import Gaps, next_interval
from bot.core.incident import GroupState
from bot.core.memo import Memo
from bot.store.db.columns import Moment
from bot.store.tables import AlertRow, EpisodeRow, GroupRow, SourceRow

MAX_EPISODES = 200_000
"""Episodes remembered; with more of them some are forgotten and learned anew."""
CHUNK = 500

T = TypeVar("T")


class Signal(msgspec.Struct, frozen=True, gc=False):
    """One alert over its life. A tuple would take twice the memory, and there are hundred thousands of these."""

    source: str
    fingerprint: str


class _Firing(msgspec.Struct, eq=False, gc=False):
    """The firing episode of one alert, in a group; `severity` is the word that its source sent last."""

    signal: Signal
    episode: int
    group: int
    starts_at: datetime
    severity: str
    last_seen_at: datetime


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
        return Signal(self.source, self.fingerprint)


_DELIVERED: Any = (
    AlertRow.seq,
    AlertRow.source,
    AlertRow.fingerprint,
    AlertRow.status,
    AlertRow.severity,
    AlertRow.starts_at,
    AlertRow.received_at,
)


async def deliveries(session: AsyncSession, where: ColumnElement[bool], most: int) -> list[Delivery]:
    """The first stored alerts of some, in their order, without their texts."""
    query = select(*_DELIVERED).where(where).order_by(col(AlertRow.seq)).limit(most)
    return [Delivery(*row) for row in (await session.exec(query)).all()]


async def _stored(session: AsyncSession, numbers: Sequence[int]) -> list[Delivery]:
    rows: list[Delivery] = []
    for start in range(0, len(numbers), CHUNK):
        query = select(*_DELIVERED).where(col(AlertRow.seq).in_(numbers[start : start + CHUNK]))
        rows += [Delivery(*row) for row in (await session.exec(query)).all()]
    return rows


async def _open_members(session: AsyncSession, numbers: Sequence[int]) -> dict[int, int]:
    """How many alerts each of some groups has, without those that are resolved."""
    members: dict[int, int] = {}
    for start in range(0, len(numbers), CHUNK):
        of_these = col(GroupRow.id).in_(numbers[start : start + CHUNK]), GroupRow.state != GroupState.RESOLVED
        rows = (await session.exec(select(GroupRow.id, GroupRow.alerts).where(*of_these))).all()
        members |= {number or 0: alerts for number, alerts in rows}
    return members


@dataclass
class Counts:
    """What repeats add up to: how many of each episode and group, and when each episode and source was last received."""

    episodes: Counter[int] = field(default_factory=Counter)
    groups: Counter[int] = field(default_factory=Counter)
    episodes_at: dict[int, datetime] = field(default_factory=dict)
    sources_at: dict[str, datetime] = field(default_factory=dict)
    gaps: Gaps = field(default_factory=Gaps)

    def add(self, firing: _Firing, received_at: datetime) -> None:
        """One more repeat."""
        self.episodes[firing.episode] += 1
        self.groups[firing.group] += 1
        _later_of(self.episodes_at, firing.episode, received_at)
        _later_of(self.sources_at, firing.signal.source, received_at)
        self.gaps.add(firing.signal.source, firing.last_seen_at, received_at)
        firing.last_seen_at = max(firing.last_seen_at, received_at)

    async def write(self, session: AsyncSession) -> None:
        """Count them, in the caller's transaction: their episodes, and their groups unless somebody resolved them."""
        if not self.episodes:
            return
        connection = await session.connection()
        episodes = [{"of": id, "more": n, "at": self.episodes_at[id]} for id, n in sorted(self.episodes.items())]
        await connection.execute(_EPISODES, episodes)
        await connection.execute(_GROUPS, [{"of": id, "more": n} for id, n in sorted(self.groups.items())])
        await connection.execute(_SOURCES, [{"of": name, "at": at} for name, at in sorted(self.sources_at.items())])
        await learn_intervals(session, self.gaps, max(self.sources_at.values()))


async def learn_intervals(session: AsyncSession, gaps: Gaps, at: datetime) -> None:
    """Note how long sources let pass between two deliveries of what fires, in the caller's transaction."""
    for name, (longest, count) in gaps.by_source.items():
        row = await session.get(SourceRow, name)
        if row is not None:
            interval = next_interval(row.interval, longest, count, at)
            row.repeat_seconds, row.repeat_gaps = interval.longest.total_seconds(), interval.gaps
            row.repeat_seen_at = interval.seen_at
            session.add(row)


def _later_of(moments: dict[T, datetime], of: T, at: datetime) -> None:
    moments[of] = max(at, moments.get(of, at))


class Repeats:
    """Valid as long as OpenGroups is: while nobody else moves the inbox's cursor and no batch is undone."""

    def __init__(self, members_of: Callable[[int], int | None]) -> None:
        """`members_of`: how many alerts a group had when they were sorted last; None for one that is not known."""
        self._members_of = members_of
        self._firing: Memo[Signal, _Firing] = Memo(MAX_EPISODES)
        self._of_alert: Memo[int, _Firing] = Memo(MAX_EPISODES)
        """Number of a stored alert -> the episode that it repeats."""

    def split(self, batch: Sequence[Delivery], most: int) -> tuple[list[Delivery], list[Delivery]]:
        """The head of the batch up to its `most`-th piece of news, in two: what must be sorted, and what only repeats.

        If one delivery of an alert is news, all deliveries of it in this batch are sorted: their order matters.
        """
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
        return self._repeated(delivery) is not None

    def _repeated(self, delivery: Delivery) -> _Firing | None:
        """The firing episode that this delivery only counts for."""
        firing = self._firing.get(delivery.signal)
        same = (
            firing is not None
            and delivery.status == "firing"
            and delivery.starts_at == firing.starts_at
            and delivery.severity == firing.severity
        )
        return firing if same else None

    def counted(self, number: int) -> _Firing | None:
        """The episode that a further delivery of this stored alert counts for; None if it may be more than a repeat."""
        firing = self._of_alert.get(number)
        return firing if firing is not None and self._firing.get(firing.signal) is firing else None

    async def forget_changed(self, session: AsyncSession, batch: Iterable[Delivery]) -> None:
        """Forget what these deliveries repeat in groups that people resolved, merged or split.

        That it fires on in a resolved one is no mere repeat, and what was moved counts where it is now.
        """
        await self._forget_changed(session, filter(None, map(self._repeated, batch)))

    async def _forget_changed(self, session: AsyncSession, repeated: Iterable[_Firing]) -> None:
        by_group: dict[int, list[_Firing]] = {}
        for firing in repeated:
            by_group.setdefault(firing.group, []).append(firing)
        members = await _open_members(session, list(by_group))
        for number in by_group:
            if number not in members or members[number] != self._members_of(number):
                for firing in by_group[number]:
                    self._firing.pop(firing.signal)

    async def look_up(self, session: AsyncSession, numbers: Collection[int]) -> None:
        """Learn for which episodes these stored alerts count, where nothing is known of them."""
        await self._forget_changed(session, filter(None, map(self.counted, numbers)))
        unknown = [number for number in dict.fromkeys(numbers) if self.counted(number) is None]
        for delivery in await _stored(session, unknown):
            if firing := self._repeated(delivery):
                self._of_alert.put(delivery.seq, firing)

    async def count(self, session: AsyncSession, repeats: Sequence[Delivery]) -> None:
        """Count what `split` took for repeats, in the caller's transaction."""
        counts = Counts()
        for repeat in repeats:
            if firing := self._firing.get(repeat.signal):
                counts.add(firing, repeat.received_at)
        await counts.write(session)

    def remember(self, rows: Iterable[AlertRow], episodes: Iterable[EpisodeRow], open_groups: Container[int]) -> None:
        """Take over what one batch made of these rows; its episodes must have their ids."""
        counting = (e for e in episodes if e.status == "firing" and e.group_id in open_groups and e.id)
        firing = {Signal(e.source, e.fingerprint): e for e in counting}
        for row in rows:
            # There are hundred thousands of these, and few different sources and severities.
            signal = Signal(sys.intern(row.source), row.fingerprint)
            self._firing.pop(signal)
            episode = firing.get(signal)
            if episode is not None and episode.id and episode.group_id and episode.starts_at == row.starts_at:
                severity, at = sys.intern(row.severity), episode.last_seen_at
                self._learn(row.seq, _Firing(signal, episode.id, episode.group_id, episode.starts_at, severity, at))

    def _learn(self, number: int | None, firing: _Firing) -> None:
        self._firing.put(firing.signal, firing)
        if number is not None:
            self._of_alert.put(number, firing)


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
