"""What a diff does, in words."""

from typing import get_args

from bot.core.diffs.effect_text import PLAIN, effect_text
from bot.core.facts.code import EffectFact, EffectKind


def test_each_kind_of_effect_has_words_that_name_what_it_is_about() -> None:
    assert set(PLAIN) == set(get_args(EffectKind))
    assert all("{name}" in words for words in PLAIN.values())


def test_a_name_with_braces_is_shown_as_it_is() -> None:
    assert effect_text(EffectFact(kind="query", name="{name} {0}", path="a.sql")) == "queries {name} {0}"
