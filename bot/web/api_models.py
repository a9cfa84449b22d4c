"""What the API answers with, beside the models of bot/core; FastAPI documents it from these models."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, computed_field

from bot.core.action import Decision, Proposal
from bot.core.alerts.grouping import GroupingReason
from bot.core.alerts.muting import MuteReason, parse_mute
from bot.core.evidence import LedgerEntry
from bot.core.incident import AlertGroup, Incident
from bot.core.timeline import TimelineEntry
from bot.store.answers.records import Record
from bot.store.tables import AuditRow


class Refusal(BaseModel):
    """Why a request has no answer."""

    error: str
    field: str = ""
    """The parameter that is wrong; left out where it is none of them."""


class _Row(BaseModel):
    model_config = ConfigDict(from_attributes=True, frozen=True)


class Episode(_Row):
    """One firing of one alert from beginning to end. Texts are the source's own: untrusted."""

    source: str
    fingerprint: str
    name: str
    service: str
    severity: str
    status: str
    starts_at: datetime
    ended_at: datetime | None
    first_seen_at: datetime
    last_seen_at: datetime
    repeats: int
    stale_at: datetime | None
    """Since when its source should have repeated it and did not; null while it does, and once it is resolved."""
    group_id: int | None
    """The number in `AL-n`."""
    grouping_reason: GroupingReason | Literal[""]
    """Why it belongs to its group; empty without one, and for alerts stored before reasons were."""
    grouping_text: str
    """The reason in words."""
    muted_by: str
    """What mutes it, in words; empty if it stands in a group."""
    labels: dict[str, str]
    annotations: dict[str, str]
    link: str
    expression: str

    @computed_field  # type: ignore[prop-decorator]
    @property
    def mute_reason(self) -> MuteReason | None:
        """The kind of what mutes it; null if it stands in a group."""
        mute = parse_mute(self.muted_by)
        return mute.reason if mute else None


class Triage(_Row):
    """One investigation attempt."""

    attempt: int
    state: str
    started_at: datetime
    finished_at: datetime | None
    question: str
    requester: str
    late_changes: list[str]
    """The changes, reported after the causes had been ranked, that brought this attempt about."""
    renewed: bool
    """Whether the group was about something new since the attempt before."""
    facts: dict[str, Any]
    findings: dict[str, Any]
    no_proposal: str
    """Why no action was put to people; empty if one was, or while the causes are not ranked."""
    usd: float


class DecidedProposal(BaseModel):
    """A proposal with every answer to every revision."""

    proposal: Proposal
    decisions: list[Decision]


class IncidentRecord(BaseModel):
    """A group or an incident with everything that belongs to it."""

    group: AlertGroup | None
    incident: Incident | None
    alerts: list[Episode]
    """At most 500; `group.alerts` counts all."""
    timeline: list[TimelineEntry]
    evidence: list[LedgerEntry]
    triages: list[Triage]
    proposals: list[DecidedProposal]


class AuditEntry(_Row):
    """One row of the audit; `hash`, over the whole of it, chains it to the row before."""

    seq: int
    at: datetime
    who: str
    what: str
    subject: str
    before: str
    after: str
    reason: str
    policy: str
    message: str
    prev: str
    hash: str
    withheld: bool = False
    """It is about something private: what was done and when, without any text of it."""


def audit_entry(row: AuditRow, *, is_private: bool) -> AuditEntry:
    """A row of the audit as the API shows it."""
    entry = AuditEntry.model_validate(row)
    if not is_private:
        return entry
    texts = dict.fromkeys(("who", "subject", "before", "after", "reason", "policy", "message"), "")
    return entry.model_copy(update={**texts, "withheld": True})


def incident_record(record: Record) -> IncidentRecord:
    """A record of the store as the API shows it."""
    return IncidentRecord(
        group=record.group,
        incident=record.incident,
        alerts=[Episode.model_validate(row) for row in record.alerts],
        timeline=list(record.timeline),
        evidence=list(record.evidence),
        triages=[Triage.model_validate(row) for row in record.triages],
        proposals=[DecidedProposal(proposal=proposal, decisions=list(decisions)) for proposal, decisions in record.proposals],
    )
