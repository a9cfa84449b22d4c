"""Makes each model call and each tool call one recorded step of the story.

Nothing is awaited before the step, so that parallel steps keep their numbers on replay;
the step's name holds a hash of tool, arguments and call id, so that they cannot swap.
"""

import hashlib
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import ToolMessage, message_to_dict, messages_from_dict
from langgraph.prebuilt.tool_node import ToolCallRequest

from bot.core.redaction import redact_all
from bot.llm.calling import Caller, ModelDown
from bot.llm.middleware.secrets import cleaned
from bot.llm.spending import Spending
from bot.ports import Run

Look = Callable[[str, dict[str, Any], str], Awaitable[Any]]
"""`look(tool, arguments, call id)`: a LedgerEntry as JSON, never raising."""
MAX_TEXT = 16_384
"""Characters of one tool result that the model sees; the whole is in the ledger."""


class Durable(AgentMiddleware):
    """Records calls through the Run port. Errors of the model are values in the journal, raised after it."""

    def __init__(
        self, run: Run, look: Look, caller: Caller, spending: Spending, stopped: Callable[[], Awaitable[bool]]
    ) -> None:
        """`stopped`: whether a person ended the investigation; then no model is called any more."""
        super().__init__()
        self.stopped = stopped
        self.run = run
        self.look = look
        self.caller = caller
        self.spending = spending
        self._calls = 0

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        self._calls += 1
        schema = request.response_format

        async def call() -> Any:
            if await self.stopped():
                return {"error": "a person stopped the investigation"}
            answer = await self.caller.call(request, handler, seconds=self.spending.seconds_left)
            if isinstance(answer.get("response"), ModelResponse):
                response: ModelResponse[Any] = answer.pop("response")
                answer["messages"] = [message_to_dict(message) for message in cleaned(response.result)]
                answer["structured"] = redact_all(_plain(response.structured_response))
            return answer

        record = await self.run.step(f"model#{self._calls}", call)
        self.spending.add_model_call(record)
        if record.get("error"):
            raise ModelDown(record["error"])
        structured = record.get("structured")
        model = getattr(schema, "schema", None)
        parsed = model.model_validate(structured) if model is not None and structured is not None else structured
        return ModelResponse(result=messages_from_dict(record["messages"]), structured_response=parsed)

    async def awrap_tool_call(self, request: ToolCallRequest, handler: Callable[..., Awaitable[Any]]) -> ToolMessage:
        name, arguments, call_id = request.tool_call["name"], request.tool_call["args"], str(request.tool_call["id"])
        record = await self.run.step(step_name(name, arguments, call_id), self._timed, name, arguments, call_id)
        self.spending.add_look(record["seconds"])
        return ToolMessage(content=as_data(record["entry"]), tool_call_id=call_id, name=name)

    async def _timed(self, name: str, arguments: dict[str, Any], call_id: str) -> Any:
        began = time.monotonic()
        entry = await self.look(name, arguments, call_id)
        return {"entry": entry, "seconds": time.monotonic() - began}


def step_name(tool: str, arguments: dict[str, Any], call_id: str) -> str:
    """`tool:<name>:<hash>`."""
    digest = hashlib.sha256(json.dumps([tool, arguments, call_id], sort_keys=True, default=str).encode()).hexdigest()
    return f"tool:{tool}:{digest[:12]}"


def as_data(entry: dict[str, Any]) -> str:
    """A finding as quoted data with its id and source: head and tail when it is too long."""
    evidence = entry["evidence"]
    lines = list(evidence["details"])
    told: dict[str, Any] = {
        "id": entry["id"],
        "ok": evidence["ok"],
        "source": evidence["source"],
        "written_by_users": evidence["user_controllable"],
        "summary": evidence["summary"],
        "query": evidence["query"],
        "details": lines,
    }
    text = json.dumps(told, ensure_ascii=False)
    while len(text) > MAX_TEXT and lines:
        keep = max(1, len(lines) // 3)
        lines = (
            [*lines[:keep], f"... {len(evidence['details']) - 2 * keep} lines left out ...", *lines[-keep:]] if keep > 1 else []
        )
        text = json.dumps({**told, "details": lines}, ensure_ascii=False)
    return text[:MAX_TEXT]


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value
