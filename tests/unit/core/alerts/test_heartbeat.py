"""The period of an always-firing rule is learned, and its silence is a miss only once it is known or configured."""

from datetime import timedelta

import pytest

from bot.core.alerts.heartbeat import HeartbeatKey, Rhythm, is_missed, next_rhythm
from tests.unit.builders import NOW, at

HOURS = timedelta(hours=4)


def after(*minutes: float) -> Rhythm:
    """The rhythm after a first beat now and further ones so many minutes later."""
    rhythm = Rhythm(NOW)
    for minute in minutes:
        rhythm = next_rhythm(rhythm, at(minute))
    return rhythm


def test_an_alertmanager_that_repeats_every_four_hours_is_missed_after_eight() -> None:
    rhythm = after(240, 480)

    assert not is_missed(rhythm, 2 * HOURS, None) and is_missed(rhythm, 2 * HOURS + timedelta(minutes=1), None)


@pytest.mark.parametrize("rhythm", [after(), after(1), after(0.01, 0.05, 0.1)])
def test_before_three_beats_silence_says_nothing(rhythm: Rhythm) -> None:
    assert not is_missed(rhythm, timedelta(days=1), None)


def test_a_configured_period_counts_from_the_first_beat() -> None:
    assert is_missed(after(), timedelta(minutes=2.1), timedelta(minutes=1))


def test_an_outage_makes_nobody_deaf_for_the_next_one() -> None:
    after_it = after(1, 2, 122)

    assert after_it.period == timedelta(minutes=2) and is_missed(after_it, timedelta(minutes=5), None)


def test_a_longer_interval_is_learned_after_a_few_beats() -> None:
    rhythm = after(1, 2, 12, 22, 32, 42, 52)

    assert rhythm.period == timedelta(minutes=10) and not is_missed(rhythm, timedelta(minutes=19), None)


def test_a_delivery_that_arrives_late_turns_nothing_back() -> None:
    assert next_rhythm(after(5, 10), at(7)).last_seen_at == at(10)


@pytest.mark.parametrize("rule", ["Watchdog", "Watchdog {a}", "a:b{c=d}"])
@pytest.mark.parametrize("labels", [{}, {"pod": "a"}, {"cluster": "eu{1}", "env": "prod=1"}])
def test_a_heartbeat_is_stored_with_its_installation(rule: str, labels: dict[str, str]) -> None:
    key = HeartbeatKey.of("prod", rule, labels)

    assert HeartbeatKey.parse(key.stored) == key
    assert key.scope == ("cluster=eu{1},env=prod=1" if "cluster" in labels else "")
