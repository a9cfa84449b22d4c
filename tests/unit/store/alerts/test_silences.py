"""Silences: what they keep away, for how long, and what is shown again when they are over."""

from datetime import timedelta

import pytest

from bot.core.alerts.silences import NewSilence
from bot.core.errors import NotFound
from bot.core.incident import GroupState
from bot.store.alerts.silences import Silences
from bot.store.alerts.sorting.sorter import MOST_OPENED
from bot.store.tables import AuditRow, MessageRow, TimelineRow
from tests.unit.builders import NOW
from tests.unit.store.databases import Desk, alert

CHECKOUT = {"alertname": "Alert a", "service": "checkout"}


async def silence(desk: Desk, matchers: dict[str, str] = CHECKOUT, *, hours: float = 1, key: str = "k1") -> str:
    new = NewSilence(matchers, timedelta(hours=hours), "alice", "deploy of 5.1")
    return await Silences(desk.db).create(new, key)


async def cards(desk: Desk) -> list[tuple[str, str, int]]:
    return [(group.title, group.state, group.firing) for group in await desk.groups()]


async def test_a_silenced_alert_makes_no_card_and_says_whose_silence_it_is(desk: Desk) -> None:
    await silence(desk)

    await desk.receive(alert("a"), alert("b"))

    assert await cards(desk) == [("Alert b", "FIRING", 1)]
    muted = {episode.name: episode.muted_by for episode in await desk.episodes()}
    assert muted == {
        "Alert a": "silenced by SI-1 of alice until 2026-03-01 04:00 UTC: deploy of 5.1",
        "Alert b": "",
    }


async def test_what_still_fires_when_a_silence_is_over_has_its_card_then(desk: Desk) -> None:
    await silence(desk)
    await desk.receive(alert("a"), alert("z", labels={"service": "search"}, name="Alert a"))
    desk.clock.forward(61)

    results = await desk.receive()

    assert [triage for result in results for triage in result.triages] == [("AL-2", 1)]
    assert await cards(desk) == [("Alert a", "FIRING", 1), ("Alert a", "FIRING", 1)]
    assert await desk.receive() == []


async def test_what_resolved_meanwhile_is_not_shown(desk: Desk) -> None:
    await silence(desk)
    await desk.receive(alert("a"))
    await desk.receive(alert("a", "resolved"))
    desk.clock.forward(61)

    await desk.receive()

    assert await desk.groups() == []


async def test_a_second_silence_keeps_muting_what_the_first_let_go(desk: Desk) -> None:
    await silence(desk)
    await silence(desk, {"service": "checkout"}, hours=2, key="k2")
    await desk.receive(alert("a"))
    desk.clock.forward(61)

    await desk.receive()

    assert await desk.groups() == []
    assert [episode.muted_by[:16] for episode in await desk.episodes()] == ["silenced by SI-2"]


async def test_a_silence_over_a_storm_opens_its_groups_in_several_batches(desk: Desk) -> None:
    await silence(desk, {"severity": "critical"})
    await desk.receive(*(alert(f"s{n}", labels={"service": f"s{n}", "severity": "critical"}) for n in range(20)))
    desk.clock.forward(61)

    results = await desk.receive()

    assert [result.opened for result in results] == [MOST_OPENED, 20 - MOST_OPENED]
    cards = [row.kind for row in await desk.rows(MessageRow) if row.kind in ("card", "storm")]
    assert (len(await desk.groups()), cards.count("card"), cards.count("storm")) == (20, 5, 1)


async def test_whoever_silences_all_that_fires_on_a_card_has_acknowledged_it_until_the_silence_is_over(desk: Desk) -> None:
    await desk.receive(alert("a"))
    await silence(desk)
    assert [(group.state, group.acknowledged_by) for group in await desk.groups()] == [(GroupState.ACKNOWLEDGED, "alice")]
    desk.clock.forward(61)

    await desk.receive()

    assert [(group.state, group.acknowledged_by) for group in await desk.groups()] == [(GroupState.FIRING, "")]
    assert "The silence SI-1 is over, and 1 of its alerts still fire" in [row.text for row in await desk.rows(TimelineRow)]


async def test_a_card_with_something_else_on_it_stays_nobodys(desk: Desk) -> None:
    await desk.receive(alert("a"), alert("b"))

    await silence(desk)

    assert [group.state for group in await desk.groups()] == [GroupState.FIRING]


async def test_a_silence_is_ended_by_anybody_once_and_both_are_audited(desk: Desk) -> None:
    ref = await silence(desk)
    await desk.receive(alert("a"))

    await Silences(desk.db).end(ref, "bob")
    await desk.receive()

    assert await cards(desk) == [("Alert a", "FIRING", 1)]
    assert [(row.who, row.what) for row in await desk.rows(AuditRow)][:2] == [
        ("alice", "silence"),
        ("bob", "silence ended"),
    ]
    with pytest.raises(NotFound, match="SI-1 ended at 03:00 UTC"):
        await Silences(desk.db).end(ref, "bob")


async def test_the_same_press_makes_one_silence(desk: Desk) -> None:
    assert await silence(desk) == await silence(desk) == "SI-1"


async def test_the_list_counts_what_each_silence_muted_and_keeps_what_ended_for_a_day(desk: Desk) -> None:
    await silence(desk)
    await silence(desk, {"service": "search"}, hours=3, key="k2")
    await desk.receive(alert("a"), alert("s", labels={"service": "search"}))
    desk.clock.forward(90)

    listed = await Silences(desk.db).listed()

    assert [(one.silence.ref, one.muted, one.over) for one in listed] == [("SI-2", 1, False), ("SI-1", 1, True)]


async def test_a_preview_compares_with_the_alerts_of_the_last_day(desk: Desk) -> None:
    await desk.receive(alert("a"), alert("b"), alert("s", labels={"service": "search"}))

    checkout = await Silences(desk.db).preview({"service": "search"}, NOW)

    assert (checkout.compared, checkout.alerts, checkout.cards) == (3, [("Alert s", "search", 1)], [2])
    assert not checkout.exact({"service": "search"})
    both = await Silences(desk.db).preview(CHECKOUT, NOW)
    assert both.cards == [] and both.exact(CHECKOUT)
