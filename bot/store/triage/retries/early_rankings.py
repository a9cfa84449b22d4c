"""Open groups whose causes were ranked too early, or without any metric: another attempt is due.

Read from what is stored alone, so nothing is lost with a process: whoever asks next finds the same.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import ProposalState
from bot.core.evidence import Findings, Hypothesis, stored_findings
from bot.core.investigation.early_ranking import RankedAttempt, could_query_nothing, retry_at
from bot.core.investigation.triage_facts import stored_facts
from bot.core.investigation.triage_state import RUNNING, TriageState
from bot.core.tool_calls import ToolRole, Tools, tool_for
from bot.core.verdict.merging import same_cause
from bot.store.approvals.outdated import proposals_in_force
from bot.store.db.database import Database
from bot.store.tables import EvidenceRow, GroupRow, TimelineRow, TriageRow
from bot.store.triage.attempts import RetryDue, all_attempts, automation_stopped, of_newest_outage, retries, something_fires
from bot.store.triage.ledger import entry_of

MAX_AT_ONCE = 4
"""Further attempts that run at a time."""
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
            # First rankings wait for the same turns: so many at a time.
            free = max(0, MAX_AT_ONCE - await _running(session)) if due else 0
            return [_retry(*key) for key in due if not await _must_not_retry(session, key[0])][:free]

    async def _due_at_of(self, session: AsyncSession, group_id: int, attempt: int) -> datetime | None:
        rows = await all_attempts(session, group_id)
        attempts = of_newest_outage(rows)
        last, facts = attempts[-1], stored_facts(attempts[-1].facts)
        findings = stored_findings(last.findings)
        if last.attempt != attempt or findings is None:
            return None
        if _names_likely_cause(findings, _first_before(rows[: -len(attempts)])):
            return None
        ranked = RankedAttempt(
            alert_at=(facts.alert_at if facts else None) or last.started_at,
            started_at=last.started_at,
            # Where the outage before runs on the metrics left their normal range with that one.
            onset=None if attempts[0].renewed else findings.onset or (facts.onset if facts else None),
            blind=await self._was_blind(session, last),
            retried=retries(attempts),
        )
        return retry_at(ranked)

    async def _was_blind(self, session: AsyncSession, attempt: TriageRow) -> bool:
        of_attempt = EvidenceRow.group_id == attempt.group_id, col(EvidenceRow.at) >= attempt.started_at
        query = select(EvidenceRow).where(*of_attempt, EvidenceRow.tool == self.health).order_by(col(EvidenceRow.n))
        return could_query_nothing(entry_of(row) for row in (await session.exec(query)).all())


def _first_before(attempts: Sequence[TriageRow]) -> Hypothesis | None:
    """What was first in the outage before, of its attempts, oldest first."""
    rankings = (stored_findings(row.findings) for row in reversed(attempts))
    return next((findings.first_cause for findings in rankings if findings and findings.first_cause), None)


def _names_likely_cause(findings: Findings, before: Hypothesis | None) -> bool:
    """Whether its first cause is likely and another than that of the outage before: what runs on says little of what is new."""
    likely = findings.likely_cause
    return likely is not None and not (before and same_cause(likely, before))


async def _ranked(session: AsyncSession, since: datetime) -> list[_Key]:
    """Firing groups whose last attempt ended, was made for nobody in particular, and began since then."""
    last = select(func.max(TriageRow.attempt)).where(TriageRow.group_id == GroupRow.id).correlate(GroupRow).scalar_subquery()
    query = (
        select(TriageRow.group_id, TriageRow.attempt)
        .join(GroupRow, col(GroupRow.id) == TriageRow.group_id)
        .where(
            something_fires(),
            col(GroupRow.cleared_at).is_(None),
            TriageRow.attempt == last,
            TriageRow.state == TriageState.DONE,
            col(TriageRow.started_at) >= since,
            TriageRow.question == "",
            TriageRow.requester == "",
            # About something new since: that is another reason, with waits of its own.
            or_(col(GroupRow.renewed_at).is_(None), col(GroupRow.renewed_at) <= col(TriageRow.started_at)),
        )
    )
    return [(group_id, attempt) for group_id, attempt in (await session.exec(query)).all()]


async def _must_not_retry(session: AsyncSession, group_id: int) -> bool:
    """A person stopped the bot here, gave a hint, approved a proposal or asked for one that stands: it is theirs by now."""
    group = await session.get(GroupRow, group_id)
    if group is None or await automation_stopped(session, group):
        return True
    hints = select(TimelineRow.id).where(col(TimelineRow.key).startswith(f"hint:AL-{group_id}:")).limit(1)
    if (await session.exec(hints)).first() is not None:
        return True
    return any(one.state is not ProposalState.PENDING or one.all_requesters for one in await proposals_in_force(session, group))


async def _running(session: AsyncSession) -> int:
    """How many further attempts run that nobody asked for."""
    running = col(TriageRow.state).in_(RUNNING), TriageRow.attempt > 1, TriageRow.requester == ""
    return (await session.exec(select(func.count()).select_from(TriageRow).where(*running))).one()


def _retry(group_id: int, attempt: int) -> RetryDue:
    return RetryDue(f"AL-{group_id}", attempt + 1, "", "", ())
