"""The remediation: show, wait for people, claim, run once, watch. Decisions are rows; the signal only wakes."""

from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.core.action import ProposalState, Verification
from bot.core.approvals.record import stamp
from bot.core.errors import ActionFailed, NotAllowed, NotFound, QueryFailed
from bot.ports import Run, Workflow
from bot.workflows.remediation.approvals import Accounts, Approvals

log = structlog.get_logger(__name__)
BUSY_SECONDS = 3
"""Until the next try while another action runs on the service."""
STEADY = 2
"""Good readings in a row that count as recovered: one may be a gap between two bad ones."""


class RemediationSteps:
    """The steps of the remediation; arguments and results are plain JSON."""

    def __init__(self, approvals: Approvals, accounts: Accounts | None = None) -> None:
        self.approvals = approvals
        self.store = approvals.store
        self.claims = approvals.claims
        self.hands = approvals.hands
        self.accounts = accounts

    async def open(self, ref: str) -> Any:
        """When it expires, when to remind, and how long to watch."""
        proposal = await self.store.load(ref)
        half = proposal.created_at + (proposal.expires_at - proposal.created_at) / 2
        return {
            "state": proposal.state.value,
            "expires_at": stamp(proposal.expires_at),
            "remind_at": stamp(half),
            "within": self.hands.within(proposal.action),
        }

    async def ruling(self, ref: str) -> Any:
        """pending, approved, or the state that ended it."""
        return await self.store.ruling(ref)

    async def remind(self, ref: str) -> Any:
        """One line at half of its life."""
        await self.store.remind(ref)

    async def expire(self, ref: str) -> Any:
        """Expired by the database's time; the state afterwards."""
        return await self.store.expire(ref)

    async def look_again(self, ref: str) -> Any:
        """Supersede it if the target is not as it was; the state afterwards."""
        if not await self.claims.sound(ref) or not (why := await self.hands.moved(ref)):
            return await self.store.ruling(ref)
        reason = f"{why}; if it still may be done, a new proposal shows it as it is now"
        return await self.store.leave(ref, ProposalState.SUPERSEDED, reason=reason)

    async def propose_anew(self, ref: str) -> Any:
        """The same action for the world as it is now, as a new proposal; its reference or ""."""
        old = await self.store.load(ref)
        return await self._offer(
            ref, old.action, old.arguments, old.requester, f"{old.because} ({ref} was superseded)", "again"
        )

    async def claim(self, ref: str, workflow: str) -> Any:
        """Policy, roster and digest are read again inside the claim: minutes may have passed since the press."""
        claimed = await self.approvals.claim(ref, workflow, await self._gone(ref))
        return {"granted": claimed.granted, "state": claimed.state, "busy": claimed.busy}

    async def _gone(self, ref: str) -> frozenset[str]:
        """Approvers whose accounts no longer count. Slack out of reach: what the press was checked against stands."""
        if self.accounts is None:
            return frozenset()
        gone = set()
        for person, team, user in await self.store.approvers(ref):
            try:
                actor = await self.accounts(team, user)
            except QueryFailed as error:
                log.warning("account not readable at the claim", person=person, why=str(error))
                continue
            if actor.is_deleted or actor.is_bot or actor.is_guest or actor.is_stranger:
                gone.add(person)
        return frozenset(gone)

    async def execute(self, ref: str, workflow: str) -> Any:
        """Run it, at most once; the state afterwards."""
        return await self.hands.execute(ref, workflow)

    async def watch(self, ref: str) -> Any:
        """One look at the signal."""
        return await self.hands.watch(ref)

    async def conclude(self, ref: str, verification: dict[str, Any]) -> Any:
        """Store what the signal said; the state afterwards."""
        return await self.claims.verified(ref, Verification.model_validate(verification))

    async def offer_way_back(self, ref: str) -> Any:
        """The inverse as a new proposal; its reference or ""."""
        proposal = await self.store.load(ref)
        attempt = await self.claims.attempt(ref) or {}
        back = self.hands.way_back(proposal, attempt.get("remote_id", ""))
        if back is None:
            return ""
        return await self._offer(
            ref, back[0], back[1], "", f"{ref} ({proposal.title}) did not help: {proposal.verification}", "back"
        )

    async def _offer(self, ref: str, entry: str, arguments: dict[str, Any], requester: str, because: str, kind: str) -> str:
        # What goes on is taken from this row, so it must still be what people saw.
        if not await self.claims.sound(ref):
            return ""
        old = await self.store.load(ref)
        place = old.incident or old.group
        try:
            new = await self.approvals.propose(
                entry, old.service, arguments, group_ref=place, requester=requester, because=because, key=f"{kind}:{ref}"
            )
        except (ActionFailed, NotAllowed, NotFound) as error:
            log.info("no follow-up proposal", ref=ref, kind=kind, why=str(error))
            return ""
        return new.ref


