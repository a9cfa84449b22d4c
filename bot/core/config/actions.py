"""The catalogue of remediations, who approves them, and when none may start."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BeforeValidator, Field

from bot.core.change import ChangeKind
from bot.core.config.fields import Address, ConfigSection, Duration, Period
from bot.core.evidence import CauseKind


class VerifyConfig(ConfigSection):
    signal: str
    """A signal of the service, e.g. `errors`."""
    below: float | None = None
    above: float | None = None
    within: Duration = timedelta(minutes=5)


class ActionConfig(ConfigSection):
    """One entry of the catalogue of remediations."""

    kind: str
    """A file of bot/actions, e.g. `run_webhook`, `silence_alert`."""
    title: str = ""
    """A verb phrase for cards: "Roll back checkout"; `{service}` is filled in."""
    when: str = ""
    """When it helps and when not; shown to people and to the model."""
    helps: tuple[CauseKind, ...] = ()
    """Kinds of hypothesis it fits. Empty: only people propose it."""
    change_kinds: tuple[ChangeKind, ...] = ()
    """With `change` in helps: only these kinds of change. Empty: any."""
    url: Address = ""
    method: Literal["POST", "PUT"] = "POST"
    body: dict[str, Any] = Field(default_factory=dict)
    """Rendered with {service}, {change_id}, {version}, {previous_version}: plain substitution, no expressions."""
    idempotent: bool = False
    undo: str = Field(default="", validation_alias=AliasChoices("undo", "inverse"), serialization_alias="inverse")
    """The entry that undoes it. `inverse` is its old name: files may still have it, and the versions that records hold
    are hashes over it."""
    tier: int | None = None
    """Raises the least tier of the kind, never lowers it."""
    services: tuple[str, ...] = ()
    """Empty: every service of the catalogue."""
    verify: VerifyConfig | None = None
    allow_private: bool = False
    """Private and loopback addresses are refused unless this is set; link-local never."""
    options: dict[str, Any] = Field(default_factory=dict)


class Approvers(ConfigSection):
    deputies: tuple[str, ...] = ()
    """May command incidents and approve tiers 1 to 3."""
    admins: tuple[str, ...] = ()


class SoloMode(StrEnum):
    """Whether one on-call alone may approve what they asked for: never, after two minutes without an answer, at once."""

    OFF = "off"
    AFTER = "after"
    IMMEDIATE = "immediate"


def _bare_off(word: object) -> object:
    # YAML 1.1 reads the bare words off and no as false.
    return "off" if word is False else word


Solo = Annotated[SoloMode, BeforeValidator(_bare_off)]


class Limits(ConfigSection):
    """How much harm one mistake may do. A file can only make it less."""

    targets_an_hour: int = Field(default=5, ge=1, le=5)
    """Of one service, over all that is approved."""
    open_proposals: int = Field(default=5, ge=1, le=5)
    """Of one incident, or of an alert group without one."""


class Freeze(Period):
    """No action starts in this window (except a rollback for an open SEV1/2)."""

    services: tuple[str, ...] = ()
