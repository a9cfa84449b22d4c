"""Groups that people resolved while alerts fired: a while later those whose alerts are not over are open again.

What repeats an alert shows that by itself (`SortingBatch._fires_on`); most sources repeat it after hours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alerts.renewal import COMES_BACK_AFTER
from bot.core.config import Config
from bot.core.incident import GroupState, number_of
from bot.core.service import Catalogue
from bot.store.alerts.sorting.reading_order import Cursors
from bot.store.alerts.sorting.sorter import Sorter
from bot.store.db.database import Database
from bot.store.tables import AlertRow, EpisodeRow, GroupRow

LISTENS_FIRST = timedelta(minutes=5)
"""After a start nothing is judged for so long: ends that a source could not deliver before are sent again meanwhile."""
GIVES_UP_AFTER = timedelta(days=1)
"""So long after the resolve nothing is looked at any more: an end may be lost, and a mute may last for ever."""
MAX_GROUPS, MAX_ALERTS = 20, 50
"""That one round looks at; of a group's alerts the worst."""
EXAMINED = 5_000
"""Newest deliveries of a source that tell whether it reports ends."""


@dataclass(frozen=True)
class UnendedAlert:
    """An alert of a resolved group whose end was not reported."""

    episode: int
    source: str
    name: str
    labels: Mapping[str, str]
    first_seen_at: datetime
    source_reports_ends: bool
    delivered_since: bool = True
    """Whether its source delivered it since the group was last opened again."""

    @property
    def missing_end_counts(self) -> bool:
        """Whether it fires on as long as no end is reported. An end may be lost: then it opens its group once."""
        return self.source_reports_ends and self.delivered_since


@dataclass(frozen=True)
class EarlyResolve:
    """A group that is due, with its alerts, the worst first."""

    group: int
    alerts: Sequence[UnendedAlert]


class EarlyResolves:
    """Finds them, and opens them again. Each resolve is judged until one look decides."""

    def __init__(self, db: Database, config: Config, catalogue: Catalogue) -> None:
        self.db, self.config, self.catalogue = db, config, catalogue
        self.since = db.clock()

    async def due(self) -> list[EarlyResolve]:
        """Those to be looked at now."""
        now = self.db.clock()
        if now - self.since < LISTENS_FIRST:
            return []
        is_due = col(GroupRow.recheck_at) <= now, GroupRow.state == GroupState.RESOLVED
        async with self.db.read() as session:
            query = select(GroupRow.id).where(*is_due).order_by(col(GroupRow.recheck_at)).limit(MAX_GROUPS)
            numbers = [number or 0 for number in (await session.exec(query)).all()]
            return [EarlyResolve(number, await _firing(session, number)) for number in numbers]

    async def judge(self, number: int, findings: Mapping[int, str], *, undecided: bool) -> None:
        """Open a group again for the first of these alerts that fires and is not muted.

        `findings`: what is known of each, by the number of its episode. What is muted by now, or `undecided`, is looked at
        again later.
        """
        async with self.db.write() as session:
            cursors, now = await Cursors.locked(session), self.db.clock()
            ends = select(AlertRow.seq).where(cursors.position.unsorted, AlertRow.status == "resolved").limit(1)
            if (await session.exec(ends)).first() is not None:
                # Perhaps of these alerts: the next round looks once they are sorted.
                return
            group = await session.get(GroupRow, number, with_for_update=True)
            if group is None or group.state != GroupState.RESOLVED or group.recheck_at is None or group.recheck_at > now:
                return
            again = (findings or undecided) and now - (group.cleared_at or now) < GIVES_UP_AFTER
            group.recheck_at = now + COMES_BACK_AFTER if again else None
            session.add(group)
            if findings:
                await Sorter(self.db, self.config, self.catalogue).open_again(session, group, findings)


async def missing_ends_count(db: Database, group_ref: str) -> bool:
    """Whether of every alert of a group that fires a missing end says that it fires on."""
    async with db.read() as session:
        alerts = await _firing(session, number_of(group_ref, "AL") or 0)
    return bool(alerts) and all(alert.missing_end_counts for alert in alerts)


async def _firing(session: AsyncSession, number: int) -> list[UnendedAlert]:
    row = EpisodeRow
    query = select(row).where(row.group_id == number, row.status == "firing").order_by(row.severity, col(row.starts_at))
    rows = (await session.exec(query.limit(MAX_ALERTS))).all()
    reporting = {source: await _reports_ends(session, source) for source in {one.source for one in rows}}
    opened_again_at = (await session.exec(select(GroupRow.opened_again_at).where(GroupRow.id == number))).first()
    return [
        UnendedAlert(
            episode=one.id or 0,
            source=one.source,
            name=one.name,
            labels=one.labels,
            first_seen_at=one.first_seen_at,
            source_reports_ends=reporting[one.source],
            delivered_since=opened_again_at is None or one.last_seen_at >= opened_again_at,
        )
        for one in rows
    ]


async def _reports_ends(session: AsyncSession, source: str) -> bool:
    newest = select(AlertRow.status).where(AlertRow.source == source).order_by(col(AlertRow.seq).desc()).limit(EXAMINED)
    statuses = newest.subquery()
    query = sa.select(statuses.c.status).where(statuses.c.status == "resolved").limit(1)
    return (await session.exec(query)).first() is not None  # type: ignore[call-overload]
