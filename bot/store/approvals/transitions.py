"""The transitions of a proposal: one conditional update and one audit row each, in the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict, Unpack

from sqlalchemy import bindparam, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import ProposalState
from bot.core.approvals.canonical_record import plan_fingerprint, stamp, text_fingerprint
from bot.core.incident import number_of
from bot.core.messages.content import MessageKind
from bot.core.timeline import EntryKind
from bot.store import audit, messages, timeline
from bot.store.db import locks
from bot.store.db.database import Database
from bot.store.tables import GroupRow, IncidentRow, PageRow, ProposalRow

_LOCKED = (
    select(ProposalRow)
    .where(col(ProposalRow.id) == bindparam("number"))
    .with_for_update()
    .execution_options(populate_existing=True)
)
_AS_RETURNED = {"populate_existing": True, "synchronize_session": False}
"""Rows of a session have the values that the database returned, and nothing is evaluated besides."""


def proposal_number(ref: str) -> int | None:
    """The key behind `AP-3`; None if it is no such reference."""
    return number_of(ref, "AP")


def ref_of(row: ProposalRow) -> str:
    return f"AP-{row.id}"


class Changes(TypedDict, total=False):
    """Columns that a transition may set besides the state."""

    approved_at: datetime
    solo: bool
    break_glass: bool
    outcome: str
    verification: str
    steps_begun: int


async def lock_service(db: Database, session: AsyncSession, service: str) -> None:
    """Make transactions that count over one service wait for each other, over all replicas."""
    if not db.sqlite:
        await session.exec(locks.take_for(locks.SERVICE, service))  # type: ignore[call-overload]


async def lock(session: AsyncSession, number: int) -> ProposalRow | None:
    """The row, locked against other replicas until this transaction ends (SQLite: the single writer is the lock)."""
    return (await session.exec(_LOCKED, params={"number": number})).one_or_none()


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
    **changes: Unpack[Changes],
) -> bool:
    """Take one transition, with its card and its audit row: True if the row still was in the state it was read in."""
    before = row.state
    if not ProposalState(before).leads_to(to):
        return False
    now = db.clock()
    changed = (
        update(ProposalRow)
        .where(col(ProposalRow.id) == row.id, col(ProposalRow.state) == before)
        .values(state=to.value, rev=ProposalRow.rev + 1, changed_at=now, **changes)
        .returning(ProposalRow)
    )
    # `row` itself has the new values then, as the database has them.
    if (await session.exec(changed, execution_options=_AS_RETURNED)).one_or_none() is None:
        return False
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
    await refresh_card(db, session, row)
    return True


async def refresh_card(db: Database, session: AsyncSession, row: ProposalRow) -> None:
    """Want the card (in the thread of its group) to show the newest state, and the triage to name what waits."""
    if row.group_id is not None:
        await messages.refresh(db, session, f"triage:AL-{row.group_id}")
    ref = ref_of(row)
    key, kind = f"proposal:{ref}", MessageKind.PROPOSAL
    # Only a new card has to be told where it stands.
    if not await messages.refresh(db, session, key):
        channel, thread_key = await thread_of(session, row.group_id, row.incident_id)
        await messages.touch(db, session, key, channel=channel, kind=kind, subject=ref, thread_key=thread_key)


async def thread_of(session: AsyncSession, group_id: int | None, incident_id: int | None) -> tuple[str, str]:
    """Channel and thread key for messages about this: the card of the group, else the incident's channel."""
    incident = await session.get(IncidentRow, incident_id) if incident_id is not None else None
    if group_id is None and incident is not None:
        group_id = incident.group_id
    group = await session.get(GroupRow, group_id) if group_id is not None else None
    if group is not None:
        return group.channel, group.on_storm_card or f"card:AL-{group.id}"
    return (incident.channel, f"card:INC-{incident.id}") if incident is not None else ("", "")


async def post_line(
    db: Database, session: AsyncSession, row: ProposalRow, key: str, line: str, mentions: Sequence[str] = ()
) -> None:
    """One line in the thread, once for each key; it notifies the people of `mentions`."""
    channel, thread_key = await thread_of(session, row.group_id, row.incident_id)
    await messages.touch(
        db,
        session,
        f"line:{key}",
        channel=channel,
        kind=MessageKind.LINE,
        subject=line,
        thread_key=thread_key,
        mentions=mentions,
    )


async def add_to_timeline(
    db: Database, session: AsyncSession, row: ProposalRow, kind: EntryKind, text: str, *, who: str = "tocsin", key: str
) -> None:
    """One timeline entry about this proposal, once for each key."""
    group, incident = row.group_id, row.incident_id
    await timeline.add(db, session, kind, text, group_id=group, incident_id=incident, who=who, key=key)


