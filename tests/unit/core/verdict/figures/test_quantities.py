"""Figures of a text with their unit, as people write them."""

import pytest

from bot.core.verdict.figures.quantities import Bound, Dimension, quantities


@pytest.mark.parametrize(
    ("text", "value", "dimension"),
    [
        ("2 h 38 min before", 9480, Dimension.TIME),
        ("2h38m", 9480, Dimension.TIME),
        ("2 hours and 38 minutes", 9480, Dimension.TIME),
        ("1 min 40 s", 100, Dimension.TIME),
        ("a 26-second gap", 26, Dimension.TIME),
        ("6.8-fold", 6.8, Dimension.FACTOR),
        ("6,8-fold", 6.8, Dimension.FACTOR),
        ("7 times", 7, Dimension.FACTOR),
        ("by a factor of 770", 770, Dimension.FACTOR),
        ("doubled", 2, Dimension.FACTOR),
        ("tenfold", 10, Dimension.FACTOR),
        ("45 %", 0.45, Dimension.SHARE),
        ("44.9 percentage points", 0.449, Dimension.SHARE),
        ("1,234 req/s", 1234, Dimension.RATE),
        ("512 MiB", 512 * 2**20, Dimension.BYTES),
        ("1.2k lines", 1200, Dimension.BARE),
        ("40000msgs", 40000, Dimension.BARE),
        ("2.7K jobs", 2700, Dimension.BARE),
        ("1.9 million rows", 1_900_000, Dimension.BARE),
        ("193 Million", 193_000_000, Dimension.BARE),
        ("2.4 billion bytes", 2_400_000_000, Dimension.BYTES),
        ("1,320 a minute", 22, Dimension.RATE),
        ("36 failed requests per hour", 0.01, Dimension.RATE),
        ("1.2k errors/min", 20, Dimension.RATE),
        ("600 rpm", 10, Dimension.RATE),
        ("6 hours fall within a minute", 21_600, Dimension.TIME),
        ("263 millicores", 0.263, Dimension.BARE),
    ],
)
def test_a_figure_is_read_in_its_canonical_unit(text: str, value: float, dimension: Dimension) -> None:
    (quantity,) = quantities(text)

    assert (round(quantity.value, 6), quantity.dimension) == (value, dimension)


@pytest.mark.parametrize("text", ["checkout-2", "HTTP/2 and utf-8", "p99 and v2", "5xx", "the 3rd replica", "x6"])
def test_names_hold_no_figure(text: str) -> None:
    assert quantities(text) == ()


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("about 45 %", Bound.ABOUT),
        ("more than 3 times", Bound.MORE),
        ("over 38 %", Bound.MORE),
        ("below 1 %", Bound.LESS),
        ("at 45 %", Bound.EXACT),
    ],
)
def test_the_word_before_a_figure_says_how_exact_it_is(text: str, bound: Bound) -> None:
    assert quantities(text)[0].bound is bound


def test_units_that_do_not_descend_are_no_duration() -> None:
    assert [quantity.value for quantity in quantities("5 s 3 h")] == [5, 10800]


@pytest.mark.parametrize(
    ("text", "value"),
    [("0,0481", 0.0481), ("0,048", 0.048), ("12,0481", 12.0481), ("2,43", 2.43), ("1,234", 1234), ("1,234,567", 1234567)],
)
def test_a_comma_parts_thousands_only_where_three_digits_follow_and_no_zero_stands_before(text: str, value: float) -> None:
    assert quantities(f"errors {text}")[0].value == value


def test_decimals_behind_a_comma_are_as_exact_as_those_behind_a_point() -> None:
    comma, point = quantities("auf 2,43 s")[0], quantities("to 2.43 s")[0]

    assert (comma.value, comma.step) == (point.value, point.step)
