"""Open groups whose causes were ranked too early, or without any metric: another attempt is due.

Read from what is stored alone, so nothing is lost with a process: whoever asks next finds the same.
"""

from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import ProposalState
from bot.core.evidence import Findings
from bot.core.incident import GroupState
from bot.core.investigation.early_ranking import RankedAttempt, retry_at
from bot.core.investigation.triage_facts import stored_facts
from bot.core.investigation.triage_state import TriageState
from bot.core.tool_calls import ToolRole, Tools, tool_for
from bot.store.approvals.outdated import proposals_in_force
from bot.store.db.database import Database
from bot.store.tables import EvidenceRow, GroupRow, TriageRow
from bot.store.triage.attempts import retries_of_newest_outage
from bot.store.triage.late_changes import RetryDue, automation_stopped
from bot.store.triage.triage import entry_of

_LOOKBACK = timedelta(hours=1)
"""Older attempts are not made again: the longest wait is over by then."""

_Key = tuple[int, int]
"""Group and attempt."""


class EarlyRankings:
    """Finds them. When an attempt is due is worked out once: what it knew does not change."""

    def __init__(self, db: Database, tools: Tools) -> None:
        self.db = db
        self.health = tool_for(tools, ToolRole.HEALTH)
        self._due_at: dict[_Key, datetime | None] = {}

    async def due(self) -> list[RetryDue]:
        """What should be attempted anew now; the same answer until the attempt has begun."""
        now = self.db.clock()
        async with self.db.read() as session:
            worked_out, self._due_at = self._due_at, {}
            for key in await _ranked(session, now - _LOOKBACK):
                self._due_at[key] = worked_out[key] if key in worked_out else await self._due_at_of(session, *key)
            due = [key for key, at in self._due_at.items() if at is not None and at <= now]
            return [_retry(*key) for key in due if not await _must_not_retry(session, key[0])]

    async def _due_at_of(self, session: AsyncSession, group_id: int, attempt: int) -> datetime | None:
        query = select(TriageRow).where(TriageRow.group_id == group_id).order_by(col(TriageRow.attempt))
        attempts = [row for row in (await session.exec(query)).all() if row.attempt <= attempt]
        last, facts = attempts[-1], stored_facts(attempts[-1].facts)
        if not last.findings:
            return None
        findings = Findings.model_validate(last.findings)
        first = next(iter(findings.hypotheses), None)
        ranked = RankedAttempt(
            alert_at=(facts.alert_at if facts else None) or last.started_at,
            started_at=last.started_at,
            onset=findings.onset or (facts.onset if facts else None),
            likely=first is not None and first.confidence == "likely",
            blind=await self._was_blind(session, last),
            retried=retries_of_newest_outage(attempts),
        )
        return retry_at(ranked)

    async def _was_blind(self, session: AsyncSession, attempt: TriageRow) -> bool:
        of_attempt = EvidenceRow.group_id == attempt.group_id, col(EvidenceRow.at) >= attempt.started_at
        query = select(EvidenceRow).where(*of_attempt, EvidenceRow.tool == self.health)
        checked = [entry_of(row).evidence.ok for row in (await session.exec(query)).all()]
        return bool(checked) and not any(checked)


async def _ranked(session: AsyncSession, since: datetime) -> list[_Key]:
    """Firing groups whose last attempt ended, was made for nobody in particular, and began since then."""
    last = select(func.max(TriageRow.attempt)).where(TriageRow.group_id == GroupRow.id).correlate(GroupRow).scalar_subquery()
    query = (
        select(TriageRow.group_id, TriageRow.attempt)
        .join(GroupRow, col(GroupRow.id) == TriageRow.group_id)
        .where(
            col(GroupRow.state).in_((GroupState.FIRING, GroupState.ACKNOWLEDGED)),
            col(GroupRow.cleared_at).is_(None),
            TriageRow.attempt == last,
            TriageRow.state == TriageState.DONE,
            col(TriageRow.started_at) >= since,
            TriageRow.question == "",
            TriageRow.requester == "",
        )
    )
    return [(group_id, attempt) for group_id, attempt in (await session.exec(query)).all()]


async def _must_not_retry(session: AsyncSession, group_id: int) -> bool:
    """A person stopped the bot here, or somebody decided on a proposal, or asked for one: it is theirs by now."""
    group = await session.get(GroupRow, group_id)
    if group is None or await automation_stopped(session, group):
        return True
    return any(one.state is not ProposalState.PENDING or one.all_requesters for one in await proposals_in_force(session, group))


def _retry(group_id: int, attempt: int) -> RetryDue:
    return RetryDue(f"AL-{group_id}", attempt + 1, "", "", ())
