"""Private incidents: read by the members of their channel alone, with the group that holds their evidence."""

from collections.abc import Collection
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import NotFound
from bot.core.incident import number_of
from bot.core.timeline import EntryKind
from bot.store import audit, messages, timeline
from bot.store.alerts.groups import touch_card
from bot.store.db.database import Database
from bot.store.tables import GroupRow, IncidentRow, ProposalRow


async def set_private(db: Database, ref: str, by: str, *, private: bool) -> bool:
    """Make `INC-n` private or not; False if it was so already. Raises NotFound."""
    async with db.write() as session:
        incident = await session.get(IncidentRow, number_of(ref, "INC") or 0, with_for_update=True)
        if incident is None:
            raise NotFound(f"There is no {ref}.")
        if incident.private is private:
            return False
        group = await session.get(GroupRow, incident.group_id, with_for_update=True) if incident.group_id else None
        before, after = _word(incident.private), _word(private)
        incident.private, incident.rev = private, incident.rev + 1
        session.add(incident)
        await audit.append(db, session, who=by, what="private", subject=ref, before=before, after=after)
        text, group_id = f"{by} made {ref} {after}", group.id if group else None
        await timeline.add(db, session, EntryKind.INCIDENT, text, who=by, group_id=group_id, incident_id=incident.id)
        if group is not None:
            group.private = private
            await touch_card(db, session, group)
        await messages.refresh(db, session, f"card:{ref}")
        return True


async def private_refs(session: AsyncSession, refs: Collection[str]) -> set[str]:
    """Which of these references are to private groups and incidents, or to proposals of them."""
    groups = select(GroupRow.id, GroupRow.incident_id).where(col(GroupRow.private).is_(True))
    incidents = select(IncidentRow.group_id, IncidentRow.id).where(col(IncidentRow.private).is_(True))
    pairs = [*(await session.exec(groups)).all(), *(await session.exec(incidents)).all()]
    of_groups, of_incidents = {group for group, _ in pairs if group}, {incident for _, incident in pairs if incident}
    numbers = [number for ref in refs if (number := number_of(ref, "AP")) is not None]
    belonging: Any = select(ProposalRow.id, ProposalRow.group_id, ProposalRow.incident_id).where(
        col(ProposalRow.id).in_(numbers)
    )
    proposals = (await session.exec(belonging)).all() if pairs and numbers else ()
    private = {f"AP-{id}" for id, group, incident in proposals if group in of_groups or incident in of_incidents}
    private |= {f"AL-{number}" for number in of_groups} | {f"INC-{number}" for number in of_incidents}
    return private.intersection(refs)


def _word(private: bool) -> str:
    return "private" if private else "readable by everybody who reads its channel"
