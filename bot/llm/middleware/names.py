"""Hides names from the model: each request holds pseudonyms, and the names are back before anything is recorded.

Stands innermost, within the durable step: the journal, the tools, the ledger and the verdict know real names alone, so a
replay needs no table of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from langchain.agents.middleware import AgentMiddleware, ModelResponse
from langchain_core.messages import BaseMessage, SystemMessage
from langchain_core.tools import BaseTool
from pydantic import BaseModel, ValidationError

from bot.core.history.frozen_cases import scrubbed
from bot.core.redaction.pseudonyms import Pseudonyms
from bot.core.text.untrusted import cut
from bot.llm.calling import Handler, Request, Response
from bot.llm.message_parts import changed
from prompts import prompt

Change = Callable[[str], str]
Model = TypeVar("Model", bound=BaseModel)
Message = TypeVar("Message", bound=BaseMessage)


class Names(AgentMiddleware):
    """`pseudonyms` gives those of all present names; it is called for each request, since tool calls bring new names."""

    def __init__(self, pseudonyms: Callable[[], Awaitable[Pseudonyms]]) -> None:
        super().__init__()
        self._pseudonyms = pseudonyms

    async def awrap_model_call(self, request: Request, handler: Handler) -> Response:
        names = await self._pseudonyms()
        # In a thread: a long conversation takes tens of milliseconds.
        masked = await asyncio.to_thread(_masked, request, names.masked)
        return _unmasked(await handler(masked), names.unmasked)


def _masked(request: Request, mask: Change) -> Request:
    rules = mask(request.system_message.text) if request.system_message else ""
    return request.override(
        # The rules about pseudonyms are added after masking: masked, their examples would be escaped.
        system_message=SystemMessage(f"{rules}\n{prompt('names').render()}"),
        messages=[_changed(message, mask) for message in request.messages],
        tools=[_described(tool, mask) for tool in request.tools],
    )


def _unmasked(response: Response, unmask: Change) -> Response:
    answer = response.structured_response
    if isinstance(answer, BaseModel):
        answer = fitting(type(answer), scrubbed(answer.model_dump(mode="json"), unmask))
    result: list[BaseMessage] = [_changed(message, unmask) for message in response.result]
    return ModelResponse(result=result, structured_response=answer)


def _changed(message: Message, change: Change) -> Message:
    """What the provider sealed keeps its pseudonyms: it is refused when a letter of it differs."""
    return changed(message, lambda value: scrubbed(value, change))


def _described(tool: BaseTool | dict[str, object], mask: Change) -> BaseTool | dict[str, object]:
    """A description may give a service as an example, and those of other servers' tools say what they like."""
    if isinstance(tool, dict):
        function = tool.get("function")
        function = function if isinstance(function, dict) else {}
        return {**tool, "function": {**function, "description": mask(str(function.get("description", "")))}}
    return tool.model_copy(update={"description": mask(tool.description)})


def fitting(schema: type[Model], answer: object) -> Model:
    """The answer in its schema, with texts cut that the names made too long: a pseudonym is often shorter."""
    try:
        return schema.model_validate(answer)
    except ValidationError as error:
        for detail in error.errors():
            if detail["type"] != "string_too_long":
                raise
            *above, last = detail["loc"]
            holder: Any = answer  # Any: the place of the error says what lies there
            for step in above:
                holder = holder[step]
            holder[last] = cut(holder[last], detail["ctx"]["max_length"])
    return schema.model_validate(answer)
