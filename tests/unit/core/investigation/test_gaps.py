"""What could not be checked, ranked."""

from typing import Any

from bot.core.investigation.gaps import BY_PEOPLE, FailedCheck, rank_gaps
from tests.unit.builders import at


def check(group: int, reason: str, *, minutes: int = 0, **values: Any) -> FailedCheck:
    fields: dict[str, Any] = {"tool": "search_logs", "service": "checkout", "at": at(minutes)}
    fields["summary"] = f"Could not check (search_logs: service=checkout): {reason}"
    return FailedCheck(group=f"AL-{group}", **{**fields, **values})


def test_what_was_missed_in_most_groups_comes_first() -> None:
    often = [check(n, "no log store is configured (logs.loki)") for n in (1, 2, 2)]

    ranked = rank_gaps([check(3, "connection refused", minutes=9), *often])

    assert [(gap.reason, gap.groups, gap.checks) for gap in ranked] == [
        ("no log store is configured (logs.loki)", 2, 3),
        ("connection refused", 1, 1),
    ]


def test_reasons_that_differ_in_numbers_are_one_gap_told_as_it_was_said_last() -> None:
    (gap,) = rank_gaps([check(1, "no answer within 10 s", minutes=5), check(2, "no answer within 3 s", service="cart")])

    assert (gap.reason, gap.last_group, gap.services) == ("no answer within 10 s", "AL-1", ("cart", "checkout"))


def test_a_tool_that_fails_for_the_same_reason_is_a_gap_of_its_own() -> None:
    assert len(rank_gaps([check(1, "connection refused"), check(1, "connection refused", tool="query_metric")])) == 2


def test_what_a_person_stopped_is_no_gap() -> None:
    assert rank_gaps([check(1, BY_PEOPLE)]) == []


def test_questions_with_brackets_in_them_that_fail_for_one_reason_are_one_gap() -> None:
    asked = ("promql=sum(rate(http_errors_total[5m])), minutes=30", "promql=max(up)")
    checks = [
        check(1, "", tool="query_metric", summary=f"Could not check (query_metric: {a}): connection refused") for a in asked
    ]

    assert [(gap.reason, gap.checks) for gap in rank_gaps(checks)] == [("connection refused", 2)]
