"""Offers the tools in the form that is sent, written out once: langchain would write it anew for each turn of the model."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain.agents.structured_output import ProviderStrategy
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool


class Offers(AgentMiddleware):
    """Changes the request only. Stands before what takes tools away; keeps no state, so one object serves every run."""

    def __init__(self, tools: Sequence[BaseTool]) -> None:
        super().__init__()
        self._written = [convert_to_openai_tool(tool) for tool in tools]
        self._strict = [convert_to_openai_tool(tool, strict=True) for tool in tools]

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        # A server that is given a schema for the answer wants strict tools beside it.
        written = self._strict if isinstance(request.response_format, ProviderStrategy) else self._written
        return await handler(request.override(tools=list(written)))
