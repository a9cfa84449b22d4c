"""The client of a model: langchain's, without the work that it would repeat with each turn."""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from langchain_core.tools import BaseTool, StructuredTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel


class Chat(ChatOpenAI):
    """Sends what `ChatOpenAI` would send, some milliseconds a turn earlier."""

    # Any, here and below: what langchain passes through these methods has no narrower type in langchain itself.
    def bind_tools(self, tools: Sequence[Any], *, strict: bool | None = None, **kwargs: Any) -> Any:
        """The model with its tools, each converted once."""
        return super().bind_tools([_converted(tool, strict) for tool in tools], strict=strict, **kwargs)

    def _get_request_payload(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """langchain has messages and tools in the API's own form by now, so they are sent as fields of the body.

        The openai client would look up the type of each of their fields first.
        """
        payload: dict[str, Any] = super()._get_request_payload(*args, **kwargs)
        fields = {field: payload.pop(field) for field in ("messages", "tools") if field in payload}
        # The client requires messages; those of the body replace the empty list.
        return {**payload, "messages": [], "extra_body": {**(payload.get("extra_body") or {}), **fields}}


def _converted(tool: Any, strict: bool | None) -> Any:  # Any: as in bind_tools
    if not isinstance(tool, BaseTool):
        return tool
    schema = tool.args_schema
    return _schema_of(tool.name, tool.description, schema if isinstance(schema, type) else json.dumps(schema), strict)


@lru_cache(256)
def _schema_of(name: str, description: str, schema: type[BaseModel] | str, strict: bool | None) -> dict[str, object]:
    """`schema` as a string: of the answer, which langchain makes a tool with a schema in JSON."""
    arguments = json.loads(schema) if isinstance(schema, str) else schema
    return convert_to_openai_tool(StructuredTool(name=name, description=description, args_schema=arguments), strict=strict)
