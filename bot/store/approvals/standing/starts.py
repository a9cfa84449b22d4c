"""What a standing approval lets start: offered as the proposal is made, begun when the time to stop it is over."""

from datetime import UTC, datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import DecisionChoice, ProposalState
from bot.core.approvals import in_force, policy
from bot.core.approvals.authority import Authority
from bot.core.approvals.canonical_record import stamp
from bot.core.approvals.standing import STANDING_APPROVAL, StandingOffer, why_not_granted
from bot.core.incident import number_of
from bot.store import audit
from bot.store.approvals import rows, rule_inputs, transitions
from bot.store.approvals.standing.grants import grant_of, why_asleep, why_ended
from bot.store.db.database import Database
from bot.store.tables import AuditRow, EpisodeRow, MessageRow, ProposalRow, SwitchRow

OFFERED, USED, VETOED = "standing offered", "standing", "standing stopped"
"""How the audit names that one would start a proposal, that it did, and that somebody stopped it."""
DAY = timedelta(days=1)


async def offer(db: Database, session: AsyncSession, row: ProposalRow, authority: Authority) -> None:
    """Have a grant that covers this proposal start it once the time to stop it is over; nothing where none does.

    Called as the proposal is made, by whoever knows that Tocsin's own rules propose it and nobody asked for it.
    """
    grants = select(ProposalRow).where(ProposalRow.action == STANDING_APPROVAL, ProposalRow.service == row.service)
    succeeded = grants.where(ProposalRow.state == ProposalState.SUCCEEDED.value).order_by(col(ProposalRow.id))
    for granted in (await session.exec(succeeded)).all():
        if await _objection(db, session, row, granted, authority):
            continue
        starts_at = db.clock() + in_force.standing_approvals(authority.roster.config).veto
        row.standing_approval, row.starts_at = transitions.ref_of(granted), starts_at
        session.add(row)
        await session.flush()
        await _sign(db, session, row, OFFERED, before=row.standing_approval, after=stamp(starts_at))
        await transitions.refresh_card(db, session, row)
        return


async def carries(db: Database, session: AsyncSession, row: ProposalRow, authority: Authority) -> bool:
    """Whether a standing approval that was used for exactly this still holds: asked in the claim and before the call."""
    return await _newest(db, session, row, USED) is not None and not await objection(db, session, row, authority)


async def used_at(db: Database, session: AsyncSession, row: ProposalRow) -> datetime | None:
    """When a standing approval let exactly this start, as the keyed audit has it."""
    entry = await _newest(db, session, row, USED)
    return entry.at if entry is not None else None


async def objection(db: Database, session: AsyncSession, row: ProposalRow, authority: Authority) -> str:
    """Why no standing approval may start this now; "" if the one that was offered may. Everything is asked again."""
    offered = await _newest(db, session, row, OFFERED)
    if offered is None:
        return "it is not what was offered"
    granted = await session.get(ProposalRow, number_of(offered.before, "AP") or 0)
    if granted is None:
        return "its standing approval is gone"
    if stamp(db.clock()) < offered.after:
        return "it is too early"
    if why := await vetoed(session, row) or await _unseen(
        db, session, row, in_force.standing_approvals(authority.roster.config).veto
    ):
        return why
    return await _objection(db, session, row, granted, authority)


async def offered_at(db: Database, session: AsyncSession, row: ProposalRow) -> str:
    """When it would start, as the keyed audit has it; "" if nothing was offered."""
    entry = await _newest(db, session, row, OFFERED)
    return entry.after if entry is not None else ""


async def vetoed(session: AsyncSession, row: ProposalRow) -> str:
    """Who stopped it; "" if nobody did."""
    ref = transitions.ref_of(row)
    switch = await session.get(SwitchRow, f"{VETOED}:{ref}", populate_existing=True)
    query = select(AuditRow.who).where(AuditRow.subject == ref, AuditRow.what == VETOED)
    who = (await session.exec(query)).first() or (switch.who if switch is not None and switch.on else "")
    return f"{who} stopped it" if who else ""


