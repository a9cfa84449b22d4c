"""What policy is asked and what it answers: the nouns and the limits of approvals."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bot.core.action import Tier, Verdict
from bot.core.alert import Severity
from bot.core.approvals.roster import Eligibility
from bot.core.config import Freeze

MAX_OPEN = 5
"""Open proposals an incident (or an alert group without one)."""
MAX_TARGETS = 5
"""Resolved targets of one service within BLAST_WINDOW."""
BLAST_WINDOW = timedelta(hours=1)
DRY_RUN_LIFE = timedelta(minutes=2)
START_WITHIN = timedelta(minutes=2)
"""From the approval to the claim; later the proposal is stale."""
PROPOSAL_LIFE = timedelta(minutes=60)
SOLO_AFTER = timedelta(minutes=2)

RULE_ERRORS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What a rule on incomplete facts raises; each of them denies."""


@dataclass(frozen=True)
class RuleResult:
    """An answer with the rule that gave it. `who_may` says in words who could instead."""

    allow: bool
    rule: str
    text: str = ""
    who_may: str = ""
    solo: bool = False


@dataclass(frozen=True)
class ActionRequest:
    """What is to be done, as far as the rules care."""

    action: str
    service: str
    tier: Tier
    targets: tuple[str, ...]
    requester: str = ""
    undoes_change: bool = False
    """A rollback or a flag switched off: freezes never block it in an open SEV1/2."""
    dry_run_ok: bool = False
    notified_at: datetime | None = None
    kind: str = ""
    silence: timedelta | None = None
    """How long a silence would last."""
    back_to: str = ""
    """The revision to which a rollback would go back."""


@dataclass(frozen=True)
class DecisionContext:
    """What is going on around it now."""

    now: datetime
    paused: str = ""
    """Why all automated actions are paused; "" if they are not."""
    stopped: bool = False
    """The incident was stopped."""
    severity: Severity = Severity.NONE
    """Worst open incident of the service, or of the proposal's own."""
    incident_open: bool = True
    freezes: tuple[Freeze, ...] = ()
    open_here: int = 0
    """Open proposals of this incident, without this one."""
    open_on_targets: str = ""
    """Another open proposal on one of the same targets."""
    recent_targets: tuple[str, ...] = ()
    """Targets touched on this service within the last hour, each time counted."""
    running_on_service: str = ""
    """Another proposal that runs on this service."""
    solo: Literal["off", "after", "immediate"] = "after"
    verified_revision: str = ""
    """The revision to which this action last brought the service back, verified on its signal."""


@dataclass(frozen=True)
class CountedDecision:
    """One decision on the revision in question, with the person's standing now."""

    standing: Eligibility
    verdict: Verdict
    at: datetime
    reason: str = ""


@dataclass(frozen=True)
class Quorum:
    """Whether the decisions so far carry the proposal."""

    state: Literal["pending", "partly approved", "approved", "denied"]
    text: str
    solo: bool = False
    missing: str = ""


def who_may(tier: Tier, service: str, requester: str = "") -> str:
    """In words, for the card and for refusals."""
    base = f"{service} on-call, the incident commander or a deputy"
    if tier is Tier.X:
        return "nobody: the bot never does this"
    if tier is Tier.THREE:
        return f"two different people of {base} or the owners, one of them an owner of {service}"
    if tier is Tier.TWO and requester:
        return f"{base}, but not the requester ({requester})"
    return base
