"""Which changes were told too late for a ranking, and when it is worth ranking anew."""

from datetime import timedelta
from typing import Any

from bot.core.changes.late_reports import MAX_WAIT, QUIET_PERIOD, FinishedAttempt, ReportedChange, burst_is_over, late_changes
from tests.unit.builders import NOW, at, change


def reported(name: str, *, told: float = 1, **values: Any) -> ReportedChange:
    """A change that was told `told` minutes after the onset."""
    return ReportedChange(change(name, **values), at(told))


def attempted(**values: Any) -> FinishedAttempt:
    fields = {"began_at": NOW, "services": {"checkout", "payments"}, "known": set(), "brought_about": set()}
    return FinishedAttempt(**{**fields, **values})


def names(*told: ReportedChange, **values: Any) -> list[str]:
    return [one.change.id for one in late_changes(told, attempted(**values))]


def test_a_change_before_the_onset_that_was_not_weighed_is_late_in_the_order_of_telling() -> None:
    assert names(reported("b", told=2), reported("a", told=1, service="payments")) == ["test:a", "test:b"]


def test_a_change_after_the_onset_is_no_cause_of_it() -> None:
    assert names(reported("a", minutes_before=-5)) == []


def test_a_change_of_a_service_that_has_nothing_to_do_with_it_is_none() -> None:
    assert names(reported("a", service="search")) == []


def test_a_change_that_was_weighed_is_no_news_until_its_moment_is_told_otherwise() -> None:
    known = {("test:a", at(-5))}

    assert names(reported("a"), known=known) == []
    assert names(reported("a", minutes_before=4), known=known) == ["test:a"]


def test_a_change_is_worth_one_attempt() -> None:
    assert names(reported("a"), brought_about={"test:a"}) == []


def test_a_burst_is_waited_for_but_not_for_ever() -> None:
    first, last = reported("a", told=1), reported("b", told=1.5)

    assert not burst_is_over([], NOW)
    assert not burst_is_over([first, last], last.received_at + QUIET_PERIOD - timedelta(seconds=1))
    assert burst_is_over([first, last], last.received_at + QUIET_PERIOD)
    assert burst_is_over([first, reported("c", told=2)], first.received_at + MAX_WAIT)