async def _unseen(db: Database, session: AsyncSession, row: ProposalRow, veto: timedelta) -> str:
    """Why people could not have stopped it; "" if its card stood in Slack for at least half of the time that they have."""
    card = await session.get(MessageRow, f"proposal:{transitions.ref_of(row)}", populate_existing=True)
    if card is None or not card.ts:
        return "its card does not stand in Slack, so nobody could stop it"
    stood = db.clock() - datetime.fromtimestamp(float(card.ts), UTC)
    return "" if stood >= veto / 2 else "its card has stood in Slack for too short a time for anybody to stop it"


async def _objection(db: Database, session: AsyncSession, row: ProposalRow, granted: ProposalRow, authority: Authority) -> str:
    terms = rows.stored_terms(row)
    why = await why_ended(db, session, granted, authority) or await why_asleep(db, session, granted, authority)
    if why:
        return why
    grant = grant_of(granted)
    if not grant.covers(granted.service, terms) or terms.all_requesters:
        return "it is not what was granted"
    # What was verified is in the past: tier, words and ladder are those of now.
    if why := why_not_granted(authority.roster.config, terms, in_force.standing_approvals(authority.roster.config).verified):
        return why
    if not await _fires(session, row, grant.alert):
        return f"{grant.alert} does not fire on {row.service}"
    if await uses(db, session, transitions.ref_of(granted), but=transitions.ref_of(row)) >= grant.per_day:
        return f"it was used {grant.per_day} times within a day"
    request = await rule_inputs.stored_request(db, session, row, authority.roster.config, dry_run_ok=terms.dry_run_ok)
    answer = policy.may_start(request, (await rule_inputs.stored_context(db, session, authority.roster, row)).context)
    return "" if answer.allow else answer.text


async def _fires(session: AsyncSession, row: ProposalRow, alert: str) -> bool:
    query = select(EpisodeRow.id).where(
        col(EpisodeRow.group_id) == row.group_id, EpisodeRow.name == alert, EpisodeRow.service == row.service,
        EpisodeRow.status == "firing",
    )  # fmt: skip
    return row.group_id is not None and (await session.exec(query.limit(1))).first() is not None


async def uses(db: Database, session: AsyncSession, ref: str, *, but: str = "") -> int:
    """Proposals that this grant let start within the last day."""
    query = select(AuditRow).where(
        AuditRow.what == USED, AuditRow.before == ref, col(AuditRow.at) > db.clock() - DAY, AuditRow.subject != but
    )
    return len({entry.subject for entry in (await session.exec(query)).all() if audit.genuine(db, entry)})


async def _newest(db: Database, session: AsyncSession, row: ProposalRow, what: str) -> AuditRow | None:
    """The newest genuine row of the audit about exactly this revision."""
    entries = reversed(await audit.about(session, transitions.ref_of(row)))
    own = (entry for entry in entries if entry.what == what and entry.message == _message(row))
    return next((entry for entry in own if audit.genuine(db, entry)), None)


async def _sign(db: Database, session: AsyncSession, row: ProposalRow, what: str, *, before: str, after: str) -> None:
    policy_of = str(row.record.get("policy_version", ""))
    await audit.append(
        db, session, who="tocsin", what=what, subject=transitions.ref_of(row), before=before, after=after, policy=policy_of,
        message=_message(row),
    )  # fmt: skip


def _message(row: ProposalRow) -> str:
    return f"r{row.revision} {row.plan_fingerprint}"


async def begin(db: Database, session: AsyncSession, row: ProposalRow) -> None:
    """Let it start: its approval is the grant."""
    terms = rows.stored_terms(row)
    await _sign(db, session, row, USED, before=row.standing_approval, after=ProposalState.APPROVED.value)
    reason = f"standing approval {row.standing_approval}"
    approved: transitions.TransitionColumns = {"approved_at": db.clock()}
    await transitions.move(db, session, row, ProposalState.APPROVED, reason=reason, policy=terms.policy_version, **approved)


async def standing_offer(session: AsyncSession, row: ProposalRow) -> StandingOffer | None:
    """What the card says of it; it gives no right."""
    if not row.standing_approval or row.starts_at is None:
        return None
    answered = [decision.verdict for decision in await rows.decision_rows(session, row, revision=row.revision)]
    used = row.approved_at is not None and DecisionChoice.APPROVE not in answered
    return StandingOffer(row.standing_approval, row.starts_at, stopped=bool(await vetoed(session, row)), used=used)
