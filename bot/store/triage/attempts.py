"""The attempts of one group: the newest, the one that last ranked causes, and which were made by themselves."""

from collections.abc import Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.investigation.triage_state import TriageState
from bot.store.tables import TriageRow


async def newest_triage(session: AsyncSession, group_id: int | None) -> TriageRow | None:
    """The latest attempt of a group."""
    query = select(TriageRow).where(TriageRow.group_id == group_id).order_by(col(TriageRow.attempt).desc()).limit(1)
    return (await session.exec(query)).first()


async def newest_ranking(session: AsyncSession, group_id: int | None) -> TriageRow | None:
    """The latest attempt that ranked causes; while a new one runs, the one before."""
    done = TriageRow.group_id == group_id, TriageRow.state == TriageState.DONE, col(TriageRow.finished_at).is_not(None)
    query = select(TriageRow).where(*done).order_by(col(TriageRow.attempt).desc())
    return next((row for row in (await session.exec(query)).all() if row.findings), None)


async def shown_for(session: AsyncSession, attempt: TriageRow) -> TriageRow:
    """The attempt whose facts and causes people see: the last ranking, while one made by itself has none to show."""
    if attempt.findings or attempt.state == TriageState.DONE or not _made_by_itself(attempt):
        return attempt
    return await newest_ranking(session, attempt.group_id) or attempt


async def shown_triage(session: AsyncSession, group_id: int | None) -> TriageRow | None:
    """The attempt of a group whose facts and causes people see now."""
    newest = await newest_triage(session, group_id) if group_id else None
    return await shown_for(session, newest) if newest else None


def is_retry(attempt: TriageRow) -> bool:
    """Whether an attempt was made again by itself, about the same, with nothing new to go by but the time that went by."""
    return _made_by_itself(attempt) and not attempt.late_changes


def retries_of_newest_outage(attempts: Sequence[TriageRow]) -> int:
    """How many attempts of a group, oldest first, were made again by themselves for its present outage."""
    first = max((n for n, attempt in enumerate(attempts) if attempt.renewed), default=0)
    return sum(is_retry(attempt) for attempt in attempts[first:])


def _made_by_itself(attempt: TriageRow) -> bool:
    return attempt.attempt > 1 and not (attempt.renewed or attempt.question or attempt.requester)
