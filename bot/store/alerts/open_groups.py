"""The open groups as grouping needs them, kept between batches and indexed: one alert is never compared with all groups.

Comparing every arrival with every open group would make a storm of unrelated alerts cost the square of its size.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlalchemy import select as columns
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alerts.cascades import Cascades, RunningBurst
from bot.core.alerts.grouping import (
    MOST_BURSTS,
    Arrival,
    GroupingReason,
    Hint,
    OpenGroup,
    Placement,
    neighbours,
    place,
    same_scope,
)
from bot.core.alerts.pace import PAUSE, UsualDelays
from bot.core.incident import GroupState
from bot.core.service import Catalogue
from bot.store.tables import EpisodeRow, GroupRow, IncidentRow

_CHUNK = 500
_MAX_NEAR = 10_000
_MEMBERS = 5
"""Of each alert name and service so many of a group's newest members are read after a start: a storm's group has thousands,
and what they have in common its newest show."""


class OpenGroups:
    """By what their members have in common. Valid only while nobody else moves the inbox's cursor and no batch is undone."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.groups: dict[int, OpenGroup] = {}
        self._index: dict[Hint, set[OpenGroup]] = {}
        self._near: dict[str, dict[str, str]] = {}
        self._delays = UsualDelays()
        self._cascades = Cascades()
        self._bursts: set[int] = set()
        """Groups that are bursts and ran when they were last looked at."""
        self._looked_at = 0.0

    def place(self, arrival: Arrival) -> Placement:
        """The group that an arrival belongs to and why, looking only at groups that share something with it."""
        place_name = arrival.service or arrival.component
        near = {**self._cascades.ties(place_name), **self._neighbours(arrival.service)}
        candidates: set[OpenGroup] = set()
        for hint in (*arrival.seeks, *(("service", other) for other in near)):
            candidates |= self._index.get(hint, set())
        placement = place(arrival, candidates, self.catalogue, near, self._delays)
        if place_name and (running := self._running(arrival)) is not None:
            self._cascades.note(place_name, arrival.at, running)
        return placement

    def _running(self, arrival: Arrival) -> list[RunningBurst] | None:
        """The bursts of its installation that run while it arrives; None where so many run that they say nothing."""
        at = arrival.at.timestamp()
        if at - self._looked_at >= 1.0:
            self._looked_at = at
            self._bursts = {number for number in self._bursts if at - self.groups[number].pace.last_at <= PAUSE}
        if len(self._bursts) > MOST_BURSTS:
            return None
        groups = [self.groups[number] for number in self._bursts]
        return [(group.number, group.services) for group in groups if same_scope(arrival, group)]

    def open(self, row: GroupRow, *, burst: bool = False) -> OpenGroup:
        """Take a new group in, as yet without members; `burst`: as the pace of alerts had it opened."""
        assert row.id is not None
        group = OpenGroup(row.id, GroupState(row.state), row.opened_at, row.last_alert_at, row.cleared_at)
        group.pace.is_burst = burst
        self.groups[row.id] = group
        return group

    def declare(self, number: int, service: str) -> None:
        """Let the alerts of a service join the group of an incident that a person declared of it."""
        for hint in self.groups[number].declare(service):
            self._index.setdefault(hint, set()).add(self.groups[number])

    def add_member(self, number: int, arrival: Arrival) -> None:
        """Make an arrival a member; nothing if the group is not open."""
        group = self.groups.get(number)
        if group is None:
            return
        for hint in group.add(arrival):
            self._index.setdefault(hint, set()).add(group)
        if group.pace.is_burst:
            self._bursts.add(number)
            self._delays.learn(arrival.fingerprint, group.pace.age(arrival.at.timestamp()))

    def close(self, number: int) -> None:
        """A resolved group takes nobody any more."""
        self._bursts.discard(number)
        group = self.groups.pop(number, None)
        if group is None:
            return
        for hint in group.hints:
            self._index[hint].discard(group)
            if not self._index[hint]:
                del self._index[hint]

    async def refresh(self, session: AsyncSession) -> None:
        """Take over what people and ticks did to groups since the last batch; read the members of groups new to it."""
        unresolved = await _unresolved(session)
        counts = {number: alerts for number, *_, alerts in unresolved}
        for number in [number for number, group in self.groups.items() if group.members != counts.get(number)]:
            # Resolved, or people merged or split it.
            self.close(number)
        fresh = [number for number, *_ in unresolved if number not in self.groups]
        for number, state, opened_at, last_alert_at, cleared_at, _ in unresolved:
            group = self.groups.setdefault(number, OpenGroup(number, state, opened_at, last_alert_at))
            group.state, group.last_alert_at, group.cleared_at = GroupState(state), last_alert_at, cleared_at
        for number, service in await _declared(session) if fresh else ():
            if number in fresh:
                self.declare(number, service)
        for start in range(0, len(fresh), _CHUNK):
            await self._read_members(session, fresh[start : start + _CHUNK])
        for number in fresh:
            # Old members may be deleted, and are still counted.
            self.groups[number].members = counts[number]

    async def _read_members(self, session: AsyncSession, numbers: Sequence[int]) -> None:
        for number, reason, *member in (await session.exec(_newest_members(numbers))).all():
            if reason == GroupingReason.NEW_BURST and number in self.groups:
                self.groups[number].pace.is_burst = True
            self.add_member(number, Arrival(*member))

    def _neighbours(self, service: str) -> dict[str, str]:
        if service not in self._near:
            if len(self._near) > _MAX_NEAR:
                self._near.clear()
            self._near[service] = neighbours(service, self.catalogue)
        return self._near[service]


