"""How plugins look, and how they are found: one file on a shelf each, named like the plugin."""

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from bot.core.action import DryRun, Outcome, Tier, Verification
from bot.core.actor import Actor
from bot.core.alert import Alert
from bot.core.change import Change
from bot.core.config import ActionConfig, SourceConfig
from bot.core.errors import ConfigurationError
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

# ---------------------------------------------------------------- sources


@dataclass(frozen=True)
class Rejected:
    """One item of a body that could not be read, with its own bytes: kept aside, the others go on."""

    field: str
    problem: str
    body: bytes


@dataclass(frozen=True)
class Intake:
    """What a body held: alerts, changes, or both. `truncated` counts what the source itself left out."""

    alerts: tuple[Alert, ...] = ()
    changes: tuple[Change, ...] = ()
    truncated: int = 0
    rejected: tuple[Rejected, ...] = ()


@dataclass(frozen=True)
class SourceRequest:
    """One authenticated body: already decompressed and within the limits, not yet parsed."""

    source: str
    body: bytes
    headers: Mapping[str, str]
    received_at: datetime
    config: SourceConfig
    door: str = "alerts"
    """Which door it came through: "alerts" or "changes"."""


@dataclass(frozen=True)
class Source:
    """`read` turns a body into alerts and changes; raises `UnreadableBody` with the field."""

    name: str
    read: Callable[[SourceRequest], Intake]
    takes: frozenset[str]
    """Which doors: "alerts", "changes"."""
    signature_header: str = ""
    """A vendor's HMAC header (`sha256=<hex>` over the body) accepted in place of the bearer token."""


def source(name: str, *, takes: Iterable[str] = ("alerts",), signature_header: str = "") -> Callable[..., Source]:
    """Register a function `(SourceRequest) -> Intake` as a source."""
    return lambda read: Source(name=name, read=read, takes=frozenset(takes), signature_header=signature_header)


# ---------------------------------------------------------------- tools


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


# ---------------------------------------------------------------- actions


class Http(Protocol):
    """The one way an action reaches out: no redirects, address checked and pinned, signed, time-limited."""

    async def send(
        self, method: str, url: str, *, json: Any, key: str, headers: Mapping[str, str] = ..., allow_private: bool = False
    ) -> "HttpAnswer":
        """Raises `ActionFailed` before anything was sent, `OutcomeUnknown` when the answer was lost."""


@dataclass(frozen=True)
class HttpAnswer:
    status: int
    text: str
    json: Any = None


@dataclass(frozen=True)
class ActionContext:
    """What a remediation may use; writers exist here alone."""

    now: datetime
    proposal: str
    entry: str
    """The catalogue entry's name."""
    config: ActionConfig
    catalogue: Catalogue
    metrics: Metrics | None
    http: Http
    alertmanager_url: str = ""
    idempotency_key: str = ""
    remote_id: str = ""
    """What the remote side called the run, once it is known."""
    incident: str = ""


class Action(BaseModel, ABC):
    """A kind of remediation: its fields are the arguments that people approve."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassVar[str] = ""
    version: ClassVar[str] = "1"
    floor: ClassVar[Tier] = Tier.THREE
    """The tier below which configuration cannot bring it."""
    needs: ClassVar[tuple[str, ...]] = ()
    """Keys of the catalogue entry without which it can do nothing, e.g. `url`."""

    @classmethod
    def tier_of(cls, config: ActionConfig) -> Tier:
        """The floor for this configuration (e.g. idempotent with an inverse), before configuration raises it."""
        return cls.floor

    def tier_for(self, config: ActionConfig) -> Tier:
        """The floor for these arguments (e.g. a wide silence); X for what the bot never does."""
        return type(self).tier_of(config)

    def way_back(self, remote_id: str) -> "Action | None":
        """The same kind of action with the arguments that undo this one; None: see the entry's `inverse`."""
        return None

    def undone_by(self) -> str:
        """In words, what `way_back` will do ("expiring it"), for people who decide; "" if it does nothing."""
        return ""

    def steps(self, ctx: ActionContext) -> list[str]:
        """What happens, in order, one line each, as people approve it."""
        return [f"{type(self).name} on {target}" for target in self.targets(ctx)]

    @abstractmethod
    def targets(self, ctx: ActionContext) -> tuple[str, ...]:
        """Exactly what would be touched."""

    @abstractmethod
    async def dry_run(self, ctx: ActionContext) -> DryRun:
        """What would happen, without doing it."""

    @abstractmethod
    async def run(self, ctx: ActionContext) -> Outcome:
        """The one remote call. Called at most once per claim."""

    async def probe(self, ctx: ActionContext) -> Outcome | None:
        """Ask the remote side read-only whether the call of this idempotency key happened; None: cannot be asked."""
        return None

    @abstractmethod
    async def verify(self, ctx: ActionContext) -> Verification:
        """One look at whether it helped; the story looks again until it is sure or the time is up."""


