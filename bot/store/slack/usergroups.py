"""Copies of Slack's user groups, so that a restart while Slack is away still knows who is on call."""

import hashlib
import hmac
import json
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete

from bot.core.approvals.canonical_record import stamp
from bot.store.db.database import Database
from bot.store.tables import UsergroupRow

log = structlog.get_logger(__name__)
RENEW = timedelta(minutes=5)
"""A copy that says the same is written again only so often: every press reads its group."""


class Usergroups:
    """One sealed row a group. Rights are drawn from it, so whoever writes to the database must not be able to make one."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def save(self, group: str, members: frozenset[str], read_at: datetime) -> None:
        """Store what Slack answered at `read_at`; an older answer never replaces a newer one."""
        async with self.db.read() as session:
            if not _worth_writing(await session.get(UsergroupRow, group), members, read_at):
                return
        async with self.db.write() as session:
            row = await session.get(UsergroupRow, group)
            if not _worth_writing(row, members, read_at):
                return
            row = row or UsergroupRow(id=group, members=[], read_at=read_at, seal="")
            row.members, row.read_at = sorted(members), read_at
            row.seal = self._seal(row)
            session.add(row)

    async def load(self, group: str) -> tuple[frozenset[str], datetime] | None:
        """The user ids as last stored and when they were read; None without a copy, or if its seal is not this bot's."""
        async with self.db.read() as session:
            row = await session.get(UsergroupRow, group)
        if row is None:
            return None
        if not hmac.compare_digest(row.seal, self._seal(row)):
            log.error("the stored copy of a user group was changed and is not used", usergroup=group)
            return None
        return frozenset(row.members), row.read_at

    async def forget(self) -> None:
        """Drop every copy."""
        async with self.db.write() as session:
            await session.exec(delete(UsergroupRow))

    def _seal(self, row: UsergroupRow) -> str:
        body = json.dumps(["usergroup", row.id, sorted(row.members), stamp(row.read_at)], separators=(",", ":"))
        return hmac.new(self.db.audit_key, body.encode(), hashlib.sha256).hexdigest()


def _worth_writing(row: UsergroupRow | None, members: frozenset[str], read_at: datetime) -> bool:
    if row is None:
        return True
    return row.read_at < read_at and (frozenset(row.members) != members or read_at - row.read_at >= RENEW)
