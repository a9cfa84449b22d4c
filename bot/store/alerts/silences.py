"""Silences as rows: made, ended, and shown again what still fires when one is over."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.actor import Visibility
from bot.core.alert import Severity
from bot.core.alerts.muting import stored_for
from bot.core.alerts.silences import (
    MAX_PREVIEWED,
    PREVIEWED,
    NewSilence,
    PastAlert,
    Preview,
    Silence,
    matchable,
    matchers_text,
    preview,
)
from bot.core.errors import NotFound
from bot.core.incident import GroupState, number_of
from bot.core.text.moments import minute_of_day
from bot.core.text.untrusted import counted
from bot.core.timeline import EntryKind
from bot.store import audit, timeline
from bot.store.alerts import groups
from bot.store.db.database import Database
from bot.store.tables import EpisodeRow, GroupRow, SilenceRow

LISTED = timedelta(days=1)
"""For so long a silence that is over stands on the list."""


@dataclass(frozen=True)
class ListedSilence:
    """A silence as the list shows it; `muted` counts alerts."""

    silence: Silence
    proposal: str
    muted: int
    over: bool
    ended_by: str


class Silences:
    """Every method is one transaction."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def preview(
        self, matchers: Mapping[str, str], until: datetime, hidden: Callable[[PastAlert], bool] = lambda _: False
    ) -> Preview:
        """What a silence would have muted of the alerts that were first seen within the day before.

        What is `hidden` is counted and not named.
        """
        within = col(EpisodeRow.first_seen_at) > until - PREVIEWED, col(EpisodeRow.first_seen_at) <= until
        async with self.db.read() as session:
            compared = (await session.exec(select(func.count()).select_from(EpisodeRow).where(*within))).one()
            narrowed = [column == matchers[name] for name, column in _COLUMNS.items() if name in matchers]
            alerts = [alert async for alert in _past(session, *within, *narrowed)]
            sizes = await _sizes(session, {alert.group for alert in alerts if alert.group is not None})
        return preview(matchers, alerts, compared=compared, sizes=sizes, truncated=len(alerts) == MAX_PREVIEWED, hidden=hidden)

    async def create(self, new: NewSilence, key: str) -> str:
        """Put a silence in force; its reference. The same `key` again is the same silence."""
        async with self.db.write() as session:
            if existing := await _of_key(session, key):
                return _ref(existing)
            now = self.db.clock()
            row = SilenceRow(
                key=key,
                matchers=dict(new.matchers),
                owner=new.owner,
                reason=new.reason,
                service=new.service,
                proposal=new.proposal,
                starts_at=now,
                ends_at=now + new.length,
            )
            session.add(row)
            await session.flush()
            what = f"{matchers_text(new.matchers)} until {row.ends_at.isoformat(timespec='seconds')}"
            await audit.append(
                self.db, session, who=new.owner, what="silence", subject=_ref(row), after=what, reason=new.reason
            )
            await _take_over(self.db, session, row)
            return _ref(row)

    async def find(self, key: str) -> str:
        """The silence that this key made; "" if it made none."""
        async with self.db.read() as session:
            row = await _of_key(session, key)
            return _ref(row) if row else ""

    async def lasts(self, ref: str) -> bool:
        """Whether it is in force now."""
        async with self.db.read() as session:
            row = await session.get(SilenceRow, number_of(ref, "SI") or 0)
            return row is not None and row.ends_at > self.db.clock()

    async def end(self, ref: str, who: str) -> Silence:
        """End one before its time: what still fires is shown again. Raises NotFound."""
        async with self.db.write() as session:
            row = await session.get(SilenceRow, number_of(ref, "SI") or 0, with_for_update=True)
            if row is None:
                raise NotFound(f"There is no silence {ref[:20]}. The verb silence list shows those that there are.")
            if row.ends_at <= self.db.clock():
                raise NotFound(f"{_ref(row)} ended at {minute_of_day(row.ends_at, self.db.clock())}. Nothing was changed.")
            row.ends_at, row.ended_by = self.db.clock(), who
            session.add(row)
            await audit.append(self.db, session, who=who, what="silence ended", subject=_ref(row))
            return _silence(row)

    async def listed(self) -> list[ListedSilence]:
        """Those in force, the first to end first; then those that ended within a day."""
        now = self.db.clock()
        async with self.db.read() as session:
            query = select(SilenceRow).where(col(SilenceRow.ends_at) > now - LISTED).order_by(col(SilenceRow.ends_at))
            rows = (await session.exec(query)).all()
            counts = {row.id: await _muted(session, row) for row in rows}
        listed = [ListedSilence(_silence(row), row.proposal, counts[row.id], row.ends_at <= now, row.ended_by) for row in rows]
        return sorted(listed, key=lambda one: one.over)


