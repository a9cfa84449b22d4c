"""The open groups as grouping needs them, kept between batches and indexed: one alert is never compared with all groups.

Comparing every arrival with every open group would make a storm of unrelated alerts cost the square of its size.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import ColumnElement, bindparam, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.actor import NONE_KNOWN, KnownChannels, Visibility
from bot.core.alerts.arrival_rate import PAUSE, UsualDelays
from bot.core.alerts.episodes import LastTime
from bot.core.alerts.grouping import (
    MAX_BURSTS,
    Arrival,
    GroupingReason,
    OpenGroup,
    Placement,
    Ties,
    neighbours,
    place,
    same_scope,
)
from bot.core.alerts.hint_index import HintIndex
from bot.core.alerts.ties.cascades import Cascades, RunningBurst
from bot.core.alerts.ties.grouping_rules import GroupingRule
from bot.core.alerts.ties.topology import near_by_calls
from bot.core.incident import GroupState
from bot.core.service import Catalogue
from bot.store.alerts.ties import grouping_rules
from bot.store.alerts.ties.learned import learned_calls, save_cascades, saved_cascades
from bot.store.db.yielding import LoopYield
from bot.store.tables import EpisodeRow, GroupRow, IncidentRow

LEARN_EVERY, SAVE_EVERY = timedelta(minutes=10), timedelta(minutes=1)
_CHUNK = 500
_MAX_NEAR = 10_000
_MEMBERS = 5
"""Of each alert name, service and reason so many of a group's newest members are read after a start: a storm's group has
thousands, and what they have in common its newest show."""


class OpenGroups:
    """By what their members have in common. Valid only while nobody else moves the inbox's cursor and no batch is undone."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.groups: dict[int, OpenGroup] = {}
        self._index = HintIndex()
        self._near: dict[str, dict[str, str]] = {}
        self._delays = UsualDelays()
        self._cascades = Cascades()
        self.channels = NONE_KNOWN
        """What the batch that is sorted knows of channels."""
        self._overflows: dict[tuple[str, str], int] = {}
        """Source and channel -> the newest group that takes what the source sends there beyond its budget."""
        self._bursts: set[int] = set()
        """Groups that are bursts and ran when they were last checked."""
        self._checked_at = 0.0
        self._rules: Sequence[GroupingRule] = ()
        self._calls: dict[str, dict[str, str]] = {}
        """Learned: service -> services that it calls or is called by, with the reason."""
        self._learned_at: datetime | None = None
        self._saved_at: datetime | None = None

    def place(self, arrival: Arrival) -> Placement:
        """The group that an arrival belongs to and why, looking only at groups that share something with it."""
        place_name = arrival.service or arrival.component
        learned = {**self._cascades.ties(place_name), **self._calls.get(arrival.service, {})}
        near = {**learned, **self._neighbours(arrival.service)}
        candidates: set[OpenGroup] = set()
        for hint in (*arrival.seeks, *(("service", other) for other in near)):
            candidates.update(self._index.of(hint))
        ruled = self._ruled(arrival)
        candidates.update(self.groups[number] for number in ruled)
        placement = place(arrival, candidates, self.catalogue, Ties(near, ruled), self._delays, self.channels)
        if place_name and (running := self._running(arrival)) is not None:
            self._cascades.note(place_name, arrival.at, running)
        return placement

    def _ruled(self, arrival: Arrival) -> dict[int, str]:
        """Groups that a rule of a person ties an arrival to, with the reason."""
        ruled: dict[int, str] = {}
        for rule in self._rules:
            for side in rule.draft.counterparts(arrival.name, arrival.service):
                of_service = self._index.of(("service", side.service)) if side.service else self.groups.values()
                ruled |= {group.number: rule.reason for group in of_service if any(side.fits(*one) for one in group.alerts)}
        return ruled

    def of_services(self, services: Iterable[str]) -> set[int]:
        """Groups with a member of one of these services."""
        return {group.number for service in services for group in self._index.of(("service", service))}

    def overflow_of(self, source: str, channel: str) -> int | None:
        """The group of a channel for what a source sends beyond its budget; None if there is none, or all of it has cleared."""
        group = self.groups.get(self._overflows.get((source, channel), 0))
        return group.number if group and group.state is not GroupState.MONITORING else None

    def _running(self, arrival: Arrival) -> list[RunningBurst] | None:
        """The bursts of its installation that run while it arrives; None where so many run that they say nothing."""
        at = arrival.at.timestamp()
        if at - self._checked_at >= 1.0:
            self._checked_at = at
            self._bursts = {number for number in self._bursts if at - self.groups[number].arrivals.last_at <= PAUSE}
        if len(self._bursts) > MAX_BURSTS:
            return None
        groups = [self.groups[number] for number in self._bursts]
        own = Visibility(arrival.channel)
        together = (group for group in groups if self.channels.may_share_card(own, group.visibility))
        return [(group.number, group.services) for group in together if same_scope(arrival, group)]

    def open(self, row: GroupRow, *, burst: bool = False) -> OpenGroup:
        """Take a new group in, as yet without members; `burst`: opened by the arrival rate of alerts."""
        assert row.id is not None
        group = OpenGroup(row.id, GroupState(row.state), row.opened_at, row.last_alert_at, row.cleared_at)
        group.arrivals.is_burst, group.visibility = burst, Visibility(row.channel, row.private)
        if row.overflow:
            self._take_overflow(group, row.source)
        self.groups[row.id] = group
        return group

    async def open_again(self, session: AsyncSession, row: GroupRow) -> None:
        """Take in a group that somebody had resolved, with its members; of all others nothing is read."""
        group = self.open(row)
        group.end_doubted, group.unmeasured = row.unconfirmed_at is not None, row.unmeasured != ""
        for number, service in await _declared(session, col(GroupRow.id) == row.id):
            self.declare(number, service)
        await self._read_members(session, [group.number])
        group.members, group.running, group.most_running = row.alerts, row.firing, row.firing

    def _take_overflow(self, group: OpenGroup, source: str) -> None:
        group.overflow_of = source
        place_name = source, group.visibility.channel
        newest = self._overflows.get(place_name, 0)
        if newest < group.number or newest not in self.groups:
            self._overflows[place_name] = group.number

    def declare(self, number: int, service: str) -> None:
        """Let the alerts of a service join the group of an incident that a person declared of it."""
        for hint in self.groups[number].declare(service):
            self._index.add(hint, self.groups[number])

    def add_member(self, number: int, arrival: Arrival) -> None:
        """Make an arrival a member; nothing if the group is not open."""
        group = self.groups.get(number)
        if group is None:
            return
        for hint in group.add(arrival):
            self._index.add(hint, group)
        if group.arrivals.is_burst:
            self._bursts.add(number)
            self._delays.learn(arrival.fingerprint, group.arrivals.age(arrival.at.timestamp()))

    def close(self, number: int) -> None:
        """A resolved group takes nobody any more."""
        self._bursts.discard(number)
        group = self.groups.pop(number, None)
        if group is None:
            return
        for hint in group.hints:
            self._index.discard(hint, group)

    async def refresh(self, session: AsyncSession, channels: KnownChannels) -> None:
        """Take over what people and ticks did to groups since the last batch; read the members of groups new to it.

        `channels`: what is known of channels for this batch.
        """
        self.channels = channels
        self._rules = await grouping_rules.in_force(session)
        unresolved = await _unresolved(session)
        counts = {row.number: row.alerts for row in unresolved}
        for number in [number for number, group in self.groups.items() if group.members != counts.get(number)]:
            # Resolved, or people merged or split it.
            self.close(number)
        fresh = [row.number for row in unresolved if row.number not in self.groups]
        for row in unresolved:
            group = self.groups.setdefault(row.number, OpenGroup(row.number, row.state, row.opened_at, row.last_alert_at))
            group.state, group.last_alert_at, group.cleared_at = GroupState(row.state), row.last_alert_at, row.cleared_at
            group.end_doubted, group.unmeasured = row.unconfirmed_at is not None, row.unmeasured != ""
            group.visibility, group.running = Visibility(row.channel, row.private), row.firing
        for number, service in await _declared(session) if fresh else ():
            if number in fresh:
                self.declare(number, service)
        for number, source in await _overflows(session) if fresh else ():
            self._take_overflow(self.groups[number], source)
        for start in range(0, len(fresh), _CHUNK):
            await self._read_members(session, fresh[start : start + _CHUNK])
        for number in fresh:
            # Old members may be deleted, and are still counted. How many fired at most is forgotten with the process.
            self.groups[number].members, self.groups[number].most_running = counts[number], self.groups[number].running

    async def learn(self, session: AsyncSession, now: datetime) -> None:
        """Read what was learned of the topology, and save what past bursts show; now and then, not with every batch."""
        if self._learned_at is None:
            self._cascades.restore(await saved_cascades(session))
        if self._learned_at is None or now - self._learned_at >= LEARN_EVERY:
            self._calls, self._learned_at = near_by_calls(await learned_calls(session, now)), now
        if self._cascades.unsaved and (self._saved_at is None or now - self._saved_at >= SAVE_EVERY):
            await save_cascades(session, self._cascades)
            self._saved_at = now

    async def _read_members(self, session: AsyncSession, numbers: Sequence[int]) -> None:
        query = _NEWEST_ON_SQLITE if session.get_bind().dialect.name == "sqlite" else _NEWEST_ON_POSTGRESQL
        newest = await session.exec(query, params={"numbers": list(numbers), "most": _MEMBERS})  # type: ignore[call-overload]
        ids, loop = [id for (id,) in newest.all()], LoopYield()
        for start in range(0, len(ids), _CHUNK):
            for number, reason, *member in (await session.exec(_members(ids[start : start + _CHUNK]))).all():
                if reason in _BEGINS_BURST and number in self.groups:
                    self.groups[number].arrivals.is_burst = True
                    self.groups[number].arrivals.begin_anew()
                self.add_member(number, Arrival(*member))
                await loop.when_due()

    def _neighbours(self, service: str) -> dict[str, str]:
        if service not in self._near:
            if len(self._near) > _MAX_NEAR:
                self._near.clear()
            self._near[service] = neighbours(service, self.catalogue)
        return self._near[service]


