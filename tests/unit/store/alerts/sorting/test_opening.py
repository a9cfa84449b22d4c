"""Opening groups: what a source sends beyond its budget of new groups stands in one, and touches no other source."""

from typing import Any

from bot.core.alert import Alert
from bot.core.alerts.grouping import GroupingReason, Membership
from bot.core.config import Config
from bot.store.alerts.reader import reasons_of
from tests.unit.store.databases import SortingFixture, alert


def budgeted(sorting: SortingFixture, groups: int = 3) -> SortingFixture:
    source = {"kind": "generic", "groups_a_minute": groups}
    config = Config.model_validate({"default_channel": "C0", "sources": {"prod": source, "other": source}})
    return SortingFixture(sorting.db, sorting.clock, config)


def of_services(first: int, last: int, **values: Any) -> list[Alert]:
    return [alert(f"f{n}", labels={"service": f"s{n}"}, **values) for n in range(first, last)]


async def test_what_a_source_sends_beyond_its_budget_of_new_groups_is_one_group_that_says_so(sorting: SortingFixture) -> None:
    sorting = budgeted(sorting)

    await sorting.receive(*of_services(0, 10))

    *own, rest = await sorting.groups()
    assert [group.alerts for group in own] == [1, 1, 1]
    assert (rest.title, rest.alerts, rest.firing) == ("More from prod: beyond 3 new groups a minute", 7, 7)
    async with sorting.db.read() as session:
        ((membership, count),) = (await reasons_of(session, rest.id or 0)).joined
    over_budget = Membership(GroupingReason.OVER_BUDGET, "prod opened more than 3 groups within a minute")
    assert (membership, count) == (over_budget, 7)


async def test_the_budget_of_one_source_is_not_used_up_by_another(sorting: SortingFixture) -> None:
    sorting = budgeted(sorting)
    await sorting.receive(*of_services(0, 10))

    await sorting.receive(alert("theirs", source="other", labels={"service": "s5"}))

    newest = (await sorting.groups())[-1]
    assert (newest.source, newest.service, newest.alerts) == ("other", "s5", 1)


async def test_a_minute_later_new_alerts_open_groups_again_also_of_services_that_were_beyond_the_budget(
    sorting: SortingFixture,
) -> None:
    sorting = budgeted(sorting)
    await sorting.receive(*of_services(0, 10))
    sorting.clock.forward(1.1)

    await sorting.receive(alert("later", labels={"service": "s7"}))

    assert [(group.service, group.alerts) for group in (await sorting.groups())[3:]] == [("", 7), ("s7", 1)]


async def test_after_a_restart_the_same_group_takes_what_is_beyond_the_budget(sorting: SortingFixture) -> None:
    await budgeted(sorting).receive(*of_services(0, 10))

    await budgeted(sorting).receive(*of_services(10, 12))

    assert [group.alerts for group in await sorting.groups()] == [1, 1, 1, 9]


async def test_the_group_beyond_the_budget_is_as_bad_as_its_worst_alert_and_clears_with_its_last(
    sorting: SortingFixture,
) -> None:
    sorting = budgeted(sorting)
    await sorting.receive(*of_services(0, 6, severity="warning"))
    await sorting.receive(*of_services(6, 8))

    rest = (await sorting.groups())[-1]
    assert (rest.severity, rest.incident_id is not None, rest.state) == ("SEV2", True, "FIRING")
    await sorting.receive(*of_services(3, 8, status="resolved"))
    assert (await sorting.groups())[-1].state == "MONITORING"
