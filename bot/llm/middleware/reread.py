"""Reads evidence of this incident again: what was too long to be shown, and what was recorded before the model started."""

from collections.abc import Awaitable, Callable, Sequence

from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import ToolMessage
from langchain_core.tools import StructuredTool
from langgraph.prebuilt.tool_node import ToolCallRequest
from langgraph.types import Command
from pydantic import BaseModel, ConfigDict, Field

from bot.core.evidence import LedgerEntry
from bot.core.text.untrusted import one_line
from bot.llm.middleware.durable import step_name
from bot.llm.results import READ, passage
from bot.ports import Run

DESCRIPTION = """Read the details of evidence that was recorded already, by its id.

Call it for evidence that was listed with its summary alone, or whose lines were left out. `contains` keeps the lines that
hold a text (upper and lower case alike); `line` is the first line wanted. It runs no new query: the id stays the same."""


class ReadEvidence(BaseModel):
    """The arguments of `read_evidence`."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(max_length=20)
    contains: str = Field(default="", max_length=200)
    line: int = Field(default=1, ge=1)


class Reread(AgentMiddleware):
    """Stands before the durable middleware. `entries` reads the ledger of this incident alone."""

    def __init__(self, run: Run, entries: Callable[[], Awaitable[Sequence[LedgerEntry]]]) -> None:
        super().__init__()
        self.run = run
        self.entries = entries

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[object]]]
    ) -> ToolMessage | Command[object]:
        call = request.tool_call
        if call["name"] != READ:
            return await handler(request)
        text = await self.run.step(step_name(READ, call["args"], str(call["id"])), self._read, call["args"])
        return ToolMessage(content=text, tool_call_id=str(call["id"]), name=READ)

    async def _read(self, arguments: dict[str, object]) -> str:
        wanted = ReadEvidence.model_validate(arguments)
        entries = {entry.id: entry for entry in await self.entries()}
        if wanted.id not in entries:
            return f"There is no evidence {one_line(wanted.id, 20)}. There is {', '.join(entries) or 'none'}."
        return passage(entries[wanted.id], contains=wanted.contains, line=wanted.line)


def as_langchain_tool() -> StructuredTool:
    """The tool as the model sees it."""

    async def refuse(**_arguments: object) -> str:
        raise AssertionError("tool calls pass through the middleware")

    return StructuredTool(name=READ, description=DESCRIPTION, args_schema=ReadEvidence, coroutine=refuse)
