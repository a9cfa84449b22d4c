"""How much each model is sent at most."""

from typing import Any

import pytest
from pydantic import SecretStr

from bot.core.config.budget import CONTEXT_TOKENS, Budget
from bot.llm.providers.clients import chat_model
from bot.llm.providers.windows import configured_window, window_of
from bot.llm.settings import ModelSettings

CLAUDE = "anthropic:claude-opus-4-5"


def window(name: str, *, url: str = "", extra: Any = None, **budget: Any) -> int:
    settings, limits = ModelSettings(name, url, SecretStr("k"), extra=extra or {}), Budget(**budget)
    model = chat_model(settings, name, seconds=1, context_tokens=configured_window(name, limits) or CONTEXT_TOKENS)
    return window_of(model, name, settings, limits)


@pytest.mark.parametrize(
    ("name", "tokens"), [("gpt-4o", 128_000), (CLAUDE, 200_000), ("google:gemini-2.5-flash", 1_048_576), ("my-own", 32_000)]
)
def test_a_model_s_window_is_what_its_package_knows_else_the_usual_one(name: str, tokens: int) -> None:
    assert window(name) == tokens


def test_what_another_server_calls_like_a_model_of_openai_s_is_not_taken_for_it() -> None:
    assert window("gpt-4o", url="http://localhost:8080/v1") == CONTEXT_TOKENS


def test_the_settings_stand_above_what_is_known_and_those_of_one_model_above_those_of_all() -> None:
    windows = {"claude-opus-4-5": 50_000, "anthropic:claude-opus-5": 60_000}

    assert window(CLAUDE, context_windows=windows, context_tokens=90_000) == 50_000
    assert window("anthropic:claude-opus-5", context_windows=windows) == 60_000
    assert window("gpt-4o", context_windows=windows, context_tokens=90_000) == 90_000


def test_of_ollama_it_is_what_its_server_makes_room_for() -> None:
    assert window("ollama:qwen3:8b", context_windows={"qwen3:8b": 48_000}) == 48_000
    assert window("ollama:qwen3:8b", context_tokens=48_000, extra={"num_ctx": 65_536}) == 65_536
