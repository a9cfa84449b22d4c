"""Open groups whose causes were ranked before a change that may be one of them was reported.

Read from what is stored alone, so nothing is lost with a process: whoever asks next finds the same.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import WITHOUT_EFFECT
from bot.core.change import Change
from bot.core.changes.late_reports import (
    CHANGE_LOOKBACK,
    MAX_ATTEMPTS,
    FinishedAttempt,
    ReportedChange,
    burst_is_over,
    late_reported_changes,
)
from bot.core.changes.own_changes import own_id
from bot.core.incident import GroupState
from bot.core.investigation.triage_facts import stored_facts
from bot.core.investigation.triage_state import TriageState
from bot.core.service import Catalogue
from bot.core.tool_calls import ToolRole, Tools, tool_for
from bot.store.approvals.transitions import belongs_to
from bot.store.db.database import Database
from bot.store.tables import (
    ChangeRow,
    EpisodeRow,
    EvidenceRow,
    GroupRow,
    ProposalRow,
    TriageRow,
)
from bot.store.triage.attempts import RetryDue, all_attempts, automation_stopped
from bot.store.triage.ledger import entry_of

CLOCKS_DIFFER = timedelta(minutes=1)
"""A change reported so shortly before an attempt began is searched for in its evidence too."""
_MAX_REMEMBERED = 20_000

_Judged = tuple[int, int, int, str, datetime]
"""Group, its last attempt and number of alerts, change and its moment."""


@dataclass(frozen=True)
class _Ranked:
    """A firing group whose last attempt ended."""

    group_id: int
    attempt: int
    started_at: datetime
    alerts: int
    """The number of its alerts: a further one may be of a service whose changes did not concern this group before."""


class LateReportedChanges:
    """Finds them. A change judged irrelevant to one attempt and its alerts is not read again."""

    def __init__(self, db: Database, catalogue: Catalogue, tools: Tools) -> None:
        self.db = db
        self.catalogue = catalogue
        self.health, self.changes = tool_for(tools, ToolRole.HEALTH), tool_for(tools, ToolRole.CHANGES)
        self._irrelevant: set[_Judged] = set()

    async def due(self) -> list[RetryDue]:
        """What should be attempted anew now; the same answer until the attempt has begun."""
        now = self.db.clock()
        async with self.db.read() as session:
            newest = await _newest(session, now - CHANGE_LOOKBACK)
            ranked = await _ranked(session, newest) if newest else []
            if not ranked:
                return []
            reported_since = min(attempt.started_at for attempt in ranked) - CLOCKS_DIFFER
            reported = await _reported(session, now - CHANGE_LOOKBACK, reported_since)
            attempts = [await self._retry_due(session, triage, reported, now) for triage in ranked]
        return [retry for retry in attempts if retry is not None]

    async def _retry_due(
        self, session: AsyncSession, ranked: _Ranked, reported: Sequence[ReportedChange], now: datetime
    ) -> RetryDue | None:
        reported_since = ranked.started_at - CLOCKS_DIFFER
        fresh = [
            report
            for report in reported
            if report.received_at > reported_since and _key(ranked, report.change) not in self._irrelevant
        ]
        if not fresh:
            return None
        triages = await all_attempts(session, ranked.group_id)
        group = await session.get(GroupRow, ranked.group_id)
        last = triages[-1]
        # Facts alone are no ranking that could have missed something; a group that became worse gets its own attempt.
        if group is None or not last.findings or sum(1 for row in triages if row.late_changes) >= MAX_ATTEMPTS:
            return None
        late = late_reported_changes(fresh, await self._attempted(session, group, triages))
        self._remember(_key(ranked, report.change) for report in fresh if report not in late)
        if not burst_is_over(late, now) or await _must_not_retry(session, group):
            return None
        ids = tuple(report.change.id for report in late)
        return RetryDue(f"AL-{ranked.group_id}", ranked.attempt + 1, last.question, last.requester, ids)

    def _remember(self, judged: Iterable[_Judged]) -> None:
        if len(self._irrelevant) > _MAX_REMEMBERED:
            self._irrelevant.clear()
        self._irrelevant.update(judged)

    async def _attempted(self, session: AsyncSession, group: GroupRow, triages: Sequence[TriageRow]) -> FinishedAttempt:
        members = select(EpisodeRow.service, func.min(EpisodeRow.starts_at)).where(EpisodeRow.group_id == group.id)
        rows = (await session.exec(members.group_by(EpisodeRow.service))).all()
        alerting = {group.service, *(service for service, _ in rows)} - {""}
        checked, weighed = await self._checked(session, group.id)
        facts = stored_facts(triages[-1].facts)
        below = {name for service in alerting for name in self.catalogue.downstream(service)}
        return FinishedAttempt(
            began_at=facts.onset if facts and facts.onset else min((at for _, at in rows), default=group.opened_at),
            services=alerting | below | checked,
            weighed=weighed,
            retried_for={id for row in triages if _read_changes(row) for id in row.late_changes},
        )

    async def _checked(self, session: AsyncSession, group_id: int | None) -> tuple[Set[str], Set[tuple[str, datetime]]]:
        """The services whose health was checked, and the changes that every ranking had before it (a list of all services)."""
        tools = col(EvidenceRow.tool).in_((self.health, self.changes))
        rows = (await session.exec(select(EvidenceRow).where(EvidenceRow.group_id == group_id, tools))).all()
        listed = [entry_of(row) for row in rows if row.tool == self.changes and not row.arguments.get("service")]
        changes = {(change.id, change.at) for entry in listed for change in entry.evidence.facts.changes or ()}
        return {str(row.arguments.get("service", "")) for row in rows if row.tool == self.health} - {""}, changes


def _read_changes(attempt: TriageRow) -> bool:
    """Whether an attempt could list the changes: what it was made for and did not see is not done with."""
    facts = stored_facts(attempt.facts)
    return facts is None or facts.changes_ok


def _key(ranked: _Ranked, change: Change) -> _Judged:
    return ranked.group_id, ranked.attempt, ranked.alerts, change.id, change.at


async def _newest(session: AsyncSession, since: datetime) -> datetime | None:
    """When the newest of the changes since then was reported."""
    return (await session.exec(select(func.max(ChangeRow.received_at)).where(col(ChangeRow.at) >= since))).one()


async def _reported(session: AsyncSession, since: datetime, reported_since: datetime) -> list[ReportedChange]:
    reported = ~col(ChangeRow.id).startswith(own_id(""), autoescape=True)
    query = select(ChangeRow).where(col(ChangeRow.at) >= since, col(ChangeRow.received_at) > reported_since, reported)
    rows = (await session.exec(query)).all()
    return [ReportedChange(Change.model_validate(row.model_dump(exclude={"received_at"})), row.received_at) for row in rows]


async def _ranked(session: AsyncSession, newest: datetime) -> list[_Ranked]:
    """Firing groups whose last attempt ended and began before the newest change was reported."""
    last = select(func.max(TriageRow.attempt)).where(TriageRow.group_id == GroupRow.id).correlate(GroupRow).scalar_subquery()
    query = (
        select(TriageRow.group_id, TriageRow.attempt, TriageRow.started_at, GroupRow.alerts)
        .join(GroupRow, col(GroupRow.id) == TriageRow.group_id)
        .where(
            # Also where nothing fires in a pause of flapping: what was reported late may be the cause that is looked for.
            col(GroupRow.state).in_((GroupState.FIRING, GroupState.ACKNOWLEDGED)),
            TriageRow.attempt == last,
            TriageRow.state == TriageState.DONE,
            col(TriageRow.started_at) < newest + CLOCKS_DIFFER,
        )
    )
    return [_Ranked(*row) for row in (await session.exec(query)).all()]


async def _must_not_retry(session: AsyncSession, group: GroupRow) -> bool:
    """A proposal is open or ran, or a person stopped the bot here."""
    if await automation_stopped(session, group):
        return True
    here = belongs_to(group.id, group.incident_id)
    proposals = select(ProposalRow.id).where(here, col(ProposalRow.state).not_in(WITHOUT_EFFECT)).limit(1)
    return (await session.exec(proposals)).first() is not None
