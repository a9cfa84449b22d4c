"""What nobody acknowledges is reminded of in Slack: who, where and how often."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.store.incidents import incidents
from bot.store.tables import GroupRow, HeartbeatRow, MessageRow, TriageRow
from tests.unit.builders import NOW
from tests.unit.store.databases import Clock, SortingFixture, alert
from tests.unit.workflows.pager_fixture import PEOPLE, START, PagerFixture, message, open_pager

ROTA = {"services": {"checkout": {"on_call": {"rotation": ["alice", "bob"], "every": "520w", "starts": START}}}}
DEFAULT = {"default_on_call": {"rotation": ["dave"]}}
FIRST = "Nobody has acknowledged AL-1 (SEV2 checkout: HighErrorRate) for 5 min."


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[PagerFixture]:
    async with open_pager(tmp_path) as fixture:
        yield fixture


async def _new_problem_after_acknowledgement(fixture: PagerFixture) -> SortingFixture:
    """A card that alice acknowledged and that another service's alert joined four minutes later."""
    sorting = SortingFixture(fixture.db, Clock())
    await sorting.receive(alert("a", name="HighErrorRate"))
    await incidents.acknowledge(fixture.db, "AL-1", "alice")
    sorting.clock.forward(4)
    fixture.moment = sorting.clock()
    await sorting.receive(alert("b", name="Down", start=4, labels={"service": "payments"}))
    await fixture.change(MessageRow, "card:AL-1", ts="1.0", sent_rev=1)
    return sorting


async def test_what_nobody_acknowledges_is_reminded_of_in_its_thread_ever_more_seldom_and_to_more_people(
    fixture: PagerFixture,
) -> None:
    fixture.configure(**PEOPLE, **ROTA, **DEFAULT)
    await fixture.firing()

    for minutes in (4, 5.5, 6, 9, 10.5, 19, 20.5, 21):
        await fixture.after(minutes)

    again = "Nobody has acknowledged AL-1 (SEV2 checkout: HighErrorRate) for"
    assert await fixture.reminders() == [
        ("card:AL-1", FIRST, ["alice"]),
        ("card:AL-1", f"{again} 10 min.", ["alice", "bob"]),
        ("card:AL-1", f"{again} 20 min.", ["alice", "bob", "dave"]),
    ]


async def test_a_pager_is_not_needed_for_it(fixture: PagerFixture) -> None:
    fixture.configure(**PEOPLE, **ROTA)
    fixture.tick.pager = None
    await fixture.firing()
    await fixture.after(5.5)

    assert await fixture.reminders() == [("card:AL-1", FIRST, ["alice"])]


async def test_monitoring_that_falls_silent_is_said_in_the_channel_with_or_without_a_pager_and_once_each_time(
    fixture: PagerFixture,
) -> None:
    fixture.configure(**PEOPLE, **DEFAULT)
    fixture.tick.pager = None
    await fixture.add(HeartbeatRow(key="am:Watchdog", last_seen_at=NOW, every_seconds=60, beats=9))
    for minutes in (1, 2.1, 2.5, 3):
        await fixture.after(minutes)
    silent = await fixture.reminders()
    await fixture.change(HeartbeatRow, "am:Watchdog", last_seen_at=NOW + timedelta(minutes=4))
    await fixture.after(4.1)
    again = await fixture.reminders()
    await fixture.after(7)

    text = (
        "No heartbeat (Watchdog) from am since 03:00:00 UTC: new alerts may not arrive here. "
        "Check Prometheus, Alertmanager and its route to Tocsin."
    )
    assert silent == [("", text, ["dave"])]
    heard = "am was silent and is heard again since 03:04:00 UTC. Alerts that fire now are on their cards."
    assert [line[1] for line in again] == [heard]
    assert len(await fixture.reminders()) == 2


async def _silent(fixture: PagerFixture, minutes: float, *, since: timedelta = timedelta(0)) -> None:
    """A rule that came last `since` before NOW, and a tick that many minutes after it."""
    fixture.configure()
    await fixture.add(HeartbeatRow(key="am:Watchdog", last_seen_at=NOW - since, every_seconds=60, beats=9))
    await fixture.after(minutes)


async def test_a_restart_while_the_monitoring_is_silent_says_nothing_of_its_return(fixture: PagerFixture) -> None:
    await _silent(fixture, 3)
    silent = await fixture.reminders()
    fixture.configure()
    for minutes in (3.2, 4, 9):
        await fixture.after(minutes)

    assert await fixture.reminders() == silent and silent[0][1].startswith("No heartbeat (Watchdog) from am since 03:00:00")
    assert fixture.pager.told == [("page", "heartbeat:am:Watchdog")]


async def test_of_a_silent_rule_that_nobody_waits_for_any_more_its_return_is_not_claimed(fixture: PagerFixture) -> None:
    await _silent(fixture, 3)
    fixture.configure(heartbeats=["DeadMansSwitch"])
    await fixture.after(4)

    assert [text for _, text, _ in await fixture.reminders()] == [
        "am was silent. Whether it is heard again is not known: its heartbeat (Watchdog) is not waited for any more."
    ]


async def test_a_silence_that_began_on_another_day_names_that_day(fixture: PagerFixture) -> None:
    await _silent(fixture, 3, since=timedelta(days=2))

    assert "since 2026-02-27 03:00:00 UTC" in (await fixture.reminders())[0][1]


