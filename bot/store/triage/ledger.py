"""The ledger of evidence as rows: what each tool call of a group brought, under the number by which claims cite it."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import bindparam, case, func, insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import NotFound, UnreadableEvidence
from bot.core.evidence import Evidence, LedgerEntry, failed_to_read, parse_entry
from bot.core.incident import number_of
from bot.core.investigation.triage_state import RUNNING
from bot.store import messages
from bot.store.db.database import Database
from bot.store.tables import EvidenceRow, GroupRow
from bot.store.triage.attempts import stored_attempt

log = structlog.get_logger(__name__)

_NUMBERS = select(func.max(EvidenceRow.n), func.max(case((col(EvidenceRow.key) == bindparam("key"), EvidenceRow.n)))).where(
    EvidenceRow.group_id == bindparam("number")
)
"""The newest number of a group's ledger, and that of the tool call with this key."""
_ADD = insert(EvidenceRow)
_CALLS = (
    select(EvidenceRow.n, EvidenceRow.arguments)
    .where(
        col(EvidenceRow.group_id) == bindparam("number"),
        col(EvidenceRow.tool) == bindparam("tool"),
        col(EvidenceRow.at) >= bindparam("since"),
    )
    .order_by(col(EvidenceRow.n))
)


def group_number(ref: str) -> int:
    """The key behind `AL-3`; raises NotFound."""
    if (number := number_of(ref, "AL")) is None:
        raise NotFound(f"{ref} is not an alert group (AL-n)")
    return number


class EvidenceLedger:
    """Adds evidence and reads it."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def record(
        self, group: str, tool: str, arguments: Mapping[str, object], call: str, evidence: Evidence, *, attempt: int = 0
    ) -> LedgerEntry:
        """Give a finding its `E<n>`. The same tool, arguments and call recorded again (after a crash) is the same row.

        With an `attempt` it is one of the checks that the message of that attempt counts. Raises RuntimeError where other
        writers take each number before it.
        """
        number = group_number(group)
        key = _evidence_key(tool, arguments, call)
        for _ in range(8):
            try:
                async with self.db.write() as session:
                    entry = await self._record(session, number, key, tool, arguments, evidence, attempt)
                    if attempt:
                        await messages.refresh(self.db, session, f"triage:{group}")
                    return entry
            except IntegrityError:
                continue  # two tool calls of one group took the same number on PostgreSQL: take the next
        raise RuntimeError(f"no free evidence number in {group} after 8 tries")

    async def _record(
        self,
        session: AsyncSession,
        number: int,
        key: str,
        tool: str,
        arguments: Mapping[str, object],
        evidence: Evidence,
        attempt: int,
    ) -> LedgerEntry:
        connection = await session.connection()
        newest, same = (await connection.execute(_NUMBERS, {"number": number, "key": key})).one()
        if same is not None:
            query = select(EvidenceRow).where(EvidenceRow.group_id == number, EvidenceRow.n == same)
            return entry_of((await session.exec(query)).one())
        row: dict[str, Any] = {
            "group_id": number,
            "n": (newest or 0) + 1,
            "key": key,
            "attempt": attempt,
            "tool": tool,
            "arguments": dict(arguments),
            "at": self.db.clock(),
            "evidence": evidence.model_dump(mode="json"),
            "blind": bool(evidence.blind_spots),
        }
        await connection.execute(_ADD, row)
        id = f"E{row['n']}"
        return LedgerEntry(id=id, group=f"AL-{number}", tool=tool, arguments=row["arguments"], at=row["at"], evidence=evidence)

    async def entries(self, group: str) -> list[LedgerEntry]:
        """The evidence on what a group is about now, oldest first: what was recorded of an outage before says nothing of it.

        While an attempt runs that began before the group was renewed once more, what it is about counts: all that it recorded.
        """
        async with self.db.read() as session:
            row = await session.get(GroupRow, group_number(group))
            query = select(EvidenceRow).where(EvidenceRow.group_id == group_number(group)).order_by(col(EvidenceRow.n))
            if row is not None and row.renewed_at is not None:
                newest = await stored_attempt(session, group_number(group))
                began = newest.started_at if newest is not None and newest.state in RUNNING else row.renewed_at
                query = query.where(EvidenceRow.at >= min(row.renewed_at, began))
            return [entry_of(entry) for entry in (await session.exec(query)).all()]

    async def attempt_entries(
        self, group: str, attempt: int, analyst_call: Callable[[str, Mapping[str, object]], str]
    ) -> tuple[list[LedgerEntry], list[LedgerEntry]]:
        """What the analyst recorded in one attempt, and what a model did, oldest first.

        `analyst_call(tool, arguments)`: the name that the analyst's call would have there.
        """
        async with self.db.read() as session:
            query = select(EvidenceRow).where(EvidenceRow.group_id == group_number(group)).order_by(col(EvidenceRow.n))
            rows = (await session.exec(query)).all()
        by_analyst = [r for r in rows if r.key == _evidence_key(r.tool, r.arguments, analyst_call(r.tool, r.arguments))]
        return [entry_of(row) for row in by_analyst], [entry_of(row) for row in rows if row.attempt == attempt]

    async def calls_of(self, group: str, tool: str, *, since: datetime) -> list[tuple[int, dict[str, object]]]:
        """The numbers and arguments of one tool's evidence from `since` on, oldest first; `entry` reads what it holds."""
        rows = await self.db.rows(_CALLS, number=group_number(group), tool=tool, since=since)
        return [(int(str(n)), arguments) for n, arguments in rows if isinstance(arguments, dict)]

    async def entry(self, group: str, number: int) -> LedgerEntry:
        """The evidence `E<number>` of one group."""
        query = select(EvidenceRow).where(EvidenceRow.group_id == group_number(group), EvidenceRow.n == number)
        async with self.db.read() as session:
            return entry_of((await session.exec(query)).one())


def _evidence_key(tool: str, arguments: Mapping[str, object], call: str) -> str:
    return hashlib.sha256(json.dumps([tool, dict(arguments), call], sort_keys=True, default=str).encode()).hexdigest()[:32]


def entry_of(row: EvidenceRow) -> LedgerEntry:
    """A row as our noun; a failed check where its evidence cannot be read."""
    stored = {
        "id": f"E{row.n}",
        "group": f"AL-{row.group_id}",
        "tool": row.tool,
        "arguments": row.arguments,
        "at": row.at,
        "evidence": row.evidence,
    }
    try:
        return parse_entry(stored)
    except UnreadableEvidence as error:
        log.warning("stored evidence could not be read", group=stored["group"], evidence=stored["id"], why=str(error))
        return failed_to_read(stored, error)
