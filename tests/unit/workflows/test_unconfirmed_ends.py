"""That no alert is reported any more is an all-clear only if somebody could look."""

from datetime import timedelta

import pytest

from bot.core.config import Config
from bot.core.errors import QueryFailed
from bot.slack.views import card as view
from bot.store.incidents import incidents
from bot.store.oversight.quiet_groups import close_quiet_groups
from bot.store.oversight.unconfirmed_ends import UnconfirmedEnds
from bot.store.tables import MessageRow
from bot.workflows.ends.unconfirmed import EndsTick
from tests.unit.approvals_fixture import RecordedMetrics
from tests.unit.store.databases import SortingFixture, alert
from tests.unit.workflows.card_watch import CardWatch
from tests.unit.workflows.early_resolve_fixture import EarlyResolveFixture, RecordedAlerts

DOWN = QueryFailed("connection refused")


class Watch(CardWatch):
    """A group that cleared, and the tick that looks at it."""

    def __init__(self, sorting: SortingFixture, kind: str = "alertmanager") -> None:
        super().__init__(sorting)
        self.metrics = RecordedMetrics()
        self.config = Config.model_validate({"sources": {"prod": {"kind": kind}}})
        self.tick = EndsTick(UnconfirmedEnds(sorting.db, self.config), self.metrics)

    async def clears(self) -> None:
        await self.sorting.receive(alert())
        await self.ends()

    async def ends(self) -> None:
        await self.sorting.receive(alert(status="resolved", ends_at=self.sorting.clock()))

    async def after(self, minutes: float, *, readable: bool) -> str:
        """The card after a round of the tick."""
        self.metrics.values["vector(1)"] = 1.0 if readable else DOWN
        self.sorting.clock.forward(minutes)
        await self.tick()
        return await self.card()


async def test_an_end_while_prometheus_is_away_is_no_all_clear(sorting: SortingFixture) -> None:
    watch = Watch(sorting)
    await watch.clears()
    card = await watch.after(0.1, readable=False)

    assert "NOT CONFIRMED" in card and "this is no all-clear" in card and view.CLEARED not in card
    (line,) = await watch.lines()
    assert "cannot be read (connection refused). This is no all-clear" in line
    await watch.after(30, readable=False)
    assert await close_quiet_groups(sorting.db, timedelta(minutes=15)) == [], "nobody looked, so it does not close by itself"


async def test_it_is_confirmed_once_prometheus_could_be_read_for_a_while_and_nothing_fires(sorting: SortingFixture) -> None:
    watch = Watch(sorting)
    await watch.clears()
    await watch.after(0.1, readable=False)

    at_once = await watch.after(1, readable=True)
    later = await watch.after(3, readable=True)

    assert "NOT CONFIRMED" in at_once
    assert "NOT CONFIRMED" not in later and view.CLEARED in later
    assert (await watch.lines())[-1] == "Prometheus can be read again since 03:01 UTC, and nothing of this fires."
    assert await close_quiet_groups(sorting.db, timedelta(minutes=1)) == ["AL-1"]


async def test_what_fires_again_is_simply_firing(sorting: SortingFixture) -> None:
    watch = Watch(sorting)
    await watch.clears()
    await watch.after(0.1, readable=False)
    await sorting.receive(alert(start=1))

    assert "NOT CONFIRMED" not in await watch.card()


async def timed_out(sorting: SortingFixture, minutes: float) -> Watch:
    """Somebody acknowledged a group; Prometheus was dead so long, its alert was timed out, and it answers since a minute."""
    watch = Watch(sorting)
    await sorting.receive(alert())
    await incidents.acknowledge(sorting.db, "AL-1", "alice")
    await watch.after(0, readable=False)
    await watch.ends()
    await watch.after(0.1, readable=False)
    await watch.after(minutes, readable=False)
    await watch.after(0, readable=True)
    await watch.after(1, readable=True)
    return watch


@pytest.mark.parametrize(("minutes", "begins_anew"), [(4, True), (4, False), (40, True), (40, False)])
async def test_what_was_timed_out_while_prometheus_was_dead_and_fires_again_is_the_same_outage(
    sorting: SortingFixture, minutes: float, begins_anew: bool
) -> None:
    watch = await timed_out(sorting, minutes)
    await sorting.receive(alert(start=minutes + 1) if begins_anew else alert())
    await watch.after(0.1, readable=True)

    (group,) = await sorting.groups()
    assert (group.state, group.acknowledged_by, group.firing) == ("ACKNOWLEDGED", "alice", 1)
    assert (group.reopened, group.renewals, group.cleared_at) == (0, 0, None)
    assert [row.kind for row in await sorting.rows(MessageRow) if row.kind == "renewed"] == []
    assert (await watch.lines())[-1].startswith("Its alerts are reported again. It is the same outage")


