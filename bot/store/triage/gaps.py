"""Checks that failed, over all groups: what the verb `gaps` gathers."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select

from bot.core.actor import Visibility
from bot.core.investigation.gaps import FailedCheck
from bot.store.db.database import Database
from bot.store.db.visibility import has_visibility
from bot.store.tables import EvidenceRow, GroupRow, TriageRow
from bot.store.triage.ledger import entry_of

MAX_ROWS = 10_000
"""Failed tool calls read, the newest."""


async def failed_checks(db: Database, since: datetime, visibilities: Collection[Visibility]) -> list[FailedCheck]:
    """What tool calls could not check from `since` on, newest first; without invalid queries.

    Of groups with one of these visibilities.
    """
    async with db.read() as session:
        query = (
            select(EvidenceRow)
            .join(GroupRow, col(GroupRow.id) == EvidenceRow.group_id)
            .where(col(EvidenceRow.at) >= since, col(EvidenceRow.blind), has_visibility(GroupRow, visibilities))
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


async def groups_investigated(db: Database, since: datetime, visibilities: Collection[Visibility]) -> int:
    """Groups with one of these visibilities of which an investigation was begun from `since` on."""
    async with db.read() as session:
        count = select(func.count(func.distinct(TriageRow.group_id))).join(GroupRow, col(GroupRow.id) == TriageRow.group_id)
        query = count.where(col(TriageRow.started_at) >= since, has_visibility(GroupRow, visibilities))
        return int((await session.exec(query)).one())


async def groups_that_checked(db: Database, since: datetime, visibilities: Collection[Visibility], service: str) -> int:
    """Groups with one of these visibilities in which something of a service was checked from `since` on."""
    async with db.read() as session:
        count = select(func.count(func.distinct(EvidenceRow.group_id))).join(GroupRow, col(GroupRow.id) == EvidenceRow.group_id)
        of_service = col(EvidenceRow.arguments)["service"].as_string() == service
        query = count.where(col(EvidenceRow.at) >= since, of_service, has_visibility(GroupRow, visibilities))
        return int((await session.exec(query)).one())
