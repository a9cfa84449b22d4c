"""How long a request is as it is sent, and what of a conversation is sent where the window of the model is too small for it."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from langchain.agents.middleware import ModelRequest
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langchain_core.tools import BaseTool
from pydantic import BaseModel

from bot.llm.results import cut_as_sent, sent_bytes, shortened, unshown

BYTES_PER_TOKEN = 3
"""Fewer than any tokenizer takes for JSON of identifiers and numbers, so that the limit holds for all of them."""
ANSWER_TOKENS = 4_000
"""Left for what the model writes."""
SLACK = 0.25
"""So much more room is made than is needed: each shortening changes the beginning that the provider has cached."""
MARGIN_BYTES = 4_000
"""For what is added later: hints of people, the answer's own schema, pseudonyms that are longer than names."""
MIN_TEXT_BYTES = 400
"""What is left of a text that is cut: an id and the beginning of its summary."""
MAX_EVIDENCE = 48_000
"""Bytes of evidence, as sent, in the one request of a question or a review."""
_FRAME_BYTES = 80
"""Of one message or call beside its text: its role and its id."""


def request_bytes(request: ModelRequest[Any]) -> int:
    """Bytes of the whole request: rules, tools, the form of the answer, and all messages with calls and reasoning."""
    form = request.response_format
    schema = form.schema if isinstance(form, (ToolStrategy, ProviderStrategy)) else None
    answer = _schema_bytes(schema) if isinstance(schema, type) and issubclass(schema, BaseModel) else 0
    return rules_and_tools(request) + answer + sum(map(size, request.messages))


def size(message: AnyMessage) -> int:
    """Bytes of a message as it is sent: JSON within JSON has its quotes escaped, and letters may take more than a byte."""
    calls = message.tool_calls if isinstance(message, AIMessage) else ()
    arguments = sum(sent_bytes(json.dumps(call["args"])) + _FRAME_BYTES for call in calls)
    # What a model reasoned in the open, and the marks that providers put beside a message, are sent back too.
    beside = sent_bytes(message.additional_kwargs) if message.additional_kwargs else 0
    return sent_bytes(message.content) + arguments + beside + _FRAME_BYTES


def rules_and_tools(request: ModelRequest[Any]) -> int:
    """Bytes of what stands before the messages."""
    rules = sent_bytes(request.system_message.text) if request.system_message else 0
    return rules + sum(map(_tool_bytes, request.tools))


def _tool_bytes(tool: BaseTool | dict[str, Any]) -> int:  # Any: as langchain types a tool
    if not isinstance(tool, BaseTool):
        return sent_bytes(tool)
    schema = tool.args_schema
    arguments = _schema_bytes(schema) if isinstance(schema, type) and issubclass(schema, BaseModel) else sent_bytes(schema)
    return sent_bytes(tool.description) + arguments + _FRAME_BYTES


@lru_cache(256)
def _schema_bytes(schema: type[BaseModel]) -> int:
    return sent_bytes(schema.model_json_schema())


def most_bytes(window: int) -> int:
    """The bytes of one request as sent for a window of so many tokens."""
    return max(0, window - ANSWER_TOKENS) * BYTES_PER_TOKEN


def most_evidence(window: int) -> int:
    """The bytes of evidence, as sent, in one request for a window of so many tokens."""
    return min(MAX_EVIDENCE, max(0, most_bytes(window) - MARGIN_BYTES))


def fitted(request: ModelRequest[Any], window: int) -> ModelRequest[Any]:
    """The request for a model of a smaller window than the one for which it was made; the same where it fits."""
    if request_bytes(request) <= most_bytes(window):
        return request
    free_bytes = most_bytes(window) - MARGIN_BYTES - rules_and_tools(request)
    shorter = replaced(request.messages, within(request.messages, free_bytes))
    return request.override(messages=clamped(shorter, free_bytes))


def within(messages: Sequence[AnyMessage], most: int, before: Mapping[int, str] = {}) -> dict[int, str]:
    """The results that are sent without their details, by index: those of `before`, and as many old ones as it takes.

    The newest turn's stay, unless they are too much by themselves: then the last ones of them are shown with their summaries.
    """
    texts = dict(before)
    excess = sum(map(size, replaced(messages, texts))) - most
    if excess <= 0:
        return texts
    newest = max((index for index, message in enumerate(messages) if message.type == "ai"), default=len(messages))
    old = [(index, shortened, -SLACK * most) for index in range(newest)]
    new = [(index, unshown, 0.0) for index in reversed(range(newest, len(messages)))]
    for index, shorten, until in (*old, *new):
        message = messages[index]
        if excess > until and isinstance(message, ToolMessage) and index not in texts:
            texts[index] = shorten(str(message.content))
            excess -= sent_bytes(message.content) - sent_bytes(texts[index])
    return texts


def replaced(messages: Sequence[AnyMessage], texts: Mapping[int, str]) -> list[AnyMessage]:
    """The messages with these texts in the place of their own."""
    return [
        message.model_copy(update={"content": texts[index]}) if index in texts else message
        for index, message in enumerate(messages)
    ]


def clamped(messages: list[AnyMessage], most: int) -> list[AnyMessage]:
    """The messages with their longest texts cut where even the summaries are too much; parts that a provider sealed stay."""
    clamped_messages, excess = list(messages), sum(map(size, messages)) - most
    for index in sorted(range(len(messages)), key=lambda index: -size(messages[index])):
        message = messages[index]
        if excess > 0 and isinstance(message.content, str):
            text = cut_as_sent(message.content, max(MIN_TEXT_BYTES, sent_bytes(message.content) - excess))
            excess -= sent_bytes(message.content) - sent_bytes(text)
            clamped_messages[index] = message.model_copy(update={"content": text})
    return clamped_messages
