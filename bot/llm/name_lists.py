"""Which tools list the catalogue's names in their schemas. No provider lets tools share a part, so each list costs again."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.core.tool_calls import ToolRole
from bot.llm.tool_schemas import NameLists, arguments_of, described_names, plain
from bot.plugins import Tool
from bot.plugins.arguments import Names

TOOLS_BYTES = 10_200
"""Of all tools' descriptions and schemas, up to which more lists are added: about what the built-in tools take together, so
that the first request is no longer with lists than it is where every system is set up."""
LISTED_BYTES = 2
"""What a byte of a list counts: short names in quotation marks take twice as many tokens as so much prose."""
MAX_LIST_BYTES = 1_500
"""Of one list, about 100 names: a longer one stands in the rules alone, and an argument takes any name."""
_ROLES = list(ToolRole)


@dataclass(frozen=True)
class NameListing:
    """By tool, the names that its arguments list; the tools that are called first come first."""

    lists: Mapping[str, NameLists]

    def of(self, tool: str) -> NameLists:
        """The names that this tool's arguments list."""
        return self.lists.get(tool, {})

    def first(self, kind: Names) -> str:
        """The tool that lists these names before any other; "" if none does."""
        return next((tool for tool, names in self.lists.items() if kind in names), "")


def list_names(tools: Mapping[str, Tool], names: NameLists) -> NameListing:
    """Each list once, in the tool that is called first, and again in further tools while there is room.

    All of a list or none: a model that is held to its schema could not ask about a service that is left out.
    """
    listable = {kind: unique for kind, values in names.items() if (unique := _listable(values))}
    free_bytes = TOOLS_BYTES - sum(_size(tool) for tool in tools.values())
    lists: dict[str, dict[Names, Sequence[str]]] = {}
    listed: set[Names] = set()
    for tool, kind in _arguments(tools, listable):
        size = LISTED_BYTES * _bytes(listable[kind])
        if size <= free_bytes or kind not in listed:
            lists.setdefault(tool, {})[kind] = listable[kind]
            listed.add(kind)
            free_bytes -= size
    return NameListing(lists)


def _arguments(tools: Mapping[str, Tool], listable: NameLists) -> Iterator[tuple[str, Names]]:
    """The tools' arguments that take names, the tools in the order of what the workflows call them for."""
    for name in sorted(tools, key=lambda name: _order(tools[name])):
        yield from ((name, kind) for kind in described_names(tools[name]) if kind in listable)


def _order(tool: Tool) -> int:
    return _ROLES.index(tool.info.role) if tool.info.role else len(_ROLES)


def _listable(names: Sequence[str]) -> list[str]:
    """Each name once; nothing where they are too many. An empty one is no name, and Gemini refuses it."""
    unique = [name for name in dict.fromkeys(names) if name]
    return unique if _bytes(unique) <= MAX_LIST_BYTES else []


def _size(tool: Tool) -> int:
    schema = tool.schema if tool.schema is not None else plain(arguments_of(tool).model_json_schema())
    return len(tool.description) + _bytes(schema)


def _bytes(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
