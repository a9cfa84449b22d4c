"""Makes langchain's client of a model, whichever provider serves it; a provider's package is imported when it is needed."""

import importlib.util
import logging
import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from pydantic import SecretStr, ValidationError

from bot.core.config.budget import CONTEXT_TOKENS
from bot.core.errors import ConfigurationError
from bot.core.redaction.redaction import redact
from bot.core.text.untrusted import one_line
from bot.llm.chat import Chat, KeptReasoning
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
from bot.llm.providers.failures import library_errors
from bot.llm.providers.no_reasoning import bedrock_without_reasoning, gemini_without_reasoning, takes_none_as_level
from bot.llm.settings import ModelSettings

CLAUDE_MAX_TOKENS = 16_000
"""Anthropic's API requires a limit of the answer; thinking counts in it."""
CLAUDE_BINDING = "thinking-binding-controls-2026-08-01"
"""The beta of Anthropic's API in which a request says what becomes of thinking whose conversation has changed since: hints of
people stand in one request only, and long results are shortened later."""

_EFFORT_ARGUMENTS = ("reasoning_effort", "thinking_level")
"""What langchain's classes call it."""


def chat_model(settings: ModelSettings, name: str, *, seconds: float, context_tokens: int = CONTEXT_TOKENS) -> BaseChatModel:
    """The client of the model of this name; one call waits `seconds` at most and takes in `context_tokens`.

    Raises ConfigurationError: with the command to run where the provider's package is not installed, or with what it lacks.
    """
    parsed = parse_model_name(name)
    is_main = parsed.provider is settings.provider
    effort, extra = (settings.effort, settings.extra) if is_main else ("", {})
    if parsed.provider is Provider.OPENAI:
        model: BaseChatModel = _openai(settings, parsed.model, effort, extra, seconds)
    else:
        if missing := missing_package(parsed):
            raise ConfigurationError(missing, key=settings.setting_of(name))
        # One line for each tool and turn, about a field of schemas that Gemini does without.
        logging.getLogger("langchain_google_genai").setLevel(logging.ERROR)
        arguments = _arguments(settings, parsed, effort, extra, seconds)
        if parsed.provider is Provider.OLLAMA:
            # Its own default cuts a long prompt without a word.
            arguments.setdefault("num_ctx", context_tokens)
        model = _made(parsed, arguments, settings.setting_of(name))
        # Which class langchain has for another provider shows once it is made.
        if parsed.provider is Provider.OTHER and (own := _limits_of(type(model), seconds)):
            model = _made(parsed, {**own, **arguments}, settings.setting_of(name))
        model = _with_kept_reasoning(model, parsed)
    # What the settings say is of the model's own provider: a fallback of another one may refuse it.
    chosen = settings.tool_choice if is_main else ""
    forced = chosen != "auto" if chosen else may_force_tools(parsed, effort=effort, extra=extra)
    return with_tool_choice(model, forced=forced)


def _made(name: ModelName, arguments: dict[str, Any], setting: str) -> BaseChatModel:
    lacking: tuple[type[Exception], ...] = (ImportError, ValueError, *library_errors())
    try:
        model: BaseChatModel = init_chat_model(name.model, model_provider=_langchain_name(name), **arguments)
    except lacking as error:  # a package, a key, a region or a value: it says which
        text = one_line(redact(_problem(error)), 300)
        of_effort = any(argument in text for argument in _EFFORT_ARGUMENTS)
        raise ConfigurationError(text, key="TOCSIN_REASONING_EFFORT" if of_effort else setting) from None
    return model


def _problem(error: Exception) -> str:
    """What is wrong, without what pydantic says around it."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    return ": ".join([*map(str, first["loc"]), first["msg"]])


def _limits_of(kind: type[BaseChatModel], seconds: float) -> dict[str, int]:
    """One try, and the seconds of a call, by the names that a class of langchain has for them.

    In whole seconds: some classes take no parts of one.
    """
    limits = {"timeout": math.ceil(seconds), "request_timeout": math.ceil(seconds), "max_retries": 0}
    names = {field.alias or name for name, field in kind.model_fields.items()}
    return {name: value for name, value in limits.items() if name in names}


def _openai(settings: ModelSettings, model: str, effort: str, extra: Mapping[str, Any], seconds: float) -> Chat:
    base_url, key = settings.url_of(Provider.OPENAI), settings.key_of(Provider.OPENAI)
    responses = chosen_api(settings.api, model, base_url) is ModelApi.RESPONSES
    arguments: dict[str, Any] = {}
    if responses:
        # Nothing is kept at the provider: what the model reasoned comes back sealed, and is sent again with each turn.
        arguments = {"store": False, "include": ["reasoning.encrypted_content"], "output_version": "responses/v1"}
    if effort and takes_effort(model, base_url):
        arguments |= {"reasoning": {"effort": effort}} if responses else {"reasoning_effort": effort}
    return Chat(
        model=model,
        base_url=base_url or None,
        api_key=key if key.get_secret_value() else SecretStr("none"),
        timeout=seconds,
        max_retries=0,
        use_responses_api=responses,
        # langchain leaves the count of tokens out where an address is set; the caller has its own limit of silence.
        stream_usage=True,
        stream_chunk_timeout=None,
        extra_body=dict(extra) or None,
        **arguments,
    )


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _langchain_name(name: ModelName) -> str:
    return name.prefix if name.provider is Provider.OTHER else CAPABILITIES[name.provider].langchain_name


def missing_package(name: ModelName, installed: Callable[[str], bool] = _is_installed) -> str:
    """What to run before this model's provider can be used; "" where its package is there."""
    capability = CAPABILITIES.get(name.provider)  # of others langchain names the package that is missing
    if capability is None or not capability.module or installed(capability.module):
        return ""
    return f"{name.provider} needs {capability.module}: run `.venv/bin/pip install -e '.[{capability.extra}]'` in the clone"


