"""Putting actions to people: propose, prepare, decide. Decisions are rows; a signal only wakes a workflow."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import structlog

from bot.core.action import DecisionChoice, Plan, Proposal, ProposalState
from bot.core.actor import Actor
from bot.core.approvals import policy
from bot.core.approvals.authority import Authority
from bot.core.approvals.hints import Hint, who_named
from bot.core.approvals.policy_types import Rule
from bot.core.approvals.remedies import Entry, Fitted, NoProposal, Remedy, fitting, why_none
from bot.core.change import Change
from bot.core.config import Config
from bot.core.errors import ActionFailed, NotAllowed, NotFound
from bot.core.evidence import Findings
from bot.core.text.untrusted import one_line
from bot.ports import Engine
from bot.store.approvals.decisions import DecisionResult, Decisions, Press
from bot.store.approvals.lapsed import unused_key
from bot.store.approvals.proposals import ProposalDraft, ProposalStore
from bot.store.approvals.runs.claims import Claims
from bot.store.approvals.standing.register import StandingApprovals
from bot.workflows.remediation.executor import SILENCE, ActionExecutor
from bot.workflows.remediation.outdated import fit_key, supersede_outdated
from bot.workflows.remediation.planning import declared_plan, undo_plan
from bot.workflows.rotas import Rotas

log = structlog.get_logger(__name__)
WORKFLOW = "remediation"
JUST_NOW = timedelta(seconds=2)
"""What was looked up outside for the claim so shortly ago is not looked up again for the call."""

Accounts = Callable[[str, str], Awaitable[Actor]]
"""(team, user) -> the account as Slack knows it now; raises QueryFailed."""


def workflow_id(ref: str) -> str:
    """The id of a proposal's workflow."""
    return f"{WORKFLOW}:{ref}"


def watching_id(ref: str) -> str:
    """The id of the workflow that watches the signal once a person knows that it ran; the first one has ended."""
    return f"{workflow_id(ref)}:ran"


