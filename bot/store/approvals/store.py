"""Proposals and decisions as rows. Every edge of a proposal's life up to the claim lives here; the claim is in claims.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import OPEN_STATES, Decision, DryRun, Proposal, ProposalState, Tier
from bot.core.actor import Actor
from bot.core.approvals import policy
from bot.core.approvals.policy_types import PROPOSAL_LIFE, ActionRequest, RuleResult, who_may
from bot.core.approvals.record import digest_of, make_record
from bot.core.approvals.roster import Roster
from bot.core.change import Change
from bot.core.config import Config
from bot.core.incident import reference
from bot.core.text.moments import clock_to_the_minute
from bot.store import audit
from bot.store.approvals import rows as proposals
from bot.store.approvals import transitions as edges
from bot.store.approvals.context import scene_of
from bot.store.approvals.rows import DECIDABLE, DENIABLE, Places
from bot.store.db.database import Database
from bot.store.tables import ChangeRow, DecisionRow, GroupRow, IncidentRow, ProposalRow

LAPSED = tuple(s.value for s in (ProposalState.EXPIRED, ProposalState.STALE, ProposalState.STOPPED))
"""Ended without anybody's no and without a run."""


@dataclass(frozen=True)
class Draft:
    """A proposal before it has a reference: resolved targets, dry run and tier included."""

    key: str
    group: str
    """`AL-n`, `INC-n`, or empty."""
    action: str
    action_version: str
    kind: str
    service: str
    title: str
    arguments: dict[str, Any]
    steps: list[str]
    dry_run: DryRun
    tier: Tier
    because: str
    requester: str = ""
    inverse: str = ""


@dataclass(frozen=True)
class Opened:
    """What came of `open_proposal`: a reference, or the ruling that refused it."""

    ref: str
    ruling: RuleResult
    new: bool = False


def same_world(record: dict[str, Any], shown: str, dry_run: DryRun, tier: Tier) -> bool:
    """Whether a fresh dry run shows what was put to people: text, targets with their versions, tier."""
    was = (shown, record["dry_run_ok"], record["targets"], record["tier"])
    return was == (dry_run.text, dry_run.ok, dry_run.targets, int(tier))


