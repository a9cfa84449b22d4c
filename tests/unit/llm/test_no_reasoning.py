"""How a model is told not to reason: in the words of its family, and not at all where it has none."""

from typing import Any

import pytest
from pydantic import SecretStr

from bot.core.errors import ConfigurationError
from bot.llm.providers.clients import chat_model
from bot.llm.providers.no_reasoning import bedrock_without_reasoning, gemini_without_reasoning, takes_none_as_level
from bot.llm.settings import ModelSettings


@pytest.mark.parametrize(
    ("model", "arguments"),
    [
        ("gemini-3.6-flash", {"thinking_level": "minimal"}),
        ("gemini-3-pro-preview", {"thinking_level": "low"}),
        ("gemini-4-argon", {"thinking_level": "low"}),
        ("gemini-flash-latest", {"thinking_level": "minimal"}),
        ("models/gemini-2.5-flash-lite", {"thinking_budget": 0}),
        ("gemini-2.5-pro", {"thinking_budget": 128}),
        ("gemini-2.0-flash", {}),
        ("gemma-4-31b-it", {}),
    ],
)
def test_gemini_thinks_as_little_as_it_can(model: str, arguments: dict[str, Any]) -> None:
    assert gemini_without_reasoning(model) == arguments


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ("us.anthropic.claude-opus-5", {"thinking": {"type": "disabled"}}),
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", {"thinking": {"type": "disabled"}}),
        ("anthropic.claude-3-5-sonnet-20240620-v1:0", {}),
        ("eu.amazon.nova-2-lite-v1:0", {"reasoningConfig": {"type": "disabled"}}),
        ("amazon.nova-pro-v1:0", {}),
        ("openai.gpt-oss-120b-1:0", {}),
        ("deepseek.r1-v1:0", {}),
    ],
)
def test_a_model_on_bedrock_is_told_in_the_words_of_its_family(model: str, fields: dict[str, Any]) -> None:
    assert bedrock_without_reasoning(model) == fields


def test_none_is_a_level_to_openai_s_models_on_bedrock_but_for_those_whose_weights_are_open() -> None:
    assert takes_none_as_level("global.openai.gpt-5.6-sol") and not takes_none_as_level("openai.gpt-oss-120b-1:0")


def test_what_the_settings_say_in_the_provider_s_own_words_counts() -> None:
    settings = ModelSettings(
        "google:gemini-2.5-flash", api_key=SecretStr("k"), effort="none", extra={"thinking_budget": 512, "top_k": 4}
    )

    model: Any = chat_model(settings, settings.name, seconds=1)

    assert (model.thinking_budget, model.thinking_level, model.top_k) == (512, None, 4)


def test_an_effort_that_the_model_does_not_take_is_named_with_the_setting_and_what_it_takes() -> None:
    settings = ModelSettings("google:gemini-3.6-flash", api_key=SecretStr("k"), effort="xhigh")

    with pytest.raises(ConfigurationError) as refused:
        chat_model(settings, settings.name, seconds=1)

    expected = "thinking_level: Input should be 'minimal', 'low', 'medium' or 'high'"
    assert (refused.value.key, refused.value.problem) == ("TOCSIN_REASONING_EFFORT", expected)
