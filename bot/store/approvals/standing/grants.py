"""Grants of standing approvals: proposals that succeeded. The keyed audit says that one is, and whether it still counts."""

from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import Autonomy, DecisionChoice, ProposalState
from bot.core.approvals import in_force, policy
from bot.core.approvals.authority import Authority
from bot.core.approvals.standing import STANDING_APPROVAL, Grant, RunEnd, harm
from bot.core.incident import number_of
from bot.store import audit
from bot.store.approvals import rows, rule_inputs, signatures, transitions
from bot.store.approvals.track_record import RAN
from bot.store.db.database import Database
from bot.store.tables import AuditRow, ProposalRow, SwitchRow

REVOKED = "standing revoked"
"""How the audit names the end of one."""


def grant_of(row: ProposalRow) -> Grant:
    """What a proposal grants. Raises ValueError where it is no grant."""
    arguments = {name: value for name, value in row.record["arguments"].items() if name not in ("allowed", "veto_seconds")}
    return Grant.model_validate({**arguments, "targets": row.record["arguments"].get("allowed", ())})


async def granted_at(db: Database, session: AsyncSession, row: ProposalRow) -> datetime | None:
    """When it came into force, as the keyed audit has it; None if it never did."""
    query = select(AuditRow).where(
        AuditRow.subject == transitions.ref_of(row), AuditRow.what == "proposal", AuditRow.after == ProposalState.SUCCEEDED
    )
    moments = [entry.at for entry in (await session.exec(query)).all() if audit.genuine(db, entry)]
    return min(moments, default=None)


async def revoked(session: AsyncSession, ref: str) -> str:
    """Why it was ended; "" if it was not. The row and the audit each suffice."""
    switch = await session.get(SwitchRow, f"{REVOKED}:{ref}", populate_existing=True)
    query = select(AuditRow).where(AuditRow.subject == ref, AuditRow.what == REVOKED)
    entry = (await session.exec(query)).first()
    return entry.reason if entry is not None else switch.reason if switch is not None and switch.on else ""


async def why_ended(db: Database, session: AsyncSession, row: ProposalRow, authority: Authority) -> str:
    """Why a grant is over for good; "" if it is not."""
    ref, config = transitions.ref_of(row), authority.roster.config
    if (
        row.action != STANDING_APPROVAL
        or row.record.get("kind") != STANDING_APPROVAL
        or await signatures.tampering(db, session, row)
    ):
        return "it is not what people granted"
    if why := await revoked(session, ref):
        return why
    grant, began = grant_of(row), await granted_at(db, session, row)
    if began is None:
        return "the audit has no such grant"
    if db.clock() >= began + timedelta(days=grant.days):
        return "its time is over"
    if authority.versions.get(grant.action) != grant.action_version:
        return f"{grant.action} or its entry in the catalogue is another one since"
    entry = config.actions.get(grant.action)
    earlier, ends = await _ends_since(session, row, grant)
    return harm(grant, row.service, entry.undo if entry else "", ends, earlier)


async def why_asleep(db: Database, session: AsyncSession, row: ProposalRow, authority: Authority) -> str:
    """Why a grant that is not over does not count now; "" if it does."""
    config, terms = authority.roster.config, rows.stored_terms(row)
    grant = grant_of(row)
    if terms.policy_version != policy.policy_version(config):
        return "the policy is another one since it was granted"
    if not await _still_granted(db, session, row, authority):
        return "not both of those who granted it might grant it now"
    verified = await verified_in_a_row(db, session, grant, row.service, config.actions[grant.action].undo, row.created_at)
    if in_force.standing_approvals(config).verified > verified:
        return "it was not verified often enough before it was granted"
    rung = in_force.autonomy(config, row.service, grant.action)
    return "" if rung is Autonomy.STANDING_APPROVAL else "the ladder does not let it stand"


async def _still_granted(db: Database, session: AsyncSession, row: ProposalRow, authority: Authority) -> bool:
    """Whether those who approved it would carry it with the roles and accounts of now, each as the keyed audit has it."""
    context, roles = await rule_inputs.stored_context(db, session, authority.roster, row)
    decisions = [
        decision
        for decision in await rule_inputs.counted_decisions(
            db, session, row, authority.roster, roles, without=authority.without
        )
        if decision.verdict is DecisionChoice.DENY
        or await signatures.signed(db, session, row, what=DecisionChoice.APPROVE, who=decision.eligibility.person or "-")
    ]
    request = await rule_inputs.stored_request(db, session, row, authority.roster.config, dry_run_ok=True)
    carried = policy.quorum(request, decisions, context)
    return carried.state is ProposalState.APPROVED and not carried.break_glass


async def _ends_since(session: AsyncSession, granted: ProposalRow, grant: Grant) -> tuple[RunEnd | None, list[RunEnd]]:
    """How the last run before it was granted ended, and those since, oldest first.

    By the audit as it stands: what ends a grant need not be proved.
    """
    since, kinds = granted.created_at, (AuditRow.what == "proposal", col(AuditRow.after).in_(RAN))
    later = select(AuditRow).where(*kinds, col(AuditRow.at) > since).order_by(col(AuditRow.seq))
    earlier = select(AuditRow).where(*kinds, col(AuditRow.at) <= since).order_by(col(AuditRow.seq).desc()).limit(1)
    last = (await session.exec(earlier)).first()
    ends = [await _end_of(session, entry, grant) for entry in (await session.exec(later)).all()]
    own = [end for end in ends if end is not None and end.action != STANDING_APPROVAL]
    return await _end_of(session, last, grant) if last is not None else None, own


async def _end_of(session: AsyncSession, entry: AuditRow, grant: Grant) -> RunEnd | None:
    row = await session.get(ProposalRow, number_of(entry.subject, "AP") or 0)
    if row is None:
        return None
    by_people, terms = row.manual or not row.standing_approval, rows.stored_terms(row)
    as_granted = terms.arguments == grant.arguments or not set(terms.targets) & set(grant.targets)
    return RunEnd(entry.subject, row.service, row.action, ProposalState(entry.after), by_people, as_granted)


async def verified_in_a_row(
    db: Database, session: AsyncSession, grant: Grant, service: str, undo: str, before: datetime
) -> int:
    """Runs of exactly this up to a moment that were verified, since the last that failed or that people undid."""
    query = (
        select(ProposalRow)
        .where(ProposalRow.service == service, col(ProposalRow.action).in_((grant.action, undo or grant.action)))
        .where(col(ProposalRow.state).in_(RAN), col(ProposalRow.changed_at) <= before)
        .order_by(col(ProposalRow.changed_at).desc(), col(ProposalRow.id).desc())
    )
    count = 0
    for row in (await session.exec(query)).all():
        if row.action != grant.action or row.state != ProposalState.SUCCEEDED:
            break
        terms = rows.stored_terms(row)
        if terms.arguments != grant.arguments and set(terms.targets) & set(grant.targets):
            # What is undone by the same action with other arguments was undone.
            break
        if not row.manual and grant.covers(service, terms):
            # A row that somebody wrote into the database is no run.
            if await signatures.tampering(db, session, row) or await granted_at(db, session, row) is None:
                break
            count += 1
    return count
