"""Proposal rows as nouns, and what the rules are asked about them, in the caller's transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import SILENCES, Autonomy, Decision, DecisionChoice, Plan, Proposal, ProposalState, Terms
from bot.core.approvals import in_force, policy
from bot.core.approvals.canonical_record import terms_of
from bot.core.approvals.policy_types import DRY_RUN_LIFE, ActionRequest, CountedDecision
from bot.core.approvals.roster import Eligibility, IncidentRoles, Roster
from bot.core.approvals.standing import STANDING_APPROVAL
from bot.core.config import Config
from bot.core.config.fields import parse_duration
from bot.core.errors import NotFound
from bot.core.incident import number_of
from bot.core.text.moments import clock_to_the_minute
from bot.store.approvals import break_glass, transitions
from bot.store.approvals.context.decision_context import Surroundings, read_context
from bot.store.approvals.context.incident_roles import roles_in
from bot.store.approvals.revisions import last_verified
from bot.store.db.database import Database
from bot.store.tables import DecisionRow, GroupRow, IncidentRow, ProposalRow

DECIDABLE = (ProposalState.PENDING, ProposalState.PARTLY_APPROVED)
DENIABLE = (*DECIDABLE, ProposalState.APPROVED, ProposalState.CLAIMED)
"""A denial wins as long as the remote call has not begun."""
_BESIDE_THE_RECORD = set(Proposal.model_fields) - set(Terms.model_fields) | {"dry_run"}
"""What a proposal takes from columns of its row; everything else is in the record."""


@dataclass(frozen=True)
class Owner:
    """The group and incident to which a proposal belongs."""

    group_id: int | None = None
    incident_id: int | None = None


# ---------------------------------------------------------------- rows and nouns


async def locked(session: AsyncSession, ref: str) -> ProposalRow:
    """The row as it is now, locked until the transaction ends. Raises NotFound."""
    number = transitions.proposal_number(ref)
    row = await transitions.lock(session, number) if number is not None else None
    if row is None:
        raise NotFound(f"There is no proposal {ref}.")
    return row


async def row_of(session: AsyncSession, ref: str) -> ProposalRow:
    """The row, to read. Raises NotFound."""
    number = transitions.proposal_number(ref)
    row = await session.get(ProposalRow, number) if number is not None else None
    if row is None:
        raise NotFound(f"There is no proposal {ref}.")
    return row


async def column_of(db: Database, ref: str, column: str) -> str:
    """One column of a proposal that holds a text, which takes half the time of its row. Raises NotFound."""
    values = await db.rows(select(column).where(col(ProposalRow.id) == transitions.proposal_number(ref)))
    if not values:
        raise NotFound(f"There is no proposal {ref}.")
    return str(values[0][0])


async def owner_of(session: AsyncSession, ref: str) -> Owner:
    """The group and incident behind `AL-n` or `INC-n`; neither for an empty reference. Raises NotFound."""
    if (number := number_of(ref, "AL")) is not None:
        group = await session.get(GroupRow, number)
        if group is None:
            raise NotFound(f"There is no alert group {ref}.")
        return Owner(number, group.incident_id)
    if (number := number_of(ref, "INC")) is not None:
        incident = await session.get(IncidentRow, number)
        if incident is None:
            raise NotFound(f"There is no incident {ref}.")
        return Owner(incident.group_id, number)
    if ref:
        raise NotFound(f"{ref} is neither an alert group (AL-n) nor an incident (INC-n).")
    return Owner()


def stored_terms(row: ProposalRow) -> Terms:
    """What people approve, from the row's record."""
    return terms_of(row.record, row.dry_run)


def stored_proposal(row: ProposalRow) -> Proposal:
    """The row as a proposal."""
    return Proposal.model_validate({**row.record, **row.model_dump(include=_BESIDE_THE_RECORD)})


def stored_decision(row: DecisionRow) -> Decision:
    """One person's answer."""
    fields = row.model_dump(include={"revision", "person", "verdict", "reason", "at"})
    return Decision.model_validate({**fields, "proposal": f"AP-{row.proposal_id}"})


async def decision_rows(session: AsyncSession, row: ProposalRow, *, revision: int | None = None) -> Sequence[DecisionRow]:
    """Answers, oldest first; of one revision or of all."""
    query = select(DecisionRow).where(DecisionRow.proposal_id == row.id).order_by(col(DecisionRow.at), col(DecisionRow.id))
    if revision is not None:
        query = query.where(DecisionRow.revision == revision)
    return (await session.exec(query)).all()


# ---------------------------------------------------------------- what the rules are asked


def request_of(
    plan: Plan,
    config: Config,
    *,
    requester: str,
    requesters: Iterable[str] = (),
    dry_run_ok: bool,
    notified_at: datetime | None = None,
    proposed_at: Autonomy = Autonomy.STANDING_APPROVAL,
) -> ActionRequest:
    """What the rules are asked about a plan. `dry_run_ok`: whether its dry run worked and still counts.

    `proposed_at`: how far Tocsin went when it was proposed; a configuration that goes further since does not raise it.
    """
    return ActionRequest(
        action=plan.action,
        service=plan.service,
        tier=plan.tier,
        targets=tuple(plan.targets),
        requester=requester,
        requesters=frozenset(requesters),
        undo_of_change=_undo_of_change(plan, config),
        dry_run_ok=dry_run_ok,
        notified_at=notified_at,
        kind=plan.kind,
        silence=max(filter(None, (_silence_length(run.kind, run.arguments) for run in plan.runs)), default=None),
        target_revision=_target_revision(plan, config),
        replicas=plan.replicas,
        autonomy=min(proposed_at, autonomy_of(plan, config), key=lambda autonomy: autonomy.rank),
    )


