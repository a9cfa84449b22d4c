"""Limits before and while a body is read."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.errors import UnreadableBody
from bot.sources import _parsing as parsing

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "deep"),
    [
        (b"[" * 64 + b"]" * 64, False),
        (b"[" * 65 + b"]" * 65, True),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, True),
        (b'["' + b"[" * 100 + b'"]', False),
        (b'["\\"' + b"[" * 100 + b'", "\\\\", []]', False),
        (b"[]," * 1000, False),
        (b"[" * 5000, True),
    ],
)
def test_depth_is_counted_outside_of_strings(body: bytes, deep: bool) -> None:
    assert parsing.too_deep(body) is deep


@pytest.mark.parametrize("body", [b"", b"{", b'{"a":NaN}', b'{"a":"\\ud800"}', b'{"a":1}{"a":2}', b"\xe9", b"<x/>"])
def test_what_is_not_json_is_refused_with_a_reason(body: bytes) -> None:
    with pytest.raises(UnreadableBody, match="not readable as JSON"):
        parsing.parse(body)


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert parsing.parse(b"\xef\xbb\xbf{}") == {}


@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "utf-16-le", "utf-16-be"])
def test_what_an_older_system_sends_in_its_own_characters_is_read(charset: str) -> None:
    assert parsing.parse('{"title": "Größe überschritten"}'.encode(charset)) == {"title": "Größe überschritten"}


def test_depth_is_limited_in_any_characters() -> None:
    with pytest.raises(UnreadableBody, match="nested deeper"):
        parsing.parse(("[" * 100 + '"é"' + "]" * 100).encode("utf-16"))


def test_too_many_labels_are_cut_with_a_mark_and_the_usual_ones_stay() -> None:
    kept = parsing.labels({f"l{i}": "v" for i in range(100)} | {"severity": "critical"})

    assert kept["severity"] == "critical"
    assert kept["tocsin_left_out"] == "37 more"
    assert len(kept) == 65


def test_a_long_value_is_cut_with_a_mark() -> None:
    assert parsing.clean("a" * 5000).endswith("… (cut)")
    assert len(parsing.clean("a" * 5000)) == parsing.MAX_VALUE


def test_a_secret_does_not_survive_the_cut() -> None:
    text = "x" * (parsing.MAX_VALUE - 20) + " password=FAKE1234567890FAKE"

    assert "FAKE" not in parsing.clean(text)


@pytest.mark.parametrize("value", [pytest.param(10**5000, id="huge"), float("1e300"), True, None, [1], {"a": 1}])
def test_any_json_value_becomes_text(value: object) -> None:
    assert isinstance(parsing.clean(value), str)


def test_nul_and_controls_in_a_label_become_visible() -> None:
    assert parsing.labels({"pod": "a\0b\nc"}) == {"pod": "a\\u0000b\\nc"}


def test_a_start_in_the_far_future_counts_as_unknown() -> None:
    told = (NOW + timedelta(days=400)).isoformat()

    assert parsing.start_moment(told, "startsAt", NOW) == NOW


def test_nanoseconds_are_read() -> None:
    assert parsing.moment("2026-11-24T23:02:17.72537779Z", "at") == datetime(2026, 11, 24, 23, 2, 17, 725377, tzinfo=UTC)


@pytest.mark.parametrize("value", ["1795561200", 1795561200, "1795561200000", 1795561200000000000, "1795561200.25"])
def test_unix_time_is_read_in_any_unit_and_as_a_text(value: object) -> None:
    at = parsing.moment(value, "at")

    assert at is not None and at.replace(microsecond=0) == datetime(2026, 11, 24, 23, 0, tzinfo=UTC)


@pytest.mark.parametrize("value", [10**400, 1e300, float("inf"), "17955612", True])
def test_other_numbers_are_no_moments(value: object) -> None:
    with pytest.raises(UnreadableBody):
        parsing.moment(value, "at")


def test_one_bad_item_among_good_ones_is_set_aside() -> None:
    def read(item: int, field: str) -> int:
        if item == 0:
            raise UnreadableBody("is zero", field=field)
        return item

    taken, rejected = parsing.read_each([1, 0, 2], read, "items")

    assert taken == [1, 2]
    assert [(r.field, json.loads(r.body)) for r in rejected] == [("items.1", 0)]


def test_an_item_that_cannot_be_written_down_again_takes_no_other_with_it() -> None:
    def read(item: object, field: str) -> object:
        if item != 1:
            raise UnreadableBody("is not one", field=field)
        return item

    items, rejected = parsing.read_each([1, {"a": 10**5000}], read, "items")

    assert items == [1] and [item.field for item in rejected] == ["items.1"]


def test_a_fingerprint_of_a_number_that_cannot_be_printed_is_refused_with_a_reason() -> None:
    with pytest.raises(UnreadableBody, match="4,300 digits"):
        parsing.fingerprint({"a": 10**5000})
