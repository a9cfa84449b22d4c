"""Open groups that became about something new after their causes were ranked, or were opened again: another attempt is due.

Read from what is stored alone, so nothing is lost with a process: whoever asks next finds the same.
"""

from sqlalchemy import func, or_
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alerts.renewal import NEWS_UNTIL, NEWS_WITHIN, ranking_due
from bot.core.investigation.triage_state import TriageState
from bot.store.db.database import Database
from bot.store.tables import EpisodeRow, GroupRow, TriageRow
from bot.store.triage.attempts import RetryDue, attempts_of_outage, automation_stopped, last_for_a_reason, something_fires


class DueRerankings:
    """Finds them."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def due(self) -> list[RetryDue]:
        """What should be attempted anew now; the same answer until the attempt has begun."""
        async with self.db.read() as session:
            attempts = [await self._retry_due(session, *one) for one in await _renewed(session)]
        return [retry for retry in attempts if retry is not None]

    async def _retry_due(self, session: AsyncSession, group: GroupRow, last: TriageRow) -> RetryDue | None:
        earlier = select(func.count()).select_from(TriageRow).where(TriageRow.group_id == group.id, col(TriageRow.renewed))
        count = (await session.exec(earlier)).one()
        # What is new does not wait for an attempt that was made again for the outage before.
        before = last_for_a_reason(await attempts_of_outage(session, last.group_id))
        opened_again = group.opened_again_at is not None and group.opened_again_at > last.started_at
        due = ranking_due(
            self.db.clock(),
            renewed_at=max(filter(None, (group.renewed_at, group.opened_again_at))),
            last_started_at=before.started_at,
            earlier=count,
            is_news=opened_again or await _news_fires(session, group, before),
        )
        if not due or await automation_stopped(session, group):
            return None
        return RetryDue(f"AL-{group.id}", last.attempt + 1, "", "", ())


async def _news_fires(session: AsyncSession, group: GroupRow, before: TriageRow) -> bool:
    """Whether an alert fires that came since an attempt and did not fire in the group again and again before."""
    alert, past = EpisodeRow, aliased(EpisodeRow)
    fired = (
        select(func.count())
        .where(
            col(past.source) == alert.source,
            col(past.fingerprint) == alert.fingerprint,
            col(past.group_id) == alert.group_id,
            col(past.starts_at) <= alert.starts_at,
            col(past.first_seen_at) > before.started_at - NEWS_WITHIN,
        )
        .correlate(alert)
        .scalar_subquery()
    )
    new = alert.group_id == group.id, alert.status == "firing", col(alert.first_seen_at) > before.started_at
    return (await session.exec(select(alert.id).where(*new, fired <= NEWS_UNTIL).limit(1))).first() is not None


async def _renewed(session: AsyncSession) -> list[tuple[GroupRow, TriageRow]]:
    """Firing groups whose last attempt ended and began before they were about something new or opened again."""
    last = select(func.max(TriageRow.attempt)).where(TriageRow.group_id == GroupRow.id).correlate(GroupRow).scalar_subquery()
    query = (
        select(GroupRow, TriageRow)
        .join(TriageRow, col(GroupRow.id) == TriageRow.group_id)
        .where(
            something_fires(),
            or_(col(GroupRow.renewed_at) > TriageRow.started_at, col(GroupRow.opened_again_at) > TriageRow.started_at),
            TriageRow.attempt == last,
            col(TriageRow.state).in_((TriageState.DONE, TriageState.FAILED)),
        )
    )
    return [(group, triage) for group, triage in (await session.exec(query)).all()]
