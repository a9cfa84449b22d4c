"""Facts of metrics: how far signals are from normal, which label value carries a change, what is left of an error budget."""

from collections.abc import Mapping
from typing import Literal

from pydantic import AliasChoices, AwareDatetime, Field

from bot.core.facts.fact import Fact

Family = Literal["errors", "latency", "traffic", "saturation", "external", "client", "network", "behaviour"]


class DeviationFact(Fact):
    """One signal of one service against its own past (`bot.core.metrics.deviation`), rounded; None for an unknown level."""

    service: str
    signal: str
    family: Family
    doublings: float = Field(validation_alias=AliasChoices("doublings", "score"))
    """Stored as `score` by versions before this name."""
    before: float | None
    after: float | None
    unit: str = ""
    onset: AwareDatetime | None = None
    direction: Literal["up", "down"] = "up"
    step: float = 0.0
    peer: str = ""
    not_before: AwareDatetime | None = None
    """The last sample before the onset, where nothing was measured for a while between the two."""
    climbs_since: AwareDatetime | None = None
    """When a resource that climbs through the whole window began to, where that stands out."""
    promql: str = ""
    """The query that shows it; "" where no single query does."""


class CurrentFact(Fact):
    """The newest value of one signal beside what is usual for it; None for a value or level that is not known."""

    service: str
    signal: str
    family: Family
    value: float | None
    usual: float | None
    unit: str = ""
    state: Literal["usual", "high", "low", "unknown"] = "unknown"
    trouble: bool = False
    """Beyond the threshold of its owners, or outside its usual range on the harmful side."""
    text: str
    """All of it in words."""


class JumpFact(Fact):
    """A signal that jumped with a change and stayed there; levels in `unit`."""

    change_id: str
    service: str
    signal: str
    before: float
    after: float
    unit: str = ""
    scales: float
    """The jump over what the signal moved before (robust standard deviations)."""


class BeyondThresholdFact(Fact):
    """A signal beyond the threshold that its owners set."""

    signal: str
    text: str
    """Service, signal, value and threshold in words."""


class BreakdownFact(Fact):
    """One value of the label that a signal was split by, in the signal's unit; None for a level without data."""

    labels: Mapping[str, str]
    before: float | None
    after: float | None
    share: float
    """Of the change, 0 to 1."""
    until: AwareDatetime | None = None
    """When its newest sample was taken; None in facts of versions that did not note it."""
    existed: bool = True
    """False for a value that had no samples before the onset, such as a new version: its `before` is 0."""


class ObjectiveFact(Fact):
    """One objective of a service; None for what could not be measured."""

    good: float | None
    budget_left: float | None
    burn: Mapping[str, float | None]
    """Burn rate by window."""
