"""That the alerts of a service end is an all-clear only if the service is measured still."""

import re
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from bot.core.config import Config
from bot.core.errors import QueryFailed
from bot.core.metrics.series import Series
from bot.core.service import Catalogue
from bot.slack.views import card as view
from bot.store.alerts import regroup
from bot.store.incidents import incidents
from bot.store.oversight.quiet_groups import close_quiet_groups
from bot.store.oversight.unconfirmed_ends import UnconfirmedEnds
from bot.store.oversight.unmeasured_ends import UnmeasuredEnds
from bot.workflows.ends.unconfirmed import EndsTick
from bot.workflows.ends.unmeasured import UnmeasuredEndsTick
from tests.unit.approvals_fixture import RecordedMetrics
from tests.unit.store.databases import Clock, SortingFixture, alert
from tests.unit.workflows.card_watch import CardWatch

SERIES_OF = re.compile(r'count\({service="(\w+)",__name__!~"up\|scrape_\.\*\|ALERTS\.\*"}\)')
TARGET_OF = re.compile(r'count\({service="(\w+)",__name__="up"}\)')


class ServiceMetrics(RecordedMetrics):
    """A Prometheus that has series of services, in the past and now, or cannot be asked about them."""

    def __init__(self) -> None:
        super().__init__()
        self.before, self.now = True, True
        self.fails, self.down = False, False
        self.target_before, self.target_now = False, False
        """Whether there is a target, which may not answer."""
        self.gone: set[str] = set()
        """Those of which there is no series now, beside all if `now` is False."""

    async def instant(self, promql: str, *, at: datetime | None = None) -> list[Series]:
        service, target = SERIES_OF.fullmatch(promql), TARGET_OF.fullmatch(promql)
        if self.down or (self.fails and (service or target)):
            raise QueryFailed("connection refused")
        if target:
            there = self.target_before if at else self.target_now
            return [Series({}, np.array([0.0]), np.array([1.0]))] if there else []
        if not service:
            return await super().instant(promql, at=at) if promql == "vector(1)" else []
        there = self.before if at else self.now and service[1] not in self.gone
        return [Series({}, np.array([0.0]), np.array([12.0]))] if there else []


class Watch(CardWatch):
    """A group of checkout whose alert fires, and the ticks that look at its end."""

    def __init__(self, sorting: SortingFixture, kind: str = "alertmanager") -> None:
        config = Config.model_validate({"sources": {"prod": {"kind": kind}}})
        super().__init__(sorting)
        self.metrics = ServiceMetrics()
        self.metrics.values["vector(1)"] = 1.0
        self.measured = UnmeasuredEndsTick(UnmeasuredEnds(sorting.db, config), Catalogue(), self.metrics)
        self.readable = EndsTick(UnconfirmedEnds(sorting.db, config), self.metrics)

    async def ends(self, **measured: bool) -> str:
        """The card once its alert has ended."""
        await self.sorting.receive(alert())
        self.sorting.clock.forward(5)
        await self.sorting.receive(alert(status="resolved", ends_at=self.sorting.clock()))
        return await self.after(0.1, **measured)

    async def after(self, minutes: float, **measured: bool) -> str:
        """The card after a round of the ticks."""
        for name, value in measured.items():
            setattr(self.metrics, name, value)
        self.sorting.clock.forward(minutes)
        await self.readable()
        await self.measured()
        return await self.card()


async def test_an_alert_that_ends_with_the_series_of_its_service_is_no_all_clear(sorting: SortingFixture) -> None:
    watch = Watch(sorting)
    card = await watch.ends(now=False)

    assert "NOT CONFIRMED" in card and "checkout is no longer measured, so this is no all-clear" in card
    assert await watch.lines() == [
        "checkout is no longer measured: Prometheus has no series of it since its alerts ended. "
        "This is no all-clear: check by hand whether it runs."
    ]
    assert "NOT CONFIRMED" in await watch.after(30), "that Prometheus answers says nothing of checkout"
    assert await close_quiet_groups(sorting.db, timedelta(minutes=15)) == [], "nobody looked, so it does not close by itself"


