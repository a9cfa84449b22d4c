"""Proposals as rows: every transition of a proposal's life up to the claim; the claim is in runs/claims.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import DECIDABLE, OPEN_STATES, Decision, DecisionChoice, OutcomeState, Plan, Proposal, ProposalState, Terms
from bot.core.actor import Actor
from bot.core.approvals import policy
from bot.core.approvals.authority import Authority
from bot.core.approvals.canonical_record import plan_fingerprint, record_of
from bot.core.approvals.policy_types import PROPOSAL_LIFE, Rule, RuleResult, requesters_text, who_may
from bot.core.approvals.roster import Eligibility, Roster
from bot.core.change import Change
from bot.core.changes.own_changes import own_id
from bot.core.incident import reference
from bot.core.text.moments import clock_to_the_minute
from bot.core.timeline import EntryKind
from bot.store import audit
from bot.store.approvals import rows, rule_inputs, signatures, track_record, transitions
from bot.store.approvals.context.decision_context import Surroundings, read_context
from bot.store.approvals.policy_bound_writer import PolicyBoundWriter
from bot.store.approvals.rows import DENIABLE, Owner
from bot.store.approvals.runs import own_changes
from bot.store.approvals.standing.starts import offer
from bot.store.tables import AttemptRow, AuditRow, ChangeRow, DecisionRow, GroupRow, IncidentRow, ProposalRow


@dataclass(frozen=True)
class ProposalDraft:
    """A plan before it is put to people: for what, by whom and why."""

    key: str
    """Of the request: the same key again is the same proposal."""
    group: str
    """`AL-n`, `INC-n`, or empty."""
    plan: Plan
    because: str
    requester: str = ""
    requesters: frozenset[str] = frozenset()
    """Everyone else whose word led to it."""
    by_rules: bool = False
    """Tocsin's own rules propose it by themselves: no model and no person led to it."""


@dataclass(frozen=True)
class OpenedProposal:
    """What came of `open_proposal`: a reference, or the rule that refused it."""

    ref: str
    answer: RuleResult
    new: bool = False


