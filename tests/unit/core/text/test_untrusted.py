"""Foreign text shows what it hides, and stays what it is."""

import pytest

from bot.core.text.untrusted import escape_controls


@pytest.mark.parametrize(
    "hidden", ["\u202e", "\u200b", "\U000e0061", "\U000e0155", "\ufe01", "\u3164", "\u2800", "\u034f", "\x85"]
)
def test_a_character_that_nobody_sees_is_shown_as_an_escape(hidden: str) -> None:
    shown = escape_controls(f"ok{hidden}end")

    assert hidden not in shown and shown.startswith("ok\\")


def test_a_joiner_inside_of_a_name_is_shown() -> None:
    assert escape_controls("check\u200dout") == "check\\u200dout"


@pytest.mark.parametrize(
    "text", ["👩\u200d👩\u200d👧 1\ufe0f\u20e3 ❤\ufe0f 🏳\ufe0f\u200d🌈", "e\u0301", "กำลัง", "مرحبا", "Zürich → 5 µs"]
)
def test_emoji_accents_and_other_scripts_stay(text: str) -> None:
    assert escape_controls(text) == text


def test_a_tower_of_marks_is_cut_down_to_what_a_script_needs() -> None:
    shown = escape_controls("Z" + "\u0300" * 10)

    assert shown == "Z" + "\u0300" * 4 + "\\u0300" * 6
