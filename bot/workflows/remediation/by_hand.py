"""What people ran by hand, or say of a run whose outcome is unknown: recorded, and its signal watched as after any run."""

from bot.core.action import Plan, Proposal, ProposalState
from bot.core.actor import Actor
from bot.core.approvals import plans
from bot.core.config.plans import PlanConfig
from bot.core.errors import NotAllowed
from bot.core.text.untrusted import one_line
from bot.store.approvals.proposals import ProposalDraft
from bot.workflows.remediation.approvals import WORKFLOW, Approvals, watching_id, workflow_id


class ManualRuns:
    """Records what people did themselves. Nothing is run or repeated here."""

    def __init__(self, approvals: Approvals) -> None:
        self.approvals, self.store = approvals, approvals.store

    async def record(
        self, what: str, actor: Actor, *, service: str = "", group_ref: str = "", key: str = "", step: int = 0
    ) -> Proposal:
        """A person did it by hand: `what` is `AP-3`, of a plan with the step, or a catalogue entry. Verified as any run."""
        requesters: frozenset[str] = frozenset()
        if what.upper().startswith("AP-"):
            proposal = await self.store.load(what.upper())
            group_ref, requesters = proposal.incident or proposal.group, proposal.all_requesters
            await self._may_record(actor, proposal.service, group_ref)
            plan = await self._plan_run_by_hand(what.upper(), actor, step)
        else:
            await self._may_record(actor, service, group_ref)
            if what in self.approvals.config.plans:
                raise NotAllowed(_refusal_of_plan(what, self.approvals.config.plans[what], service))
            plan = await self.approvals.plan(what, service, {}, group_ref, by_hand=True)
        because = one_line(f"Run by hand by {actor.person}, who alone says so", 500)
        draft = ProposalDraft(key or f"did:{what}:{actor.user}", group_ref, plan, because, actor.person, requesters)
        ref = await self.store.open_manual(draft, actor.person)
        await self.approvals.engine.start(WORKFLOW, workflow_id(ref), ref)
        return await self.store.load(ref)

    async def answer_unknown(self, ref: str, actor: Actor, *, ran: bool) -> str:
        """A person looked whether a run of unknown outcome took place; the answer to them. Raises NotAllowed, NotFound.

        If it ran, its signal is watched as after any run. Nothing is repeated in either case.
        """
        proposal = await self.store.load(ref)
        await self._may_record(actor, proposal.service, proposal.incident or proposal.group)
        if proposal.state is not ProposalState.UNKNOWN:
            if ref in await self.store.answered_and_verifying():
                # Said once more, perhaps as the database was away when the watch should have started.
                await self.approvals.engine.start(WORKFLOW, watching_id(ref), ref)
            return await self.store.state_text(ref)
        state = await self.store.answer_unknown(ref, actor.person, ran=ran)
        if ran and state is ProposalState.VERIFYING:
            await self.approvals.engine.start(WORKFLOW, watching_id(ref), ref)
            return f"Recorded on {ref}: it ran. Its signal is being watched."
        if not ran and state is ProposalState.FAILED:
            return f"Recorded on {ref}: it did not run. Nothing was repeated; it may be proposed anew."
        return await self.store.state_text(ref)

    async def _may_record(self, actor: Actor, service: str, group_ref: str) -> None:
        """Whoever says that something ran decides what is offered next: this service or incident must be theirs."""
        roster = await self.approvals.rotas.roster(service)
        eligibility = await self.store.eligibility(actor.person, service, group_ref, roster)
        if not eligibility.stands or actor.is_bot or actor.is_guest or actor.is_stranger or actor.is_deleted:
            who = f"{service} on-call and secondary, its owners, the incident commander or a deputy"
            raise NotAllowed(f"You can't record an action on {service}. Who may: {who}.")

    async def _plan_run_by_hand(self, ref: str, actor: Actor, step: int) -> Plan:
        proposal = await self.approvals.claims.untampered(ref)
        if proposal is None:
            raise NotAllowed(f"{ref} was changed in the database after it was put to people.")
        _refuse_unfitting_step(proposal, step)
        running = (ProposalState.CLAIMED, ProposalState.EXECUTING, ProposalState.VERIFYING, ProposalState.SUCCEEDED)
        if proposal.state in running:
            raise NotAllowed(f"{ref} is {proposal.state.value}: the bot runs or ran it.")
        if not proposal.state.final:
            state = await self.store.leave(
                ref, ProposalState.SUPERSEDED, who=actor.person, reason=f"run by hand by {actor.person}"
            )
            if state is not ProposalState.SUPERSEDED:
                raise NotAllowed(f"{ref} is {state}: the bot runs or ran it.")
            await self.approvals.engine.wake(workflow_id(ref), "decision", key=f"{ref}:by-hand")
        # As people saw it: a dry run after it was done would show another effect, or be refused as nothing is left to do.
        return plans.single(proposal, step or 1)


def _refuse_unfitting_step(proposal: Proposal, step: int) -> None:
    """Raise NotAllowed where `step` (from 1; 0: none was named) is none that can be recorded, with what to say instead."""
    steps, ref = len(proposal.parts), proposal.ref
    if steps and proposal.state is ProposalState.UNKNOWN:
        raise NotAllowed(f"{ref} is unknown: say first whether its step ran, did {ref} or did not {ref}.")
    if steps and not 1 <= step <= steps:
        named = "; ".join(f"did {ref} {number} ({part.title})" for number, part in enumerate(proposal.parts, 1))
        raise NotAllowed(f"{ref} is a plan of {steps} steps. Record each that you ran: {named}.")
    if step and not steps:
        raise NotAllowed(f"{ref} has no steps. If you ran it: did {ref}.")


def _refusal_of_plan(name: str, plan: PlanConfig, service: str) -> str:
    """Why a declared plan is not recorded as a whole, and what to say instead."""
    named = "; ".join(f"did {step.action} service={service}" for step in plan.steps)
    return f"{name} is a plan. Record each step that you ran: {named}."
