"""Groups whose alerts ended lately: whether that is an all-clear, or only nobody there to evaluate them."""

from datetime import datetime, timedelta

from sqlalchemy import or_
from sqlmodel import col, select

from bot.core.config import Config
from bot.core.incident import GroupState
from bot.core.text.moments import clock_to_the_minute
from bot.core.timeline import EntryKind
from bot.store import timeline
from bot.store.alerts import groups
from bot.store.approvals import transitions
from bot.store.db.database import Database
from bot.store.tables import EpisodeRow, GroupRow

LATELY = timedelta(minutes=2)
"""An end so fresh is checked: Alertmanager ends alerts some four minutes after Prometheus went, so it is away by then."""
EVALUATED_BY_PROMETHEUS = frozenset({"alertmanager", "vmalert"})
"""Kinds of source whose alerts the configured Prometheus evaluates."""


class UnconfirmedEnds:
    """Finds them, marks them, and takes the mark back."""

    def __init__(self, db: Database, config: Config) -> None:
        self.db, self.config = db, config

    async def unchecked(self) -> tuple[list[int], list[int]]:
        """Groups with alerts that Prometheus evaluates: those that cleared lately, and those marked until it can be checked."""
        lately = col(GroupRow.cleared_at) >= self.db.clock() - LATELY
        sources = [name for name, source in self.config.sources.items() if source.kind in EVALUATED_BY_PROMETHEUS]
        of_prometheus = select(EpisodeRow.group_id).where(col(EpisodeRow.source).in_(sources))
        query = select(GroupRow.id, GroupRow.unconfirmed_at).where(
            GroupRow.state == GroupState.MONITORING,
            or_(lately, col(GroupRow.unconfirmed_at).is_not(None)),
            col(GroupRow.id).in_(of_prometheus),
        )
        async with self.db.read() as session:
            rows = (await session.exec(query)).all()
        fresh = [number for number, unconfirmed_at in rows if number is not None and unconfirmed_at is None]
        return fresh, [number for number, unconfirmed_at in rows if number is not None and unconfirmed_at is not None]

    async def mark(self, number: int, why: str) -> None:
        """Its card and its thread say that nothing could be checked."""
        text = (
            f"No alert is reported any more, and Prometheus, which evaluates them, cannot be read ({why}). "
            "This is no all-clear: check by hand."
        )
        await self._change(number, self.db.clock(), text, name="unconfirmed")

    async def confirm(self, number: int, readable_since: datetime) -> None:
        """Prometheus could be read for a while, and nothing fires."""
        text = f"Prometheus can be read again since {clock_to_the_minute(readable_since)}, and nothing of this fires."
        await self._change(number, None, text, name="confirmed")

    async def _change(self, number: int, unconfirmed_at: datetime | None, text: str, *, name: str) -> None:
        async with self.db.write() as session:
            group = await session.get(GroupRow, number, with_for_update=True)
            if group is None or group.state != GroupState.MONITORING or group.cleared_at is None:
                return
            group.unconfirmed_at = unconfirmed_at
            session.add(group)
            kind = EntryKind.SYSTEM
            await timeline.add(self.db, session, kind, text, group_id=number, incident_id=group.incident_id)
            await groups.add_line(self.db, session, group, f"{name}:{group.cleared_at.isoformat()}", text)
            await groups.touch_card(self.db, session, group)
            await transitions.refresh_undecided(self.db, session, group.id)
