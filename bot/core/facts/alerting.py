"""Facts of alerts: what fires, and a burst of alerts counted in the bursts before it."""

from collections.abc import Mapping
from typing import Literal

from pydantic import AliasChoices, AwareDatetime, Field

from bot.core.facts.fact import Fact

AlertKind = Literal["disk", "memory", "cpu", "network", "load", "errors", "latency", "logs", "other"]
Level = Literal["pod", "service", "host"]
CallEnd = Literal["own", "callee", "caller", "waiting"]
"""Whether an alert is about the component itself or about calls, and then at which end the component stands; "waiting":
the caller's own measure of a call, which holds the way there and back too."""


class AlertFact(Fact):
    """One firing alert; texts are untrusted. `service` is "" where the catalogue knows none."""

    name: str
    service: str
    starts_at: AwareDatetime
    severity: str = ""


class FiringFact(Fact):
    """One kind of alert on one component (`bot.core.ranking.alert_burst.Firing`); aliases are names of older versions."""

    component: str
    level: Level
    service: str
    host: str
    what: str
    kind: AlertKind
    role: CallEnd
    weight: float
    at: AwareDatetime
    earlier_here: int = Field(0, validation_alias=AliasChoices("earlier_here", "own"))
    weighted_here: float | None = Field(None, validation_alias=AliasChoices("weighted_here", "lately"))
    """None in facts of versions that did not weight earlier bursts by their age."""
    weighted_alike: float = Field(0.0, validation_alias=AliasChoices("weighted_alike", "alike"))
    share_of_ends: float = Field(1.0, validation_alias=AliasChoices("share_of_ends", "seen"))
    novelty: float = 0.0
    """Of a line never logged here before: earlier bursts, weighted by age, in which something new was logged here."""
    novelty_alike: float = 0.0
    callee: str = ""
    """Of a wait: the service that was called."""
    callees: int = 0
    """Services that this component, or another part of its service, was ever seen to wait for."""
    waiting_callers: int = 0
    """Components that were ever seen to wait for the called service."""
    name: str = ""
    """`what` with its digits; "" in facts of older versions."""


class BurstFact(Fact):
    """One burst of alerts (`bot.core.ranking.alert_burst.Burst`); the alias is the name of older versions."""

    firings: tuple[FiringFact, ...]
    bursts: int
    weighted_bursts: float | None = Field(None, validation_alias=AliasChoices("weighted_bursts", "lately"))
    population: Mapping[Level, int]
    pods: Mapping[str, int]
