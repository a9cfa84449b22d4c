"""The audit's chain under another key: for a trail that was written with one that whoever holds the database can derive."""

import hashlib
import hmac

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import TocsinError
from bot.store import audit
from bot.store.audit import FIELDS, chain_hash
from bot.store.db.database import Database
from bot.store.tables import AuditRow

_PAGE = 1_000
REKEYED = "audit rekeyed"


class BrokenTrail(TocsinError):
    """A trail that was changed is not blessed with a new key."""


def key_of_address(address: str) -> bytes:
    """The key that earlier versions drew from the address of a PostgreSQL database where none was set."""
    return hashlib.sha256(b"tocsin audit " + address.encode()).digest()


async def ends_with(db: Database, key: bytes) -> bool:
    """Whether the newest row was written with this key."""
    async with db.read() as session:
        last = (await session.exec(select(AuditRow).order_by(col(AuditRow.seq).desc()).limit(1))).first()
    return last is not None and _fits(last, key)


async def rekey(db: Database, old: bytes) -> int:
    """Chain every row anew with the database's own key, all or nothing, and note it in a last row; how many there were.

    Raises BrokenTrail with the first row that neither key wrote, or that does not follow the one before.
    """
    async with db.write() as session:
        before = await audit.head(db)
        rows = await _rekeyed(session, (old, db.audit_key), db.audit_key)
        await audit.append(db, session, who="tocsin", what=REKEYED, subject="audit", before=str(before or ""))
    return rows


async def _rekeyed(session: AsyncSession, accepted: tuple[bytes, ...], key: bytes) -> int:
    seq, count, old_end, new_end = 0, 0, "", ""
    while rows := await _page(session, seq):
        for row in rows:
            if (old_end and row.prev != old_end) or not any(_fits(row, one) for one in accepted):
                raise BrokenTrail(f"row {row.seq} was changed, removed or written with a third key: nothing was done")
            old_end = row.hash
            row.prev = new_end or row.prev
            row.hash = new_end = chain_hash(key, row.prev, {name: getattr(row, name) for name in FIELDS})
            session.add(row)
        seq, count = rows[-1].seq or 0, count + len(rows)
        await session.flush()
        session.expunge_all()
    return count


async def _page(session: AsyncSession, seq: int) -> list[AuditRow]:
    query = select(AuditRow).where(col(AuditRow.seq) > seq).order_by(col(AuditRow.seq)).limit(_PAGE)
    return list((await session.exec(query)).all())


def _fits(row: AuditRow, key: bytes) -> bool:
    return hmac.compare_digest(row.hash, chain_hash(key, row.prev, {name: getattr(row, name) for name in FIELDS}))
