"""The clock on both databases: PostgreSQL's own for all replicas, and on neither a time before what is stored."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.store import audit
from bot.store.db.clock import DatabaseClock, SteadyClock
from bot.store.db.database import Database, async_url
from bot.store.migrate import ready
from bot.store.oversight.clock import begin_time

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("skew", [-HOUR, HOUR])
async def test_replicas_whose_clocks_differ_decide_by_the_databases(postgres_url: str, tmp_path: Path, skew: timedelta) -> None:
    db = Database(async_url(postgres_url, tmp_path), clock=DatabaseClock(lambda: datetime.now(UTC) + skew))

    async with db.write():
        apart = abs(db.clock() - datetime.now(UTC))

    await db.close()
    assert apart < timedelta(minutes=5)


async def test_a_start_with_a_clock_that_was_set_back_begins_after_what_is_stored(tmp_path: Path) -> None:
    url, now = f"sqlite+aiosqlite:///{tmp_path / 'app.db'}", datetime.now(UTC)
    ready(url.replace("+aiosqlite", ""))
    before = Database(url, clock=lambda: now)
    async with before.write() as session:
        await audit.append(before, session, who="alice", what="note", subject="INC-1")
    await before.close()

    after = Database(url, clock=SteadyClock(lambda: now - HOUR))
    await begin_time(after)

    assert after.clock() >= now
    await after.close()