class Approvals:
    """The one way to put an action to people and to answer."""

    def __init__(
        self,
        store: ProposalStore,
        decisions: Decisions,
        claims: Claims,
        executor: ActionExecutor,
        rotas: Rotas,
        engine: Engine,
    ) -> None:
        self.store = store
        self.decisions = decisions
        self.claims = claims
        self.executor = executor
        self.rotas = rotas
        self.engine = engine
        self.standing_approvals = StandingApprovals(store.db, store.config)

    @property
    def config(self) -> Config:
        return self.store.config

    # ------------------------------------------------------------ proposing

    async def propose(
        self,
        entry: str,
        service: str,
        arguments: Mapping[str, object],
        *,
        group_ref: str,
        requester: str,
        because: str,
        key: str,
        actor: Actor | None = None,
        requesters: frozenset[str] = frozenset(),
        by_rules: bool = False,
        as_given: bool = False,
    ) -> Proposal:
        """Put an action with exact arguments to people; the same `key` again is the same proposal.

        `requester` asked for it; `requesters` are all others whose word led to it: none of them approves it alone.
        `by_rules`: no model led to it, so that a standing approval may start it.
        `as_given`: the arguments are whole, and no recorded change adds versions to them.

        Raises NotFound (no such action, service or group), ActionFailed (the
        arguments do not fit) or NotAllowed (a rule refuses, with who may).
        """
        plan = await self.plan(entry, service, arguments, group_ref, as_given=as_given)
        draft = ProposalDraft(key, group_ref, plan, one_line(because, 500), requester, requesters, by_rules)
        return await self._put_to_people(draft, actor or (Actor(person=requester) if requester else None))

    async def propose_undo(self, proposal: Proposal, *, because: str, key: str) -> Proposal | None:
        """Put what undoes the steps of a plan that ran to people, the last first; None if nothing does. Raises as `propose`."""

        async def planned(entry: str, service: str, arguments: Mapping[str, object]) -> Plan:
            return await self.plan(entry, service, arguments, group, as_given=True)

        group, ran = proposal.incident or proposal.group, await self.claims.steps_that_ran(proposal.ref)
        plan = await undo_plan(self.executor, proposal, ran, planned)
        if plan is None:
            return None
        # With the steps in it: once a person says that an unknown one ran, what undoes it too is another proposal.
        key = f"{key}:{'-'.join(map(str, ran))}"
        requesters = proposal.all_requesters | await self.store.answerers(proposal.ref)
        return await self._put_to_people(ProposalDraft(key, group, plan, one_line(because, 500), "", requesters), None)

    async def propose_again(self, plan: Proposal, *, because: str, key: str) -> Proposal:
        """Put the same steps with fresh dry runs to people. Raises as `propose`."""
        fresh, group = await self.executor.refresh(plan), plan.incident or plan.group
        requesters = plan.all_requesters | await self.store.answerers(plan.ref)
        draft = ProposalDraft(key, group, fresh, one_line(because, 500), plan.requester, requesters)
        return await self._put_to_people(draft, Actor(person=plan.requester) if plan.requester else None)

    async def _put_to_people(self, draft: ProposalDraft, proposer: Actor | None) -> Proposal:
        """Put a draft to people and start its workflow. Raises NotAllowed."""
        opened = await self.store.open_proposal(draft, proposer, await self.rotas.roster(draft.plan.service))
        if not opened.answer.allow:
            raise NotAllowed(opened.answer.explanation, audited=True)
        await self.engine.start(WORKFLOW, workflow_id(opened.ref), opened.ref)
        return await self.store.load(opened.ref)

    async def silence(
        self, service: str, arguments: Mapping[str, object], *, group_ref: str, actor: Actor, because: str, key: str
    ) -> Plan | Proposal:
        """Silence one exact alert at once where this person may; else the plan is put to others, and that is its proposal.

        Raises as `propose` does.
        """
        plan = await self.plan(SILENCE, service, arguments, group_ref)
        draft = ProposalDraft(key, group_ref, plan, one_line(because, 500), actor.person)
        if (await self.store.may_silence(draft, actor, await self.rotas.roster(service))).allow:
            return plan
        return await self.propose(
            SILENCE, service, arguments, group_ref=group_ref, requester=actor.person, because=because, key=key, actor=actor
        )

    async def plan(
        self,
        entry: str,
        service: str,
        arguments: Mapping[str, object],
        group: str,
        *,
        by_hand: bool = False,
        as_given: bool = False,
    ) -> Plan:
        """The exact plan of an entry with its dry run, for an alert group or an incident. Raises as `propose`.

        `by_hand`: a person did it already. `as_given`: as with `propose`.
        """
        incident = group if group.startswith("INC") else ""

        async def planned(entry: str, service: str, arguments: Mapping[str, object]) -> Plan:
            completed = arguments if as_given else await self._with_recorded_versions(entry, service, arguments)
            return await self.executor.plan(entry, service, completed, incident=incident, by_hand=by_hand)

        if entry in self.config.plans:
            return await declared_plan(self.executor, entry, service, arguments, planned)
        return await planned(entry, service, arguments)

    async def _with_recorded_versions(self, entry: str, service: str, arguments: Mapping[str, object]) -> dict[str, object]:
        """Versions come from the recorded change, never from a model or an alert; without an id the newest fitting change."""
        config = self.config.actions.get(entry)
        kind = self.executor.kind_of(entry)
        if config is None or kind is None or "change_id" not in kind.model_fields or not policy.undo_of_change(config):
            return dict(arguments)
        id = str(arguments.get("change_id", ""))
        change = await self.store.change(id) if id else await self.store.newest_change(service, config.change_kinds)
        if id and change is None:
            raise ActionFailed(f"No change {one_line(id, 80)!r} was reported.")
        if change is None:
            return dict(arguments)
        if change.service != service:
            raise ActionFailed(f"{one_line(change.id, 80)} is a change of {one_line(change.service, 60)}, not of {service}.")
        versions = {"change_id": change.id, "version": change.version, "previous_version": change.previous_version}
        takes = {field.alias or name for name, field in kind.model_fields.items()}
        return {**arguments, **{name: value for name, value in versions.items() if value and name in takes}}

    async def propose_fitting(
        self, group: str, findings: Findings, hints: Sequence[Hint], ranked: Findings | None = None
    ) -> Fitted:
        """Put the first remediation that fits the first cause to people, or say why there is none.

        `hints`: what people wrote into the investigation. Whoever named the action or its target there asked for it.
        `ranked`: what the analyst found without a model; only what it alone would propose may start by a standing approval.
        """
        situation = await self.store.service_of(group), self._entries(), await self._named_changes(findings)
        by_rules = fitting(ranked, *situation)[:1] if ranked is not None else []
        refusals: list[str] = []
        fits = fitting(findings, *situation)
        for ref in await supersede_outdated(self.store, group, findings, fits):
            await self.engine.wake(workflow_id(ref), "decision", key=f"{ref}:outdated")
        for remedy in fits:
            try:
                alone = any(_does_the_same(remedy, one) for one in by_rules)
                return Fitted((await self._propose_remedy(remedy, group, hints, by_rules=alone)).ref)
            except (NotAllowed, NotFound, ActionFailed) as error:
                log.info("a fitting action was not proposed", entry=remedy.entry, group=group, why=str(error))
                refusals.append(f"{remedy.entry} fits and was not proposed: {error}")
        return Fitted(none=NoProposal(refusals[0]) if refusals else why_none(findings, *situation))

    def _entries(self) -> dict[str, Entry]:
        return {**self.config.actions, **self.config.plans}

    async def _named_changes(self, findings: Findings) -> dict[str, Change]:
        """The change that the first hypothesis names, and the newest of its service and kind."""
        ids = [h.change_id for h in findings.hypotheses[:1] if h.change_id]
        named = [change for id in ids if (change := await self.store.change(id))]
        newest = [await self.store.newest_change(change.service, (change.kind,)) for change in named]
        return {change.id: change for change in (*named, *newest) if change is not None}

    async def _propose_remedy(self, remedy: Remedy, group: str, hints: Sequence[Hint], *, by_rules: bool) -> Proposal:
        own, change = await self.store.service_of(group), await self.store.change(remedy.arguments.get("change_id", ""))
        plan, entries = self.config.plans.get(remedy.entry), self._entries()
        named_by: frozenset[str] = frozenset()
        # Who named one of a plan's actions asked for the plan.
        for name in (remedy.entry, *(step.action for step in (plan.steps if plan else ()))):
            named_by |= who_named(hints, replace(remedy, entry=name), entries[name], own_service=own, change=change)
        return await self.propose(
            remedy.entry,
            remedy.service,
            remedy.arguments,
            group_ref=group,
            requester="",
            requesters=named_by,
            by_rules=by_rules and not named_by,
            because=remedy.because,
            key=await unused_key(self.store.db, fit_key(group, remedy)),
        )

    # ------------------------------------------------------------ deciding

    async def check(self, proposal: Proposal, press: Press) -> DecisionResult | None:
        """A refusal that does not depend on a dry run, written down; None if there is none."""
        return await self.decisions.check(press, await self.rotas.roster(proposal.service))

    async def prepare(self, proposal: Proposal, actor: Actor, *, break_glass: bool = False) -> Proposal:
        """What *Approve...* shows: a fresh dry run, bound to the revision returned. Raises NotAllowed with rule and who may."""
        press = Press(proposal.ref, proposal.revision, actor, DecisionChoice.APPROVE, reason="-", break_glass=break_glass)
        if (refused := await self.check(proposal, press)) is not None:
            await self._wake(refused, press, "check")
            raise NotAllowed(refused.text, audited=True)
        return await self._refresh(proposal)

    async def _refresh(self, proposal: Proposal) -> Proposal:
        try:
            fresh = await self.executor.refresh(proposal)
        except (ActionFailed, NotFound) as error:
            raise NotAllowed(f"The dry run failed: {error}") from error
        return await self.store.revise(proposal.ref, fresh)

    async def decide(self, proposal: Proposal, press: Press) -> DecisionResult:
        """Count one person's answer; the result has the private text for whoever pressed. Never raises for a refusal.

        `proposal` is as the caller loaded it and chooses the roster and the form only. What decides is the row, which each
        transaction below reads again under its lock.
        """
        roster = await self.rotas.roster(proposal.service)
        refused = None
        if press.verdict == DecisionChoice.APPROVE and not proposal.tier.needs_form and not proposal.state.final:
            # Tier 1 has no form in between, so the dry run that the press binds is made here.
            refused = await self.decisions.check(press, roster)
            if refused is None:
                try:
                    await self._refresh(proposal)
                except NotAllowed as error:
                    return _log_uncounted(await self.decisions.refuse(press, Rule.DRY_RUN, str(error)), press)
        result = refused or await self.decisions.decide(press, roster)
        await self._wake(result, press, press.key or f"{press.actor.user}:{press.revision}:{press.verdict}")
        return _log_uncounted(result, press)

    async def refuse(self, press: Press, rule: Rule, text: str) -> DecisionResult:
        """Write down that something which looks like an approval is none."""
        return _log_uncounted(await self.decisions.refuse(press, rule, text), press)

    async def _wake(self, result: DecisionResult, press: Press, key: str) -> None:
        """A doubled or late press wakes too: the first signal may have been lost.

        So may the start: the database may have been away just after it had taken the proposal.
        """
        if result.wake:
            await self.engine.start(WORKFLOW, workflow_id(press.ref), press.ref)
            await self.engine.wake(workflow_id(press.ref), "decision", key=f"{press.ref}:{key}")

    async def authority(
        self, service: str = "", without: frozenset[str] = frozenset(), *, within: timedelta = timedelta(0)
    ) -> Authority:
        """By what approvals and grants are judged: catalogue as of now, roster read no longer than `within` ago."""
        return Authority(await self.rotas.roster(service, within=within), self.executor.versions(), without)

    async def start_standing(self, ref: str, without: frozenset[str] = frozenset()) -> ProposalState:
        """Let a standing approval start it, with a fresh dry run, if everything still holds; the state afterwards."""
        proposal = await self.store.load(ref)
        if proposal.state is not ProposalState.PENDING:
            return proposal.state
        with suppress(NotAllowed):  # What could not be looked at is not fresh, which is asked next.
            await self._refresh(proposal)
        return await self.standing_approvals.use(ref, await self.authority(proposal.service, without))

    # ------------------------------------------------------------ after a restart

    async def resume(self) -> None:
        """After launch: start (or attach to) the workflow of every open proposal and wake those with answers.

        A process may have died between the row and the start, or between the answer and its signal. A run may have ended badly
        while the database was away, and left its proposal as one that nothing moves and that holds its service up.
        """
        runs = {ref: workflow_id(ref) for ref in await self.store.open_refs()}
        runs |= {ref: watching_id(ref) for ref in await self.store.answered_and_verifying()}
        for ref, run in runs.items():
            if await self.engine.finished(run):
                await self.claims.give_up(ref, "its run was interrupted and does not go on")
            else:
                await self.engine.start(WORKFLOW, run, ref)
        await self.wake_all(await self.store.pending_with_decisions(), "resume")

    async def wake_all(self, refs: Sequence[str], why: str) -> None:
        """Have the workflows of these proposals read their rows."""
        for ref in refs:
            await self.engine.wake(workflow_id(ref), "decision", key=f"{ref}:{why}:{self.store.db.clock().isoformat()}")


def _does_the_same(remedy: Remedy, other: Remedy) -> bool:
    """Whether both would do the same, whatever the reason."""
    return (remedy.entry, remedy.service, remedy.arguments) == (other.entry, other.service, other.arguments)


def _log_uncounted(result: DecisionResult, press: Press) -> DecisionResult:
    """The result; one that did not count is one line in the log too."""
    if not result.counted:
        log.info("an answer did not count", ref=press.ref, who=press.actor.user, rule=result.rule, why=result.text)
    return result
