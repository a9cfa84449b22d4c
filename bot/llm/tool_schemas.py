"""Tools as a model sees them: name, docstring, and the schema of their arguments with what each means."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from langchain_core.tools import StructuredTool
from pydantic import BaseModel, ConfigDict, Field, JsonValue, create_model

from bot.plugins import Tool
from bot.plugins.arguments import Described, Names

MAX_LISTED = 400
"""Characters of names that one argument lists: they stand in the schema of every tool that takes them."""

NameLists = Mapping[Names, Sequence[str]]
"""Names that arguments may list; nothing where names are hidden from the model."""


def arguments_of(tool: Tool, names: NameLists | None = None) -> type[BaseModel]:
    """A tool's typed arguments (all but the context) as a model that refuses others."""
    hints = get_type_hints(tool.fn, include_extras=True)
    fields: dict[str, Any] = {}
    for name, parameter in list(inspect.signature(tool.fn).parameters.items())[1:]:
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[name] = _field(hints[name], default, names or {})
    return create_model(f"{tool.name}_arguments", __config__=ConfigDict(extra="forbid"), **fields)


def as_langchain_tool(tool: Tool, schema: type[BaseModel]) -> StructuredTool:
    """The tool with its schema; calls pass through the durable middleware and never run it."""

    async def refuse(**_arguments: object) -> str:
        raise AssertionError("tool calls pass through the durable middleware")

    return StructuredTool(name=tool.name, description=tool.description, args_schema=schema, coroutine=refuse)


def _field(hint: Any, default: object, names: NameLists) -> tuple[Any, Any]:
    described = next((extra for extra in _extras(hint) if isinstance(extra, Described)), None)
    if described is None:
        return (hint, default)
    listed = _listed(names.get(described.names, ())) if described.names else []
    # Listed for the model alone: a name that is missing here may be right, and the tool says what it knows.
    # Empty means the case's own service: it may be in no catalogue.
    enum: dict[str, JsonValue] | None = {"enum": ["", *listed]} if listed else None
    return (get_args(hint)[0], Field(default, description=described.text, json_schema_extra=enum))


def _extras(hint: Any) -> tuple[object, ...]:
    return hint.__metadata__ if get_origin(hint) is Annotated else ()


def _listed(names: Sequence[str]) -> list[str]:
    """The names if they are few, else none."""
    unique = list(dict.fromkeys(names))
    return unique if 0 < sum(len(name) + 3 for name in unique) <= MAX_LISTED else []