class ProposalStore:
    """Writes and reads proposals; every method is one transaction."""

    def __init__(self, db: Database, config: Config) -> None:
        self.db = db
        self.config = config
        self.policy = policy.policy_version(config)

    # ------------------------------------------------------------ proposing

    async def open_proposal(self, draft: Draft, presser: Actor | None, roster: Roster) -> Opened:
        """Put a draft to people: row, card and audit in one transaction. The same `key` again is the same proposal."""
        async with self.db.write() as session:
            await edges.in_turn(self.db, session, draft.service)
            known = (await session.exec(select(ProposalRow).where(ProposalRow.key == draft.key))).first()
            if known is not None:
                return Opened(edges.ref_of(known), RuleResult(True, "known"))
            where = await proposals.places(session, draft.group)
            scene = await scene_of(
                self.db,
                session,
                self.config,
                service=draft.service,
                group_id=where.group_id,
                incident_id=where.incident_id,
                targets=draft.dry_run.targets,
            )
            standing = None
            if presser is not None:
                standing = await proposals.standing(session, presser.person, draft.service, where, roster, scene)
            ruling = policy.may_propose(presser, standing, self._ask(draft), scene)
            if not ruling.allow:
                await self._refused(session, draft, presser, ruling)
                return Opened("", ruling)
            row = await self._insert(session, draft, where, scene.now, ProposalState.PENDING)
            return Opened(edges.ref_of(row), ruling, new=True)

    def _ask(self, draft: Draft) -> ActionRequest:
        entry = self.config.actions.get(draft.action)
        return ActionRequest(
            action=draft.action,
            service=draft.service,
            tier=draft.tier,
            targets=tuple(draft.dry_run.targets),
            requester=draft.requester,
            undoes_change=entry is not None and policy.undoes_change(entry),
            dry_run_ok=draft.dry_run.ok,
            kind=draft.kind,
            silence=proposals.silence_of(draft.kind, draft.arguments),
        )

    async def _refused(self, session: AsyncSession, draft: Draft, presser: Actor | None, ruling: RuleResult) -> None:
        who = (presser.person or presser.user) if presser else "tocsin"
        reason = f"{draft.action}: {ruling.rule}: {ruling.text}"
        subject = draft.group or draft.service
        await audit.append(
            self.db, session, who=who, what="refused: propose", subject=subject, reason=reason, policy=self.policy
        )

    async def _insert(
        self, session: AsyncSession, draft: Draft, where: Places, now: datetime, state: ProposalState, *, manual: bool = False
    ) -> ProposalRow:
        row = ProposalRow(
            key=draft.key,
            group_id=where.group_id,
            incident_id=where.incident_id,
            service=draft.service,
            action=draft.action,
            record={},
            digest="",
            state=state.value,
            because=draft.because,
            dry_run=draft.dry_run.text,
            dry_run_at=now,
            expires_at=now + PROPOSAL_LIFE,
            notified_at=now,
            manual=manual,
            created_at=now,
            changed_at=now,
        )
        session.add(row)
        await session.flush()
        row.record = self._record(row, draft)
        row.digest = digest_of(row.record)
        row.because = row.record["because"]
        session.add(row)
        await session.flush()
        who = draft.requester or "tocsin"
        ref = edges.ref_of(row)
        await audit.append(
            self.db, session, who=who, what="proposal", subject=ref, after=row.state, reason=row.because, policy=self.policy
        )
        await edges.attest(self.db, session, row, who=who, what="record")
        await edges.show(self.db, session, row)
        verb = "recorded as done by hand" if manual else "proposed"
        await edges.note(self.db, session, row, "proposal", f"{ref} {verb}: {draft.title}", who=who, key=f"proposed:{ref}")
        return row

    def _record(self, row: ProposalRow, draft: Draft) -> dict[str, Any]:
        return make_record(
            ref=edges.ref_of(row),
            revision=row.revision,
            group=reference("AL", row.group_id) if row.group_id else "",
            incident=reference("INC", row.incident_id) if row.incident_id else "",
            action=draft.action,
            action_version=draft.action_version,
            kind=draft.kind,
            service=draft.service,
            title=draft.title,
            arguments=draft.arguments,
            targets=draft.dry_run.targets,
            steps=draft.steps,
            dry_run=draft.dry_run,
            tier=draft.tier,
            policy_version=self.policy,
            requester=draft.requester,
            because=draft.because,
            inverse=draft.inverse,
            expires_at=row.expires_at,
        )

    async def open_manual(self, draft: Draft, who: str) -> str:
        """Record that a person did it by hand: it starts at verifying. The same `key` again is the same row."""
        async with self.db.write() as session:
            await edges.in_turn(self.db, session, draft.service)
            known = (await session.exec(select(ProposalRow).where(ProposalRow.key == draft.key))).first()
            if known is not None:
                return edges.ref_of(known)
            where = await proposals.places(session, draft.group)
            await edges.human(self.db, session, where.group_id, where.incident_id)
            row = await self._insert(session, draft, where, self.db.clock(), ProposalState.VERIFYING, manual=True)
            row.outcome = f"Run by hand by {who}."
            session.add(row)
            text = f"{edges.ref_of(row)}: {who} ran it by hand: {draft.title}"
            await edges.note(self.db, session, row, "action", text, who=who, key=f"manual:{edges.ref_of(row)}")
            return edges.ref_of(row)

    async def revise(self, ref: str, dry_run: DryRun, tier: Tier) -> Proposal:
        """Take a fresh dry run in: the same world renews its life; a changed one makes a revision that nobody approved."""
        async with self.db.write() as session:
            row = await proposals.locked(session, ref)
            if ProposalState(row.state) not in DECIDABLE or await edges.tampered(self.db, session, row):
                return proposals.noun(row)
            if same_world(row.record, row.dry_run, dry_run, tier):
                row.dry_run_at = self.db.clock()
                session.add(row)
                return proposals.noun(row)
            return proposals.noun(await self._new_revision(session, row, dry_run, tier))

    async def _new_revision(self, session: AsyncSession, row: ProposalRow, dry_run: DryRun, tier: Tier) -> ProposalRow:
        old = f"r{row.revision} {row.digest}"
        row.revision, row.dry_run, row.dry_run_at = row.revision + 1, dry_run.text, self.db.clock()
        kept = {key: value for key, value in row.record.items() if not key.startswith("dry_run")}
        changed: dict[str, Any] = {"revision": row.revision, "targets": dry_run.targets, "tier": tier}
        changed |= {"dry_run": dry_run, "policy_version": self.policy, "expires_at": row.expires_at}
        row.record = make_record(**{**kept, **changed})
        row.digest = digest_of(row.record)
        row.state = ProposalState.PENDING.value
        row.rev += 1
        session.add(row)
        await session.flush()
        ref = edges.ref_of(row)
        await audit.append(
            self.db,
            session,
            who="tocsin",
            what="revised",
            subject=ref,
            before=old,
            after=f"r{row.revision} {row.digest}",
            reason="the dry run shows another world",
            policy=self.policy,
        )
        await edges.attest(self.db, session, row, who="tocsin", what="record")
        await edges.show(self.db, session, row)
        return row

    async def leave(
        self, ref: str, to: ProposalState, *, who: str = "tocsin", reason: str = "", states: Sequence[str] = ()
    ) -> str:
        """Take a side exit (withdrawn, superseded, stale, expired, stopped) if nothing has begun; the state afterwards."""
        async with self.db.write() as session:
            row = await proposals.locked(session, ref)
            if ProposalState(row.state) in DENIABLE and (not states or row.state in states):
                outcome = {"outcome": reason} if reason else {}
                await edges.move(self.db, session, row, to, who=who, reason=reason, policy=self.policy, **outcome)
                text = f"{ref} {to.value}" + (f": {reason}" if reason else "")
                await edges.note(self.db, session, row, "proposal", text, who=who, key=f"left:{ref}:{to.value}")
            return row.state

    async def expire(self, ref: str) -> str:
        """The story's timer: expired if still undecided and the database's time says so; the state afterwards."""
        async with self.db.write() as session:
            row = await proposals.locked(session, ref)
            if ProposalState(row.state) in DECIDABLE and self.db.clock() >= row.expires_at:
                await edges.move(self.db, session, row, ProposalState.EXPIRED, policy=self.policy)
                await edges.note(self.db, session, row, "proposal", f"{ref} expired undecided", key=f"left:{ref}:expired")
            return row.state

    async def remind(self, ref: str) -> None:
        """At half of its life: one line in the thread."""
        async with self.db.write() as session:
            row = await proposals.locked(session, ref)
            if ProposalState(row.state) in DECIDABLE:
                who = who_may(Tier(row.record["tier"]), row.service, row.record["requester"])
                text = f"{ref} still waits for a decision until {clock_to_the_minute(row.expires_at)}. May approve: {who}."
                await edges.say(self.db, session, row, f"remind:{ref}", text)

    # ------------------------------------------------------------ reading

    async def unused(self, key: str) -> str:
        """The key under which the same may be put to people once more: `key` unless its proposal lapsed undecided.

        One that people denied, or that ran, is not put to them again.
        """
        async with self.db.read() as session:
            tried, number = key, 1
            while True:
                query = select(ProposalRow.state).where(ProposalRow.key == tried)
                if (await session.exec(query)).first() not in LAPSED:
                    return tried
                tried, number = f"{key}:again:{number}", number + 1

    async def change(self, id: str) -> Change | None:
        """A known change by its id: what a proposal may name."""
        async with self.db.read() as session:
            row = await session.get(ChangeRow, id)
            return None if row is None else Change.model_validate(row.model_dump())

    async def newest_change(self, service: str, kinds: Sequence[str]) -> Change | None:
        """The newest change of a service, of these kinds (empty: any)."""
        async with self.db.read() as session:
            query = select(ChangeRow).where(ChangeRow.service == service).order_by(col(ChangeRow.at).desc()).limit(1)
            if kinds:
                query = query.where(col(ChangeRow.kind).in_(kinds))
            row = (await session.exec(query)).first()
            return None if row is None else Change.model_validate(row.model_dump())

    async def load(self, ref: str) -> Proposal:
        """The proposal as its record and columns say it. Raises NotFound."""
        async with self.db.read() as session:
            return proposals.noun(await proposals.row_of(session, ref))

    async def decisions(self, ref: str) -> list[Decision]:
        """All answers to all revisions, oldest first."""
        async with self.db.read() as session:
            row = await proposals.row_of(session, ref)
            return [proposals.decision_noun(found) for found in await proposals.decision_rows(session, row)]

    async def approvers(self, ref: str) -> list[tuple[str, str, str]]:
        """Who approved the current revision: person, team and Slack user."""
        async with self.db.read() as session:
            row = await proposals.row_of(session, ref)
            rows = await proposals.decision_rows(session, row, revision=row.revision)
            return [(d.person, d.team, d.slack_user) for d in rows if d.verdict == "approve"]

    async def service_of(self, ref: str) -> str:
        """The service of a group (`AL-n`) or incident (`INC-n`); "" if unknown."""
        async with self.db.read() as session:
            where = await proposals.places(session, ref)
            incident = await session.get(IncidentRow, where.incident_id) if where.incident_id is not None else None
            group = await session.get(GroupRow, where.group_id) if where.group_id is not None else None
            return group.service if group is not None else incident.service if incident is not None else ""

    async def ruling(self, ref: str) -> str:
        """What the story goes on with: pending, approved, or the state that ended it."""
        async with self.db.read() as session:
            row = await proposals.row_of(session, ref)
            return "pending" if ProposalState(row.state) in DECIDABLE else row.state

    async def happened(self, ref: str) -> str:
        """What a late press is answered with."""
        async with self.db.read() as session:
            return await proposals.happened(session, await proposals.row_of(session, ref))

    async def open_refs(self) -> list[str]:
        """Every proposal whose life is not over: their stories are started (again) after a restart."""
        async with self.db.read() as session:
            states = [s.value for s in OPEN_STATES]
            query = select(ProposalRow.id).where(col(ProposalRow.state).in_(states)).order_by(col(ProposalRow.id))
            return [reference("AP", number) for number in (await session.exec(query)).all() if number is not None]

    async def pending_with_decisions(self) -> list[str]:
        """Proposals that wait although somebody has answered: their signal may have been lost with the process."""
        async with self.db.read() as session:
            states = [s.value for s in DENIABLE]
            decided = select(DecisionRow.proposal_id)
            query = select(ProposalRow.id).where(col(ProposalRow.state).in_(states), col(ProposalRow.id).in_(decided))
            return [reference("AP", number) for number in (await session.exec(query)).all() if number is not None]