async def test_an_always_firing_rule_that_is_reported_as_ended_is_silent_at_once(fixture: PagerFixture) -> None:
    watchdog = {"name": "Watchdog", "severity": "none", "source": "am"}
    sorting = SortingFixture(fixture.db, Clock())
    await sorting.receive(alert("w", **watchdog))
    sorting.clock.forward(1)
    await sorting.receive(alert("w", "resolved", **watchdog))
    await fixture.after(1)
    ended = await fixture.reminders()
    sorting.clock.forward(1)
    await sorting.receive(alert("w", start=2, **watchdog))
    # What ends late is an earlier firing of it.
    await sorting.receive(alert("w", "resolved", **watchdog))
    await fixture.after(2)

    assert [text.partition(":")[0] for _, text, _ in ended] == ["No heartbeat (Watchdog) from am since 03"]
    assert [text for _, text, _ in await fixture.reminders()] == [
        "am was silent and is heard again since 03:02:00 UTC. Alerts that fire now are on their cards."
    ]


async def test_what_is_acknowledged_is_not_reminded_of(fixture: PagerFixture) -> None:
    fixture.configure(**PEOPLE, **ROTA)
    await fixture.firing()
    await fixture.change(GroupRow, 1, state="ACKNOWLEDGED", acknowledged_by="alice")
    await fixture.after(60)

    assert await fixture.reminders() == []


async def test_what_lost_its_acknowledgement_to_a_new_problem_is_waited_for_from_then_on(fixture: PagerFixture) -> None:
    fixture.tick.pager = None
    sorting = await _new_problem_after_acknowledgement(fixture)
    await fixture.after(6)
    soon = await fixture.reminders()
    await fixture.after(9.5)

    assert (await sorting.groups())[0].acknowledged_by == ""
    assert [text for _, text, _ in soon if "Nobody has acknowledged" in text] == []
    assert len([text for _, text, _ in await fixture.reminders() if "for 5 min." in text]) == 1


async def test_a_reminder_names_what_its_card_is_about_now_and_calls_the_people_of_that_service(fixture: PagerFixture) -> None:
    fixture.tick.pager = None
    rota = {"on_call": {"rotation": ["bob"]}}
    fixture.configure(**PEOPLE, services={"payments": rota, "checkout": {"on_call": {"rotation": ["alice"]}}})
    await _new_problem_after_acknowledgement(fixture)
    await fixture.after(9.5)

    assert [(text, people) for _, text, people in await fixture.reminders() if "Nobody has acknowledged" in text] == [
        ("Nobody has acknowledged AL-1 (SEV2 payments: Down) for 5 min.", ["bob"])
    ]


async def test_a_service_that_nobody_knows_calls_the_default_on_call(fixture: PagerFixture) -> None:
    fixture.configure(**PEOPLE, **DEFAULT)
    await fixture.firing()
    await fixture.after(5.5)

    assert await fixture.reminders() == [("card:AL-1", FIRST, ["dave"])]


async def test_where_nobody_is_on_call_the_reminder_says_so(fixture: PagerFixture) -> None:
    await fixture.firing()
    await fixture.after(5.5)

    ((_, text, people),) = await fixture.reminders()
    assert people == [] and text.endswith("Nobody is on call for checkout: set default_on_call in tocsin.yaml.")


async def test_a_rota_that_cannot_be_read_is_not_told_as_nobody_on_call(fixture: PagerFixture) -> None:
    fixture.configure(services={"checkout": {"on_call": {"usergroup": "S1"}}})
    await fixture.firing()
    await fixture.after(5.5)

    ((_, text, people),) = await fixture.reminders()
    assert people == [] and text.endswith("5 min. The rota of checkout cannot be read: set default_on_call in tocsin.yaml.")


async def test_the_alerts_of_a_storm_share_one_reminder(fixture: PagerFixture) -> None:
    fixture.configure(**PEOPLE, **DEFAULT)
    at = {"opened_at": NOW, "last_alert_at": NOW, "channel": "C1", "on_storm_card": "storm:C1:1"}
    for number in range(1, 13):
        group = GroupRow(key=f"k{number}", title="Down", service=f"s{number}", severity="SEV1", state="FIRING", **at)
        await fixture.add(group, TriageRow(group_id=number, attempt=1, state="done", started_at=NOW))
    await fixture.add(message("storm:C1:1", NOW, kind="storm", sent_rev=1, ts="1.0"))
    await fixture.after(5.5)

    refs = "AL-1, AL-2, AL-3, AL-4, AL-5, AL-6, AL-7, AL-8 and 4 more"
    text = f"Nobody has acknowledged 12 groups of alerts, the first for 5 min: {refs}."
    assert await fixture.reminders() == [("storm:C1:1", text, ["dave"])]


async def test_a_card_that_slack_has_not_taken_yet_is_not_reminded_of(fixture: PagerFixture) -> None:
    await fixture.firing()
    await fixture.change(MessageRow, "card:AL-1", ts="", sent_rev=0)
    await fixture.after(5.5)

    assert await fixture.reminders() == []


async def test_an_alert_that_fires_again_is_reminded_of_from_its_new_start(fixture: PagerFixture) -> None:
    fixture.configure(**PEOPLE, **ROTA)
    await fixture.firing()
    await fixture.after(5.5)
    await fixture.change(GroupRow, 1, mentioned_at=NOW + timedelta(minutes=30))
    await fixture.after(34)
    await fixture.after(35.5)

    assert [text for _, text, _ in await fixture.reminders()] == [FIRST, FIRST]
