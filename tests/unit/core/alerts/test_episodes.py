"""Which episode a delivery is about, and when an episode ended."""

from dataclasses import dataclass
from datetime import datetime

import pytest

from bot.core.alerts.episodes import end_of, episode_of
from tests.unit.builders import NOW, at


@dataclass
class Times:
    starts_at: datetime
    status: str = "firing"


ENDED, FIRING = Times(at(-30), "resolved"), Times(at(-20))


def test_a_delivery_with_the_start_of_an_episode_is_about_it() -> None:
    assert episode_of([ENDED, FIRING], starts_at=at(-30), received_at=NOW) is ENDED


def test_a_delivery_with_another_start_is_a_new_episode() -> None:
    assert episode_of([ENDED, FIRING], starts_at=at(-10), received_at=NOW) is None


def test_a_delivery_without_a_start_is_about_the_episode_that_fires() -> None:
    assert episode_of([ENDED, FIRING], starts_at=NOW, received_at=NOW) is FIRING
    assert episode_of([ENDED], starts_at=NOW, received_at=NOW) is None


@pytest.mark.parametrize(("current", "reported", "expected"), [(None, -5, -5), (-3, -5, -5), (-5, -3, -5), (None, -40, -20)])
def test_the_earliest_reported_end_counts_and_none_is_before_the_start(
    current: float | None, reported: float, expected: float
) -> None:
    assert end_of(None if current is None else at(current), at(reported), at(-20)) == at(expected)
