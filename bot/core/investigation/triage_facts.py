"""The facts of one triage as people see them: what the tools returned before anything was ranked."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.core.change import Change
from bot.core.facts.fact import problem_of


class PriorChange(Change):
    """A change up to the onset, with how long before it and the evidence that lists it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    evidence: str
    age_text: str
    """`12 min before onset`."""


class AlertCount(BaseModel):
    """How many alerts of one name fire on one service of the group; texts are untrusted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    service: str
    count: int


class RunbookExcerpt(BaseModel):
    """The runbook that fits the alert best, and its passage that fits best."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    link: str = ""
    passage: str = ""
    evidence: str


class PastSummary(BaseModel):
    """What people said caused incidents like this one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    evidence: str


class TriageFacts(BaseModel):
    """What one attempt gathered before it ranked causes. Stored as JSON in `TriageRow.facts` under these names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    onset: datetime | None = None
    """When the main signal left its normal range; None where no metric shows it."""
    onset_not_before: datetime | None = None
    """When it was measured last before that, where nothing was for a while."""
    onset_text: str = ""
    """The onset in words, or why none is known."""
    alert_at: datetime | None = None
    """When the first alert fired, or since when a person reports it."""
    declared: bool = False
    """A person declared it, and no alert had come."""
    beside: bool = False
    """Whether another outage of its service ran on when the alert fired: the main signal may be out of range since that."""
    signal: str = ""
    """Service and name of the main signal; "" without one."""
    onset_evidence: str = ""
    main: str = ""
    """The main deviation in words."""
    levels: str = ""
    """Of the main deviation before and after: `0.3 % → 46.7 %`; "" where both read alike."""
    health: tuple[str, ...] = ()
    """Further deviations of the service in words, the strongest first."""
    changes: tuple[PriorChange, ...] = ()
    """Newest first."""
    changes_evidence: str = ""
    changes_ok: bool = True
    """False where changes could not be listed."""
    changes_partly: bool = False
    """True where some of the systems that hold changes could not be queried."""
    alerts: tuple[AlertCount, ...] = ()
    """Of the group, most first."""
    alerts_evidence: str = ""
    runbook: RunbookExcerpt | None = None
    past: PastSummary | None = None
    graph: str = ""
    """The key of the stored picture of the main signal; "" without one."""
    not_checked: tuple[str, ...] = ()
    """What could not be checked, one sentence each."""


def stored_facts(stored: Mapping[str, object]) -> TriageFacts | None:
    """The facts of a stored attempt, None before there are any. Facts that do not fit are a failed check, never none."""
    if not stored:
        return None
    try:
        return TriageFacts.model_validate(stored)
    except ValidationError as error:
        text = f"The facts of this attempt could not be read ({problem_of(error)})"
        return TriageFacts(onset_text=text, changes_ok=False, not_checked=(text,))
