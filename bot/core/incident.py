"""Alert groups and incidents: what belongs together, and what people or policy declared."""

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from bot.core.alert import Severity

READABLE_FOR = timedelta(minutes=3)
"""So long Prometheus must have been readable before silence means that nothing fires: rules wait before they do."""


class GroupState(StrEnum):
    """A group's life; the word is shown first on its card."""

    FIRING = "FIRING"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    MONITORING = "MONITORING"
    """All alerts cleared; closes by itself when nobody acted."""
    RESOLVED = "RESOLVED"


class IncidentState(StrEnum):
    OPEN = "OPEN"
    MONITORING = "MONITORING"
    RESOLVED = "RESOLVED"


def reference(kind: str, number: int) -> str:
    """`AL-3`, `INC-3`, `AP-3`: how people and the API name a row."""
    return f"{kind}-{number}"


def number_of(ref: str, kind: str) -> int | None:
    """The number in `AL-3` (any case); None if it is not such a reference."""
    head, _, tail = ref.strip().upper().partition("-")
    return int(tail) if head == kind and tail.isascii() and tail.isdigit() and len(tail) < 10 else None


class AlertGroup(BaseModel):
    """Alerts that belong together; exactly one card shows them."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    ref: str
    key: str
    source: str = ""
    """Whose alert opened it; "" where a person did."""
    title: str
    service: str
    severity: Severity
    state: GroupState
    channel: str
    opened_at: datetime
    last_alert_at: datetime
    cleared_at: datetime | None = None
    unconfirmed_at: datetime | None = None
    """Since when Prometheus, which evaluates its alerts, cannot be read, or when they ended then: nobody saw that."""
    readable_at: datetime | None = None
    """Since when it can be read again; ends count READABLE_FOR later."""
    unmeasured: str = ""
    """A service of which no series is left since its alerts ended."""
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    incident: str = ""
    """`INC-n` once declared."""
    alerts: int = 0
    """Episodes that joined."""
    firing: int = 0
    repeats: int = 0
    reopened: int = 0
    stale: int = 0
    """How many of those that fire were not repeated for long: whether they still fire is unknown."""
    flapping: str = ""
    """Which alert fires again and again, and how often; "" where none does."""
    private: bool = False
    """As its incident."""
    mentioned_at: datetime | None = None
    """When its on-call was mentioned first."""
    rev: int = 1

    @property
    def cleared(self) -> bool:
        """Whether all its alerts have cleared, as far as this could be checked."""
        return self.state is GroupState.MONITORING and self.unconfirmed_at is None

    @property
    def state_word(self) -> str:
        """The state as people read it: nothing fires where a person declared it, and an end may not be confirmed."""
        if self.state is GroupState.MONITORING and self.unconfirmed_at is not None:
            return "NOT CONFIRMED"
        return "OPEN" if self.declared and self.state is GroupState.FIRING else self.state.value

    @property
    def over_at(self) -> datetime | None:
        """When all its alerts had cleared, as far as this could be checked; None while one fires."""
        return self.cleared_at if self.cleared or self.state is GroupState.RESOLVED else None

    @property
    def declared(self) -> bool:
        """Whether a person declared what is wrong, and no alert has come yet."""
        return self.alerts == 0 and not (self.source or self.key)

    @property
    def merged(self) -> bool:
        """Whether people moved its alerts into another group."""
        return self.alerts == 0 and not self.declared


class Incident(BaseModel):
    """What people or policy declared."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    ref: str
    title: str
    severity: Severity
    service: str
    state: IncidentState
    channel: str
    group: str = ""
    lead: str = ""
    """Person key (roster) who leads; rights come only from the roster."""
    declared_by: str = ""
    """A person key, or "policy"."""
    declared_at: datetime
    monitoring_at: datetime | None = None
    resolved_at: datetime | None = None
    resolved_by: str = ""
    cause: str = ""
    """What a person confirmed; empty means not confirmed."""
    stopped: bool = False
    private: bool = False
    """Read by its channel's members alone."""
    rev: int = 1
