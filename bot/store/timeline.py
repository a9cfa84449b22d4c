"""The timeline's rows: written in the transaction of what happened."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.text.untrusted import escape_controls
from bot.core.timeline import EntryKind, TimelineEntry
from bot.store.db.database import Database
from bot.store.tables import TimelineRow


async def add(
    db: Database,
    session: AsyncSession,
    kind: EntryKind,
    text: str,
    *,
    group_id: int | None = None,
    incident_id: int | None = None,
    who: str = "tocsin",
    at: datetime | None = None,
    evidence: Sequence[str] = (),
    link: str = "",
    key: str | None = None,
) -> None:
    """Add one entry. With a `key`, a second entry of the same key is not written."""
    if key and (await session.exec(select(TimelineRow.id).where(TimelineRow.key == key))).first() is not None:
        return
    session.add(
        TimelineRow(
            group_id=group_id,
            incident_id=incident_id,
            at=at or db.clock(),
            kind=kind,
            text=escape_controls(text)[:2000],
            who=who,
            evidence=list(evidence),
            link=link,
            key=key,
        )
    )


async def of(session: AsyncSession, *, group_id: int | None = None, incident_id: int | None = None) -> list[TimelineEntry]:
    """Entries of a group and its incident together, oldest first."""
    conditions = []
    if group_id is not None:
        conditions.append(col(TimelineRow.group_id) == group_id)
    if incident_id is not None:
        conditions.append(col(TimelineRow.incident_id) == incident_id)
    rows = (
        await session.exec(select(TimelineRow).where(or_(*conditions)).order_by(col(TimelineRow.at), col(TimelineRow.id)))
    ).all()
    return [_entry(row) for row in rows]


def _entry(row: TimelineRow) -> TimelineEntry:
    return TimelineEntry(
        id=f"T{row.id}",
        group=f"AL-{row.group_id}" if row.group_id else "",
        incident=f"INC-{row.incident_id}" if row.incident_id else "",
        at=row.at,
        kind=row.kind,
        text=row.text,
        who=row.who,
        evidence=tuple(row.evidence),
        link=row.link,
    )
