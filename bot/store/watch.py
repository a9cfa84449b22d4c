"""What the ticks look for: things that should have happened and did not."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alert import Severity
from bot.store.database import Database
from bot.store.tables import (
    AlertRow,
    AttemptRow,
    CursorRow,
    EpisodeRow,
    GroupRow,
    HeartbeatRow,
    MessageRow,
    ProposalRow,
    TriageRow,
)

WORST = (Severity.SEV1.value, Severity.SEV2.value)


class Watch:
    """Queries of the pager, heartbeat and auditor ticks."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def unacknowledged(self, older_than: timedelta) -> list[GroupRow]:
        """Firing SEV1/2 groups that nobody took for this long."""
        limit = self.db.clock() - older_than
        async with self.db.read() as session:
            query = select(GroupRow).where(
                GroupRow.state == "FIRING", col(GroupRow.severity).in_(WORST), col(GroupRow.opened_at) <= limit
            )
            return list((await session.exec(query)).all())

    async def unacknowledged_keys(self) -> set[str]:
        """References of all groups that still wait for somebody."""
        async with self.db.read() as session:
            return {f"AL-{id}" for id in (await session.exec(select(GroupRow.id).where(GroupRow.state == "FIRING"))).all()}

    async def oldest_undelivered(self) -> datetime | None:
        """When the oldest message that Slack has not taken was last wanted; first posts only."""
        async with self.db.read() as session:
            query = select(func.min(MessageRow.created_at)).where(
                MessageRow.sent_rev == 0, col(MessageRow.kind).in_(("card", "storm", "incident_card", "proposal"))
            )
            found: datetime | None = (await session.exec(query)).one()
            return found

    async def beats_missed(self) -> list[HeartbeatRow]:
        """Heartbeats that were missed twice."""
        now = self.db.clock()
        async with self.db.read() as session:
            rows = (await session.exec(select(HeartbeatRow))).all()
            return [row for row in rows if now - row.last_seen_at > timedelta(seconds=2 * row.every_seconds)]

    async def alarms(self, promise: timedelta = timedelta(seconds=60)) -> list[str]:
        """The auditor: what every stored alert should have by now and has not, in words."""
        limit = self.db.clock() - promise
        async with self.db.read() as session:
            checks = (
                await _unread(session, limit),
                await _without_group(session, limit),
                await _without_card(session, limit),
                await _without_triage(session, limit),
                await _unknown_attempts(session, limit),
            )
        return [text for text in checks if text]


async def _count(session: AsyncSession, query: Any) -> int:
    return int((await session.exec(query)).one())


async def _unread(session: AsyncSession, limit: datetime) -> str:
    cursor = (await session.exec(select(CursorRow.seq).where(CursorRow.name == "inbox"))).first() or 0
    query = select(func.count()).select_from(AlertRow).where(col(AlertRow.seq) > cursor, col(AlertRow.received_at) < limit)
    count = await _count(session, query)
    return f"{count} stored alerts were not read by the inbox" if count else ""


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
    return f"{count} firing alerts are in no group and not muted" if count else ""


async def _without_card(session: AsyncSession, limit: datetime) -> str:
    keys = select(MessageRow.key).where(MessageRow.sent_rev > 0)
    query = select(GroupRow).where(col(GroupRow.opened_at) < limit, GroupRow.state != "RESOLVED", GroupRow.on_storm_card == "")
    shown = set((await session.exec(keys)).all())
    missing = [f"AL-{g.id}" for g in (await session.exec(query)).all() if f"card:AL-{g.id}" not in shown]
    return f"no card stands in Slack for {', '.join(missing[:5])}" if missing else ""


async def _without_triage(session: AsyncSession, limit: datetime) -> str:
    begun = select(TriageRow.group_id)
    query = select(GroupRow.id).where(
        col(GroupRow.opened_at) < limit, GroupRow.state == "FIRING", col(GroupRow.id).not_in(begun)
    )
    missing = [f"AL-{id}" for id in (await session.exec(query)).all()]
    return f"no triage was started for {', '.join(missing[:5])}" if missing else ""


async def _unknown_attempts(session: AsyncSession, limit: datetime) -> str:
    query = (
        select(AttemptRow.proposal_id)
        .join(ProposalRow, col(ProposalRow.id) == AttemptRow.proposal_id)
        .where(AttemptRow.state == "started", col(AttemptRow.at) < limit, ProposalRow.state == "executing")
    )
    stuck = [f"AP-{id}" for id in (await session.exec(query)).all()]
    return f"an action has neither outcome nor question: {', '.join(stuck[:5])}" if stuck else ""
