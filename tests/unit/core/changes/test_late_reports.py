"""Which changes were reported too late for a ranking, and when to start a new attempt."""

from datetime import timedelta
from typing import Any

from bot.core.changes.late_reports import (
    MAX_WAIT,
    QUIET_PERIOD,
    FinishedAttempt,
    ReportedChange,
    burst_is_over,
    late_reported_changes,
)
from tests.unit.builders import NOW, at, change


def reported(name: str, *, reported_at: float = 1, **values: Any) -> ReportedChange:
    """A change that was reported `reported_at` minutes after the onset."""
    return ReportedChange(change(name, **values), at(reported_at))


def attempted(**values: Any) -> FinishedAttempt:
    fields = {"began_at": NOW, "services": {"checkout", "payments"}, "weighed": set(), "retried_for": set()}
    return FinishedAttempt(**{**fields, **values})


def names(*changes: ReportedChange, **values: Any) -> list[str]:
    return [one.change.id for one in late_reported_changes(changes, attempted(**values))]


def test_changes_before_the_onset_that_were_not_weighed_are_late_in_the_order_of_their_reports() -> None:
    assert names(reported("b", reported_at=2), reported("a", reported_at=1, service="payments")) == ["test:a", "test:b"]


def test_a_change_after_the_onset_is_no_cause_of_it() -> None:
    assert names(reported("a", minutes_before=-5)) == []


def test_a_change_of_an_unrelated_service_is_not_late() -> None:
    assert names(reported("a", service="search")) == []


def test_a_change_that_was_weighed_is_late_only_once_it_is_reported_with_another_moment() -> None:
    weighed = {("test:a", at(-5))}

    assert names(reported("a"), weighed=weighed) == []
    assert names(reported("a", minutes_before=4), weighed=weighed) == ["test:a"]


def test_a_change_starts_one_attempt_at_most() -> None:
    assert names(reported("a"), retried_for={"test:a"}) == []


def test_a_burst_is_waited_for_but_not_for_ever() -> None:
    first, last = reported("a", reported_at=1), reported("b", reported_at=1.5)

    assert not burst_is_over([], NOW)
    assert not burst_is_over([first, last], last.received_at + QUIET_PERIOD - timedelta(seconds=1))
    assert burst_is_over([first, last], last.received_at + QUIET_PERIOD)
    assert burst_is_over([first, reported("c", reported_at=2)], first.received_at + MAX_WAIT)
