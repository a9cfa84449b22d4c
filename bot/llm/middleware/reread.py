"""Reads evidence of this incident again: what was too long to be shown, and what was recorded before the model started."""

import re
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
from bot.llm.results import READ, passages
from bot.llm.tool_schemas import plain
from bot.ports import Run

DESCRIPTION = (
    "Read the details of recorded evidence by its id.\n\n"
    "Call it for evidence listed with its summary alone, or whose lines were left out. It runs no query and "
    "counts as no tool call."
)
MAX_IDS = 8


class ReadEvidence(BaseModel):
    """The arguments of `read_evidence`."""

    model_config = ConfigDict(extra="forbid")

    # One text, as journals of earlier versions hold it: with a list, steps of a run under way would have other names.
    id: str = Field(max_length=80, description="One id, or several: E3, E7, E12")
    contains: str = Field(default="", max_length=200, description="Text in the lines (any case); empty: all")
    line: int = Field(default=1, ge=1, description="The first wanted")


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
        request = ReadEvidence.model_validate(arguments)
        entries = {entry.id: entry for entry in await self.entries()}
        ids = list(dict.fromkeys(re.split(r"[,;\s]+", request.id.strip())))[:MAX_IDS]
        if unknown := [id for id in ids if id not in entries]:
            return f"There is no evidence {one_line(', '.join(unknown), 60)}. There is {', '.join(entries) or 'none'}."
        return passages([entries[id] for id in ids], contains=request.contains, line=request.line)


def read_tool() -> StructuredTool:
    """The tool as the model sees it."""

    async def refuse(**_arguments: object) -> str:
        raise AssertionError("tool calls pass through the middleware")

    return StructuredTool(
        name=READ, description=DESCRIPTION, args_schema=plain(ReadEvidence.model_json_schema()), coroutine=refuse
    )
