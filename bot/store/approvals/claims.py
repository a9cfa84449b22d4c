"""The right to run, taken once; the attempt, written just before the remote call; and what came of both."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import Outcome, ProposalState, Verification
from bot.core.approvals import policy
from bot.core.approvals.policy_types import START_WITHIN, CountedDecision
from bot.core.approvals.roster import Roster
from bot.core.config import Config
from bot.store.approvals import rows as proposals
from bot.store.approvals import transitions as edges
from bot.store.db.database import Database
from bot.store.tables import AttemptRow, ClaimRow, PageRow, ProposalRow

_AFTER_CALL = {"done": ProposalState.VERIFYING, "failed": ProposalState.FAILED, "unknown": ProposalState.UNKNOWN}
_AFTER_LOOK = {
    "recovered": ProposalState.SUCCEEDED,
    "not recovered": ProposalState.NOT_RECOVERED,
    "could not verify": ProposalState.COULD_NOT_VERIFY,
}

_CHANGED = "the action changed since it was proposed"


@dataclass(frozen=True)
class Claimed:
    """Whether the story may go on. `busy`: not now, but perhaps in a moment."""

    granted: bool
    state: str
    why: str = ""
    busy: bool = False


@dataclass(frozen=True)
class Started:
    """`go`: the attempt row is new, call now. `seen`: a call may have happened already. `refused`: `why`."""

    verdict: str
    key: str = ""
    why: str = ""
    record: dict[str, Any] = field(default_factory=dict)
    """The record whose digest was checked in the same transaction: nothing else is run."""


class Claims:
    """Claim, attempt and outcome; every method is one transaction and safe against other replicas."""

    def __init__(self, db: Database, config: Config) -> None:
        self.db = db
        self.config = config
        self.policy = policy.policy_version(config)

    async def claim(
        self, ref: str, workflow: str, roster: Roster, *, versions: Mapping[str, str], without: frozenset[str] = frozenset()
    ) -> Claimed:
        """Take the right to run for `workflow`. Everything that was asked at the press is asked again in this transaction.

        `versions`: the action versions of now by catalogue entry; `without`: people whose accounts no longer count.
        The same workflow may claim again (its replay); any other is refused.
        """
        async with self.db.write() as session:
            row = await proposals.locked(session, ref)
            await edges.in_turn(self.db, session, row.service)
            held = await session.get(ClaimRow, row.id)
            if held is not None:
                mine = held.workflow == workflow and not ProposalState(row.state).final
                return Claimed(mine, row.state, "" if mine else "it was claimed already")
            if row.state != ProposalState.APPROVED:
                return Claimed(False, row.state)
            if why := await edges.tampered(self.db, session, row):
                await edges.alarm(self.db, session, row, why)
                return Claimed(False, row.state, why)
            return await self._decide(session, row, workflow, roster, versions, without)

    async def _decide(
        self,
        session: AsyncSession,
        row: ProposalRow,
        workflow: str,
        roster: Roster,
        versions: Mapping[str, str],
        without: frozenset[str],
    ) -> Claimed:
        now = self.db.clock()
        if row.approved_at is None or now - row.approved_at > START_WITHIN:
            return await self._out(session, row, ProposalState.STALE, "it did not start within 2 minutes of its approval")
        if versions.get(row.action) != row.record["action_version"]:
            return await self._out(session, row, ProposalState.STALE, _CHANGED)
        scene = await proposals.surroundings(self.db, session, self.config, row)
        ask = proposals.ask_of(row, self.config, fresh=True)
        ruling = policy.may_start(ask, scene)
        if ruling.rule == "busy":
            return Claimed(False, row.state, ruling.text, busy=True)
        if not ruling.allow:
            to = ProposalState.STOPPED if ruling.rule in ("stopped", "closed") else ProposalState.STALE
            return await self._out(session, row, to, ruling.text)
        said = await self._attested(session, row, await proposals.said(session, row, roster, scene, without=without))
        counted = policy.quorum(ask, said, scene)
        if counted.state != "approved":
            return await self._out(session, row, ProposalState.STALE, f"its approval no longer holds: {counted.text}")
        return await self._take(session, row, workflow)

    async def _attested(self, session: AsyncSession, row: ProposalRow, said: list[CountedDecision]) -> list[CountedDecision]:
        """Approvals count only if the keyed audit knows them: a row put into the table by hand is nobody's answer."""
        return [
            one
            for one in said
            if one.verdict == "deny"
            or await edges.attested(self.db, session, row, what="approve", who=one.standing.person or "-")
        ]

    async def _take(self, session: AsyncSession, row: ProposalRow, workflow: str) -> Claimed:
        targets = sorted(row.record["targets"])
        claim = ClaimRow(proposal_id=row.id or 0, workflow=workflow, service=row.service, targets=targets, at=self.db.clock())
        session.add(claim)
        await session.flush()
        message = f"r{row.revision} {row.digest}"
        await edges.move(self.db, session, row, ProposalState.CLAIMED, policy=self.policy, message=message)
        return Claimed(True, row.state)

    async def _out(self, session: AsyncSession, row: ProposalRow, to: ProposalState, why: str) -> Claimed:
        text = f"Not run: {why.rstrip('.')}."
        await edges.move(self.db, session, row, to, reason=why, policy=self.policy, outcome=text)
        ref = edges.ref_of(row)
        await edges.note(self.db, session, row, "action", f"{ref} was not run: {why}", key=f"left:{ref}:{to.value}")
        return Claimed(False, row.state, why)

    async def sound(self, ref: str) -> bool:
        """Whether the row still is what was put to people; if not, it is refused for good with an alarm."""
        async with self.db.write() as session:
            row = await proposals.locked(session, ref)
            if why := await edges.tampered(self.db, session, row):
                await edges.alarm(self.db, session, row, why)
            return not why

    # ------------------------------------------------------------ the attempt

    async def attempt_start(self, ref: str, workflow: str, *, versions: Mapping[str, str] | None = None) -> Started:
        """Commit the attempt row; only `go` may be followed by the remote call, and at once.

        Switches, freezes, the digest and (`versions`) the action itself are read again here: this is the last look
        before the world changes, and a restart with another catalogue may lie between the claim and now.
        """
        async with self.db.write() as session:
            row = await proposals.locked(session, ref)
            held = await session.get(AttemptRow, row.id)
            if held is not None:
                return Started("seen", held.idempotency_key, record=row.record)
            claim = await session.get(ClaimRow, row.id)
            if row.state != ProposalState.CLAIMED or claim is None or claim.workflow != workflow:
                return Started("refused", why=f"{ref} is {row.state}")
            if why := await edges.tampered(self.db, session, row):
                await edges.alarm(self.db, session, row, why)
                return Started("refused", why=why)
            if versions is not None and versions.get(row.action) != row.record["action_version"]:
                await self._out(session, row, ProposalState.STALE, _CHANGED)
                return Started("refused", why=_CHANGED)
            scene = await proposals.surroundings(self.db, session, self.config, row)
            ruling = policy.may_start(proposals.ask_of(row, self.config, fresh=True), scene)
            if not ruling.allow:
                to = ProposalState.STOPPED if ruling.rule == "stopped" else ProposalState.STALE
                await self._out(session, row, to, ruling.text)
                return Started("refused", why=ruling.text)
            return await self._begin(session, row)

    async def _begin(self, session: AsyncSession, row: ProposalRow) -> Started:
        key = f"{edges.ref_of(row)}:{row.revision}:{row.digest[:16]}"
        session.add(AttemptRow(proposal_id=row.id or 0, idempotency_key=key, state="started", at=self.db.clock()))
        await session.flush()
        await edges.move(self.db, session, row, ProposalState.EXECUTING, policy=self.policy, message=f"key {key}")
        return Started("go", key, record=row.record)

    async def attempt_finish(self, ref: str, outcome: Outcome) -> str:
        """Store what the one call came to; the state afterwards. An outcome that is stored already stays."""
        async with self.db.write() as session:
            row = await proposals.locked(session, ref)
            attempt = await session.get(AttemptRow, row.id)
            if attempt is None or attempt.state != "started":
                return row.state
            attempt.state, attempt.outcome, attempt.remote_id = outcome.state, outcome.text, outcome.remote_id
            session.add(attempt)
            await session.flush()
            to = _AFTER_CALL[outcome.state]
            await edges.move(self.db, session, row, to, reason=outcome.text, policy=self.policy, outcome=outcome.text)
            await edges.note(
                self.db, session, row, "action", f"{ref} {_CALLED[outcome.state]}: {outcome.text}", key=f"ran:{ref}"
            )
            if outcome.state != "done":
                await self._ask_people(session, row, outcome)
            return row.state

    async def _ask_people(self, session: AsyncSession, row: ProposalRow, outcome: Outcome) -> None:
        ref = edges.ref_of(row)
        if outcome.state == "failed":
            line = f"{ref} failed: {outcome.text} Nothing more was tried."
        else:
            line = (
                f"{ref}: it is not known whether it ran ({outcome.text}) It will not be repeated. "
                f"Please look at the remote side; if it did run, `did {ref}` starts the verification."
            )
            summary = f"{ref} ({row.record['title']}): it is not known whether it ran; a person has to look"
            details = {"proposal": ref, "service": row.service}
            if await session.get(PageRow, f"unknown:{ref}") is None:
                page = PageRow(key=f"unknown:{ref}", summary=summary, severity="SEV2", details=details, at=self.db.clock())
                session.add(page)
        await edges.say(self.db, session, row, f"outcome:{ref}", line)

    async def give_up(self, ref: str, why: str) -> str:
        """A story that cannot go on: what began becomes `unknown`, what did not begin `stale`, what was watched unverified."""
        async with self.db.write() as session:
            row = await proposals.locked(session, ref)
            state = ProposalState(row.state)
            began = await session.get(AttemptRow, row.id) is not None
            if not state.final and state is not ProposalState.VERIFYING and not began:
                await self._out(session, row, ProposalState.STALE, why)
        if state is ProposalState.VERIFYING:
            return await self.verified(ref, Verification(state="could not verify", text=f"{why}."))
        if began:
            return await self.attempt_finish(ref, Outcome(state="unknown", text=f"{why}."))
        return row.state

    # ------------------------------------------------------------ verification

    async def verified(self, ref: str, verification: Verification) -> str:
        """Store what the signal says; the state afterwards."""
        async with self.db.write() as session:
            row = await proposals.locked(session, ref)
            if row.state != ProposalState.VERIFYING:
                return row.state
            to, text = _AFTER_LOOK[verification.state], f"{verification.state}: {verification.text}"
            await edges.move(self.db, session, row, to, reason=text, policy=self.policy, verification=text)
            told = f"{_LOOKED[verification.state]} {ref}: {verification.text}"
            await edges.note(self.db, session, row, "action", told, key=f"verified:{ref}")
            await edges.say(self.db, session, row, f"verified:{ref}", told)
            return row.state

    async def attempt(self, ref: str) -> dict[str, Any] | None:
        """The attempt as plain JSON; None if no call was begun."""
        async with self.db.read() as session:
            row = await proposals.row_of(session, ref)
            found = await session.get(AttemptRow, row.id)
            return None if found is None else found.model_dump(mode="json")


_LOOKED = {
    "recovered": "Recovered after",
    "not recovered": "Not recovered after",
    "could not verify": "Could not verify",
}
"""What the signal showed, before the reference: the service recovers, not the action."""
_CALLED = {"done": "ran", "failed": "failed", "unknown": "is unknown"}
