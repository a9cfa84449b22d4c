"""Repeats are counted without being sorted, and whatever is news still goes the long way."""

from collections.abc import Sequence

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alert import Alert
from bot.core.incident import GroupState
from bot.store.alerts.intake.writer import IntakeWriter
from bot.store.alerts.sorting.inbox import MAX_BODIES, MAX_REPEATS
from bot.store.alerts.sorting.result import SortingResult
from bot.store.alerts.sorting.sorter import Sorter
from bot.store.incidents import incidents
from bot.store.tables import AlertRow, RepeatRow
from tests.unit.store.databases import SortingFixture, alert


async def test_repeats_count_for_the_alert_and_its_group(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"))
    sorting.clock.forward(1)
    await sorting.receive(alert("a"), alert("a"))

    (episode,), (group,) = await sorting.episodes(), await sorting.groups()
    assert (episode.repeats, group.repeats, group.alerts, episode.last_seen_at) == (2, 2, 1, sorting.clock.now)


async def test_an_end_among_repeats_ends_the_alert_and_later_repeats_change_nothing(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"))
    await sorting.receive(alert("a"), alert("a", "resolved"), alert("a"))
    await sorting.receive(alert("a"))

    (episode,), (group,) = await sorting.episodes(), await sorting.groups()
    assert (episode.status, episode.repeats, group.firing, group.state) == ("resolved", 1, 0, GroupState.MONITORING)


async def test_a_worse_severity_is_news(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", severity="warning"))
    await sorting.receive(alert("a", severity="warning"))
    await sorting.receive(alert("a", severity="critical"))

    (group,) = await sorting.groups()
    assert group.severity == "SEV2"


class _Stumbling(Sorter):
    """Sorts the next batch and fails before it is committed."""

    async def sort(self, session: AsyncSession, rows: Sequence[AlertRow]) -> SortingResult:
        await super().sort(session, rows)
        raise OverflowError("this batch is undone")


async def test_what_was_learnt_of_a_batch_that_was_undone_is_forgotten(sorting: SortingFixture) -> None:
    sorter = sorting.inbox.sorter
    stumbling = _Stumbling(sorting.db, sorter.config, sorter.catalogue)
    stumbling.open_groups, stumbling.repeats = sorter.open_groups, sorter.repeats
    await sorting.store([alert("a")])
    sorting.inbox.sorter = stumbling
    with pytest.raises(OverflowError):
        await sorting.inbox.take(1000)
    sorting.inbox.sorter = sorter

    await sorting.receive(alert("a"))

    (episode,), (group,) = await sorting.episodes(), await sorting.groups()
    assert (episode.group_id, episode.repeats, group.alerts) == (group.id, 1, 1)


class Intake:
    """Stores alerts as the endpoint does, those that are stored already as numbers."""

    def __init__(self, sorting: SortingFixture) -> None:
        self.sorting = sorting
        self.writer = IntakeWriter(sorting.db, lambda: None)

    async def put(self, *alerts: Alert, repeats: Sequence[int] = ()) -> None:
        self.writer.start()
        digests = [one.fingerprint.encode() if one.status == "firing" else b"" for one in alerts]
        await self.writer.put(alerts, [], self.sorting.clock.now, source="am", repeats=repeats, digests=digests)
        await self.writer.stop()

    async def again(self, *fingerprints: str) -> None:
        numbers = [self.writer.stored.find(one.encode()) for one in fingerprints]
        await self.put(repeats=[number for number in numbers if number is not None])

    async def sort(self) -> None:
        while await self.sorting.inbox.take(1000):
            continue


async def test_alerts_that_come_again_as_numbers_count_and_leave_no_row_behind(sorting: SortingFixture) -> None:
    intake = Intake(sorting)
    await intake.put(alert("a"), alert("b"))
    await intake.sort()
    stored = len(await sorting.rows(AlertRow))
    sorting.clock.forward(1)
    await intake.again("a", "b")
    await intake.again("a")
    await intake.sort()

    counts = {episode.fingerprint: (episode.repeats, episode.last_seen_at) for episode in await sorting.episodes()}
    assert counts == {"a": (2, sorting.clock.now), "b": (1, sorting.clock.now)}
    assert len(await sorting.rows(AlertRow)) == stored
    assert await sorting.rows(RepeatRow) == []


async def test_after_a_restart_they_count_as_well(sorting: SortingFixture) -> None:
    intake = Intake(sorting)
    await intake.put(alert("a"))
    await intake.sort()
    sorting.inbox.sorter.reset()
    await intake.again("a")
    await intake.sort()
    await intake.again("a")
    await intake.sort()

    (episode,), (group,) = await sorting.episodes(), await sorting.groups()
    assert (episode.repeats, group.repeats, group.alerts) == (2, 2, 1)


async def test_few_alerts_of_many_commits_are_counted_in_one_transaction(sorting: SortingFixture) -> None:
    intake = Intake(sorting)
    await intake.put(alert("a"))
    await intake.sort()
    for _ in range(3 * MAX_BODIES):
        await intake.again("a")

    result = await sorting.inbox.take(1000)

    (episode,) = await sorting.episodes()
    assert (episode.repeats, result and result.more, await sorting.rows(RepeatRow)) == (3 * MAX_BODIES, False, [])


async def test_of_many_alerts_the_rest_waits_for_the_next_transaction(sorting: SortingFixture) -> None:
    intake = Intake(sorting)
    await intake.put(alert("a"))
    await intake.sort()
    await intake.again(*["a"] * MAX_REPEATS)
    for _ in range(MAX_BODIES):
        await intake.again("a")

    result = await sorting.inbox.take(1000)

    assert (result and result.more, len(await sorting.rows(RepeatRow))) == (True, 1)


async def test_they_are_sorted_after_what_came_before_them(sorting: SortingFixture) -> None:
    intake = Intake(sorting)
    await intake.put(alert("a"))
    await intake.put(alert("a", "resolved"))
    await intake.again("a")
    await intake.sort()

    (episode,) = await sorting.episodes()
    assert (episode.status, episode.repeats) == ("resolved", 0)


async def test_an_alert_that_was_muted_is_looked_at_anew_each_time(sorting: SortingFixture) -> None:
    intake = Intake(sorting)
    await intake.put(alert("a", severity="info"))
    await intake.sort()
    (muted,) = await sorting.episodes()
    assert muted.muted_by
    sorting.clock.forward(60)
    await intake.again("a")
    await intake.sort()

    (episode,) = await sorting.episodes()
    assert (episode.repeats, episode.last_seen_at) == (1, sorting.clock.now)
    assert await sorting.rows(RepeatRow) == []


async def test_an_alert_that_comes_again_as_a_number_opens_its_group_that_was_resolved_too_early(
    sorting: SortingFixture,
) -> None:
    intake = Intake(sorting)
    await intake.put(alert("a"))
    await intake.sort()
    await incidents.resolve(sorting.db, "AL-1", "alice")
    for minutes in (1, 11):
        sorting.clock.forward(minutes)
        await intake.again("a")
        await intake.sort()

    (episode,), (group,) = await sorting.episodes(), await sorting.groups()
    assert (group.state, episode.repeats) == (GroupState.FIRING, 2)


async def test_a_number_whose_alert_was_pruned_is_over(sorting: SortingFixture) -> None:
    intake = Intake(sorting)
    await intake.put(repeats=[99])
    await intake.sort()

    assert await sorting.rows(RepeatRow) == []