class ProposalStore(PolicyBoundWriter):
    """Writes and reads proposals; every method is one transaction."""

    # ------------------------------------------------------------ proposing

    async def open_proposal(self, draft: ProposalDraft, actor: Actor | None, roster: Roster) -> OpenedProposal:
        """Put a draft to people: row, card and audit in one transaction. The same `key` again is the same proposal."""
        plan = draft.plan
        async with self.db.write() as session:
            await transitions.lock_service(self.db, session, plan.service)
            if (existing := await self._existing(session, draft.key)) is not None:
                return OpenedProposal(transitions.ref_of(existing), RuleResult(True, Rule.MAY_PROPOSE))
            owner = await rows.owner_of(session, draft.group)
            context, roles = await self._surroundings(session, plan, owner, roster)
            eligibility = roster.eligibility(actor.person, plan.service, context.now, roles=roles) if actor else None
            request = rule_inputs.request_of(
                plan,
                self.config,
                requester=draft.requester,
                requesters=draft.requesters,
                dry_run_ok=plan.dry_run_ok,
                key=draft.key,
            )
            answer = policy.may_propose(actor, eligibility, request, context)
            if actor is None and not request.autonomy.runs and (answer.allow or answer.rule is Rule.AUTONOMY):
                await track_record.suggest(self.db, session, draft.key, owner, plan)
            if not answer.allow:
                await self._refused(session, draft, actor, answer)
                return OpenedProposal("", answer)
            row = await self._insert(session, draft, owner, context.now, ProposalState.PENDING)
            if draft.by_rules:
                await offer(self.db, session, row, Authority(roster, {plan.action: plan.action_version}))
            return OpenedProposal(transitions.ref_of(row), answer, new=True)

    async def may_silence(self, draft: ProposalDraft, actor: Actor, roster: Roster) -> RuleResult:
        """Whether this person may do what a draft silences at once, without putting it to others."""
        async with self.db.read() as session:
            owner = await rows.owner_of(session, draft.group)
            context, roles = await self._surroundings(session, draft.plan, owner, roster)
            eligibility = roster.eligibility(actor.person, draft.plan.service, context.now, roles=roles)
            request = rule_inputs.request_of(
                draft.plan, self.config, requester=draft.requester, dry_run_ok=draft.plan.dry_run_ok
            )
            return policy.may_silence(actor, eligibility, request, context)

    async def _surroundings(self, session: AsyncSession, plan: Plan, owner: Owner, roster: Roster) -> Surroundings:
        return await read_context(
            self.db,
            session,
            roster,
            service=plan.service,
            group_id=owner.group_id,
            incident_id=owner.incident_id,
            targets=plan.targets,
        )

    async def _existing(self, session: AsyncSession, key: str) -> ProposalRow | None:
        return (await session.exec(select(ProposalRow).where(ProposalRow.key == key))).first()

    async def _refused(self, session: AsyncSession, draft: ProposalDraft, actor: Actor | None, answer: RuleResult) -> None:
        who = (actor.person or actor.user) if actor else "tocsin"
        reason = f"{draft.plan.action}: {answer.rule}: {answer.text}"
        subject = draft.group or draft.plan.service
        await audit.append(
            self.db, session, who=who, what="refused: propose", subject=subject, reason=reason, policy=self.policy
        )

    async def _insert(
        self,
        session: AsyncSession,
        draft: ProposalDraft,
        owner: Owner,
        now: datetime,
        state: ProposalState,
        *,
        manual: bool = False,
    ) -> ProposalRow:
        row = ProposalRow(
            key=draft.key,
            group_id=owner.group_id,
            incident_id=owner.incident_id,
            service=draft.plan.service,
            action=draft.plan.action,
            record={},
            plan_fingerprint="",
            state=state.value,
            because=draft.because,
            dry_run=draft.plan.dry_run,
            dry_run_at=now,
            expires_at=now + PROPOSAL_LIFE,
            notified_at=now,
            manual=manual,
            created_at=now,
            changed_at=now,
        )
        # The terms name the reference, and the reference is the row's key.
        session.add(row)
        await session.flush()
        _write_terms(row, self._terms(row, draft))
        session.add(row)
        await session.flush()
        who = draft.requester or "tocsin"
        ref = transitions.ref_of(row)
        await audit.append(
            self.db, session, who=who, what="proposal", subject=ref, after=row.state, reason=row.because, policy=self.policy
        )
        await signatures.sign(self.db, session, row, who=who, what="record")
        await transitions.refresh_card(self.db, session, row)
        entry = f"{ref} {'recorded as done by hand' if manual else 'proposed'}: {draft.plan.title}"
        await transitions.add_to_timeline(self.db, session, row, EntryKind.PROPOSAL, entry, who=who, key=f"proposed:{ref}")
        return row

    def _terms(self, row: ProposalRow, draft: ProposalDraft) -> Terms:
        return Terms(
            **dict(draft.plan),
            ref=transitions.ref_of(row),
            revision=row.revision,
            group=reference("AL", row.group_id) if row.group_id else "",
            incident=reference("INC", row.incident_id) if row.incident_id else "",
            policy_version=self.policy,
            requester=draft.requester,
            requesters=sorted(draft.requesters - {draft.requester, ""}),
            because=draft.because,
            expires_at=row.expires_at,
            autonomy=rule_inputs.autonomy_of(draft.plan, self.config),
        )

    async def open_manual(self, draft: ProposalDraft, who: str) -> str:
        """Record that a person did it by hand: it starts at verifying. The same `key` again is the same row."""
        async with self.db.write() as session:
            await transitions.lock_service(self.db, session, draft.plan.service)
            if (existing := await self._existing(session, draft.key)) is not None:
                return transitions.ref_of(existing)
            owner = await rows.owner_of(session, draft.group)
            await transitions.mark_human_activity(self.db, session, owner.group_id, owner.incident_id)
            row = await self._insert(session, draft, owner, self.db.clock(), ProposalState.VERIFYING, manual=True)
            row.outcome = f"Run by hand by {who}."
            session.add(row)
            ref = transitions.ref_of(row)
            text = f"{ref}: {who} ran it by hand: {draft.plan.title}"
            await transitions.add_to_timeline(self.db, session, row, EntryKind.ACTION, text, who=who, key=f"manual:{ref}")
            await own_changes.record_change(session, self.config, row, at=row.created_at, by=who)
            return ref

    async def revise(self, ref: str, fresh: Plan) -> Proposal:
        """Store a fresh dry run: the same effect renews its life; another one makes a revision that nobody approved."""
        async with self.db.write() as session:
            row = await rows.locked(session, ref)
            if ProposalState(row.state) not in DECIDABLE or await signatures.tampering(self.db, session, row):
                return rows.stored_proposal(row)
            if rows.stored_terms(row).same_effect(fresh):
                row.dry_run_at = self.db.clock()
                session.add(row)
                return rows.stored_proposal(row)
            return rows.stored_proposal(await self._new_revision(session, row, fresh))

    async def _new_revision(self, session: AsyncSession, row: ProposalRow, fresh: Plan) -> ProposalRow:
        reason = "the dry run shows another effect"
        if row.state != ProposalState.PENDING:
            await self._ask_approvers_again(session, row)
            await transitions.move(self.db, session, row, ProposalState.PENDING, reason=reason, policy=self.policy)
        before = f"r{row.revision} {row.plan_fingerprint}"
        row.revision, row.dry_run, row.dry_run_at = row.revision + 1, fresh.dry_run, self.db.clock()
        changed = {**fresh.effect(), "revision": row.revision, "policy_version": self.policy}
        _write_terms(row, rows.stored_terms(row).model_copy(update=changed))
        row.rev += 1
        session.add(row)
        await session.flush()
        await audit.append(
            self.db,
            session,
            who="tocsin",
            what="revised",
            subject=transitions.ref_of(row),
            before=before,
            after=f"r{row.revision} {row.plan_fingerprint}",
            reason=reason,
            policy=self.policy,
        )
        await signatures.sign(self.db, session, row, who="tocsin", what="record")
        await transitions.refresh_card(self.db, session, row)
        return row

    async def _ask_approvers_again(self, session: AsyncSession, row: ProposalRow) -> None:
        """Whoever approved the revision that ends here believes that their answer counts."""
        ref, decisions = transitions.ref_of(row), await rows.decision_rows(session, row, revision=row.revision)
        people = [decision.person for decision in decisions if decision.verdict == DecisionChoice.APPROVE]
        line = f"{ref} would do something else now than what {', '.join(people)} approved: it has to be approved again."
        await transitions.post_line(self.db, session, row, f"revised:{ref}:{row.revision}", line, people)

    async def leave(
        self, ref: str, to: ProposalState, *, who: str = "tocsin", reason: str = "", states: Sequence[str] = ()
    ) -> ProposalState:
        """Take a side exit (withdrawn, superseded, stale, expired, stopped) if nothing has begun; the state afterwards."""
        async with self.db.write() as session:
            row = await rows.locked(session, ref)
            if ProposalState(row.state) in DENIABLE and (not states or row.state in states):
                outcome: transitions.TransitionColumns = {"outcome": reason} if reason else {}
                await transitions.move(self.db, session, row, to, who=who, reason=reason, policy=self.policy, **outcome)
                text, key = f"{ref} {to.value}" + (f": {reason}" if reason else ""), f"left:{ref}:{to.value}"
                await transitions.add_to_timeline(self.db, session, row, EntryKind.PROPOSAL, text, who=who, key=key)
            return ProposalState(row.state)

    async def expire(self, ref: str) -> ProposalState:
        """The workflow's timer: expired if still undecided and the database's time says so; the state afterwards."""
        async with self.db.write() as session:
            row = await rows.locked(session, ref)
            if ProposalState(row.state) in DECIDABLE and self.db.clock() >= row.expires_at:
                await transitions.move(self.db, session, row, ProposalState.EXPIRED, policy=self.policy)
                text, key = f"{ref} expired undecided", f"left:{ref}:expired"
                await transitions.add_to_timeline(self.db, session, row, EntryKind.PROPOSAL, text, key=key)
            return ProposalState(row.state)

    async def answer_unknown(self, ref: str, who: str, *, ran: bool) -> ProposalState:
        """What a person says came of a run whose outcome is unknown: it is watched, or failed; the state afterwards."""
        async with self.db.write() as session:
            row = await rows.locked(session, ref)
            await transitions.mark_human_activity(self.db, session, row.group_id, row.incident_id)
            if why := await signatures.tampering(self.db, session, row):
                await signatures.raise_alarm(self.db, session, row, why)
                return ProposalState(row.state)
            text = f"{who} checked: it {'ran' if ran else 'did not run'}."
            to = ProposalState.VERIFYING if ran else ProposalState.FAILED
            if row.state == ProposalState.UNKNOWN:
                outcome = f"{row.outcome} {text}".strip()
                await transitions.move(self.db, session, row, to, who=who, reason=text, policy=self.policy, outcome=outcome)
                entry, key = f"{ref}: {text}", f"answered:{ref}"
                await transitions.add_to_timeline(self.db, session, row, EntryKind.ACTION, entry, who=who, key=key)
                if ran:
                    await own_changes.record_change_of_attempt(session, self.config, row)
            return ProposalState(row.state)

    async def answerers(self, ref: str) -> frozenset[str]:
        """Who said what came of a run whose outcome was unknown, by the audit: what follows was asked for by them too."""
        answered = AuditRow.subject == ref, AuditRow.what == "proposal", AuditRow.before == ProposalState.UNKNOWN.value
        async with self.db.read() as session:
            return frozenset((await session.exec(select(AuditRow.who).where(*answered))).all()) - {"tocsin"}

    async def answered_and_verifying(self) -> list[str]:
        """Proposals whose unknown outcome a person cleared up and whose signal is to be watched."""
        async with self.db.read() as session:
            answered = select(AttemptRow.proposal_id).where(AttemptRow.state == OutcomeState.UNKNOWN)
            verifying = ProposalRow.state == ProposalState.VERIFYING
            query = select(ProposalRow.id).where(verifying, col(ProposalRow.id).in_(answered))
            return [reference("AP", number) for number in (await session.exec(query)).all() if number is not None]

    async def state_text(self, ref: str) -> str:
        """The answer to a late press: who did what and when."""
        async with self.db.read() as session:
            return await rows.state_text(session, await rows.row_of(session, ref), self.db.clock())

    async def remind(self, ref: str) -> None:
        """At half of its life: one line in the thread."""
        async with self.db.write() as session:
            row = await rows.locked(session, ref)
            if ProposalState(row.state) in DECIDABLE:
                terms = rows.stored_terms(row)
                who = who_may(terms.tier, row.service, requesters_text(terms.requester, terms.requesters))
                until = clock_to_the_minute(row.expires_at)
                text = f"{ref} still waits for a decision until {until}. May approve: {who}."
                await transitions.post_line(self.db, session, row, f"remind:{ref}", text)

    # ------------------------------------------------------------ reading

    async def change(self, id: str) -> Change | None:
        """A reported change by its id: what a proposal may name."""
        async with self.db.read() as session:
            row = await session.get(ChangeRow, id)
            return None if row is None else Change.model_validate(row.model_dump())

    async def newest_change(self, service: str, kinds: Sequence[str]) -> Change | None:
        """The newest change of a service, of these kinds (empty: any); what the bot did itself is none to take back."""
        async with self.db.read() as session:
            reported = (ChangeRow.service == service, ~col(ChangeRow.id).startswith(own_id(""), autoescape=True))
            query = select(ChangeRow).where(*reported).order_by(col(ChangeRow.at).desc()).limit(1)
            if kinds:
                query = query.where(col(ChangeRow.kind).in_(kinds))
            row = (await session.exec(query)).first()
            return None if row is None else Change.model_validate(row.model_dump())

    async def load(self, ref: str) -> Proposal:
        """The proposal as its record and columns say it. Raises NotFound."""
        async with self.db.read() as session:
            return rows.stored_proposal(await rows.row_of(session, ref))

    async def undone(self, ref: str) -> str:
        """What a proposal undoes, by its reference; "" where it undoes none. Raises NotFound."""
        return rows.undoes(await rows.column_of(self.db, ref, ProposalRow.key))

    async def service(self, ref: str) -> str:
        """The service of a proposal, which no revision changes. Raises NotFound."""
        return await rows.column_of(self.db, ref, ProposalRow.service)

    async def waiting(self) -> list[Proposal]:
        """What people can decide now, oldest first."""
        async with self.db.read() as session:
            query = select(ProposalRow).where(col(ProposalRow.state).in_(DECIDABLE)).order_by(col(ProposalRow.id))
            return [rows.stored_proposal(row) for row in (await session.exec(query)).all()]

    async def decisions(self, ref: str) -> list[Decision]:
        """All answers to all revisions, oldest first."""
        async with self.db.read() as session:
            row = await rows.row_of(session, ref)
            return [rows.stored_decision(decision) for decision in await rows.decision_rows(session, row)]

    async def approvers(self, ref: str) -> list[tuple[str, str, str]]:
        """Who approved the current revision: person, team and Slack user."""
        query = select(DecisionRow.person, DecisionRow.team, DecisionRow.slack_user)
        query = query.join(ProposalRow, col(ProposalRow.id) == DecisionRow.proposal_id)
        current = ProposalRow.id == transitions.proposal_number(ref), ProposalRow.revision == DecisionRow.revision
        approved = query.where(*current, DecisionRow.verdict == DecisionChoice.APPROVE).order_by(col(DecisionRow.id))
        async with self.db.read() as session:
            return list((await session.exec(approved)).all())

    async def eligibility(self, person: str, service: str, group: str, roster: Roster) -> Eligibility:
        """What a person is to a service and to a group or incident (`AL-n`, `INC-n`, or empty) now. Raises NotFound."""
        async with self.db.read() as session:
            owner = await rows.owner_of(session, group)
            return await rule_inputs.eligibility_of(self.db, session, person, service, owner, roster)

    async def service_of(self, ref: str) -> str:
        """The service of a group (`AL-n`) or incident (`INC-n`); "" if unknown."""
        async with self.db.read() as session:
            owner = await rows.owner_of(session, ref)
            incident = await session.get(IncidentRow, owner.incident_id) if owner.incident_id is not None else None
            group = await session.get(GroupRow, owner.group_id) if owner.group_id is not None else None
            return group.service if group is not None else incident.service if incident is not None else ""

    async def decision_state(self, ref: str) -> ProposalState:
        """What the workflow goes on with: pending (partly approved too), approved, or the state that ended it."""
        state = ProposalState(await rows.column_of(self.db, ref, ProposalRow.state))
        return ProposalState.PENDING if state in DECIDABLE else state

    async def open_refs(self) -> list[str]:
        """Every proposal whose life is not over: their workflows are started (again) after a restart."""
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


def _write_terms(row: ProposalRow, terms: Terms) -> None:
    """Make the record and its fingerprint anew; the reason is stored as the record spells it."""
    row.record = record_of(terms)
    row.plan_fingerprint = plan_fingerprint(row.record)
    row.because = str(row.record["because"])
