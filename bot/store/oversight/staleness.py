"""Marks firing alerts that their source has not repeated for long, and takes the mark back when it repeats them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alerts.staleness import FiredFor, repeats_what_fires, stale_after
from bot.core.config import Config
from bot.core.incident import GroupState
from bot.core.text.durations import elapsed_text
from bot.core.text.moments import minute_of_day
from bot.core.text.untrusted import counted
from bot.core.timeline import EntryKind
from bot.store import timeline
from bot.store.alerts import groups
from bot.store.db.database import Database
from bot.store.tables import EpisodeRow, GroupRow, SourceRow

JUDGED = 500
"""Alerts of a source, the newest, by which it is judged whether it repeats what fires."""


class Staleness:
    """`await staleness()` is one round. Nothing that happened before the start of this process is held against a source."""

    def __init__(self, db: Database, config: Config) -> None:
        self.db, self.config = db, config
        self.since = db.clock()

    async def __call__(self) -> None:
        limits = await self._limits()
        async with self.db.read() as session:
            if not await _is_due(session, limits) and not await _differing(session):
                return
        async with self.db.write() as session:
            await _mark(session, limits, self.db.clock())
            for group, count in (await _differing(session)).items():
                await self._show(session, group, count)

    async def _limits(self) -> dict[str, datetime]:
        """Source -> before which moment what fires should have been repeated; only those of which that is known."""
        now, limits = self.db.clock(), {}
        async with self.db.read() as session:
            for row in (await session.exec(select(SourceRow))).all():
                interval = await self._interval(session, row)
                if interval is not None and now - stale_after(interval) > self.since:
                    limits[row.name] = now - stale_after(interval)
        return limits

    async def _interval(self, session: AsyncSession, row: SourceRow) -> timedelta | None:
        configured = self.config.sources.get(row.name)
        if configured is None or configured.repeat_every is not None:
            return configured.repeat_every if configured else None
        interval = row.interval.learned
        return interval if interval and repeats_what_fires(await _fired(session, row, self.db.clock()), interval) else None

    async def _show(self, session: AsyncSession, number: int, count: int) -> None:
        """The card and the thread of a group say so."""
        group = await session.get(GroupRow, number, with_for_update=True)
        if group is None:
            return
        before, group.stale = group.stale, count
        session.add(group)
        if count > before:
            text = await _text(session, group, self.db.clock())
            await timeline.add(self.db, session, EntryKind.SYSTEM, text, group_id=number, incident_id=group.incident_id)
            await groups.add_line(self.db, session, group, f"stale:{self.db.clock().isoformat()}", text)
        await groups.touch_card(self.db, session, group)


def _due(limits: Mapping[str, datetime]) -> list[ColumnElement[bool]]:
    row = EpisodeRow
    firing = (col(row.status) == "firing") & col(row.stale_at).is_(None)
    return [firing & (col(row.source) == source) & (col(row.last_seen_at) < limit) for source, limit in limits.items()]


async def _is_due(session: AsyncSession, limits: Mapping[str, datetime]) -> bool:
    for condition in _due(limits):
        if (await session.exec(select(EpisodeRow.id).where(condition).limit(1))).first() is not None:
            return True
    return False


async def _mark(session: AsyncSession, limits: Mapping[str, datetime], now: datetime) -> None:
    for condition in _due(limits):
        await session.exec(update(EpisodeRow).where(condition).values(stale_at=now))
    repeated = col(EpisodeRow.stale_at).is_not(None), col(EpisodeRow.last_seen_at) > col(EpisodeRow.stale_at)
    await session.exec(update(EpisodeRow).where(*repeated).values(stale_at=None))


async def _differing(session: AsyncSession) -> dict[int, int]:
    """Open groups whose count of stale alerts is another than the stored one."""
    row = EpisodeRow
    stale = col(row.status) == "firing", col(row.stale_at).is_not(None), col(row.last_seen_at) <= col(row.stale_at)
    counted_now = select(row.group_id, func.count()).where(*stale, col(row.group_id).is_not(None)).group_by(col(row.group_id))
    now: Counter[int] = Counter({number: count for number, count in (await session.exec(counted_now)).all() if number})
    concerned = col(GroupRow.id).in_(list(now)) | (col(GroupRow.stale) > 0)
    open_groups = select(GroupRow.id, GroupRow.stale).where(GroupRow.state != GroupState.RESOLVED, concerned)
    stored = {number or 0: count for number, count in (await session.exec(open_groups)).all()}
    return {number: now[number] for number, count in stored.items() if now[number] != count}


async def _fired(session: AsyncSession, source: SourceRow, now: datetime) -> Sequence[FiredFor]:
    row = EpisodeRow
    query = select(row.first_seen_at, row.ended_at, row.repeats).where(row.source == source.name)
    rows = (await session.exec(query.order_by(col(row.id).desc()).limit(JUDGED))).all()
    return [FiredFor((ended or now) - first, repeats) for first, ended, repeats in rows]


async def _text(session: AsyncSession, group: GroupRow, now: datetime) -> str:
    row = EpisodeRow
    stale = row.group_id == group.id, row.status == "firing", col(row.stale_at).is_not(None)
    query = select(row.source, row.name, row.last_seen_at).where(*stale).order_by(col(row.last_seen_at)).limit(1)
    source, name, last_seen_at = (await session.exec(query)).one()
    also = f" ({counted(group.stale, 'alert')} in all)" if group.stale > 1 else ""
    return (
        f"{source} has not repeated {name} since {minute_of_day(last_seen_at, now)}, {elapsed_text(now - last_seen_at)} ago"
        f"{also}. Whether it still fires is unknown: it counts as firing."
    )
