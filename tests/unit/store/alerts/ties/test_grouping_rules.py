"""Rules of what is always grouped, as rows: made of a merge, tried, in force, removed."""

import pytest

from bot.core.alerts.ties.grouping_rules import Regrouped, RuleDraft, Side
from bot.core.errors import NotFound
from bot.store.alerts import regroup
from bot.store.alerts.ties.grouping_rules import GroupingRules
from bot.store.tables import AuditRow
from tests.unit.store.databases import SortingFixture, alert


def search(fingerprint: str, start: float = -1) -> object:
    return alert(fingerprint, labels={"service": "search"}, start=start)


async def merged(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"), search("s"))
    await regroup.merge(sorting.db, "AL-1", "AL-2", "alice")


async def accept(sorting: SortingFixture, number: int = 0) -> str:
    rules = GroupingRules(sorting.db)
    tested = await rules.test(await rules.drafts("AL-1"))
    return f"GR-{(await rules.accept(tested[number], 'alice', 'k1')).number}"


async def resolve_all(sorting: SortingFixture) -> None:
    for episode in await sorting.episodes():
        await sorting.receive(alert(episode.fingerprint, "resolved", labels=episode.labels))
    sorting.clock.forward(60)


async def test_a_rule_made_of_a_merge_groups_later_alerts_and_names_itself(sorting: SortingFixture) -> None:
    await merged(sorting)
    await accept(sorting)
    await resolve_all(sorting)

    await sorting.receive(alert("b", start=60), search("t", start=60))

    group = (await sorting.groups())[-1]
    member = next(episode for episode in await sorting.episodes() if episode.fingerprint == "t")
    assert (group.alerts, member.group_id, member.grouping_reason) == (2, group.id, "by_rule")
    assert member.grouping_text == "rule GR-1 of alice: alerts of search with alerts of checkout"
    assert [(one.rule.number, one.grouped) for one in await GroupingRules(sorting.db).listed()] == [(1, 1)]


async def test_a_rule_over_two_alerts_leaves_the_other_alerts_of_their_services_alone(sorting: SortingFixture) -> None:
    await merged(sorting)
    await accept(sorting, 1)
    await resolve_all(sorting)

    await sorting.receive(alert("b", start=60), alert("t", name="Other", labels={"service": "search"}, start=60))

    assert [group.alerts for group in await sorting.groups()][2:] == [1, 1]


async def test_a_removed_rule_groups_nothing_any_more(sorting: SortingFixture) -> None:
    await merged(sorting)
    ref = await accept(sorting)
    await GroupingRules(sorting.db).remove(ref, "bob")
    await resolve_all(sorting)

    await sorting.receive(alert("b", start=60), search("t", start=60))

    assert [group.alerts for group in await sorting.groups()][2:] == [1, 1]
    assert [(row.who, row.what) for row in await sorting.rows(AuditRow)][-1] != ("alice", "grouping rule")
    with pytest.raises(NotFound, match="There is no rule GR-1 in force"):
        await GroupingRules(sorting.db).remove(ref, "bob")


async def test_a_rule_that_would_join_what_people_split_says_so_before_it_is_accepted(sorting: SortingFixture) -> None:
    await merged(sorting)
    await regroup.split(sorting.db, "AL-1", "search", "bob")

    (tested,) = await GroupingRules(sorting.db).test([RuleDraft(Side(service="search"), Side(service="checkout"))])

    assert tested.split == [Regrouped(3, 1)]


async def test_without_a_merge_there_is_nothing_to_make_a_rule_of(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"))

    with pytest.raises(NotFound, match="Nothing was merged into AL-1"):
        await GroupingRules(sorting.db).drafts("AL-1")


async def test_the_same_press_makes_one_rule(sorting: SortingFixture) -> None:
    await merged(sorting)

    assert await accept(sorting) == await accept(sorting) == "GR-1"
