"""Which episode a delivery is about, and when an episode ended."""

from dataclasses import dataclass
from datetime import datetime

import pytest

from bot.core.alerts.episodes import LastTime, end_of, episode_of, last_time
from tests.unit.builders import NOW, at


@dataclass
class Times:
    starts_at: datetime
    status: str = "firing"
    ended_at: datetime | None = None


ENDED, FIRING = Times(at(-30), "resolved", at(-25)), Times(at(-20))


def test_a_delivery_with_the_start_of_an_episode_is_about_it() -> None:
    assert episode_of([ENDED, FIRING], starts_at=at(-30), received_at=NOW) is ENDED


def test_a_delivery_with_another_start_is_a_new_episode() -> None:
    assert episode_of([ENDED, FIRING], starts_at=at(-10), received_at=NOW) is None


def test_a_delivery_without_a_start_is_about_the_episode_that_fires() -> None:
    assert episode_of([ENDED, FIRING], starts_at=NOW, received_at=NOW) is FIRING
    assert episode_of([ENDED], starts_at=NOW, received_at=NOW) is None


def test_a_report_is_about_the_episode_that_fires_and_never_of_one_that_began_later() -> None:
    assert episode_of([ENDED, FIRING], starts_at=at(-10), received_at=NOW, is_report=True) is FIRING
    assert episode_of([ENDED, FIRING], starts_at=at(-22), received_at=NOW, is_report=True) is None
    assert episode_of([ENDED], starts_at=at(-10), received_at=NOW, is_report=True) is None


@pytest.mark.parametrize(("start", "expected"), [(-31, ENDED), (-28, ENDED), (-19, FIRING), (-24, None), (-5, None)])
def test_of_two_replicas_that_saw_another_start_each_it_is_the_firing_that_overlaps(
    start: float, expected: Times | None
) -> None:
    assert episode_of([ENDED, FIRING], starts_at=at(start), received_at=NOW, replicated=True) is expected
    assert episode_of([ENDED, FIRING], starts_at=at(start), received_at=NOW) is None


@pytest.mark.parametrize(("current", "reported", "expected"), [(None, -5, -5), (-3, -5, -5), (-5, -3, -5), (None, -40, -20)])
def test_the_earliest_reported_end_counts_and_none_is_before_the_start(
    current: float | None, reported: float, expected: float
) -> None:
    assert end_of(None if current is None else at(current), at(reported), at(-20)) == at(expected)


@dataclass
class Past:
    starts_at: datetime
    ended_at: datetime | None
    group_id: int | None = 7


def test_an_alert_that_resolved_a_moment_ago_is_back_in_its_group() -> None:
    assert last_time([Past(at(0), at(1))], at(3)) == LastTime(7, returns=True)
    assert last_time([Past(at(0), at(1))], at(7)) == LastTime(7)


def test_an_end_that_nobody_sent_says_nothing() -> None:
    assert last_time([Past(at(0), at(3))], at(3)) == LastTime(7)


def test_the_fifth_time_within_five_minutes_is_flapping() -> None:
    assert last_time([Past(at(n), at(n + 1)) for n in range(4)], at(4)) == LastTime(7, returns=True, flaps_rapidly=True)
    assert not last_time([Past(at(n), at(n + 1)) for n in range(3)], at(3)).flaps_rapidly
