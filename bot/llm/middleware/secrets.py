"""Removes secrets from every model request, whatever let them through before."""

from collections.abc import Awaitable, Callable
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AnyMessage

from bot.core.redaction import redact


class Secrets(AgentMiddleware):
    """Changes the request only, never the state."""

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        return await handler(request.override(messages=[_clean(message) for message in request.messages]))


def _clean(message: AnyMessage) -> AnyMessage:
    if isinstance(message.content, str):
        cleaned = redact(message.content)
        return message if cleaned == message.content else message.model_copy(update={"content": cleaned})
    return message
