"""What stands behind the severity of a service's open incidents: its alerts, or the word of somebody rostered.

What anybody may declare must not open an exception from a freeze; and whoever declares what opens one has asked for it.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alert import Severity
from bot.core.approvals.roster import Roster
from bot.store import audit
from bot.store.db.database import Database
from bot.store.tables import EpisodeRow, GroupRow, IncidentRow

_ALERTS = (
    select(GroupRow.id, GroupRow.incident_id, EpisodeRow.severity)
    .join(EpisodeRow, col(EpisodeRow.group_id) == GroupRow.id)
    .where(
        or_(
            col(GroupRow.incident_id).in_(bindparam("incidents", expanding=True)),
            col(GroupRow.id).in_(bindparam("groups", expanding=True)),
        )
    )
    .distinct()
)


class Backing(NamedTuple):
    """The severity that counts, and who declared it where no alerts carry it."""

    severity: Severity = Severity.NONE
    declarers: frozenset[str] = frozenset()


async def severity_backing(db: Database, session: AsyncSession, roster: Roster, incidents: Sequence[IncidentRow]) -> Backing:
    """Over these open incidents: the service's, and the proposal's own. Raises ValueError for a severity that is none."""
    alerts = await _of_alerts(session, incidents)
    by_alerts = [_lesser(Severity(row.severity), worst) for row, worst in zip(incidents, alerts, strict=True)]
    worst = min(by_alerts, key=lambda severity: severity.rank, default=Severity.NONE)
    if worst.at_least(Severity.SEV2):
        return Backing(worst)
    declared = await _declared(db, session, roster, incidents)
    best = min(declared, key=lambda backing: backing.severity.rank, default=Backing())
    if best.severity.rank >= worst.rank:
        return Backing(worst)
    same = (backing.declarers for backing in declared if backing.severity is best.severity)
    return Backing(best.severity, frozenset().union(*same))


def _lesser(one: Severity, other: Severity) -> Severity:
    return max(one, other, key=lambda severity: severity.rank)


async def _of_alerts(session: AsyncSession, incidents: Sequence[IncidentRow]) -> list[Severity]:
    """The worst alert of each incident's groups, in their order; NONE for one without alerts."""
    about = {"incidents": [row.id for row in incidents], "groups": [row.group_id for row in incidents if row.group_id]}
    alerts = (await session.exec(_ALERTS, params=about)).all() if incidents else ()
    return [_worst(severity for group, of, severity in alerts if row.id == of or row.group_id == group) for row in incidents]


def _worst(severities: Iterable[str]) -> Severity:
    return min(map(Severity, severities), key=lambda severity: severity.rank, default=Severity.NONE)


async def _declared(db: Database, session: AsyncSession, roster: Roster, incidents: Sequence[IncidentRow]) -> list[Backing]:
    """What people on a rota declared, as the keyed audit has it; the row alone is no proof."""
    rows = {f"INC-{row.id}": row for row in incidents}
    declared: dict[str, Backing] = {}
    for entry in await audit.about(session, *rows):
        if entry.what == "declare" and entry.who in roster.rostered() and audit.genuine(db, entry):
            severity = _lesser(Severity(rows[entry.subject].severity), Severity(entry.after))
            declared[entry.subject] = Backing(severity, frozenset({entry.who}))
    return list(declared.values())
