"""Repeats are counted without being sorted, and whatever is news still goes the long way."""

from collections.abc import Sequence

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alert import Alert
from bot.core.incident import GroupState
from bot.store.alerts.intake.writer import IntakeWriter
from bot.store.alerts.sorting.result import SortingResult
from bot.store.alerts.sorting.sorter import Sorter
from bot.store.tables import AlertRow, RepeatRow
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


class Intake:
    """Stores alerts as the endpoint does, those that are stored already as numbers."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.writer = IntakeWriter(desk.db, lambda: None)

    async def put(self, *alerts: Alert, repeats: Sequence[int] = ()) -> None:
        self.writer.start()
        digests = [one.fingerprint.encode() if one.status == "firing" else b"" for one in alerts]
        await self.writer.put(alerts, [], self.desk.clock.now, source="am", repeats=repeats, digests=digests)
        await self.writer.stop()

    async def again(self, *fingerprints: str) -> None:
        numbers = [self.writer.stored.find(one.encode()) for one in fingerprints]
        await self.put(repeats=[number for number in numbers if number is not None])

    async def sort(self) -> None:
        while await self.desk.inbox.take(1000):
            continue


async def test_alerts_that_come_again_as_numbers_count_and_leave_no_row_behind(desk: Desk) -> None:
    intake = Intake(desk)
    await intake.put(alert("a"), alert("b"))
    await intake.sort()
    stored = len(await desk.rows(AlertRow))
    desk.clock.forward(1)
    await intake.again("a", "b")
    await intake.again("a")
    await intake.sort()

    counts = {episode.fingerprint: (episode.repeats, episode.last_seen_at) for episode in await desk.episodes()}
    assert counts == {"a": (2, desk.clock.now), "b": (1, desk.clock.now)}
    assert len(await desk.rows(AlertRow)) == stored
    assert await desk.rows(RepeatRow) == []


async def test_after_a_restart_they_count_as_well(desk: Desk) -> None:
    intake = Intake(desk)
    await intake.put(alert("a"))
    await intake.sort()
    desk.inbox.sorter.reset()
    await intake.again("a")
    await intake.sort()
    await intake.again("a")
    await intake.sort()

    (episode,), (group,) = await desk.episodes(), await desk.groups()
    assert (episode.repeats, group.repeats, group.alerts) == (2, 2, 1)


async def test_they_are_sorted_after_what_came_before_them(desk: Desk) -> None:
    intake = Intake(desk)
    await intake.put(alert("a"))
    await intake.put(alert("a", "resolved"))
    await intake.again("a")
    await intake.sort()

    (episode,) = await desk.episodes()
    assert (episode.status, episode.repeats) == ("resolved", 0)


async def test_an_alert_that_was_muted_is_looked_at_anew_each_time(desk: Desk) -> None:
    intake = Intake(desk)
    await intake.put(alert("a", severity="info"))
    await intake.sort()
    (muted,) = await desk.episodes()
    assert muted.muted_by
    desk.clock.forward(60)
    await intake.again("a")
    await intake.sort()

    (episode,) = await desk.episodes()
    assert (episode.repeats, episode.last_seen_at) == (1, desk.clock.now)
    assert await desk.rows(RepeatRow) == []


async def test_a_number_whose_alert_was_pruned_is_over(desk: Desk) -> None:
    intake = Intake(desk)
    await intake.put(repeats=[99])
    await intake.sort()

    assert await desk.rows(RepeatRow) == []
