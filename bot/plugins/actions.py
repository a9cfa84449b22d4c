"""What a remediation is: a class whose fields people approve, and the one place where writers exist."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from bot.core.action import DryRun, Outcome, Tier, Verification
from bot.core.alerts.silences import NewSilence, Preview
from bot.core.approvals import plans
from bot.core.approvals.policy import tier_with
from bot.core.config import Config
from bot.core.config.actions import ActionConfig
from bot.core.config.fields import ConfigSection
from bot.core.errors import ConfigurationError
from bot.core.service import Catalogue
from bot.ports import Metrics


class Http(Protocol):
    """The one way an action reaches out: no redirects, address checked and pinned, signed, time-limited."""

    async def send(
        self,
        method: str,
        url: str,
        *,
        json: object,
        key: str,
        headers: Mapping[str, str] = ...,
        allow_private: bool = False,
        ca_file: str = "",
        most_bytes: int = ...,
    ) -> "HttpAnswer":
        """Raises `ActionFailed` before anything was sent, `OutcomeUnknown` when the answer was lost.

        `ca_file`: certificates that the server's own is checked against, instead of the system's.
        `most_bytes` of the answer are read.
        """

    async def check(self, url: str, *, allow_private: bool = False) -> str:
        """Why it cannot be reached now (its name has no address), or "". Sends nothing; raises `ActionFailed` like `send`."""


@dataclass(frozen=True)
class HttpAnswer:
    status: int
    text: str
    json: Any = None


class SilenceBook(Protocol):
    """Tocsin's own silences."""

    async def preview(self, matchers: Mapping[str, str], until: datetime) -> Preview:
        """What a silence would have muted within the day before."""

    async def create(self, new: NewSilence, key: str) -> str:
        """Put one in force; its reference. The same `key` again is the same silence."""

    async def find(self, key: str) -> str:
        """The silence that this key made; "" if it made none."""

    async def lasts(self, ref: str) -> bool:
        """Whether it is in force now."""


@dataclass(frozen=True)
class WritableSystem:
    """A system of `tocsin.yaml` as actions may change it: its token is one for writing, which no tool ever gets."""

    url: str
    names: Mapping[str, str]
    """Service -> what the system calls it (`known_as`)."""
    token: Callable[[], str]
    """Read for each request. Raises ActionFailed."""
    ca_file: str = ""


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
    begun_at: datetime | None = None
    """When the call was begun, once it was; None where a person ran it."""
    incident: str = ""
    requester: str = ""
    """The person who asked for it; "" where nobody did."""
    silences: SilenceBook | None = None
    systems: Mapping[str, WritableSystem] = field(default_factory=dict)
    """By the name that they have under `systems` in tocsin.yaml."""
    approved: Mapping[str, str] = field(default_factory=dict)
    """Target -> its version, as people approved it; empty before a run."""


class ActionOptions(ConfigSection):
    """What `options` of an entry may say, whatever its kind: kinds add what they read. An unknown key is an error."""

    undoes: bool = False
    """Whether it takes a change back."""


class Action(BaseModel, ABC):
    """A kind of remediation: its fields are the arguments that people approve."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassVar[str] = ""
    version: ClassVar[str] = "1"
    least_tier: ClassVar[Tier] = Tier.THREE
    """The tier below which configuration cannot bring it."""
    needs: ClassVar[tuple[str, ...]] = ()
    """Keys of the catalogue entry without which it can do nothing, e.g. `url`."""
    options_type: ClassVar[type[ActionOptions] | None] = None
    """The shape of the entry's `options`; None: any, nothing checks them. A limit under a misspelt key would limit nothing."""
    reads_versions: ClassVar[bool] = False
    """Whether it looks a version to go back to up in the system that it changes, and refuses one that is not there."""
    spans_services: ClassVar[bool] = False
    """Whether it may concern several services, or none that the catalogue knows: then its service is ""."""

    @classmethod
    def tier_of(cls, config: ActionConfig) -> Tier:
        """The least tier for this configuration (e.g. idempotent with an `undo`), before configuration raises it."""
        return cls.least_tier

    def tier_for(self, config: ActionConfig) -> Tier:
        """The least tier for these arguments (e.g. a wide silence); X for what the bot never does."""
        return type(self).tier_of(config)

    @classmethod
    async def complete(cls, ctx: ActionContext, service: str, arguments: Mapping[str, object]) -> dict[str, object]:
        """The arguments, with those that nobody gave and that follow from the situation: people approve exact ones.

        Raises ActionFailed where the situation cannot be read.
        """
        return dict(arguments)

    def undo(self, remote_id: str) -> "Action | None":
        """The same kind of action with the arguments that undo this one; None: see the entry's `undo`."""
        return None

    def undo_text(self) -> str:
        """What `undo` will do ("expiring it"), for people who decide; "" if it does nothing."""
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
        """One reading of whether it helped; the workflow reads again until it is sure or the time is over."""


_ActionType = TypeVar("_ActionType", bound=type[Action])


_OLD_NAMES = {"way_back": "undo", "undone_by": "undo_text"}


def action(cls: _ActionType) -> _ActionType:
    """Register an Action class; its `name` is its file's. A method under an old name would never be called.

    Raises ConfigurationError for such a one.
    """
    for old, new in _OLD_NAMES.items():
        if old in vars(cls):
            raise ConfigurationError(f"{cls.__module__}: {old} of an action is called {new} now", key="plugins")
    cls.name = cls.__module__.rsplit(".", 1)[-1]
    return cls


def tiers_of(config: Config, kinds: Mapping[str, type[Action]]) -> dict[str, Tier]:
    """The tier of each entry and plan of the catalogue, as kinds and the file set it; arguments can only raise it."""
    entries = {
        name: tier_with(kinds[entry.kind].tier_of(entry), entry, targets=1)
        for name, entry in config.actions.items()
        if entry.kind in kinds
    }
    steps = {name: [entries[step] for step in config.steps_of(name) if step in entries] for name in config.plans}
    return {**{name: plans.tier_of(name, tiers, config) for name, tiers in steps.items()}, **entries}
