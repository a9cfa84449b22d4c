"""One commit of intake as rows: alerts, repeats and changes, inserted by what each database takes fastest.

Bulk inserts: the ORM costs eighty times as much a row.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Insert, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alert import Alert
from bot.store.db import locks
from bot.store.db.columns import compact_json, moment_text
from bot.store.db.database import Database
from bot.store.db.in_loop import in_thread
from bot.store.tables import AlertRow, ChangeRow, RepeatRow

_COLUMNS = ("seq", *Alert.model_fields, "received_at")
_INSERT = f"INSERT INTO alerts ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
_INSERT_REPEATS = 'INSERT INTO repeats (source, received_at, "after", alerts) VALUES (?, ?, ?, ?)'
_NEWEST_NUMBER = "SELECT seq FROM sqlite_sequence WHERE name = 'alerts'"
"""SQLite takes values as they are, for a third of what SQLAlchemy's statement costs a row."""


@dataclass
class Batch:
    """What one delivery holds, and the future that its request waits for."""

    source: str
    alerts: Sequence[Alert]
    digests: Sequence[bytes]
    repeats: Sequence[int]
    changes: list[dict[str, Any]]
    received_at: datetime
    since: float
    """When it began to wait, by the loop's clock."""
    done: asyncio.Future[None]
    size: int = field(init=False)
    """Rows that it takes."""

    def __post_init__(self) -> None:
        self.size = len(self.alerts) + len(self.changes) + bool(self.repeats)


async def insert_batches(db: Database, session: AsyncSession, batches: Sequence[Batch]) -> Sequence[int]:
    """Insert all of them; the numbers of the alerts in their order."""
    connection = await session.connection()
    # The same change twice in one statement is an error on PostgreSQL: the last one counts.
    changes = {row["id"]: row for batch in batches for row in batch.changes}
    if db.sqlite:
        rows = _Rows(batches)
        first = await in_thread(session, lambda raw: rows.insert(raw, commit=not changes))
        numbers: Sequence[int] = range(first, first + len(rows.alerts))
    else:
        numbers = await _insert_on_postgresql(connection, batches)
    if changes:
        await connection.execute(_upsert(sqlite_dialect=db.sqlite), list(changes.values()))
    return numbers


def _upsert(*, sqlite_dialect: bool) -> Insert:
    """A change that is reported twice is one change, in its newest form."""
    dialect: Any = sqlite if sqlite_dialect else postgresql
    statement = dialect.insert(ChangeRow)
    newest = {c.name: statement.excluded[c.name] for c in ChangeRow.__table__.columns if c.name != "id"}  # type: ignore[attr-defined]
    upsert: Insert = statement.on_conflict_do_update(index_elements=["id"], set_=newest)
    return upsert


async def _insert_on_postgresql(connection: AsyncConnection, batches: Sequence[Batch]) -> Sequence[int]:
    await connection.execute(locks.take(locks.INTAKE))
    rows = [{**alert.model_dump(), "received_at": batch.received_at} for batch in batches for alert in batch.alerts]
    numbers: Sequence[int] = ()
    if rows:
        statement = insert(AlertRow).returning(col(AlertRow.seq), sort_by_parameter_order=True)
        numbers = [number or 0 for number in (await connection.execute(statement, rows)).scalars()]
    if again := _repeats(batches):
        newest = (await connection.execute(select(func.coalesce(func.max(col(AlertRow.seq)), 0)))).scalar_one()
        await connection.execute(
            insert(RepeatRow),
            [{"source": source, "received_at": at, "after": newest, "alerts": alerts} for source, at, alerts in again],
        )
    return numbers


def _repeats(batches: Sequence[Batch]) -> list[tuple[str, datetime, list[int]]]:
    """What each source sent again, with the moment of its last body: a row for each body says no more, and costs as often."""
    numbers: dict[str, list[int]] = {}
    received_at: dict[str, datetime] = {}
    for batch in batches:
        if batch.repeats:
            numbers.setdefault(batch.source, []).extend(batch.repeats)
            received_at[batch.source] = batch.received_at
    return [(source, received_at[source], alerts) for source, alerts in numbers.items()]


class _Rows:
    """The rows of one commit in the form in which bot.store.db.columns writes them on SQLite."""

    def __init__(self, batches: Sequence[Batch]) -> None:
        self.alerts = [
            _values(alert, at)
            for batch in batches
            if batch.alerts
            for at in (moment_text(batch.received_at),)
            for alert in batch.alerts
        ]
        self.repeats = [(source, moment_text(at), compact_json(numbers)) for source, at, numbers in _repeats(batches)]

    def insert(self, db: sqlite3.Connection, *, commit: bool) -> int:
        """Insert them in one transaction; the number of the first alert. Crossing to a thread once is what a commit costs."""
        db.execute("BEGIN IMMEDIATE")
        newest = (db.execute(_NEWEST_NUMBER).fetchone() or (0,))[0]
        db.executemany(_INSERT, [(newest + index, *values) for index, values in enumerate(self.alerts, 1)])
        after = newest + len(self.alerts)
        db.executemany(_INSERT_REPEATS, [(source, at, after, numbers) for source, at, numbers in self.repeats])
        if commit:
            db.commit()
        return int(newest) + 1


def _values(alert: Alert, received_at: str) -> tuple[object, ...]:
    """One row in the order of _COLUMNS, without its number."""
    return (
        alert.source,
        alert.fingerprint,
        alert.status,
        alert.name,
        alert.severity,
        compact_json(alert.labels),
        compact_json(alert.annotations),
        moment_text(alert.starts_at),
        alert.start_is_report,
        alert.ends_at and moment_text(alert.ends_at),
        alert.group_key,
        alert.link,
        alert.expression,
        received_at,
    )
