"""How long a request is as it is sent."""

import json
from functools import lru_cache
from typing import Any

from langchain.agents.middleware import ModelRequest
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import AIMessage, AnyMessage
from langchain_core.tools import BaseTool
from pydantic import BaseModel

from bot.llm.results import sent_bytes

_FRAME_BYTES = 80
"""Of one message or call beside its text: its role and its id."""


def request_bytes(request: ModelRequest[Any]) -> int:
    """Bytes of the whole request: rules, tools, the form of the answer, and all messages with calls and reasoning."""
    form = request.response_format
    schema = form.schema if isinstance(form, (ToolStrategy, ProviderStrategy)) else None
    answer = _schema_bytes(schema) if isinstance(schema, type) and issubclass(schema, BaseModel) else 0
    return rules_and_tools(request) + answer + sum(map(size, request.messages))


def size(message: AnyMessage) -> int:
    """Bytes of a message as it is sent: JSON within JSON has its quotes escaped, and letters may take more than a byte."""
    calls = message.tool_calls if isinstance(message, AIMessage) else ()
    arguments = sum(sent_bytes(json.dumps(call["args"])) + _FRAME_BYTES for call in calls)
    # What a model reasoned in the open, and the marks that providers put beside a message, are sent back too.
    beside = sent_bytes(message.additional_kwargs) if message.additional_kwargs else 0
    return sent_bytes(message.content) + arguments + beside + _FRAME_BYTES


def rules_and_tools(request: ModelRequest[Any]) -> int:
    """Bytes of what stands before the messages."""
    rules = sent_bytes(request.system_message.text) if request.system_message else 0
    return rules + sum(map(_tool_bytes, request.tools))


def _tool_bytes(tool: BaseTool | dict[str, Any]) -> int:  # Any: as langchain types a tool
    if not isinstance(tool, BaseTool):
        return sent_bytes(tool)
    schema = tool.args_schema
    arguments = _schema_bytes(schema) if isinstance(schema, type) and issubclass(schema, BaseModel) else sent_bytes(schema)
    return sent_bytes(tool.description) + arguments + _FRAME_BYTES


@lru_cache(256)
def _schema_bytes(schema: type[BaseModel]) -> int:
    return sent_bytes(schema.model_json_schema())
