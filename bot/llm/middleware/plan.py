"""A list of open questions that the model keeps in the conversation: in a run of many turns the first ones are forgotten."""

from collections.abc import Awaitable, Callable

from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import ToolMessage
from langchain_core.tools import StructuredTool
from langgraph.prebuilt.tool_node import ToolCallRequest
from langgraph.types import Command
from pydantic import BaseModel, ConfigDict, Field

from bot.llm.tool_schemas import plain

PLAN = "update_plan"
LONG_RUN = 10
"""Turns from which on a run is long enough for a list."""
_DESCRIPTION = (
    "Keep the list of what is still to be checked, and what is done.\n\n"
    "Call it in long runs, beside other calls, with the whole list. It counts as no tool call."
)


class Plan(BaseModel):
    """The arguments of `update_plan`."""

    model_config = ConfigDict(extra="forbid")

    items: list[str] = Field(max_length=12, description="'[ ] what to check' or '[x] what is done: result'")


class KeepPlan(AgentMiddleware):
    """Stands before the durable middleware: the list is the call itself, so that nothing has to be recorded."""

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[object]]]
    ) -> ToolMessage | Command[object]:
        call = request.tool_call
        if call["name"] != PLAN:
            return await handler(request)
        return ToolMessage(content="Noted.", tool_call_id=str(call["id"]), name=PLAN)


def plan_tool() -> StructuredTool:
    """The tool as the model sees it."""

    async def refuse(**_arguments: object) -> str:
        raise AssertionError("tool calls pass through the middleware")

    return StructuredTool(name=PLAN, description=_DESCRIPTION, args_schema=plain(Plan.model_json_schema()), coroutine=refuse)
