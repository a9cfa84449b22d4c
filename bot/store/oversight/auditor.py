"""The auditor: what every stored alert should have by now and has not."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import String, and_, cast, func, literal, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from bot.core.action import ATTEMPT_STARTED, ProposalState
from bot.core.text.untrusted import counted
from bot.store.db.database import Database
from bot.store.oversight.paging import waits_for_slack
from bot.store.tables import AlertRow, AttemptRow, CursorRow, EpisodeRow, GroupRow, MessageRow, ProposalRow, TriageRow

NAMED = 5
TOO_OFTEN = 5
"""Failures of one card, while other messages are sent, from which on it is this card's own failure."""


async def alarms(db: Database, promise: timedelta = timedelta(seconds=60)) -> list[str]:
    """What is missing of alerts that were stored longer ago than `promise`, in words; empty: nothing."""
    limit = db.clock() - promise
    async with db.read() as session:
        checks = (
            await _unread(session, limit),
            await _without_group(session, limit),
            await _without_card(session, limit),
            await _without_triage(session, limit),
            await _unknown_attempts(session, limit),
        )
    return [text for text in checks if text]


def _named(refs: Sequence[str]) -> str:
    return ", ".join(refs[:NAMED]) + (" and others" if len(refs) > NAMED else "")


async def _count(session: AsyncSession, query: SelectOfScalar[int]) -> int:
    return int((await session.exec(query)).one())


async def _unread(session: AsyncSession, limit: datetime) -> str:
    cursor = (await session.exec(select(CursorRow.seq).where(CursorRow.name == "inbox"))).first() or 0
    query = select(func.count()).select_from(AlertRow).where(col(AlertRow.seq) > cursor, col(AlertRow.received_at) < limit)
    count = await _count(session, query)
    return f"the inbox did not read {counted(count, 'stored alert')}" if count else ""


async def _without_group(session: AsyncSession, limit: datetime) -> str:
    query = (
        select(func.count())
        .select_from(EpisodeRow)
        .where(
            col(EpisodeRow.group_id).is_(None),
            EpisodeRow.muted_by == "",
            EpisodeRow.status == "firing",
            col(EpisodeRow.first_seen_at) < limit,
        )
    )
    count = await _count(session, query)
    return f"not in a group and not muted: {counted(count, 'firing alert')}" if count else ""


async def _without_card(session: AsyncSession, limit: datetime) -> str:
    """Groups whose card was never wanted, was not tried while nothing is sent, or fails while others are sent.

    A card that Slack refuses, or does not take like all the others, is reported as such. One that comes out of a storm
    is younger than its group, and waits its turn in a channel that takes one message a second.
    """
    last = (await session.exec(select(func.max(MessageRow.sent_at)))).one()
    failures = col(MessageRow.failures)
    stuck = failures == 0 if last is None or last < limit else failures >= TOO_OFTEN
    query = (
        select(GroupRow.id)
        .outerjoin(MessageRow, col(MessageRow.key) == literal("card:AL-") + cast(GroupRow.id, String))
        .where(col(GroupRow.opened_at) < limit, GroupRow.state != "RESOLVED", GroupRow.on_storm_card == "")
        .where(or_(col(MessageRow.key).is_(None), and_(waits_for_slack(), col(MessageRow.created_at) < limit, stuck)))
        .order_by(col(GroupRow.id))
        .limit(NAMED + 1)
    )
    missing = [f"AL-{id}" for id in (await session.exec(query)).all()]
    return f"no card stands in Slack for {_named(missing)}" if missing else ""


async def _without_triage(session: AsyncSession, limit: datetime) -> str:
    begun = select(TriageRow.group_id)
    query = select(GroupRow.id).where(
        col(GroupRow.opened_at) < limit, GroupRow.state == "FIRING", col(GroupRow.id).not_in(begun)
    )
    missing = [f"AL-{id}" for id in (await session.exec(query)).all()]
    return f"no triage was started for {_named(missing)}" if missing else ""


async def _unknown_attempts(session: AsyncSession, limit: datetime) -> str:
    query = (
        select(AttemptRow.proposal_id)
        .join(ProposalRow, col(ProposalRow.id) == AttemptRow.proposal_id)
        .where(AttemptRow.state == ATTEMPT_STARTED, col(AttemptRow.at) < limit, ProposalRow.state == ProposalState.EXECUTING)
    )
    stuck = [f"AP-{id}" for id in (await session.exec(query)).all()]
    return f"an action has neither outcome nor question: {_named(stuck)}" if stuck else ""
