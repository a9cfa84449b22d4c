"""SQLite's driver, called in the event loop wherever it cannot wait.

SQLAlchemy's own adapter crosses to the connection's thread four times for a query (cursor, execute, fetch, close), and
each answer waits for its turn in the event loop: under load that is what an alert's way to its card consists of. A
statement takes SQLite some ten microseconds. What may wait crosses to the thread as before, once: the first write of a
transaction (for the lock), commit and rollback (for the disk), and pragmas.
"""

import sqlite3
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.util import EMPTY_DICT
from sqlalchemy.util.concurrency import await_

SERIALIZED = 3
"""SQLite built so that two threads may use one connection in turn: the event loop's and the driver's do."""


@dataclass(frozen=True, slots=True)
class _Done:
    """What is left of a cursor whose statement has run; named as the adapter asks for it."""

    rows: list[Any]
    description: Any
    rowcount: int
    lastrowid: int | None
    arraysize: int = 1

    def close(self) -> None:
        """The cursor is closed already."""


_NOTHING = _Done([], None, -1, None)


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    __slots__ = ()
    _awaitable_cursor_close = False

    def __init__(self, adapt_connection: "_Connection") -> None:
        # Not the adapter's own: it would open a cursor in the thread and wait for it.
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._cursor: Any = _NOTHING
        self._soft_closed_memoized = EMPTY_DICT
        self._rows = deque()

    def execute(self, operation: Any, parameters: Any = None) -> Any:
        given = () if parameters is None else (parameters,)
        self._run(operation, lambda cursor: cursor.execute(operation, *given))

    def executemany(self, operation: Any, seq_of_parameters: Any) -> Any:
        self._run(operation, lambda cursor: cursor.executemany(operation, seq_of_parameters))

    def _run(self, operation: str, execute: Callable[[sqlite3.Cursor], Any]) -> None:
        connection: Any = self._adapt_connection
        try:
            self._cursor = connection.run(operation, execute)
        except (sqlite3.Error, ValueError) as error:  # ValueError: the connection was closed
            connection._handle_exception(error)
        self._rows = deque(self._cursor.rows)


class _Connection(AsyncAdapt_aiosqlite_connection):
    """One that is cancelled in the middle needs nothing here: SQLAlchemy throws such a connection away."""

    __slots__ = ()
    _cursor_cls = _Cursor  # type: ignore[assignment]

    def run(self, operation: str, execute: Callable[[sqlite3.Cursor], Any]) -> _Done:
        """Run a statement here if it cannot wait: readers never do, and a transaction that wrote holds the lock already."""
        driver: Any = self._connection
        if driver.in_transaction or operation.lstrip()[:6].upper() == "SELECT":
            running = _here(driver._conn, execute)
        else:
            running = driver._execute(_whole, driver._conn, execute)
        done: _Done = await_(running)
        return done

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


def _whole(connection: sqlite3.Connection, execute: Callable[[sqlite3.Cursor], Any]) -> _Done:
    """One statement from its cursor to its last row."""
    cursor = connection.cursor()
    try:
        execute(cursor)
        rows = cursor.fetchall() if cursor.description else []
        return _Done(rows, cursor.description, cursor.rowcount, cursor.lastrowid)
    finally:
        cursor.close()


async def _here(connection: sqlite3.Connection, execute: Callable[[sqlite3.Cursor], Any]) -> _Done:
    # A coroutine, since SQLAlchemy insists that something was awaited; it never gives up its turn.
    return _whole(connection, execute)


class InLoop(AsyncAdapt_aiosqlite_dbapi):
    """The `module` of an engine on SQLite. Raises RuntimeError if this SQLite cannot be used by two threads in turn."""

    def __init__(self) -> None:
        super().__init__(aiosqlite, sqlite3)
        if sqlite3.threadsafety != SERIALIZED:
            raise RuntimeError("this Python's SQLite was built without its locks (threadsafe=1 is needed)")

    def connect(self, *arg: Any, **kw: Any) -> AsyncAdapt_aiosqlite_connection:
        opened = super().connect(*arg, **kw)
        return _Connection(self, opened._connection)
