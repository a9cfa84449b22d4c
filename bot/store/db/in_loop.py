"""SQLite's driver, called in the event loop wherever a statement cannot wait.

SQLAlchemy's own adapter crosses to the connection's thread four times for a query (cursor, execute, fetch, close), and
each answer waits for its turn in the event loop: under load most of an alert's time to its card goes there. A
statement takes SQLite some ten microseconds. What may wait crosses to the thread as before, once: the first write of a
transaction (for the lock), commit and rollback (for the disk), and pragmas.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.util import EMPTY_DICT
from sqlalchemy.util.concurrency import await_
from sqlmodel.ext.asyncio.session import AsyncSession

T = TypeVar("T")

SERIALIZED = 3
"""SQLite built so that two threads may use one connection in turn: the event loop's and the driver's do."""


@dataclass(frozen=True, slots=True)
class _Result:
    """The result of a statement that has run, with the fields of a cursor that the adapter reads."""

    rows: list[Any]
    description: Any
    rowcount: int
    lastrowid: int | None
    arraysize: int = 1

    def close(self) -> None:
        """The cursor is closed already."""


_EMPTY = _Result([], None, -1, None)


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    __slots__ = ()
    _awaitable_cursor_close = False

    def __init__(self, adapt_connection: "_Connection") -> None:
        # Not the adapter's own: it would open a cursor in the thread and wait for it.
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._cursor: Any = _EMPTY
        self._soft_closed_memoized = EMPTY_DICT
        self._rows = deque()

    def execute(self, operation: str, parameters: Sequence[object] | Mapping[str, object] | None = None) -> None:
        arguments = () if parameters is None else (parameters,)
        self._run(operation, lambda cursor: cursor.execute(operation, *arguments))

    def executemany(
        self, operation: str, seq_of_parameters: Sequence[Sequence[object]] | Sequence[Mapping[str, object]]
    ) -> None:
        self._run(operation, lambda cursor: cursor.executemany(operation, seq_of_parameters))

    def _run(self, operation: str, execute: Callable[[sqlite3.Cursor], object]) -> None:
        connection: Any = self._adapt_connection
        try:
            self._cursor = connection.run(operation, execute)
        except (sqlite3.Error, ValueError) as error:  # ValueError: the connection was closed
            connection._handle_exception(error)
        self._rows = deque(self._cursor.rows)


class _Connection(AsyncAdapt_aiosqlite_connection):
    """A connection. A statement that is cancelled needs no care here: SQLAlchemy discards its connection."""

    __slots__ = ()
    _cursor_cls = _Cursor  # type: ignore[assignment]

    def run(self, operation: str, execute: Callable[[sqlite3.Cursor], object]) -> _Result:
        """Run a statement here if it cannot wait: readers never do, and a transaction that wrote holds the lock already."""
        driver: Any = self._connection
        if driver.in_transaction or operation.lstrip()[:6].upper() == "SELECT":
            pending = _in_loop(driver._conn, execute)
        else:
            pending = driver._execute(_run_statement, driver._conn, execute)
        result: _Result = await_(pending)
        return result

    def commit(self) -> None:
        if self._open():
            super().commit()

    def rollback(self) -> None:
        if self._open():
            super().rollback()

    def _open(self) -> bool:
        """Whether there is anything to commit or to undo."""
        driver: Any = self._connection
        return bool(driver._connection and driver.in_transaction)


def _run_statement(connection: sqlite3.Connection, execute: Callable[[sqlite3.Cursor], object]) -> _Result:
    """Run one statement and read all its rows."""
    cursor = connection.cursor()
    try:
        execute(cursor)
        rows = cursor.fetchall() if cursor.description else []
        return _Result(rows, cursor.description, cursor.rowcount, cursor.lastrowid)
    finally:
        cursor.close()


async def _in_loop(connection: sqlite3.Connection, execute: Callable[[sqlite3.Cursor], object]) -> _Result:
    # A coroutine, since SQLAlchemy insists that something is awaited; it never yields to the event loop.
    return _run_statement(connection, execute)


class InLoop(AsyncAdapt_aiosqlite_dbapi):
    """The `module` of an engine on SQLite. Raises RuntimeError if this SQLite cannot be used by two threads in turn."""

    def __init__(self) -> None:
        super().__init__(aiosqlite, sqlite3)
        if sqlite3.threadsafety != SERIALIZED:
            raise RuntimeError("this Python's SQLite was built without its locks (threadsafe=1 is needed)")

    def connect(self, *arg: object, **kw: object) -> AsyncAdapt_aiosqlite_connection:
        opened = super().connect(*arg, async_creator_fn=_opened, **kw)
        return _Connection(self, opened._connection)


async def _opened(*arguments: Any, **named: Any) -> aiosqlite.Connection:
    """Open a file. The driver does not wait for its thread where that fails, which then answers a loop that may have ended."""
    connection = aiosqlite.connect(*arguments, **named)
    connection._thread.daemon = True
    try:
        return await connection
    except sqlite3.Error:
        await asyncio.to_thread(connection._thread.join)
        raise


async def in_thread(session: AsyncSession, work: Callable[[sqlite3.Connection], T]) -> T:
    """Run plain statements on the session's connection in its thread: it crosses once, whatever their number."""
    raw = await (await session.connection()).get_raw_connection()
    driver: Any = raw.driver_connection
    result: T = await driver._execute(work, driver._conn)
    return result
