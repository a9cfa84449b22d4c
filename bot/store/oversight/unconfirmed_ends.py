"""Open groups while nobody evaluates their alerts: that those end then is no recovery, and once that is known, they say so."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.config import Config
from bot.core.incident import READABLE_FOR, GroupState
from bot.core.messages.content import MessageKind
from bot.core.text.moments import clock, clock_to_the_minute
from bot.core.timeline import EntryKind
from bot.store import messages, timeline
from bot.store.alerts import groups
from bot.store.approvals import transitions
from bot.store.db.database import Database
from bot.store.tables import EpisodeRow, GroupRow

EVALUATED_BY_PROMETHEUS = frozenset({"alertmanager", "vmalert"})
"""Kinds of source whose alerts the configured Prometheus evaluates."""


class WatchedGroup(NamedTuple):
    """An unresolved group with alerts that Prometheus evaluates."""

    number: int
    state: GroupState
    cleared_at: datetime | None
    unconfirmed_at: datetime | None
    readable_at: datetime | None
    unmeasured: str = ""
    """See `AlertGroup.unmeasured`: whether Prometheus answers says nothing of that."""

    @property
    def monitoring(self) -> bool:
        """Whether none of its alerts is reported any more."""
        return self.state == GroupState.MONITORING


class UnconfirmedEnds:
    """Finds such groups, marks them, and takes the marks back."""

    def __init__(self, db: Database, config: Config) -> None:
        self.db, self.config = db, config

    async def watched(self) -> list[WatchedGroup]:
        """All of them."""
        sources = [name for name, source in self.config.sources.items() if source.kind in EVALUATED_BY_PROMETHEUS]
        of_prometheus = select(EpisodeRow.id).where(EpisodeRow.group_id == GroupRow.id, col(EpisodeRow.source).in_(sources))
        row = GroupRow
        query = select(row.id, row.state, row.cleared_at, row.unconfirmed_at, row.readable_at, row.unmeasured)  # type: ignore[call-overload]
        async with self.db.read() as session:
            rows = await session.exec(query.where(row.state != GroupState.RESOLVED, of_prometheus.exists()))
            return [WatchedGroup(*one) for one in rows.all()]

    async def mark(self, number: int, why: str) -> None:
        """The card and the thread of a group of which nothing is reported any more say that nothing could be checked."""
        text = (
            f"No alert is reported any more, and Prometheus, which evaluates them, cannot be read ({why}). "
            "This is no all-clear: check by hand."
        )
        await self._change(number, self.db.clock(), text, name="unconfirmed")

    async def confirm(self, number: int, readable_since: datetime) -> None:
        """Prometheus could be read for a while, and nothing fires."""
        text = f"Prometheus can be read again since {clock_to_the_minute(readable_since)}, and nothing of this fires."
        await self._change(number, None, text, name="confirmed")

    async def mark_unreadable(self, numbers: Iterable[int], since: datetime) -> None:
        """The cards of these groups say that Prometheus cannot be read; the threads too, where alerts fire."""
        text = f"Prometheus cannot be read since {clock(since)}: that alerts end says nothing now."
        async with self.db.write() as session:
            rows = await _rows(session, numbers)
            firing = [group for group in rows if group.state != GroupState.MONITORING]
            for group in rows:
                group.readable_at = None
            for group in firing:
                group.unconfirmed_at = since
            await groups.touch_cards(self.db, session, [group for group in rows if group not in firing])
            await self._announce(session, firing, f"unread:{since.isoformat()}", text)

    async def answers_again(self, marked: Iterable[WatchedGroup], since: datetime) -> None:
        """The cards of marked groups say that Prometheus can be read again; the threads too, where alerts fire."""
        text = (
            f"Prometheus answers again since {clock(since)}. That alerts end before {clock(since + READABLE_FOR)} is not "
            "believed yet: its rules wait before they fire."
        )
        async with self.db.write() as session:
            rows = await _rows(session, [one.number for one in marked])
            for group in rows:
                group.readable_at = since
            await groups.touch_cards(self.db, session, [group for group in rows if group.state == GroupState.MONITORING])
            firing = [group for group in rows if group.state != GroupState.MONITORING]
            await self._announce(session, firing, f"answers:{since.isoformat()}", text)

    async def unmark_firing(self, numbers: Iterable[int]) -> None:
        """What ends from now on has ended."""
        async with self.db.write() as session:
            rows = await _firing(session, numbers)
            for group in rows:
                group.unconfirmed_at = group.readable_at = None
            await groups.touch_cards(self.db, session, rows)

    async def _announce(self, session: AsyncSession, rows: Iterable[GroupRow], name: str, text: str) -> None:
        """The cards of these groups are shown anew, and each thread has the line once: groups of a storm share theirs."""
        kind, rows = EntryKind.SYSTEM, list(rows)
        threads = {group.on_storm_card or f"card:AL-{group.id}": group for group in rows}
        for group in rows:
            await timeline.add(self.db, session, kind, text, group_id=group.id, incident_id=group.incident_id)
        for thread, group in threads.items():
            line = MessageKind.LINE
            await messages.touch(
                self.db, session, f"line:{thread}:{name}", channel=group.channel, kind=line, subject=text, thread_key=thread
            )
        await groups.touch_cards(self.db, session, rows)

    async def _change(self, number: int, unconfirmed_at: datetime | None, text: str, *, name: str) -> None:
        async with self.db.write() as session:
            group = await session.get(GroupRow, number, with_for_update=True)
            if group is None or group.state != GroupState.MONITORING or group.cleared_at is None:
                return
            group.unconfirmed_at, group.readable_at = unconfirmed_at, None
            session.add(group)
            kind = EntryKind.SYSTEM
            await timeline.add(self.db, session, kind, text, group_id=number, incident_id=group.incident_id)
            await groups.add_line(self.db, session, group, f"{name}:{group.cleared_at.isoformat()}", text)
            await groups.touch_card(self.db, session, group)
            await transitions.refresh_undecided(self.db, session, group.id)


async def _rows(session: AsyncSession, numbers: Iterable[int]) -> list[GroupRow]:
    of_these = col(GroupRow.id).in_(list(numbers)), GroupRow.state != GroupState.RESOLVED
    query = select(GroupRow).where(*of_these).order_by(col(GroupRow.id)).with_for_update()
    return list((await session.exec(query)).all())


async def _firing(session: AsyncSession, numbers: Iterable[int]) -> list[GroupRow]:
    return [group for group in await _rows(session, numbers) if group.state != GroupState.MONITORING]
