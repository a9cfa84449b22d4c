"""Tools as a model sees them: name, docstring, and the schema of their arguments with what each means."""

import importlib
import inspect
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from langchain_core.tools import StructuredTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel, ConfigDict, Field, JsonValue, SerializerFunctionWrapHandler, create_model, model_serializer
from pydantic.errors import PydanticUserError

from bot.core.text.untrusted import one_line
from bot.plugins import Tool
from bot.plugins.arguments import Described, Names

MAX_PARTS = 2_000
"""Of a server's own schema with its references followed: as many as one of the longest allowed may have without any."""

NameLists = Mapping[Names, Sequence[str]]
"""Names that a tool's arguments list, by what they take; nothing where there is no room, or names are hidden from the model."""


# Any, here and below: JSON schemas, and what pydantic takes for a field.
def arguments_of(tool: Tool, names: NameLists | None = None) -> type[BaseModel]:
    """A tool's typed arguments (all but the context) as a model that refuses others."""
    if tool.schema is not None:
        return _of_json_schema(tool.name, tool.schema)
    hints = get_type_hints(tool.fn, include_extras=True)
    fields: dict[str, Any] = {}
    for name, parameter in list(inspect.signature(tool.fn).parameters.items())[1:]:
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[name] = _field(hints[name], default, names or {})
    return create_model(f"{tool.name}_arguments", __config__=ConfigDict(extra="forbid"), **fields)


def described_names(tool: Tool) -> list[Names]:
    """What a tool's arguments take names of, in their order; nothing of a tool with a schema of its own."""
    if tool.schema is not None:
        return []
    hints = get_type_hints(tool.fn, include_extras=True).values()
    kinds = [extra.names for hint in hints for extra in _extras(hint) if isinstance(extra, Described)]
    return [kind for kind in kinds if kind is not None]


def as_langchain_tool(tool: Tool, schema: type[BaseModel]) -> StructuredTool:
    """The tool with its schema; calls pass through the durable middleware and never run it."""

    async def refuse(**_arguments: object) -> str:
        raise AssertionError("tool calls pass through the durable middleware")

    arguments = (
        _without_combinations(_acceptable(tool.schema)) if tool.schema is not None else plain(schema.model_json_schema())
    )
    return StructuredTool(name=tool.name, description=tool.description, args_schema=arguments, coroutine=refuse)


_COMBINATIONS = frozenset({"allOf", "anyOf", "oneOf", "not", "enum"})
"""Of a whole schema OpenAI and Anthropic refuse these, and with them every request that the tool stands in."""


