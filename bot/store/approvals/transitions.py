"""The edges of a proposal's life: one conditional update and one audit row each, in the caller's transaction."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import ProposalState
from bot.core.approvals.record import digest_of, stamp, text_digest
from bot.core.incident import number_of
from bot.core.timeline import EntryKind
from bot.store import audit, messages, timeline
from bot.store.db import locks
from bot.store.db.database import Database
from bot.store.tables import AuditRow, GroupRow, IncidentRow, PageRow, ProposalRow


def proposal_number(ref: str) -> int | None:
    """The key behind `AP-3`; None if it is no such reference."""
    return number_of(ref, "AP")


def ref_of(row: ProposalRow) -> str:
    return f"AP-{row.id}"


async def in_turn(db: Database, session: AsyncSession, service: str) -> None:
    """Make transactions that count over one service wait for each other, over all replicas."""
    if not db.sqlite:
        await session.exec(locks.take_for(locks.SERVICE, service))  # type: ignore[call-overload]


async def lock(session: AsyncSession, number: int) -> ProposalRow | None:
    """The row, locked against other replicas until this transaction ends (SQLite: the single writer is the lock)."""
    return await session.get(ProposalRow, number, with_for_update=True, populate_existing=True)


async def move(
    db: Database,
    session: AsyncSession,
    row: ProposalRow,
    to: ProposalState,
    *,
    who: str = "tocsin",
    reason: str = "",
    policy: str = "",
    message: str = "",
    **values: Any,
) -> bool:
    """Take one edge: True if the row still stood in the state it was read in. Card and audit follow in the same transaction."""
    before = row.state
    if ProposalState(before).final:
        return False
    now = db.clock()
    changed = await session.exec(
        update(ProposalRow)
        .where(col(ProposalRow.id) == row.id, col(ProposalRow.state) == before)
        .values(state=to.value, rev=ProposalRow.rev + 1, changed_at=now, **values)
    )
    if changed.rowcount != 1:
        return False
    await session.refresh(row)
    await audit.append(
        db,
        session,
        who=who,
        what="proposal",
        subject=ref_of(row),
        before=before,
        after=to.value,
        reason=reason,
        policy=policy,
        message=message,
    )
    await show(db, session, row)
    return True


async def show(db: Database, session: AsyncSession, row: ProposalRow) -> None:
    """Want the card (in the thread of its group) to show the newest state."""
    ref = ref_of(row)
    channel, thread_key = await thread_of(session, row.group_id, row.incident_id)
    await messages.touch(db, session, f"proposal:{ref}", channel=channel, kind="proposal", subject=ref, thread_key=thread_key)


async def thread_of(session: AsyncSession, group_id: int | None, incident_id: int | None) -> tuple[str, str]:
    """Channel and thread key for messages about this: the card of the group, else the incident's channel."""
    incident = await session.get(IncidentRow, incident_id) if incident_id is not None else None
    if group_id is None and incident is not None:
        group_id = incident.group_id
    group = await session.get(GroupRow, group_id) if group_id is not None else None
    if group is not None:
        return group.channel, group.on_storm_card or f"card:AL-{group.id}"
    return (incident.channel, f"card:INC-{incident.id}") if incident is not None else ("", "")


async def say(db: Database, session: AsyncSession, row: ProposalRow, key: str, line: str, mentions: Sequence[str] = ()) -> None:
    """One line in the thread, once for each key; it notifies the people of `mentions`."""
    channel, thread_key = await thread_of(session, row.group_id, row.incident_id)
    await messages.touch(
        db, session, f"line:{key}", channel=channel, kind="line", subject=line, thread_key=thread_key, mentions=mentions
    )


async def note(
    db: Database, session: AsyncSession, row: ProposalRow, kind: EntryKind, entry: str, *, who: str = "tocsin", key: str
) -> None:
    """One timeline entry about this proposal, once for each key."""
    group, incident = row.group_id, row.incident_id
    await timeline.add(db, session, kind, entry, group_id=group, incident_id=incident, who=who, key=key)


