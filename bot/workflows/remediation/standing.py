"""Granting standing approvals, and the tick that ends what no longer may stand."""

from collections.abc import Mapping

from bot.core.action import Proposal
from bot.core.actor import Actor
from bot.core.approvals import in_force
from bot.core.approvals.standing import STANDING_APPROVAL, why_not_granted
from bot.core.errors import NotAllowed
from bot.workflows.remediation.approvals import Approvals


async def request_grant(
    approvals: Approvals,
    actor: Actor,
    action: str,
    service: str,
    arguments: Mapping[str, object],
    *,
    alert: str,
    per_day: int,
    days: int,
    group_ref: str,
    key: str,
) -> Proposal:
    """Put a standing approval to two people as a tier 3 proposal. Raises NotAllowed, NotFound, ActionFailed."""
    plan = await approvals.executor.plan(action, service, arguments)
    if why := why_not_granted(approvals.config, plan, await approvals.standing_approvals.verified(plan)):
        raise NotAllowed(f"This can't be granted: {why}.")
    roster = await approvals.rotas.roster(service)
    eligibility = await approvals.store.eligibility(actor.person, service, group_ref, roster)
    if not (eligibility.on_call or eligibility.commander or eligibility.deputy or eligibility.owner):
        may = f"{service} on-call, its owners, the incident commander or a deputy"
        raise NotAllowed(f"You can't ask for a standing approval on {service}. Who may: {may}.")
    needed = in_force.standing_approvals(approvals.config)
    terms: dict[str, object] = {
        "action": action,
        "arguments": dict(plan.arguments),
        "allowed": sorted(plan.targets),
        "alert": alert,
        "per_day": per_day,
        "days": days,
        "action_version": plan.action_version,
        "veto_seconds": int(needed.veto.total_seconds()),
    }
    because = f"{actor.person} asks for it after {needed.verified} or more verified runs"
    return await approvals.propose(
        STANDING_APPROVAL, service, terms, group_ref=group_ref, requester=actor.person, because=because, key=key, actor=actor
    )


class StandingTick:
    """Ends grants that are over for good; what starts asks the same again by itself."""

    def __init__(self, approvals: Approvals) -> None:
        self.approvals = approvals

    async def __call__(self) -> None:
        await self.approvals.standing_approvals.sweep(await self.approvals.authority())
