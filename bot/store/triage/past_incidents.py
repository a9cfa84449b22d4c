"""Resolved incidents whose cause a person confirmed, with what ran in them: what the tool for past incidents reads."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import ProposalState
from bot.core.history.past_incidents import Fix, PastIncident
from bot.core.history.postmortem import RAN
from bot.store.db.database import Database
from bot.store.db.visibility import has_visibility
from bot.store.incidents import causes
from bot.store.tables import EpisodeRow, IncidentRow, ProposalRow
from bot.store.triage.visibility import Recallable, visible_to

MAX_INCIDENTS = 500
"""Incidents read, the newest."""
_ENDED = tuple(state.value for state in RAN if state.final)


class PastIncidents:
    """The PastReader over the database, for an investigation of `group`: what it finds is read in that group's channel.

    `recallable` answers which of some visibilities may be named in a channel.
    """

    def __init__(self, db: Database, group: str, recallable: Recallable) -> None:
        self.db, self._group, self._recallable = db, group, recallable

    async def confirmed(self, since: datetime) -> list[PastIncident]:
        """Incidents resolved from `since` on whose cause a person confirmed, newest first, at most MAX_INCIDENTS."""
        visibilities = await visible_to(self.db, self._group, self._recallable)
        async with self.db.read() as session:
            over = col(IncidentRow.resolved_at)
            query = select(IncidentRow).where(IncidentRow.cause != "", over >= since, has_visibility(IncidentRow, visibilities))
            rows = (await session.exec(query.order_by(over.desc()).limit(MAX_INCIDENTS))).all()
            confirmed_causes = await causes.newest(session, [row.id or 0 for row in rows])
            names = await _alert_names(session, [row.group_id for row in rows if row.group_id])
            fixes = await _fixes(session, rows)
        return [
            PastIncident(
                ref=f"INC-{row.id}",
                group=f"AL-{row.group_id}" if row.group_id else "",
                title=row.title,
                service=row.service,
                alert_names=names.get(row.group_id or 0, frozenset()),
                resolved_at=row.resolved_at,
                cause=confirmed_causes[row.id],
                fixes=tuple(fixes[row.id]),
            )
            for row in rows
            if row.id in confirmed_causes and row.resolved_at
        ]


async def _alert_names(session: AsyncSession, group_ids: Sequence[int]) -> dict[int, frozenset[str]]:
    query = select(EpisodeRow.group_id, EpisodeRow.name).where(col(EpisodeRow.group_id).in_(group_ids)).distinct()
    by_group: dict[int, set[str]] = defaultdict(set)
    for group_id, name in (await session.exec(query)).all():
        by_group[group_id or 0].add(name)
    return {group_id: frozenset(names) for group_id, names in by_group.items()}


async def _fixes(session: AsyncSession, rows: Iterable[IncidentRow]) -> dict[int, list[Fix]]:
    """What ran in each incident, by the bot or by hand, and whether the signal was seen to recover."""
    of_group = {row.group_id: row.id for row in rows if row.group_id and row.id}
    ids = [row.id for row in rows]
    here = or_(col(ProposalRow.incident_id).in_(ids), col(ProposalRow.group_id).in_(list(of_group)))
    query = select(ProposalRow).where(here, col(ProposalRow.state).in_(_ENDED)).order_by(col(ProposalRow.id))
    fixes: dict[int, list[Fix]] = defaultdict(list)
    for row in (await session.exec(query)).all():
        incident = row.incident_id or of_group.get(row.group_id or 0, 0)
        fix = Fix(action=row.action, service=row.service, verified=row.state == ProposalState.SUCCEEDED)
        fixes[incident].append(fix)
    return fixes
