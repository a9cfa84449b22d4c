"""Verb lines, as tired people type them."""

import pytest

from bot.core.commands.verb_line import LIMIT, Line, mistyped_reference, nearest, parse_line, parse_value, typed_line


def test_verb_reference_options_and_text_are_taken_apart_in_any_order() -> None:
    line = parse_line('Declare “Checkout is down” sev=2 service="a b" al-3')

    assert line == Line("declare", "Checkout is down", "AL-3", {"sev": "2", "service": "a b"})


def test_an_empty_line_has_no_verb() -> None:
    assert parse_line("   ") == Line()


def test_a_bare_reference_asks_to_show_it() -> None:
    assert parse_line("INC-3") == Line("show", "", "INC-3", {})


def test_the_first_reference_is_the_subject_and_further_ones_are_text() -> None:
    line = parse_line("note AL-3 looks like INC-1")

    assert (line.ref, line.text) == ("AL-3", "looks like INC-1")


def test_quoted_text_with_an_equal_sign_is_text_and_addresses_are_no_options() -> None:
    line = parse_line('note "cpu=90%" https://x.example/?a=b')

    assert line.options == {} and line.text == "cpu=90% https://x.example/?a=b"


def test_a_mistyped_verb_gets_the_nearest_ones() -> None:
    verbs = ["approve", "ack", "deny", "resolve", "list"]

    assert nearest("aprove", verbs)[0] == "approve"
    assert nearest("reslove", verbs) == ["resolve"]
    assert nearest("xyzzyxyzzyx", verbs) == []


def test_a_buttons_value_is_a_reference_and_a_revision_and_nothing_else() -> None:
    assert parse_value("AP-12:3") == ("AP-12", 3)
    assert parse_value("AL-3") == ("AL-3", None)
    for forged in ("AP-12:3:approved", "AP-12;DROP", "AP-١:1", "", "-"):
        assert parse_value(forged) == ("", None)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("AL-x", "AL-x"),
        ("inc3", "inc3"),
        ("AL-99999999999", "AL-99999999999"),
        ("looks like INC-", "INC-"),
        ("AL-2 again", ""),
        ("ap-south-1 is slow", ""),
        ("ALARM is loud", ""),
        ("", ""),
    ],
)
def test_a_word_meant_as_a_reference_is_told_from_text(text: str, wrong: str) -> None:
    assert mistyped_reference(text) == wrong


def test_a_line_beyond_the_limit_says_how_much_was_not_read() -> None:
    assert parse_line("note " + "x" * (LIMIT - 5)).unread == 0
    assert parse_line("note " + "x" * LIMIT).unread == 5


def test_a_line_to_copy_makes_the_same_request_of_the_reference_that_was_missing() -> None:
    typed = parse_line('note "cpu=90%" like "INC-1" at=10:42 why="two words"')

    copied = typed_line(typed.verb, "AL-3", typed.text, typed.options)

    assert parse_line(copied) == Line("note", "cpu=90% like INC-1", "AL-3", {"at": "10:42", "why": "two words"})
