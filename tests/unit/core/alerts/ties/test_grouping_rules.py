"""Rules of what is always grouped: what a merge may mean, and what a rule would have done to stored alerts."""

from bot.core.alerts.ties.grouping_rules import PastMember, Regrouped, RuleDraft, Side, back_test, drafts_of
from tests.unit.builders import at

CHECKOUT, REDIS = ("Errors", "checkout"), ("Evictions", "redis")
BOTH = RuleDraft(Side(service="redis"), Side(service="checkout"))


def member(group: int, kind: tuple[str, str], minutes: float, *, opened: bool = True) -> PastMember:
    return PastMember(group, *kind, at(minutes), opened)


def test_a_merge_may_mean_both_services_or_only_both_alerts() -> None:
    assert [draft.text for draft in drafts_of([REDIS], [CHECKOUT, CHECKOUT, ("Slow", "checkout")])] == [
        "alerts of redis with alerts of checkout",
        "Evictions of redis with Errors of checkout",
    ]


def test_alerts_without_a_service_are_known_by_their_names() -> None:
    assert [draft.text for draft in drafts_of([("DiskFull", "")], [CHECKOUT])] == ["DiskFull with Errors of checkout"]


def test_what_is_alike_already_needs_no_rule() -> None:
    assert drafts_of([CHECKOUT], [CHECKOUT]) == []


def test_a_rule_joins_what_opened_a_group_soon_after_the_other_side_in_either_order() -> None:
    past = [
        member(1, CHECKOUT, 0),
        member(2, REDIS, 3),
        member(3, REDIS, 60),
        member(4, CHECKOUT, 64),
        member(5, REDIS, 120),
        member(6, CHECKOUT, 126),
        member(7, ("Errors", "mail"), 127),
    ]

    result = back_test(BOTH, past, [])

    assert result.joined == [(2, 1), (4, 3)]
    assert result.text == (
        "alerts of redis with alerts of checkout: in 7 days (7 alerts in 7 groups) there would have been 2 groups fewer.\n"
        "- AL-2 would have been part of AL-1\n- AL-4 would have been part of AL-3"
    )


def test_a_later_alert_of_a_group_keeps_it_fresh_and_no_group_joins_two() -> None:
    past = [
        member(1, CHECKOUT, 0),
        member(1, ("Slow", "mail"), 8, opened=False),
        member(2, REDIS, 10),
        member(2, REDIS, 11, opened=False),
    ]

    assert back_test(BOTH, past, []).joined == [(2, 1)]


def test_what_people_split_and_a_rule_would_join_is_said() -> None:
    past = [member(1, CHECKOUT, 0), member(2, REDIS, 1, opened=False)]

    result = back_test(BOTH, past, [Regrouped(2, 1), Regrouped(9, 1)])

    assert result.split == [Regrouped(2, 1)]
    assert result.text.endswith("But people split what it joins: AL-2 off AL-1.")


def test_a_rule_that_would_have_joined_nothing_says_so() -> None:
    assert back_test(BOTH, [member(1, CHECKOUT, 0)], []).text == (
        "alerts of redis with alerts of checkout: in 7 days (1 alert in 1 group) it would have joined nothing."
    )