# ---------------------------------------------------------------- for the sorter, in its transaction


async def in_force(session: AsyncSession, now: datetime) -> list[Silence]:
    """What mutes now."""
    query = select(SilenceRow).where(col(SilenceRow.ends_at) > now)
    return [_silence(row) for row in (await session.exec(query)).all()]


async def over(session: AsyncSession, now: datetime) -> Sequence[SilenceRow]:
    """Silences that ended, and of which what still fires was not shown again yet."""
    query = select(SilenceRow).where(col(SilenceRow.released).is_(False), col(SilenceRow.ends_at) <= now)
    return (await session.exec(query.order_by(col(SilenceRow.ends_at)))).all()


async def muted_by(session: AsyncSession, row: SilenceRow) -> Sequence[EpisodeRow]:
    """The alerts that still fire and are muted by this silence, in the order in which they came."""
    firing = EpisodeRow.status == "firing", _muted_by(row)
    return (await session.exec(select(EpisodeRow).where(*firing).order_by(col(EpisodeRow.id)))).all()


async def hand_back(db: Database, session: AsyncSession, row: SilenceRow) -> None:
    """A silence is over: cards that it acknowledged, and where something still fires, are nobody's again.

    One on which another silence covers all that fires is that one's: people who need longer make a second silence.
    """
    row.released = True
    session.add(row)
    acknowledged = select(GroupRow).where(GroupRow.state == GroupState.ACKNOWLEDGED, GroupRow.acknowledged_by == row.owner)
    for group in (await session.exec(acknowledged.where(GroupRow.acknowledged_at == row.starts_at))).all():
        if (other := await _covering(session, group, db.clock())) is not None:
            await _acknowledge(db, session, group, other)
            continue
        group.state, group.acknowledged_by, group.acknowledged_at = GroupState.FIRING, "", None
        group.unacknowledged_at = db.clock()
        fire = "1 alert still fires" if group.firing == 1 else f"{counted(group.firing, 'alert')} still fire"
        text = f"The silence {_ref(row)} is over, and {fire} here"
        await timeline.add(db, session, EntryKind.GROUP, text, group_id=group.id, incident_id=group.incident_id)
        await groups.add_line(db, session, group, f"silence:{row.id}", f"{text}. Nobody has acknowledged it.")
        await groups.touch_card(db, session, group)


# ---------------------------------------------------------------- rows

_COLUMNS = {"alertname": col(EpisodeRow.name), "service": col(EpisodeRow.service), "source": col(EpisodeRow.source)}
"""Where the conditions on these names can be left to the database."""
_CHUNK = 500


def _ref(row: SilenceRow) -> str:
    return f"SI-{row.id}"


def _silence(row: SilenceRow) -> Silence:
    return Silence(row.id or 0, row.matchers, row.owner, row.reason, row.ends_at)


async def _of_key(session: AsyncSession, key: str) -> SilenceRow | None:
    return (await session.exec(select(SilenceRow).where(SilenceRow.key == key))).first()


def _muted_by(row: SilenceRow) -> ColumnElement[bool]:
    return col(EpisodeRow.muted_by).startswith(stored_for(_ref(row)), autoescape=True)


