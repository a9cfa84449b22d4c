"""The canonical record and its fingerprint."""

import pytest

from bot.core.approvals.canonical_record import canonical, plan_fingerprint


def test_the_order_of_keys_does_not_matter() -> None:
    assert plan_fingerprint({"a": 1, "b": {"x": "1", "y": "2"}}) == plan_fingerprint({"b": {"y": "2", "x": "1"}, "a": 1})


def test_two_spellings_of_one_letter_are_one_record() -> None:
    assert canonical({"name": "e\u0301"}) == canonical({"name": "\u00e9"})


def test_a_changed_argument_changes_the_fingerprint() -> None:
    assert plan_fingerprint({"replicas": "4"}) != plan_fingerprint({"replicas": "0"})


def test_a_float_has_no_canonical_form() -> None:
    with pytest.raises(ValueError, match=r"record\.replicas\[1\]: float"):
        canonical({"replicas": [1, 1.0]})


def test_two_keys_that_are_one_text_are_refused() -> None:
    with pytest.raises(ValueError, match="same text"):
        canonical({"e\u0301": 1, "\u00e9": 2})
