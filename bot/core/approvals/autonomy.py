"""The ladder: observe, suggest, approve, standing. What the lower rungs refuse, and how well an action did so far."""

from dataclasses import dataclass
from math import sqrt

from bot.core.action import Autonomy
from bot.core.approvals.policy_types import ActionRequest, Rule, RuleResult

_Z = 1.96
"""Of the normal distribution: 95 % lie within."""


def may_be_proposed(request: ActionRequest) -> RuleResult | None:
    """Refuses where Tocsin only observes."""
    if request.autonomy is not Autonomy.OBSERVE:
        return None
    text = f"Tocsin only observes {request.service} here ({request.action})."
    return RuleResult(False, Rule.AUTONOMY, text, "nobody; run it by hand and say `did`, or raise `autonomy` in tocsin.yaml")


def may_run(request: ActionRequest) -> RuleResult | None:
    """Refuses where Tocsin only observes or suggests, whoever approves it."""
    if request.autonomy.runs:
        return None
    text = f"Tocsin does not run {request.action} on {request.service}: its autonomy there is {request.autonomy.value}."
    return RuleResult(False, Rule.AUTONOMY, text, "nobody; run it by hand and say `did`")


@dataclass(frozen=True)
class TrackRecord:
    """What came of the runs of one action on one service."""

    service: str
    action: str
    tries: int = 0
    verified: int = 0
    failed: int = 0
    """Failed, or the signal did not recover; what could not be verified and what is unknown is neither."""
    suggested: int = 0
    """Times that it would have been proposed."""
    followed: int = 0
    """Times that people then did the same."""

    @property
    def at_least(self) -> float:
        """The lower end of Wilson's 95 % interval of the share that is verified. It informs, and gates nothing."""
        return wilson_lower_bound(self.verified, self.tries)


def wilson_lower_bound(successes: int, tries: int) -> float:
    """The lower end of the 95 % interval by Wilson (1927): 0 without a try."""
    if tries == 0:
        return 0.0
    share, z2 = successes / tries, _Z * _Z
    spread = _Z * sqrt(share * (1 - share) / tries + z2 / (4 * tries * tries))
    return max(0.0, (share + z2 / (2 * tries) - spread) / (1 + z2 / tries))
