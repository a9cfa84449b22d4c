"""Who leads an incident and by whose word, and its deputies: the keyed audit says it, the row alone gives no right."""

from collections.abc import Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.approvals.roster import NO_ROLES, IncidentRoles
from bot.store import audit
from bot.store.db.database import Database
from bot.store.tables import AuditRow, IncidentRow

HANDED_OVER = "handed over"
SELF_ASSIGNED = "taken"
"""How the audit says that a lead was come by: from somebody who had the right to give it, or without."""


async def roles_in(db: Database, session: AsyncSession, number: int | None) -> IncidentRoles:
    """Those of an incident by its key, read in the caller's transaction; none without one."""
    return await roles_of(db, session, await session.get(IncidentRow, number) if number is not None else None)


async def roles_of(db: Database, session: AsyncSession, row: IncidentRow | None) -> IncidentRoles:
    """Those of an incident that the caller has read. How the lead was come by stands in the keyed audit alone.

    A name that the audit does not have in this role was written by somebody else than Tocsin, and gives no right.
    """
    if row is None:
        return NO_ROLES
    # The audit can only confirm what the row names: where it names nobody there is nothing to look up.
    lead = await _newest(db, session, f"INC-{row.id}", "lead") if row.lead else None
    deputies = await _newest(db, session, f"INC-{row.id}", "deputy") if row.deputies else None
    named = row.deputies if deputies is not None and deputies.after == names_of(row.deputies) else ()
    return IncidentRoles(row.lead, tuple(named), handed_over=lead is not None and lead.after == row.lead and _handed(lead))


async def _newest(db: Database, session: AsyncSession, ref: str, what: str) -> AuditRow | None:
    """The newest genuine row of the keyed audit about this role."""
    entries = [entry for entry in await audit.about(session, ref) if entry.what == what and audit.genuine(db, entry)]
    # By the moment under the hash: where a row stands is not, and a copy may stand at the end.
    return max(entries, key=lambda entry: (entry.at, entry.seq or 0), default=None)


def _handed(row: AuditRow) -> bool:
    # Rows of versions before this rule do not say it: who took the lead for themselves has it by their own right or not.
    return row.message == HANDED_OVER or (row.message == "" and row.who != row.after)


def names_of(people: Sequence[str]) -> str:
    """Deputies as the audit spells them."""
    return ", ".join(people)
