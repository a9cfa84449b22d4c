"""Standing approvals: what may be granted for a time, and what a grant covers. Two people grant it as a tier 3 proposal.

A grant covers one action with fixed arguments on fixed targets of one service, for one alert. No model is in its path.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from bot.core.action import Autonomy, Plan, ProposalState, Terms, Tier
from bot.core.actor import Actor
from bot.core.approvals import in_force
from bot.core.approvals.roster import Eligibility
from bot.core.config import Config, verbs
from bot.core.text.durations import duration_text

STANDING_APPROVAL = "standing_approval"
"""The kind and the built-in entry of a proposal that grants one."""
MAX_DAYS, MAX_A_DAY = 90, 10


class Grant(BaseModel):
    """What two people agreed to: the arguments of the proposal that grants it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: str
    arguments: dict[str, JsonValue] = Field(default_factory=dict)
    targets: tuple[str, ...]
    alert: str = Field(min_length=1, max_length=200)
    """The name of the alert rule: only while it fires on the service."""
    per_day: int = Field(ge=1, le=MAX_A_DAY)
    days: int = Field(ge=1, le=MAX_DAYS)
    action_version: str
    """Of the action and its entry in the catalogue: another one ends the grant."""

    def covers(self, service: str, terms: Terms) -> bool:
        """Whether exactly this is what was granted for the service."""
        same = (terms.service, terms.action, terms.arguments) == (service, self.action, self.arguments)
        return same and sorted(terms.targets) == sorted(self.targets) and terms.action_version == self.action_version

    def _what(self) -> str:
        """`scale replicas=6`."""
        return " ".join([self.action, *(f"{name}={value}" for name, value in sorted(self.arguments.items()))])

    def text(self, service: str, veto: timedelta) -> str:
        """What it means, in words."""
        return (
            f"When {self.alert} fires on {service} and Tocsin's own rules (no model) propose {self._what()} "
            f"on {', '.join(self.targets)}, it starts {duration_text(veto)} later without anybody's approval, unless "
            f"somebody stops it. At most {self.per_day} a day, for {self.days} days. One run that is not verified, an undo by "
            "people, or a new version of the action ends it."
        )


def why_not_granted(config: Config, plan: Plan, verified: int) -> str:
    """Why nobody may grant this; "" if two people may. `verified`: runs in a row without harm, up to now."""
    if plan.action not in config.actions:
        return f"{plan.action} is no single action of the catalogue"
    if in_force.autonomy(config, plan.service, plan.action) is not Autonomy.STANDING_APPROVAL:
        return f"autonomy of {plan.action} on {plan.service} is not standing in tocsin.yaml"
    if plan.tier not in (Tier.ONE, Tier.TWO):
        return f"{plan.action} is {plan.tier.label}: only tiers 1 and 2 may stand"
    entry = config.actions[plan.action]
    names = plan.kind, *verbs.telling_names(plan.action, entry.url, entry.body, entry.options)
    if verbs.least_tier_of(*names) >= Tier.TWO:
        return f"what {verbs.verb_of(*names) or 'scale or shut down'}s never stands"
    if (needed := in_force.standing_approvals(config).verified) > verified:
        return f"{plan.action} was verified {verified} times in a row with exactly this, and {needed} are needed"
    return ""


def may_stop(actor: Actor) -> bool:
    """Whether this account may stop what a standing approval is about to start."""
    return not (actor.is_bot or actor.is_guest or actor.is_stranger or actor.is_deleted)


def may_revoke(eligibility: Eligibility) -> bool:
    """Whether this person may end a standing approval for good."""
    return eligibility.rostered or eligibility.admin


class RunEnd(NamedTuple):
    """How one run ended, as the keyed audit has it."""

    ref: str
    service: str
    action: str
    state: ProposalState
    by_people: bool
    """A person ran it, asked for it or said that they did."""
    as_granted: bool = True
    """With the arguments and on the targets of the grant; else the same action undid what it does."""

    @property
    def verification_failed(self) -> bool:
        return self.state in (ProposalState.NOT_RECOVERED, ProposalState.COULD_NOT_VERIFY)


def harm(grant: Grant, service: str, undo: str, ends: Sequence[RunEnd], earlier: RunEnd | None = None) -> str:
    """What of the runs since it was granted (oldest first, and the one before) ends it; "" if nothing does."""
    for before, end in zip((earlier, *ends), ends, strict=False):
        own = end.service == service and end.action == grant.action
        if own and end.state is not ProposalState.SUCCEEDED:
            return f"{end.ref} ({end.action} on {service}) ended as {end.state.value}"
        if own and end.by_people and not end.as_granted:
            return f"people set it otherwise ({end.ref})"
        if undo and end.service == service and end.action == undo and end.by_people:
            return f"people undid it ({end.ref})"
        if before and before.verification_failed and end.verification_failed:
            return f"two failed verifications in a row ({before.ref}, {end.ref})"
    return ""


@dataclass(frozen=True)
class StandingOffer:
    """What the card of a proposal says of the standing approval that would start it."""

    grant: str
    starts_at: datetime
    stopped: bool = False
    used: bool = False
