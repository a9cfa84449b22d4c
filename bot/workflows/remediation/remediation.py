"""The remediation: show, wait for people, claim, run once, watch. Decisions are rows; the signal only wakes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import structlog

from bot.core.action import Proposal, ProposalState, VerificationState
from bot.core.approvals.canonical_record import stamp
from bot.core.errors import ActionFailed, NotAllowed, NotFound, QueryFailed
from bot.ports import Run, Workflow
from bot.store.approvals.plan_steps import post_line
from bot.store.approvals.rows import UNDO
from bot.store.approvals.runs.claims import ClaimResult
from bot.workflows.remediation.approvals import JUST_NOW, Accounts, Approvals

log = structlog.get_logger(__name__)
BUSY_SECONDS = 3
"""Until the next try while another action runs on the service."""
STEADY = 2
"""Good readings in a row that count as recovered: one may be a gap between two bad ones."""
AGAIN = "again"
"""Begins the key of a proposal with the same in it once more; the same of an undo is one too."""
_FOLLOW_UPS = {UNDO: "What undoes", AGAIN: "What takes the place of"}


@dataclass(frozen=True)
class ProposalTimes:
    """When a proposal expires and people are reminded (ISO 8601), and for how many seconds its signal is watched."""

    state: ProposalState
    expires_at: str
    remind_at: str
    within: float
    later: list[float] = field(default_factory=list)
    """The same for the further steps of a plan."""
    step: int = 1
    """The step that was begun last."""
    starts_at: str = ""
    """When a standing approval would start it; "" if none would."""

    @property
    def watches(self) -> list[float]:
        """Seconds for each step."""
        return [self.within, *self.later]


class RemediationSteps:
    """The steps of the remediation that need more than one of its collaborators; the others are methods of these."""

    def __init__(self, approvals: Approvals, accounts: Accounts | None = None) -> None:
        self.approvals = approvals
        self.store = approvals.store
        self.claims = approvals.claims
        self.executor = approvals.executor
        self.accounts = accounts

    async def open(self, ref: str) -> ProposalTimes:
        """The proposal's times."""
        proposal = await self.store.load(ref)
        watches = [self.executor.watch_seconds(run.action) for run in proposal.runs]
        half = proposal.created_at + (proposal.expires_at - proposal.created_at) / 2
        return ProposalTimes(
            state=proposal.state,
            expires_at=stamp(proposal.expires_at),
            remind_at=stamp(half),
            within=watches[0],
            later=watches[1:],
            step=max(1, proposal.steps_begun),
            starts_at=await self.approvals.standing_approvals.starts_at(ref),
        )

    async def start_standing(self, ref: str) -> ProposalState:
        """Let its standing approval start it, if nobody stopped it and everything still holds; the state afterwards."""
        return await self.approvals.start_standing(ref, await self._ineligible(ref))

    async def end_standing(self) -> list[str]:
        """End every standing approval that is over for good; the references."""
        return await self.approvals.standing_approvals.sweep(await self.approvals.authority())

    async def check_target(self, ref: str) -> ProposalState:
        """Supersede it if the target is not as it was; the state afterwards."""
        proposal = await self.claims.untampered(ref)
        if proposal is None or not (why := await self.executor.changed_since_approval(proposal)):
            return await self.store.decision_state(ref)
        reason = f"{why}; if it still may be done, a new proposal shows it as it is now"
        return await self.store.leave(ref, ProposalState.SUPERSEDED, reason=reason)

    async def check_step(self, ref: str, step: int) -> ProposalState:
        """Stop a plan if its next step would not do what was approved; the state afterwards."""
        proposal = await self.claims.untampered(ref)
        if proposal is not None and (why := await self.executor.changed_since_approval(proposal, step)):
            return await self.claims.halt(ref, why)
        return (await self.store.load(ref)).state

    async def propose_anew(self, ref: str) -> str:
        """The same with a fresh dry run, as a new proposal; its reference or ""."""
        old = await self.store.load(ref)
        because = f"{old.because} ({ref} was superseded)"
        return await self._follow_up(old, AGAIN, partial(self.approvals.propose_again, old, because=because))

    async def claim(self, ref: str, workflow: str, step: int = 1) -> ClaimResult:
        """Take the right to run one step. Policy, roster and record are read again in the claim: minutes may have passed."""
        without = await self._ineligible(ref)
        authority = await self.approvals.authority(await self.store.service(ref), without)
        return await self.claims.claim(ref, workflow, authority, step=step)

    async def _ineligible(self, ref: str) -> frozenset[str]:
        """Approvers whose accounts no longer count. If Slack does not answer, the check at the press has to do.

        A grant may be 90 days old: of those who gave it, whoever cannot be looked up does not count.
        """
        if self.accounts is None:
            return frozenset()
        people = set[str]()
        granters = await self.approvals.standing_approvals.granters(ref)
        for person, team, user in [*await self.store.approvers(ref), *granters]:
            try:
                actor = await self.accounts(team, user)
            except QueryFailed as error:
                log.warning("account not readable at the claim", person=person, why=str(error))
                people.update({person} if (person, team, user) in granters else ())
                continue
            if actor.is_deleted or actor.is_bot or actor.is_guest or actor.is_stranger:
                people.add(person)
        return frozenset(people)

    async def execute(self, ref: str, workflow: str, step: int = 1) -> ProposalState:
        """Run one step, at most once; the state afterwards. What the claim looked up a while ago is looked up once more."""
        without: frozenset[str] = frozenset()
        if await self.claims.claimed_for(ref, step) > JUST_NOW:
            without = await self._ineligible(ref)
            state = await (self.check_target(ref) if step == 1 else self.check_step(ref, step))
            if state in (ProposalState.SUPERSEDED, ProposalState.STOPPED):
                return state
        authority = await self.approvals.authority(await self.store.service(ref), without, within=JUST_NOW)
        return await self.executor.execute(ref, workflow, authority, step=step)

    async def offer_undo(self, ref: str) -> str:
        """What undoes it, of a plan the steps that ran, as a new proposal; its reference or ""."""
        old = await self.store.load(ref)
        if await self.store.undone(ref):
            # An undo restores what was: that the signal is as bad as it was then is no reason to take it back once more.
            return ""
        if old.parts:
            because = f"{ref} ({old.title}) ended early: {old.outcome}"
            return await self._follow_up(old, UNDO, partial(self.approvals.propose_undo, old, because=because))
        if (undo := await self.executor.undo_of(old)) is None:
            return ""
        return await self._follow_up(old, UNDO, partial(self._propose_undo, old, *undo))

    async def _propose_undo(self, old: Proposal, entry: str, arguments: dict[str, object], *, key: str) -> Proposal:
        """Everyone asked for it who asked for what it undoes, or said what came of that."""
        return await self.approvals.propose(
            entry,
            old.service,
            arguments,
            group_ref=old.incident or old.group,
            requester="",
            requesters=old.all_requesters | await self.store.answerers(old.ref),
            because=f"{old.ref} ({old.title}) did not help: {old.verification}",
            key=key,
            as_given=True,
        )

    async def _follow_up(self, old: Proposal, kind: str, propose: Callable[..., Awaitable[Proposal | None]]) -> str:
        """Propose what follows from a proposal; the thread says why it was not proposed."""
        # The new proposal's arguments come from this row, so it must still be what people saw.
        if await self.claims.untampered(old.ref) is None:
            return ""
        undone = await self.store.undone(old.ref)
        key = f"{UNDO}:{undone}:{kind}:{old.ref}" if undone else f"{kind}:{old.ref}"
        try:
            new = await propose(key=key)
        except (ActionFailed, NotAllowed, NotFound) as error:
            line = f"{_FOLLOW_UPS[kind]} {old.ref} was not proposed: {error}"
            await post_line(self.store.db, old.ref, f"no-{kind}:{old.ref}", line)
            return ""
        return new.ref if new is not None else ""


