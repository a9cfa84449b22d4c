"""What is learned of the topology, as rows: who calls whom as traces and metrics show it, and what alerted together."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alerts.ties.cascades import Cascade, Cascades
from bot.core.alerts.ties.topology import REMEMBERED, CallSource, LearnedCall, Topology, TopologyRead
from bot.core.service import Catalogue
from bot.store.db.database import Database
from bot.store.tables import CallReadRow, CallRow, CascadeRow

MAX_CALLS = 5_000
"""Calls of one read, and of all that are kept in memory."""
MAX_CASCADES = 50_000
_CHUNK = 400


class LearnedTopology:
    """Every method is one transaction."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def note_calls(self, source: CallSource, calls: Sequence[tuple[str, str]]) -> None:
        """Store what one read showed."""
        now = self.db.clock()
        async with self.db.write() as session:
            query = select(CallRow).where(CallRow.source == source)
            stored = {(row.caller, row.callee): row for row in (await session.exec(query)).all()}
            for caller, callee in dict.fromkeys(calls):
                row = stored.get((caller, callee))
                if row is None:
                    row = CallRow(source=source, caller=caller, callee=callee, reads=0, first_seen_at=now, last_seen_at=now)
                row.reads, row.last_seen_at = row.reads + 1, now
                session.add(row)
            await session.merge(CallReadRow(source=source, at=now, calls=len(calls)))

    async def note_failure(self, source: CallSource, problem: str) -> None:
        """Store that a read failed: what was learned before stands, and is older than it should be."""
        async with self.db.write() as session:
            await session.merge(CallReadRow(source=source, at=self.db.clock(), calls=0, problem=problem))

    async def of(self, service: str, catalogue: Catalogue) -> Topology:
        """Everything that ties one service, or a machine, to others."""
        async with self.db.read() as session:
            about = (col(CallRow.caller) == service) | (col(CallRow.callee) == service)
            recent = col(CallRow.last_seen_at) >= self.db.clock() - REMEMBERED
            calls = (await session.exec(select(CallRow).where(about, recent).order_by(CallRow.caller, CallRow.callee))).all()
            together = (col(CascadeRow.service) == service) | (col(CascadeRow.place) == service)
            query = select(CascadeRow).where(together).order_by(col(CascadeRow.count).desc(), CascadeRow.place)
            cascades = (await session.exec(query)).all()
            reads = (await session.exec(select(CallReadRow).order_by(CallReadRow.source))).all()
        return Topology(
            service,
            catalogue,
            [_call(row) for row in calls],
            [_cascade(row) for row in cascades],
            [TopologyRead(CallSource(row.source), row.at, row.calls, row.problem) for row in reads],
        )


# ---------------------------------------------------------------- for grouping, in its transaction


async def learned_calls(session: AsyncSession, now: datetime) -> list[LearnedCall]:
    """The calls that were seen lately."""
    recent = select(CallRow).where(col(CallRow.last_seen_at) >= now - REMEMBERED)
    return [_call(row) for row in (await session.exec(recent.order_by(col(CallRow.id)).limit(MAX_CALLS))).all()]


async def saved_cascades(session: AsyncSession) -> list[Cascade]:
    """What alerted together before."""
    return [_cascade(row) for row in (await session.exec(select(CascadeRow))).all()]


async def save_cascades(session: AsyncSession, cascades: Cascades) -> None:
    """Replace what is stored of the places about which more is known now."""
    places = sorted(cascades.unsaved)
    for start in range(0, len(places), _CHUNK):
        await session.exec(delete(CascadeRow).where(col(CascadeRow.place).in_(places[start : start + _CHUNK])))
    rows = _rows(cascades.worth_saving())
    session.add_all(rows)
    await session.flush()
    if rows:
        # Places come and go (pods, hosts): what was saved longest ago makes room.
        await session.exec(delete(CascadeRow).where(col(CascadeRow.id) <= (rows[-1].id or 0) - MAX_CASCADES))
    cascades.unsaved.clear()


def _rows(cascades: Iterable[Cascade]) -> list[CascadeRow]:
    return [CascadeRow(place=one.place, service=one.service, count=one.count, times=one.times) for one in cascades]


def _call(row: CallRow) -> LearnedCall:
    return LearnedCall(CallSource(row.source), row.caller, row.callee, row.reads, row.last_seen_at)


def _cascade(row: CascadeRow) -> Cascade:
    return Cascade(row.place, row.service, row.count, row.times)
