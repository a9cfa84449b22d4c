"""Group commit: one writer commits whatever has queued up, and each request waits for its commit.

No timer: an idle single alert pays one commit, a flood shares it. Rows go in by
bulk inserts; the ORM costs eighty times as much a row.
"""

import asyncio
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import Insert, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alert import Alert
from bot.core.change import Change
from bot.core.errors import TocsinError
from bot.store.alerts import unreadable
from bot.store.db import locks
from bot.store.db.database import Database
from bot.store.tables import AlertRow, ChangeRow

log = structlog.get_logger(__name__)
MAX_WAITING = 50_000
"""Rows that may wait for a commit; beyond that the answer is 503, and senders retry."""
CHUNK = 1000
"""Rows an insert: a longer one keeps the event loop from its other work."""
PATIENCE = 8.0
"""Seconds until a request whose commit is not answered fails with Busy; its sender retries, and a second copy does no harm."""


_COLUMNS = (*Alert.model_fields, "received_at")
_INSERT = f"INSERT INTO alerts ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
"""SQLite takes values as they are, for a third of what SQLAlchemy's statement costs a row."""


_COMMIT_ERRORS = (SQLAlchemyError, OSError, ValueError, ArithmeticError, TypeError)
"""What a commit may raise: drivers refuse a text or a number that they cannot carry with errors of their own."""


class Busy(TocsinError):
    """Too much is waiting, or the database does not answer; the sender should retry."""


@dataclass
class _Batch:
    alerts: Sequence[Alert]
    changes: list[dict[str, Any]]
    received_at: datetime
    done: asyncio.Future[None]

    @property
    def size(self) -> int:
        return len(self.alerts) + len(self.changes)


class IntakeWriter:
    """Takes batches; `committed` is called after each commit, so that the inbox wakes at once."""

    def __init__(self, db: Database, committed: Callable[[], None]) -> None:
        self.db = db
        self.committed = committed
        self._waiting: list[_Batch] = []
        self._rows = 0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="intake")

    async def stop(self) -> None:
        """Commit what waits, then end."""
        if self._task:
            task, self._task = self._task, None
            self._wake.set()
            await task

    def alive(self) -> bool:
        return self._task is not None and not self._task.done()

    async def put(self, alerts: Sequence[Alert], changes: Sequence[Change], received_at: datetime) -> None:
        """Return after the commit. Raises Busy when too much waits or the commit failed: nothing was acknowledged."""
        batch = _Batch(
            alerts,
            [{**change.model_dump(exclude={"by_action"}), "received_at": received_at} for change in changes],
            received_at,
            asyncio.get_running_loop().create_future(),
        )
        if self._rows + batch.size > MAX_WAITING or not self.alive():
            raise Busy("too many alerts are waiting for the database")
        self._waiting.append(batch)
        self._rows += batch.size
        self._wake.set()
        try:
            async with asyncio.timeout(PATIENCE):
                await batch.done
        except TimeoutError:
            raise Busy("the database does not answer") from None

    async def keep_unreadable(self, source: str, body: bytes, problem: str, received_at: datetime) -> None:
        """Keep a body that could not be read. Raises Busy if the database does not take it."""
        try:
            async with self.db.write(in_turn=False) as session:
                await unreadable.keep(session, source, body, problem, received_at)
        except _COMMIT_ERRORS as error:
            log.error("an unreadable body was not stored", source=source, why=type(error).__name__)
            raise Busy("the database did not take the body") from None

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            batches, self._waiting, self._rows = self._waiting, [], 0
            if batches:
                await self._commit(batches)
            elif self._task is None:
                return
            if self._task is None:
                self._wake.set()

    async def _commit(self, batches: list[_Batch]) -> None:
        """Commit all at once; if that fails, each alone, so that one bad row is the failure of its own sender only."""
        if await self._written(batches):
            self.committed()
        elif len(batches) > 1:
            for batch in batches:
                if await self._written([batch]):
                    self.committed()

    async def _written(self, batches: list[_Batch]) -> bool:
        try:
            async with self.db.write(in_turn=False, urgent=True) as session:
                await self._insert(session, batches)
        except Exception as error:
            # The loop must go on whatever it was: a writer that ended would answer 503 until a restart.
            expected = isinstance(error, _COMMIT_ERRORS)
            log.error(
                "intake commit failed",
                error_id=secrets.token_hex(4),
                rows=sum(batch.size for batch in batches),
                why=type(error).__name__,
                exc_info=None if expected else error,
            )
            if len(batches) == 1 and not batches[0].done.done():
                batches[0].done.set_exception(Busy("the database did not take the alerts"))
            return False
        for batch in batches:
            if not batch.done.done():
                batch.done.set_result(None)
        return True

    async def _insert(self, session: AsyncSession, batches: list[_Batch]) -> None:
        connection = await session.connection()
        if not self.db.sqlite:
            await connection.execute(locks.take(locks.INTAKE))
        alerts = [(alert, batch.received_at) for batch in batches for alert in batch.alerts]
        for start in range(0, len(alerts), CHUNK):
            chunk = alerts[start : start + CHUNK]
            if self.db.sqlite:
                await connection.exec_driver_sql(_INSERT, [_values(alert, at) for alert, at in chunk])
            else:
                await connection.execute(insert(AlertRow), [{**alert.model_dump(), "received_at": at} for alert, at in chunk])
        # The same change twice in one statement is an error on PostgreSQL: the last one counts.
        changes = {row["id"]: row for batch in batches for row in batch.changes}
        if changes:
            await connection.execute(self._upsert(), list(changes.values()))

    def _upsert(self) -> Insert:
        """A change that is reported twice is one change, in its newest form."""
        dialect: Any = sqlite if self.db.sqlite else postgresql
        statement = dialect.insert(ChangeRow)
        newest = {c.name: statement.excluded[c.name] for c in ChangeRow.__table__.columns if c.name != "id"}  # type: ignore[attr-defined]
        upsert: Insert = statement.on_conflict_do_update(index_elements=["id"], set_=newest)
        return upsert


def _values(alert: Alert, received_at: datetime) -> tuple[object, ...]:
    """One row in the order of _COLUMNS, in the form in which bot.store.db.columns writes it."""
    return tuple(_plain(value) for value in (*alert.__dict__.values(), received_at))


def _plain(value: object) -> object:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return _json(value)
    return _moment(value) if isinstance(value, datetime) else value


_json = json.JSONEncoder().encode


def _moment(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("naive datetime: moments are aware UTC")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
