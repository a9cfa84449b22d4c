"""The transitions of a proposal: one conditional update and one audit row each, in the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict, Unpack

from sqlalchemy import ColumnElement, bindparam, false, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import DECIDABLE, OPEN_STATES, ProposalState
from bot.core.incident import number_of
from bot.core.messages.content import MessageKind
from bot.core.timeline import EntryKind
from bot.store import audit, messages, timeline
from bot.store.db import locks
from bot.store.db.database import Database
from bot.store.tables import GroupRow, IncidentRow, ProposalRow

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
    """What people call it: `AP-3`."""
    return f"AP-{row.id}"


class TransitionColumns(TypedDict, total=False):
    """Columns that a transition may set besides the state."""

    approved_at: datetime
    solo: bool
    break_glass: bool
    outcome: str
    verification: str
    steps_begun: int


def belongs_to(group_id: int | None, incident_id: int | None) -> ColumnElement[bool]:
    """Whether a proposal is of this group or of this incident; false without either.

    One that was proposed for a group before its incident was declared is of the incident all the same.
    """
    owners = ((col(ProposalRow.group_id), group_id), (col(ProposalRow.incident_id), incident_id))
    return or_(false(), *(column == number for column, number in owners if number is not None))


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
    **changes: Unpack[TransitionColumns],
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
    undecided = belongs_to(group_id, incident_id), col(ProposalRow.state).in_(DECIDABLE)
    query = select(ProposalRow).where(*undecided).order_by(col(ProposalRow.id)).with_for_update()
    for row in (await session.exec(query)).all():
        await move(db, session, row, ProposalState.EXPIRED, reason=why, outcome=f"{why.capitalize()}.")
        text, key = f"{ref_of(row)} ended undecided: {why}", f"left:{ref_of(row)}:expired"
        await add_to_timeline(db, session, row, EntryKind.PROPOSAL, text, key=key)


async def hand_over(db: Database, session: AsyncSession, source: GroupRow, target: GroupRow) -> None:
    """What is not over of a group that was merged into another one goes on there, and with that one's incident."""
    unfinished = col(ProposalRow.state).in_([state.value for state in (*OPEN_STATES, ProposalState.UNKNOWN)])
    query = select(ProposalRow).where(col(ProposalRow.group_id) == source.id, unfinished).order_by(col(ProposalRow.id))
    for row in (await session.exec(query.with_for_update())).all():
        row.group_id, row.incident_id = target.id, target.incident_id
        session.add(row)
        await session.flush()
        await refresh_card(db, session, row)


async def refresh_undecided(db: Database, session: AsyncSession, group_id: int | None) -> None:
    """Have what waits for people, and the triage that names it, shown anew: whether alerts of the group fire has changed."""
    undecided = col(ProposalRow.group_id) == group_id, col(ProposalRow.state).in_(DECIDABLE)
    query = select(ProposalRow).where(*undecided).order_by(col(ProposalRow.id))
    for row in (await session.exec(query)).all():
        await refresh_card(db, session, row)
