"""What somebody resolved while its alerts fire on: it is open again a while later, for all to see."""

from datetime import timedelta
from functools import partial

import pytest

from bot.core.alerts.silences import NewSilence
from bot.core.config import Config
from bot.core.config.alerts import Threshold
from bot.core.messages.alerts import RaisedContent
from bot.store.alerts.silences import Silences
from bot.store.incidents import incidents
from bot.store.oversight.paging import PagingQueries
from bot.store.slack import message_contents
from bot.store.tables import CauseRow, IncidentRow, MessageRow
from bot.store.triage.retries.due_rerankings import DueRerankings
from tests.unit.store.databases import SortingFixture, alert
from tests.unit.workflows.early_resolve_fixture import ranked


async def lines(sorting: SortingFixture) -> list[RaisedContent]:
    """What the threads say of groups that are open again."""
    rows = [row for row in await sorting.rows(MessageRow) if row.kind == "reopened"]
    async with sorting.db.read() as session:
        contents = [await message_contents.load(session, row.kind, row.subject) for row in rows]
    return [content for content in contents if isinstance(content, RaisedContent)]


async def state(sorting: SortingFixture) -> tuple[str, str]:
    """Of the group and its incident."""
    (group,), (incident,) = await sorting.groups(), await sorting.rows(IncidentRow)
    return group.state, incident.state


async def resolved_while_firing(sorting: SortingFixture, cause: str = "") -> None:
    """AL-1 of two alerts, both of which fire on and were reported a minute after the resolve."""
    await sorting.receive(alert("a"), alert("b"))
    await incidents.resolve(sorting.db, "AL-1", "alice", cause)
    sorting.clock.forward(1)
    await sorting.receive(alert("a"), alert("b"))


async def test_an_alert_that_is_still_reported_ten_minutes_later_opens_the_group_again(sorting: SortingFixture) -> None:
    await resolved_while_firing(sorting)
    assert await state(sorting) == ("RESOLVED", "RESOLVED")

    sorting.clock.forward(11)
    await sorting.receive(alert("a"))

    assert await state(sorting) == ("FIRING", "OPEN")


async def test_what_a_threshold_let_through_once_opens_its_group_again_without_passing_it_anew(sorting: SortingFixture) -> None:
    twice = Threshold(match={"service": "checkout"}, count=2, window=timedelta(minutes=10))
    config = Config(default_channel="C0", thresholds=(twice,))
    sorting = SortingFixture(sorting.db, sorting.clock, config)
    await sorting.receive(alert("a", start=-3))
    await sorting.receive(alert("a", start=-1))
    await incidents.resolve(sorting.db, "AL-1", "alice")
    sorting.clock.forward(11)
    await sorting.receive(alert("a", start=-1))

    assert await state(sorting) == ("FIRING", "OPEN")


async def test_its_causes_are_ranked_again_though_the_process_dies_in_between(sorting: SortingFixture) -> None:
    await resolved_while_firing(sorting)
    await ranked(sorting, 1)
    sorting.clock.forward(11)
    await sorting.receive(alert("a"))
    sorting.clock.forward(0.2)
    due = [(one.group, one.attempt) for one in await DueRerankings(sorting.db).due()]
    await ranked(sorting, 2)
    sorting.clock.forward(60)

    assert (due, await DueRerankings(sorting.db).due()) == ([("AL-1", 2)], [])


async def test_the_thread_says_how_long_after_and_calls_the_on_call_once(sorting: SortingFixture) -> None:
    await resolved_while_firing(sorting)
    sorting.clock.forward(11)
    await sorting.receive(alert("a"), alert("b"))
    sorting.clock.forward(1)
    await sorting.receive(alert("a"), alert("b"))

    (line,) = await lines(sorting)
    assert line.text == "Alert a on checkout still fires 12 min after AL-1 was resolved by hand: it is open again."
    assert line.notified_services == ("checkout",)


