"""Removes secrets from every model request, and from what the model answers before that is recorded or asked back."""

from collections.abc import Awaitable, Callable
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage

from bot.core.redaction.redaction import redact, redact_all


class Secrets(AgentMiddleware):
    """Changes the request only, never the state. One object a run: what it has cleaned once it remembers."""

    def __init__(self) -> None:
        super().__init__()
        self._clean: dict[str, str] = {}

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        return await handler(request.override(messages=[self._without(message) for message in request.messages]))

    def _without(self, message: AnyMessage) -> AnyMessage:
        content = message.content
        if not isinstance(content, str):
            return message.model_copy(update={"content": redact_all(content)})
        if content not in self._clean:
            # A long conversation is sent again with each turn, and looking through it costs milliseconds.
            self._clean[content] = redact(content)
        return message if self._clean[content] == content else message.model_copy(update={"content": self._clean[content]})


def cleaned(messages: list[BaseMessage]) -> list[BaseMessage]:
    """A model's answer as it may be recorded and asked back: its text and the arguments of its calls redacted."""
    return [_cleaned(message) for message in messages]


def _cleaned(message: BaseMessage) -> BaseMessage:
    changed: dict[str, Any] = {"content": redact_all(message.content)}
    if isinstance(message, AIMessage):
        # The calls' ids stay: answers refer to them.
        for part in ("tool_calls", "invalid_tool_calls"):
            changed[part] = [{**call, "args": redact_all(call["args"])} for call in getattr(message, part)]
    same = all(getattr(message, name) == value for name, value in changed.items())
    return message if same else message.model_copy(update=changed)