async def stored_request(
    db: Database, session: AsyncSession, row: ProposalRow, config: Config, *, dry_run_ok: bool
) -> ActionRequest:
    """The same of a stored proposal. Nobody was notified of it before the keyed audit had it."""
    terms = stored_terms(row)
    signed_at = await transitions.signed_at(db, session, row, what="record")
    notified_at = max(row.notified_at, signed_at) if row.notified_at is not None and signed_at is not None else None
    return request_of(
        terms,
        config,
        requester=terms.requester,
        requesters=terms.requesters,
        dry_run_ok=dry_run_ok,
        notified_at=notified_at,
        proposed_at=terms.autonomy,
    )


def autonomy_of(plan: Plan, config: Config) -> Autonomy:
    """How far Tocsin goes with it now, with a plan as far as with each of its steps.

    A silence and a grant change no system, so people may always approve one.
    """
    exempt = (*SILENCES, STANDING_APPROVAL)
    steps = (
        Autonomy.APPROVE if run.kind in exempt else in_force.autonomy(config, run.service, run.action) for run in plan.runs
    )
    return min(steps, key=lambda autonomy: autonomy.rank)


def _silence_length(kind: str, arguments: Mapping[str, object]) -> timedelta | None:
    """How long a silence would last; None for everything else."""
    if kind not in SILENCES or not arguments.get("duration"):
        return None
    return parse_duration(arguments["duration"])


def _undo_of_change(plan: Plan, config: Config) -> bool:
    """A plan is one if each of its steps is."""
    return all(_step_undoes(config, run.action) for run in plan.runs)


def _step_undoes(config: Config, entry: str) -> bool:
    configured = config.actions.get(entry)
    return configured is not None and in_force.undoes(config, entry, configured=policy.undo_of_change(configured))


def _target_revision(plan: Plan, config: Config) -> str:
    """The revision to which a rollback would go back; "" for everything else."""
    return str(plan.arguments.get("previous_version", "")) if not plan.parts and _undo_of_change(plan, config) else ""


async def stored_context(db: Database, session: AsyncSession, roster: Roster, row: ProposalRow) -> Surroundings:
    """What is going on around a stored proposal, and the roles in its incident."""
    around = await read_context(
        db,
        session,
        roster,
        service=row.service,
        group_id=row.group_id,
        incident_id=row.incident_id,
        targets=row.record["targets"],
        own_id=row.id,
    )
    if not _target_revision(stored_terms(row), roster.config):
        return around
    verified = await last_verified(db, session, row.service, row.action)
    return around._replace(context=replace(around.context, verified_revision=verified))


async def eligibility_of(
    db: Database, session: AsyncSession, person: str, service: str, owner: Owner, roster: Roster
) -> Eligibility:
    """The roles that a person has for this service and incident now."""
    return roster.eligibility(person, service, db.clock(), roles=await roles_in(db, session, owner.incident_id))


async def counted_decisions(
    db: Database,
    session: AsyncSession,
    row: ProposalRow,
    roster: Roster,
    roles: IncidentRoles,
    *,
    without: frozenset[str] = frozenset(),
) -> list[CountedDecision]:
    """The answers to the current revision, each with the person's eligibility now. `without`: people who no longer count."""
    now = db.clock()
    decisions = []
    for decision in await decision_rows(session, row, revision=row.revision):
        if decision.verdict not in set(DecisionChoice):
            continue
        person = "" if decision.person in without else decision.person
        eligibility = roster.eligibility(person, row.service, now, roles=roles)
        alone = await break_glass.is_in_force(db, session, row, roster.config, person)
        choice = DecisionChoice(decision.verdict)
        decisions.append(CountedDecision(eligibility, choice, decision.at, decision.reason, break_glass=alone))
    return decisions


def dry_run_counts(row: ProposalRow, now: datetime) -> bool:
    """Whether the dry run that was shown worked and is young enough."""
    return bool(row.record.get("dry_run_ok")) and now - row.dry_run_at <= DRY_RUN_LIFE


async def state_text(session: AsyncSession, row: ProposalRow) -> str:
    """The answer to a late press: who did what and when."""
    ref, state = transitions.ref_of(row), ProposalState(row.state)
    rows = await decision_rows(session, row, revision=row.revision)
    answers = ", ".join(f"already {DecisionChoice(d.verdict).past} by {d.person} at {clock_to_the_minute(d.at)}" for d in rows)
    if state is ProposalState.EXPIRED:
        return f"{ref} expired at {clock_to_the_minute(row.expires_at)}; propose it anew if it is still needed."
    return f"{ref} is {state.value}" + (f": {answers}." if answers else ".") + (f" {row.outcome}" if row.outcome else "")
