"""Asks once more when a model writes text instead of calling a tool: not every provider lets a call be demanded."""

from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelResponse
from langchain_core.messages import AIMessage, HumanMessage

from bot.llm.calling import Handler, Request, Response
from bot.llm.spending import Spending
from prompts import prompt


class Nudge(AgentMiddleware):
    """One object a run, outermost: the second request passes through all other layers, and is recorded like any other."""

    def __init__(self, spending: Spending, answer: str) -> None:
        """`answer`: the tool that the model answers with."""
        super().__init__()
        self.spending = spending
        self.answer = answer
        self._nudged = False

    async def awrap_model_call(self, request: Request, handler: Handler) -> Response:
        response = await handler(request)
        if self._nudged or self.spending.used_up or not _text_alone(response):
            return response
        self._nudged = True
        # Any: langchain's request takes fewer kinds of messages than its response holds.
        # An answer without a letter is not sent back: many servers refuse an empty message.
        written = [message for message in response.result if message.text.strip()]
        added: list[Any] = [*written, HumanMessage(prompt("nudge").render(answer=self.answer))]
        second = await handler(request.override(messages=[*request.messages, *added]))
        return ModelResponse(result=[*added, *second.result], structured_response=second.structured_response)


def _text_alone(response: Response) -> bool:
    if response.structured_response is not None:
        return False
    return not any(
        isinstance(message, AIMessage) and (message.tool_calls or message.invalid_tool_calls) for message in response.result
    )
