"""How many reminders are due."""

from datetime import timedelta

import pytest

from bot.core.alerts.reminders import MAX_REMINDERS, reminders_due, waited

AFTER = timedelta(minutes=5)


@pytest.mark.parametrize(
    ("minutes", "due"), [(0, 0), (4.9, 0), (5, 1), (9.9, 1), (10, 2), (20, 3), (159, 5), (160, 6), (9999, 6)]
)
def test_each_reminder_takes_twice_as_long_as_the_one_before(minutes: float, due: int) -> None:
    assert reminders_due(timedelta(minutes=minutes), AFTER) == due


@pytest.mark.parametrize("number", range(1, MAX_REMINDERS + 1))
def test_a_reminder_is_due_as_soon_as_it_was_waited_for(number: int) -> None:
    assert reminders_due(waited(number, AFTER), AFTER) == number


def test_a_configured_zero_reminds_after_a_minute() -> None:
    assert reminders_due(timedelta(seconds=59), timedelta(0)) == 0
    assert reminders_due(timedelta(seconds=60), timedelta(0)) == 1
