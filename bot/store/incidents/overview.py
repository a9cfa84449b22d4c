"""Lists of groups and incidents for people, and the subject behind one reference."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import Mapped
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.actor import Visibility
from bot.core.errors import NotFound
from bot.core.incident import number_of
from bot.core.messages.replies import ListRow
from bot.store.db.database import Database
from bot.store.db.visibility import has_visibility
from bot.store.incidents.rows import to_group
from bot.store.tables import EpisodeRow, GroupRow, IncidentRow, ProposalRow

MAX_ROWS = 500
"""Rows of each kind that a list reads."""


@dataclass(frozen=True)
class Subject:
    """A reference with its group and incident ("" where there is none), its service, channel and title."""

    ref: str
    group: str
    incident: str
    service: str
    channel: str
    title: str
    severity: str
    state: str
    private: bool = False

    @property
    def visibility(self) -> Visibility:
        """Who reads it."""
        return Visibility(self.channel, self.private)


async def subject_of(db: Database, ref: str) -> Subject:
    """The subject behind a reference. Raises NotFound."""
    async with db.read() as session:
        group, incident = await _rows(session, ref)
    row = group or incident
    if row is None:
        raise NotFound(absent(ref))
    return Subject(
        ref=ref,
        group=f"AL-{group.id}" if group else "",
        incident=f"INC-{incident.id}" if incident else "",
        service=row.service,
        channel=row.channel,
        title=row.title,
        severity=row.severity,
        state=to_group(group).state_word if group else row.state,
        private=_is_private(group, incident),
    )


class FiringAlerts(NamedTuple):
    """How many alerts of one name and service fire."""

    name: str
    service: str
    alerts: int


async def firing_alerts(db: Database, group_ref: str) -> Sequence[FiringAlerts]:
    """The alerts of a group that fire now, the worst first."""
    row, count = EpisodeRow, func.count()
    fires = row.group_id == number_of(group_ref, "AL"), row.status == "firing"
    worst_first = func.min(row.severity), count.desc(), row.name, row.service
    query = select(row.name, row.service, count).where(*fires).group_by(row.name, row.service).order_by(*worst_first)
    async with db.read() as session:
        return [FiringAlerts(*one) for one in (await session.exec(query)).all()]


def absent(ref: str) -> str:
    """The answer about what does not exist, and about what somebody may not read."""
    return f"There is no {ref[:40]} here. The verb list shows what there is."


async def visibility_of(db: Database, ref: str) -> Visibility | None:
    """Who reads a group, an incident or a proposal of one; None for anything else."""
    async with db.read() as session:
        group, incident = await _rows(session, ref)
    row = group or incident
    return Visibility(row.channel, _is_private(group, incident)) if row else None


async def visibilities(db: Database) -> Sequence[Visibility]:
    """Those that groups and incidents have."""
    query = select(GroupRow.channel, GroupRow.private).union(select(IncidentRow.channel, IncidentRow.private))
    async with db.read() as session:
        rows = (await session.exec(query)).all()  # type: ignore[call-overload]
    return [Visibility(channel, bool(private)) for channel, private in rows]


async def channels_of_open_incidents(db: Database) -> set[str]:
    """People declare incidents in whatever channel they are."""
    async with db.read() as session:
        return set((await session.exec(select(IncidentRow.channel).where(IncidentRow.state != "RESOLVED").distinct())).all())


def _is_private(*rows: GroupRow | IncidentRow | None) -> bool:
    return any(row.private for row in rows if row is not None)


async def _rows(session: AsyncSession, ref: str) -> tuple[GroupRow | None, IncidentRow | None]:
    if (number := number_of(ref, "AP")) is not None:
        proposal = await session.get(ProposalRow, number)
        group_id, incident_id = (proposal.group_id, proposal.incident_id) if proposal else (None, None)
    else:
        group_id, incident_id = number_of(ref, "AL"), number_of(ref, "INC")
    group = await session.get(GroupRow, group_id) if group_id else None
    incident_id = incident_id or (group.incident_id if group else None)
    incident = await session.get(IncidentRow, incident_id) if incident_id else None
    if group is None and incident and incident.group_id:
        group = await session.get(GroupRow, incident.group_id)
    return group, incident


@dataclass(frozen=True)
class ListCriteria:
    """Which rows a list holds: with one of these visibilities; an empty field of the others restricts nothing."""

    visibilities: Collection[Visibility]
    open_only: bool = True
    service: str = ""
    since: datetime | None = None
    assignee: str = ""
    limit: int = MAX_ROWS


async def groups(db: Database, criteria: ListCriteria) -> list[ListRow]:
    """Alert groups, the worst and newest first."""
    query = select(GroupRow, IncidentRow).outerjoin(IncidentRow, col(IncidentRow.id) == GroupRow.incident_id)
    by_person = (col(GroupRow.acknowledged_by) == criteria.assignee) | (col(IncidentRow.lead) == criteria.assignee)
    query = query.where(*_fitting(criteria, GroupRow, col(GroupRow.opened_at), by_person))
    query = query.order_by(col(GroupRow.severity), col(GroupRow.id).desc()).limit(criteria.limit)
    async with db.read() as session:
        return [_group_row(group, incident) for group, incident in (await session.exec(query)).all()]


async def bare_incidents(db: Database, criteria: ListCriteria) -> list[ListRow]:
    """Incidents that people declared without an alert group, the worst and newest first."""
    query = select(IncidentRow).where(col(IncidentRow.group_id).is_(None))
    query = query.where(
        *_fitting(criteria, IncidentRow, col(IncidentRow.declared_at), col(IncidentRow.lead) == criteria.assignee)
    )
    query = query.order_by(col(IncidentRow.severity), col(IncidentRow.id).desc()).limit(criteria.limit)
    async with db.read() as session:
        return [_incident_row(row) for row in (await session.exec(query)).all()]


async def open_rows(db: Database, visibilities: Collection[Visibility]) -> list[ListRow]:
    """What is open and has one of these visibilities: groups, and incidents without one; the worst and newest first."""
    criteria = ListCriteria(visibilities)
    return by_severity([*await groups(db, criteria), *await bare_incidents(db, criteria)])


def by_severity(rows: Iterable[ListRow]) -> list[ListRow]:
    """Groups and bare incidents in one list; where severities are the same, they keep the order in which they come."""
    return sorted(rows, key=lambda row: row.severity)


def _fitting(
    criteria: ListCriteria,
    table: type[GroupRow] | type[IncidentRow],
    began_at: Mapped[datetime],
    by_person: ColumnElement[bool],
) -> Iterator[ColumnElement[bool]]:
    yield has_visibility(table, criteria.visibilities)
    if criteria.open_only:
        yield col(table.state) != "RESOLVED"
    if criteria.service:
        yield col(table.service) == criteria.service
    if criteria.since:
        yield began_at >= criteria.since
    if criteria.assignee:
        yield by_person


def _group_row(group: GroupRow, incident: IncidentRow | None) -> ListRow:
    return ListRow(
        ref=f"AL-{group.id}",
        incident=f"INC-{incident.id}" if incident else "",
        title=group.title,
        service=group.service,
        severity=group.severity,
        state=to_group(group).state_word,
        assignee=(incident.lead if incident else "") or group.acknowledged_by,
        opened_at=group.opened_at,
    )


def _incident_row(row: IncidentRow) -> ListRow:
    return ListRow(
        ref=f"INC-{row.id}",
        title=row.title,
        service=row.service,
        severity=row.severity,
        state=row.state,
        assignee=row.lead,
        opened_at=row.declared_at,
    )