def _arguments(
    settings: ModelSettings, name: ModelName, effort: str, extra: Mapping[str, Any], seconds: float
) -> dict[str, Any]:
    """What langchain's class of the provider is made with. Only the caller of models tries again, so the class does not."""
    if name.provider is Provider.OTHER:
        return {**({"reasoning_effort": effort} if effort else {}), **extra}
    url, key = settings.url_of(name.provider), settings.key_of(name.provider).get_secret_value()
    arguments = _ARGUMENTS[name.provider](name.model, effort, dict(extra), seconds)
    if url:
        arguments["base_url"] = url
    if key and name.provider is Provider.OLLAMA:
        arguments["client_kwargs"] |= {"headers": {"Authorization": f"Bearer {key}"}}
    elif key:
        arguments["api_key"] = key
    return arguments


def _anthropic(model: str, effort: str, extra: dict[str, Any], seconds: float) -> dict[str, Any]:
    limit = extra.pop("max_tokens", CLAUDE_MAX_TOKENS)
    named: dict[str, Any] = {field: extra.pop(field) for field in ("thinking", "output_config", "betas") if field in extra}
    if effort == "none":
        named.setdefault("thinking", {"type": "disabled"})
    elif effort:
        named["reasoning_effort"] = effort
    if binds_thinking(model) and "thinking" not in named:
        named["thinking"] = {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "drop_block"}}
        named["betas"] = [*named.get("betas", ()), CLAUDE_BINDING]
    # Rules, tools and history are the same in each turn: read from the cache they cost a tenth.
    body = {"cache_control": {"type": "ephemeral"}, **({"extra_body": extra} if extra else {})}
    return {"timeout": seconds, "max_retries": 0, "max_tokens": limit, **named, "model_kwargs": body}


def _google(model: str, effort: str, extra: dict[str, Any], seconds: float) -> dict[str, Any]:
    level = {"thinking_level": effort} if effort else {}
    if effort == "none":
        # What the settings say of it in the body's own words counts.
        level = {} if any(name.startswith("thinking") for name in extra) else gemini_without_reasoning(model)
    # One try: a number of tries below one is taken for the default.
    return {"timeout": seconds, "max_retries": 1, **level, **extra}


def _bedrock(model: str, effort: str, extra: dict[str, Any], seconds: float) -> dict[str, Any]:
    fields = {**bedrock_without_reasoning(model), **extra} if effort == "none" else extra
    level = {"reasoning_effort": effort} if effort and (effort != "none" or takes_none_as_level(model)) else {}
    more = {"additional_model_request_fields": fields} if fields else {}
    return {"timeout": int(seconds), "max_retries": 0, **level, **more}


def _deepseek(_model: str, effort: str, extra: dict[str, Any], seconds: float) -> dict[str, Any]:
    if effort == "none":
        extra.setdefault("thinking", {"type": "disabled"})
    level = {"reasoning_effort": effort} if effort and effort != "none" else {}
    return {"timeout": seconds, "max_retries": 0, "stream_usage": True, **level, **({"extra_body": extra} if extra else {})}


def _ollama(_model: str, effort: str, extra: dict[str, Any], seconds: float) -> dict[str, Any]:
    levels: dict[str, Any] = {"none": False, "low": "low", "medium": "medium", "high": "high"}
    reasoning = {"reasoning": levels.get(effort, True)} if effort else {}
    return {"client_kwargs": {"timeout": seconds}, **reasoning, **extra}


_ARGUMENTS: Mapping[Provider, Callable[[str, str, dict[str, Any], float], dict[str, Any]]] = {
    Provider.ANTHROPIC: _anthropic,
    Provider.GOOGLE: _google,
    Provider.BEDROCK: _bedrock,
    Provider.DEEPSEEK: _deepseek,
    Provider.OLLAMA: _ollama,
}


def with_tool_choice(model: BaseChatModel, *, forced: bool) -> BaseChatModel:
    """The model, which is only asked to call a tool where its provider refuses to have it forced.

    langchain demands a call of every model that answers with a tool, without a way to say otherwise.
    """
    permitted = getattr(model, "supports_tool_choice_values", None)
    if forced and (permitted is None or "any" in permitted):
        return model
    return _of_kind(model, _asking(type(model)))


@lru_cache(16)
def _asking(kind: type[BaseChatModel]) -> type[BaseChatModel]:
    """A class that differs in how it binds tools; it keeps its name, which logs and traces show."""

    # Any: what langchain passes through has no narrower type in langchain itself.
    def bind_tools(self: BaseChatModel, tools: Any, *, tool_choice: Any = None, **kwargs: Any) -> Any:
        return kind.bind_tools(self, tools, **kwargs)

    return type(kind.__name__, (kind,), {"bind_tools": bind_tools, "__module__": kind.__module__})


def _with_kept_reasoning(model: BaseChatModel, name: ModelName) -> BaseChatModel:
    if name.provider is not Provider.DEEPSEEK:
        return model
    return _of_kind(model, _keeping(type(model)))


@lru_cache(4)
def _keeping(kind: type[BaseChatModel]) -> type[BaseChatModel]:
    return type(kind.__name__, (KeptReasoning, kind), {"__module__": kind.__module__})


def _of_kind(model: BaseChatModel, kind: type[BaseChatModel]) -> BaseChatModel:
    """The same client with the methods of a subclass of its own class: init_chat_model does not let one name the class."""
    model.__class__ = kind
    return model
