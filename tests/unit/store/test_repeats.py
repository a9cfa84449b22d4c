"""Repeats are counted without being sorted, and whatever is news still goes the long way."""

from bot.core.incident import GroupState
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
