"""Why alerts stand together, counted for people."""

from bot.core.alerts.grouping import OPENED, GroupingReason, Membership, opened_apart
from bot.core.alerts.reasons import AlertReasons

SAME_SERVICE = Membership(GroupingReason.SAME_SERVICE, "the same service, cart")


def test_reasons_are_counted_the_most_frequent_first() -> None:
    reasons = AlertReasons("cart", joined=[(OPENED, 1), (SAME_SERVICE, 12)])

    assert reasons.joined_lines() == ["12 alerts: the same service, cart", "1 alert: it opened the group"]


def test_a_group_of_one_alert_needs_no_reason() -> None:
    assert AlertReasons("cart", joined=[(OPENED, 1)]).joined_lines() == []


def test_that_it_was_kept_apart_from_a_group_elsewhere_is_a_reason_but_none_for_the_card() -> None:
    apart = AlertReasons("cart", joined=[(opened_apart(3, "the source groups them"), 1)])

    assert apart.joined_lines() == [
        "1 alert: it opened the group: it would be in AL-3 (the source groups them), but others read its channel"
    ]
    assert apart.in_short() == ""


def test_the_card_counts_what_joined_by_its_reason_and_not_by_how_that_is_worded() -> None:
    worded = Membership(GroupingReason.OPENED_GROUP, "opened the group (worded by another version)")
    reasons = AlertReasons("cart", joined=[(worded, 1), (SAME_SERVICE, 2)])

    assert reasons.in_short() == "one card: the same service, cart (2 alerts)"


def test_more_reasons_than_a_reader_takes_in_are_counted() -> None:
    reasons = AlertReasons("cart", muted=[(f"inhibited by Node{n}", 2) for n in range(10)])

    assert len(reasons.muted_lines()) == 9 and reasons.muted_lines()[-1] == "2 more reasons"


def test_a_reason_with_foreign_text_is_one_line() -> None:
    assert AlertReasons("cart", muted=[("maintenance: a\nb", 1)]).muted_lines() == ["1 alert: maintenance: a b"]