_BEGINS_BURST = frozenset({GroupingReason.NEW_BURST, GroupingReason.NEXT_BURST})


class _Unresolved(NamedTuple):
    """What sorting needs of an unresolved group."""

    number: int
    state: GroupState
    opened_at: datetime
    last_alert_at: datetime
    cleared_at: datetime | None
    unconfirmed_at: datetime | None
    unmeasured: str
    channel: str
    private: bool
    alerts: int
    firing: int


async def _unresolved(session: AsyncSession) -> Sequence[_Unresolved]:
    """Every unresolved group."""
    columns: Any = [col(GroupRow.id), *(getattr(GroupRow, name) for name in _Unresolved._fields[1:])]
    rows = (await session.exec(select(*columns).where(GroupRow.state != GroupState.RESOLVED))).all()
    return [_Unresolved(*row) for row in rows]


async def _declared(session: AsyncSession, *where: ColumnElement[bool]) -> Sequence[tuple[int, str]]:
    """Number and service of the open groups that a person declared before any alert came: both have one moment."""
    columns: Any = (GroupRow.id, IncidentRow.service)
    query = (
        select(*columns)
        .join(IncidentRow, col(IncidentRow.id) == GroupRow.incident_id)
        .where(GroupRow.state != GroupState.RESOLVED, IncidentRow.service != "", IncidentRow.declared_by != "policy")
        .where(col(GroupRow.opened_at) == col(IncidentRow.declared_at), GroupRow.key == "", *where)
    )
    rows: Sequence[tuple[int, str]] = (await session.exec(query)).all()
    return rows


