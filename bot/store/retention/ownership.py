"""Which rows belong to a group, an incident or a proposal: those of every table that names one in a column.

A new table with such a column is deleted with its owner, without a line here.
"""

import re
from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Table
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.tables import GroupRow, IncidentRow, MessageRow, ProposalRow

OWNERS = {"groups", "incidents"}
_REFERENCE = re.compile(r"\b(AL|INC|AP)-(\d+)\b")
_KEYS = {"AL": col(GroupRow.id), "INC": col(IncidentRow.id), "AP": col(ProposalRow.id)}


def owned_by(column: str) -> list[Table]:
    """The tables whose rows belong to the owner named in `column` (`group_id`, `incident_id`, `proposal_id`)."""
    tables = SQLModel.metadata.tables.values()
    return [table for table in tables if column in table.columns and table.name not in OWNERS]


def key_of(table: Table) -> Sequence[ColumnElement[object]]:
    """The columns of the primary key."""
    return list(table.primary_key.columns)


def references(message: MessageRow) -> set[tuple[str, int]]:
    """What a message is about, by its key, its thread and its subject; the text of a line names other things too."""
    texts = [message.key, message.thread_key, "" if message.kind == "line" else message.subject]
    return {(kind, int(number)) for text in texts for kind, number in _REFERENCE.findall(text)}


async def living(session: AsyncSession, named: Iterable[tuple[str, int]]) -> set[tuple[str, int]]:
    """Those of the references that still lead to a row."""
    tables = set(named)
    return {one for kind in _KEYS for one in await _existing(session, kind, [n for k, n in tables if k == kind])}


async def _existing(session: AsyncSession, kind: str, numbers: Sequence[int]) -> set[tuple[str, int]]:
    key = _KEYS[kind]
    rows = (await session.exec(select(key).where(key.in_(numbers)))).all() if numbers else []
    return {(kind, number) for number in rows if number is not None}
