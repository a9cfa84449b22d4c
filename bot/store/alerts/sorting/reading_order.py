"""How far the inbox has read the stored alerts, and which come next: the many alerts of one source keep no other waiting."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select, and_, not_, union_all
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.alerts.sorting.repeats import Delivery, deliveries
from bot.store.tables import AlertRow, CursorRow

CURSOR = "inbox"
_AHEAD = f"{CURSOR}:"
"""Begins the names of the cursors of sources that were sorted further than the others."""
MANY = 0.25
"""A source with a larger share of what comes next than this has many alerts: the others go before it."""
SOURCES_A_QUERY = 100
"""SQLite takes at most 500 parts of one query."""


@dataclass(frozen=True, slots=True)
class Position:
    """All stored alerts up to `seq` are sorted, and of some sources those up to a later one."""

    seq: int = 0
    ahead: Mapping[str, int] = field(default_factory=dict)

    @property
    def unsorted(self) -> ColumnElement[bool]:
        """Which rows of `alerts` are not sorted."""
        sorted_ahead = (
            and_(col(AlertRow.source) == source, col(AlertRow.seq) <= seq) for source, seq in sorted(self.ahead.items())
        )
        return and_(col(AlertRow.seq) > self.seq, *map(not_, sorted_ahead))

    def of(self, source: str) -> int:
        """Up to which number the alerts of one source are sorted."""
        return max(self.seq, self.ahead.get(source, 0))


@dataclass(frozen=True, slots=True)
class Upcoming:
    """The next deliveries in the order in which they are sorted; `is_all`: nothing else was stored by then."""

    position: Position
    deliveries: Sequence[Delivery]
    is_all: bool
    out_of_order: Collection[str] = ()
    """Sources whose alerts come before older ones of the others."""

    def after(self, done: Sequence[Delivery]) -> Position:
        """The position once these, the first of them, are sorted."""
        seq, ahead = self.position.seq, dict(self.position.ahead)
        for delivery in done:
            if delivery.source in self.out_of_order:
                ahead[delivery.source] = delivery.seq
            else:
                seq = delivery.seq
        if self.is_all and len(done) == len(self.deliveries):
            seq = max(seq, *ahead.values(), 0)
        return Position(seq, {source: number for source, number in ahead.items() if number > seq})


async def upcoming(
    session: AsyncSession, position: Position, most: int, *, fair: bool, sources: Collection[str] = ()
) -> Upcoming:
    """At most so many deliveries; if `fair`, those of sources with few before those of sources with many.

    `sources`: all that may have sent anything. However much one of them sent, the others' alerts are found behind it.
    """
    waiting = await deliveries(session, position.unsorted, most)
    counts = Counter(delivery.source for delivery in waiting)
    many = {source for source, count in counts.items() if count > most * MANY}
    if not fair or not many or len(waiting) < most:
        return Upcoming(position, waiting, is_all=len(waiting) < most)
    few = [delivery for delivery in waiting if delivery.source not in many]
    behind = {source: max(waiting[-1].seq, position.of(source)) for source in {*sources, *position.ahead} - many}
    few += await _next_of_each(session, behind, max(1, most // 2 - len(few)))
    rest = [delivery for delivery in waiting if delivery.source in many][: max(1, most - len(few))]
    return Upcoming(position, [*few, *rest], is_all=False, out_of_order={delivery.source for delivery in few})


async def _next_of_each(session: AsyncSession, behind: Mapping[str, int], most: int) -> list[Delivery]:
    """The next alerts of these sources behind the number of each, in their order; at most so many in all."""
    numbers: list[int] = []
    names = sorted(behind)
    for start in range(0, len(names), SOURCES_A_QUERY):
        # Each part walks along its own piece of an index: what the flooding source sent is not even passed over.
        parts = [_numbers_of(name, behind[name], most) for name in names[start : start + SOURCES_A_QUERY]]
        numbers += [number for (number,) in (await session.exec(union_all(*parts))).all()]  # type: ignore[call-overload]
    return await deliveries(session, col(AlertRow.seq).in_(sorted(numbers)[:most]), most) if numbers else []


def _numbers_of(source: str, behind: int, most: int) -> Select[tuple[int | None]]:
    query = select(AlertRow.seq).where(AlertRow.source == source, col(AlertRow.seq) > behind)
    first = query.order_by(col(AlertRow.seq)).limit(most).subquery()
    return sa.select(first.c.seq)


class Cursors:
    """The rows of `cursors` that hold the inbox's position, locked: on PostgreSQL one replica reads at a time."""

    def __init__(self, rows: Mapping[str, CursorRow]) -> None:
        self._rows = dict(rows)

    @classmethod
    async def locked(cls, session: AsyncSession) -> "Cursors":
        """Lock them; the first one is made if it is missing."""
        query = select(CursorRow).where((col(CursorRow.name) == CURSOR) | col(CursorRow.name).startswith(_AHEAD))
        rows = {row.name: row for row in (await session.exec(query.order_by(CursorRow.name).with_for_update())).all()}
        if CURSOR not in rows:
            rows[CURSOR] = CursorRow(name=CURSOR)
            session.add(rows[CURSOR])
            await session.flush()
        return cls(rows)

    @property
    def position(self) -> Position:
        """What they say."""
        ahead = {name.removeprefix(_AHEAD): row.seq for name, row in self._rows.items() if name != CURSOR}
        return Position(self._rows[CURSOR].seq, ahead)

    async def move(self, session: AsyncSession, position: Position) -> None:
        """Write a new position, in the transaction of what was sorted."""
        numbers = {CURSOR: position.seq, **{f"{_AHEAD}{source}": seq for source, seq in position.ahead.items()}}
        for name, seq in numbers.items():
            row = self._rows.setdefault(name, CursorRow(name=name))
            row.seq = seq
            session.add(row)
        for name in self._rows.keys() - numbers.keys():
            await session.delete(self._rows.pop(name))
