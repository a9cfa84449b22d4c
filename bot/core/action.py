"""Remediations: tiers, the proposal that people approve, and what came of it."""

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Tier(IntEnum):
    """How dangerous an action is (floor in code, configuration can raise). X is never by the bot."""

    ZERO = 0
    ONE = 1
    TWO = 2
    THREE = 3
    X = 9

    @property
    def label(self) -> str:
        """`tier 2` or `never by the bot`."""
        return "never by the bot" if self is Tier.X else f"tier {self.value}"


class ProposalState(StrEnum):
    """Life of a proposal; each edge is one conditional update and one audit row."""

    PENDING = "pending"
    PARTLY_APPROVED = "partly approved"
    APPROVED = "approved"
    CLAIMED = "claimed"
    EXECUTING = "executing"
    VERIFYING = "verifying"
    SUCCEEDED = "succeeded"
    NOT_RECOVERED = "not recovered"
    COULD_NOT_VERIFY = "could not verify"
    FAILED = "failed"
    UNKNOWN = "unknown"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    STALE = "stale"
    STOPPED = "stopped"

    @property
    def final(self) -> bool:
        """Final states are final."""
        return self not in OPEN_STATES


OPEN_STATES = frozenset(
    {
        ProposalState.PENDING,
        ProposalState.PARTLY_APPROVED,
        ProposalState.APPROVED,
        ProposalState.CLAIMED,
        ProposalState.EXECUTING,
        ProposalState.VERIFYING,
    }
)

WITHOUT_EFFECT = frozenset(
    {
        ProposalState.DENIED,
        ProposalState.EXPIRED,
        ProposalState.WITHDRAWN,
        ProposalState.SUPERSEDED,
        ProposalState.STALE,
        ProposalState.STOPPED,
    }
)
"""Ends without a run: people still wait for something to do."""

Verdict = Literal["approve", "deny"]


class DryRun(BaseModel):
    """What would happen, and to what; `targets` carries resource versions for the precondition."""

    model_config = ConfigDict(frozen=True)

    ok: bool
    text: str
    """A diff or the rendered request, as shown to people."""
    targets: dict[str, str] = Field(default_factory=dict)
    """Target name -> resource version at the time of the dry run."""
    floor: Tier = Tier.ZERO
    """At least this tier, by what the dry run saw (e.g. a silence that covers several alerts)."""


class Outcome(BaseModel):
    """What the remote side answered to the one call."""

    model_config = ConfigDict(frozen=True)

    state: Literal["done", "failed", "unknown"]
    text: str
    remote_id: str = ""


class Verification(BaseModel):
    """Whether the signal came back. An absent series or a dead Prometheus is `could not verify`."""

    model_config = ConfigDict(frozen=True)

    state: Literal["recovered", "not recovered", "could not verify"]
    text: str
    query: str = ""
    value: float | None = None


class Proposal(BaseModel):
    """An action with exact arguments, put to people. The card is rendered from this record only."""

    model_config = ConfigDict(frozen=True)

    ref: str
    revision: int
    group: str
    incident: str
    action: str
    """The catalogue entry's name, e.g. `rollback`."""
    action_version: str
    kind: str
    """The shelf's name, e.g. `run_webhook`."""
    service: str
    title: str
    arguments: dict[str, Any]
    """No floats: numbers are integers or strings."""
    targets: dict[str, str]
    steps: list[str]
    dry_run: str
    dry_run_ok: bool = True
    dry_run_at: datetime
    tier: Tier
    policy_version: str
    requester: str
    """Person key, or empty: the agent proposed by itself."""
    because: str
    inverse: str = ""
    """The catalogue entry that undoes it, or in words how it undoes itself; "" where there is no way back."""
    expires_at: datetime
    state: ProposalState
    digest: str
    outcome: str = ""
    verification: str = ""
    created_at: datetime


class Decision(BaseModel):
    """One person's answer to one revision."""

    model_config = ConfigDict(frozen=True)

    proposal: str
    revision: int
    person: str
    verdict: Verdict
    reason: str
    at: datetime
