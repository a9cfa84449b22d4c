"""The clock of this process held against what is stored: where it begins, and when one that jumped may be followed."""

from sqlalchemy import func
from sqlmodel import select

from bot.core.action import OPEN_STATES
from bot.store.db.clock import DatabaseClock, SteadyClock
from bot.store.db.database import Database
from bot.store.tables import AuditRow, ProposalRow


async def begin_time(db: Database) -> None:
    """On PostgreSQL the database's time, and nowhere a time before what is stored: a clock may have been set back since."""
    if not isinstance(db.clock, SteadyClock | DatabaseClock):
        return
    if not db.sqlite:
        async with db.write():
            pass  # Its clock is read with the turn to write.
    async with db.read() as session:
        for newest in (select(func.max(AuditRow.at)), select(func.max(ProposalRow.changed_at))):
            if (moment := (await session.exec(newest)).one()) is not None:
                db.clock.at_least(moment)


async def follow_clock(db: Database) -> None:
    """Follow a machine's clock that jumped forward, once no proposal waits that it would let begin or expire too early."""
    if not isinstance(db.clock, SteadyClock):
        return
    async with db.read() as session:
        query = select(ProposalRow.id).where(ProposalRow.state.in_([state.value for state in OPEN_STATES])).limit(1)  # type: ignore[attr-defined]
        if (await session.exec(query)).first() is None:
            db.clock.adopt()
