"""Moments, levels and kinds of log lines."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.logs.parsing import read_line, shortened

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


def test_a_json_line_with_a_long_stack_trace_is_read_whole_and_told_by_its_message() -> None:
    """Its moment stands behind the trace: cut first, it would be no line of its own."""
    text = json.dumps(
        {"level": "error", "message": "pool exhausted", "stack": "at shop.Pool\n" * 400, "time": "2026-03-01T02:50:00Z"}
    )

    line = read_line(text, newest=NEWEST)

    assert line is not None and (line.text, line.level) == ("pool exhausted: (at shop.Pool)", "error")
    assert line.at == NEWEST - timedelta(minutes=10)


def test_a_short_json_line_stays_as_it_was_written() -> None:
    text = '{"message": "served", "time": "2026-03-01T02:50:00Z"}'

    assert shortened(text) == text


def test_a_line_without_end_is_cut() -> None:
    assert len(shortened('{"message": "' + "x" * 300_000 + '"}')) < 3_000
    assert len(shortened("x" * 300_000)) < 3_000
