"""Removes secrets from every model request, and from what the model answers before that is recorded or asked back."""

from typing import Any

from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage

from bot.core.redaction.redaction import redact, redact_all
from bot.llm.calling import Handler, Request, Response


class Secrets(AgentMiddleware):
    """Changes the request only, never the state. One object a run: it remembers the texts that it has redacted."""

    def __init__(self) -> None:
        super().__init__()
        self._redacted: dict[str, str] = {}

    async def awrap_model_call(self, request: Request, handler: Handler) -> Response:
        return await handler(request.override(messages=[self._without(message) for message in request.messages]))

    def _without(self, message: AnyMessage) -> AnyMessage:
        content = message.content
        if not isinstance(content, str):
            return message.model_copy(update={"content": redact_all(content)})
        if content not in self._redacted:
            # A long conversation is sent again with each turn, and looking through it costs milliseconds.
            self._redacted[content] = redact(content)
        return (
            message if self._redacted[content] == content else message.model_copy(update={"content": self._redacted[content]})
        )


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
