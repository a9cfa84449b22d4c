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
