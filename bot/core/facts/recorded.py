"""Facts that are read from records: log lines by template, time spent in traces, versions, runbooks, past incidents."""

from typing import Annotated, Literal

from pydantic import AliasChoices, AwareDatetime, BeforeValidator, Field

from bot.core.facts.fact import Fact


class TemplateFact(Fact):
    """Log lines of one template: how many came in the window, and how many the time before lets expect."""

    template: str
    count: int
    before: float
    trend: Literal["new", "vanished", "surging", "steady"] = Field("steady", validation_alias=AliasChoices("trend", "turn"))
    """Stored as `turn` by versions before this name."""
    last: Annotated[AwareDatetime | None, BeforeValidator(lambda stored: stored or None)] = None
    """When the last of its lines came. Older versions stored "" where none came."""
    first: AwareDatetime | None = None
    """When the first of its lines came, where it is new."""
    example: str = ""
    """One of its lines as it was written, where the details quote it."""


class ContrastFact(Fact):
    """A value that nearly all failing lines hold, and few of the others (`bot.core.logs.contrast.Contrast`)."""

    field: str
    value: str
    failing: int
    of: int
    others: int
    others_of: int
    pods: int = 1
    """Pods that wrote these failing lines, where they name them."""


class TimeSpentFact(Fact):
    """Median seconds a request of one operation (`bot.core.traces.spans.TimeSpent`)."""

    service: str
    operation: str
    now: float
    before: float
    requests: int
    requests_before: int
    errors: int
    errors_before: int


class ModelVersionFact(Fact):
    """One version of a service's model; `serves_as` is "" where it does not serve."""

    version: str
    serves_as: str
    since: AwareDatetime


class PodFact(Fact):
    """One pod that a finding names: where names are masked, they are found by these fields."""

    pod: str
    node: str = ""
    namespace: str = ""


class RunbookFact(Fact):
    """A runbook that fits, with the share of the alert's words that it holds (1 where it is named like the alert)."""

    id: str
    title: str
    similarity: float = Field(validation_alias=AliasChoices("similarity", "score"))
    """`score` in older records."""


class PastIncidentFact(Fact):
    """A resolved incident that resembles this one, and what a person said its cause was."""

    ref: str
    title: str
    at: AwareDatetime
    similarity: float = Field(validation_alias=AliasChoices("similarity", "score"))
    """From 0 to 1; `score` in older records."""
    reasons: tuple[str, ...]
    cause: str
    service: str
    kind: str
    confirmed_by: str = Field(validation_alias=AliasChoices("confirmed_by", "said_by"))
    """`said_by` in older records."""


class FixFact(Fact):
    """How often one remediation ran in incidents like this one, and how often the signal recovered after it."""

    action: str
    service: str
    ran: int
    verified: int