async def test_of_several_alerts_that_were_timed_out_each_that_fires_again_is_no_news(sorting: SortingFixture) -> None:
    watch = Watch(sorting)
    await sorting.receive(alert("a"), alert("b", name="Down", labels={"service": "payments"}))
    await watch.after(0.6, readable=False)
    await watch.after(0.6, readable=False)
    await sorting.receive(alert("a", status="resolved", ends_at=sorting.clock()))
    await watch.after(5, readable=True)
    await sorting.receive(alert("a", start=6))

    (group,) = await sorting.groups()
    assert (group.firing, group.renewals, len(await watch.lines())) == (2, 0, 2)


async def test_what_had_ended_long_before_prometheus_died_and_fires_once_it_answers_is_another_outage(
    sorting: SortingFixture,
) -> None:
    watch = Watch(sorting)
    payments = {"name": "Down", "labels": {"service": "payments"}}
    await sorting.receive(alert("a"), alert("b", **payments))
    sorting.clock.forward(5)
    await sorting.receive(alert("b", **payments, status="resolved", ends_at=sorting.clock()))
    await watch.after(5, readable=False)
    await watch.after(5, readable=False)
    await watch.after(0.1, readable=True)
    await sorting.receive(alert("b", **payments, start=15))

    (group,) = await sorting.groups()
    assert (group.unconfirmed_at is not None, group.renewals) == (True, 1)
    assert [row.kind for row in await sorting.rows(MessageRow) if row.kind == "renewed"] == ["renewed"]


async def test_a_late_delivery_of_what_has_ended_since_makes_nothing_fire(sorting: SortingFixture) -> None:
    watch = Watch(sorting)
    await watch.clears()
    await watch.after(0.1, readable=False)
    await sorting.receive(alert())
    not_readable_yet = await watch.card()
    await watch.after(0.1, readable=True)
    await watch.after(3, readable=True)
    await sorting.receive(alert())

    assert "none still reported" in not_readable_yet and view.CLEARED in await watch.card()


async def test_a_late_delivery_of_what_began_anew_since_fires_no_second_time(sorting: SortingFixture) -> None:
    watch = await timed_out(sorting, 4)
    await sorting.receive(alert(start=5))
    await sorting.receive(alert())
    await sorting.receive(alert(start=5, status="resolved", ends_at=sorting.clock()))

    (group,) = await sorting.groups()
    assert (group.state, group.firing) == ("MONITORING", 0)
    assert "none still reported" in await watch.card()


async def test_what_fires_on_and_is_worse_makes_its_group_worse(sorting: SortingFixture) -> None:
    watch = Watch(sorting)
    await sorting.receive(alert(severity="warning"))
    await watch.after(0, readable=False)
    await sorting.receive(alert(severity="warning", status="resolved", ends_at=sorting.clock()))
    await watch.after(0.1, readable=False)
    await watch.after(1, readable=True)
    await sorting.receive(alert(severity="critical"))

    (group,) = await sorting.groups()
    assert (group.firing, group.severity) == (1, "SEV2")


async def test_what_fires_again_after_its_end_was_confirmed_is_another_outage(sorting: SortingFixture) -> None:
    watch = await timed_out(sorting, 4)
    await watch.after(3, readable=True)
    await sorting.receive(alert(start=9))

    (group,) = await sorting.groups()
    assert (group.reopened, group.renewals) == (1, 1)


@pytest.mark.parametrize(("kind", "readable"), [("alertmanager", True), ("datadog", False)])
async def test_an_end_that_somebody_saw_is_an_end(sorting: SortingFixture, kind: str, readable: bool) -> None:
    watch = Watch(sorting, kind)
    await watch.clears()

    assert "NOT CONFIRMED" not in await watch.after(0.1, readable=readable) and await watch.lines() == []


async def test_a_card_that_fires_says_within_a_minute_that_prometheus_cannot_be_read_and_its_thread_once(
    sorting: SortingFixture,
) -> None:
    watch = Watch(sorting)
    await sorting.receive(alert(), alert("b"))
    at_once = await watch.after(1, readable=False)
    soon = await watch.after(0.5, readable=False)
    await watch.after(5, readable=False)

    assert "cannot be read" not in at_once, "it may only be restarted"
    assert "*Prometheus cannot be read* since" in soon and "03:01:00 UTC" in soon
    assert await watch.lines() == ["Prometheus cannot be read since 03:01:00 UTC: that alerts end says nothing now."]


async def test_alerts_that_end_while_prometheus_cannot_be_read_are_not_shown_as_recovery(sorting: SortingFixture) -> None:
    watch = Watch(sorting)
    await sorting.receive(alert(), alert("b"))
    await watch.after(0, readable=False)
    await watch.after(0.5, readable=False)
    await watch.ends()
    one_left = await watch.card()
    await sorting.receive(alert("b", status="resolved", ends_at=sorting.clock()))
    none_left = await watch.card()

    assert "2 alerts, 1 still reported" in one_left and "1 firing" not in one_left
    assert "NOT CONFIRMED" in none_left and view.CLEARED not in none_left, "not for a moment"


