"""Checks that failed, over all groups: what the verb `gaps` gathers."""

from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select

from bot.core.investigation.gaps import FailedCheck
from bot.store.db.database import Database
from bot.store.tables import EvidenceRow, TriageRow
from bot.store.triage.triage import entry_of

MAX_ROWS = 10_000
"""Failed tool calls read, the newest."""


async def failed_checks(db: Database, since: datetime) -> list[FailedCheck]:
    """What tool calls from `since` on could not check, newest first; without those with an invalid query."""
    async with db.read() as session:
        query = (
            select(EvidenceRow)
            .where(col(EvidenceRow.at) >= since, col(EvidenceRow.blind))
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


async def groups_investigated(db: Database, since: datetime) -> int:
    """Groups of which an investigation was begun from `since` on."""
    async with db.read() as session:
        query = select(func.count(func.distinct(TriageRow.group_id))).where(col(TriageRow.started_at) >= since)
        return int((await session.exec(query)).one())
