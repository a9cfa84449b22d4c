"""The remediation: show, wait for people, claim, run once, watch. Decisions are rows; the signal only wakes."""

from dataclasses import dataclass
from datetime import timedelta

import structlog

from bot.core.action import Proposal, ProposalState, Verification, VerificationState
from bot.core.approvals.record import stamp
from bot.core.errors import ActionFailed, NotAllowed, NotFound, QueryFailed
from bot.ports import Run, Workflow
from bot.store.approvals.claims import ClaimResult
from bot.workflows.remediation.approvals import JUST_NOW, Accounts, Approvals

log = structlog.get_logger(__name__)
BUSY_SECONDS = 3
"""Until the next try while another action runs on the service."""
STEADY = 2
"""Good readings in a row that count as recovered: one may be a gap between two bad ones."""


@dataclass(frozen=True)
class Schedule:
    """When a proposal expires and people are reminded (ISO 8601), and for how many seconds its signal is watched."""

    state: ProposalState
    expires_at: str
    remind_at: str
    within: float


class RemediationSteps:
    """The steps of the remediation."""

    def __init__(self, approvals: Approvals, accounts: Accounts | None = None) -> None:
        self.approvals = approvals
        self.store = approvals.store
        self.claims = approvals.claims
        self.executor = approvals.executor
        self.accounts = accounts

    async def open(self, ref: str) -> Schedule:
        """The proposal's times."""
        proposal = await self.store.load(ref)
        half = proposal.created_at + (proposal.expires_at - proposal.created_at) / 2
        return Schedule(
            state=proposal.state,
            expires_at=stamp(proposal.expires_at),
            remind_at=stamp(half),
            within=self.executor.watch_seconds(proposal.action),
        )

    async def decision_state(self, ref: str) -> ProposalState:
        """pending, approved, or the state that ended it."""
        return await self.store.decision_state(ref)

    async def remind(self, ref: str) -> None:
        """One line at half of its life."""
        await self.store.remind(ref)

    async def expire(self, ref: str) -> ProposalState:
        """Expired by the database's time; the state afterwards."""
        return await self.store.expire(ref)

    async def check_target(self, ref: str) -> ProposalState:
        """Supersede it if the target is not as it was; the state afterwards."""
        if not await self.claims.untampered(ref) or not (why := await self.executor.changed_since_approval(ref)):
            return await self.store.decision_state(ref)
        reason = f"{why}; if it still may be done, a new proposal shows it as it is now"
        return await self.store.leave(ref, ProposalState.SUPERSEDED, reason=reason)

    async def propose_anew(self, ref: str) -> str:
        """The same action with a fresh dry run, as a new proposal; its reference or ""."""
        old = await self.store.load(ref)
        because = f"{old.because} ({ref} was superseded)"
        return await self._propose_after(old, old.action, old.arguments, old.requester, because, "again")

    async def claim(self, ref: str, workflow: str) -> ClaimResult:
        """Take the right to run. Policy, roster and record are read again in the claim: minutes may have passed."""
        return await self.approvals.claim(ref, workflow, await self._ineligible(ref))

    async def _ineligible(self, ref: str) -> frozenset[str]:
        """Approvers whose accounts no longer count. If Slack does not answer, the check at the press has to do."""
        if self.accounts is None:
            return frozenset()
        people = set()
        for person, team, user in await self.store.approvers(ref):
            try:
                actor = await self.accounts(team, user)
            except QueryFailed as error:
                log.warning("account not readable at the claim", person=person, why=str(error))
                continue
            if actor.is_deleted or actor.is_bot or actor.is_guest or actor.is_stranger:
                people.add(person)
        return frozenset(people)

    async def execute(self, ref: str, workflow: str) -> ProposalState:
        """Run it, at most once; the state afterwards. What the claim looked up a while ago is looked up once more."""
        without: frozenset[str] = frozenset()
        if await self.claims.claimed_for(ref) > JUST_NOW:
            without = await self._ineligible(ref)
            if await self.check_target(ref) is ProposalState.SUPERSEDED:
                return ProposalState.SUPERSEDED
        return await self.approvals.execute(ref, workflow, without)

    async def verify(self, ref: str) -> Verification:
        """One reading of the signal."""
        return await self.executor.verify(ref)

    async def conclude(self, ref: str, verification: Verification) -> ProposalState:
        """Store what the signal showed; the state afterwards."""
        return await self.claims.verified(ref, verification)

    async def offer_undo(self, ref: str) -> str:
        """What undoes it, as a new proposal; its reference or ""."""
        proposal = await self.store.load(ref)
        undo = await self.executor.undo_of(proposal)
        if undo is None:
            return ""
        because = f"{ref} ({proposal.title}) did not help: {proposal.verification}"
        return await self._propose_after(proposal, *undo, "", because, "back")

    async def _propose_after(
        self, old: Proposal, entry: str, arguments: dict[str, object], requester: str, because: str, kind: str
    ) -> str:
        """What follows from a proposal was asked for by everyone who asked for that one."""
        # The new proposal's arguments come from this row, so it must still be what people saw.
        if not await self.claims.untampered(old.ref):
            return ""
        try:
            new = await self.approvals.propose(
                entry,
                old.service,
                arguments,
                group_ref=old.incident or old.group,
                requester=requester,
                requesters=old.all_requesters,
                because=because,
                key=f"{kind}:{old.ref}",
            )
        except (ActionFailed, NotAllowed, NotFound) as error:
            log.info("no follow-up proposal", ref=old.ref, kind=kind, why=str(error))
            return ""
        return new.ref


