"""Signatures: the fingerprint of a plan bound to a person in the keyed audit, and the alarm where a row differs from it."""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import ProposalState
from bot.core.approvals.canonical_record import plan_fingerprint, stamp, text_fingerprint
from bot.core.timeline import EntryKind
from bot.store import audit
from bot.store.approvals import transitions
from bot.store.db.database import Database
from bot.store.tables import PageRow, ProposalRow


async def sign(db: Database, session: AsyncSession, row: ProposalRow, *, who: str, what: str, reason: str = "") -> None:
    """Bind the plan's fingerprint to a person in the keyed audit: who can only write the database cannot make such a row."""
    await audit.append(
        db,
        session,
        who=who,
        what=what,
        subject=transitions.ref_of(row),
        after=row.state,
        reason=reason,
        policy=str(row.record.get("policy_version", "")),
        message=f"r{row.revision} {row.plan_fingerprint}",
    )


async def signed(db: Database, session: AsyncSession, row: ProposalRow, *, what: str, who: str | None = None) -> bool:
    """Whether the keyed audit holds such a row for exactly this revision and fingerprint."""
    return await signed_at(db, session, row, what=what, who=who) is not None


async def signed_at(
    db: Database, session: AsyncSession, row: ProposalRow, *, what: str, who: str | None = None
) -> datetime | None:
    """When the keyed audit last got such a row for exactly this revision and fingerprint; None if never."""
    message = f"r{row.revision} {row.plan_fingerprint}"
    signatures = [
        entry
        for entry in await audit.about(session, transitions.ref_of(row))
        if entry.what == what and entry.message == message and (who is None or entry.who == who)
    ]
    return max((signature.at for signature in signatures if audit.genuine(db, signature)), default=None)


async def was_once(db: Database, session: AsyncSession, row: ProposalRow, to: ProposalState, message: str) -> bool:
    """Whether the keyed audit saw this very transition: rows that say otherwise were changed in the database."""
    return any(
        entry.what == "proposal" and entry.after == to.value and entry.message == message and audit.genuine(db, entry)
        for entry in await audit.about(session, transitions.ref_of(row))
    )


async def tampering(db: Database, session: AsyncSession, row: ProposalRow) -> str:
    """Why the row is not what was put to people; "" if it is."""
    record = row.record
    try:
        fingerprint = plan_fingerprint(record)
    except ValueError as error:
        return f"the record cannot be read ({error})"
    columns = {
        "ref": transitions.ref_of(row),
        "revision": row.revision,
        "service": row.service,
        "action": row.action,
        "because": row.because,
        "dry_run_digest": text_fingerprint(row.dry_run),
        "expires_at": stamp(row.expires_at),
    }
    if fingerprint != row.plan_fingerprint:
        return "the stored record is not the one that its card showed"
    if wrong := [name for name, value in columns.items() if record.get(name) != value]:
        return f"stored columns differ from the record: {', '.join(wrong)}"
    if not await signed(db, session, row, what="record"):
        return "the audit has no such record"
    return ""


async def raise_alarm(db: Database, session: AsyncSession, row: ProposalRow, why: str) -> None:
    """Somebody changed the row in the database: refuse it for good, write it down and page somebody."""
    ref = transitions.ref_of(row)
    state = ProposalState(row.state)
    begun = state.final or state in (ProposalState.EXECUTING, ProposalState.VERIFYING)
    effect = f"it is {row.state} already" if begun else "it will not run"
    await audit.append(db, session, who="tocsin", what="alarm: fingerprint mismatch", subject=ref, reason=why)
    key = f"alarm:fingerprint:{ref}"
    if await session.get(PageRow, key) is None:
        summary = f"{ref} was changed in the database after it was put to people; {effect}"
        session.add(PageRow(key=key, summary=summary, severity="SEV1", details={"proposal": ref, "why": why}, at=db.clock()))
    if not begun:
        await transitions.move(db, session, row, ProposalState.STOPPED, reason=why, outcome=f"Refused: {why}. It was not run.")
    await transitions.add_to_timeline(db, session, row, EntryKind.SYSTEM, f"{ref}: alarm, {why}; {effect}", key=f"alarm:{ref}")
