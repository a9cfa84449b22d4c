"""Rows of alert groups and incidents as nouns, one by its reference or the newest of many."""

from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.incident import AlertGroup, Incident, number_of
from bot.store.tables import GroupRow, IncidentRow


def to_group(row: GroupRow) -> AlertGroup:
    """A row as the noun of bot.core."""
    incident = f"INC-{row.incident_id}" if row.incident_id else ""
    return AlertGroup.model_validate({**row.model_dump(), "ref": f"AL-{row.id}", "incident": incident})


def to_incident(row: IncidentRow) -> Incident:
    """A row as the noun of bot.core."""
    group = f"AL-{row.group_id}" if row.group_id else ""
    return Incident.model_validate({**row.model_dump(), "ref": f"INC-{row.id}", "group": group})


async def load_group(session: AsyncSession, ref: str) -> AlertGroup | None:
    """`AL-n` in any case; None if there is none."""
    row = await session.get(GroupRow, number_of(ref, "AL") or 0)
    return to_group(row) if row else None


async def load_incident(session: AsyncSession, ref: str) -> Incident | None:
    """`INC-n` in any case; None if there is none."""
    row = await session.get(IncidentRow, number_of(ref, "INC") or 0)
    return to_incident(row) if row else None


async def newest_incidents(
    session: AsyncSession,
    state: str | None = None,
    service: str | None = None,
    since: datetime | None = None,
    *,
    public_only: bool = False,
) -> list[Incident]:
    """Incidents, newest first, at most 500. `state` "open" means not resolved."""
    query = select(IncidentRow).order_by(col(IncidentRow.id).desc())
    if public_only:
        query = query.where(col(IncidentRow.private).is_(False))
    if state:
        query = (
            query.where(IncidentRow.state != "RESOLVED") if state == "open" else query.where(IncidentRow.state == state.upper())
        )
    if service:
        query = query.where(IncidentRow.service == service)
    if since:
        query = query.where(col(IncidentRow.declared_at) >= since)
    return [to_incident(row) for row in (await session.exec(query.limit(500))).all()]


async def newest_public_groups(session: AsyncSession, state: str = "", service: str = "") -> list[AlertGroup]:
    """Alert groups that are not private, newest first, at most 500. `state` "open" means not resolved."""
    query = select(GroupRow).where(col(GroupRow.private).is_(False)).order_by(col(GroupRow.id).desc())
    if state:
        query = query.where(GroupRow.state != "RESOLVED") if state == "open" else query.where(GroupRow.state == state.upper())
    if service:
        query = query.where(GroupRow.service == service)
    return [to_group(row) for row in (await session.exec(query.limit(500))).all()]
