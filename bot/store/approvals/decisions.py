"""Decisions: one row a person and revision, counted under the proposal's lock; refusals are audited and private."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import ProposalState, Verdict
from bot.core.actor import Actor
from bot.core.approvals import policy
from bot.core.approvals.policy_types import Quorum, RuleResult
from bot.core.approvals.roster import Roster
from bot.core.config import Config
from bot.core.text.moments import clock_to_the_minute
from bot.store import audit
from bot.store.approvals import rows as proposals
from bot.store.approvals import transitions as edges
from bot.store.approvals.rows import DECIDABLE, DENIABLE, Places
from bot.store.db.database import Database
from bot.store.tables import DecisionRow, MessageRow, ProposalRow, SeenRow


@dataclass(frozen=True)
class DecisionResult:
    """One person's press: identity as signed, the revision pressed, and where."""

    ref: str
    revision: int
    presser: Actor
    team: str
    verdict: Verdict
    reason: str = ""
    key: str = ""
    """Unique per interaction; a repeat has no effect."""
    card: str = ""
    """ts of the message whose button was pressed; it must be this proposal's card. Empty: not from a card."""
    channel: str = ""


@dataclass(frozen=True)
class Decided:
    """What came of a press. `text` is the private answer; `wake` says whether the story should look."""

    counted: bool
    text: str
    state: ProposalState
    rule: str = ""
    wake: bool = False


