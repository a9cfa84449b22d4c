"""The audit: append-only rows in the transaction of the change, chained by a keyed hash."""

import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from sqlalchemy import ColumnElement, bindparam, delete, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import NotFound
from bot.core.text.untrusted import escape_controls
from bot.store.db import locks
from bot.store.db.database import Database
from bot.store.tables import AuditRow

_GENESIS = "0" * 64
_END = "audit's end"
_ABOUT = "audit about subjects"
_OF_SUBJECTS = (
    select(AuditRow)
    .where(col(AuditRow.subject).in_(bindparam("subjects", expanding=True)), ~col(AuditRow.what).startswith("refused"))
    .order_by(col(AuditRow.seq))
)
POLICY_IN_FORCE = "policy in force"
"""The subject of a row that says which policy counts from then on."""
PRUNED = "audit pruned"
"""A row that says up to which row, and to which hash, the beginning was cut off."""
_CUT = 200
"""Rows that are cut off at a time: each cut adds one row."""
_PAGE = 1_000


@dataclass(frozen=True)
class Head:
    """The last row of the trail, and how many there are: whoever has it notices when the end is cut off or rewritten."""

    seq: int
    hash: str
    rows: int

    def __str__(self) -> str:
        return f"tocsin audit head {self.seq} {self.hash} {self.rows}"

    @classmethod
    def read(cls, text: str) -> Self:
        """A head as it was printed, whatever stands around it. Raises NotFound."""
        match = re.search(r"tocsin audit head ([0-9]{1,18}) ([0-9a-f]{64}) ([0-9]{1,18})", text[:4096])
        if match is None:
            raise NotFound("This is no head of the audit: it reads `tocsin audit head NUMBER HASH ROWS`.")
        return cls(int(match[1]), match[2], int(match[3]))


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
    at: datetime | None = None,
) -> None:
    """Write one row behind the last. `who` is a person key, "tocsin" or a Slack id; texts are escaped, never lines.

    `at`: since when it holds, where that is another moment than now.
    """
    if not db.sqlite:
        await session.exec(locks.take(locks.AUDIT))  # type: ignore[call-overload]
    fields: dict[str, Any] = {
        "at": (at or db.clock()).astimezone(UTC),
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
    if subject in (by_subject := session.info.get(_ABOUT, {})):
        by_subject[subject].append(row)


async def about(session: AsyncSession, *subjects: str) -> list[AuditRow]:
    """Rows about these subjects, each one's oldest first, without refusals: those prove nothing, and a flood of them is long.

    A transaction reads them once, in one query, and has what it appends itself among them. Whether one is `genuine` is for
    whoever counts it to ask.
    """
    by_subject: dict[str, list[AuditRow]] = session.info.setdefault(_ABOUT, {})
    if missing := [subject for subject in subjects if subject not in by_subject]:
        rows = (await session.exec(_OF_SUBJECTS, params={"subjects": missing})).all()
        by_subject.update({subject: [] for subject in missing})
        for row in rows:
            by_subject[row.subject].append(row)
    return [row for subject in subjects for row in by_subject[subject]]


async def _end(session: AsyncSession) -> str:
    """The hash of the last row."""
    return (await session.exec(select(AuditRow.hash).order_by(col(AuditRow.seq).desc()).limit(1))).first() or _GENESIS


def chain_hash(key: bytes, prev: str, fields: Mapping[str, object]) -> str:
    """HMAC-SHA-256 over the row before and this row's fields in canonical JSON."""
    body = json.dumps({k: str(v) for k, v in fields.items()}, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hmac.new(key, (prev + body).encode(), hashlib.sha256).hexdigest()


def genuine(db: Database, row: AuditRow) -> bool:
    """Whether this row was written by whoever holds the audit key; its neighbours are not checked."""
    return hmac.compare_digest(row.hash, chain_hash(db.audit_key, row.prev, {name: getattr(row, name) for name in FIELDS}))


async def genuine_newest_first(db: Database, session: AsyncSession, *about: ColumnElement[bool] | bool) -> list[AuditRow]:
    """Rows that hold the key's hash, by the moment under it: where a row stands is not, and a copy may stand at the end."""
    query = select(AuditRow).where(*about).order_by(col(AuditRow.at).desc(), col(AuditRow.seq).desc())
    return [row for row in (await session.exec(query)).all() if genuine(db, row)]


async def verify(db: Database) -> int | None:
    """Walk the chain: None if it is whole, else the `seq` of the first row that does not fit.

    A trail whose beginning was pruned starts behind a row that is gone; a later row, in the chain, says so.
    """
    first: AuditRow | None = None
    prev, cuts = _GENESIS, {_GENESIS}
    async for row in _walk(db):
        if first is None:
            first, prev = row, row.prev
        if row.prev != prev or not genuine(db, row):
            return row.seq
        if row.what == PRUNED:
            cuts.add(row.after)
        prev = row.hash
    return first.seq if first is not None and first.prev not in cuts else None


async def head(db: Database) -> Head | None:
    """The head as it is now; None for an empty trail."""
    async with db.read() as session:
        last = (await session.exec(select(AuditRow).order_by(col(AuditRow.seq).desc()).limit(1))).first()
        rows = (await session.exec(select(func.count()).select_from(AuditRow))).one()
    return Head(last.seq or 0, last.hash, rows) if last else None


async def lacks(db: Database, head: Head) -> str:
    """What is missing of the trail that had this head, in words; "" if it goes back to it. The chain itself is `verify`'s."""
    async with db.read() as session:
        row = await session.get(AuditRow, head.seq)
        first, last = (await session.exec(select(func.min(AuditRow.seq), func.max(AuditRow.seq)))).one()
    if row is not None:
        same = hmac.compare_digest(row.hash, head.hash)
        return "" if same else f"row {head.seq} is another than the one whose head was put outside: the trail was rewritten"
    if last is None or last < head.seq:
        return f"the end of the audit was cut off: it ends at row {last or 0}, and had row {head.seq}"
    # Where the beginning was pruned, a later row of the chain says so, and `verify` looks for it.
    return "" if first is not None and head.seq < first else f"row {head.seq}, whose head was put outside, is gone"


async def lines(db: Database) -> list[str]:
    """Every row as JSON in plain ASCII, its values in the very form that its hash is over.

    What an attacker wrote reaches whoever looks into the file as `\\u....`, never as an escape sequence.
    """
    names = ("seq", *FIELDS, "prev", "hash")
    rows = [json.dumps({name: str(getattr(row, name)) for name in names}, ensure_ascii=True) async for row in _walk(db)]
    return [row.replace("\x7f", "\\u007f") for row in rows]  # the one control character that JSON leaves as it is


async def last_after(db: Database, kinds: Sequence[str]) -> str:
    """What the newest row of these kinds led to; "" if there is none."""
    query = select(AuditRow.after).where(col(AuditRow.what).in_(kinds)).order_by(col(AuditRow.seq).desc()).limit(1)
    async with db.read() as session:
        return (await session.exec(query)).first() or ""


async def _walk(db: Database) -> AsyncIterator[AuditRow]:
    seq = 0
    while page := await after(db, seq, _PAGE):
        for row in page:
            yield row
        seq = page[-1].seq or seq


async def prune(db: Database, before: datetime) -> int:
    """Cut off the oldest rows, all from before a moment, and note it in the chain; how many. Fewer than _CUT wait for more."""
    async with db.write() as session:
        if not db.sqlite:
            await session.exec(locks.take(locks.AUDIT))  # type: ignore[call-overload]
        oldest = (await session.exec(select(AuditRow).order_by(col(AuditRow.seq)).limit(_CUT + 1))).all()
        if len(oldest) <= _CUT or max(row.at for row in oldest[:_CUT]) >= before:
            return 0
        last = oldest[_CUT - 1]
        in_force = next(iter(await genuine_newest_first(db, session, col(AuditRow.subject) == POLICY_IN_FORCE)), None)
        await session.exec(delete(AuditRow).where(col(AuditRow.seq) <= last.seq))
        await append(db, session, who="tocsin", what=PRUNED, subject="audit", before=f"row {last.seq}", after=last.hash)
        if in_force is not None and (in_force.seq or 0) <= (last.seq or 0):
            # It holds until the next one, so it is written again, with the moment since when it does.
            await append(db, session, **{name: getattr(in_force, name) for name in FIELDS})
    return _CUT


FIELDS = ("at", "who", "what", "subject", "before", "after", "reason", "policy", "message")


async def after(db: Database, seq: int, limit: int = 500) -> list[AuditRow]:
    """Rows behind `seq`, oldest first."""
    async with db.read() as session:
        query = select(AuditRow).where(col(AuditRow.seq) > seq).order_by(col(AuditRow.seq)).limit(limit)
        return list((await session.exec(query)).all())