async def _overflows(session: AsyncSession) -> Sequence[tuple[int, str]]:
    """Number and source of every open group that takes what is beyond a budget, the newest last."""
    columns: Any = (GroupRow.id, GroupRow.source)
    query = select(*columns).where(GroupRow.state != GroupState.RESOLVED, col(GroupRow.overflow).is_(True))
    rows: Sequence[tuple[int, str]] = (await session.exec(query.order_by(col(GroupRow.id)))).all()
    return rows


def _members(ids: Sequence[int]) -> Any:  # Any: a select of so many columns has no type of its own
    """Number of the group, the reason and the fields of `Arrival`, of these episodes, the oldest first."""
    row = EpisodeRow
    # When it came, not when it last came again.
    read = (row.group_id, row.grouping_reason, row.source, row.name, row.service, row.fingerprint, row.group_key, row.labels)
    return sa.select(*map(col, read), col(row.first_seen_at)).where(col(row.id).in_(ids)).order_by(col(row.id))


_NEWEST_ON_SQLITE = text("""
    WITH RECURSIVE kinds (group_id, name, service, grouping_reason) AS (
        SELECT e.group_id, e.name, e.service, e.grouping_reason
        FROM groups g JOIN episodes e ON e.id = (
            SELECT n.id FROM episodes n WHERE n.group_id = g.id
            ORDER BY n.name, n.service, n.grouping_reason LIMIT 1
        )
        WHERE g.id IN :numbers
        UNION ALL
        SELECT e.group_id, e.name, e.service, e.grouping_reason
        FROM kinds k JOIN episodes e ON e.id = (
            SELECT n.id FROM episodes n
            WHERE n.group_id = k.group_id AND (n.name, n.service, n.grouping_reason) > (k.name, k.service, k.grouping_reason)
            ORDER BY n.name, n.service, n.grouping_reason LIMIT 1
        )
    )
    SELECT e.id FROM kinds k JOIN episodes e ON e.id IN (
        SELECT n.id FROM episodes n
        WHERE n.group_id = k.group_id AND n.name = k.name
            AND n.service = k.service AND n.grouping_reason = k.grouping_reason
        ORDER BY n.id DESC LIMIT :most
    )
    ORDER BY e.id
""").bindparams(bindparam("numbers", expanding=True))
"""Ids of the newest members of some groups, of each kind so many. Walks from kind to kind along the index of `episodes`:
to number all members takes SQLite a second for 100,000, and nothing else runs in the loop meanwhile."""

_NEWEST_ON_POSTGRESQL = text("""
    SELECT id FROM (
        SELECT id, row_number() OVER (PARTITION BY group_id, name, service, grouping_reason ORDER BY id DESC) AS place
        FROM episodes WHERE group_id IN :numbers
    ) AS numbered
    WHERE place <= :most ORDER BY id
""").bindparams(bindparam("numbers", expanding=True))
"""The same. PostgreSQL would try every member with every kind: minutes for some thousand, under the lock of all writers."""


def arrival_of(row: EpisodeRow, at: datetime, last: LastTime, channel: str) -> Arrival:
    """An episode as grouping sees it: received at that moment, with what its alert did before and where it belongs."""
    return Arrival(
        source=row.source,
        name=row.name,
        service=row.service,
        fingerprint=row.fingerprint,
        group_key=row.group_key,
        labels=row.labels,
        at=at,
        last=last,
        channel=channel,
    )
