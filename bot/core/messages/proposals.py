"""What the cards of a proposal and of a policy show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.action import Decision, Proposal
from bot.core.approvals.plans import StepRun
from bot.core.approvals.policies.policy_review import PolicyState
from bot.core.approvals.standing import StandingOffer
from bot.core.messages.content import Content


@dataclass(frozen=True, kw_only=True)
class ProposalContent(Content):
    """A proposal with the answers of people and with who leads its incident."""

    proposal: Proposal
    decisions: Sequence[Decision] = ()
    """On all revisions, oldest first."""
    solo: bool = False
    """Approved by the requester alone, as the policy allows where nobody else is there."""
    break_glass: bool = False
    """Approved by one person alone, who is named for it."""
    standing_offer: StandingOffer | None = None
    """The standing approval that would start it, or did."""
    manual: bool = False
    """A person ran it by hand."""
    lead: str = ""
    deputies: Sequence[str] = ()
    runs: Sequence[StepRun] = ()
    """The steps that were begun."""
    alerts_cleared_at: datetime | None = None
    """Since when no alert of its group fires, as far as this could be checked; None while one does."""

    @property
    def service(self) -> str:
        return self.proposal.service

    @property
    def urgent_part(self) -> object:
        about = (
            self.proposal,
            self.decisions,
            self.solo,
            self.break_glass,
            self.standing_offer,
            self.manual,
            self.lead,
            self.deputies,
        )
        return *about, self.runs, self.alerts_cleared_at


@dataclass(frozen=True, kw_only=True)
class PolicyContent(Content):
    """A policy that gives people more than the one that counts."""

    ref: str
    state: PolicyState
    gains: Sequence[str]
    """What gets wider, in words."""
    loaded_by: str
    until: datetime
    who_may: str
    """`alice or bob can.`"""
    agreed: Sequence[str] = ()
    """Who confirmed it already, where it takes two."""
    decided_by: str = ""
    decided_at: datetime | None = None

    @property
    def urgent_part(self) -> object:
        return self.state, self.agreed, self.decided_by
