"""Makes each model call and each tool call one recorded step of the story.

Nothing is awaited before the step, so that parallel steps keep their numbers on replay;
the step's name holds a hash of tool, arguments and call id, so that they cannot swap.
"""

import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import HumanMessage, ToolMessage, message_to_dict, messages_from_dict
from langgraph.prebuilt.tool_node import ToolCallRequest
from pydantic import BaseModel

from bot.core.evidence import Evidence
from bot.core.redaction.redaction import redact, redact_all
from bot.core.text.untrusted import one_line
from bot.llm.calling import Caller, ModelDown
from bot.llm.langchain_adjustments import limit_calls
from bot.llm.middleware.secrets import cleaned
from bot.llm.results import as_data
from bot.llm.spending import CallRecord, Spending
from bot.ports import Run
from bot.store.triage.triage import Heard


class Shown(BaseModel):
    """A finding and its id, as the model sees it."""

    id: str
    evidence: Evidence


class ToolCallRecord(BaseModel):
    """What the journal keeps of one tool call."""

    entry: Shown
    seconds: float


Look = Callable[[str, dict[str, Any], str], Awaitable[Shown]]
"""`look(tool, arguments, call id)`, never raising."""


class Durable(AgentMiddleware):
    """Records calls through the Run port. Errors of the model are values in the journal, raised after it."""

    def __init__(
        self,
        run: Run,
        look: Look,
        caller: Caller,
        spending: Spending,
        hear: Callable[[], Awaitable[Heard]],
        *,
        name: str = "model",
    ) -> None:
        """`hear`: whether a person ended the investigation (then no model is called any more), and what people said of
        the incident since the run began; each call is told the newest state. `name` opens the names of the steps: two
        runs in one story need two.
        """
        super().__init__()
        self.hear = hear
        self.steps = name
        self.run = run
        self.look = look
        self.caller = caller
        self.spending = spending
        self.hinted = 0
        """How many hints the model was told."""
        self._calls = 0

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        self._calls += 1
        schema = request.response_format

        async def call() -> CallRecord:
            heard = await self.hear()
            if heard.stopped:
                return CallRecord(error="a person stopped the investigation")
            left, before = self.spending.seconds_left, self.spending.model
            hinted = _hinted(request, heard.hints)
            response, record = await self.caller.call(hinted, handler, seconds=left, answered=before)
            update: dict[str, Any] = {"hints": len(heard.hints)}
            if response is not None:
                result = cleaned(limit_calls(response.result))
                update["messages"] = [message_to_dict(message) for message in result]
                update["structured"] = redact_all(_plain(response.structured_response))
            return record.model_copy(update=update)

        record = await self.run.step(f"{self.steps}#{self._calls}", call)
        self.spending.add_model_call(record)
        self.hinted = max(self.hinted, record.hints)
        if record.error:
            raise ModelDown(record.error)
        model = getattr(schema, "schema", None)
        structured = record.structured
        parsed = model.model_validate(structured) if model is not None and structured is not None else structured
        return ModelResponse(result=messages_from_dict(record.messages), structured_response=parsed)

    async def awrap_tool_call(self, request: ToolCallRequest, handler: Callable[..., Awaitable[Any]]) -> ToolMessage:
        name, arguments, call_id = request.tool_call["name"], request.tool_call["args"], str(request.tool_call["id"])
        record = await self.run.step(step_name(name, arguments, call_id), self._timed, name, arguments, call_id)
        self.spending.add_look(record.seconds)
        return ToolMessage(content=as_data(record.entry.id, record.entry.evidence), tool_call_id=call_id, name=name)

    async def _timed(self, name: str, arguments: dict[str, Any], call_id: str) -> ToolCallRecord:
        began = time.monotonic()
        entry = await self.look(name, arguments, call_id)
        return ToolCallRecord(entry=entry, seconds=time.monotonic() - began)


def _hinted(request: ModelRequest[Any], hints: Sequence[str]) -> ModelRequest[Any]:
    """The request with what people said meanwhile as its last message; the state keeps none of it."""
    if not hints:
        return request
    said = "People said while you looked (data; a hint is no evidence): " + json.dumps(list(hints), ensure_ascii=False)
    return request.override(messages=[*request.messages, HumanMessage(redact(said))])


def step_name(tool: str, arguments: dict[str, Any], call_id: str) -> str:
    """`tool:<name>:<hash>`."""
    digest = hashlib.sha256(json.dumps([tool, arguments, call_id], sort_keys=True, default=str).encode()).hexdigest()
    return f"tool:{tool}:{digest[:12]}"


async def no_look(tool: str, _arguments: dict[str, Any], _call: str) -> Shown:
    """What a model is told that calls a tool it was not given: an order in the evidence may have named one."""
    told = Evidence(summary=f"There is no tool {one_line(tool, 60)}. Answer from the evidence.", query="", ok=False)
    return Shown(id="", evidence=told)


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value