_ActionType = TypeVar("_ActionType", bound=type[Action])


def action(cls: _ActionType) -> _ActionType:
    """Register an Action class; its `name` is its file's."""
    cls.name = cls.__module__.rsplit(".", 1)[-1]
    return cls


# ---------------------------------------------------------------- commands


@dataclass(frozen=True)
class Request:
    """One use of a verb, whichever door it came through."""

    verb: str
    actor: Actor
    channel: str
    thread: str = ""
    text: str = ""
    """What stood after the verb."""
    options: Mapping[str, str] = field(default_factory=dict)
    ref: str = ""
    """`AP-12`, `AL-3`, `INC-3` from the text, the button or the place it was said in."""
    revision: int | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    """Values of a submitted modal; empty for the other doors."""
    door: str = "mention"
    """slash, mention, button, modal, shortcut."""
    message: str = ""
    """ts of the message whose button was pressed."""
    key: str = ""
    """Unique per interaction; a repeat is the same key."""


@dataclass(frozen=True)
class Reply:
    """An answer: private by default. `blocks` as plain text lines are rendered by the Slack room."""

    text: str
    private: bool = True
    about: str = ""
    """The group, incident or proposal in whose thread a public answer stands; empty: where it was asked."""
    view: str = ""
    """A name in slack/views that renders `subject`, if more than text is to be shown."""
    subject: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Field:
    """One input of a Form."""

    name: str
    label: str
    kind: str = "text"
    """text, long, select."""
    value: str = ""
    options: Sequence[tuple[str, str]] = ()
    optional: bool = False
    hint: str = ""


@dataclass(frozen=True)
class Form:
    """A modal whose submission calls the same verb with `fields`."""

    title: str
    verb: str
    ref: str = ""
    revision: int | None = None
    intro: str = ""
    code: str = ""
    """Shown whole in a code block: plan, dry run."""
    fields: Sequence[Field] = ()
    submit: str = "Send"


@dataclass(frozen=True)
class FieldErrors:
    """A refused submission: the modal stays open with these texts at its inputs."""

    errors: Mapping[str, str]


Answer = Reply | Form | FieldErrors


@dataclass(frozen=True)
class Command:
    """A verb: `async def verb(ctx, request) -> Reply | Form | FieldErrors`; NotAllowed and NotFound become private answers."""

    name: str
    fn: Callable[[Any, Request], Awaitable[Answer]]
    aliases: tuple[str, ...] = ()
    usage: str = ""
    who: str = "anyone"
    options: tuple[str, ...] = ()
    """Valid `key=` options; others are an error that lists these."""
    speech: bool = False
    """What follows the verb is taken as it was typed: nothing in it is an option, and all of it is the text."""

    @property
    def summary(self) -> str:
        """The first line of the docstring: what help shows."""
        return (self.fn.__doc__ or "").strip().split("\n", 1)[0]


def command(
    name: str,
    *,
    aliases: Iterable[str] = (),
    usage: str = "",
    who: str = "anyone",
    options: Iterable[str] = (),
    speech: bool = False,
) -> Callable[[Callable[[Any, Request], Awaitable[Answer]]], Command]:
    """Register a verb."""
    words, valid = tuple(aliases), tuple(options)
    return lambda fn: Command(name=name, fn=fn, aliases=words, usage=usage, who=who, options=valid, speech=speech)


# ---------------------------------------------------------------- discovery

P = TypeVar("P")


def discover(packages: Iterable[str], kind: type[P]) -> dict[str, P]:
    """Import every module of the shelves and gather its plugins of one kind by name.

    A plugin that fails to import or a second one of the same name raises
    ConfigurationError and stops the start.
    """
    found: dict[str, P] = {}
    for package in packages:
        for module in _modules(package):
            for plugin in _plugins_of(module, kind):
                name = plugin.name  # type: ignore[attr-defined]
                if name in found and found[name] is not plugin:
                    raise ConfigurationError(f"two plugins are named {name!r} (the second in {module.__name__})", key="plugins")
                found[name] = plugin
    return found


def _modules(package: str) -> Iterable[Any]:
    try:
        root = importlib.import_module(package)
        yield root
        for entry in pkgutil.iter_modules(getattr(root, "__path__", ())):
            if not entry.name.startswith("_"):
                yield importlib.import_module(f"{package}.{entry.name}")
    except ImportError as error:
        raise ConfigurationError(f"plugin module {package} does not import: {error}", key="plugins") from error


def _plugins_of(module: Any, kind: type[P]) -> Iterable[P]:
    for value in vars(module).values():
        if isinstance(value, kind) and not isinstance(value, type):
            yield value
        elif (
            kind is type
            and isinstance(value, type)
            and issubclass(value, Action)
            and value.name
            and value.__module__ == module.__name__
        ):
            yield value  # type: ignore[misc]


def discover_actions(packages: Iterable[str]) -> dict[str, type[Action]]:
    """The action classes of the shelves by name."""
    return discover(packages, type)
