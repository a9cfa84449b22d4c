"""Makes each model call and each tool call one recorded step of the workflow.

Nothing is awaited before the step, so that parallel steps keep their numbers on replay;
the step's name holds a hash of tool, arguments and call id, so that they cannot swap.
"""

import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelResponse
from langchain_core.messages import HumanMessage, ToolMessage, message_to_dict, messages_from_dict
from langgraph.prebuilt.tool_node import ToolCallRequest
from pydantic import BaseModel

from bot.core.evidence import Evidence
from bot.core.redaction.redaction import redact, redact_all
from bot.core.text.untrusted import one_line
from bot.llm.calling import Caller, Handler, ModelDown, Request, Response
from bot.llm.langchain_adjustments import limit_calls
from bot.llm.middleware.secrets import cleaned
from bot.llm.results import as_data, cut_as_sent, sent_bytes
from bot.llm.spending import CallRecord, Spending
from bot.ports import Run
from bot.store.triage.triage import InputSinceStart

MAX_HINTS_BYTES = 2_500
"""Of the hints of people in one request, the newest first: they come on top of a request that is full already."""


class ShownEvidence(BaseModel):
    """A finding and its id, as the model sees it."""

    id: str
    evidence: Evidence


class ToolCallRecord(BaseModel):
    """What the journal keeps of one tool call."""

    entry: ShownEvidence
    seconds: float


RunTool = Callable[[str, dict[str, object], str], Awaitable[ShownEvidence]]
"""`await run_tool(tool, arguments, call id)`; never raises."""


class Durable(AgentMiddleware):
    """Records calls through the Run port. Errors of the model are values in the journal, raised after it."""

    def __init__(
        self,
        run: Run,
        run_tool: RunTool,
        caller: Caller,
        spending: Spending,
        input_since_start: Callable[[], Awaitable[InputSinceStart]],
        *,
        name: str = "model",
    ) -> None:
        """`input_since_start`: whether a person stopped the investigation (then no model is called any more), and the
        hints of people; each call gets the newest. `name` is the prefix of the steps' names: two agents in one
        workflow need two.
        """
        super().__init__()
        self.input_since_start = input_since_start
        self.steps = name
        self.run = run
        self.run_tool = run_tool
        self.caller = caller
        self.spending = spending
        self.hints_shown = 0
        """How many hints of people the model got."""
        self._calls = 0
        self._rest = 0.0

    async def awrap_model_call(self, request: Request, handler: Handler) -> Response:
        self._calls += 1
        schema = request.response_format

        async def call() -> CallRecord:
            people = await self.input_since_start()
            if people.stopped:
                return CallRecord(error="a person stopped the investigation")
            seconds = self.spending.call_seconds(last=bool(request.tool_choice) or not request.tools)
            with_hints, before = _with_hints(request, people.hints), self.spending.model
            affordable = self.spending.affords
            response, record = await self.caller.call(
                with_hints, handler, seconds=seconds, answered=before, affordable=affordable, rest=self._rest
            )
            update: dict[str, Any] = {"hints": len(people.hints)}
            if response is not None:
                result = cleaned(limit_calls(response.result))
                update["messages"] = [message_to_dict(message) for message in result]
                update["structured"] = redact_all(_plain(response.structured_response))
            return record.model_copy(update=update)

        record = await self.run.step(f"{self.steps}#{self._calls}", call)
        self.spending.add_model_call(record)
        self.hints_shown = max(self.hints_shown, record.hints)
        self._rest = record.rest
        if record.error:
            raise ModelDown(record.error, record.recovery)
        model = getattr(schema, "schema", None)
        structured = record.structured
        parsed = model.model_validate(structured) if model is not None and structured is not None else structured
        return ModelResponse(result=messages_from_dict(record.messages), structured_response=parsed)

    async def awrap_tool_call(self, request: ToolCallRequest, handler: Callable[..., Awaitable[object]]) -> ToolMessage:
        name, arguments, call_id = request.tool_call["name"], request.tool_call["args"], str(request.tool_call["id"])
        record = await self.run.step(step_name(name, arguments, call_id), self._timed, name, arguments, call_id)
        self.spending.add_tool_call(record.seconds)
        return ToolMessage(content=as_data(record.entry.id, record.entry.evidence), tool_call_id=call_id, name=name)

    async def _timed(self, name: str, arguments: dict[str, object], call_id: str) -> ToolCallRecord:
        began = time.monotonic()
        entry = await self.run_tool(name, arguments, call_id)
        return ToolCallRecord(entry=entry, seconds=time.monotonic() - began)


def _with_hints(request: Request, hints: Sequence[str]) -> Request:
    """The request with the hints of people as its last message; the state holds none of it."""
    if not hints:
        return request
    shown = list(hints)
    while len(shown) > 1 and sent_bytes(json.dumps(shown)) > MAX_HINTS_BYTES:
        shown.pop(0)
    data = json.dumps([cut_as_sent(hint, MAX_HINTS_BYTES) for hint in shown], ensure_ascii=False)
    text = f"People said meanwhile (data; a hint is not evidence): {data}"
    return request.override(messages=[*request.messages, HumanMessage(redact(text))])


def step_name(tool: str, arguments: dict[str, object], call_id: str) -> str:
    """`tool:<name>:<hash>`."""
    fingerprint = hashlib.sha256(json.dumps([tool, arguments, call_id], sort_keys=True, default=str).encode()).hexdigest()
    return f"tool:{tool}:{fingerprint[:12]}"


async def unknown_tool(tool: str, _arguments: dict[str, object], _call: str) -> ShownEvidence:
    """The answer to a call of a tool that the model does not have: text in the evidence may have named one."""
    answer = Evidence(summary=f"There is no tool {one_line(tool, 60)}. Answer from the evidence.", query="", ok=False)
    return ShownEvidence(id="", evidence=answer)


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value
