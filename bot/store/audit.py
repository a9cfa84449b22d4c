"""The audit: append-only rows in the transaction of the change, chained by a keyed hash."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.text.untrusted import escape_controls
from bot.store.db import locks
from bot.store.db.database import Database
from bot.store.tables import AuditRow

_GENESIS = "0" * 64
_END = "audit's end"


async def append(
    db: Database,
    session: AsyncSession,
    *,
    who: str,
    what: str,
    subject: str,
    before: str = "",
    after: str = "",
    reason: str = "",
    policy: str = "",
    message: str = "",
) -> None:
    """Write one row behind the last. `who` is a person key, "tocsin" or a Slack id; texts are escaped, never lines."""
    if not db.sqlite:
        await session.exec(locks.take(locks.AUDIT))  # type: ignore[call-overload]
    fields: dict[str, Any] = {
        "at": db.clock().astimezone(UTC),
        "who": who,
        "what": what,
        "subject": subject,
        "before": before,
        "after": after,
        "reason": escape_controls(reason),
        "policy": policy,
        "message": message,
    }
    prev = session.info.get(_END) or await _end(session)
    row = AuditRow(**fields, prev=prev, hash=chain_hash(db.audit_key, prev, fields))
    session.add(row)
    await session.flush()
    # Nobody else appends before this transaction has ended.
    session.info[_END] = row.hash


async def _end(session: AsyncSession) -> str:
    """The hash of the last row."""
    return (await session.exec(select(AuditRow.hash).order_by(col(AuditRow.seq).desc()).limit(1))).first() or _GENESIS


def chain_hash(key: bytes, prev: str, fields: Mapping[str, object]) -> str:
    """HMAC-SHA-256 over the row before and this row's fields in canonical JSON."""
    body = json.dumps({k: str(v) for k, v in fields.items()}, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hmac.new(key, (prev + body).encode(), hashlib.sha256).hexdigest()


def genuine(db: Database, row: AuditRow) -> bool:
    """Whether this row was written by whoever holds the audit key; its neighbours are not checked."""
    return hmac.compare_digest(row.hash, chain_hash(db.audit_key, row.prev, {name: getattr(row, name) for name in _FIELDS}))


async def verify(db: Database) -> int | None:
    """Walk the chain: None if it is whole, else the `seq` of the first row that does not fit."""
    prev = _GENESIS
    async with db.read() as session:
        for row in (await session.exec(select(AuditRow).order_by(col(AuditRow.seq)))).all():
            fields = {name: getattr(row, name) for name in _FIELDS}
            if row.prev != prev or row.hash != chain_hash(db.audit_key, prev, fields):
                return row.seq
            prev = row.hash
    return None


_FIELDS = ("at", "who", "what", "subject", "before", "after", "reason", "policy", "message")


async def after(db: Database, seq: int, limit: int = 500) -> list[AuditRow]:
    """Rows behind `seq`, oldest first."""
    async with db.read() as session:
        query = select(AuditRow).where(col(AuditRow.seq) > seq).order_by(col(AuditRow.seq)).limit(limit)
        return list((await session.exec(query)).all())
