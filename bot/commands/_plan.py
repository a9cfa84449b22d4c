"""The target that is typed at tier 3, and the answer to a proposal."""

from bot.core.action import DecisionChoice, Proposal
from bot.plugins import Request
from bot.store.approvals.decisions import Press


def target_name(proposal: Proposal) -> str:
    """What has to be typed at tier 3: the one target, else the service."""
    return next(iter(proposal.targets)) if len(proposal.targets) == 1 else proposal.service


def press_of(request: Request, revision: int, verdict: DecisionChoice, reason: str = "") -> Press:
    """The answer that a request gives to a proposal."""
    return Press(
        ref=request.ref,
        revision=revision,
        actor=request.actor,
        verdict=verdict,
        reason=reason.strip()[:500],
        key=request.key,
        card=request.message,
        channel=request.channel,
    )
