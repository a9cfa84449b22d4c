"""What an agent tool is: a function that checks something, the readers that it may use, and its metadata."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from inspect import cleandoc, signature
from types import MappingProxyType
from typing import TypedDict, Unpack, overload

from bot.core.evidence import Case, Evidence
from bot.core.facts.alerting import AlertKind
from bot.core.service import Catalogue
from bot.core.tool_calls import UNKNOWN_TOOL, Basis, ToolInfo, ToolRole, Topic
from bot.ports import (
    AlertReader,
    ChangeReader,
    ClusterReader,
    CodeHost,
    Databases,
    History,
    Logs,
    Metrics,
    ModelRegistry,
    PastReader,
    Remote,
    RunbookReader,
    Traces,
    Web,
)

NOT_FIRST: Mapping[AlertKind, int] = MappingProxyType({})


@dataclass(frozen=True)
class ToolContext:
    """What a tool may use: readers only, with read-only credentials."""

    now: datetime
    case: Case
    catalogue: Catalogue
    changes: ChangeReader
    alerts: AlertReader
    runbooks: RunbookReader | None = None
    metrics: Metrics | None = None
    logs: Logs | None = None
    past: PastReader | None = None
    traces: Traces | None = None
    histories: Sequence[History] = ()
    code: CodeHost | None = None
    models: ModelRegistry | None = None
    web: Web | None = None
    cluster: ClusterReader | None = None
    databases: Databases | None = None
    remote: Remote | None = None
    seconds: float = 10.0
    """The limit of the whole call: a tool that queries several systems leaves none of them all of it."""


Function = Callable[..., Awaitable[Evidence]]


@dataclass(frozen=True)
class Tool:
    """A read-only check: `async def name(ctx, ...plain typed arguments) -> Evidence`. The docstring is what the model reads."""

    name: str
    fn: Function
    needs: str = ""
    """The field of the context without which it can check nothing: it is offered only where that is set up."""
    set_up: str = ""
    """The systems behind it that the configuration sets up: a model can only name those that its prompt lists."""
    info: ToolInfo = UNKNOWN_TOOL
    schema: Mapping[str, object] | None = None
    """JSON Schema of the arguments, of a tool that comes from elsewhere; None: the function's own."""

    @property
    def description(self) -> str:
        """What the model reads."""
        # Line breaks and indentation of the source would only cost tokens.
        paragraphs = cleandoc(self.fn.__doc__ or "").split("\n\n")
        text = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
        return f"{text}\n\nSet up here: {self.set_up}" if self.set_up else text

    async def __call__(self, ctx: ToolContext, **arguments: object) -> Evidence:
        """Run it; errors that are not expected come out (the caller is the boundary)."""
        return await self.fn(ctx, **arguments)


class _Info(TypedDict, total=False):
    label: str
    role: ToolRole | None
    topic: Topic | None
    basis: Basis
    row: str
    first_for: Mapping[AlertKind, int]


@overload
def tool(fn: Function, /) -> Tool: ...


@overload
def tool(
    *,
    needs: str = "",
    label: str = "",
    role: ToolRole | None = None,
    topic: Topic | None = None,
    basis: Basis = Basis.MEASURED,
    row: str = "",
    first_for: Mapping[AlertKind, int] = NOT_FIRST,
) -> Callable[[Function], Tool]: ...


def tool(fn: Function | None = None, /, *, needs: str = "", **info: Unpack[_Info]) -> Tool | Callable[[Function], Tool]:
    """Register an async function as a tool named like its file. `needs`: see Tool; the rest is its `ToolInfo`."""

    def register(function: Function) -> Tool:
        takes_service = "service" in signature(function).parameters
        return Tool(function.__name__, function, needs, info=ToolInfo(**info, takes_service=takes_service))

    return register(fn) if fn is not None else register
