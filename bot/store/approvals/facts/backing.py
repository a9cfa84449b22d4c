"""What stands behind the severity of a service's open incidents: its alerts, or the word of somebody rostered.

What anybody may declare must not open an exception from a freeze; and whoever declares what opens one has asked for it.
"""

from typing import NamedTuple

from sqlalchemy import or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alert import Severity
from bot.core.approvals.roster import Roster
from bot.core.incident import IncidentState
from bot.store import audit
from bot.store.db.database import Database
from bot.store.tables import AuditRow, EpisodeRow, GroupRow, IncidentRow


class Backing(NamedTuple):
    """The severity that counts, and who declared it where no alerts carry it."""

    severity: Severity = Severity.NONE
    declarers: frozenset[str] = frozenset()


async def severity_backing(
    db: Database, session: AsyncSession, roster: Roster, service: str, own: IncidentRow | None
) -> Backing:
    """Over the open incidents of the service and the proposal's own. Raises ValueError for a severity that is none."""
    query = select(IncidentRow).where(IncidentRow.service == service, IncidentRow.state != IncidentState.RESOLVED.value)
    rows = {row.id: row for row in (await session.exec(query)).all()}
    if own is not None and own.state != IncidentState.RESOLVED:
        rows[own.id] = own
    by_alerts = [_lesser(Severity(row.severity), await _of_alerts(session, row)) for row in rows.values()]
    declared = [backing for row in rows.values() if (backing := await _declared(db, session, roster, row)) is not None]
    worst = min(by_alerts, key=lambda severity: severity.rank, default=Severity.NONE)
    best = min(declared, key=lambda backing: backing.severity.rank, default=Backing())
    if best.severity.rank >= worst.rank or worst.at_least(Severity.SEV2):
        return Backing(worst)
    same = (backing.declarers for backing in declared if backing.severity is best.severity)
    return Backing(best.severity, frozenset().union(*same))


def _lesser(one: Severity, other: Severity) -> Severity:
    return max(one, other, key=lambda severity: severity.rank)


async def _of_alerts(session: AsyncSession, incident: IncidentRow) -> Severity:
    """The worst of the alerts of its groups; NONE without alerts."""
    groups = select(GroupRow.id).where(or_(col(GroupRow.incident_id) == incident.id, col(GroupRow.id) == incident.group_id))
    query = select(EpisodeRow.severity).where(col(EpisodeRow.group_id).in_(groups)).distinct()
    return min(map(Severity, (await session.exec(query)).all()), key=lambda severity: severity.rank, default=Severity.NONE)


async def _declared(db: Database, session: AsyncSession, roster: Roster, incident: IncidentRow) -> Backing | None:
    """What somebody rostered declared, as the keyed audit has it; the row alone is no proof."""
    query = select(AuditRow).where(AuditRow.subject == f"INC-{incident.id}", AuditRow.what == "declare")
    rows = [row for row in (await session.exec(query)).all() if row.who in roster.rostered() and audit.genuine(db, row)]
    if not rows:
        return None
    return Backing(_lesser(Severity(incident.severity), Severity(rows[-1].after)), frozenset({rows[-1].who}))
