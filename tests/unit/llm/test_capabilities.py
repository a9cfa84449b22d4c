"""The table of providers: what a name means, which protocol is spoken, and where a call may be demanded."""

import pytest

from bot.core.errors import ConfigurationError
from bot.llm.providers.capabilities import (
    CAPABILITIES,
    ModelApi,
    ModelName,
    Provider,
    binds_thinking,
    chosen_api,
    may_force_tools,
    parse_model_name,
    takes_effort,
)
from bot.llm.providers.clients import chat_model, missing_package
from bot.llm.settings import ModelSettings

OWN, OTHER = "https://api.openai.com/v1", "http://vllm:8000/v1"


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("gpt-5.5", ModelName(Provider.OPENAI, "gpt-5.5")),
        ("llama3:8b", ModelName(Provider.OPENAI, "llama3:8b")),
        ("openai:gpt-5.5", ModelName(Provider.OPENAI, "gpt-5.5")),
        ("google:gemini-3.6-flash", ModelName(Provider.GOOGLE, "gemini-3.6-flash")),
        ("ollama:qwen3:8b", ModelName(Provider.OLLAMA, "qwen3:8b")),
        ("bedrock:us.anthropic.claude-opus-5-v1:0", ModelName(Provider.BEDROCK, "us.anthropic.claude-opus-5-v1:0")),
        ("mistralai:mistral-large", ModelName(Provider.OTHER, "mistral-large", "mistralai")),
    ],
)
def test_a_name_says_who_serves_the_model(text: str, parsed: ModelName) -> None:
    assert parse_model_name(text) == parsed


@pytest.mark.parametrize(
    ("model", "address", "api"),
    [
        ("gpt-5.5", "", ModelApi.RESPONSES),
        ("gpt-6.2-sol", OWN, ModelApi.RESPONSES),
        ("o4-mini", OWN, ModelApi.RESPONSES),
        ("gpt-4.1", OWN, ModelApi.CHAT),
        ("gpt-5.3-chat-latest", OWN, ModelApi.CHAT),
        ("gpt-5.5", OTHER, ModelApi.CHAT),
    ],
)
def test_the_newer_protocol_is_for_openai_s_own_reasoning_models(model: str, address: str, api: ModelApi) -> None:
    assert chosen_api(ModelApi.AUTO, model, address) is api
    assert chosen_api(ModelApi.RESPONSES, model, address) is ModelApi.RESPONSES


def test_an_effort_is_sent_to_models_that_reason_and_to_servers_of_which_nothing_is_known() -> None:
    assert takes_effort("gpt-5.5", OWN) and takes_effort("qwen3", OTHER) and not takes_effort("gpt-4.1", OWN)


@pytest.mark.parametrize(
    ("name", "effort", "forced"),
    [
        ("gpt-5.5", "high", True),
        ("anthropic:claude-sonnet-4-6", "", True),
        ("anthropic:claude-sonnet-4-6", "low", False),
        ("anthropic:claude-opus-5", "", False),
        ("anthropic:claude-opus-5-5", "", False),
        ("anthropic:claude-opus-4-20250514", "", True),
        ("bedrock:us.anthropic.claude-opus-5", "", False),
        ("google:gemini-3.6-flash", "high", True),
        ("deepseek:deepseek-v4-pro", "", False),
        ("deepseek:deepseek-v4-pro", "none", True),
        ("deepseek:deepseek-reasoner", "", False),
        ("ollama:qwen3:8b", "", False),
    ],
)
def test_a_call_is_demanded_where_the_provider_allows_it(name: str, effort: str, forced: bool) -> None:
    assert may_force_tools(parse_model_name(name), effort=effort) is forced


def test_thinking_is_bound_to_its_conversation_from_5_1_on() -> None:
    bound = [
        name for name in ("claude-fable-5-1", "claude-opus-5-5", "claude-haiku-5-5", "claude-opus-6") if binds_thinking(name)
    ]
    free = [
        name for name in ("claude-opus-5", "claude-opus-5-20260724", "claude-mythos-5-1", "gpt-5.5") if binds_thinking(name)
    ]

    assert len(bound) == 4 and free == []


@pytest.mark.parametrize("provider", [one for one in CAPABILITIES if CAPABILITIES[one].extra])
def test_a_missing_package_is_named_with_the_command_to_run(provider: Provider) -> None:
    name = ModelName(provider, "m")

    assert f"pip install -e '.[{CAPABILITIES[provider].extra}]'" in missing_package(name, installed=lambda _module: False)
    assert missing_package(name, installed=lambda _module: True) == ""


@pytest.mark.parametrize(
    ("name", "setting"),
    [("gpt-5.5", "TOCSIN_MODEL"), ("bedrock:a", "TOCSIN_FALLBACK_MODEL"), ("mistralai:b", "TOCSIN_SKEPTIC_MODEL")],
)
def test_each_model_has_the_setting_that_names_it(name: str, setting: str) -> None:
    assert ModelSettings(name="gpt-5.5", fallback="bedrock:a", skeptic="mistralai:b").setting_of(name) == setting


def test_a_skeptic_whose_package_is_missing_is_an_error_of_its_own_setting() -> None:
    settings = ModelSettings(name="gpt-5.5", skeptic="mistralai:mistral-large")

    with pytest.raises(ConfigurationError, match="langchain-mistralai") as error:
        chat_model(settings, settings.skeptic, seconds=1)

    assert error.value.key == "TOCSIN_SKEPTIC_MODEL"
