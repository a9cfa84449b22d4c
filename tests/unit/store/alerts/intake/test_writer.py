"""Intake: acknowledged means stored, what queues up shares a commit, and too much is put off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.alerts.intake.writer import MAX_ROWS_OF_COMMIT, MAX_ROWS_OF_SOURCE, MAX_WAITING_ROWS, Busy, IntakeWriter
from bot.store.db.database import Database
from bot.store.tables import AlertRow, ChangeRow, RepeatRow, UnreadableRow
from tests.real import wait_until
from tests.unit.builders import NOW, change
from tests.unit.store.databases import Clock, SortingFixture, alert, open_database


@pytest.fixture
async def sorting(tmp_path: Path) -> AsyncIterator[SortingFixture]:
    clock = Clock()
    sorting = SortingFixture(await open_database(tmp_path, clock), clock)
    yield sorting
    await sorting.db.close()


@pytest.fixture
async def writer(sorting: SortingFixture) -> AsyncIterator[IntakeWriter]:
    writer = IntakeWriter(sorting.db, lambda: None)
    writer.start()
    yield writer
    await writer.stop()


def commits(db: Database) -> list[int]:
    seen: list[int] = []
    event.listen(db.engine.sync_engine, "commit", lambda _connection: seen.append(1))
    return seen


async def break_table(db: Database, statement: str) -> None:
    async with db.write() as session:
        await (await session.connection()).execute(text(statement))


async def test_an_alert_is_readable_when_put_returns(sorting: SortingFixture, writer: IntakeWriter) -> None:
    await writer.put([alert()], [], NOW)

    assert [(row.fingerprint, row.received_at) for row in await sorting.rows(AlertRow)] == [("a", NOW)]


async def test_what_queued_up_shares_one_commit(sorting: SortingFixture, writer: IntakeWriter) -> None:
    seen = commits(sorting.db)
    await asyncio.gather(*(writer.put([alert(f"f{n}")], [], NOW) for n in range(200)))

    assert len(await sorting.rows(AlertRow)) == 200
    assert len(seen) <= 2


async def test_the_same_change_again_is_one_change_in_its_newest_form(sorting: SortingFixture, writer: IntakeWriter) -> None:
    first = change("d1")
    await writer.put([], [first, first.model_copy(update={"title": "second"})], NOW)
    await writer.put([], [first.model_copy(update={"title": "third"})], NOW)

    assert [row.title for row in await sorting.rows(ChangeRow)] == ["third"]


async def test_more_than_may_wait_is_put_off(sorting: SortingFixture, writer: IntakeWriter) -> None:
    with pytest.raises(Busy):
        await writer.put([alert()] * (MAX_WAITING_ROWS + 1), [], NOW)

    await writer.put([alert()], [], NOW)
    assert len(await sorting.rows(AlertRow)) == 1


async def test_a_commit_that_fails_is_told_to_its_sender_and_the_writer_lives_on(
    sorting: SortingFixture, writer: IntakeWriter
) -> None:
    await break_table(sorting.db, "ALTER TABLE alerts RENAME TO elsewhere")
    with pytest.raises(Busy):
        await writer.put([alert()], [], NOW)
    await break_table(sorting.db, "ALTER TABLE elsewhere RENAME TO alerts")

    await writer.put([alert()], [], NOW)
    assert len(await sorting.rows(AlertRow)) == 1


async def test_a_writer_that_stores_nothing_is_not_well_until_the_database_takes_something_again(
    sorting: SortingFixture,
) -> None:
    pauses, go_on = list[float](), asyncio.Semaphore(0)

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await go_on.acquire()

    writer = IntakeWriter(sorting.db, lambda: None, pause=pause)
    writer.start()
    await break_table(sorting.db, "ALTER TABLE alerts RENAME TO alerts_away")
    await break_table(sorting.db, "ALTER TABLE cursors RENAME TO cursors_away")
    assert writer.healthy()
    with pytest.raises(Busy):
        await writer.put([alert()], [], NOW)
    go_on.release()
    await wait_until(lambda: len(pauses) == 2)
    assert writer.alive() and not writer.healthy()

    await break_table(sorting.db, "ALTER TABLE cursors_away RENAME TO cursors")
    go_on.release()
    await wait_until(writer.healthy)
    await writer.stop()


async def test_one_batch_that_cannot_be_stored_does_not_fail_its_neighbours(
    sorting: SortingFixture, writer: IntakeWriter
) -> None:
    unstorable = alert("bad").model_copy(update={"starts_at": NOW.replace(tzinfo=None)})
    good, bad = await asyncio.gather(
        writer.put([alert("good")], [], NOW), writer.put([unstorable], [], NOW), return_exceptions=True
    )

    assert good is None
    assert isinstance(bad, Busy)
    assert [row.fingerprint for row in await sorting.rows(AlertRow)] == ["good"]


async def test_stopping_commits_what_waits_and_takes_no_more(sorting: SortingFixture) -> None:
    woken: list[int] = []
    writer = IntakeWriter(sorting.db, lambda: woken.append(1))
    writer.start()
    waiting = asyncio.create_task(writer.put([alert()], [], NOW))
    await asyncio.sleep(0)
    await writer.stop()
    await waiting

    with pytest.raises(Busy):
        await writer.put([alert("late")], [], NOW)
    assert (len(await sorting.rows(AlertRow)), woken, writer.alive()) == (1, [1], False)


async def test_what_only_repeats_is_one_row_of_its_source_with_its_last_moment(
    sorting: SortingFixture, writer: IntakeWriter
) -> None:
    later = NOW + timedelta(seconds=1)
    await asyncio.gather(
        writer.put([], [], NOW, source="prod", repeats=[1, 2]),
        writer.put([], [], later, source="prod", repeats=[1]),
        writer.put([], [], NOW, source="dev", repeats=[3]),
    )

    rows = {row.source: (row.alerts, row.received_at) for row in await sorting.rows(RepeatRow)}
    assert rows == {"prod": ([1, 2, 1], later), "dev": ([3], NOW)}


async def test_news_wakes_the_inbox_at_once_and_repeats_soon(sorting: SortingFixture) -> None:
    woken: list[int] = []
    writer = IntakeWriter(sorting.db, lambda: woken.append(1))
    writer.start()
    await writer.put([], [], NOW, source="prod", repeats=[1])
    await writer.put([], [], NOW, source="prod", repeats=[1])
    assert not woken
    await writer.put([alert()], [], NOW)
    assert len(woken) == 1

    await wait_until(lambda: len(woken) == 2)
    await writer.stop()


async def test_an_unreadable_body_is_kept_as_it_came(sorting: SortingFixture, writer: IntakeWriter) -> None:
    await writer.keep_unreadable("prod", b"\xff\x00{", "not readable as JSON", NOW)

    assert [(row.source, row.body) for row in await sorting.rows(UnreadableRow)] == [("prod", b"\xff\x00{")]


async def test_a_text_that_the_driver_cannot_carry_is_the_failure_of_its_own_sender_only(
    sorting: SortingFixture, writer: IntakeWriter
) -> None:
    bad = alert("bad").model_copy(update={"name": "\ud800"})
    with pytest.raises(Busy):
        await writer.put([bad], [], NOW)
    await writer.put([alert("good")], [], NOW)

    assert [row.fingerprint for row in await sorting.rows(AlertRow)] == ["good"]


class Unforeseen:
    """A database whose next write fails in a way nobody listed."""

    def __init__(self, db: Database) -> None:
        self.sqlite, self.write_ = db.sqlite, db.write
        self.broken = True

    def write(self, **how: bool) -> AbstractAsyncContextManager[AsyncSession]:
        if self.broken:
            self.broken = False
            raise RuntimeError("nobody thought of this")
        return self.write_(**how)


async def test_an_unforeseen_error_fails_its_own_sender_and_the_writer_lives_on(sorting: SortingFixture) -> None:
    writer = IntakeWriter(Unforeseen(sorting.db), lambda: None)  # type: ignore[arg-type]
    writer.start()

    with pytest.raises(Busy):
        await writer.put([alert("first")], [], NOW)
    await writer.put([alert("second")], [], NOW)

    assert writer.alive()
    assert [row.fingerprint for row in await sorting.rows(AlertRow)] == ["second"]
    await writer.stop()


async def test_one_source_that_never_stops_leaves_room_for_the_others(sorting: SortingFixture) -> None:
    writer = IntakeWriter(sorting.db, lambda: None)
    writer.start()
    noisy = [asyncio.create_task(writer.put([alert("n")] * 1000, [], NOW, source="noisy")) for _ in range(60)]
    await asyncio.sleep(0)
    quiet = asyncio.create_task(writer.put([alert("q")], [], NOW, source="quiet"))
    await quiet
    stored = len(await sorting.rows(AlertRow))
    answers = await asyncio.gather(*noisy, return_exceptions=True)
    await writer.stop()

    # One more commit may end while the rows are counted.
    assert stored <= 4 * MAX_ROWS_OF_COMMIT
    assert sum(isinstance(answer, Busy) for answer in answers) == 60 - MAX_ROWS_OF_SOURCE // 1000
