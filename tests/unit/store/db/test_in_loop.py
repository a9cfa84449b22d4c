"""SQLite's driver in the event loop: the adapter's promises hold, and what may wait does not stop the loop."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from bot.store.db.database import Database
from tests.unit.store.databases import Clock

TABLES = (
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, word TEXT UNIQUE)",
    "CREATE TABLE replies (note INTEGER REFERENCES notes(id) DEFERRABLE INITIALLY DEFERRED)",
)
ADD = text("INSERT INTO notes (word) VALUES (:word)")
COUNT = text("SELECT count(*) FROM notes")


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    db = Database(f"sqlite+aiosqlite:///{tmp_path / 'app.db'}", clock=Clock())
    async with db.engine.begin() as connection:
        for table in TABLES:
            await connection.execute(text(table))
    yield db
    await db.close()


async def add(db: Database, *words: str) -> None:
    async with db.write() as session:
        connection = await session.connection()
        for word in words:
            await connection.execute(ADD, {"word": word})


async def count(db: Database) -> int:
    async with db.read() as session:
        return int((await (await session.connection()).execute(COUNT)).scalar_one())


class Locked:
    """Another program in the middle of a write."""

    def __init__(self, path: Path) -> None:
        self.other = sqlite3.connect(path / "app.db", isolation_level=None)

    def __enter__(self) -> "Locked":
        self.other.execute("BEGIN IMMEDIATE")
        return self

    def __exit__(self, *_: object) -> None:
        self.other.execute("COMMIT")
        self.other.close()


async def test_many_rows_in_one_statement_are_counted_and_read_back_whole(db: Database) -> None:
    async with db.engine.begin() as connection:
        result = await connection.execute(ADD, [{"word": f"w{n}"} for n in range(1000)])
        added = result.rowcount
    async with db.engine.connect() as connection:
        words = (await connection.execute(text("SELECT word FROM notes ORDER BY id"))).scalars().all()

    assert (added, words) == (1000, [f"w{n}" for n in range(1000)])


async def test_rows_can_be_streamed(db: Database) -> None:
    await add(db, "a", "b", "c")

    async with db.engine.connect() as connection:
        rows = [row.word async for row in await connection.stream(text("SELECT word FROM notes ORDER BY id"))]

    assert rows == ["a", "b", "c"]


@pytest.mark.parametrize("words", [("a",), ("b", "a")], ids=["the first write", "a later one"])
async def test_a_write_that_is_refused_undoes_its_transaction(db: Database, words: tuple[str, ...]) -> None:
    await add(db, "a")

    with pytest.raises(IntegrityError):
        await add(db, *words)

    await add(db, "c")
    assert await count(db) == 2


async def test_a_commit_that_is_refused_leaves_nothing_behind(db: Database) -> None:
    with pytest.raises(IntegrityError):
        async with db.engine.begin() as connection:
            await connection.execute(ADD, {"word": "a"})
            await connection.execute(text("INSERT INTO replies VALUES (99)"))

    await add(db, "b")
    assert await count(db) == 1


async def test_a_write_that_waits_for_another_program_does_not_stop_the_loop(db: Database, tmp_path: Path) -> None:
    await add(db, "a")
    with Locked(tmp_path):
        writing = asyncio.create_task(add(db, "b"))
        seen = [await count(db) for _ in range(20)]
        waited = not writing.done()
    await writing

    assert (set(seen), waited, await count(db)) == ({1}, True, 2)


async def test_a_write_cancelled_while_it_waits_is_undone_also_if_it_ran_after_all(db: Database, tmp_path: Path) -> None:
    with Locked(tmp_path):
        writing = asyncio.create_task(add(db, "gone"))
        for _ in range(20):
            await count(db)
        writing.cancel()
        await count(db)
    with pytest.raises(asyncio.CancelledError):
        await writing

    await add(db, "next")
    assert await count(db) == 1


async def test_nobody_sees_what_is_not_committed(db: Database) -> None:
    async with db.write() as session:
        await (await session.connection()).execute(ADD, {"word": "a"})
        before = await count(db)

    assert (before, await count(db)) == (0, 1)


async def test_readers_and_writers_at_once_lose_nothing(db: Database) -> None:
    await asyncio.gather(*(add(db, f"a{n}", f"b{n}") for n in range(20)), *(count(db) for _ in range(20)))

    assert await count(db) == 40


async def test_a_connection_that_was_closed_is_a_database_that_does_not_answer(db: Database) -> None:
    async with db.engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        await driver.close()

        with pytest.raises(OperationalError):
            await connection.execute(COUNT)
