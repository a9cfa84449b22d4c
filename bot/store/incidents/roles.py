"""Deputies of an incident: named by whoever leads, from rostered people; they end with it."""

from sqlalchemy import update
from sqlmodel import col

from bot.core.approvals.roster import IncidentRoles
from bot.core.errors import NotFound
from bot.core.incident import number_of
from bot.core.timeline import EntryKind
from bot.store import audit, messages, timeline
from bot.store.approvals.context.incident_roles import names_of, roles_in
from bot.store.db.database import Database
from bot.store.tables import IncidentRow


async def name_deputy(db: Database, ref: str, person: str, by: str) -> None:
    """Add a deputy to `INC-n`. Raises NotFound. Rights come from the roster alone; whoever is not on it gains none."""
    number = number_of(ref, "INC")
    async with db.write() as session:
        row = await session.get(IncidentRow, number, with_for_update=True) if number is not None else None
        if row is None:
            raise NotFound(f"There is no incident {ref}.")
        before = list(row.deputies)
        deputies = [*before, person] if person not in before else before
        values = {"deputies": deputies, "rev": row.rev + 1, "human_at": db.clock()}
        await session.exec(update(IncidentRow).where(col(IncidentRow.id) == number).values(**values))
        await audit.append(db, session, who=by, what="deputy", subject=ref, before=names_of(before), after=names_of(deputies))
        text = f"{person} is deputy of {ref}, named by {by}"
        await timeline.add(db, session, EntryKind.INCIDENT, text, group_id=row.group_id, incident_id=number, who=by)
        await messages.refresh(db, session, f"card:AL-{row.group_id}" if row.group_id else f"card:{ref}")


async def roles_of(db: Database, ref: str) -> IncidentRoles:
    """Who leads `INC-n` and its deputies; nobody for anything else."""
    async with db.read() as session:
        return await roles_in(db, session, number_of(ref, "INC"))
