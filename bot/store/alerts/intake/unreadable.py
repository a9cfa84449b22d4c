"""Bodies that could not be read, newest for whoever set up the sender: of each source the newest two hundred, 4 MiB of them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import NotFound
from bot.store.tables import UnreadableRow

MAX_ROWS = 200
"""A sender that is set up wrongly goes on for days; its newest bodies tell as much as all of them."""
MAX_BYTES = 4 << 20
LONGEST_BODY = 128 * 1024


async def keep(session: AsyncSession, source: str, body: bytes, problem: str, received_at: datetime) -> None:
    """Keep one more, and forget the source's oldest beyond what one source may keep."""
    row = UnreadableRow(source=source, body=body[:LONGEST_BODY], problem=problem[:500], received_at=received_at)
    session.add(row)
    await session.flush()
    newest_first = col(UnreadableRow.id).desc()
    ranked = (
        select(
            UnreadableRow.id,
            func.row_number().over(order_by=newest_first).label("place"),
            func.sum(func.length(UnreadableRow.body)).over(order_by=newest_first).label("bytes"),
        )
        .where(UnreadableRow.source == source)
        .subquery()
    )
    over = select(ranked.c.id).where(or_(ranked.c.place > MAX_ROWS, ranked.c.bytes > MAX_BYTES))
    await session.exec(delete(UnreadableRow).where(col(UnreadableRow.id).in_(over)))


async def newest(session: AsyncSession, source: str = "", limit: int = 20) -> Sequence[UnreadableRow]:
    """The newest first; of one source, if it is named."""
    query = select(UnreadableRow).order_by(col(UnreadableRow.id).desc()).limit(limit)
    return (await session.exec(query.where(UnreadableRow.source == source) if source else query)).all()


async def one(session: AsyncSession, number: int) -> UnreadableRow:
    """The body of this number. Raises NotFound."""
    row = await session.get(UnreadableRow, number)
    if row is None:
        raise NotFound(f"there is no body {number}; `tocsin source failed` lists what there is")
    return row
