"""Remediations: tiers, the proposal that people approve, and what came of it."""

from collections.abc import Sequence
from datetime import datetime
from enum import IntEnum, StrEnum

from pydantic import AliasChoices, BaseModel, ConfigDict, Field


class Tier(IntEnum):
    """How dangerous an action is (the least one in code, configuration can raise it). X is never by the bot."""

    ZERO = 0
    ONE = 1
    TWO = 2
    THREE = 3
    X = 9

    @property
    def label(self) -> str:
        """`tier 2` or `never by the bot`."""
        return "never by the bot" if self is Tier.X else f"tier {self.value}"

    @property
    def needs_form(self) -> bool:
        """From tier 2 on the button opens a dialog with the plan, and its submission is the answer."""
        return self >= Tier.TWO


class Autonomy(StrEnum):
    """How far Tocsin goes with an action on a service. Each word stands in tocsin.yaml and on the card."""

    OBSERVE = "observe"
    """Findings only: nothing is proposed."""
    SUGGEST = "suggest"
    """What a person would run by hand; nobody approves it here."""
    APPROVE = "approve"
    STANDING_APPROVAL = "standing"
    """People may grant it for a time."""

    @property
    def rank(self) -> int:
        """0 for the least."""
        return tuple(Autonomy).index(self)

    @property
    def runs(self) -> bool:
        """Whether Tocsin runs it at all, once people have approved it."""
        return self.rank >= Autonomy.APPROVE.rank


SILENCES = ("silence_alert", "tocsin_silence")
"""Kinds of action that mute alerts for a `duration`: in Alertmanager, and in Tocsin itself. Nothing recovers by one."""


class ProposalState(StrEnum):
    """Life of a proposal; each transition is one conditional update and one audit row."""

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
        """True if the bot takes no transition out of this state; of `unknown` people may still say what came of it."""
        return self not in OPEN_STATES

    @property
    def predicate(self) -> str:
        """What `AP-1 is ...` goes on with."""
        words = {ProposalState.COULD_NOT_VERIFY: "not verified", ProposalState.UNKNOWN: "of unknown outcome"}
        return words.get(self, self.value)

    @property
    def decidable(self) -> bool:
        """True while people may approve or deny it."""
        return self in DECIDABLE

    @property
    def asks_by_hand(self) -> bool:
        """Whether the card asks if somebody ran it by hand, or what came of a run."""
        return self in (ProposalState.FAILED, ProposalState.STALE, ProposalState.EXPIRED, ProposalState.UNKNOWN)

    def leads_to(self, state: "ProposalState") -> bool:
        """Whether a transition to `state` may be taken: not out of a final one, except by an answer to `unknown`."""
        return not self.final or (self is ProposalState.UNKNOWN and state in ANSWERS_TO_UNKNOWN)


DECIDABLE = (ProposalState.PENDING, ProposalState.PARTLY_APPROVED)
OPEN_STATES = frozenset(
    {
        *DECIDABLE,
        ProposalState.APPROVED,
        ProposalState.CLAIMED,
        ProposalState.EXECUTING,
        ProposalState.VERIFYING,
    }
)

ANSWERS_TO_UNKNOWN = frozenset({ProposalState.VERIFYING, ProposalState.FAILED})
"""A person looked at the remote side: it ran, and its signal is watched; or it did not."""

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


class DecisionChoice(StrEnum):
    """What one person answers to a proposal."""

    APPROVE = "approve"
    DENY = "deny"

    @property
    def past(self) -> str:
        """`approved` or `denied`: the same word in a sentence about what somebody did."""
        return "approved" if self is DecisionChoice.APPROVE else "denied"


class Replicas(BaseModel):
    """How many copies of a target there should be, and how many of them an action takes away at once."""

    model_config = ConfigDict(frozen=True)

    desired: int = Field(validation_alias=AliasChoices("desired", "wanted"), serialization_alias="wanted")
    """`wanted` in records and the API, which are fingerprinted as they are."""
    away: int


