"""What doctor says of heartbeats: what is configured beside what arrives."""

from datetime import timedelta
from typing import Any

import pytest

from bot.console.configuration.heartbeats import check_heartbeats
from bot.core.alerts.heartbeat import Rhythm
from bot.core.check import Check
from bot.core.config import Config
from tests.unit.builders import NOW

HOURS = timedelta(hours=1)
MINUTES = timedelta(minutes=1)


def checks(*arrived: tuple[str, Rhythm], **configured: Any) -> list[Check]:
    config = Config.model_validate({"sources": {"am": {"kind": "alertmanager"}, "other": {"kind": "generic"}}, **configured})
    return check_heartbeats(config, arrived, NOW)


def beat(*, ago: timedelta = MINUTES, beats: int = 9, period: timedelta = 5 * MINUTES) -> tuple[str, Rhythm]:
    return "am:Watchdog", Rhythm(NOW - ago, beats, period)


def test_a_rule_that_never_came_is_not_set_up_and_says_that_nothing_pages_for_it() -> None:
    (check,) = checks()

    assert (check.name, check.state) == ("Heartbeat am", "not set up")
    assert "nothing pages for it before it came" in check.advice and "repeat_interval" in check.advice


def test_a_rule_that_comes_is_said_with_its_period() -> None:
    (check,) = checks(beat())

    assert (check.state, check.result, check.advice) == ("ok", "comes every 5 min, last 60 s ago", "")


def test_before_its_period_is_known_it_says_so() -> None:
    (check,) = checks(beat(beats=2))

    assert check.state == "ok" and check.result.startswith("2 of 3 heartbeats") and "until then it pages nobody" in check.advice


def test_a_rule_that_comes_seldom_is_told_when_its_silence_would_page() -> None:
    (check,) = checks(beat(period=4 * HOURS))

    assert check.state == "ok" and "pages after 8 h" in check.advice and "repeat_interval" in check.advice


def test_a_period_that_was_configured_too_short_fails_before_it_pages_somebody_at_night() -> None:
    (check,) = checks(beat(ago=timedelta(seconds=30), period=4 * HOURS), heartbeat_every="1m")

    assert (check.state, check.result) == ("failed", "comes every 4 h 0 min, configured 60 s")
    assert "raise it, leave it out" in check.advice


@pytest.mark.parametrize("configured", [{}, {"heartbeat_every": "5m"}])
def test_a_rule_that_is_silent_now_fails(configured: dict[str, str]) -> None:
    (check,) = checks(beat(ago=HOURS), **configured)

    assert check.state == "failed" and check.result.endswith("last 60 min ago")


def test_without_any_rule_it_says_what_that_means() -> None:
    (check,) = checks(heartbeats=())

    assert check.state == "not set up" and "dead Prometheus" in check.advice


def test_a_rule_that_is_no_longer_expected_stands_for_no_other() -> None:
    (check,) = checks(beat(), heartbeats=["AlwaysOn"])

    assert check.state == "not set up" and "AlwaysOn" in check.advice
