"""Repeats are counted without being sorted, and whatever is news still goes the long way."""

from collections.abc import Sequence

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.incident import GroupState
from bot.store.alerts.sorting import Sorter, SortingResult
from bot.store.tables import AlertRow
from tests.unit.store.databases import Desk, alert


async def test_repeats_count_for_the_alert_and_its_group(desk: Desk) -> None:
    await desk.receive(alert("a"))
    desk.clock.forward(1)
    await desk.receive(alert("a"), alert("a"))

    (episode,), (group,) = await desk.episodes(), await desk.groups()
    assert (episode.repeats, group.repeats, group.alerts, episode.last_seen_at) == (2, 2, 1, desk.clock.now)


async def test_an_end_among_repeats_ends_the_alert_and_later_repeats_change_nothing(desk: Desk) -> None:
    await desk.receive(alert("a"))
    await desk.receive(alert("a"), alert("a", "resolved"), alert("a"))
    await desk.receive(alert("a"))

    (episode,), (group,) = await desk.episodes(), await desk.groups()
    assert (episode.status, episode.repeats, group.firing, group.state) == ("resolved", 1, 0, GroupState.MONITORING)


async def test_a_worse_severity_is_news(desk: Desk) -> None:
    await desk.receive(alert("a", severity="warning"))
    await desk.receive(alert("a", severity="warning"))
    await desk.receive(alert("a", severity="critical"))

    (group,) = await desk.groups()
    assert group.severity == "SEV2"


class _Stumbling(Sorter):
    """Sorts the next batch and fails before it is committed."""

    async def sort(self, session: AsyncSession, rows: Sequence[AlertRow]) -> SortingResult:
        await super().sort(session, rows)
        raise OverflowError("this batch is undone")


async def test_what_was_learnt_of_a_batch_that_was_undone_is_forgotten(desk: Desk) -> None:
    sorter = desk.inbox.sorter
    stumbling = _Stumbling(desk.db, sorter.config, sorter.catalogue)
    stumbling.open, stumbling.repeats = sorter.open, sorter.repeats
    await desk.store([alert("a")])
    desk.inbox.sorter = stumbling
    with pytest.raises(OverflowError):
        await desk.inbox.take(1000)
    desk.inbox.sorter = sorter

    await desk.receive(alert("a"))

    (episode,), (group,) = await desk.episodes(), await desk.groups()
    assert (episode.group_id, episode.repeats, group.alerts) == (group.id, 1, 1)