def remediation(steps: RemediationSteps) -> Workflow:
    """The workflow `remediation(ref)`; its result is the proposal's last state."""

    # Journals hold the names of steps, so these stay as they are when functions are renamed.
    async def remediate(run: Run, ref: str) -> ProposalState:
        times = await run.step("read the proposal", steps.open, ref)
        if times.state is ProposalState.VERIFYING:
            state = await _watch_signal(run, steps, ref, times, times.step)
            return await _run_further_steps(run, steps, ref, times, state, times.step)
        state = await _wait_for_decision(run, steps, ref, times)
        if state in (ProposalState.CLAIMED, ProposalState.EXECUTING):
            # Of a run whose journal is gone, such as after a restore: nobody else goes on with it.
            return await run.step("give up", steps.claims.give_up, ref, "the journal of its run is gone")
        if state is not ProposalState.APPROVED:
            return state
        state = await run.step("look again", steps.check_target, ref)
        if state is ProposalState.SUPERSEDED:
            await run.step("propose anew", steps.propose_anew, ref)
            return state
        claim = await _take_claim(run, steps, ref)
        if not claim.granted:
            return claim.state
        state = await run.step("execute", steps.execute, ref, run.id)
        if state is ProposalState.SUPERSEDED:
            await run.step("propose anew", steps.propose_anew, ref)
        if state is ProposalState.VERIFYING:
            state = await _watch_signal(run, steps, ref, times, 1)
        state = await _run_further_steps(run, steps, ref, times, state, 1)
        if times.starts_at and state is not ProposalState.SUCCEEDED:
            # At once, and by whatever replica saw it: the tick that ends grants comes later.
            await run.step("end what no longer stands", steps.end_standing)
        return state

    return remediate


