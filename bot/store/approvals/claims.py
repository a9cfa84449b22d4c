"""The right to run, taken once; the attempt, written just before the remote call; and what came of both."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import (
    ATTEMPT_STARTED,
    DecisionChoice,
    Outcome,
    OutcomeState,
    ProposalState,
    Terms,
    Verification,
    VerificationState,
)
from bot.core.approvals import policy
from bot.core.approvals.policy_types import START_WITHIN, CountedDecision, Rule
from bot.core.approvals.roster import Roster
from bot.core.config import Config
from bot.core.timeline import EntryKind
from bot.store.approvals import own_changes, rows, transitions
from bot.store.db.database import Database
from bot.store.tables import AttemptRow, ClaimRow, MessageRow, PageRow, ProposalRow

_STATE_AFTER_CALL = {
    OutcomeState.DONE: ProposalState.VERIFYING,
    OutcomeState.FAILED: ProposalState.FAILED,
    OutcomeState.UNKNOWN: ProposalState.UNKNOWN,
}
_STATE_AFTER_VERIFICATION = {
    VerificationState.RECOVERED: ProposalState.SUCCEEDED,
    VerificationState.NOT_RECOVERED: ProposalState.NOT_RECOVERED,
    VerificationState.COULD_NOT_VERIFY: ProposalState.COULD_NOT_VERIFY,
}

_CHANGED = "the action changed since it was proposed"


@dataclass(frozen=True)
class _Objection:
    """Why a proposal may not go on, and the state in which it ends; `busy`: not now, but perhaps in a moment."""

    to: ProposalState
    why: str
    busy: bool = False


@dataclass(frozen=True)
class ClaimResult:
    """Whether the workflow may go on. `busy`: not now, but perhaps in a moment."""

    granted: bool
    state: ProposalState
    why: str = ""
    busy: bool = False


class CallPermission(StrEnum):
    """Whether the remote call may be made."""

    GO = "go"
    """The attempt row is new: call now."""
    REPEATED = "repeated"
    """The attempt row was there: a call may have happened already."""
    REFUSED = "refused"


@dataclass(frozen=True)
class AttemptStart:
    """The permission with what the call needs, or why it is refused."""

    permission: CallPermission
    key: str = ""
    why: str = ""
    terms: Terms | None = None
    """What runs: the record whose fingerprint was checked in the same transaction. None: it is refused."""


class Claims:
    """Claim, attempt and outcome; every method is one transaction and safe against other replicas."""

    def __init__(self, db: Database, config: Config) -> None:
        self.db = db
        self.config = config

    @property
    def policy(self) -> str:
        """The version of what decides now; a reload changes it."""
        return policy.policy_version(self.config)

    async def claim(
        self, ref: str, workflow: str, roster: Roster, *, versions: Mapping[str, str], without: frozenset[str] = frozenset()
    ) -> ClaimResult:
        """Take the right to run for `workflow`. Everything that was checked at the press is checked again in this transaction.

        `versions`: the action versions of now by catalogue entry; `without`: people whose accounts no longer count.
        The same workflow may claim again (its replay); any other is refused.
        """
        async with self.db.write() as session:
            row = await rows.locked(session, ref)
            await transitions.lock_service(self.db, session, row.service)
            claim = await session.get(ClaimRow, row.id)
            if claim is not None:
                own = claim.workflow == workflow and not ProposalState(row.state).final
                return ClaimResult(own, ProposalState(row.state), "" if own else "it was claimed already")
            if row.state != ProposalState.APPROVED:
                return ClaimResult(False, ProposalState(row.state))
            if why := await transitions.tampering(self.db, session, row):
                await transitions.raise_alarm(self.db, session, row, why)
                return ClaimResult(False, ProposalState(row.state), why)
            return await self._decide(session, row, workflow, roster, versions, without)

    async def _decide(
        self,
        session: AsyncSession,
        row: ProposalRow,
        workflow: str,
        roster: Roster,
        versions: Mapping[str, str],
        without: frozenset[str],
    ) -> ClaimResult:
        # Nothing of the press is used here: minutes have passed, so the locked row, the roster, the rules and the decisions
        # are read as they are now.
        objection = await self._objection(session, row, roster, versions, without)
        if objection is None:
            return await self._take(session, row, workflow)
        if objection.busy:
            await self._add_waiting_line(session, row, objection.why)
            return ClaimResult(False, ProposalState(row.state), objection.why, busy=True)
        return await self._not_run(session, row, objection.to, objection.why)

    async def _add_waiting_line(self, session: AsyncSession, row: ProposalRow, why: str) -> None:
        """Once: the claim is tried every few seconds, and each further touch would be an edit."""
        ref = transitions.ref_of(row)
        if await session.get(MessageRow, f"line:waits:{ref}") is None:
            line = f"{ref} waits: {why} It starts when that is over, if within 2 minutes of its approval."
            await transitions.post_line(self.db, session, row, f"waits:{ref}", line)

    async def _objection(
        self,
        session: AsyncSession,
        row: ProposalRow,
        roster: Roster,
        versions: Mapping[str, str],
        without: frozenset[str],
    ) -> _Objection | None:
        """Why it may not go on now: its age, the action, policy, and whether the approvals still hold. Asked twice."""
        context = await rows.stored_context(self.db, session, roster, row)
        approved_at = await self._approved_at(session, row)
        if approved_at is None or self.db.clock() - approved_at > START_WITHIN:
            running = context.running_on_service
            why = f", and {running} is running on {row.service}: one action at a time on a service" if running else ""
            return _Objection(ProposalState.STALE, f"it did not start within 2 minutes of its approval{why}")
        if versions.get(row.action) != row.record["action_version"]:
            return _Objection(ProposalState.STALE, _CHANGED)
        request = await rows.stored_request(self.db, session, row, roster.config, dry_run_ok=True)
        answer = policy.may_start(request, context)
        if not answer.allow:
            to = ProposalState.STOPPED if answer.rule in (Rule.STOPPED, Rule.CLOSED) else ProposalState.STALE
            return _Objection(to, answer.text, busy=answer.rule is Rule.BUSY)
        decisions = await rows.counted_decisions(self.db, session, row, roster, without=without)
        counted = policy.quorum(request, await self._signed(session, row, decisions), context)
        if counted.state is not ProposalState.APPROVED:
            return _Objection(ProposalState.STALE, f"its approval no longer holds: {counted.text}")
        return None

    async def _approved_at(self, session: AsyncSession, row: ProposalRow) -> datetime | None:
        """When it was approved, as the keyed audit has it: the column alone could make an old approval young again."""
        approved = await transitions.signed_at(self.db, session, row, what=DecisionChoice.APPROVE)
        return None if row.approved_at is None or approved is None else min(row.approved_at, approved)

    async def _signed(self, session: AsyncSession, row: ProposalRow, decisions: list[CountedDecision]) -> list[CountedDecision]:
        """Approvals count only if the keyed audit has them: a row put into the table by hand is nobody's answer."""
        return [
            decision
            for decision in decisions
            if decision.verdict == DecisionChoice.DENY
            or await transitions.signed(
                self.db, session, row, what=DecisionChoice.APPROVE, who=decision.eligibility.person or "-"
            )
        ]

    async def _take(self, session: AsyncSession, row: ProposalRow, workflow: str) -> ClaimResult:
        targets = sorted(row.record["targets"])
        claim = ClaimRow(proposal_id=row.id or 0, workflow=workflow, service=row.service, targets=targets, at=self.db.clock())
        session.add(claim)
        await session.flush()
        message = f"r{row.revision} {row.plan_fingerprint}"
        await transitions.move(self.db, session, row, ProposalState.CLAIMED, policy=self.policy, message=message)
        return ClaimResult(True, ProposalState(row.state))

    async def _not_run(self, session: AsyncSession, row: ProposalRow, to: ProposalState, why: str) -> ClaimResult:
        text = f"Not run: {why.rstrip('.')}."
        await transitions.move(self.db, session, row, to, reason=why, policy=self.policy, outcome=text)
        ref = transitions.ref_of(row)
        entry, key = f"{ref} was not run: {why}", f"left:{ref}:{to.value}"
        await transitions.add_to_timeline(self.db, session, row, EntryKind.ACTION, entry, key=key)
        return ClaimResult(False, ProposalState(row.state), why)

    async def untampered(self, ref: str) -> bool:
        """Whether the row still is what was put to people; if not, it is refused for good with an alarm."""
        async with self.db.write() as session:
            row = await rows.locked(session, ref)
            if why := await transitions.tampering(self.db, session, row):
                await transitions.raise_alarm(self.db, session, row, why)
            return not why

    # ------------------------------------------------------------ the attempt

    async def attempt_start(
        self, ref: str, workflow: str, roster: Roster, *, versions: Mapping[str, str], without: frozenset[str] = frozenset()
    ) -> AttemptStart:
        """Commit the attempt row; only `go` may be followed by the remote call, and at once.

        Everything of the claim is asked once more: this is the last check before the world changes, and hours, a restart
        with another policy, or a changed rota may lie between the claim and now.
        """
        async with self.db.write() as session:
            row = await rows.locked(session, ref)
            attempt = await session.get(AttemptRow, row.id)
            if attempt is not None:
                return AttemptStart(CallPermission.REPEATED, attempt.idempotency_key, terms=rows.stored_terms(row))
            claim = await session.get(ClaimRow, row.id)
            if row.state != ProposalState.CLAIMED or claim is None or claim.workflow != workflow:
                return AttemptStart(CallPermission.REFUSED, why=f"{ref} is {row.state}")
            if why := await transitions.tampering(self.db, session, row):
                await transitions.raise_alarm(self.db, session, row, why)
                return AttemptStart(CallPermission.REFUSED, why=why)
            if (objection := await self._objection(session, row, roster, versions, without)) is not None:
                await self._not_run(session, row, objection.to, objection.why)
                return AttemptStart(CallPermission.REFUSED, why=objection.why)
            return await self._begin(session, row)

    async def claimed_for(self, ref: str) -> timedelta:
        """How long ago the right to run was taken; the longest there is where nobody took it."""
        async with self.db.read() as session:
            claim = await session.get(ClaimRow, (await rows.row_of(session, ref)).id)
            return self.db.clock() - claim.at if claim is not None else timedelta.max

    async def _begin(self, session: AsyncSession, row: ProposalRow) -> AttemptStart:
        key = f"{transitions.ref_of(row)}:{row.revision}:{row.plan_fingerprint[:16]}"
        session.add(AttemptRow(proposal_id=row.id or 0, idempotency_key=key, state=ATTEMPT_STARTED, at=self.db.clock()))
        await session.flush()
        await transitions.move(self.db, session, row, ProposalState.EXECUTING, policy=self.policy, message=f"key {key}")
        return AttemptStart(CallPermission.GO, key, terms=rows.stored_terms(row))

    async def attempt_finish(self, ref: str, outcome: Outcome) -> ProposalState:
        """Store what the one call came to; the state afterwards. An outcome that is stored already stays."""
        async with self.db.write() as session:
            row = await rows.locked(session, ref)
            attempt = await session.get(AttemptRow, row.id)
            if attempt is None or attempt.state != ATTEMPT_STARTED:
                return ProposalState(row.state)
            attempt.state, attempt.outcome, attempt.remote_id = outcome.state, outcome.text, outcome.remote_id
            session.add(attempt)
            await session.flush()
            to = _STATE_AFTER_CALL[outcome.state]
            await transitions.move(self.db, session, row, to, reason=outcome.text, policy=self.policy, outcome=outcome.text)
            entry = f"{ref} {_OUTCOME_IN_TIMELINE[outcome.state]}: {outcome.text}"
            await transitions.add_to_timeline(self.db, session, row, EntryKind.ACTION, entry, key=f"ran:{ref}")
            if outcome.state is OutcomeState.DONE:
                await own_changes.record_change(session, self.config, row, at=attempt.at)
            else:
                await self._ask_people(session, row, outcome)
            return ProposalState(row.state)

    async def _ask_people(self, session: AsyncSession, row: ProposalRow, outcome: Outcome) -> None:
        ref = transitions.ref_of(row)
        if outcome.state is OutcomeState.FAILED:
            line = f"{ref} failed: {outcome.text} Nothing more was tried."
        else:
            line = (
                f"{ref}: it is not known whether it ran ({outcome.text}) It will not be repeated. "
                f"Please check the remote side and press It ran or It did not on its card (`did {ref}`, `did_not {ref}`)."
            )
            summary = f"{ref} ({row.record['title']}): it is not known whether it ran; a person has to check"
            details = {"proposal": ref, "service": row.service}
            if await session.get(PageRow, f"unknown:{ref}") is None:
                page = PageRow(key=f"unknown:{ref}", summary=summary, severity="SEV2", details=details, at=self.db.clock())
                session.add(page)
        await transitions.post_line(self.db, session, row, f"outcome:{ref}", line)

    async def give_up(self, ref: str, why: str) -> ProposalState:
        """For a workflow that cannot go on: what began becomes `unknown`, what did not `stale`, what was watched unverified."""
        async with self.db.write() as session:
            row = await rows.locked(session, ref)
            state = ProposalState(row.state)
            began = await session.get(AttemptRow, row.id) is not None
            if not state.final and state is not ProposalState.VERIFYING and not began:
                await self._not_run(session, row, ProposalState.STALE, why)
        if state is ProposalState.VERIFYING:
            return await self.verified(ref, Verification(state=VerificationState.COULD_NOT_VERIFY, text=f"{why}."))
        if began:
            return await self.attempt_finish(ref, Outcome(state=OutcomeState.UNKNOWN, text=f"{why}."))
        return ProposalState(row.state)

    # ------------------------------------------------------------ verification

    async def verified(self, ref: str, verification: Verification) -> ProposalState:
        """Store what the signal shows; the state afterwards."""
        async with self.db.write() as session:
            row = await rows.locked(session, ref)
            if row.state != ProposalState.VERIFYING:
                return ProposalState(row.state)
            to, text = _STATE_AFTER_VERIFICATION[verification.state], f"{verification.state}: {verification.text}"
            await transitions.move(self.db, session, row, to, reason=text, policy=self.policy, verification=text)
            line = f"{_VERIFIED[verification.state]} {ref}: {verification.text}"
            await transitions.add_to_timeline(self.db, session, row, EntryKind.ACTION, line, key=f"verified:{ref}")
            await transitions.post_line(self.db, session, row, f"verified:{ref}", line)
            return ProposalState(row.state)

    async def remote_id(self, ref: str) -> str:
        """What the remote side called the run; "" if no call was begun or it gave none."""
        async with self.db.read() as session:
            row = await rows.row_of(session, ref)
            attempt = await session.get(AttemptRow, row.id)
            return "" if attempt is None else attempt.remote_id


_VERIFIED = {
    VerificationState.RECOVERED: "Recovered after",
    VerificationState.NOT_RECOVERED: "Not recovered after",
    VerificationState.COULD_NOT_VERIFY: "Could not verify",
}
"""What the signal showed, before the reference: the service recovers, not the action."""
_OUTCOME_IN_TIMELINE = {OutcomeState.DONE: "ran", OutcomeState.FAILED: "failed", OutcomeState.UNKNOWN: "is unknown"}
