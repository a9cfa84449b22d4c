"""Keeps a long history within bounds: details of the oldest results go first, ids and summaries stay."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AnyMessage, ToolMessage

from bot.llm.results import shortened, unshown

MAX_HISTORY = 96_000
"""Characters of all messages of one request, about 24,000 tokens."""


class Shorten(AgentMiddleware):
    """Changes the request only: the state keeps the whole, and the evidence is in the ledger."""

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        return await handler(request.override(messages=within(request.messages)))


def size(messages: Sequence[AnyMessage]) -> int:
    """Characters of all messages."""
    return sum(len(str(message.content)) for message in messages)


def within(messages: Sequence[AnyMessage], most: int = MAX_HISTORY) -> list[AnyMessage]:
    """The messages with the details of as many old results left out as it takes.

    The newest turn's stay, unless they are too much by themselves: then the last ones of them are told with their summaries.
    """
    newest = max((place for place, message in enumerate(messages) if message.type == "ai"), default=len(messages))
    old = [(place, shortened) for place in range(newest)]
    new = [(place, unshown) for place in reversed(range(newest, len(messages)))]
    kept, excess = list(messages), size(messages) - most
    for place, told in (*old, *new):
        message = messages[place]
        if excess > 0 and isinstance(message, ToolMessage):
            text = told(str(message.content))
            excess -= len(str(message.content)) - len(text)
            kept[place] = message.model_copy(update={"content": text})
    return kept
