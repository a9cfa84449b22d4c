"""The connection to the database: SQLite by default, PostgreSQL by one setting.

SQLite gets slower with concurrent writers, so all writes of a process pass one
lock; `synchronous=FULL`, since a 2xx must survive a power cut.

On PostgreSQL transactions that lock several things take one advisory lock
first. A batch of the inbox holds the audit's end and asks for a group; a press
holds the group and asks for the audit's end: without an order of their own
they would deadlock, and no order of rows fits both.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Executable, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import TocsinError
from bot.core.text.untrusted import one_line
from bot.store.db import locks
from bot.store.db.clock import Clock, DatabaseClock
from bot.store.db.in_loop import InLoop
from bot.store.db.write_queue import WriteQueue

IDLE_SECONDS = 15
"""A transaction whose process fell silent is ended by the server: it would hold up every replica."""


def utc_now() -> datetime:
    """The machine's clock; the one place of the store that reads it."""
    return datetime.now(UTC)


def async_url(url: str, data_dir: Path) -> str:
    """Our setting as a SQLAlchemy address: empty means `app.db` in the data folder."""
    if not url:
        return f"sqlite+aiosqlite:///{data_dir / 'app.db'}"
    scheme, _, rest = url.partition("://")
    if scheme.startswith("postgres"):
        return f"postgresql+psycopg://{rest}"
    return url.replace("sqlite:///", "sqlite+aiosqlite:///", 1)


class DatabaseUnavailable(TocsinError):
    """The database does not answer, is full or locked: worth another try, and no row's fault."""


class DatabaseUnreadable(TocsinError):
    """What is there is no database of this program: a damaged file, or another schema."""


UNAVAILABLE = (DatabaseUnavailable, OperationalError, InterfaceError)
"""What reading and writing raise while the database does not answer, is full or locked: worth another try."""


@contextmanager
def translating_unavailability() -> Iterator[None]:
    """Turn the driver's errors about such a database into DatabaseUnavailable."""
    try:
        yield
    except (OperationalError, InterfaceError, OSError) as error:
        raise DatabaseUnavailable(f"the database does not answer: {_reason(error)}") from error


def _reason(error: OperationalError | InterfaceError | OSError) -> str:
    """The message of the driver or the operating system, without the statement and the password."""
    own = error.strerror if isinstance(error, OSError) else error.orig
    return one_line(str(own), 200) if own and str(own) else type(error).__name__


@contextmanager
def readable() -> Iterator[None]:
    """For a command that a person runs: errors that no other try would mend become one line too.

    Raises DatabaseUnreadable, and DatabaseUnavailable for what another try may mend.
    """
    try:
        with translating_unavailability():
            try:
                yield
            except OperationalError as error:
                # SQLite's word for it too; PostgreSQL has an error of its own.
                if not _lacks_tables(error):
                    raise
                raise DatabaseUnreadable(unreadable(error)) from error
    except DatabaseError as error:
        raise DatabaseUnreadable(unreadable(error)) from error


def unreadable(error: DatabaseError) -> str:
    """The driver's message in one line, without the statement and its parameters."""
    advice = "; its schema is not this version's: `tocsin db upgrade` brings it there" if _lacks_tables(error) else ""
    return f"the database cannot be read: {one_line(str(error.orig), 200)}{advice}"


def _lacks_tables(error: DatabaseError) -> bool:
    """Whether a table or column is not there."""
    return str(error.orig).startswith(("no such table", "no such column")) or getattr(error.orig, "sqlstate", "") in (
        "42P01",
        "42703",
    )


class Database:
    """Sessions. `write()` commits at its end or rolls back as a whole."""

    TOUCHED = "messages touched"
    """Set in a session's `info` by bot.store.messages: after the commit `on_messages` is called."""

    def __init__(
        self, url: str, *, audit_key: bytes = b"", clock: Clock = utc_now, pooled: bool = True, name: str = "tocsin"
    ) -> None:
        """`name` is what PostgreSQL shows of its connections, and by which another replica ends those of a paused one."""
        self.url = url
        self.sqlite = url.startswith("sqlite")
        self.audit_key = audit_key
        self.clock = clock
        self.engine = _engine(url, self.sqlite, pooled, name)
        self.on_messages: list[Callable[[], None]] = []
        """Called after a commit that touched messages, so that the sender need not wait for its poll."""
        self._write_queue = WriteQueue()

    @asynccontextmanager
    async def write(self, *, in_turn: bool = True, urgent: bool = False) -> AsyncIterator[AsyncSession]:
        """A transaction that may write; one at a time. `urgent`: before all that wait and are not.

        `in_turn=False` on PostgreSQL does not wait for the others: for a transaction that locks
        one row, or only what nobody else locks.
        """
        if self.sqlite:
            async with self._write_queue.turn(urgent), self._transaction() as session:
                yield session
        else:
            # Transactions wait without a connection: a crowd of them would leave none for reading.
            async with self._write_queue.turn(urgent) if in_turn else nullcontext(), self._transaction() as session:
                if in_turn:
                    await self._take_turn(session)
                yield session

    async def _take_turn(self, session: AsyncSession) -> None:
        """Wait for the other writers; what is decided then is decided by the database's clock."""
        answer = await session.exec(locks.take_and_read_clock(locks.WRITERS))  # type: ignore[call-overload]
        moment: datetime = answer.one()[0]
        if isinstance(self.clock, DatabaseClock):
            self.clock.read(moment.astimezone(UTC))

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session for reading only."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            yield session

    async def rows(self, statement: Executable, **parameters: object) -> Sequence[Sequence[object]]:
        """The rows of one query outside of a session, which takes half the time: for queries around every step."""
        async with self.engine.connect() as connection:
            return (await connection.execute(statement, parameters)).all()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncSession]:
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            try:
                yield session
                await session.commit()
                if session.info.get(self.TOUCHED):
                    for call in self.on_messages:
                        call()
            except BaseException:
                await session.rollback()
                raise

    async def answers(self) -> bool:
        """Whether the database answers a trivial question now."""
        try:
            async with self.engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError):
            return False
        return True

    async def close(self) -> None:
        await self.engine.dispose()


def _engine(url: str, sqlite: bool, pooled: bool, name: str) -> AsyncEngine:
    if not sqlite:
        pool: dict[str, Any] = (
            {"pool_size": 10, "max_overflow": 10, "pool_pre_ping": True} if pooled else {"poolclass": NullPool}
        )
        engine = create_async_engine(url, connect_args={**_CONNECTION, "application_name": name}, **pool)
        event.listen(engine.sync_engine, "connect", _limit_silence)
        return engine
    engine = create_async_engine(url, module=InLoop(), connect_args={"check_same_thread": False})
    event.listen(engine.sync_engine, "connect", set_pragmas)
    return engine


_CONNECTION = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


def _limit_silence(connection: DBAPIConnection, _record: object) -> None:
    # Not as a start-up option: PgBouncer refuses those. Committed, or the pool's rollback would undo it.
    cursor = connection.cursor()
    cursor.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'")
    cursor.close()
    connection.commit()


def set_pragmas(connection: DBAPIConnection, _record: object) -> None:
    """Make a SQLite connection durable and patient."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
