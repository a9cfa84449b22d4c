"""Moments and lengths of time as text."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.core.text.durations import (
    age_text,
    decimal_minutes,
    duration_text,
    elapsed_text,
    minutes_text,
)
from bot.core.text.moments import clock, clock_to_the_minute, date_and_clock, date_to_the_minute, day, iso_utc

ONSET = datetime(2026, 1, 5, 14, 0, 0, 400_000, UTC)
AT = datetime(2026, 1, 5, 14, 2, 15, 987_654, UTC)


def test_each_form_of_a_moment_cuts_off_what_it_does_not_show() -> None:
    assert clock(AT) == "14:02:15 UTC"
    assert clock_to_the_minute(AT) == "14:02 UTC"
    assert date_and_clock(AT) == "2026-01-05 14:02:15"
    assert date_to_the_minute(AT) == "2026-01-05 14:02 UTC"
    assert day(AT) == "2026-01-05"
    assert iso_utc(AT) == "2026-01-05T14:02:15Z"
    assert iso_utc(AT, "microseconds") == "2026-01-05T14:02:15.987654Z"


def test_a_moment_of_another_zone_is_shown_in_utc() -> None:
    berlin = AT.astimezone(timezone(timedelta(hours=1)))

    assert clock(berlin) == "14:02:15 UTC"
    assert iso_utc(berlin, "milliseconds") == "2026-01-05T14:02:15.987Z"


def test_ages_are_read_from_the_onset() -> None:
    assert age_text(ONSET - timedelta(seconds=1), ONSET) == "at onset"
    assert age_text(ONSET - timedelta(seconds=40), ONSET) == "40 s before onset"
    assert age_text(ONSET - timedelta(hours=3), ONSET) == "3 h before onset"
    assert age_text(ONSET + timedelta(seconds=30), ONSET) == "30 s after onset"
    assert age_text(ONSET - timedelta(seconds=40), ONSET, of="the alert") == "40 s before the alert"


@pytest.mark.parametrize(
    ("seconds", "duration", "elapsed"),
    [
        (45, "45 s", "45 s"),
        (119, "119 s", "119 s"),
        (719, "11 min", "11 min"),
        (7_199, "119 min", "119 min"),
        (11_100, "3 h", "3 h 5 min"),
    ],
)
def test_lengths_change_their_unit_where_the_smaller_one_gets_long(seconds: int, duration: str, elapsed: str) -> None:
    length = timedelta(seconds=seconds)

    assert (duration_text(length), elapsed_text(length)) == (duration, elapsed)


def test_only_an_age_may_be_negative() -> None:
    assert duration_text(timedelta(seconds=-45)) == "45 s"
    assert elapsed_text(timedelta(seconds=-45)) == "0 s"


def test_minutes_are_shown_as_hours_from_two_hours_on() -> None:
    assert [minutes_text(minutes) for minutes in (1.5, 30, 119, 120, 150)] == ["1.5 min", "30 min", "119 min", "2 h", "2.5 h"]
    assert [decimal_minutes(seconds) for seconds in (0.2, 59.4, 270)] == ["1 s", "59 s", "4.5 min"]