class Decisions:
    """Counts answers; every press is one transaction."""

    def __init__(self, db: Database, config: Config) -> None:
        self.db = db
        self.config = config
        self.policy = policy.policy_version(config)

    async def decide(self, answer: DecisionResult, roster: Roster) -> Decided:
        """Count one person's answer to one revision, or say why not."""
        async with self.db.write() as session:
            row = await proposals.locked(session, answer.ref)
            if answer.key:
                if await session.get(SeenRow, f"decide:{answer.key}") is not None:
                    return Decided(False, await proposals.happened(session, row), ProposalState(row.state), "seen", wake=True)
                session.add(SeenRow(key=f"decide:{answer.key}", at=self.db.clock()))
            refused = await self._refusal(session, row, answer, roster)
            if refused is not None:
                return await self._refused(session, row, answer, refused)
            return await self._count(session, row, answer, roster)

    async def check(self, answer: DecisionResult, roster: Roster) -> Decided | None:
        """Whether an answer would be refused whatever the dry run says, before anything is opened or looked at.

        None: nothing against it. A refusal is written down like that of a press.
        """
        async with self.db.write() as session:
            row = await proposals.locked(session, answer.ref)
            refused = await self._refusal(session, row, answer, roster, fresh=True)
            return None if refused is None else await self._refused(session, row, answer, refused)

    async def refuse(self, answer: DecisionResult, rule: str, text: str) -> Decided:
        """Write down a refusal that was decided before the rows were asked (a form that no longer fits, a wrong door)."""
        async with self.db.write() as session:
            row = await proposals.locked(session, answer.ref)
            return await self._refused(session, row, answer, RuleResult(False, rule, text))

    async def _refusal(
        self, session: AsyncSession, row: ProposalRow, answer: DecisionResult, roster: Roster, *, fresh: bool = False
    ) -> RuleResult | None:
        state = ProposalState(row.state)
        if not state.final and (why := await edges.tampered(self.db, session, row)):
            await edges.alarm(self.db, session, row, why)
            return RuleResult(False, "digest mismatch", f"Refused: {why}. It will not run; an alarm was raised.")
        if state in DECIDABLE and self.db.clock() >= row.expires_at:
            await edges.move(self.db, session, row, ProposalState.EXPIRED, policy=self.policy)
            return RuleResult(False, "expired", await proposals.happened(session, row))
        if state not in (DENIABLE if answer.verdict == "deny" else DECIDABLE):
            return RuleResult(False, "late", await proposals.happened(session, row))
        if answer.card and not await _is_card(session, row, answer):
            return RuleResult(False, "other message", "This button does not stand on the proposal's own card.")
        if answer.revision != row.revision:
            text = f"You answered revision {answer.revision}; the card now shows revision {row.revision}: look at that one."
            return RuleResult(False, "revision", text)
        return await self._ruled(session, row, answer, roster, fresh)

    async def _ruled(
        self, session: AsyncSession, row: ProposalRow, answer: DecisionResult, roster: Roster, fresh: bool
    ) -> RuleResult | None:
        scene = await proposals.surroundings(self.db, session, self.config, row)
        said = await proposals.said(session, row, roster, scene)
        presser = answer.presser
        own = next((s for s in said if s.standing.person == presser.person and presser.person), None)
        if own is not None and own.verdict == answer.verdict:
            return RuleResult(
                False, "doubled", f"{edges.ref_of(row)}: already {answer.verdict} by you at {clock_to_the_minute(own.at)}."
            )
        ask = proposals.ask_of(row, self.config, fresh=fresh or proposals.dry_run_fresh(row, scene))
        where = Places(row.group_id, row.incident_id)
        standing = await proposals.standing(session, presser.person, row.service, where, roster, scene)
        others = [s for s in said if s is not own]
        ruling = policy.may_decide(presser, standing, ask, scene, answer.verdict, reason=answer.reason, others=others)
        if ruling.rule == "closed":
            await edges.move(self.db, session, row, ProposalState.EXPIRED, policy=self.policy, outcome="The incident closed.")
        return None if ruling.allow else ruling

    async def _refused(self, session: AsyncSession, row: ProposalRow, answer: DecisionResult, ruling: RuleResult) -> Decided:
        await audit.append(
            self.db,
            session,
            who=answer.presser.person or answer.presser.user or "unknown",
            what=f"refused: {answer.verdict}",
            subject=edges.ref_of(row),
            before=row.state,
            after=row.state,
            reason=f"{ruling.rule}: {ruling.text}",
            policy=self.policy,
            message=f"r{answer.revision}",
        )
        text = ruling.text + (f" Who may: {ruling.who_may}." if ruling.who_may else "")
        late = ruling.rule in ("late", "doubled", "expired")
        return Decided(False, text, ProposalState(row.state), ruling.rule, wake=late)

    async def _count(self, session: AsyncSession, row: ProposalRow, answer: DecisionResult, roster: Roster) -> Decided:
        await self._write(session, row, answer)
        who = answer.presser.person
        await edges.human(self.db, session, row.group_id, row.incident_id)
        await edges.attest(self.db, session, row, who=who, what=answer.verdict, reason=answer.reason)
        scene = await proposals.surroundings(self.db, session, self.config, row)
        ask = proposals.ask_of(row, self.config, fresh=proposals.dry_run_fresh(row, scene))
        counted = policy.quorum(ask, await proposals.said(session, row, roster, scene), scene)
        values: dict[str, Any] = {"approved_at": scene.now, "solo": counted.solo} if counted.state == "approved" else {}
        if counted.state != row.state:
            to = ProposalState(counted.state)
            if to is ProposalState.DENIED and who == row.record["requester"]:
                to = ProposalState.WITHDRAWN
            await edges.move(self.db, session, row, to, who=who, reason=answer.reason, policy=self.policy, **values)
        await self._tell(session, row, answer, counted, roster)
        return Decided(True, _told(edges.ref_of(row), counted), ProposalState(row.state), wake=True)

    async def _write(self, session: AsyncSession, row: ProposalRow, answer: DecisionResult) -> None:
        query = select(DecisionRow).where(
            DecisionRow.proposal_id == row.id,
            DecisionRow.revision == row.revision,
            DecisionRow.person == answer.presser.person,
        )
        found = (await session.exec(query)).first() or DecisionRow(
            proposal_id=row.id or 0,
            revision=row.revision,
            person=answer.presser.person,
            team=answer.team,
            slack_user=answer.presser.user,
            verdict=answer.verdict,
            digest=row.digest,
            at=self.db.clock(),
        )
        # A change of mind before the start: the audit keeps both answers.
        found.verdict, found.reason, found.digest, found.at = answer.verdict, answer.reason, row.digest, self.db.clock()
        session.add(found)
        await session.flush()

    async def _tell(
        self, session: AsyncSession, row: ProposalRow, answer: DecisionResult, counted: Quorum, roster: Roster
    ) -> None:
        ref, who = edges.ref_of(row), answer.presser.person
        verb = "approved" if answer.verdict == "approve" else "denied"
        text = f"{ref} {verb}{' SOLO' if counted.solo else ''} by {who}" + (f": {answer.reason}" if answer.reason else "")
        key = f"decision:{ref}:{row.revision}:{who}:{answer.verdict}"
        await edges.note(self.db, session, row, "decision", text, who=who, key=key)
        await edges.show(self.db, session, row)
        if counted.solo:
            others = roster.rota(row.service, self.db.clock()).others(who)
            line = f"{ref} was approved SOLO by {who}; secondary on-call, please have a look."
            await edges.say(self.db, session, row, f"solo:{ref}", line, others)


async def _is_card(session: AsyncSession, row: ProposalRow, answer: DecisionResult) -> bool:
    """Whether the pressed message is where the sender put this proposal's card."""
    card = await session.get(MessageRow, f"proposal:{edges.ref_of(row)}")
    if card is None or not card.ts:
        # The card was posted and pressed before its ts was recorded (or the recording died with the process).
        return True
    return answer.card == card.ts and (not answer.channel or answer.channel in (card.channel, card.posted_channel))


def _told(ref: str, counted: Quorum) -> str:
    return {
        "approved": f"Approved: {ref} starts now.{' Recorded as SOLO.' if counted.solo else ''}",
        "partly approved": f"Counted: {counted.text}.",
        "denied": f"Denied: {ref} will not run.",
        "pending": f"Counted, but {counted.text}.",
    }[counted.state]
