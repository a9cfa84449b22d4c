"""A tool can look and cannot act: everything reachable from its context is a reader."""

import dataclasses
import inspect
import typing
from pathlib import Path
from typing import Any

from bot.plugins import Tool, ToolContext, discover

READERS = {
    "AlertReader.active",
    "AlertReader.earlier",
    "Case",
    "Catalogue.channel_of",
    "Catalogue.dependencies",
    "Catalogue.dependents",
    "Catalogue.downstream",
    "Catalogue.get",
    "Catalogue.of_labels",
    "ChangeReader.since",
    "ClusterReader.logs",
    "ClusterReader.place",
    "ClusterReader.workload",
    "CodeHost.commits",
    "CodeHost.diff",
    "CodeHost.compare",
    "Databases.health",
    "Databases.inventory",
    "History.changes",
    "Logs.query",
    "Logs.search",
    "Metrics.instant",
    "Metrics.label_sets",
    "Metrics.link",
    "Metrics.metadata",
    "Metrics.names",
    "Metrics.range",
    "Metrics.rules",
    "PastReader.confirmed",
    "ModelRegistry.versions",
    "Remote.call",
    "Remote.inventory",
    "Remote.offer",
    "RunbookReader.read",
    "RunbookReader.search",
    "Traces.calls",
    "Traces.query",
    "Traces.spans",
    "Web.address",
    "Web.inventory",
    "Web.read",
}


def reachable(kind: Any) -> set[str]:
    """Public methods of the types that the fields of a context hold."""
    found: set[str] = set()
    for hint in typing.get_type_hints(kind).values():
        for one in typing.get_args(hint) or (hint,):
            if inspect.isclass(one) and one.__module__.startswith("bot."):
                own = [name for name, _ in inspect.getmembers(one, inspect.isfunction) if not name.startswith("_")]
                # A pydantic noun has methods of its base alone: it is data.
                plain = hasattr(one, "model_fields")
                found |= {one.__name__} if plain else {f"{one.__name__}.{name}" for name in own}
    return found


def test_a_tool_context_holds_readers_only() -> None:
    assert reachable(ToolContext) == READERS


def test_the_context_is_frozen_and_has_no_field_beyond_the_known_ones() -> None:
    names = {field.name for field in dataclasses.fields(ToolContext)}

    readers = {
        "changes",
        "alerts",
        "runbooks",
        "metrics",
        "logs",
        "histories",
        "cluster",
        "code",
        "databases",
        "models",
        "web",
        "remote",
        "traces",
        "past",
    }
    assert names == {"now", "case", "catalogue", "seconds", *readers}
    assert ToolContext.__dataclass_params__.frozen  # type: ignore[attr-defined]


def test_tools_import_nothing_that_reaches_out_by_itself() -> None:
    allowed = ("bot.core.", "bot.parallel", "bot.plugins", "bot.ports", "tools.")
    forbidden = ("httpx", "socket", "subprocess", "os", "shutil", "pathlib", "requests", "aiohttp", "urllib.request")
    for path in Path(__file__).parents[3].joinpath("tools").glob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith(("from ", "import ")):
                module = line.split()[1]
                assert not module.startswith("bot.") or module.startswith(allowed), f"{path.name}: {line}"
                assert module not in forbidden, f"{path.name}: {line}"


def test_every_tool_tells_the_model_when_to_call_it() -> None:
    for tool in discover(["tools"], Tool).values():
        assert "Call it" in tool.description and len(tool.description) > 120, tool.name
