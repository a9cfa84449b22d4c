"""Moments, levels and kinds of log lines."""

from datetime import UTC, datetime

import pytest

from bot.core.loglines import read_line

NEWEST = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at", "level"),
    [
        ("2026-03-01T02:59:58.123Z ERROR pool exhausted", "02:59:58.123000", "error"),
        ("2026-03-01 03:59:58,5 +01:00 WARNING slow", "02:59:58.500000", "warn"),
        ('{"ts": 1772333998, "lvl": "INFO", "msg": "hello"}', "02:59:58", "info"),
        ('{"time": "2026-03-01T02:59:58Z", "severity": "CRITICAL", "message": "x"}', "02:59:58", "fatal"),
        ('10.0.0.1 - - [01/Mar/2026:02:59:58 +0000] "GET / HTTP/1.1" 500 12', "02:59:58", ""),
        ("Mar  1 02:59:58 host app[1]: started", "02:59:58", ""),
    ],
)
def test_the_usual_forms_of_a_line_are_read(text: str, at: str, level: str) -> None:
    line = read_line(text, newest=NEWEST)

    assert line is not None and line.at.time().isoformat() == at and line.level == level


@pytest.mark.parametrize("text", ["    at com.example.Pool", "{broken", '{"a": 1}', "", "9999-99-99T99:99:99Z x"])
def test_a_line_without_a_moment_is_a_continuation(text: str) -> None:
    assert read_line(text, newest=NEWEST) is None


def test_a_syslog_line_of_december_read_in_march_is_of_last_year() -> None:
    line = read_line("Dec 31 23:00:00 host app: x", newest=NEWEST)

    assert line is not None and line.at.year == 2025
