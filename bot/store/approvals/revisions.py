"""Which revision of a service is known to be good, because an action of Tocsin went back to it and its signal was verified."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import ProposalState
from bot.core.changes.own_changes import OWN
from bot.store import audit
from bot.store.approvals import signatures, transitions
from bot.store.db.database import Database
from bot.store.tables import AuditRow, ChangeRow, ProposalRow

_RAN = tuple(
    s.value
    for s in (
        ProposalState.SUCCEEDED,
        ProposalState.NOT_RECOVERED,
        ProposalState.COULD_NOT_VERIFY,
        ProposalState.FAILED,
        ProposalState.UNKNOWN,
    )
)


async def last_verified(db: Database, session: AsyncSession, service: str, action: str) -> str:
    """The revision to which the newest run of this action on this service went back, if its signal recovered; else "".

    That a revision once ran without alerts proves nothing: nobody may have checked. What a person ran by hand is not
    counted, since only their word names its revision; and the keyed audit must have both the record and its end.
    """
    query = (
        select(ProposalRow)
        .where(ProposalRow.service == service, ProposalRow.action == action, col(ProposalRow.state).in_(_RAN))
        .where(col(ProposalRow.manual).is_(False))
        .order_by(col(ProposalRow.changed_at).desc(), col(ProposalRow.id).desc())
        .limit(1)
    )
    row = (await session.exec(query)).first()
    if row is None or await signatures.tampering(db, session, row) or await _ran_in_a_plan(session, row):
        return ""
    recovered = select(AuditRow).where(
        AuditRow.subject == transitions.ref_of(row),
        AuditRow.what == "proposal",
        AuditRow.after == ProposalState.SUCCEEDED.value,
    )
    if not any(audit.genuine(db, entry) for entry in (await session.exec(recovered)).all()):
        return ""
    return str(row.record["arguments"].get("previous_version", ""))


async def _ran_in_a_plan(session: AsyncSession, row: ProposalRow) -> bool:
    """Whether a plan came to this action on this service since: then another revision may run."""
    since = col(ProposalRow.changed_at) > row.changed_at
    query = select(ProposalRow).where(ProposalRow.service == row.service, since, col(ProposalRow.steps_begun) > 0)
    plans = [plan for plan in (await session.exec(query)).all() if plan.record.get("parts")]
    return any(part["action"] == row.action for plan in plans for part in plan.record["parts"][: plan.steps_begun])


async def sender_of(session: AsyncSession, change_id: str) -> str:
    """The source that reported a change; "" where none did."""
    row = await session.get(ChangeRow, change_id) if change_id else None
    return row.source if row is not None else ""


async def is_reported_elsewhere(session: AsyncSession, service: str, version: str, sender: str) -> bool:
    """Whether another source than `sender` reported that this version was rolled out.

    What Tocsin did itself is no source: it went to where the sender said, and `did` proves nothing.
    """
    others = ChangeRow.service == service, ChangeRow.version == version, col(ChangeRow.source).not_in(("", OWN, sender))
    return (await session.exec(select(ChangeRow.id).where(*others).limit(1))).first() is not None