_Unresolved = tuple[int, GroupState, datetime, datetime, datetime | None, int]


async def _unresolved(session: AsyncSession) -> Sequence[_Unresolved]:
    """Number, state, opened, last alert, cleared and count of alerts of every group that is not resolved."""
    row = GroupRow
    columns: Any = (row.id, row.state, row.opened_at, row.last_alert_at, row.cleared_at, row.alerts)
    rows: Sequence[_Unresolved] = (await session.exec(select(*columns).where(GroupRow.state != GroupState.RESOLVED))).all()
    return rows


async def _declared(session: AsyncSession) -> Sequence[tuple[int, str]]:
    """Number and service of every open group that a person declared before any alert came: both have one moment."""
    columns: Any = (GroupRow.id, IncidentRow.service)
    query = (
        select(*columns)
        .join(IncidentRow, col(IncidentRow.id) == GroupRow.incident_id)
        .where(GroupRow.state != GroupState.RESOLVED, IncidentRow.service != "", IncidentRow.declared_by != "policy")
        .where(col(GroupRow.opened_at) == col(IncidentRow.declared_at), GroupRow.key == "")
    )
    rows: Sequence[tuple[int, str]] = (await session.exec(query)).all()
    return rows


def _newest_members(numbers: Sequence[int]) -> Any:  # Any: a select of so many columns has no type of its own
    """Number of the group, the reason and the fields of `Arrival`, of the newest members of these groups, the oldest first."""
    row = EpisodeRow
    read = (row.id, row.group_id, row.grouping_reason, row.source, row.name, row.service, row.fingerprint, row.group_key)
    alike = (col(row.group_id), col(row.name), col(row.service))
    place = func.row_number().over(partition_by=alike, order_by=col(row.id).desc()).label("place")
    # When it came, not when it last came again.
    ranked = columns(*map(col, read), col(row.labels), col(row.first_seen_at), place)
    newest = ranked.where(col(row.group_id).in_(numbers)).subquery().c
    fields = [newest[name] for name in ("source", "name", "service", "fingerprint", "group_key", "labels", "first_seen_at")]
    chosen = (newest.place <= _MEMBERS) | (newest.grouping_reason == GroupingReason.NEW_BURST)
    return columns(newest.group_id, newest.grouping_reason, *fields).where(chosen).order_by(newest.id)


def arrival_of(row: EpisodeRow) -> Arrival:
    """An episode as grouping sees it."""
    return Arrival(
        source=row.source,
        name=row.name,
        service=row.service,
        fingerprint=row.fingerprint,
        group_key=row.group_key,
        labels=row.labels,
        at=row.last_seen_at,
    )
