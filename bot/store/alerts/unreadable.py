"""Bodies that could not be read, kept for whoever set up the sender: the newest thousand, each up to 128 KiB."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import NotFound
from bot.store.tables import UnreadableRow

MOST_KEPT = 1_000
"""A sender that is set up wrongly goes on for days; its newest bodies tell as much as all of them."""
LONGEST_BODY = 128 * 1024


async def keep(session: AsyncSession, source: str, body: bytes, problem: str, received_at: datetime) -> None:
    """Keep one more, and forget those before the newest thousand."""
    row = UnreadableRow(source=source, body=body[:LONGEST_BODY], problem=problem[:500], received_at=received_at)
    session.add(row)
    await session.flush()
    assert row.id is not None
    await session.exec(delete(UnreadableRow).where(col(UnreadableRow.id) <= row.id - MOST_KEPT))


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
