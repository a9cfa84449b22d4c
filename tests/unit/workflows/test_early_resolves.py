"""What somebody resolved while its alerts fire is open again, though their source repeats them hours later."""

from datetime import timedelta

import pytest

from bot.core.alerts.silences import NewSilence
from bot.store.alerts.silences import Silences
from bot.store.alerts.sorting.early_resolves import missing_ends_count
from bot.store.tables import GroupRow, IncidentRow
from bot.store.triage.retries.due_rerankings import DueRerankings
from tests.unit.store.databases import SortingFixture, alert
from tests.unit.workflows.early_resolve_fixture import EarlyResolveFixture, RecordedAlerts, ranked


async def test_an_alert_that_has_not_recovered_ten_minutes_later_opens_the_group_again(sorting: SortingFixture) -> None:
    fixture = EarlyResolveFixture(sorting)
    await fixture.source_reports_ends()
    await fixture.resolved_while_firing()
    soon = await fixture.after(9)
    later = await fixture.after(1)

    assert (soon, later) == ("RESOLVED", "FIRING")
    (incident,) = await sorting.rows(IncidentRow)
    (line,) = await fixture.lines()
    assert (incident.state, incident.resolved_by) == ("OPEN", "")
    assert line.text == "Alert a on checkout has not recovered 10 min after AL-1 was resolved by hand: it is open again."
    assert line.notified_services == ("checkout",)


async def test_an_alert_whose_end_was_lost_brings_it_back_once_however_often_it_is_resolved(sorting: SortingFixture) -> None:
    fixture = EarlyResolveFixture(sorting)
    await fixture.source_reports_ends()
    await fixture.resolved_while_firing()
    states = [await fixture.after(11)]
    for _ in range(2):
        await fixture.resolve()
        states += [await fixture.after(11), await fixture.after(60)]

    assert states == ["FIRING", *["RESOLVED"] * 4] and len(await fixture.lines()) == 1


async def test_an_alert_that_was_delivered_since_it_was_open_again_brings_it_back_once_more(sorting: SortingFixture) -> None:
    fixture = EarlyResolveFixture(sorting)
    await fixture.source_reports_ends()
    await fixture.resolved_while_firing()
    await fixture.after(11)
    sorting.clock.forward(1)
    await sorting.receive(alert("a"))
    await fixture.resolve()

    assert await fixture.after(11) == "FIRING"


async def test_an_alert_that_a_repeat_showed_to_fire_may_not_be_over_after_the_next_resolve_either(
    sorting: SortingFixture,
) -> None:
    fixture = EarlyResolveFixture(sorting)
    await fixture.source_reports_ends()
    await fixture.resolved_while_firing()
    sorting.clock.forward(12)
    await sorting.receive(alert("a"))
    await fixture.resolve()

    assert [await fixture.after(11), len(await fixture.lines())] == ["FIRING", 2]


async def test_what_prometheus_sees_fire_comes_back_after_each_resolve(sorting: SortingFixture) -> None:
    fixture = EarlyResolveFixture(sorting, RecordedAlerts({"alertname": "Alert a", "service": "checkout"}))
    await fixture.resolved_while_firing()
    once = await fixture.after(11)
    await fixture.resolve()

    assert (once, await fixture.after(11)) == ("FIRING", "FIRING")


async def test_whoever_resolves_it_again_is_told_that_only_a_repeat_brings_it_back(sorting: SortingFixture) -> None:
    fixture = EarlyResolveFixture(sorting)
    await fixture.source_reports_ends()
    await sorting.receive(alert("a"))
    before = await missing_ends_count(sorting.db, "AL-1")
    await fixture.resolve()
    await fixture.after(11)

    assert (before, await missing_ends_count(sorting.db, "AL-1")) == (True, False)


async def test_its_causes_are_ranked_again_though_the_process_dies_in_between(sorting: SortingFixture) -> None:
    fixture = EarlyResolveFixture(sorting)
    await fixture.source_reports_ends()
    await sorting.receive(alert("a"))
    await ranked(sorting, 1)
    await fixture.resolve()
    await fixture.after(11)
    sorting.clock.forward(1)
    due = [(one.group, one.attempt) for one in await DueRerankings(sorting.db).due()]
    await ranked(sorting, 2)
    sorting.clock.forward(60)

    assert (due, await DueRerankings(sorting.db).due()) == ([("AL-1", 2)], [])


async def test_what_recovers_within_ten_minutes_stays_resolved(sorting: SortingFixture) -> None:
    fixture = EarlyResolveFixture(sorting)
    await fixture.resolved_while_firing()
    sorting.clock.forward(9)
    await sorting.receive(alert("a", "resolved"))

    assert [await fixture.after(2), await fixture.after(60)] == ["RESOLVED", "RESOLVED"]


async def test_a_recovery_that_is_stored_and_not_sorted_yet_counts(sorting: SortingFixture) -> None:
    fixture = EarlyResolveFixture(sorting)
    await fixture.source_reports_ends()
    await fixture.resolved_while_firing()
    await sorting.store([alert("a", "resolved")])
    waiting = await fixture.after(11)
    await sorting.receive()

    assert (waiting, await fixture.after(1)) == ("RESOLVED", "RESOLVED") and await fixture.lines() == []


