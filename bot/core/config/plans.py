"""Plans of several actions of the catalogue, which run one after the other once the whole was approved."""

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import Field, field_validator

from bot.core.change import ChangeKind
from bot.core.config.fields import ConfigSection
from bot.core.evidence import CauseKind

MAX_STEPS = 5


class PlanStepConfig(ConfigSection):
    """One step: an entry of the catalogue with its arguments."""

    action: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    """As `propose` takes them. What an action fills in by itself (a change, a number of pods) may be left out."""

    @field_validator("arguments")
    @classmethod
    def _arguments(cls, arguments: dict[str, Any]) -> dict[str, Any]:
        if wrong := next(_without_one_spelling(arguments), ""):
            raise ValueError(f"{wrong} has more than one spelling: write it as text or as a whole number")
        return arguments


class PlanConfig(ConfigSection):
    """Steps in their order; the plan stops at the first that is not verified."""

    kind: ClassVar[str] = "plan"
    title: str = ""
    """A verb phrase for cards: "Drain and restart {service}"."""
    when: str = ""
    """When it helps and when not; shown to people."""
    helps: tuple[CauseKind, ...] = ()
    """Kinds of hypothesis it fits. Empty: only people propose it."""
    change_kinds: tuple[ChangeKind, ...] = ()
    """With `change` in helps: only these kinds of change. Empty: any."""
    services: tuple[str, ...] = ()
    """Empty: every service that all of its actions are for."""
    tier: int | None = None
    """Raises the tier, which is the highest of its steps and at least 2."""
    steps: tuple[PlanStepConfig, ...] = Field(min_length=2, max_length=MAX_STEPS)


def _without_one_spelling(value: object, name: str = "") -> Iterator[str]:
    """Names of values that the canonical record cannot hold."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _without_one_spelling(item, str(key))
    elif isinstance(value, list):
        for item in value:
            yield from _without_one_spelling(item, name)
    elif not isinstance(value, str | bool | int | None):
        yield name