async def human(db: Database, session: AsyncSession, group_id: int | None, incident_id: int | None) -> None:
    """A person did something here: quiet groups do not close by themselves after that.

    Before any audit row of the transaction: others lock group, then audit, and two orders would deadlock on PostgreSQL.
    """
    now = db.clock()
    await session.exec(update(GroupRow).where(col(GroupRow.id) == group_id).values(human_at=now))
    await session.exec(update(IncidentRow).where(col(IncidentRow.id) == incident_id).values(human_at=now))


async def close(db: Database, session: AsyncSession, group_id: int | None, incident_id: int | None) -> None:
    """A proposal lives until its incident closes: what waits for people ends with it; what was approved, the claim ends."""
    here = [column == number for column, number in _owners(group_id, incident_id) if number is not None]
    undecided = col(ProposalRow.state).in_((ProposalState.PENDING.value, ProposalState.PARTLY_APPROVED.value))
    query = select(ProposalRow).where(or_(*here), undecided).order_by(col(ProposalRow.id)).with_for_update()
    for row in (await session.exec(query)).all() if here else ():
        await move(db, session, row, ProposalState.EXPIRED, reason="the incident closed", outcome="The incident closed.")
        await note(
            db, session, row, "proposal", f"{ref_of(row)} ended undecided with the incident", key=f"left:{ref_of(row)}:expired"
        )


def _owners(group_id: int | None, incident_id: int | None) -> tuple[tuple[Any, int | None], ...]:
    return (col(ProposalRow.group_id), group_id), (col(ProposalRow.incident_id), incident_id)


# ---------------------------------------------------------------- the digest


async def attest(db: Database, session: AsyncSession, row: ProposalRow, *, who: str, what: str, reason: str = "") -> None:
    """Bind a digest to whoever stood behind it, in the keyed chain: a writer of the database cannot make such a row."""
    await audit.append(
        db,
        session,
        who=who,
        what=what,
        subject=ref_of(row),
        after=row.state,
        reason=reason,
        policy=str(row.record.get("policy_version", "")),
        message=f"r{row.revision} {row.digest}",
    )


async def attested(db: Database, session: AsyncSession, row: ProposalRow, *, what: str, who: str | None = None) -> bool:
    """Whether the keyed chain holds such a row for exactly this revision and digest."""
    query = select(AuditRow).where(
        AuditRow.subject == ref_of(row), AuditRow.what == what, AuditRow.message == f"r{row.revision} {row.digest}"
    )
    rows = [found for found in (await session.exec(query)).all() if who is None or found.who == who]
    return any(audit.genuine(db, found) for found in rows)


async def tampered(db: Database, session: AsyncSession, row: ProposalRow) -> str:
    """Why the row is not what was put to people; "" if it is."""
    record = row.record
    try:
        digest = digest_of(record)
    except ValueError as error:
        return f"the record cannot be read ({error})"
    columns = {
        "ref": ref_of(row),
        "revision": row.revision,
        "service": row.service,
        "action": row.action,
        "because": row.because,
        "dry_run_digest": text_digest(row.dry_run),
        "expires_at": stamp(row.expires_at),
    }
    if digest != row.digest:
        return "the digest of the stored record differs from the one that stands on the card"
    if wrong := [name for name, value in columns.items() if record.get(name) != value]:
        return f"stored columns differ from the record: {', '.join(wrong)}"
    if not await attested(db, session, row, what="record"):
        return "the audit knows no such record"
    return ""


async def alarm(db: Database, session: AsyncSession, row: ProposalRow, why: str) -> None:
    """A row was changed behind our back: refuse it for good, write it down and page somebody."""
    ref = ref_of(row)
    state = ProposalState(row.state)
    begun = state.final or state in (ProposalState.EXECUTING, ProposalState.VERIFYING)
    means = f"it is {row.state} already" if begun else "it will not run"
    await audit.append(db, session, who="tocsin", what="alarm: digest mismatch", subject=ref, reason=why)
    key = f"alarm:digest:{ref}"
    if await session.get(PageRow, key) is None:
        summary = f"{ref} was changed in the database after it was put to people; {means}"
        session.add(PageRow(key=key, summary=summary, severity="SEV1", details={"proposal": ref, "why": why}, at=db.clock()))
    if not begun:
        await move(db, session, row, ProposalState.STOPPED, reason=why, outcome=f"Refused: {why}. It was not run.")
    await note(db, session, row, "system", f"{ref}: alarm, {why}; {means}", key=f"alarm:{ref}")
