"""Decisions: one row a person and revision, counted under the proposal's lock; refusals are audited and private."""

from dataclasses import dataclass, replace

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import DECIDABLE, DecisionChoice, ProposalState
from bot.core.actor import Actor
from bot.core.approvals import in_force, policy
from bot.core.approvals.break_glass import may_break_glass
from bot.core.approvals.policy_types import ActionRequest, CountedDecision, DecisionContext, Quorum, Rule, RuleResult
from bot.core.approvals.request import may_be_approved
from bot.core.approvals.roster import Eligibility, Roster
from bot.core.text.moments import minute_of_day
from bot.core.timeline import EntryKind
from bot.store import audit
from bot.store.approvals import break_glass, rows, rule_inputs, signatures, transitions
from bot.store.approvals.policy_bound_writer import PolicyBoundWriter
from bot.store.approvals.rows import DENIABLE
from bot.store.tables import DecisionRow, MessageRow, ProposalRow, SeenRow


@dataclass(frozen=True)
class Press:
    """One person's answer as it was given: identity as signed, the revision pressed, and where."""

    ref: str
    revision: int
    actor: Actor
    verdict: DecisionChoice
    reason: str = ""
    key: str = ""
    """Unique per interaction; a repeat has no effect."""
    card: str = ""
    """ts of the message whose button was pressed; it must show this proposal. Empty: not from a message."""
    channel: str = ""
    break_glass: bool = False
    """To count alone, as one of those named for it."""


@dataclass(frozen=True)
class DecisionResult:
    """What came of a press. `text` is the private answer; `wake` says whether the workflow should read the decisions."""

    counted: bool
    text: str
    state: ProposalState
    rule: Rule | None = None
    wake: bool = False


@dataclass(frozen=True)
class _Situation:
    """What the rules need to know about one press, read once in its transaction."""

    context: DecisionContext
    eligibility: Eligibility
    request: ActionRequest
    decisions: list[CountedDecision]
    """All answers to the current revision; the presser's own, if there is one, among them."""

    @property
    def own(self) -> CountedDecision | None:
        person = self.eligibility.person
        return next((d for d in self.decisions if person and d.eligibility.person == person), None)

    @property
    def others(self) -> list[CountedDecision]:
        return [decision for decision in self.decisions if decision is not self.own]


