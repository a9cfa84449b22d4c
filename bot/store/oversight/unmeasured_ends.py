"""Groups whose alerts ended with the series of their service: a process that is gone reports no errors, and is not well."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.config import Config
from bot.core.incident import GroupState
from bot.core.text.moments import clock_to_the_minute
from bot.core.timeline import EntryKind
from bot.store import timeline
from bot.store.alerts import groups
from bot.store.approvals import transitions
from bot.store.db.database import Database
from bot.store.oversight.unconfirmed_ends import EVALUATED_BY_PROMETHEUS
from bot.store.tables import EpisodeRow, GroupRow

ENDED_TOGETHER = timedelta(minutes=5)
"""Alerts of one outage end within so long of each other: rules look back over windows of their own."""


class EndedAlert(NamedTuple):
    """The last alert to end of one service of a group."""

    group: int
    cleared_at: datetime
    service: str
    labels: dict[str, str]
    fired_at: datetime


class UnmeasuredEnds:
    """Finds such groups, marks them, and takes the marks back."""

    def __init__(self, db: Database, config: Config) -> None:
        self.db, self.config = db, config

    async def lately_ended(self, since: datetime) -> list[EndedAlert]:
        """Of each unmarked group that cleared since a moment, one alert of each service that ended last."""
        row = GroupRow
        cleared = row.state == GroupState.MONITORING, col(row.unconfirmed_at).is_(None), col(row.cleared_at) >= since
        return await self._ended(*cleared)

    async def marked(self) -> list[EndedAlert]:
        """Of each marked group the alert of the service that is not measured; what fires again or is resolved is unmarked."""
        async with self.db.write() as session:
            over = select(GroupRow).where(GroupRow.unmeasured != "", GroupRow.state != GroupState.MONITORING)
            for group in (await session.exec(over.with_for_update())).all():
                group.unmeasured, group.unconfirmed_at = "", None
                await groups.touch_card(self.db, session, group)
        return await self._ended(GroupRow.state == GroupState.MONITORING, GroupRow.unmeasured == EpisodeRow.service)

    async def _ended(self, *groups_that: object) -> list[EndedAlert]:
        sources = [name for name, source in self.config.sources.items() if source.kind in EVALUATED_BY_PROMETHEUS]
        row, group = EpisodeRow, GroupRow
        query = (
            select(group.id, group.cleared_at, row.service, row.labels, row.starts_at, row.ended_at)  # type: ignore[call-overload]
            .join(group, col(group.id) == row.group_id)
            .where(*groups_that, col(row.source).in_(sources), row.service != "", col(row.ended_at).is_not(None))
            .order_by(col(row.ended_at))
        )
        async with self.db.read() as session:
            rows = (await session.exec(query)).all()
        return list(
            {
                (number, service): EndedAlert(number, cleared_at, service, labels, fired_at)
                for number, cleared_at, service, labels, fired_at, ended_at in rows
                if cleared_at and cleared_at - ended_at <= ENDED_TOGETHER
            }.values()
        )

    async def mark(self, ended: EndedAlert) -> None:
        """The card and the thread say that the service is no longer measured."""
        text = (
            f"{ended.service} is no longer measured: Prometheus has no series of it since its alerts ended. "
            "This is no all-clear: check by hand whether it runs."
        )
        await self._change(ended, ended.service, text, name="unmeasured")

    async def confirm(self, ended: EndedAlert, measured_since: datetime) -> None:
        """The service was measured for a while, and nothing fires."""
        text = f"{ended.service} is measured again since {clock_to_the_minute(measured_since)}, and nothing of this fires."
        await self._change(ended, "", text, name="measured")

    async def _change(self, ended: EndedAlert, unmeasured: str, text: str, *, name: str) -> None:
        async with self.db.write() as session:
            group = await self._unresolved(session, ended)
            if group is None or bool(group.unmeasured) is bool(unmeasured):
                return
            group.unmeasured, group.unconfirmed_at = unmeasured, self.db.clock() if unmeasured else None
            session.add(group)
            kind = EntryKind.SYSTEM
            await timeline.add(self.db, session, kind, text, group_id=group.id, incident_id=group.incident_id)
            await groups.add_line(self.db, session, group, f"{name}:{ended.cleared_at.isoformat()}", text)
            await groups.touch_card(self.db, session, group)
            await transitions.refresh_undecided(self.db, session, group.id)

    @staticmethod
    async def _unresolved(session: AsyncSession, ended: EndedAlert) -> GroupRow | None:
        """The group, locked, while it is cleared as it was when it was looked at."""
        group = await session.get(GroupRow, ended.group, with_for_update=True)
        same = group is not None and group.state == GroupState.MONITORING and group.cleared_at == ended.cleared_at
        return group if same else None
