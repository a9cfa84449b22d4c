"""Removes secrets from every model request, and from what the model answers before that is recorded or asked back."""

from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage

from bot.core.redaction.redaction import redact, redact_all
from bot.llm.calling import Handler, Request, Response
from bot.llm.message_parts import changed


class Secrets(AgentMiddleware):
    """Changes the request only, never the state. One object a run: it remembers the texts that it has redacted."""

    def __init__(self) -> None:
        super().__init__()
        self._redacted: dict[str, str] = {}

    async def awrap_model_call(self, request: Request, handler: Handler) -> Response:
        return await handler(request.override(messages=[self._without(message) for message in request.messages]))

    def _without(self, message: AnyMessage) -> AnyMessage:
        content = message.content
        if isinstance(message, AIMessage):
            return message  # cleaned when it came, and parts of it are sealed
        if not isinstance(content, str):
            return changed(message, redact_all)
        if content not in self._redacted:
            # A long conversation is sent again with each turn, and looking through it costs milliseconds.
            self._redacted[content] = redact(content)
        return (
            message if self._redacted[content] == content else message.model_copy(update={"content": self._redacted[content]})
        )


def cleaned(messages: list[BaseMessage]) -> list[BaseMessage]:
    """A model's answer as it may be recorded and asked back: its text and the arguments of its calls redacted.

    What the provider sealed stays: it was made of redacted requests, and is refused when a letter of it differs.
    """
    return [changed(message, redact_all) for message in messages]
