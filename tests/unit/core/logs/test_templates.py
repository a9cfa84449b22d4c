"""Kinds of log lines, and how they changed around the onset."""

from datetime import timedelta

from bot.core.logs.line import LogLine
from bot.core.logs.templates import MAX_NEW_TEMPLATES, OTHER, TemplateCount, count_templates
from tests.unit.builders import NOW


def lines(*texts: str, level: str = "") -> list[LogLine]:
    return [LogLine(at=NOW + timedelta(seconds=n), text=text, level=level) for n, text in enumerate(texts)]


def many(text: str, count: int) -> list[LogLine]:
    return lines(*(f"{text} {n}" for n in range(count)))


def trends(rows: list[TemplateCount]) -> dict[str, str]:
    return {row.template: row.trend for row in rows}


def word(number: int) -> str:
    return "".join(chr(97 + int(digit)) for digit in str(number))


def test_a_json_line_is_counted_by_its_message_alone() -> None:
    rows = count_templates(lines(*(f'{{"trace": "ab-{n}x", "msg": "slow call to cart"}}' for n in range(3))), [])

    assert [row.template for row in rows] == ["slow call to cart"]


def test_words_that_differ_are_one_kind_where_the_rest_is_the_same() -> None:
    rows = count_templates(lines(*(f"session of user={name} was closed by peer" for name in ("ann", "bob", "eve"))), [])

    assert [(row.template, row.count) for row in rows] == [("session of user=<*> was closed by peer", 3)]


def test_what_is_new_grew_or_vanished_comes_before_what_is_as_it_was() -> None:
    now = [*many("request served", 50), *many("pool exhausted after", 3), *many("retry payment attempt", 20)]
    before = [*many("request served", 48), *many("retry payment attempt", 4), *many("heartbeat of worker", 9)]

    rows = count_templates(now, before)

    assert trends(rows) == {
        "pool exhausted after <*>": "new",
        "retry payment attempt <*>": "surging",
        "heartbeat of worker <*>": "vanished",
        "request served <*>": "steady",
    }
    assert rows[-1].trend == "steady"


def test_what_was_rare_before_has_not_vanished() -> None:
    assert trends(count_templates([], many("nightly report", 2))) == {"nightly report <*>": "steady"}


def test_windows_of_different_length_are_compared_by_rate() -> None:
    (row,) = count_templates(many("request served", 10), many("request served", 60), scale=1 / 6)

    assert (row.count, row.before, row.trend) == (10, 10.0, "steady")


def test_what_did_not_double_is_no_surge_however_many_lines_there_are() -> None:
    (row,) = count_templates(many("request served", 190), many("request served", 100))

    assert row.sigmas > 3 and row.trend == "steady"


def test_the_first_line_of_a_kind_is_its_example() -> None:
    (row,) = count_templates(list(reversed(many("pool exhausted after", 3))), [])

    assert (row.example, row.first_at) == ("pool exhausted after 0", NOW)


def test_a_flood_of_different_lines_hides_no_error() -> None:
    before, now = (lines(*(f"{word(n)} {word(n * 7)} {word(n * 13)}" for n in range(n0, n0 + 600))) for n0 in (0, 5000))
    error = LogLine(at=NOW + timedelta(hours=1), text="the disk is full", level="error")

    rows = count_templates([*now, error], before)

    assert trends(rows)["the disk is full"] == "new"
    assert OTHER in trends(rows) and len(rows) <= 2 * MAX_NEW_TEMPLATES + 1
