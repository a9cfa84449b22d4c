"""What policy reads and what it answers: the nouns and the limits of approvals."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from bot.core.action import Autonomy, DecisionChoice, ProposalState, Replicas, Tier
from bot.core.alert import Severity
from bot.core.approvals.roster import Eligibility
from bot.core.config.actions import Freeze, Limits, SoloMode

BLAST_WINDOW = timedelta(hours=1)
"""Within which the targets of one service are counted."""
DRY_RUN_LIFE = timedelta(minutes=2)
START_WITHIN = timedelta(minutes=2)
"""From the approval to the claim; later the proposal is stale."""
PROPOSAL_LIFE = timedelta(minutes=60)
SOLO_AFTER = timedelta(minutes=2)
MAX_NAMES = 4
"""Approvers that a refusal names; the rest is a number."""

RULE_ERRORS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What a rule raises on incomplete facts; each of them denies."""


class Rule(StrEnum):
    """The rule that gave an answer. The audit stores these words, so they do not change."""

    MAY_PROPOSE = "may propose"
    MAY_APPROVE = "may approve"
    MAY_DENY = "may deny"
    MAY_START = "may start"
    MAY_SILENCE = "may silence"
    SOLO = "solo"
    BREAK_GLASS = "break-glass"
    AUTONOMY = "autonomy"
    ERROR = "error"
    TIER_X = "tier X"
    ONLY_HUMANS = "only humans"
    OTHER_WORKSPACE = "other workspace"
    DEACTIVATED = "deactivated"
    GUEST = "guest"
    NOT_IN_ROSTER = "not in the roster"
    NOT_ROSTERED = "not rostered"
    NOT_AN_APPROVER = "not an approver"
    REQUESTER = "requester"
    SOLO_REASON = "solo reason"
    PAUSED = "paused"
    STOPPED = "stopped"
    FREEZE = "freeze"
    CLOSED = "closed"
    SILENCE_LENGTH = "silence length"
    SILENCE_WIDTH = "silence width"
    OPEN_PROPOSALS = "open proposals"
    ONE_A_TARGET = "one a target"
    NO_TARGET = "no target"
    BLAST_RADIUS = "blast radius"
    BUSY = "busy"
    ROTA_UNREACHABLE = "rota unreachable"
    DRY_RUN = "dry run"
    TAMPERED = "fingerprint mismatch"
    EXPIRED = "expired"
    LATE = "late"
    OTHER_MESSAGE = "other message"
    NO_BUTTON = "no button"
    """The card has no such button: it cannot be approved there."""
    REVISION = "revision"
    DOUBLED = "doubled"
    REPEATED = "seen"
    """The same interaction was delivered once more."""
    TEXT = "text"
    """Words, emoji and reactions never approve."""


@dataclass(frozen=True)
class RuleResult:
    """An answer with the rule that gave it. `who_may` describes who could instead."""

    allow: bool
    rule: Rule
    text: str = ""
    who_may: str = ""
    solo: bool = False

    @property
    def explanation(self) -> str:
        """The text for whoever was refused."""
        return self.text + (f" Who may: {self.who_may}." if self.who_may else "")


@dataclass(frozen=True)
class ActionRequest:
    """What is to be done, as far as the rules care."""

    action: str
    service: str
    tier: Tier
    targets: tuple[str, ...]
    requester: str = ""
    requesters: frozenset[str] = frozenset()
    """Everyone else whose word led to it."""
    undo_of_change: bool = False
    """A rollback or a flag switched off: freezes never block it in an open SEV1/2."""
    dry_run_ok: bool = False
    notified_at: datetime | None = None
    kind: str = ""
    silence: timedelta | None = None
    """How long a silence would last."""
    autonomy: Autonomy = Autonomy.APPROVE
    """How far Tocsin goes with it: as it was proposed, or as it is configured now if that is less."""
    target_revision: str = ""
    """The revision to which a rollback would go back."""
    replicas: Mapping[str, Replicas] = field(default_factory=dict)
    """Copies of the targets, where the dry run could count them."""


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
    backed_severity: Severity = Severity.NONE
    """The same as far as alerts or somebody rostered stand behind it: it alone opens an exception."""
    declarers: frozenset[str] = frozenset()
    """Who declared that severity, where no alerts carry it: whoever is allowed by it was asked for by them too."""
    incident_open: bool = True
    freezes: tuple[Freeze, ...] = ()
    limits: Limits = field(default_factory=Limits)
    open_here: int = 0
    """Open proposals of this incident, without this one."""
    open_on_targets: str = ""
    """Another open proposal on one of the same targets."""
    recent_targets: tuple[str, ...] = ()
    """Targets touched on this service within the last hour, each time counted."""
    running_on_service: str = ""
    """Another proposal that runs on this service."""
    solo: SoloMode = SoloMode.AFTER
    verified_revision: str = ""
    """The revision to which this action last brought the service back, verified on its signal."""
    approvers: tuple[str, ...] = ()
    """Who may approve now, by name; empty where it was not resolved or nobody may."""


@dataclass(frozen=True)
class CountedDecision:
    """One decision on the revision in question, with the person's eligibility now."""

    eligibility: Eligibility
    verdict: DecisionChoice
    at: datetime
    reason: str = ""
    break_glass: bool = False
    """It was given as break-glass, and is in force as such."""


QuorumState = Literal[ProposalState.PENDING, ProposalState.PARTLY_APPROVED, ProposalState.APPROVED, ProposalState.DENIED]


@dataclass(frozen=True)
class Quorum:
    """Whether the decisions so far carry the proposal."""

    state: QuorumState
    text: str
    solo: bool = False
    missing: str = ""
    break_glass: bool = False


def requesters_text(requester: str, requesters: Iterable[str] = ()) -> str:
    """`alice`, or `alice, bob` with everyone whose word led to it; "" for nobody."""
    return ", ".join(dict.fromkeys(name for name in (requester, *sorted(requesters)) if name))


def who_may(tier: Tier, service: str, requester: str = "") -> str:
    """In words, for the card and for refusals."""
    base = f"{_on_call_of(service)}, the incident commander or a deputy"
    if tier is Tier.X:
        return "nobody: the bot never does this"
    if tier is Tier.THREE:
        return f"two different people of {base} or the owners, one of them an owner of {service}"
    if tier is Tier.TWO and requester:
        return f"{base}, but not the requester ({requester})"
    return base


def who_may_briefly(tier: Tier, service: str, requester: str = "") -> str:
    """The same as short as a card needs it."""
    if tier is Tier.X:
        return who_may(tier, service)
    if tier is Tier.THREE:
        return f"two of {service} on-call, commander, deputy and owners (one an owner)"
    barred = f", but not the requester ({requester})" if tier is Tier.TWO and requester else ""
    return f"{_on_call_of(service)}, incident commander or deputy{barred}"


def _on_call_of(service: str) -> str:
    """What concerns several services, or an unknown one, is the default on-call's."""
    return f"{service} on-call" if service else "the default on-call"


def names_text(names: Sequence[str]) -> str:
    """`alice`, `alice or bob`, `alice, bob or 3 others`."""
    shown = list(names[:MAX_NAMES])
    if more := len(names) - len(shown):
        shown.append(f"{more} other{'s' if more > 1 else ''}")
    return f"{', '.join(shown[:-1])} or {shown[-1]}" if len(shown) > 1 else "".join(shown)
