"""What each provider of models is called, is installed with, and allows: the one table. It imports nothing of theirs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlsplit

Setting = TypeVar("Setting")


class Provider(StrEnum):
    """Who serves the model. `OPENAI`: every server that speaks OpenAI's protocol; `OTHER`: what else langchain can make."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    GOOGLE = "google"
    BEDROCK = "bedrock"
    DEEPSEEK = "deepseek"
    OLLAMA = "ollama"
    OTHER = "other"


class ModelApi(StrEnum):
    """Which of OpenAI's two protocols is spoken; `AUTO` follows from address and model."""

    AUTO = "auto"
    RESPONSES = "responses"
    CHAT = "chat"


@dataclass(frozen=True)
class Capability:
    """How langchain names a provider, and which extra of ours installs its client."""

    langchain_name: str
    extra: str = ""
    module: str = ""


CAPABILITIES: Mapping[Provider, Capability] = {
    Provider.OPENAI: Capability("openai"),
    Provider.ANTHROPIC: Capability("anthropic", "anthropic", "langchain_anthropic"),
    Provider.GOOGLE: Capability("google_genai", "google", "langchain_google_genai"),
    Provider.BEDROCK: Capability("bedrock_converse", "bedrock", "langchain_aws"),
    Provider.DEEPSEEK: Capability("deepseek", "deepseek", "langchain_deepseek"),
    Provider.OLLAMA: Capability("ollama", "ollama", "langchain_ollama"),
}

PREFIXES: Mapping[str, Provider] = {
    **{provider.value: provider for provider in CAPABILITIES},
    **{capability.langchain_name: provider for provider, capability in CAPABILITIES.items()},
}

OTHER_PREFIXES = frozenset(
    {"anthropic_bedrock", "azure_ai", "azure_openai", "baseten", "bedrock_mantle_anthropic", "bedrock_mantle_openai", "cohere"}
    | {"fireworks", "google_anthropic_vertex", "google_vertexai", "groq", "huggingface", "ibm", "litellm", "meta", "mistralai"}
    | {"nvidia", "openrouter", "perplexity", "together", "upstage", "xai"}
)
"""Names of langchain's for providers that no test of ours has met. A colon after any other word belongs to the model's name:
servers that speak OpenAI's protocol have names like `llama3:8b`."""

_OPENAI_REASONS = re.compile(r"^(o\d|gpt-([5-9]|\d\d)(?!\d))(?!.*\bchat\b)")
_OPENAI_NEEDS_RESPONSES = re.compile(r"^gpt-(5\.([4-9]|\d\d)|[6-9]|\d\d)(?!.*\bchat\b)|codex|-pro\b")
_CLAUDE_VERSION = re.compile(r"claude-(?!mythos)[a-z]+-(\d+)(?:-(\d{1,2}))?(?!\d)")
_CLAUDE_MAY_BE_FORCED = re.compile(r"claude-(3|(opus|sonnet|haiku)-4)(?!\d)")


@dataclass(frozen=True)
class ModelName:
    """A model's name as it is written in the settings, taken apart."""

    provider: Provider
    model: str
    """As its provider calls it."""
    prefix: str = ""
    """The provider's name for langchain, where it is `OTHER`."""


def parse_model_name(text: str) -> ModelName:
    """`anthropic:claude-...` names its provider; a name without one is served over OpenAI's protocol."""
    prefix, colon, model = text.partition(":")
    if colon and prefix in PREFIXES:
        return ModelName(PREFIXES[prefix], model)
    if colon and prefix in OTHER_PREFIXES:
        return ModelName(Provider.OTHER, model, prefix)
    return ModelName(Provider.OPENAI, text)


def setting_of(values: Mapping[str, Setting], name: str) -> Setting | None:
    """The value that is set for this model, if one is; either name may have its provider before it.

    A colon after anything else is part of a name.
    """
    named = {parse_model_name(key).model: value for key, value in values.items()}
    return values.get(name) or named.get(parse_model_name(name).model)


def is_openai_address(base_url: str) -> bool:
    """Whether this is OpenAI's own server; "" stands for it."""
    return not base_url or (urlsplit(base_url).hostname or "").endswith("api.openai.com")


def chosen_api(api: ModelApi, model: str, base_url: str) -> ModelApi:
    """Which protocol is spoken: what the settings say, else OpenAI's newer one for its own reasoning models alone.

    From gpt-5.4 on, OpenAI refuses function tools together with reasoning over chat completions; few other servers have more.
    """
    if api != ModelApi.AUTO:
        return ModelApi(api)
    return ModelApi.RESPONSES if is_openai_address(base_url) and takes_effort(model, base_url) else ModelApi.CHAT


def takes_effort(model: str, base_url: str) -> bool:
    """Whether a model at this address takes a reasoning effort: what servers other than OpenAI's take is not known."""
    return not is_openai_address(base_url) or bool(_OPENAI_REASONS.search(model) or _OPENAI_NEEDS_RESPONSES.search(model))


def may_force_tools(name: ModelName, *, effort: str = "", extra: Mapping[str, object] | None = None) -> bool:
    """Whether a request may demand a tool call. Where the provider refuses that, the model is asked and not forced."""
    thinking = _thinking(extra or {}, effort)
    if name.provider is Provider.ANTHROPIC or "claude" in name.model:
        # Newer models think without being told to, and a forced call is refused together with thinking.
        return bool(_CLAUDE_MAY_BE_FORCED.search(name.model)) and thinking is not True
    if name.provider is Provider.DEEPSEEK:
        return thinking is False or (name.model == "deepseek-chat" and thinking is None)
    # Ollama has no such field in its API.
    return name.provider is not Provider.OLLAMA


def may_name_tool(name: ModelName, openai_url: str) -> bool:
    """Whether a request may name the tool to call, so that the others can stay in it as the provider's cache holds them."""
    if name.provider is Provider.OPENAI:
        return is_openai_address(openai_url)
    return name.provider in (Provider.ANTHROPIC, Provider.GOOGLE, Provider.DEEPSEEK) or "claude" in name.model


def binds_thinking(model: str) -> bool:
    """Whether what Claude thought is refused once something before it has changed, unless the request says otherwise."""
    version = _CLAUDE_VERSION.search(model)
    return version is not None and (int(version[1]), int(version[2] or 0)) >= (5, 1)


def _thinking(extra: Mapping[str, object], effort: str) -> bool | None:
    """Whether the settings turn thinking on or off; None where they leave it to the model."""
    switch = extra.get("thinking")
    if isinstance(switch, Mapping) and "type" in switch:
        return bool(switch["type"] != "disabled")
    return effort != "none" if effort else None