async def mark_human_activity(db: Database, session: AsyncSession, group_id: int | None, incident_id: int | None) -> None:
    """A person did something here: quiet groups do not close by themselves after that.

    Before any audit row of the transaction: others lock group, then audit, and two orders would deadlock on PostgreSQL.
    """
    now = db.clock()
    await session.exec(update(GroupRow).where(col(GroupRow.id) == group_id).values(human_at=now))
    await session.exec(update(IncidentRow).where(col(IncidentRow.id) == incident_id).values(human_at=now))


async def expire_undecided(
    db: Database, session: AsyncSession, group_id: int | None, incident_id: int | None, *, why: str = "the incident closed"
) -> None:
    """End what waits for people with its incident. What was approved is left to the claim, which asks whether it is open."""
    owners = ((col(ProposalRow.group_id), group_id), (col(ProposalRow.incident_id), incident_id))
    here = [column == number for column, number in owners if number is not None]
    undecided = col(ProposalRow.state).in_((ProposalState.PENDING.value, ProposalState.PARTLY_APPROVED.value))
    query = select(ProposalRow).where(or_(*here), undecided).order_by(col(ProposalRow.id)).with_for_update()
    for row in (await session.exec(query)).all() if here else ():
        await move(db, session, row, ProposalState.EXPIRED, reason=why, outcome=f"{why.capitalize()}.")
        text, key = f"{ref_of(row)} ended undecided: {why}", f"left:{ref_of(row)}:expired"
        await add_to_timeline(db, session, row, EntryKind.PROPOSAL, text, key=key)


async def refresh_undecided(db: Database, session: AsyncSession, group_id: int | None) -> None:
    """Have what waits for people, and the triage that names it, shown anew: whether alerts of the group fire has changed."""
    undecided = col(ProposalRow.state).in_((ProposalState.PENDING.value, ProposalState.PARTLY_APPROVED.value))
    query = select(ProposalRow).where(col(ProposalRow.group_id) == group_id, undecided).order_by(col(ProposalRow.id))
    for row in (await session.exec(query)).all():
        await refresh_card(db, session, row)


# ---------------------------------------------------------------- the plan's fingerprint


async def sign(db: Database, session: AsyncSession, row: ProposalRow, *, who: str, what: str, reason: str = "") -> None:
    """Bind the plan's fingerprint to a person in the keyed audit: who can only write the database cannot make such a row."""
    await audit.append(
        db,
        session,
        who=who,
        what=what,
        subject=ref_of(row),
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
        for entry in await audit.about(session, ref_of(row))
        if entry.what == what and entry.message == message and (who is None or entry.who == who)
    ]
    return max((signature.at for signature in signatures if audit.genuine(db, signature)), default=None)


async def was_once(db: Database, session: AsyncSession, row: ProposalRow, to: ProposalState, message: str) -> bool:
    """Whether the keyed audit saw this very transition: rows that say otherwise were changed in the database."""
    return any(
        entry.what == "proposal" and entry.after == to.value and entry.message == message and audit.genuine(db, entry)
        for entry in await audit.about(session, ref_of(row))
    )


async def tampering(db: Database, session: AsyncSession, row: ProposalRow) -> str:
    """Why the row is not what was put to people; "" if it is."""
    record = row.record
    try:
        fingerprint = plan_fingerprint(record)
    except ValueError as error:
        return f"the record cannot be read ({error})"
    columns = {
        "ref": ref_of(row),
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
    ref = ref_of(row)
    state = ProposalState(row.state)
    begun = state.final or state in (ProposalState.EXECUTING, ProposalState.VERIFYING)
    effect = f"it is {row.state} already" if begun else "it will not run"
    await audit.append(db, session, who="tocsin", what="alarm: fingerprint mismatch", subject=ref, reason=why)
    key = f"alarm:fingerprint:{ref}"
    if await session.get(PageRow, key) is None:
        summary = f"{ref} was changed in the database after it was put to people; {effect}"
        session.add(PageRow(key=key, summary=summary, severity="SEV1", details={"proposal": ref, "why": why}, at=db.clock()))
    if not begun:
        await move(db, session, row, ProposalState.STOPPED, reason=why, outcome=f"Refused: {why}. It was not run.")
    await add_to_timeline(db, session, row, EntryKind.SYSTEM, f"{ref}: alarm, {why}; {effect}", key=f"alarm:{ref}")
