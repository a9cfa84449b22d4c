"""What was changed while an outage runs, recorded: a line in the thread of its group, and an entry of its timeline.

Read from what is stored alone, and each entry has a key of its own: after a kill the rest is recorded, nothing twice.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence, Set
from datetime import timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.change import Change
from bot.core.changes.during_outage import MAX_LINES, RunningOutage, change_line, made_during
from bot.core.changes.late_reports import CHANGE_LOOKBACK
from bot.core.changes.own_changes import REPORTED_WITHIN, with_own
from bot.core.evidence import stored_findings
from bot.core.incident import GroupState
from bot.core.timeline import EntryKind
from bot.store import timeline
from bot.store.alerts.groups import add_line
from bot.store.db.database import Database
from bot.store.tables import ChangeRow, EpisodeRow, GroupRow, TimelineRow, TriageRow
from bot.store.triage.changes import runs_since

REPORTED_LATELY = timedelta(minutes=10)
"""A change is looked at for so long after it was reported; a process that was away for longer leaves it to the next triage."""
_RUNNING = frozenset({GroupState.FIRING, GroupState.ACKNOWLEDGED})


class ChangesDuringOutages:
    """Finds and records them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def record(self) -> None:
        """Every change of the last minutes that was made to a service of a running outage and is not in its timeline yet."""
        async with self._db.read() as session:
            changes = await _reported_lately(self._db, session)
            unrecorded = await _unrecorded(session, changes) if changes else {}
        if not unrecorded:
            return
        async with self._db.write() as session:
            for group_id, changed in unrecorded.items():
                group = await session.get(GroupRow, group_id, with_for_update=True)
                if group is not None and GroupState(group.state) in _RUNNING:
                    await self._record(session, group, *changed)

    async def _record(self, session: AsyncSession, group: GroupRow, outage: RunningOutage, changes: Sequence[Change]) -> None:
        recorded = len(await _recorded(session, [group.id or 0]))
        for n, change in enumerate(changes, recorded):
            text = change_line(change, outage)
            await timeline.add(
                self._db,
                session,
                EntryKind.CHANGE,
                text,
                group_id=group.id,
                incident_id=group.incident_id,
                at=change.at,
                link=change.link,
                key=_key(group.id, change),
            )
            # A storm's card has one thread for hundreds of groups.
            if n < MAX_LINES and not group.on_storm_card:
                await add_line(self._db, session, group, f"changed:{change.id}", text)


async def _reported_lately(db: Database, session: AsyncSession) -> list[Change]:
    now = db.clock()
    lately = col(ChangeRow.at) > now - CHANGE_LOOKBACK, col(ChangeRow.received_at) > now - REPORTED_LATELY
    rows = (await session.exec(select(ChangeRow).where(*lately))).all()
    changes = [Change.model_validate(row.model_dump(exclude={"received_at"})) for row in rows]
    return with_own(changes, await runs_since(session, now - CHANGE_LOOKBACK - REPORTED_WITHIN)) if changes else []


async def _unrecorded(session: AsyncSession, changes: Sequence[Change]) -> dict[int, tuple[RunningOutage, list[Change]]]:
    """By group: its outage, and what was changed during it and is not recorded."""
    outages = await _outages(session, {change.service for change in changes})
    made = {group: (outage, made_during(changes, outage)) for group, outage in outages.items()}
    recorded = await _recorded(session, [group for group, (_, changed) in made.items() if changed])
    unrecorded = {
        group: (outage, [one for one in changed if _key(group, one) not in recorded])
        for group, (outage, changed) in made.items()
    }
    return {group: one for group, one in unrecorded.items() if one[1]}


async def _outages(session: AsyncSession, services: Collection[str]) -> dict[int, RunningOutage]:
    """The running outages in which one of these services fires or is suspected."""
    failing = await _failing(session, services)
    suspects = await _suspects(session, services)
    groups = (await session.exec(select(GroupRow).where(col(GroupRow.id).in_({*failing, *suspects})))).all()
    return {
        id: RunningOutage(group.renewed_at or group.opened_at, failing.get(id, frozenset()), suspects.get(id, ""))
        for group in groups
        if (id := group.id) is not None
    }


async def _failing(session: AsyncSession, services: Collection[str]) -> Mapping[int, Set[str]]:
    """By group, those of `services` whose alerts fire."""
    fires = col(EpisodeRow.service).in_(services), EpisodeRow.status == "firing", col(GroupRow.state).in_(_RUNNING)
    query = select(EpisodeRow.group_id, EpisodeRow.service).join(GroupRow, col(GroupRow.id) == EpisodeRow.group_id)
    failing: dict[int, set[str]] = defaultdict(set)
    for group, service in (await session.exec(query.where(*fires).distinct())).all():
        if group is not None:
            failing[group].add(service)
    return failing


async def _suspects(session: AsyncSession, services: Collection[str]) -> Mapping[int, str]:
    """By group, the service of the first cause of its newest ranking, where it is one of `services`."""
    running = col(GroupRow.state).in_(_RUNNING), GroupRow.on_storm_card == "", col(TriageRow.finished_at).is_not(None)
    query = select(TriageRow).join(GroupRow, col(GroupRow.id) == TriageRow.group_id).where(*running)
    rows = (await session.exec(query.order_by(col(TriageRow.attempt)))).all()
    newest = {row.group_id: findings for row in rows if (findings := stored_findings(row.findings))}
    causes = {group: findings.first_cause for group, findings in newest.items()}
    suspected = {group: one.service for group, one in causes.items() if one and one.confidence != "unlikely"}
    return {group: service for group, service in suspected.items() if service in services}


async def _recorded(session: AsyncSession, groups: Collection[int]) -> Set[str]:
    """The keys of the changes that the timelines of these groups hold."""
    query = select(TimelineRow.key).where(col(TimelineRow.group_id).in_(groups), TimelineRow.kind == EntryKind.CHANGE)
    return {key for key in (await session.exec(query)).all() if key}


def _key(group: int | None, change: Change) -> str:
    return f"change:AL-{group}:{change.id}"