async def test_what_ended_meanwhile_is_not_counted_as_firing(sorting: SortingFixture) -> None:
    await resolved_while_firing(sorting)
    await sorting.receive(alert("b", "resolved"))
    sorting.clock.forward(11)
    await sorting.receive(alert("a"))

    (group,) = await sorting.groups()
    assert (group.alerts, group.firing, group.reopened) == (2, 1, 1)


async def test_its_last_end_clears_it_as_any_other(sorting: SortingFixture) -> None:
    await resolved_while_firing(sorting)
    sorting.clock.forward(11)
    await sorting.receive(alert("a"), alert("b"))
    await sorting.receive(alert("a", "resolved"), alert("b", "resolved"))

    assert await state(sorting) == ("MONITORING", "MONITORING")


async def test_what_ends_within_ten_minutes_stays_resolved(sorting: SortingFixture) -> None:
    await resolved_while_firing(sorting)
    await sorting.receive(alert("a", "resolved"), alert("b", "resolved"))
    sorting.clock.forward(11)
    await sorting.receive(alert("a"))

    assert await state(sorting) == ("RESOLVED", "RESOLVED") and await lines(sorting) == []


async def test_the_bot_may_have_been_restarted_since(sorting: SortingFixture) -> None:
    await resolved_while_firing(sorting)
    sorting.inbox.sorter.reset()
    sorting.clock.forward(11)
    await sorting.receive(alert("a"))

    assert await state(sorting) == ("FIRING", "OPEN")


async def test_an_alert_that_becomes_worse_opens_it_at_once(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", severity="warning"))
    await incidents.resolve(sorting.db, "AL-1", "alice")
    sorting.clock.forward(1)
    await sorting.receive(alert("a", severity="critical"))

    (group,) = await sorting.groups()
    assert (group.state, group.severity, bool(group.incident_id)) == ("FIRING", "SEV2", True)


@pytest.mark.parametrize("acknowledged", [True, False])
async def test_who_should_acknowledge_it_is_waited_for_from_then_on(sorting: SortingFixture, *, acknowledged: bool) -> None:
    waiting = partial(PagingQueries(sorting.db).unacknowledged, timedelta(minutes=5))
    await sorting.receive(alert("a"))
    if acknowledged:
        await incidents.acknowledge(sorting.db, "AL-1", "alice")
    await incidents.resolve(sorting.db, "AL-1", "alice")
    sorting.clock.forward(12)
    await sorting.receive(alert("a"))
    at_once = await waiting()
    sorting.clock.forward(5)

    assert at_once == [] and [one.ref for one in await waiting()] == ["AL-1"]


async def test_the_cause_that_was_confirmed_with_the_resolve_is_history(sorting: SortingFixture) -> None:
    await resolved_while_firing(sorting, cause="deploy rolled back")
    sorting.clock.forward(11)
    await sorting.receive(alert("a"))

    (incident,) = await sorting.rows(IncidentRow)
    assert (incident.cause, incident.resolved_by, incident.resolved_at) == ("", "", None)
    assert [row.text for row in await sorting.rows(CauseRow)] == ["deploy rolled back"]


async def test_it_can_be_resolved_again_and_is_open_again_after_that(sorting: SortingFixture) -> None:
    await resolved_while_firing(sorting)
    for _ in range(2):
        sorting.clock.forward(11)
        await sorting.receive(alert("a"))
        await incidents.resolve(sorting.db, "AL-1", "alice")
    sorting.clock.forward(11)
    await sorting.receive(alert("a"))

    assert await state(sorting) == ("FIRING", "OPEN") and len(await lines(sorting)) == 3


async def test_what_somebody_silenced_meanwhile_stays_resolved_until_the_silence_is_over(sorting: SortingFixture) -> None:
    await resolved_while_firing(sorting)
    await Silences(sorting.db).create(NewSilence({"service": "checkout"}, timedelta(hours=1), "alice", "a known bug"), "k1")
    sorting.clock.forward(30)
    await sorting.receive(alert("a"))
    assert await state(sorting) == ("RESOLVED", "RESOLVED")

    sorting.clock.forward(31)
    await sorting.receive(alert("a"))

    assert await state(sorting) == ("FIRING", "OPEN")
