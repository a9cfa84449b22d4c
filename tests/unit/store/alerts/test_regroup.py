"""Groups as people correct them."""

import pytest

from bot.core.action import Plan, Tier
from bot.core.approvals.roster import Roster
from bot.core.config import Config
from bot.core.errors import NotFound
from bot.slack.view_context import ViewContext
from bot.slack.views import card
from bot.store.alerts import regroup
from bot.store.approvals.proposals import ProposalDraft, ProposalStore
from bot.store.incidents import incidents
from bot.store.slack.alert_contents import card_content
from bot.store.tables import AuditRow, IncidentRow, ProposalRow, TimelineRow
from tests.unit.store.databases import SortingFixture, alert


async def two_groups(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"), alert("b"), alert("s", labels={"service": "search"}, severity="warning"))


async def propose(sorting: SortingFixture, group: str) -> None:
    plan = Plan(
        action="rollback", action_version="1", kind="run_webhook", service="checkout", title="Roll back", arguments={},
        targets={group: ""}, steps=[], dry_run="POST", tier=Tier.TWO, undo="",
    )  # fmt: skip
    await ProposalStore(sorting.db, Config()).open_proposal(ProposalDraft(group, group, plan, ""), None, Roster(Config()))


async def counts(sorting: SortingFixture) -> list[tuple[str, str, int, int]]:
    return [(group.service, group.state, group.alerts, group.firing) for group in await sorting.groups()]


async def test_a_merged_group_gives_its_alerts_away_and_closes(sorting: SortingFixture) -> None:
    await two_groups(sorting)

    await regroup.merge(sorting.db, "AL-1", "AL-2", "alice")

    assert await counts(sorting) == [("checkout", "FIRING", 3, 3), ("search", "RESOLVED", 0, 0)]
    merged = next(e for e in await sorting.episodes() if e.fingerprint == "s")
    assert (merged.group_id, merged.grouping_text) == (1, "alice merged AL-2 into this group")
    assert [(row.who, row.what) for row in await sorting.rows(AuditRow)][-1] == ("alice", "merge")


async def test_the_card_of_a_merged_group_says_so_and_not_that_a_person_declared_it(sorting: SortingFixture) -> None:
    await two_groups(sorting)
    await regroup.merge(sorting.db, "AL-1", "AL-2", "alice")

    async with sorting.db.read() as session:
        content = await card_content(session, "AL-2")
    assert content is not None
    text, _ = card.render(content, ViewContext())
    assert (
        text == "Resolved, started firing 03:00:00 UTC, severity 3: search Alert s, its alerts were merged into another card."
    )


async def test_the_severity_and_the_incident_of_the_merged_group_go_over(sorting: SortingFixture) -> None:
    await two_groups(sorting)

    await regroup.merge(sorting.db, "AL-2", "AL-1", "alice")

    taker = (await sorting.groups())[1]
    assert (taker.severity, taker.incident_id) == ("SEV2", 1)
    assert [(row.group_id, row.state) for row in await sorting.rows(IncidentRow)] == [(2, "OPEN")]


async def test_a_cleared_group_that_takes_firing_alerts_fires_and_is_whose_they_were(sorting: SortingFixture) -> None:
    await two_groups(sorting)
    await incidents.acknowledge(sorting.db, "AL-1", "alice")
    await incidents.acknowledge(sorting.db, "AL-2", "bob")
    await sorting.receive(alert("a", "resolved"), alert("b", "resolved"))

    await regroup.merge(sorting.db, "AL-1", "AL-2", "carol")

    taker = (await sorting.groups())[0]
    assert (taker.state, taker.acknowledged_by) == ("ACKNOWLEDGED", "bob")
    assert [row.state for row in await sorting.rows(IncidentRow)] == ["OPEN"]


async def test_what_waits_for_people_goes_on_with_the_group_into_which_its_own_is_merged(sorting: SortingFixture) -> None:
    no_incident = alert("m", labels={"service": "mail"}, severity="warning")
    await sorting.receive(alert("a"), alert("s", labels={"service": "search"}), no_incident)
    for group in ("AL-1", "AL-2"):
        await propose(sorting, group)

    await regroup.merge(sorting.db, "AL-1", "AL-2", "alice")
    await regroup.merge(sorting.db, "AL-3", "AL-1", "alice")

    assert [(row.group_id, row.state) for row in await sorting.rows(ProposalRow)] == [(3, "pending"), (3, "pending")]


async def test_a_later_alert_of_the_merged_service_joins_where_people_put_it(sorting: SortingFixture) -> None:
    await two_groups(sorting)
    await regroup.merge(sorting.db, "AL-1", "AL-2", "alice")

    await sorting.receive(alert("s2", labels={"service": "search"}))

    assert [group.alerts for group in await sorting.groups()] == [4, 0]


async def test_alerts_that_were_split_off_have_a_group_and_later_ones_of_them_follow(sorting: SortingFixture) -> None:
    await two_groups(sorting)
    await regroup.merge(sorting.db, "AL-1", "AL-2", "alice")

    new = await regroup.split(sorting.db, "AL-1", "Search", "bob")
    await sorting.receive(alert("s2", labels={"service": "search"}))

    assert (new.ref, new.alerts) == ("AL-3", 1)
    assert await counts(sorting) == [("checkout", "FIRING", 2, 2), ("search", "RESOLVED", 0, 0), ("search", "FIRING", 2, 2)]


async def test_what_is_split_off_after_its_end_does_not_fire(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"), alert("b"))
    await sorting.receive(alert("b", "resolved"))
    await regroup.split(sorting.db, "AL-1", "Alert b", "bob")

    assert await counts(sorting) == [("checkout", "FIRING", 1, 1), ("checkout", "MONITORING", 1, 0)]


async def test_the_timeline_says_of_one_alert_that_it_was_split_off(sorting: SortingFixture) -> None:
    await two_groups(sorting)
    await regroup.split(sorting.db, "AL-1", "Alert b", "bob")

    assert "1 alert of Alert b was split off as AL-3" in [row.text for row in await sorting.rows(TimelineRow)]


async def test_resolving_what_moved_clears_the_group_that_has_it_now(sorting: SortingFixture) -> None:
    await two_groups(sorting)
    await regroup.split(sorting.db, "AL-1", "Alert b", "bob")

    await sorting.receive(alert("b", "resolved"))

    assert [(group.id, group.state) for group in await sorting.groups()] == [(1, "FIRING"), (2, "FIRING"), (3, "MONITORING")]


async def test_what_is_reported_on_after_it_was_split_off_and_resolved_opens_its_own_group_again(
    sorting: SortingFixture,
) -> None:
    await sorting.receive(alert("a"), alert("b"))
    await regroup.split(sorting.db, "AL-1", "Alert b", "bob")
    await sorting.receive(alert("b"))
    counted = [group.repeats for group in await sorting.groups()]
    await incidents.resolve(sorting.db, "AL-2", "bob")
    sorting.clock.forward(11)

    await sorting.receive(alert("b"))

    assert counted == [0, 1]
    assert await counts(sorting) == [("checkout", "FIRING", 1, 1), ("checkout", "FIRING", 1, 1)]


@pytest.mark.parametrize(
    ("into", "other", "problem"), [("AL-1", "AL-1", "one group already"), ("AL-1", "AL-9", "There is no AL-9")]
)
async def test_what_cannot_be_merged_is_said(sorting: SortingFixture, into: str, other: str, problem: str) -> None:
    await two_groups(sorting)

    with pytest.raises(NotFound, match=problem):
        await regroup.merge(sorting.db, into, other, "alice")


@pytest.mark.parametrize(("what", "problem"), [("mail", "There are: .*checkout"), ("checkout", "nothing would be left")])
async def test_what_cannot_be_split_off_is_said(sorting: SortingFixture, what: str, problem: str) -> None:
    await two_groups(sorting)

    with pytest.raises(NotFound, match=problem):
        await regroup.split(sorting.db, "AL-1", what, "alice")
