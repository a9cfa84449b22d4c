"""Every kind of effect is told in its own words, and has patterns or a reader of lines of its own."""

from typing import get_args

import pytest

from bot.core.diffs.effect_kinds import KINDS
from bot.core.diffs.effect_text import effect_text
from bot.core.diffs.symptoms.expected_symptoms import EXPECTED_SYMPTOMS
from bot.core.facts.code import EffectFact, EffectKind

READ_OTHERWISE = {"index", "dependency", "comparison", "call", "name", "variable", "setting"}
"""What brings these about is told by the lines about them alone (`lines_about_effects`, `lines_about_packages`)."""


def test_every_kind_has_its_row() -> None:
    assert set(KINDS) == set(get_args(EffectKind))


def test_every_kind_has_expected_symptoms_or_lines_of_its_own() -> None:
    assert set(EXPECTED_SYMPTOMS) | READ_OTHERWISE == set(get_args(EffectKind))
    assert not set(EXPECTED_SYMPTOMS) & READ_OTHERWISE


@pytest.mark.parametrize("kind", sorted(get_args(EffectKind)))
def test_an_effect_without_values_is_told_with_its_name_and_never_as_removed(kind: EffectKind) -> None:
    text = effect_text(EffectFact(kind=kind, name="it{}"))

    assert "it{}" in text and not text.startswith("removes")


def test_a_call_that_is_gone_is_told_as_one() -> None:
    assert effect_text(EffectFact(kind="call", name="retain")) == "no longer calls retain"