class DryRun(BaseModel):
    """What would happen, and to what; `targets` carries resource versions for the precondition."""

    model_config = ConfigDict(frozen=True)

    ok: bool
    text: str
    """A diff or the rendered request, as shown to people."""
    targets: dict[str, str] = Field(default_factory=dict)
    """Target name -> resource version at the time of the dry run."""
    replicas: dict[str, Replicas] = Field(default_factory=dict)
    """By target, where the number of its copies is known."""
    least_tier: Tier = Tier.ZERO
    """At least this tier, by what the dry run saw (e.g. a silence that covers several alerts)."""


class OutcomeState(StrEnum):
    """What is known of the one remote call once it was made. `unknown`: it may have acted, and is never repeated."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


ATTEMPT_STARTED = "started"
"""The state of an attempt before its outcome is known: then it is an OutcomeState."""


class Outcome(BaseModel):
    """What the remote side answered to the one call."""

    model_config = ConfigDict(frozen=True)

    state: OutcomeState
    text: str
    remote_id: str = ""


class VerificationState(StrEnum):
    """Whether the signal came back."""

    RECOVERED = "recovered"
    NOT_RECOVERED = "not recovered"
    COULD_NOT_VERIFY = "could not verify"


class Verification(BaseModel):
    """One reading of the signal. An absent series or a dead Prometheus is `could not verify`."""

    model_config = ConfigDict(frozen=True)

    state: VerificationState
    text: str
    query: str = ""
    value: float | None = None


class Plan(BaseModel):
    """What exactly would be done: an action with checked arguments, its dry run and its tier. Nothing has run."""

    model_config = ConfigDict(frozen=True)

    action: str
    """The catalogue entry's name, e.g. `rollback`."""
    action_version: str
    kind: str
    """The action plugin's name, e.g. `run_webhook`."""
    service: str
    title: str
    arguments: dict[str, object]
    """No floats: numbers are integers or strings."""
    targets: dict[str, str]
    steps: list[str]
    dry_run: str
    dry_run_ok: bool = True
    replicas: dict[str, Replicas] = Field(default_factory=dict)
    """By target, where the number of its copies is known."""
    tier: Tier
    undo: str = Field(default="", validation_alias=AliasChoices("undo", "inverse"), serialization_alias="inverse")
    """How it is undone, in words; "" where nothing undoes it. Records of older versions name the catalogue's entry.

    Records in databases and the API call it `inverse`.
    """
    parts: list["Plan"] = Field(default_factory=list)
    """The actions that run one after the other, where it is a plan of several; empty for a single action."""

    @property
    def runs(self) -> Sequence["Plan"]:
        """What runs, in its order: the parts, or the single action itself."""
        return self.parts or (self,)

    def effect(self) -> dict[str, object]:
        """The fields that a dry run fills."""
        return {
            name: getattr(self, name) for name in ("title", "targets", "dry_run", "dry_run_ok", "replicas", "tier", "parts")
        }

    def same_effect(self, other: "Plan") -> bool:
        """Whether both dry runs show the same: text, targets with their versions and copies, tier."""
        return self.effect() == other.effect()


class Terms(Plan):
    """Everything that an approval covers: the canonical record is made of exactly these fields."""

    ref: str
    revision: int
    group: str
    incident: str
    policy_version: str
    requester: str
    """Person key, or empty: Tocsin suggested it by itself."""
    requesters: list[str] = Field(default_factory=list)
    """Everyone else whose word led to it, sorted: whose hint named it, who asked for or ran what it takes back."""
    because: str
    expires_at: datetime
    autonomy: Autonomy = Autonomy.APPROVE
    """How far Tocsin went with it when it was proposed."""

    @property
    def all_requesters(self) -> frozenset[str]:
        """Everyone whose word led to it, without Tocsin itself."""
        return frozenset({self.requester, *self.requesters}) - {""}


class Proposal(Terms):
    """Terms that were put to people, and what has come of them."""

    state: ProposalState
    plan_fingerprint: str = Field(serialization_alias="digest")
    """SHA-256 of the canonical record, 64 hex digits."""
    dry_run_at: datetime
    outcome: str = ""
    verification: str = ""
    steps_begun: int = 0
    """How many of its steps a call was begun for; 1 for a single action that ran."""
    created_at: datetime


class Decision(BaseModel):
    """One person's answer to one revision."""

    model_config = ConfigDict(frozen=True)

    proposal: str
    revision: int
    person: str
    verdict: DecisionChoice
    reason: str
    at: datetime
