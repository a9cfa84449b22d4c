"""The order in which the inbox reads: one source with many alerts keeps no other waiting, and nothing is lost or read twice."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.alert import Alert
from bot.core.config import Config
from bot.store.alerts.sorting.reading_order import CURSOR
from bot.store.tables import CursorRow
from tests.unit.store.databases import Clock, SortingFixture, alert, open_database

SOURCES = ("loud", "quiet", "calm")
CONFIG = Config.model_validate({"default_channel": "C0", "sources": {name: {"kind": "generic"} for name in SOURCES}})


def of(source: str, number: int) -> Alert:
    return alert(f"{source}-{number}", source=source, severity="none")


async def sorted_now(sorting: SortingFixture) -> list[str]:
    return [episode.fingerprint for episode in await sorting.episodes()]


async def cursors(sorting: SortingFixture) -> dict[str, int]:
    return {row.name: row.seq for row in await sorting.rows(CursorRow)}


async def test_the_alert_of_another_source_does_not_wait_for_the_end_of_a_flood(sorting: SortingFixture) -> None:
    sorting = SortingFixture(sorting.db, sorting.clock, CONFIG)
    await sorting.store([*(of("loud", n) for n in range(100)), of("quiet", 0), *(of("loud", n) for n in range(100, 150))])

    await sorting.inbox.take(10)

    assert "quiet-0" in await sorted_now(sorting)
    assert len(await sorted_now(sorting)) == 10


async def test_after_a_flood_one_cursor_says_that_all_is_sorted(sorting: SortingFixture) -> None:
    sorting = SortingFixture(sorting.db, sorting.clock, CONFIG)
    await sorting.store([*(of("loud", n) for n in range(40)), of("quiet", 0), of("calm", 0)])

    await sorting.inbox.take(10)
    assert set(await cursors(sorting)) == {CURSOR, f"{CURSOR}:quiet", f"{CURSOR}:calm"}
    while await sorting.inbox.take(10):
        pass

    assert await cursors(sorting) == {CURSOR: 43}  # the fixture stores one more
    assert len(await sorted_now(sorting)) == 42


async def test_an_inbox_that_starts_anew_within_a_flood_sorts_nothing_twice(sorting: SortingFixture) -> None:
    first = SortingFixture(sorting.db, sorting.clock, CONFIG)
    await first.store([*(of("loud", n) for n in range(40)), of("quiet", 0)])
    await first.inbox.take(10)

    second = SortingFixture(sorting.db, sorting.clock, CONFIG)
    while await second.inbox.take(10):
        pass

    assert len(await sorted_now(second)) == 41
    assert sum(episode.repeats for episode in await second.episodes()) == 0


@settings(max_examples=40, deadline=None)
@given(
    bursts=st.lists(st.tuples(st.sampled_from(SOURCES), st.integers(1, 30)), min_size=1, max_size=8),
    most=st.integers(2, 20),
    between=st.integers(0, 3),
)
async def test_whatever_comes_in_whatever_order_is_sorted_once(bursts: list[tuple[str, int]], most: int, between: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock()
        db = await open_database(Path(folder), clock)
        sorting, sent = SortingFixture(db, clock, CONFIG), []
        for source, count in bursts:
            alerts = [of(source, len(sent) + n) for n in range(count)]
            sent += [one.fingerprint for one in alerts]
            await sorting.store(alerts)
            for _ in range(between):
                await sorting.inbox.take(most)
        while await sorting.inbox.take(most):
            pass
        episodes, position = await sorting.episodes(), await cursors(sorting)
        await db.close()

    assert sorted(episode.fingerprint for episode in episodes) == sorted(sent)
    assert sum(episode.repeats for episode in episodes) == 0
    assert position == {CURSOR: len(sent)}