async def _run_further_steps(
    run: Run, steps: RemediationSteps, ref: str, times: ProposalTimes, state: ProposalState, step: int
) -> ProposalState:
    """The steps of a plan after this one, as long as each is verified; then what undoes it, where it did not succeed."""
    last = len(times.watches)
    while state is ProposalState.VERIFYING and step < last:
        step += 1
        state = await _run_step(run, steps, ref, times, step)
    ended_early = last > 1 and state is not ProposalState.SUCCEEDED
    if state is ProposalState.NOT_RECOVERED or ended_early:
        await run.step("offer the way back", steps.offer_undo, ref)
    return state


async def _run_step(run: Run, steps: RemediationSteps, ref: str, times: ProposalTimes, step: int) -> ProposalState:
    """Everything once more, as before the first: the target, the right to run, the call, the signal."""
    state = await run.step("look again", steps.check_step, ref, step)
    if state is not ProposalState.VERIFYING:
        return state
    claim = await _take_claim(run, steps, ref, step)
    if not claim.granted:
        return claim.state
    state = await run.step("execute", steps.execute, ref, run.id, step)
    return await _watch_signal(run, steps, ref, times, step) if state is ProposalState.VERIFYING else state


async def _wait_for_decision(run: Run, steps: RemediationSteps, ref: str, times: ProposalTimes) -> ProposalState:
    """Wait for people; reminded once, at half of its life."""
    reminded, starts_at = False, times.starts_at
    while (state := await run.step("read the decisions", steps.store.decision_state, ref)) is ProposalState.PENDING:
        until = starts_at or (times.expires_at if reminded else times.remind_at)
        if await run.wait_for("decision", until=until):
            continue
        if starts_at:
            starts_at = ""
            await run.step("start by standing approval", steps.start_standing, ref)
            continue
        if reminded:
            state = await run.step("expire", steps.store.expire, ref)
            if state not in (ProposalState.PENDING, ProposalState.PARTLY_APPROVED):
                return state
            # The database's clock is behind the waiting one: give it a moment rather than spin.
            await run.wait_for("decision", until=stamp(await run.now() + timedelta(seconds=1)))
        else:
            await run.step("remind", steps.store.remind, ref)
            reminded = True
    return state


async def _take_claim(run: Run, steps: RemediationSteps, ref: str, step: int = 1) -> ClaimResult:
    """Take the right to run; while another action runs on the service, try again until the approval is stale."""
    while True:
        # Presses wake it too, so tries are not counted: the claim itself says when the approval is stale.
        claim = await run.step("claim", steps.claim, ref, run.id, step)
        if not claim.busy:
            return claim
        await run.wait_for("decision", until=stamp(await run.now() + timedelta(seconds=BUSY_SECONDS)))


async def _watch_signal(run: Run, steps: RemediationSteps, ref: str, times: ProposalTimes, step: int) -> ProposalState:
    """Read the signal until it is steadily good or the time is over; the last reading is the verdict."""
    within = times.watches[step - 1]
    pause = timedelta(seconds=min(15.0, max(1.0, within / 20)))
    deadline = await run.now() + timedelta(seconds=within)
    good = 0
    while True:
        verification = await run.step("look at the signal", steps.executor.verify, ref, step)
        good = good + 1 if verification.state is VerificationState.RECOVERED else 0
        now = await run.now()
        if good >= STEADY or now >= deadline:
            break
        await run.wait_for("watch", until=stamp(min(now + pause, deadline)))
    return await run.step("conclude", steps.claims.verified, ref, verification, step)