async def test_of_a_source_that_never_reports_an_end_nothing_is_concluded(sorting: SortingFixture) -> None:
    fixture = EarlyResolveFixture(sorting)
    await fixture.resolved_while_firing()

    assert [await fixture.after(11), await fixture.after(60)] == ["RESOLVED", "RESOLVED"]


async def test_a_prometheus_that_sees_it_fire_needs_no_source_that_reports_ends(sorting: SortingFixture) -> None:
    prometheus = RecordedAlerts({"alertname": "Alert a", "service": "checkout"})
    fixture = EarlyResolveFixture(sorting, prometheus)
    await fixture.resolved_while_firing()

    assert await fixture.after(11) == "FIRING"
    (line,) = await fixture.lines()
    assert line.text.startswith("Alert a on checkout still fires 11 min after AL-1 was resolved by hand")


async def test_what_prometheus_saw_end_waits_for_its_recovery_and_is_looked_at_again(sorting: SortingFixture) -> None:
    prometheus = RecordedAlerts({"alertname": "Alert a", "service": "checkout"}, firing=False)
    fixture = EarlyResolveFixture(sorting, prometheus)
    await fixture.source_reports_ends()
    await fixture.resolved_while_firing()
    ended = await fixture.after(11)
    prometheus.firing = True

    assert (ended, await fixture.after(11)) == ("RESOLVED", "FIRING"), "it began anew, and Alertmanager says nothing of that"


@pytest.mark.parametrize("of_another", [{"alertname": "Alert a", "service": "search"}, {"alertname": "Alert b"}])
async def test_a_prometheus_that_does_not_evaluate_the_alert_says_nothing_of_it(
    sorting: SortingFixture, of_another: dict[str, str]
) -> None:
    fixture = EarlyResolveFixture(sorting, RecordedAlerts(of_another, firing=False))
    await fixture.source_reports_ends()
    await fixture.resolved_while_firing()

    assert await fixture.after(11) == "FIRING"


async def test_a_prometheus_that_cannot_be_read_is_no_all_clear(sorting: SortingFixture) -> None:
    prometheus = RecordedAlerts({"alertname": "Alert a", "service": "checkout"})
    prometheus.down = True
    fixture = EarlyResolveFixture(sorting, prometheus)
    await fixture.resolved_while_firing()
    not_read = await fixture.after(11)
    prometheus.down = False

    assert (not_read, await fixture.after(11)) == ("RESOLVED", "FIRING")


async def test_what_somebody_silenced_meanwhile_comes_back_once_the_silence_is_over(sorting: SortingFixture) -> None:
    fixture = EarlyResolveFixture(sorting)
    await fixture.source_reports_ends()
    await fixture.resolved_while_firing()
    await Silences(sorting.db).create(NewSilence({"service": "checkout"}, timedelta(hours=1), "alice", "a known bug"), "k1")
    silenced = [await fixture.after(20), await fixture.after(20)]

    assert (silenced, await fixture.after(31)) == (["RESOLVED", "RESOLVED"], "FIRING")


async def test_what_is_in_maintenance_by_then_stays_resolved(sorting: SortingFixture) -> None:
    starts = sorting.clock()
    window = {"match": {"service": "checkout"}, "starts": starts, "ends": starts + timedelta(hours=1), "reason": "moving"}
    fixture = EarlyResolveFixture(sorting, maintenance=[window])
    await fixture.source_reports_ends()
    await fixture.resolved_while_firing()

    assert [await fixture.after(11), await fixture.after(61)] == ["RESOLVED", "FIRING"]


async def test_an_alert_that_passed_its_threshold_once_need_not_pass_it_again(sorting: SortingFixture) -> None:
    rule = {"match": {"service": "checkout"}, "count": 2, "window": "5m"}
    fixture = EarlyResolveFixture(sorting, thresholds=[rule])
    await fixture.source_reports_ends()
    await fixture.resolved_while_firing()

    assert await fixture.after(11) == "FIRING"


async def test_what_was_resolved_before_an_upgrade_stays_resolved(sorting: SortingFixture) -> None:
    fixture = EarlyResolveFixture(sorting)
    await fixture.source_reports_ends()
    await fixture.resolved_while_firing()
    async with sorting.db.write() as session:
        group = await session.get(GroupRow, 1)
        assert group is not None
        group.recheck_at = None

    assert [await fixture.after(11), await fixture.after(60)] == ["RESOLVED", "RESOLVED"]


async def test_after_a_restart_a_source_has_time_to_send_what_it_could_not(sorting: SortingFixture) -> None:
    before = EarlyResolveFixture(sorting)
    await before.source_reports_ends()
    await before.resolved_while_firing()
    sorting.clock.forward(30)
    restarted = EarlyResolveFixture(sorting)

    assert [await restarted.after(1), await restarted.after(5)] == ["RESOLVED", "FIRING"]


async def test_the_next_delivery_is_a_repeat_in_the_group_that_is_open_again(sorting: SortingFixture) -> None:
    fixture = EarlyResolveFixture(sorting)
    await fixture.source_reports_ends()
    await fixture.resolved_while_firing()
    await fixture.after(11)
    await sorting.receive(alert("a"))
    await sorting.receive(alert("a", "resolved"))

    (group,) = await sorting.groups()
    assert (group.state, group.repeats, group.firing, len(await fixture.lines())) == ("MONITORING", 1, 0, 1)
