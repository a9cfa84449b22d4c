"""Values as people read them."""

import pytest

from bot.core.text.figures import figure, ordinal


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0417, "ratio", "4.17 %"),
        (0.004052, "ratio", "0.41 %"),
        (0.000758, "ratio", "0.076 %"),
        (-0.0000013, "ratio", "0 %"),
        (0.35, "s", "350 ms"),
        (90, "s", "90 s"),
        (536870912, "bytes", "512 MiB"),
        (0, "s", "0 s"),
        (0.9996, "s", "1 s"),
        (0.0009996, "s", "1 ms"),
        (-119.7, "s", "-2 min"),
        (7199, "s", "2 h"),
        (1023.9 * 1024, "bytes", "1 MiB"),
        (1000 * 1024, "bytes", "1000 KiB"),
        (123.4, "/s", "123 /s"),
        (192_900_000, "", "193 million"),
        (-2.5e9, "rows", "-2.5 billion rows"),
        (999_999_999, "", "1 billion"),
        (float("nan"), "s", "no value"),
    ],
)
def test_a_value_is_read_with_its_unit(value: float, unit: str, text: str) -> None:
    assert figure(value, unit) == text


def test_the_teens_of_every_hundred_end_in_th() -> None:
    assert [ordinal(number) for number in (1, 2, 3, 4, 11, 12, 13, 21, 101, 111, 112, 113, 122)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "101st", "111th", "112th", "113th", "122nd"
    ]  # fmt: skip