@pytest.mark.parametrize(
    ("kind", "measured"),
    [
        ("alertmanager", {"now": True}),
        ("alertmanager", {"now": False, "before": False}),
        ("alertmanager", {"now": False, "before": False, "target_before": True, "target_now": True}),
        ("datadog", {"now": False}),
    ],
    ids=["it is measured", "its labels tell no series", "its target is there", "another system evaluates it"],
)
async def test_of_what_is_measured_or_never_was_by_these_labels_an_end_is_an_end(
    sorting: SortingFixture, kind: str, measured: dict[str, Any]
) -> None:
    watch = Watch(sorting, kind)
    card = await watch.ends(**measured)

    assert "NOT CONFIRMED" not in card and view.CLEARED in card and await watch.lines() == []


async def test_an_alert_about_a_dead_target_that_ends_with_the_target_is_no_all_clear(sorting: SortingFixture) -> None:
    nothing_but_up = {"now": False, "before": False, "target_before": True}

    assert "checkout is no longer measured" in await Watch(sorting).ends(**nothing_but_up)


async def test_an_end_that_could_not_be_looked_at_is_looked_at_again(sorting: SortingFixture) -> None:
    watch = Watch(sorting)
    await watch.ends(now=False, fails=True)

    assert "NOT CONFIRMED" in await watch.after(0.5, fails=False)


async def test_once_it_is_measured_for_a_while_and_nothing_fires_it_is_over(sorting: SortingFixture) -> None:
    watch = Watch(sorting)
    await watch.ends(now=False)
    back = await watch.after(10, now=True)
    gone = await watch.after(1, now=False)
    await watch.after(5, now=True)
    later = await watch.after(3)

    assert "NOT CONFIRMED" in back and "NOT CONFIRMED" in gone
    assert "NOT CONFIRMED" not in later and view.CLEARED in later
    assert (await watch.lines())[1:] == ["checkout is measured again since 03:21 UTC, and no alert of this card fires."]
    assert "NOT CONFIRMED" not in await watch.after(1, now=False), "that end was looked at"


async def test_what_fires_again_once_it_is_measured_is_the_same_outage(sorting: SortingFixture) -> None:
    watch = Watch(sorting)
    await watch.ends(now=False)
    sorting.clock.forward(5)
    await sorting.receive(alert(start=10))
    card = await watch.after(0.1, now=True)

    (group,) = await sorting.groups()
    assert (group.state, group.reopened, group.renewals, group.unconfirmed_at) == ("FIRING", 0, 0, None)
    assert "cannot be read" not in card and "NOT CONFIRMED" not in card
    assert (await watch.lines())[-1] == (
        "Its alerts are reported again. It is the same outage: they had only ended while checkout was not measured."
    )


def ended(fingerprint: str, service: str, clock: Clock, *, minutes_ago: float = 0) -> Any:
    at = clock() - timedelta(minutes=minutes_ago)
    return alert(fingerprint, status="resolved", labels={"service": service}, ends_at=at)


async def test_each_service_of_a_group_must_be_measured_before_it_is_over(sorting: SortingFixture) -> None:
    watch = Watch(sorting)
    await sorting.receive(alert("a"), alert("p", labels={"service": "payments"}))
    sorting.clock.forward(5)
    await sorting.receive(ended("a", "checkout", sorting.clock), ended("p", "payments", sorting.clock))
    watch.metrics.gone = {"checkout", "payments"}
    await watch.after(0.1)
    watch.metrics.gone = {"payments"}
    await watch.after(20)

    card = await watch.after(5)
    assert len(await sorting.groups()) == 1 and "payments is no longer measured" in card

    watch.metrics.gone = set()
    await watch.after(1)
    assert "NOT CONFIRMED" not in await watch.after(4)


async def test_an_end_that_was_told_late_is_looked_at_as_well(sorting: SortingFixture) -> None:
    """Alertmanager tells of an end with its next group_interval, and what flaps is held open for a while."""
    watch = Watch(sorting)
    await sorting.receive(alert())
    sorting.clock.forward(20)
    await sorting.receive(ended("a", "checkout", sorting.clock, minutes_ago=12))

    assert "checkout is no longer measured" in await watch.after(0.1, now=False)


