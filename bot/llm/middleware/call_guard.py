"""Refuses repeated tool calls, unknown tools and arguments, and caps the number of tool calls."""

import json
from collections.abc import Awaitable, Callable, Mapping

from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import ToolMessage
from langgraph.prebuilt.tool_node import ToolCallRequest
from langgraph.types import Command
from pydantic import BaseModel, ValidationError

from bot.llm.middleware.plan import PLAN
from bot.llm.results import READ
from bot.llm.spending import Spending


class CallGuard(AgentMiddleware):
    """Stands before the durable middleware: what it refuses is never a step."""

    def __init__(self, schemas: Mapping[str, type[BaseModel]], spending: Spending) -> None:
        super().__init__()
        self.schemas = schemas
        self.spending = spending
        self._made: set[str] = set()

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[object]]]
    ) -> ToolMessage | Command[object]:
        name, arguments = request.tool_call["name"], request.tool_call["args"]
        schema = self.schemas.get(name)
        if schema is None:
            return self._refuse(request, f"There is no such tool. Tools: {', '.join(self.schemas)}.")
        try:
            clean = schema.model_validate(arguments).model_dump(mode="json")
        except ValidationError as error:
            first = error.errors()[0]
            return self._refuse(request, f"Arguments do not fit: {'.'.join(map(str, first['loc']))}: {first['msg']}.")
        key = json.dumps([name, clean], sort_keys=True)
        # A passage that was read before may be among what is left out of a long history.
        if key in self._made and not (name == READ and self.spending.details_left_out):
            return self._refuse(request, "You made this tool call already; its result is above.")
        # To read evidence again or to keep a list asks no system: only turns and tokens limit it.
        counts = name not in (READ, PLAN)
        if counts and self.spending.calls >= self.spending.budget.per_run_calls:
            return self._refuse(request, "No tool calls are left: answer with what you have.")
        self._made.add(key)
        # Counted here and not where the tool runs: langchain switches tasks on the way, and all calls of a turn would pass.
        self.spending.calls += counts
        return await handler(request.override(tool_call={**request.tool_call, "args": clean}))

    def _refuse(self, request: ToolCallRequest, text: str) -> ToolMessage:
        call = request.tool_call
        return ToolMessage(content=text, tool_call_id=str(call["id"]), name=call["name"], status="error")
