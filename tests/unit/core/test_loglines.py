"""Moments, levels and kinds of log lines."""

from datetime import UTC, datetime

import pytest

from bot.core.log import LogLine
from bot.core.loglines import count_templates, read_line, template_of

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


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("order 1234 took 35ms from 10.2.0.7:443", "order <*> took <*> from <*>"),
        ("GET /orders/77/items status=503 in 0.25 s", "GET /orders/<*>/items status=503 in <*> s"),
        ("GET /orders/500 200 12ms", "GET /orders/<*> 200 <*>"),
        ('10.0.0.1 "POST /pay HTTP/1.1" 503 312', '<*> "POST /pay HTTP/<*>" 503 <*>'),
        ("pod storefront-6c9f4-njzbh slow", "pod storefront-<*> slow"),
        ("pod checkout-7d9f8-x2k9 id 3f2b8c1e-0000-4000-8000-1234567890ab", "pod checkout-<*> id <*>"),
        ("at 2026-03-01T02:59:58.123Z pool   exhausted", "at <*> pool exhausted"),
    ],
)
def test_numbers_and_ids_are_masked_and_status_codes_are_not(text: str, template: str) -> None:
    assert template_of(text) == template


def test_a_json_line_is_counted_by_its_message_alone() -> None:
    lines = [LogLine(at=NEWEST, text=f'{{"trace": "ab-{n}x", "msg": "slow call to cart"}}') for n in range(3)]

    assert [row.template for row in count_templates(lines, [])] == ["slow call to cart"]


def test_the_kind_that_grew_most_comes_first_and_a_silent_one_is_kept() -> None:
    def lines(*texts: str) -> list[LogLine]:
        return [LogLine(at=NEWEST, text=text) for text in texts]

    rows = count_templates(lines("ok 1", "ok 2", "fail 1", "fail 2"), lines("ok 3", "ok 4", "gone 1"))

    assert [(r.template, r.count, r.before) for r in rows] == [("fail <*>", 2, 0), ("ok <*>", 2, 2), ("gone <*>", 0, 1)]
