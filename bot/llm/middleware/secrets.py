"""Removes secrets from every model request, and from what the model answers before that is recorded or asked back."""

from collections.abc import Awaitable, Callable
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage

from bot.core.redaction import redact_all


class Secrets(AgentMiddleware):
    """Changes the request only, never the state."""

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        return await handler(request.override(messages=[without_secrets(message) for message in request.messages]))


def without_secrets(message: AnyMessage) -> AnyMessage:
    """The same message with its text, its calls and whatever else it carries redacted."""
    changed: dict[str, Any] = {"content": redact_all(message.content)}
    if isinstance(message, AIMessage):
        # The calls' ids stay: answers refer to them.
        for part in ("tool_calls", "invalid_tool_calls"):
            changed[part] = [{**call, "args": redact_all(call["args"])} for call in getattr(message, part)]
    same = all(getattr(message, name) == value for name, value in changed.items())
    return message if same else message.model_copy(update=changed)


def cleaned(messages: list[BaseMessage]) -> list[BaseMessage]:
    """A model's answer as it may be recorded."""
    return [without_secrets(message) for message in messages]  # type: ignore[arg-type]