def _without_combinations(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A server's schema without what says how its arguments go together: the server checks it, and answers what was wrong."""
    return {key: value for key, value in schema.items() if key not in _COMBINATIONS}


def _acceptable(part: Any) -> Any:
    """A part of a server's schema without what a provider refuses the whole request for.

    Gemini takes no enum with "" or with anything but texts; it and OpenAI take no list of which nothing says what it holds.
    """
    if isinstance(part, list):
        return [_acceptable(child) for child in part]
    if not isinstance(part, Mapping):
        return part
    values = part.get("enum")
    named = [value for value in values if value != ""] if isinstance(values, list) else []
    enum = {"enum": named} if named and all(isinstance(value, str) for value in named) else {}
    items: dict[str, Any] = {"items": {}} if part.get("type") == "array" and "items" not in part else {}
    rest = {key: _acceptable(child) for key, child in part.items() if key != "enum" or not isinstance(child, list)}
    return {**rest, **enum, **items}


def why_not_offered(tool: Tool) -> str:
    """Why a tool cannot be offered to a model, "" where it can: one malformed schema must not take the model away."""
    try:
        if tool.schema is not None and (problem := _malformed(tool.schema) or _swelling(tool.schema)):
            return problem
        convert_to_openai_tool(as_langchain_tool(tool, arguments_of(tool)))
    except (ArithmeticError, AttributeError, LookupError, PydanticUserError, RecursionError, TypeError, ValueError) as error:
        return f"{type(error).__name__}: {one_line(str(error), 160)}"
    return ""


def _malformed(schema: Mapping[str, Any]) -> str:
    """What of a server's schema is no JSON Schema of 2020-12, which Anthropic demands whatever it names; "" where all is."""
    validators: Any = importlib.import_module("jsonschema.validators")  # comes with the package for MCP servers
    try:
        validators.Draft202012Validator.check_schema(schema)
    except validators.exceptions.SchemaError as error:
        return f"malformed schema at {one_line(error.json_path, 80)}: {one_line(error.message, 80)}"
    return ""


def _swelling(schema: Mapping[str, Any]) -> str:
    """What grows without bounds where its references are followed, as langchain does; "" where all of it is short.

    Twenty definitions, each of which names the next one twice, are a million parts.
    """
    parts = 0

    def count(part: Any, path: frozenset[str]) -> None:
        nonlocal parts
        parts += 1
        if parts > MAX_PARTS:
            return
        reference = part.get("$ref") if isinstance(part, dict) else None
        if isinstance(reference, str) and reference not in path:
            count(_referenced(schema, reference), path | {reference})
        for child in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            count(child, path)

    count(schema, frozenset())
    return f"its references make more than {MAX_PARTS} parts of it" if parts > MAX_PARTS else ""


def _referenced(schema: Mapping[str, Any], reference: str) -> Any:
    """The part of a schema at `#/a/b`; None where there is none, which is reported when the tool is converted."""
    part: Any = schema
    for step in reference.split("/")[1:]:
        if isinstance(part, list):
            part = part[int(step)] if step.isdecimal() and int(step) < len(part) else None
        else:
            part = part.get(step) if isinstance(part, Mapping) else None
    return part


_OMITTED = frozenset({"title", "default", "minimum", "maximum", "maxLength", "maxItems"})
"""Of the answer's schema: code fills in and checks these, the rules name the limits, and the schema stands in every request."""


def compact(schema: Mapping[str, Any]) -> dict[str, Any]:
    """An answer's schema without what tells a model nothing; parts that stand in it several times have no description."""
    parts = {name: {k: v for k, v in part.items() if k != "description"} for name, part in schema.get("$defs", {}).items()}
    definitions = {"$defs": {name: _compact(part) for name, part in parts.items()}} if parts else {}
    # langchain reads the name of the whole from its title.
    return {**_compact(schema), **definitions, **({"title": schema["title"]} if "title" in schema else {})}


def _compact(schema: Mapping[str, Any]) -> dict[str, Any]:
    fields = {key: value for key, value in schema.items() if key not in _OMITTED}
    if properties := schema.get("properties"):
        fields["properties"] = {name: _compact(field) for name, field in properties.items()}
    if isinstance(items := schema.get("items"), dict):
        fields["items"] = _compact(items)
    return fields


_CHECKED = frozenset({"title", "minimum", "maxLength"})
"""Of a tool's arguments: code checks these and answers what was wrong."""


def plain(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema without what tells a model nothing, in the form in which it is sent: langchain's own would lose the names."""
    properties = {
        name: {key: value for key, value in field.items() if key not in _CHECKED and (key, value) != ("default", "")}
        for name, field in (schema.get("properties") or {}).items()
    }
    required = {"required": schema["required"]} if schema.get("required") else {}
    return {"type": "object", "properties": properties, **required}


_TYPES: Mapping[str, Any] = {"string": str, "integer": int, "number": float, "boolean": bool, "array": list, "object": dict}


def _of_json_schema(name: str, schema: Mapping[str, Any]) -> type[BaseModel]:
    """What a server's own schema demands of the names and plain types of arguments; the server checks the rest."""
    properties, required = schema.get("properties") or {}, set(schema.get("required") or ())
    fields: dict[str, Any] = {}
    for number, (argument, field) in enumerate(properties.items()):
        kind = field.get("type") if isinstance(field, dict) else None
        hint = _TYPES.get(kind, Any) if isinstance(kind, str) else Any
        needed = argument in required
        # By position: a server may name an argument as no field can be named.
        fields[f"argument_{number}"] = (
            hint if needed else hint | None,
            Field(... if needed else None, alias=str(argument)),
        )
    return create_model(f"{name}_arguments", __base__=_ByAlias, **fields) if fields else _AnyArguments


class _ByAlias(BaseModel):
    """Arguments under the names that a server gives them; those that were left out stay out."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)

    @model_serializer(mode="wrap")
    def _as_named(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        whole = handler(self)
        aliases = (type(self).model_fields[field].alias for field in self.model_fields_set)
        return {name: whole[name] for name in aliases if name is not None and name in whole}


class _AnyArguments(BaseModel):
    """Arguments of a tool whose schema names none."""

    model_config = ConfigDict(extra="allow")


def _field(hint: Any, default: object, names: NameLists) -> tuple[Any, Any]:
    described = next((extra for extra in _extras(hint) if isinstance(extra, Described)), None)
    if described is None:
        return (hint, default)
    listed = list(names.get(described.names, ())) if described.names else []
    # Listed for the model alone: a name that is missing here may be right, and the tool says what it knows.
    enum: dict[str, JsonValue] | None = {"enum": [*listed]} if listed else None
    # The alert's own service may be in no catalogue: left out, it is meant. Gemini refuses every request with "" in an enum.
    optional = "" if described.names and default is ... else default
    return (get_args(hint)[0], Field(optional, description=described.text, json_schema_extra=enum))


def _extras(hint: Any) -> tuple[object, ...]:
    return hint.__metadata__ if get_origin(hint) is Annotated else ()
