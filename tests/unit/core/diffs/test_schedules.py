"""Schedules that come due just as something begins."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.diffs.schedules import came_due
from bot.core.facts.code import EffectFact

DUE = datetime(2026, 6, 3, 2, 0, tzinfo=UTC)
ROLLED_OUT = DUE - timedelta(hours=9)


def schedule(after: str, before: str = '"40 3 * * *"') -> EffectFact:
    return EffectFact(kind="schedule", name="schedule", before=before, after=after)


@pytest.mark.parametrize("late", [timedelta(0), timedelta(minutes=2)])
def test_a_schedule_that_came_due_as_something_began_is_seen(late: timedelta) -> None:
    assert came_due(schedule('"* 2 * * *"'), [DUE + late], ROLLED_OUT) == DUE


@pytest.mark.parametrize(
    ("expression", "due"),
    [
        ("0 2 * * *", True),
        ("0 2 3 6 *", True),
        ("0 2 4 6 *", False),
        ("0 2 * * 3", True),
        ("0 2 * * 1-2", False),
        ("0 2 1 * 3", True),
        ("0 1-3/1 * * *", True),
        ("0 */2 * * *", True),
        ("0,30 2 * * *", True),
        ("0 2 * *", False),
        ("0 2 * * MON", False),
    ],
)
def test_fields_hold_lists_ranges_and_steps_and_a_day_of_the_month_or_of_the_week(expression: str, due: bool) -> None:
    assert (came_due(schedule(expression), [DUE], DUE - timedelta(minutes=40)) == DUE) is due


def test_a_schedule_that_came_due_without_harm_since_it_was_rolled_out_says_nothing() -> None:
    hourly = schedule('"0 * * * *"', before='"30 * * * *"')

    assert came_due(hourly, [DUE], DUE - timedelta(minutes=40)) == DUE
    assert came_due(hourly, [DUE], ROLLED_OUT) is None


def test_sunday_is_the_first_and_the_last_day_of_a_week() -> None:
    sunday = datetime(2026, 6, 7, 2, 0, tzinfo=UTC)

    assert all(came_due(schedule(f"0 2 * * {day}"), [sunday], ROLLED_OUT) == sunday for day in (0, 7))


@pytest.mark.parametrize(
    ("effect", "onset"),
    [
        (schedule('"* 2 * * *"'), DUE + timedelta(minutes=15)),
        (schedule('"* 2 * * *"'), DUE - timedelta(minutes=15)),
        (schedule('"*/5 * * * *"'), DUE),
        (schedule('"0 2 * * *"', before='"0 2 * * *"'), DUE),
        (schedule("60s"), DUE),
    ],
    ids=["long after", "before", "every few minutes", "as before", "no cron expression"],
)
def test_another_schedule_or_moment_says_nothing(effect: EffectFact, onset: datetime) -> None:
    assert came_due(effect, [onset], ROLLED_OUT) is None


def test_a_schedule_that_was_rolled_out_after_it_would_have_come_due_says_nothing() -> None:
    assert came_due(schedule('"* 2 * * *"'), [DUE], DUE + timedelta(seconds=30)) is None