def remediation(steps: RemediationSteps) -> Workflow:
    """The workflow `remediation(ref)`; its result is the proposal's last state."""

    # Journals hold the names of steps, so these stay as they are when functions are renamed.
    async def remediate(run: Run, ref: str) -> ProposalState:
        schedule = await run.step("read the proposal", steps.open, ref)
        if schedule.state is ProposalState.VERIFYING:
            return await _watch(run, steps, ref, schedule)
        state = await _decided(run, steps, ref, schedule)
        if state is not ProposalState.APPROVED:
            return state
        state = await run.step("look again", steps.check_target, ref)
        if state is ProposalState.SUPERSEDED:
            await run.step("propose anew", steps.propose_anew, ref)
            return state
        claim = await _claimed(run, steps, ref)
        if not claim.granted:
            return claim.state
        state = await run.step("execute", steps.execute, ref, run.id)
        if state is ProposalState.SUPERSEDED:
            await run.step("propose anew", steps.propose_anew, ref)
        if state is not ProposalState.VERIFYING:
            return state
        return await _watch(run, steps, ref, schedule)

    return remediate


async def _decided(run: Run, steps: RemediationSteps, ref: str, schedule: Schedule) -> ProposalState:
    """Wait for people; reminded once, at half of its life."""
    reminded = False
    while (state := await run.step("read the decisions", steps.decision_state, ref)) is ProposalState.PENDING:
        until = schedule.expires_at if reminded else schedule.remind_at
        if await run.wait_for("decision", until=until):
            continue
        if reminded:
            state = await run.step("expire", steps.expire, ref)
            if state not in (ProposalState.PENDING, ProposalState.PARTLY_APPROVED):
                return state
            # The database's clock is behind the waiting one: give it a moment rather than spin.
            await run.wait_for("decision", until=stamp(await run.now() + timedelta(seconds=1)))
        else:
            await run.step("remind", steps.remind, ref)
            reminded = True
    return state


async def _claimed(run: Run, steps: RemediationSteps, ref: str) -> ClaimResult:
    """Take the right to run; while another action runs on the service, try again until the approval is stale."""
    while True:
        # Presses wake it too, so tries are not counted: the claim itself says when the approval is stale.
        claim = await run.step("claim", steps.claim, ref, run.id)
        if not claim.busy:
            return claim
        await run.wait_for("decision", until=stamp(await run.now() + timedelta(seconds=BUSY_SECONDS)))


async def _watch(run: Run, steps: RemediationSteps, ref: str, schedule: Schedule) -> ProposalState:
    """Read the signal until it is steadily good or the time is over; the last reading is the verdict."""
    pause = timedelta(seconds=min(15.0, max(1.0, schedule.within / 20)))
    deadline = await run.now() + timedelta(seconds=schedule.within)
    good = 0
    while True:
        verification = await run.step("look at the signal", steps.verify, ref)
        good = good + 1 if verification.state is VerificationState.RECOVERED else 0
        now = await run.now()
        if good >= STEADY or now >= deadline:
            break
        await run.wait_for("watch", until=stamp(min(now + pause, deadline)))
    state = await run.step("conclude", steps.conclude, ref, verification)
    if state is ProposalState.NOT_RECOVERED:
        await run.step("offer the way back", steps.offer_undo, ref)
    return state
