"""Alerts: one firing or resolved signal, its identity and its episodes."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["firing", "resolved"]


class Severity(StrEnum):
    """SEV1 is the worst. `NONE` is stored and never posted."""

    SEV1 = "SEV1"
    SEV2 = "SEV2"
    SEV3 = "SEV3"
    SEV4 = "SEV4"
    NONE = "NONE"

    @property
    def rank(self) -> int:
        """0 for SEV1 to 4 for NONE."""
        return list(Severity).index(self)

    def at_least(self, other: "Severity") -> bool:
        """True if this is as bad as `other` or worse."""
        return self.rank <= other.rank

    def worse_than(self, other: "Severity") -> bool:
        """True if this is worse than `other`."""
        return self.rank < other.rank


class Alert(BaseModel):
    """One delivery of one signal, as its source sent it; every text in it is untrusted."""

    model_config = ConfigDict(frozen=True)

    source: str
    fingerprint: str
    """Identity of the signal over its life: same labels, same fingerprint."""
    status: Status
    name: str
    severity: str = ""
    """The source's own word ("critical"); the configuration maps it to SEVn."""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    starts_at: datetime
    start_is_report: bool = False
    """`starts_at` is when its source reported this, and no start of its own: what fires already is reported once more."""
    ends_at: datetime | None = None
    group_key: str = ""
    """The source's own grouping, if it has one."""
    link: str = ""
    """Where the source shows it (generator URL)."""
    expression: str = ""
    """The query behind the alert, where the source sends it."""

    @property
    def episode(self) -> str:
        """Fingerprint and start: one firing from beginning to end."""
        return f"{self.source}|{self.fingerprint}|{self.starts_at.isoformat()}"

    @property
    def summary(self) -> str:
        """What the source says is wrong, in one line; the name if it says nothing."""
        return self.annotations.get("summary") or self.annotations.get("description") or self.name