async def _muted(session: AsyncSession, row: SilenceRow) -> int:
    since = col(EpisodeRow.last_seen_at) >= row.starts_at
    return (await session.exec(select(func.count()).select_from(EpisodeRow).where(since, _muted_by(row)))).one()


async def _past(session: AsyncSession, *conditions: ColumnElement[bool]) -> AsyncIterator[PastAlert]:
    row = EpisodeRow
    of_episode = (row.name, row.service, row.source, row.fingerprint, row.labels, row.severity, row.group_id)
    read: Any = (*of_episode, GroupRow.channel, GroupRow.private)
    joined: Any = sa.select(*read).outerjoin(GroupRow, col(GroupRow.id) == col(row.group_id))
    query: Any = joined.where(*conditions).order_by(col(row.id).desc()).limit(MAX_PREVIEWED)
    # In parts: whoever waits for the loop waits for one of them at most.
    async for part in (await session.stream(query)).partitions(_CHUNK):
        for name, service, source, fingerprint, labels, severity, group, channel, private in part:
            of = Visibility(channel, private) if channel is not None else None
            yield PastAlert(name, service, source, fingerprint, labels, Severity(severity), group, of)


async def _sizes(session: AsyncSession, numbers: Collection[int]) -> dict[int, int]:
    """How many alerts each of these groups has."""
    sizes: dict[int, int] = {}
    ordered = sorted(numbers)
    for start in range(0, len(ordered), _CHUNK):
        query = select(GroupRow.id, GroupRow.alerts).where(col(GroupRow.id).in_(ordered[start : start + _CHUNK]))
        sizes |= {number: alerts for number, alerts in (await session.exec(query)).all() if number is not None}
    return sizes


async def _covered(session: AsyncSession, silence: Silence, of: ColumnElement[bool]) -> list[int]:
    """Of these groups those on which something fires, and all that does is covered."""
    row, numbers = EpisodeRow, select(GroupRow.id).where(of)
    read: Any = (row.group_id, row.name, row.service, row.source, row.labels)
    query: Any = sa.select(*read).where(col(row.status) == "firing", col(row.group_id).in_(numbers))
    covered: dict[int, bool] = {}
    # In parts: a storm has a hundred thousand, and whoever waits for the loop waits for one part at most.
    async for part in (await session.stream(query)).partitions(_CHUNK):
        for group, name, service, source, labels in part:
            fits = silence.covers(matchable(labels, name=name, service=service, source=source))
            covered[group] = covered.get(group, True) and fits
    return sorted(group for group, entirely in covered.items() if entirely)


async def _take_over(db: Database, session: AsyncSession, row: SilenceRow) -> None:
    """Acknowledge for the owner the cards on which everything that fires is covered: somebody knows of them.

    What stands on a card stays there; a silence keeps away what comes.
    """
    for number in await _covered(session, _silence(row), col(GroupRow.state) == GroupState.FIRING):
        group = await session.get(GroupRow, number, with_for_update=True)
        if group is not None:
            await _acknowledge(db, session, group, row)


async def _covering(session: AsyncSession, group: GroupRow, now: datetime) -> SilenceRow | None:
    """The silence in force, the last to end, that covers everything that fires on a card."""
    query = select(SilenceRow).where(col(SilenceRow.ends_at) > now).order_by(col(SilenceRow.ends_at).desc())
    for row in (await session.exec(query)).all():
        if await _covered(session, _silence(row), col(GroupRow.id) == group.id):
            return row
    return None


async def _acknowledge(db: Database, session: AsyncSession, group: GroupRow, row: SilenceRow) -> None:
    """A card is its owner's for as long as a silence is in force."""
    group.state, group.acknowledged_by, group.acknowledged_at = GroupState.ACKNOWLEDGED, row.owner, row.starts_at
    text = f"{row.owner} silenced its alerts until {minute_of_day(row.ends_at, row.starts_at)} ({_ref(row)}): {row.reason}"
    await timeline.add(db, session, EntryKind.GROUP, text, group_id=group.id, incident_id=group.incident_id, who=row.owner)
    await groups.touch_card(db, session, group)
