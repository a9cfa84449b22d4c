"""An outage that begins fast in a group whose own is over: one card, which tells of it as of something new."""

from datetime import timedelta

import pytest

from bot.store.tables import MessageRow
from tests.unit.builders import NOW
from tests.unit.store.databases import Desk, alert


async def _fires(desk: Desk, fingerprint: str, second: float) -> None:
    desk.clock.now = NOW + timedelta(seconds=second)
    await desk.receive(alert(fingerprint, name="HighErrorRate", severity="warning", start=second / 60))


async def _outage(desk: Desk, name: str, second: float, count: int) -> None:
    """Alerts that come ever more slowly, as those of one outage do."""
    for n in range(count):
        await _fires(desk, f"{name} {n}", second + n * n / 40)


async def _end(desk: Desk, name: str, second: float, count: int) -> None:
    desk.clock.now = NOW + timedelta(seconds=second)
    ended = [alert(f"{name} {n}", "resolved", start=n * n / 2400, ends_at=desk.clock.now) for n in range(count)]
    await desk.receive(*ended)


async def _lines(desk: Desk) -> int:
    """How many messages tell of something new on a card."""
    return sum(row.kind == "renewed" for row in await desk.rows(MessageRow))


@pytest.mark.parametrize(("ended", "groups", "lines"), [(14, 1, 1), (4, 2, 0)])
async def test_it_stays_on_the_card_and_has_a_line_there_only_where_the_outage_before_is_over(
    desk: Desk, ended: int, groups: int, lines: int
) -> None:
    await _outage(desk, "first", 0, 16)
    await _end(desk, "first", 100, ended)
    for n in range(40):
        await _fires(desk, f"second {n}", 150 + n / 10)

    assert (len(await desk.groups()), await _lines(desk)) == (groups, lines)


async def test_once_it_runs_a_further_one_has_a_card_of_its_own(desk: Desk) -> None:
    await _outage(desk, "first", 0, 16)
    await _end(desk, "first", 100, 14)
    for n in range(40):
        await _fires(desk, f"second {n}", 150 + n / 10)
    for n in range(60):
        await _fires(desk, f"third {n}", 260 + n / 10)

    assert [group.alerts > 16 for group in await desk.groups()] == [True, True]


async def test_it_stays_on_the_card_over_a_restart(desk: Desk) -> None:
    await _outage(desk, "first", 0, 16)
    await _end(desk, "first", 100, 14)
    for n in range(40):
        await _fires(desk, f"second {n}", 150 + n / 10)
    desk.inbox.sorter.reset()
    for n in range(40, 80):
        await _fires(desk, f"second {n}", 150 + n / 10)

    assert len(await desk.groups()) == 1