async def test_that_prometheus_can_be_read_again_confirms_no_end_of_what_it_does_not_measure(sorting: SortingFixture) -> None:
    watch = Watch(sorting)
    await sorting.receive(alert())
    watch.metrics.down = True
    await watch.after(1, now=False)
    await watch.after(1)
    await sorting.receive(ended("a", "checkout", sorting.clock))
    await watch.after(20)
    watch.metrics.down = False

    cards = [await watch.after(0.25) for _ in range(16)]
    assert all("NOT CONFIRMED" in card for card in cards) and "checkout is no longer measured" in cards[-1]


async def test_what_is_delivered_again_with_its_old_start_fires_on(sorting: SortingFixture) -> None:
    watch = Watch(sorting)
    await watch.ends(now=False)
    sorting.clock.forward(5)
    await sorting.receive(alert())

    (group,) = await sorting.groups()
    assert (group.state, group.firing, group.unmeasured) == ("FIRING", 1, "")


async def test_somebody_can_take_what_is_not_confirmed(sorting: SortingFixture) -> None:
    watch = Watch(sorting)
    waiting = await watch.ends(now=False)
    await incidents.acknowledge(sorting.db, "AL-1", "bob")
    await incidents.acknowledge(sorting.db, "AL-1", "carol")
    taken = await watch.after(1)

    assert "'Acknowledge'" in waiting and "'Acknowledge'" not in taken
    assert "*NOT CONFIRMED*" in taken and "this is no all-clear; acknowledged by bob" in taken


@pytest.mark.parametrize(
    ("minutes", "cards"), [(30, [("ACKNOWLEDGED", "bob")]), (2880, [("MONITORING", "bob"), ("FIRING", "")])]
)
async def test_what_fires_again_after_days_is_another_outage_on_a_card_of_its_own(
    sorting: SortingFixture, minutes: float, cards: list[tuple[str, str]]
) -> None:
    watch = Watch(sorting)
    await watch.ends(now=False)
    await incidents.acknowledge(sorting.db, "AL-1", "bob")
    sorting.clock.forward(minutes)
    await sorting.receive(alert(start=minutes))

    assert [(group.state, group.acknowledged_by) for group in await sorting.groups()] == cards


async def test_what_somebody_resolved_unconfirmed_is_open_again_once_it_is_delivered_as_before(sorting: SortingFixture) -> None:
    watch = Watch(sorting)
    await watch.ends(now=False)
    await incidents.resolve(sorting.db, "AL-1", "bob")
    await watch.after(15)
    await sorting.receive(alert())

    (group,) = await sorting.groups()
    assert (group.state, group.unmeasured, group.unconfirmed_at) == ("FIRING", "", None)


async def test_what_is_merged_stays_unconfirmed(sorting: SortingFixture) -> None:
    watch = Watch(sorting)
    await sorting.receive(alert(), alert("s", labels={"service": "search"}))
    sorting.clock.forward(5)
    await sorting.receive(ended("s", "search", sorting.clock))
    watch.metrics.gone = {"search"}
    await watch.after(0.1)
    await watch.after(20)
    await sorting.receive(ended("a", "checkout", sorting.clock))
    await watch.after(0.1)
    await regroup.merge(sorting.db, "AL-1", "AL-2", "bob")

    assert "search is no longer measured" in await watch.after(1)
    watch.metrics.gone = set()
    await watch.after(1)
    assert "NOT CONFIRMED" not in await watch.after(4)


async def test_what_has_lost_the_alerts_of_that_service_does_not_wait_for_it(sorting: SortingFixture) -> None:
    watch = Watch(sorting)
    await sorting.receive(alert("a"), alert("p", labels={"service": "payments"}))
    sorting.clock.forward(5)
    await sorting.receive(ended("a", "checkout", sorting.clock), ended("p", "payments", sorting.clock))
    watch.metrics.gone = {"payments"}
    await watch.after(0.1)
    await regroup.split(sorting.db, "AL-1", "payments", "bob")

    assert "NOT CONFIRMED" not in await watch.after(1)
