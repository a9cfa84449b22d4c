"""The causes that people confirm: asked for once at the close of an incident, stored with their author; the newest counts."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.history.past_incidents import ConfirmedCause
from bot.core.incident import number_of
from bot.core.messages.content import MessageKind
from bot.core.redaction.redaction import redact
from bot.core.timeline import EntryKind
from bot.store import audit, messages, timeline
from bot.store.approvals import transitions
from bot.store.db.database import Database
from bot.store.tables import CauseRow, GroupRow, IncidentRow

MAX_TEXT = 500


def question_key(incident: int) -> str:
    """The key of the message that asks."""
    return f"cause:INC-{incident}"


async def store(db: Database, session: AsyncSession, incident: IncidentRow, cause: ConfirmedCause) -> None:
    """Store a confirmed cause in the caller's transaction, with timeline, audit, and the question shown as answered."""
    cause = cause.model_copy(update={"text": redact(cause.text)[:MAX_TEXT]})
    before, incident.cause = incident.cause, cause.text
    session.add(incident)
    session.add(CauseRow(incident_id=incident.id or 0, **cause.model_dump()))
    text = f"{cause.confirmed_by} confirmed the cause: {cause.text}"
    group_id, incident_id = incident.group_id, incident.id
    await timeline.add(
        db, session, EntryKind.INCIDENT, text, who=cause.confirmed_by, group_id=group_id, incident_id=incident_id
    )
    ref = f"INC-{incident.id}"
    await audit.append(db, session, who=cause.confirmed_by, what="cause", subject=ref, before=before, after=cause.text)
    await messages.refresh(db, session, question_key(incident.id or 0))


async def ask_for_cause(db: Database, session: AsyncSession, incident: IncidentRow) -> None:
    """Ask for the cause in the thread, once: a second close edits the message that stands there already."""
    channel, thread = await transitions.thread_of(session, incident.group_id, incident.id)
    key, ref = question_key(incident.id or 0), f"INC-{incident.id}"
    await messages.touch(db, session, key, channel=channel, kind=MessageKind.CAUSE, subject=ref, thread_key=thread)


async def confirm(db: Database, ref: str, cause: ConfirmedCause) -> bool:
    """Store a confirmed cause of `INC-n` and show it; False if there is no such incident."""
    async with db.write() as session:
        incident = await session.get(IncidentRow, number_of(ref, "INC") or 0)
        if incident is None:
            return False
        # Marked before the audit's row, as everywhere: two orders would deadlock on PostgreSQL.
        await transitions.mark_human_activity(db, session, incident.group_id, incident.id)
        await session.refresh(incident)
        await store(db, session, incident, cause)
        incident.rev += 1
        await messages.refresh(db, session, f"card:{ref}")
        if incident.group_id and (group := await session.get(GroupRow, incident.group_id)) is not None:
            await messages.refresh(db, session, group.on_storm_card or f"card:AL-{group.id}")
        return True


async def newest(session: AsyncSession, incident_ids: Iterable[int]) -> dict[int, ConfirmedCause]:
    """The newest confirmed cause of each of these incidents; those without one are missing."""
    last = select(func.max(CauseRow.id)).where(col(CauseRow.incident_id).in_(list(incident_ids)))
    rows = (await session.exec(select(CauseRow).where(col(CauseRow.id).in_(last.group_by(col(CauseRow.incident_id)))))).all()
    return {row.incident_id: _noun(row) for row in rows}


def _noun(row: CauseRow) -> ConfirmedCause:
    values: dict[str, Any] = row.model_dump(exclude={"id", "incident_id"})
    return ConfirmedCause.model_validate(values)
