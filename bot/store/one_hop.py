"""SQLite's driver with one crossing to its thread a statement.

SQLAlchemy's own adapter crosses four times for a query (cursor, execute, fetch, close) and once more to roll back a
session that only read. Every crossing waits for its turn in the event loop, so under load they are what an alert's
way to its card consists of.
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
        self._run(lambda cursor: cursor.execute(operation, *given))

    def executemany(self, operation: Any, seq_of_parameters: Any) -> Any:
        self._run(lambda cursor: cursor.executemany(operation, seq_of_parameters))

    def _run(self, execute: Callable[[sqlite3.Cursor], Any]) -> None:
        connection: Any = self._adapt_connection
        connection.unsure = True
        try:
            self._cursor = await_(self._connection._execute(_whole, self._connection._conn, execute))
        except (sqlite3.Error, ValueError) as error:  # ValueError: the connection was closed
            connection._handle_exception(error)
        connection.unsure = False
        self._rows = deque(self._cursor.rows)


def _whole(connection: sqlite3.Connection, execute: Callable[[sqlite3.Cursor], Any]) -> _Done:
    """In the driver's thread: one statement from its cursor to its last row."""
    cursor = connection.cursor()
    try:
        execute(cursor)
        rows = cursor.fetchall() if cursor.description else []
        return _Done(rows, cursor.description, cursor.rowcount, cursor.lastrowid)
    finally:
        cursor.close()


class _Connection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ("unsure",)
    _cursor_cls = _Cursor  # type: ignore[assignment]

    def __init__(self, dbapi: Any, connection: aiosqlite.Connection) -> None:
        super().__init__(dbapi, connection)  # type: ignore[arg-type]
        self.unsure = False
        """A statement was begun whose end nobody saw: it was cancelled and may run yet, or it failed."""

    def rollback(self) -> None:
        """Cross to the thread only if there may be something to undo."""
        connection: Any = self._connection
        if not self.unsure and connection._connection and not connection.in_transaction:
            return
        super().rollback()
        self.unsure = False


class OneHop(AsyncAdapt_aiosqlite_dbapi):
    """The `module` of an engine on SQLite."""

    def __init__(self) -> None:
        super().__init__(aiosqlite, sqlite3)

    def connect(self, *arg: Any, **kw: Any) -> AsyncAdapt_aiosqlite_connection:
        opened = super().connect(*arg, **kw)
        return _Connection(self, opened._connection)  # type: ignore[arg-type]