def remediation(desk: RemediationSteps) -> Workflow:
    """The story `remediation(ref)`; its result is the proposal's last state."""

    async def remediate(run: Run, ref: str) -> Any:
        proposal = await run.step("read the proposal", desk.open, ref)
        if proposal["state"] == ProposalState.VERIFYING:
            return await _watch(run, desk, ref, proposal)
        ruling = await _decided(run, desk, ref, proposal)
        if ruling != ProposalState.APPROVED:
            return ruling
        state = await run.step("look again", desk.look_again, ref)
        if state == ProposalState.SUPERSEDED:
            await run.step("propose anew", desk.propose_anew, ref)
            return state
        claim = await _claimed(run, desk, ref)
        if not claim["granted"]:
            return claim["state"]
        state = await run.step("execute", desk.execute, ref, run.id)
        if state != ProposalState.VERIFYING:
            return state
        return await _watch(run, desk, ref, proposal)

    return remediate


async def _decided(run: Run, desk: RemediationSteps, ref: str, proposal: dict[str, Any]) -> Any:
    """Wait for people; reminded once, at half of its life."""
    reminded = False
    while (ruling := await run.step("read the decisions", desk.ruling, ref)) == "pending":
        until = proposal["expires_at"] if reminded else proposal["remind_at"]
        if await run.wait_for("decision", until=until):
            continue
        if reminded:
            ruling = await run.step("expire", desk.expire, ref)
            if ruling not in (ProposalState.PENDING, ProposalState.PARTLY_APPROVED):
                return ruling
            # The database's clock is behind the waiting one: give it a moment rather than spin.
            await run.wait_for("decision", until=stamp(await run.now() + timedelta(seconds=1)))
        else:
            await run.step("remind", desk.remind, ref)
            reminded = True
    return ruling


async def _claimed(run: Run, desk: RemediationSteps, ref: str) -> Any:
    """Take the right to run; while another action runs on the service, try again until the approval is stale."""
    while True:
        # Presses wake it too, so tries are not counted: the claim itself says when the approval is stale.
        claim = await run.step("claim", desk.claim, ref, run.id)
        if not claim["busy"]:
            return claim
        await run.wait_for("decision", until=stamp(await run.now() + timedelta(seconds=BUSY_SECONDS)))


async def _watch(run: Run, desk: RemediationSteps, ref: str, proposal: dict[str, Any]) -> Any:
    """Look until it is steadily good or the time is over; the last look then says which."""
    within = float(proposal["within"])
    pause = timedelta(seconds=min(15.0, max(1.0, within / 20)))
    deadline: datetime = await run.now() + timedelta(seconds=within)
    good = 0
    while True:
        seen = await run.step("look at the signal", desk.watch, ref)
        good = good + 1 if seen["state"] == "recovered" else 0
        now = await run.now()
        if good >= STEADY or now >= deadline:
            break
        await run.wait_for("watch", until=stamp(min(now + pause, deadline)))
    state = await run.step("conclude", desk.conclude, ref, seen)
    if state == ProposalState.NOT_RECOVERED:
        await run.step("offer the way back", desk.offer_way_back, ref)
    return state
