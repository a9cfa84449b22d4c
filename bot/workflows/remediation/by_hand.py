"""Which steps of a plan people can say that they ran by hand, and how."""

from bot.core.action import Proposal, ProposalState
from bot.core.config.plans import PlanConfig
from bot.core.errors import NotAllowed


def refuse_unfitting_step(proposal: Proposal, step: int) -> None:
    """Raise NotAllowed where `step` (from 1; 0: none was named) is none that can be recorded, with what to say instead."""
    steps, ref = len(proposal.parts), proposal.ref
    if steps and proposal.state is ProposalState.UNKNOWN:
        raise NotAllowed(f"{ref} is unknown: say first whether its step ran, did {ref} or did not {ref}.")
    if steps and not 1 <= step <= steps:
        named = "; ".join(f"did {ref} {number} ({part.title})" for number, part in enumerate(proposal.parts, 1))
        raise NotAllowed(f"{ref} is a plan of {steps} steps. Record each that you ran: {named}.")
    if step and not steps:
        raise NotAllowed(f"{ref} has no steps. If you ran it: did {ref}.")


def refusal_of_plan(name: str, plan: PlanConfig, service: str) -> str:
    """Why a declared plan is not recorded as a whole, and what to say instead."""
    named = "; ".join(f"did {step.action} service={service}" for step in plan.steps)
    return f"{name} is a plan. Record each step that you ran: {named}."
