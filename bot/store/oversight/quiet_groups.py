"""Quiet groups: their alerts ended a while ago and no person touched them, so they close by themselves."""

from datetime import timedelta

from sqlmodel import col, select

from bot.core.incident import GroupState
from bot.store.db.database import Database
from bot.store.incidents.incidents import resolve_rows
from bot.store.tables import GroupRow, IncidentRow


async def close_quiet_groups(db: Database, after: timedelta) -> list[str]:
    """Resolve groups that cleared `after` ago and that no person touched; their references."""
    limit = db.clock() - after
    async with db.write() as session:
        query = select(GroupRow).where(
            GroupRow.state == GroupState.MONITORING,
            col(GroupRow.cleared_at) <= limit,
            col(GroupRow.human_at).is_(None),
            col(GroupRow.unconfirmed_at).is_(None),
        )
        closed = []
        for group in (await session.exec(query)).all():
            incident = await session.get(IncidentRow, group.incident_id) if group.incident_id else None
            if incident is not None and incident.human_at is not None:
                continue
            await resolve_rows(db, session, group, incident, "policy")
            closed.append(f"AL-{group.id}")
        return closed
