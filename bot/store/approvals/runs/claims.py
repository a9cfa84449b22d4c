"""The right to run, taken once; the attempt, written just before the remote call; and what came of both."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import (
    ATTEMPT_STARTED,
    SILENCES,
    DecisionChoice,
    Outcome,
    OutcomeState,
    Proposal,
    ProposalState,
    Terms,
    Verification,
    VerificationState,
)
from bot.core.approvals import plans, policy
from bot.core.approvals.authority import Authority
from bot.core.approvals.policy_types import START_WITHIN, CountedDecision, Rule
from bot.core.timeline import EntryKind
from bot.store.approvals import plan_steps, rows, rule_inputs, signatures, transitions
from bot.store.approvals.policy_bound_writer import PolicyBoundWriter
from bot.store.approvals.runs import own_changes
from bot.store.approvals.runs.outcome_lines import ask_people
from bot.store.approvals.standing.starts import carries, used_at
from bot.store.tables import AttemptRow, ClaimRow, MessageRow, ProposalRow

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


class Claims(PolicyBoundWriter):
    """Claim, attempt and outcome; every method is one transaction and safe against other replicas."""

    async def claim(
        self,
        ref: str,
        workflow: str,
        authority: Authority,
        *,
        step: int = 1,
    ) -> ClaimResult:
        """Take the right to run one step for `workflow`.

        Everything that was checked at the press is checked again in this transaction.

        The same workflow may claim again (its replay); any other is refused.
        """
        async with self.db.write() as session:
            row = await rows.locked(session, ref)
            await transitions.lock_service(self.db, session, row.service)
            claim = await session.get(ClaimRow, (row.id, step))
            if claim is not None:
                own = claim.workflow == workflow and not ProposalState(row.state).final
                return ClaimResult(own, ProposalState(row.state), "" if own else "it was claimed already")
            if row.state != (ProposalState.APPROVED if step == 1 else ProposalState.VERIFYING):
                return ClaimResult(False, ProposalState(row.state))
            if why := await self._tampering(session, row, ProposalState.CLAIMED, _claim_message(row, step)):
                await signatures.raise_alarm(self.db, session, row, why)
                if step > 1:
                    text = f"Refused: {why}. Step {step} and what comes after it did not run."
                    await transitions.move(self.db, session, row, ProposalState.STOPPED, reason=why, outcome=text)
                return ClaimResult(False, ProposalState(row.state), why)
            return await self._decide(session, row, workflow, authority, step)

    async def _tampering(self, session: AsyncSession, row: ProposalRow, to: ProposalState, message: str) -> str:
        """Why the rows are not what the audit tells, before a transition that happens once; "" if they are."""
        if await signatures.was_once(self.db, session, row, to, message):
            return f"the audit says that it was {to.value} before, and the database no longer does"
        return await signatures.tampering(self.db, session, row)

    async def _decide(
        self,
        session: AsyncSession,
        row: ProposalRow,
        workflow: str,
        authority: Authority,
        step: int,
    ) -> ClaimResult:
        # Nothing of the press is used here: minutes have passed, so the locked row, the roster, the rules and the decisions
        # are read as they are now.
        objection = await self._objection(session, row, authority, step)
        if objection is None:
            return await self._take(session, row, workflow, step)
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
        authority: Authority,
        step: int,
    ) -> _Objection | None:
        """Why it may not go on now: its age, the action, policy, and whether the approvals still hold. Asked twice a step."""
        context, roles = await rule_inputs.stored_context(self.db, session, authority.roster, row)
        begins_from = await self._begins_from(session, row, step)
        if begins_from is None or self.db.clock() - begins_from > START_WITHIN:
            running = context.running_on_service
            why = f", and {running} is running on {row.service}: one action at a time on a service" if running else ""
            of = "of its approval" if step == 1 else f"of the end of step {step - 1}"
            return _Objection(ProposalState.STALE, f"it did not start within 2 minutes {of}{why}")
        if plans.outdated(rows.stored_terms(row), authority.versions):
            return _Objection(ProposalState.STALE, _CHANGED)
        request = await rule_inputs.stored_request(self.db, session, row, authority.roster.config, dry_run_ok=True)
        answer = policy.may_start(request, context)
        if not answer.allow:
            to = ProposalState.STOPPED if answer.rule in (Rule.STOPPED, Rule.CLOSED) else ProposalState.STALE
            return _Objection(to, answer.text, busy=answer.rule is Rule.BUSY)
        decisions = await rule_inputs.counted_decisions(
            self.db, session, row, authority.roster, roles, without=authority.without
        )
        counted = policy.quorum(request, await self._signed(session, row, decisions), context)
        if counted.state in (ProposalState.APPROVED, ProposalState.DENIED):
            holds = counted.state is ProposalState.APPROVED
        else:
            holds = await carries(self.db, session, row, authority)
        return None if holds else _Objection(ProposalState.STALE, f"its approval no longer holds: {counted.text}")

    async def _begins_from(self, session: AsyncSession, row: ProposalRow, step: int) -> datetime | None:
        """Since when a step may begin: the approval, for a later one the verification of the one before; None: not yet."""
        return await (self._approved_at(session, row) if step == 1 else plan_steps.verified_at(self.db, session, row, step - 1))

    async def _approved_at(self, session: AsyncSession, row: ProposalRow) -> datetime | None:
        """When it was approved, as the keyed audit has it: the column alone could make an old approval young again."""
        approved = await signatures.signed_at(self.db, session, row, what=DecisionChoice.APPROVE)
        approved = approved or await used_at(self.db, session, row)
        return None if row.approved_at is None or approved is None else min(row.approved_at, approved)

    async def _signed(self, session: AsyncSession, row: ProposalRow, decisions: list[CountedDecision]) -> list[CountedDecision]:
        """Approvals count only if the keyed audit has them: a row put into the table by hand is nobody's answer."""
        return [
            decision
            for decision in decisions
            if decision.verdict == DecisionChoice.DENY
            or await signatures.signed(
                self.db, session, row, what=DecisionChoice.APPROVE, who=decision.eligibility.person or "-"
            )
        ]

    async def _take(self, session: AsyncSession, row: ProposalRow, workflow: str, step: int) -> ClaimResult:
        plan = rows.stored_terms(row)
        targets, now = sorted(plan.runs[step - 1].targets), self.db.clock()
        session.add(
            ClaimRow(proposal_id=row.id or 0, step=step, workflow=workflow, service=row.service, targets=targets, at=now)
        )
        await session.flush()
        message = _claim_message(row, step)
        await transitions.move(self.db, session, row, ProposalState.CLAIMED, policy=self.policy, message=message)
        return ClaimResult(True, ProposalState(row.state))

    async def _not_run(self, session: AsyncSession, row: ProposalRow, to: ProposalState, why: str) -> ClaimResult:
        await plan_steps.halt(self.db, session, row, to, why, self.policy)
        return ClaimResult(False, ProposalState(row.state), why)

    async def untampered(self, ref: str) -> Proposal | None:
        """The proposal, if its row still is what was put to people; if not, it is refused for good with an alarm."""
        async with self.db.write() as session:
            row = await rows.locked(session, ref)
            if why := await signatures.tampering(self.db, session, row):
                await signatures.raise_alarm(self.db, session, row, why)
                return None
            return rows.stored_proposal(row)

    # ------------------------------------------------------------ the attempt

    async def attempt_start(
        self,
        ref: str,
        workflow: str,
        authority: Authority,
        *,
        step: int = 1,
    ) -> AttemptStart:
        """Commit the attempt row; only `go` may be followed by the remote call, and at once.

        Everything of the claim is asked once more: this is the last check before the world changes, and hours, a restart
        with another policy, or a changed rota may lie between the claim and now.
        """
        async with self.db.write() as session:
            row = await rows.locked(session, ref)
            attempt = await session.get(AttemptRow, (row.id, step))
            if attempt is not None:
                return AttemptStart(CallPermission.REPEATED, attempt.idempotency_key, terms=rows.stored_terms(row))
            claim = await session.get(ClaimRow, (row.id, step))
            if row.state != ProposalState.CLAIMED or claim is None or claim.workflow != workflow:
                return AttemptStart(CallPermission.REFUSED, why=f"{ref} is {row.state}")
            if why := await self._tampering(session, row, ProposalState.EXECUTING, _call_message(row, step)):
                await signatures.raise_alarm(self.db, session, row, why)
                return AttemptStart(CallPermission.REFUSED, why=why)
            if (objection := await self._objection(session, row, authority, step)) is not None:
                await self._not_run(session, row, objection.to, objection.why)
                return AttemptStart(CallPermission.REFUSED, why=objection.why)
            return await self._begin(session, row, step)

    async def claimed_for(self, ref: str, step: int = 1) -> timedelta:
        """How long ago the right to run was taken; the longest there is where nobody took it."""
        own = ClaimRow.proposal_id == transitions.proposal_number(ref), ClaimRow.step == step
        async with self.db.read() as session:
            claimed_at = (await session.exec(select(ClaimRow.at).where(*own))).first()
        return self.db.clock() - claimed_at if claimed_at is not None else timedelta.max

    async def _begin(self, session: AsyncSession, row: ProposalRow, step: int) -> AttemptStart:
        terms, now, key = rows.stored_terms(row), self.db.clock(), _key(row, step)
        session.add(AttemptRow(proposal_id=row.id or 0, step=step, idempotency_key=key, state=ATTEMPT_STARTED, at=now))
        await session.flush()
        message, to = _call_message(row, step), ProposalState.EXECUTING
        await transitions.move(self.db, session, row, to, policy=self.policy, message=message, steps_begun=step)
        return AttemptStart(CallPermission.GO, key, terms=terms)

    async def attempt_finish(self, ref: str, outcome: Outcome, step: int = 1) -> ProposalState:
        """Store what the one call of a step came to; the state afterwards. An outcome that is stored already stays."""
        async with self.db.write() as session:
            row = await rows.locked(session, ref)
            attempt = await session.get(AttemptRow, (row.id, step))
            if attempt is None or attempt.state != ATTEMPT_STARTED:
                return ProposalState(row.state)
            attempt.state, attempt.outcome, attempt.remote_id = outcome.state, outcome.text, outcome.remote_id
            session.add(attempt)
            await session.flush()
            to, plan = _STATE_AFTER_CALL[outcome.state], rows.stored_terms(row)
            text = plans.with_step(plan, step, outcome.text)
            left = "" if outcome.state is OutcomeState.DONE else plans.not_run_text(plan, step)
            await transitions.move(self.db, session, row, to, reason=text, policy=self.policy, outcome=text + left)
            entry, key = (
                f"{ref} {_OUTCOME_IN_TIMELINE[outcome.state]}: {text}{left}",
                plan_steps.keyed(f"ran:{ref}", plan, step),
            )
            await transitions.add_to_timeline(self.db, session, row, EntryKind.ACTION, entry, key=key)
            if outcome.state is OutcomeState.DONE:
                await own_changes.record_change(session, self.config, row, at=attempt.at, step=step)
            else:
                await ask_people(self.db, session, row, outcome.state, text, left)
            return ProposalState(row.state)

    async def give_up(self, ref: str, why: str) -> ProposalState:
        """For a workflow that cannot go on: what began becomes `unknown`, what did not `stale`, what was watched unverified."""
        async with self.db.write() as session:
            row = await rows.locked(session, ref)
            state = ProposalState(row.state)
            step = await plan_steps.newest_step(session, row)
            attempt = await session.get(AttemptRow, (row.id, step))
            between = state is ProposalState.VERIFYING and plan_steps.goes_on(row, attempt)
            if between or (not state.final and state is not ProposalState.VERIFYING and attempt is None):
                await self._not_run(session, row, ProposalState.STALE, why)
                return ProposalState(row.state)
        if state is ProposalState.VERIFYING:
            return await self.verified(ref, Verification(state=VerificationState.COULD_NOT_VERIFY, text=f"{why}."), step)
        if attempt is not None:
            return await self.attempt_finish(ref, Outcome(state=OutcomeState.UNKNOWN, text=f"{why}."), step)
        return ProposalState(row.state)

    async def halt(self, ref: str, why: str) -> ProposalState:
        """End a plan between two of its steps; the state afterwards."""
        async with self.db.write() as session:
            row = await rows.locked(session, ref)
            if row.state in (ProposalState.VERIFYING, ProposalState.CLAIMED):
                await self._not_run(session, row, ProposalState.STOPPED, why)
            return ProposalState(row.state)

    # ------------------------------------------------------------ verification

    async def verified(self, ref: str, verification: Verification, step: int = 1) -> ProposalState:
        """Store what the signal shows after a step; the state afterwards: `verifying` still where the plan goes on."""
        async with self.db.write() as session:
            row = await rows.locked(session, ref)
            attempt = await session.get(AttemptRow, (row.id, step))
            if row.state != ProposalState.VERIFYING or (attempt is not None and attempt.verification):
                return ProposalState(row.state)
            text, plan = f"{verification.state}: {verification.text}", rows.stored_terms(row)
            if attempt is not None:
                attempt.verification = text
                session.add(attempt)
                await session.flush()
            if plan_steps.goes_on(row, attempt):
                await plan_steps.note_verified(self.db, session, row, step, text)
            else:
                await self._end(session, row, verification, step, text)
            mutes = plan.kind in SILENCES and verification.state is VerificationState.RECOVERED
            verified = "Verified" if mutes else _VERIFIED[verification.state]
            line = f"{verified} {ref}: {plans.with_step(plan, step, verification.text)}"
            line += "" if row.state == ProposalState.VERIFYING else plans.not_run_text(plan, step)
            key = plan_steps.keyed(f"verified:{ref}", plan, step)
            await transitions.add_to_timeline(self.db, session, row, EntryKind.ACTION, line, key=key)
            await transitions.post_line(self.db, session, row, key, line)
            return ProposalState(row.state)

    async def _end(self, session: AsyncSession, row: ProposalRow, verification: Verification, step: int, text: str) -> None:
        """The last step, or the one at which a plan stops: a recovery before the last is none of the plan."""
        to, left = _STATE_AFTER_VERIFICATION[verification.state], plans.not_run_text(rows.stored_terms(row), step)
        if left and to is ProposalState.SUCCEEDED:
            to = ProposalState.STOPPED
        ended: transitions.TransitionColumns = {"verification": text}
        if left and left.strip() not in row.outcome:
            ended["outcome"] = f"{row.outcome}{left}"
        await transitions.move(self.db, session, row, to, reason=text, policy=self.policy, **ended)

    async def steps_that_ran(self, ref: str) -> list[int]:
        """The steps whose call is known to have had its effect, in order: it was answered, or a person said so."""
        async with self.db.read() as session:
            runs = await plan_steps.step_runs(session, await rows.row_of(session, ref))
            return [run.step for run in runs if run.state == OutcomeState.DONE or run.verification]

    async def begun_at(self, ref: str, step: int = 1) -> datetime | None:
        """When the call of a step was begun; None if none was."""
        async with self.db.read() as session:
            row = await rows.row_of(session, ref)
            attempt = await session.get(AttemptRow, (row.id, step))
            return attempt.at if attempt else None

    async def remote_id(self, ref: str, step: int = 1) -> str:
        """What the remote side called the run of a step; "" if no call was begun or it gave none."""
        async with self.db.read() as session:
            row = await rows.row_of(session, ref)
            attempt = await session.get(AttemptRow, (row.id, step))
            return "" if attempt is None else attempt.remote_id


_VERIFIED = {
    VerificationState.RECOVERED: "Recovered after",
    VerificationState.NOT_RECOVERED: "Not recovered after",
    VerificationState.COULD_NOT_VERIFY: "Could not verify",
}
"""What the signal showed, before the reference: the service recovers, not the action."""
_OUTCOME_IN_TIMELINE = {OutcomeState.DONE: "ran", OutcomeState.FAILED: "failed", OutcomeState.UNKNOWN: "is unknown"}


def _claim_message(row: ProposalRow, step: int) -> str:
    return f"r{row.revision} {row.plan_fingerprint} {plans.step_text(rows.stored_terms(row), step)}".strip()


def _call_message(row: ProposalRow, step: int) -> str:
    return f"key {_key(row, step)} {plans.step_text(rows.stored_terms(row), step)}".strip()


def _key(row: ProposalRow, step: int) -> str:
    """The idempotency key of a step's one call."""
    of_step = f":{step}" if rows.stored_terms(row).parts else ""
    return f"{transitions.ref_of(row)}:{row.revision}:{row.plan_fingerprint[:16]}{of_step}"
