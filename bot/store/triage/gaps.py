"""Checks that failed, over all groups: what the verb `gaps` gathers."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select

from bot.core.investigation.gaps import FailedCheck
from bot.store.db.database import Database
from bot.store.tables import EvidenceRow, GroupRow, TriageRow
from bot.store.triage.triage import entry_of

MAX_ROWS = 10_000
"""Failed tool calls read, the newest."""


async def failed_checks(db: Database, since: datetime, channels: Collection[str]) -> list[FailedCheck]:
    """What tool calls for groups of these channels could not check from `since` on, newest first; without invalid queries."""
    async with db.read() as session:
        query = (
            select(EvidenceRow)
            .join(GroupRow, col(GroupRow.id) == EvidenceRow.group_id)
            .where(col(EvidenceRow.at) >= since, col(EvidenceRow.blind), col(GroupRow.channel).in_(channels))
            .order_by(col(EvidenceRow.at).desc())
            .limit(MAX_ROWS)
        )
        rows = (await session.exec(query)).all()
    return [
        FailedCheck(
            group=f"AL-{row.group_id}",
            tool=row.tool,
            service=str(row.arguments.get("service") or ""),
            summary=line,
            at=row.at,
        )
        for row in rows
        for evidence in (entry_of(row).evidence,)
        if not evidence.facts.invalid_query
        for line in evidence.blind_spots
    ]


async def groups_investigated(db: Database, since: datetime, channels: Collection[str]) -> int:
    """Groups of these channels of which an investigation was begun from `since` on."""
    async with db.read() as session:
        count = select(func.count(func.distinct(TriageRow.group_id))).join(GroupRow, col(GroupRow.id) == TriageRow.group_id)
        query = count.where(col(TriageRow.started_at) >= since, col(GroupRow.channel).in_(channels))
        return int((await session.exec(query)).one())
