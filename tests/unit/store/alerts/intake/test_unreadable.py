"""Bodies that could not be read: each source keeps its newest, and none can push out those of another."""

from pathlib import Path

from bot.store.alerts.intake import unreadable
from bot.store.alerts.intake.unreadable import LONGEST_BODY, MAX_BYTES, MAX_ROWS
from tests.unit.store.databases import Clock, open_database


async def test_a_source_keeps_so_many_and_so_many_bytes_and_leaves_those_of_others(tmp_path: Path) -> None:
    db = await open_database(tmp_path, clock := Clock())
    async with db.write() as session:
        await unreadable.keep(session, "other", b"first", "not JSON", clock())
        for number in range(MAX_ROWS + 20):
            await unreadable.keep(session, "small", b"%d" % number, "not JSON", clock())
        for _ in range(MAX_BYTES // LONGEST_BODY + 5):
            await unreadable.keep(session, "large", b"x" * (LONGEST_BODY + 1), "not JSON", clock())
    async with db.read() as session:
        small, large, other = [await unreadable.newest(session, name, limit=1000) for name in ("small", "large", "other")]
    await db.close()

    assert [row.body for row in small] == [b"%d" % number for number in reversed(range(20, MAX_ROWS + 20))]
    assert sum(len(row.body) for row in large) == MAX_BYTES
    assert [row.body for row in other] == [b"first"]
