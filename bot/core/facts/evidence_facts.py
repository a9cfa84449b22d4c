"""All that one tool call may return for code to read: each field is one kind of fact."""

from collections.abc import Mapping

from pydantic import AliasChoices, Field

from bot.core.change import Change
from bot.core.facts.alerting import AlertFact, BurstFact
from bot.core.facts.code import DiffFact
from bot.core.facts.fact import Fact
from bot.core.facts.measured import BeyondThresholdFact, BreakdownFact, CurrentFact, DeviationFact, JumpFact, ObjectiveFact
from bot.core.facts.recorded import (
    ContrastFact,
    FixFact,
    ModelVersionFact,
    PastIncidentFact,
    PodFact,
    RunbookFact,
    TemplateFact,
    TimeSpentFact,
)


class EvidenceFacts(Fact):
    """What one tool call returned for code. A tool sets the kinds that it checks, empty ones too: None means not checked."""

    invalid_query: bool = Field(False, validation_alias=AliasChoices("invalid_query", "asked_wrong"))
    """The call failed because of its arguments: no access is missing. Stored as `asked_wrong` by older versions."""
    nothing_measured: bool = False
    """The call failed although the system answered: it holds nothing of what was queried."""

    deviations: tuple[DeviationFact, ...] = ()
    beyond: tuple[BeyondThresholdFact, ...] | None = None
    """Signals beyond their thresholds, of all signals of a service: set by what checks a service's whole health."""
    current: tuple[CurrentFact, ...] | None = None
    """The newest values of a service's signals."""
    problems: tuple[str, ...] | None = Field(None, validation_alias=AliasChoices("problems", "troubles"))
    """What a system reports of itself that is wrong, a sentence each; empty: nothing. `troubles` in older records."""
    by: str = ""
    """The label of the breakdown."""
    unit: str = ""
    """Of the breakdown's figures."""
    breakdown: tuple[BreakdownFact, ...] = ()
    tried: tuple[str, ...] = ()
    """Labels that the signal was split by."""
    last: float | None = None
    """The newest value of a metric."""
    objectives: Mapping[str, ObjectiveFact] = Field(default_factory=dict)

    changes: tuple[Change, ...] | None = None
    """Newest first."""
    jumps: tuple[JumpFact, ...] | None = None
    """What jumped with the changes of a service, the newest change first; empty: nothing did."""
    commits: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    diffs: tuple[DiffFact, ...] | None = None
    """What each commit between two versions touches, newest first."""
    version: str = ""
    """The version whose code was read, as the change names it."""
    models: tuple[ModelVersionFact, ...] = ()

    alerts: tuple[AlertFact, ...] | None = None
    """Oldest first."""
    burst: BurstFact | None = None

    services: tuple[str, ...] = ()
    """All services of the catalogue."""
    depends_on: tuple[str, ...] | None = None
    dependents: tuple[str, ...] | None = None
    further: Mapping[str, int] = Field(default_factory=dict)
    """Services that are called indirectly, with their distance in calls."""

    templates: tuple[TemplateFact, ...] = ()
    contrasts: tuple[ContrastFact, ...] = ()
    """What sets the failing lines apart, the most telling first."""
    pods: tuple[PodFact, ...] = ()
    spent: tuple[TimeSpentFact, ...] = ()

    runbooks: tuple[RunbookFact, ...] = ()
    incidents: tuple[PastIncidentFact, ...] = ()
    fixes: tuple[FixFact, ...] = ()

    bad_seconds: float | None = None
    """Impact: how long the service's signal was beyond its threshold; then its peak and mean, and failed requests."""
    peak: float | None = None
    mean: float | None = None
    failed: float | None = None

    @property
    def shows_health(self) -> bool:
        """Whether the health of a service as a whole was checked."""
        return self.beyond is not None