class Decisions(PolicyBoundWriter):
    """Counts answers; every press is one transaction."""

    async def decide(self, press: Press, roster: Roster) -> DecisionResult:
        """Count one person's answer to one revision, or say why not."""
        async with self.db.write() as session:
            # Read again under its lock: minutes may have passed since the card or the dialog was shown.
            row = await rows.locked(session, press.ref)
            if press.key:
                if await session.get(SeenRow, f"decide:{press.key}") is not None:
                    text = await rows.state_text(session, row, self.db.clock())
                    return DecisionResult(False, text, ProposalState(row.state), Rule.REPEATED, wake=True)
                session.add(SeenRow(key=f"decide:{press.key}", at=self.db.clock()))
            situation = await self._examine(session, row, press, roster)
            if isinstance(situation, RuleResult):
                return await self._refuse(session, row, press, situation)
            return await self._count(session, row, press, situation, roster)

    async def check(self, press: Press, roster: Roster) -> DecisionResult | None:
        """Whether an answer would be refused whatever the dry run shows, before anything is opened or read outside.

        None: no objection. A refusal is written down like that of a press.
        """
        async with self.db.write() as session:
            row = await rows.locked(session, press.ref)
            situation = await self._examine(session, row, press, roster, before_dry_run=True)
            return await self._refuse(session, row, press, situation) if isinstance(situation, RuleResult) else None

    async def refuse(self, press: Press, rule: Rule, text: str) -> DecisionResult:
        """Write down a refusal that was decided before the rows were read (a form that no longer fits, a wrong entry point)."""
        async with self.db.write() as session:
            row = await rows.locked(session, press.ref)
            return await self._refuse(session, row, press, RuleResult(False, rule, text))

    # ------------------------------------------------------------ examining

    async def _examine(
        self, session: AsyncSession, row: ProposalRow, press: Press, roster: Roster, *, before_dry_run: bool = False
    ) -> RuleResult | _Situation:
        """Why the answer does not count, or what it is counted with."""
        if (refused := await self._stale_press(session, row, press)) is not None:
            return refused
        situation = await self._situation(session, row, press, roster, before_dry_run=before_dry_run)
        own = situation.own
        if own is not None and own.verdict == press.verdict and own.break_glass == press.break_glass:
            at = minute_of_day(own.at, self.db.clock())
            text = f"You have already {press.verdict.past} {transitions.ref_of(row)} at {at}."
            return RuleResult(False, Rule.DOUBLED, text)
        answer = await self._answer(session, press, situation)
        if answer.rule is Rule.CLOSED:
            outcome = "The incident closed."
            await transitions.move(self.db, session, row, ProposalState.EXPIRED, policy=self.policy, outcome=outcome)
        return situation if answer.allow else answer

    async def _answer(self, session: AsyncSession, press: Press, situation: _Situation) -> RuleResult:
        about = press.actor, situation.eligibility, situation.request, situation.context
        if press.break_glass:
            overdue = await break_glass.overdue_review(self.db, session, press.actor.person)
            return may_break_glass(*about, named=in_force.break_glass(self.config), reason=press.reason, overdue=overdue)
        return policy.may_decide(*about, press.verdict, reason=press.reason, others=situation.others)

    async def _stale_press(self, session: AsyncSession, row: ProposalRow, press: Press) -> RuleResult | None:
        """What refuses an answer whoever gave it: the row, its state, the card or the revision are not those of the press."""
        state = ProposalState(row.state)
        if not state.final and (why := await signatures.tampering(self.db, session, row)):
            await signatures.raise_alarm(self.db, session, row, why)
            return RuleResult(False, Rule.TAMPERED, f"Refused: {why}. It will not run; an alarm was raised.")
        if state in DECIDABLE and self.db.clock() >= row.expires_at:
            await transitions.move(self.db, session, row, ProposalState.EXPIRED, policy=self.policy)
            return RuleResult(False, Rule.EXPIRED, await rows.state_text(session, row, self.db.clock()))
        if state not in (DENIABLE if press.verdict == DecisionChoice.DENY else DECIDABLE):
            return RuleResult(False, Rule.LATE, await rows.state_text(session, row, self.db.clock()))
        if press.card and not await _stands_on(session, row, press):
            return RuleResult(False, Rule.OTHER_MESSAGE, "This button is not on a message of mine that shows the proposal.")
        if press.verdict == DecisionChoice.APPROVE and not may_be_approved(rows.stored_proposal(row)):
            text = f"The card of {transitions.ref_of(row)} has no Approve button: it cannot be approved here."
            return RuleResult(False, Rule.NO_BUTTON, text)
        # A denial is of the whole proposal: who said no while it was revised has said no.
        if press.verdict == DecisionChoice.APPROVE and press.revision != row.revision:
            text = f"You answered revision {press.revision}; the card now shows revision {row.revision}: look at that one."
            return RuleResult(False, Rule.REVISION, text)
        return None

    async def _situation(
        self, session: AsyncSession, row: ProposalRow, press: Press, roster: Roster, *, before_dry_run: bool
    ) -> _Situation:
        (context, roles), terms = await rule_inputs.stored_context(self.db, session, roster, row), rows.stored_terms(row)
        approvers = roster.approvers(row.service, terms.tier, context.now, roles=roles, requesters=terms.all_requesters)
        dry_run_ok = before_dry_run or rule_inputs.dry_run_counts(row, context.now)
        return _Situation(
            replace(context, approvers=approvers),
            roster.eligibility(press.actor.person, row.service, context.now, roles=roles),
            await rule_inputs.stored_request(self.db, session, row, self.config, dry_run_ok=dry_run_ok),
            await rule_inputs.counted_decisions(self.db, session, row, roster, roles),
        )

    async def _refuse(self, session: AsyncSession, row: ProposalRow, press: Press, refusal: RuleResult) -> DecisionResult:
        await audit.append(
            self.db,
            session,
            who=press.actor.person or press.actor.user or "unknown",
            what=f"refused: {press.verdict}",
            subject=transitions.ref_of(row),
            before=row.state,
            after=row.state,
            reason=f"{refusal.rule}: {refusal.text}",
            policy=self.policy,
            message=f"r{press.revision}",
        )
        late = refusal.rule in (Rule.LATE, Rule.DOUBLED, Rule.EXPIRED)
        return DecisionResult(False, refusal.explanation, ProposalState(row.state), refusal.rule, wake=late)

    # ------------------------------------------------------------ counting

    async def _count(
        self, session: AsyncSession, row: ProposalRow, press: Press, situation: _Situation, roster: Roster
    ) -> DecisionResult:
        person, context = press.actor.person, situation.context
        await self._write(session, row, press)
        await transitions.mark_human_activity(self.db, session, row.group_id, row.incident_id)
        await signatures.sign(self.db, session, row, who=person, what=press.verdict, reason=press.reason)
        if press.break_glass:
            by = {"person": person, "reason": press.reason, "policy": self.policy}
            await break_glass.use(self.db, session, row, roster, **by)
        own = CountedDecision(situation.eligibility, press.verdict, context.now, press.reason, break_glass=press.break_glass)
        counted = policy.quorum(situation.request, [*situation.others, own], context)
        if counted.state == row.state or not await self._move(session, row, press, counted, context):
            await transitions.refresh_card(self.db, session, row)
        await self._announce(session, row, press, counted, roster)
        text = _counted_text(transitions.ref_of(row), counted)
        return DecisionResult(True, text, ProposalState(row.state), wake=True)

    async def _move(
        self, session: AsyncSession, row: ProposalRow, press: Press, counted: Quorum, context: DecisionContext
    ) -> bool:
        person, to = press.actor.person, ProposalState(counted.state)
        if to is ProposalState.DENIED and person == row.record["requester"]:
            to = ProposalState.WITHDRAWN
        approved: transitions.TransitionColumns = {}
        if to is ProposalState.APPROVED:
            approved = {"approved_at": context.now, "solo": counted.solo, "break_glass": counted.break_glass}
        reason = press.reason
        return await transitions.move(self.db, session, row, to, who=person, reason=reason, policy=self.policy, **approved)

    async def _write(self, session: AsyncSession, row: ProposalRow, press: Press) -> None:
        query = select(DecisionRow).where(
            DecisionRow.proposal_id == row.id,
            DecisionRow.revision == row.revision,
            DecisionRow.person == press.actor.person,
        )
        decision = (await session.exec(query)).first() or DecisionRow(
            proposal_id=row.id or 0,
            revision=row.revision,
            person=press.actor.person,
            team=press.actor.team,
            slack_user=press.actor.user,
            verdict=press.verdict,
            plan_fingerprint=row.plan_fingerprint,
            at=self.db.clock(),
        )
        # A change of mind before the start: the audit keeps both answers.
        decision.verdict, decision.reason = press.verdict, press.reason
        decision.plan_fingerprint, decision.at = row.plan_fingerprint, self.db.clock()
        session.add(decision)
        await session.flush()

    async def _announce(self, session: AsyncSession, row: ProposalRow, press: Press, counted: Quorum, roster: Roster) -> None:
        ref, who = transitions.ref_of(row), press.actor.person
        text = f"{ref} {press.verdict.past}{_how(counted)} by {who}"
        text += f": {press.reason}" if press.reason else ""
        key = f"decision:{ref}:{row.revision}:{who}:{press.verdict}"
        await transitions.add_to_timeline(self.db, session, row, EntryKind.DECISION, text, who=who, key=key)
        if counted.solo:
            others = roster.rota(row.service, self.db.clock()).others(who)
            line = f"{ref} was approved SOLO by {who}; secondary on-call, please have a look."
            await transitions.post_line(self.db, session, row, f"solo:{ref}", line, others)


