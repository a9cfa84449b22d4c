"""How Gemini and the models on Bedrock are told not to reason, or to reason as little as they can: each in its own words."""

import re
from typing import Any

_GEMINI_VERSION = re.compile(r"gemini-(\d+)(?:\.(\d+))?")
_SWITCHED_BY_BUDGET = (2, 5)
"""Gemini 2.5 takes tokens to think in; later ones take a level, earlier ones do not think."""
_LEAST_TOKENS_OF_PRO = 128
_CLAUDE_THINKS = re.compile(r"claude-[a-z]+-[4-9](?!\d)")
_GPT = re.compile(r"\bopenai\.gpt-(?!oss)")


def gemini_without_reasoning(model: str) -> dict[str, Any]:
    """Arguments of langchain's class; {} for models that do not think. Of the others only 2.5 Flash can be told not to at all.

    https://ai.google.dev/gemini-api/docs/thinking
    """
    version = _GEMINI_VERSION.search(model)
    numbers = (int(version[1]), int(version[2] or 0)) if version else None
    if numbers == _SWITCHED_BY_BUDGET:
        return {"thinking_budget": _LEAST_TOKENS_OF_PRO if "pro" in model else 0}
    newest = "gemini" in model and model.endswith("-latest")
    if not newest and (numbers is None or numbers < _SWITCHED_BY_BUDGET):
        return {}
    return {"thinking_level": "minimal" if "flash" in model else "low"}


def bedrock_without_reasoning(model: str) -> dict[str, Any]:
    """Fields of the request for the model's family; {} for those that know none, and for older ones that think only if told to.

    OpenAI's have levels, of which `none` may be one: see `takes_none_as_level`.
    https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html
    """
    if _CLAUDE_THINKS.search(model):
        return {"thinking": {"type": "disabled"}}
    if "amazon.nova-2" in model:
        return {"reasoningConfig": {"type": "disabled"}}
    return {}


def takes_none_as_level(model: str) -> bool:
    """Whether `none` is a level like others to this family on Bedrock; langchain knows which of its models take it."""
    return _GPT.search(model) is not None