async def test_once_prometheus_answers_the_thread_says_so_and_ends_count_three_minutes_later(sorting: SortingFixture) -> None:
    watch = Watch(sorting)
    await sorting.receive(alert(), alert("b"))
    await watch.after(0, readable=False)
    await watch.after(0.5, readable=False)
    answering = await watch.after(1, readable=True)
    await watch.after(0.4, readable=True)
    await watch.ends()
    await sorting.receive(alert("b", status="resolved", ends_at=sorting.clock()))
    soon_after = await watch.card()
    later = await watch.after(3, readable=True)

    assert "*Prometheus answers again* since" in answering and "cannot be read" not in answering
    assert "NOT CONFIRMED" in soon_after and view.CLEARED not in soon_after
    assert view.CLEARED in later
    assert (await watch.lines())[1:] == [
        "Prometheus answers again since 03:01:30 UTC. That alerts end before 03:04:30 UTC is not believed yet: "
        "its rules wait before they fire.",
        "Prometheus can be read again since 03:01 UTC, and nothing of this fires.",
    ]


async def test_a_group_that_fires_all_along_is_as_before_three_minutes_after_prometheus_answered(
    sorting: SortingFixture,
) -> None:
    watch = Watch(sorting)
    await sorting.receive(alert())
    await watch.after(0, readable=False)
    await watch.after(0.5, readable=False)
    await watch.after(1, readable=True)
    await watch.after(3, readable=True)
    await watch.ends()

    assert view.CLEARED in await watch.card()


async def test_the_groups_of_a_storm_share_the_line_that_prometheus_cannot_be_read(sorting: SortingFixture) -> None:
    watch = Watch(sorting)
    names = [f"s{number}" for number in range(12)]
    await sorting.receive(*(alert(name, labels={"service": name, "cluster": name}) for name in names))
    await watch.after(0, readable=False)
    await watch.after(0.5, readable=False)
    in_storm = [group for group in await sorting.groups() if group.on_storm_card]

    assert len(in_storm) > 1
    assert len(await watch.lines()) == len(await sorting.groups()) - len(in_storm) + 1


async def test_an_end_that_was_confirmed_is_not_doubted_when_prometheus_dies_later(sorting: SortingFixture) -> None:
    watch = Watch(sorting)
    await watch.clears()
    await watch.after(0.1, readable=True)
    soon = await watch.after(1, readable=False)
    later = await watch.after(1, readable=False)

    assert view.CLEARED in soon and view.CLEARED in later and "NOT CONFIRMED" not in soon + later
    assert await watch.lines() == []


async def test_prometheus_that_dies_again_within_three_minutes_confirms_nothing(sorting: SortingFixture) -> None:
    watch = Watch(sorting)
    await watch.clears()
    await watch.after(0.1, readable=False)
    answering = await watch.after(1, readable=True)
    await watch.after(1, readable=False)
    again = await watch.after(0.5, readable=False)

    assert "NOT CONFIRMED" in answering and "Prometheus answers again since" in answering
    assert "NOT CONFIRMED" in again and "Prometheus cannot be read, so this is no all-clear" in again


async def resolved_unconfirmed(sorting: SortingFixture, *, ended_before: float = 0) -> Watch:
    """AL-1, whose alert had ended while Prometheus could not be read when somebody resolved it, so many minutes later."""
    watch = Watch(sorting)
    await watch.clears()
    await watch.after(0.1, readable=False)
    sorting.clock.forward(ended_before)
    await incidents.resolve(sorting.db, "AL-1", "alice")
    return watch


async def test_a_repeat_long_after_somebody_resolved_what_was_not_confirmed_opens_it_again(sorting: SortingFixture) -> None:
    await resolved_unconfirmed(sorting)
    sorting.clock.forward(11)
    await sorting.receive(alert())

    (group,) = await sorting.groups()
    assert (group.state, group.firing, group.repeats) == ("FIRING", 1, 0)
    (line,) = [row.subject for row in await sorting.rows(MessageRow) if row.kind == "reopened"]
    assert line.endswith("still fires 11 min after AL-1 was resolved by hand: it is open again.")


async def test_a_repeat_soon_after_such_a_resolve_leaves_it_time_however_long_nothing_was_reported(
    sorting: SortingFixture,
) -> None:
    await resolved_unconfirmed(sorting, ended_before=30)
    sorting.clock.forward(3)
    await sorting.receive(alert())
    soon = (await sorting.groups())[0].state
    early = EarlyResolveFixture(sorting, RecordedAlerts({"alertname": "Alert a", "service": "checkout"}))

    assert (soon, await early.after(4), await early.after(4)) == ("RESOLVED", "RESOLVED", "FIRING")


async def test_what_was_not_confirmed_and_is_not_reported_again_stays_resolved(sorting: SortingFixture) -> None:
    await resolved_unconfirmed(sorting)
    early = EarlyResolveFixture(sorting, RecordedAlerts({"alertname": "Alert a", "service": "checkout"}, firing=False))

    assert [await early.after(11), await early.after(60)] == ["RESOLVED", "RESOLVED"]
