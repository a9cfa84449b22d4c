"""Moments and texts as SQLite stores them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.store.db.columns import moment_text
from bot.store.tables import AlertRow, SourceRow
from tests.unit.builders import NOW
from tests.unit.store.databases import SortingFixture, alert

TEXTS = {"summary": 'ü "quoted" \\ \n 测试 \u2028', "empty": ""}


async def test_a_moment_of_any_zone_comes_back_as_the_same_moment_in_utc(sorting: SortingFixture) -> None:
    east = datetime(2026, 3, 1, 12, 0, 0, 7, tzinfo=timezone(timedelta(hours=5)))
    async with sorting.db.write() as session:
        session.add(SourceRow(name="east", first_seen_at=east, last_seen_at=NOW))

    row = next(row for row in await sorting.rows(SourceRow) if row.name == "east")
    assert (row.first_seen_at, row.first_seen_at.tzinfo) == (east, UTC)


def test_texts_of_moments_are_in_the_order_of_time_and_a_naive_one_is_refused() -> None:
    moments = [NOW, NOW + timedelta(microseconds=1), NOW + timedelta(seconds=1)]
    assert [moment_text(moment) for moment in moments] == sorted(moment_text(moment) for moment in moments)
    with pytest.raises(ValueError, match="naive"):
        moment_text(NOW.replace(tzinfo=None))


async def test_texts_of_alerts_come_back_as_they_were(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", annotations=TEXTS))

    assert [row.annotations for row in await sorting.rows(AlertRow) if row.fingerprint == "a"] == [TEXTS]
    assert [episode.annotations for episode in await sorting.episodes()] == [TEXTS]
