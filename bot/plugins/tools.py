"""What an agent tool is: a function that looks, and the readers that it may use."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.core.evidence import Case, Evidence
from bot.core.service import Catalogue
from bot.ports import (
    AlertReader,
    ChangeReader,
    CodeHost,
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
    remote: Remote | None = None
    seconds: float = 10.0
    """So long the whole look may take: what asks several systems leaves none of them all of it."""


@dataclass(frozen=True)
class Tool:
    """A read-only look: `async def name(ctx, ...plain typed arguments) -> Evidence`. The docstring is what the model reads."""

    name: str
    fn: Callable[..., Awaitable[Evidence]]
    needs: str = ""
    """The field of the context without which it sees nothing: it is offered only where that is set up."""
    set_up: str = ""
    """What of it the configuration sets up, for tools over several systems: nobody can ask what they were not told of."""

    @property
    def description(self) -> str:
        """What the model reads."""
        told = (self.fn.__doc__ or "").strip()
        return f"{told}\n\nSet up here: {self.set_up}" if self.set_up else told

    async def __call__(self, ctx: ToolContext, **arguments: Any) -> Evidence:
        """Look; errors that are not expected come out (the caller is the boundary)."""
        return await self.fn(ctx, **arguments)


def tool(fn: Callable[..., Awaitable[Evidence]]) -> Tool:
    """Register an async function as a tool named like its file."""
    return Tool(name=fn.__name__, fn=fn)


def tool_over(needs: str) -> Callable[[Callable[..., Awaitable[Evidence]]], Tool]:
    """Register a tool that is of use only with this field of the context, e.g. `code`."""
    return lambda fn: Tool(name=fn.__name__, fn=fn, needs=needs)
