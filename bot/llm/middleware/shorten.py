"""Keeps a long history within bounds: details of the oldest results go first, ids and summaries stay."""

from collections.abc import Sequence

from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import AnyMessage, ToolMessage

from bot.llm.calling import Handler, Request, Response
from bot.llm.results import shortened, unshown

MAX_HISTORY = 96_000
"""Characters of all messages of one request, about 24,000 tokens."""


class Shorten(AgentMiddleware):
    """Changes the request only: the state keeps the whole, and the evidence is in the ledger."""

    async def awrap_model_call(self, request: Request, handler: Handler) -> Response:
        return await handler(request.override(messages=within(request.messages)))


def size(messages: Sequence[AnyMessage]) -> int:
    """Characters of all messages."""
    return sum(len(str(message.content)) for message in messages)


def within(messages: Sequence[AnyMessage], most: int = MAX_HISTORY) -> list[AnyMessage]:
    """The messages with the details of as many old results left out as it takes.

    The newest turn's stay, unless they are too much by themselves: then the last ones of them are shown with their summaries.
    """
    newest = max((index for index, message in enumerate(messages) if message.type == "ai"), default=len(messages))
    old = [(index, shortened) for index in range(newest)]
    new = [(index, unshown) for index in reversed(range(newest, len(messages)))]
    shortened_messages, excess = list(messages), size(messages) - most
    for index, shorten in (*old, *new):
        message = messages[index]
        if excess > 0 and isinstance(message, ToolMessage):
            text = shorten(str(message.content))
            excess -= len(str(message.content)) - len(text)
            shortened_messages[index] = message.model_copy(update={"content": text})
    return shortened_messages
