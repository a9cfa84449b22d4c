"""Silences: what they keep away, for how long, and what is shown again when they are over."""

from datetime import timedelta

import pytest

from bot.core.alerts.silences import NewSilence
from bot.core.errors import NotFound
from bot.core.incident import GroupState
from bot.store.alerts.silences import Silences
from bot.store.alerts.sorting.sorter import MAX_OPENED
from bot.store.tables import AuditRow, MessageRow, TimelineRow
from tests.unit.builders import NOW
from tests.unit.store.databases import SortingFixture, alert

CHECKOUT = {"alertname": "Alert a", "service": "checkout"}


async def silence(sorting: SortingFixture, matchers: dict[str, str] = CHECKOUT, *, hours: float = 1, key: str = "k1") -> str:
    new = NewSilence(matchers, timedelta(hours=hours), "alice", "deploy of 5.1")
    return await Silences(sorting.db).create(new, key)


async def cards(sorting: SortingFixture) -> list[tuple[str, str, int]]:
    return [(group.title, group.state, group.firing) for group in await sorting.groups()]


async def test_a_silenced_alert_makes_no_card_and_says_whose_silence_it_is(sorting: SortingFixture) -> None:
    await silence(sorting)

    await sorting.receive(alert("a"), alert("b"))

    assert await cards(sorting) == [("Alert b", "FIRING", 1)]
    muted = {episode.name: episode.muted_by for episode in await sorting.episodes()}
    assert muted == {
        "Alert a": "silenced by SI-1 of alice until 2026-03-01 04:00 UTC: deploy of 5.1",
        "Alert b": "",
    }


async def test_what_still_fires_when_a_silence_is_over_has_its_card_then(sorting: SortingFixture) -> None:
    await silence(sorting)
    await sorting.receive(alert("a"), alert("z", labels={"service": "search"}, name="Alert a"))
    sorting.clock.forward(61)

    results = await sorting.receive()

    assert [triage for result in results for triage in result.triages] == [("AL-2", 1)]
    assert await cards(sorting) == [("Alert a", "FIRING", 1), ("Alert a", "FIRING", 1)]
    assert await sorting.receive() == []


async def test_what_resolved_meanwhile_is_not_shown(sorting: SortingFixture) -> None:
    await silence(sorting)
    await sorting.receive(alert("a"))
    await sorting.receive(alert("a", "resolved"))
    sorting.clock.forward(61)

    await sorting.receive()

    assert await sorting.groups() == []


async def test_a_second_silence_keeps_muting_what_the_first_let_go(sorting: SortingFixture) -> None:
    await silence(sorting)
    await silence(sorting, {"service": "checkout"}, hours=2, key="k2")
    await sorting.receive(alert("a"))
    sorting.clock.forward(61)

    await sorting.receive()

    assert await sorting.groups() == []
    assert [episode.muted_by[:16] for episode in await sorting.episodes()] == ["silenced by SI-2"]


async def test_a_silence_over_a_storm_opens_its_groups_in_several_batches(sorting: SortingFixture) -> None:
    await silence(sorting, {"severity": "critical"})
    await sorting.receive(*(alert(f"s{n}", labels={"service": f"s{n}", "severity": "critical"}) for n in range(20)))
    sorting.clock.forward(61)

    results = await sorting.receive()

    assert [result.opened for result in results] == [MAX_OPENED, 20 - MAX_OPENED]
    cards = [row.kind for row in await sorting.rows(MessageRow) if row.kind in ("card", "storm")]
    assert (len(await sorting.groups()), cards.count("card"), cards.count("storm")) == (20, 5, 1)


async def test_whoever_silences_all_that_fires_on_a_card_has_acknowledged_it_until_the_silence_is_over(
    sorting: SortingFixture,
) -> None:
    await sorting.receive(alert("a"))
    await silence(sorting)
    assert [(group.state, group.acknowledged_by) for group in await sorting.groups()] == [(GroupState.ACKNOWLEDGED, "alice")]
    sorting.clock.forward(61)

    await sorting.receive()

    assert [(group.state, group.acknowledged_by) for group in await sorting.groups()] == [(GroupState.FIRING, "")]
    assert "The silence SI-1 is over, and 1 alert still fires here" in [row.text for row in await sorting.rows(TimelineRow)]


async def test_a_card_is_the_owners_of_the_second_silence_where_that_lasts_longer_than_the_first(
    sorting: SortingFixture,
) -> None:
    await sorting.receive(alert("a"))
    await silence(sorting)
    sorting.clock.forward(30)
    await silence(sorting, hours=1, key="k2")
    sorting.clock.forward(31)

    await sorting.receive()
    between = [(group.state, group.acknowledged_by) for group in await sorting.groups()]
    sorting.clock.forward(30)
    await sorting.receive()

    assert between == [(GroupState.ACKNOWLEDGED, "alice")]
    assert [(group.state, group.acknowledged_by) for group in await sorting.groups()] == [(GroupState.FIRING, "")]
    over = [row.text for row in await sorting.rows(TimelineRow) if "is over" in row.text]
    assert over == ["The silence SI-2 is over, and 1 alert still fires here"]


async def test_a_card_with_something_else_on_it_stays_nobodys(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"), alert("b"))

    await silence(sorting)

    assert [group.state for group in await sorting.groups()] == [GroupState.FIRING]


async def test_a_silence_is_ended_by_anybody_once_and_both_are_audited(sorting: SortingFixture) -> None:
    ref = await silence(sorting)
    await sorting.receive(alert("a"))

    await Silences(sorting.db).end(ref, "bob")
    await sorting.receive()

    assert await cards(sorting) == [("Alert a", "FIRING", 1)]
    assert [(row.who, row.what) for row in await sorting.rows(AuditRow)][:2] == [
        ("alice", "silence"),
        ("bob", "silence ended"),
    ]
    with pytest.raises(NotFound, match="SI-1 ended at 03:00 UTC"):
        await Silences(sorting.db).end(ref, "bob")


async def test_the_same_press_makes_one_silence(sorting: SortingFixture) -> None:
    assert await silence(sorting) == await silence(sorting) == "SI-1"


async def test_the_list_counts_what_each_silence_muted_and_keeps_what_ended_for_a_day(sorting: SortingFixture) -> None:
    await silence(sorting)
    await silence(sorting, {"service": "search"}, hours=3, key="k2")
    await sorting.receive(alert("a"), alert("s", labels={"service": "search"}))
    sorting.clock.forward(90)

    listed = await Silences(sorting.db).listed()

    assert [(one.silence.ref, one.muted, one.over) for one in listed] == [("SI-2", 1, False), ("SI-1", 1, True)]


async def test_a_preview_compares_with_the_alerts_of_the_last_day(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"), alert("b"), alert("s", labels={"service": "search"}))

    checkout = await Silences(sorting.db).preview({"service": "search"}, NOW)

    assert (checkout.compared, checkout.alerts, checkout.cards) == (3, [("Alert s", "search", 1)], [2])
    assert not checkout.exact({"service": "search"})
    both = await Silences(sorting.db).preview(CHECKOUT, NOW)
    assert both.cards == [] and both.exact(CHECKOUT)
