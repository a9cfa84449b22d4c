"""Groups whose alerts ended with the series of their service: a process that is gone reports no errors, and is not well."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlmodel import and_, col, func, or_, select
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
MAX_SERVICES = 20
"""Of a group, those whose alerts ended last: what takes all that is beyond a budget has thousands."""


class ClearedGroup(NamedTuple):
    """A group of which no alert fires."""

    number: int
    cleared_at: datetime
    unmeasured: str = ""
    """The service that is marked as not measured."""


class EndedAlert(NamedTuple):
    """The last alert to end of one service of a group."""

    group: int
    service: str
    labels: dict[str, str]
    fired_at: datetime
    ended_at: datetime


class UnmeasuredEnds:
    """Finds such groups, marks them, and takes the marks back."""

    def __init__(self, db: Database, config: Config) -> None:
        self.db, self.config = db, config

    async def lately_cleared(self, since: datetime, *, readable_since: datetime) -> list[ClearedGroup]:
        """The unmarked groups that cleared since a moment, the newest first.

        And those that cleared while Prometheus could not be read, once it can be `readable_since` a moment.
        """
        row = GroupRow
        cleared = and_(col(row.unconfirmed_at).is_(None), col(row.cleared_at) >= since)
        return await self._cleared(row.unmeasured == "", or_(cleared, col(row.readable_at) <= readable_since))

    async def marked(self) -> list[ClearedGroup]:
        """The marked groups; what fires again, or has no alert of that service any more, is unmarked.

        What somebody resolved stays marked: that it ended was not confirmed.
        """
        row = GroupRow
        of_service = select(EpisodeRow.id).where(EpisodeRow.group_id == row.id, EpisodeRow.service == row.unmeasured)
        unresolved = col(row.state).in_((GroupState.FIRING, GroupState.ACKNOWLEDGED, GroupState.MONITORING))
        over = unresolved, row.unmeasured != "", or_(row.state != GroupState.MONITORING, ~of_service.exists())
        async with self.db.read() as session:
            any_over = (await session.exec(select(row.id).where(*over).limit(1))).first() is not None
        if any_over:
            async with self.db.write() as session:
                rows = (await session.exec(select(row).where(*over).order_by(col(row.id)).with_for_update())).all()
                for group in rows:
                    group.unmeasured, group.unconfirmed_at = "", None
                await groups.touch_cards(self.db, session, rows)
        return await self._cleared(row.unmeasured != "")

    async def _cleared(self, *conditions: object) -> list[ClearedGroup]:
        row = GroupRow
        query = select(row.id, row.cleared_at, row.unmeasured).where(row.state == GroupState.MONITORING, *conditions)  # type: ignore[arg-type]
        async with self.db.read() as session:
            rows = (await session.exec(query.order_by(col(row.cleared_at).desc()))).all()
        return [ClearedGroup(number or 0, cleared_at, unmeasured) for number, cleared_at, unmeasured in rows if cleared_at]

    async def ended(self, cleared: Iterable[ClearedGroup]) -> Mapping[int, Sequence[EndedAlert]]:
        """By group, one alert of each service that ended with its last, and of the service that it is marked with."""
        unmeasured = {group.number: group.unmeasured for group in cleared}
        ends: dict[int, list[EndedAlert]] = {number: [] for number in unmeasured}
        for end in await self._last_ends(list(unmeasured)):
            of_group = ends[end.group]
            together = not of_group or of_group[0].ended_at - end.ended_at <= ENDED_TOGETHER
            if (together and len(of_group) < MAX_SERVICES) or end.service == unmeasured[end.group]:
                of_group.append(end)
        return ends

    async def _last_ends(self, numbers: Sequence[int]) -> list[EndedAlert]:
        """Of each service of these groups the alert that ended last; the last of all first."""
        sources = [name for name, source in self.config.sources.items() if source.kind in EVALUATED_BY_PROMETHEUS]
        row = EpisodeRow
        newest_first = col(row.ended_at).desc(), col(row.id).desc()
        place = func.row_number().over(partition_by=[col(row.group_id), col(row.service)], order_by=newest_first)
        of_groups = col(row.group_id).in_(numbers), col(row.source).in_(sources)
        ended = row.service != "", col(row.ended_at).is_not(None)
        places = select(row.id, place.label("place")).where(*of_groups, *ended).subquery()
        query = select(row).join(places, places.c.id == row.id).where(places.c.place == 1).order_by(*newest_first)
        async with self.db.read() as session:
            rows = (await session.exec(query)).all()
        return [
            EndedAlert(one.group_id, one.service, one.labels, one.starts_at, one.ended_at)
            for one in rows
            if one.group_id and one.ended_at
        ]

    async def mark(self, cleared: ClearedGroup, service: str) -> None:
        """The card and the thread say that the service is no longer measured."""
        text = (
            f"{service} is no longer measured: Prometheus has no series of it since its alerts ended. "
            "This is no all-clear: check by hand whether it runs."
        )
        await self._change(cleared, service, text, name=f"unmeasured:{service}")

    async def confirm(self, cleared: ClearedGroup, measured_since: datetime) -> None:
        """The services were measured for a while, and nothing fires."""
        since = clock_to_the_minute(measured_since)
        text = f"{cleared.unmeasured} is measured again since {since}, and no alert of this card fires."
        await self._change(cleared, "", text, name="measured")

    async def _change(self, cleared: ClearedGroup, unmeasured: str, text: str, *, name: str) -> None:
        async with self.db.write() as session:
            group = await self._unresolved(session, cleared)
            if group is None or group.unmeasured == unmeasured:
                return
            group.unmeasured, group.unconfirmed_at = unmeasured, self.db.clock() if unmeasured else None
            group.readable_at = None
            session.add(group)
            kind = EntryKind.SYSTEM
            await timeline.add(self.db, session, kind, text, group_id=group.id, incident_id=group.incident_id)
            await groups.add_line(self.db, session, group, f"{name}:{cleared.cleared_at.isoformat()}", text)
            await groups.touch_card(self.db, session, group)
            await transitions.refresh_undecided(self.db, session, group.id)

    @staticmethod
    async def _unresolved(session: AsyncSession, cleared: ClearedGroup) -> GroupRow | None:
        """The group, locked, while it is cleared as it was when it was looked at."""
        group = await session.get(GroupRow, cleared.number, with_for_update=True)
        same = group is not None and group.state == GroupState.MONITORING and group.cleared_at == cleared.cleared_at
        return group if same else None
