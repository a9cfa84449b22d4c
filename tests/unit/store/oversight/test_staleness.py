"""Alerts that their source does not repeat any more: marked, said, and never taken for recovered."""

from typing import Any

from bot.core.config import Config
from bot.core.incident import GroupState
from bot.store.oversight.staleness import Staleness
from bot.store.tables import MessageRow, SourceRow
from tests.unit.store.databases import SortingFixture, alert


def staleness(sorting: SortingFixture, **source: Any) -> Staleness:
    config = Config.model_validate({"sources": {"prod": {"kind": "alertmanager", **source}}})
    return Staleness(sorting.db, config)


async def stale(sorting: SortingFixture) -> list[tuple[str, int, int]]:
    return [(group.state, group.firing, group.stale) for group in await sorting.groups()]


async def lines(sorting: SortingFixture) -> list[str]:
    return [row.subject for row in await sorting.rows(MessageRow) if row.kind == "line"]


async def test_an_alert_without_a_repeat_for_four_intervals_is_stale_and_still_counts_as_firing(
    sorting: SortingFixture,
) -> None:
    check = staleness(sorting, repeat_every="1h")
    await sorting.receive(alert("a"), alert("b"))
    sorting.clock.forward(200)
    await sorting.receive(alert("b"))
    await check()
    assert await stale(sorting) == [(GroupState.FIRING, 2, 0)]

    sorting.clock.forward(60)
    await check()

    assert await stale(sorting) == [(GroupState.FIRING, 2, 1)]
    assert await lines(sorting) == [
        "prod has not repeated Alert a since 03:00 UTC, 4 h 20 min ago. Whether it still fires is unknown: it counts as firing."
    ]


async def test_a_repeat_takes_the_mark_back_also_one_that_is_only_counted(sorting: SortingFixture) -> None:
    check = staleness(sorting, repeat_every="1h")
    await sorting.receive(alert("a"))
    await sorting.receive(alert("a"))
    sorting.clock.forward(300)
    await check()
    assert await stale(sorting) == [(GroupState.FIRING, 1, 1)]

    sorting.clock.forward(1)
    await sorting.receive(alert("a"))
    await check()

    assert await stale(sorting) == [(GroupState.FIRING, 1, 0)]


async def test_what_resolves_is_stale_no_more(sorting: SortingFixture) -> None:
    check = staleness(sorting, repeat_every="1h")
    await sorting.receive(alert("a"))
    sorting.clock.forward(300)
    await check()

    await sorting.receive(alert("a", "resolved"))
    await check()

    assert await stale(sorting) == [(GroupState.MONITORING, 0, 0)]


async def test_the_interval_is_learned_from_what_is_repeated(sorting: SortingFixture) -> None:
    check = staleness(sorting)
    await sorting.receive(*(alert(name) for name in "abcde"))
    for _ in range(3):
        sorting.clock.forward(60)
        await sorting.receive(*(alert(name) for name in "abcde"))
    (source,) = await sorting.rows(SourceRow)
    assert (source.repeat_seconds, source.repeat_gaps) == (3600, 15)

    sorting.clock.forward(239)
    await check()
    assert await stale(sorting) == [(GroupState.FIRING, 5, 0)]
    sorting.clock.forward(2)
    await check()

    assert await stale(sorting) == [(GroupState.FIRING, 5, 5)]


async def test_a_source_that_never_repeats_has_no_stale_alerts(sorting: SortingFixture) -> None:
    check = staleness(sorting)
    await sorting.receive(*(alert(name) for name in "abcdefgh"))
    for _ in range(3):
        sorting.clock.forward(1)
        await sorting.receive(alert("a"))
    sorting.clock.forward(6000)

    await check()

    assert await stale(sorting) == [(GroupState.FIRING, 8, 0)]


async def test_while_tocsin_was_down_nothing_could_be_repeated_to_it(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"))
    sorting.clock.forward(600)
    check = staleness(sorting, repeat_every="1h")
    sorting.clock.forward(230)

    await check()

    assert await stale(sorting) == [(GroupState.FIRING, 1, 0)]
