"""What the rules are asked about a proposal: the request, its context and the decisions that count now."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import SILENCES, Autonomy, DecisionChoice, Plan
from bot.core.approvals import in_force, policy
from bot.core.approvals.policy_types import DRY_RUN_LIFE, ActionRequest, CountedDecision
from bot.core.approvals.roster import Eligibility, IncidentRoles, Roster
from bot.core.approvals.standing import STANDING_APPROVAL
from bot.core.config import Config
from bot.core.config.fields import parse_duration
from bot.store.approvals import break_glass, rows, signatures
from bot.store.approvals.context.decision_context import Surroundings, read_context
from bot.store.approvals.context.incident_roles import roles_in
from bot.store.approvals.revisions import last_verified
from bot.store.db.database import Database
from bot.store.tables import ProposalRow


def request_of(
    plan: Plan,
    config: Config,
    *,
    requester: str,
    requesters: Iterable[str] = (),
    dry_run_ok: bool,
    notified_at: datetime | None = None,
    proposed_at: Autonomy = Autonomy.STANDING_APPROVAL,
    key: str = "",
) -> ActionRequest:
    """What the rules are asked about a plan. `dry_run_ok`: whether its dry run worked and still counts.

    `key`: of the proposal: what undoes a run puts a change in place again. `proposed_at`: how far Tocsin went when it was
    proposed; a configuration that goes further since does not raise it.
    """
    return ActionRequest(
        action=plan.action,
        service=plan.service,
        tier=plan.tier,
        targets=tuple(plan.targets),
        requester=requester,
        requesters=frozenset(requesters),
        undo_of_change=_undo_of_change(plan, config) and not rows.undoes(key),
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
    terms = rows.stored_terms(row)
    signed_at = await signatures.signed_at(db, session, row, what="record")
    notified_at = max(row.notified_at, signed_at) if row.notified_at is not None and signed_at is not None else None
    return request_of(
        terms,
        config,
        requester=terms.requester,
        requesters=terms.requesters,
        dry_run_ok=dry_run_ok,
        notified_at=notified_at,
        proposed_at=terms.autonomy,
        key=row.key,
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
    if not _target_revision(rows.stored_terms(row), roster.config):
        return around
    verified = await last_verified(db, session, row.service, row.action)
    return around._replace(context=replace(around.context, verified_revision=verified))


async def eligibility_of(
    db: Database, session: AsyncSession, person: str, service: str, owner: rows.Owner, roster: Roster
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
    for decision in await rows.decision_rows(session, row, revision=row.revision):
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
