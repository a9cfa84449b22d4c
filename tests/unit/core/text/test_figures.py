"""Values as people read them."""

import pytest

from bot.core.text.figures import figure


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0417, "ratio", "4.17 %"),
        (0.35, "s", "350 ms"),
        (90, "s", "90 s"),
        (536870912, "bytes", "512 MiB"),
        (0, "s", "0 s"),
        (123.4, "/s", "123 /s"),
        (192_900_000, "", "193 million"),
        (-2.5e9, "rows", "-2.5 billion rows"),
        (999_999_999, "", "1 billion"),
        (float("nan"), "s", "no value"),
    ],
)
def test_a_value_is_read_with_its_unit(value: float, unit: str, text: str) -> None:
    assert figure(value, unit) == text