async def _stands_on(session: AsyncSession, row: ProposalRow, press: Press) -> bool:
    """Whether the pressed message is this proposal's card, or the triage of its group, which has its Approve button too."""
    card = await session.get(MessageRow, f"proposal:{transitions.ref_of(row)}")
    if card is None or not card.ts or _is_at(card, press):
        # Without a ts the card was pressed before it was recorded (or the recording died with the process).
        return True
    triage = await session.get(MessageRow, f"triage:AL-{row.group_id}") if row.group_id is not None else None
    return triage is not None and _is_at(triage, press)


def _is_at(message: MessageRow, press: Press) -> bool:
    return press.card == message.ts and (not press.channel or press.channel in (message.channel, message.posted_channel))


def _how(counted: Quorum) -> str:
    """How one person alone could approve it; "" where it was approved as ever."""
    return " BREAK-GLASS" if counted.break_glass else " SOLO" if counted.solo else ""


def _counted_text(ref: str, counted: Quorum) -> str:
    return {
        ProposalState.APPROVED: f"Approved: {ref} starts now.{f' Recorded as{_how(counted)}.' if _how(counted) else ''}",
        ProposalState.PARTLY_APPROVED: f"Counted: {counted.text}.",
        ProposalState.DENIED: f"Denied: {ref} will not run.",
        ProposalState.PENDING: f"Counted, but {counted.text}.",
    }[counted.state]
