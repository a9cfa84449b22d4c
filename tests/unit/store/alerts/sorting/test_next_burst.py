"""An outage that begins fast in a group whose own is over: one card, which tells of it as of something new."""

from datetime import timedelta

import pytest

from bot.store.tables import MessageRow
from tests.unit.builders import NOW
from tests.unit.store.databases import SortingFixture, alert


async def _fires(sorting: SortingFixture, fingerprint: str, second: float) -> None:
    sorting.clock.now = NOW + timedelta(seconds=second)
    await sorting.receive(alert(fingerprint, name="HighErrorRate", severity="warning", start=second / 60))


async def _outage(sorting: SortingFixture, name: str, second: float, count: int) -> None:
    """Alerts that come ever more slowly, as those of one outage do."""
    for n in range(count):
        await _fires(sorting, f"{name} {n}", second + n * n / 40)


async def _end(sorting: SortingFixture, name: str, second: float, count: int) -> None:
    sorting.clock.now = NOW + timedelta(seconds=second)
    ended = [alert(f"{name} {n}", "resolved", start=n * n / 2400, ends_at=sorting.clock.now) for n in range(count)]
    await sorting.receive(*ended)


async def _lines(sorting: SortingFixture) -> int:
    """How many messages tell of something new on a card."""
    return sum(row.kind == "renewed" for row in await sorting.rows(MessageRow))


@pytest.mark.parametrize(("ended", "groups", "lines"), [(14, 1, 1), (4, 2, 0)])
async def test_it_stays_on_the_card_and_has_a_line_there_only_where_the_outage_before_is_over(
    sorting: SortingFixture, ended: int, groups: int, lines: int
) -> None:
    await _outage(sorting, "first", 0, 16)
    await _end(sorting, "first", 100, ended)
    for n in range(40):
        await _fires(sorting, f"second {n}", 150 + n / 10)

    assert (len(await sorting.groups()), await _lines(sorting)) == (groups, lines)


async def test_once_it_runs_a_further_one_has_a_card_of_its_own(sorting: SortingFixture) -> None:
    await _outage(sorting, "first", 0, 16)
    await _end(sorting, "first", 100, 14)
    for n in range(40):
        await _fires(sorting, f"second {n}", 150 + n / 10)
    for n in range(60):
        await _fires(sorting, f"third {n}", 260 + n / 10)

    assert [group.alerts > 16 for group in await sorting.groups()] == [True, True]


async def test_it_stays_on_the_card_over_a_restart(sorting: SortingFixture) -> None:
    await _outage(sorting, "first", 0, 16)
    await _end(sorting, "first", 100, 14)
    for n in range(40):
        await _fires(sorting, f"second {n}", 150 + n / 10)
    sorting.inbox.sorter.reset()
    for n in range(40, 80):
        await _fires(sorting, f"second {n}", 150 + n / 10)

    assert len(await sorting.groups()) == 1
