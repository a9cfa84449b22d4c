"""The sender's view of the messages: what is due, and what became of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, func, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from bot.store.database import Database
from bot.store.tables import MessageRow, PictureRow

KINDS_FIRST = ("proposal", "card", "incident_card", "storm", "postmortem", "triage")
"""In this order; whatever else there is comes last."""

NO_ACCESS = "no access: "
"""How `undelivered` begins when Slack refuses the token: then nothing can be posted, whatever the message."""


class Outbox:
    """Reads and writes of `messages` for the sender alone."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def channels(self) -> list[str]:
        """Channels that hold something to send now."""
        async with self.db.read() as session:
            query = select(MessageRow.channel).where(_due(self.db.clock())).distinct()
            return list((await session.exec(query)).all())

    async def due(self, channel: str, limit: int = 50) -> list[tuple[MessageRow, MessageRow | None]]:
        """What to send in one channel, the most urgent first, each with the message whose thread it stands in."""
        parent = aliased(MessageRow)
        rank = case({kind: place for place, kind in enumerate(KINDS_FIRST)}, value=col(MessageRow.kind), else_=9)
        async with self.db.read() as session:
            query = (
                select(MessageRow, parent)
                .outerjoin(parent, col(parent.key) == MessageRow.thread_key)
                .where(MessageRow.channel == channel, _due(self.db.clock()))
                .order_by(rank, col(MessageRow.sent_rev) > 0, col(MessageRow.changed_at), col(MessageRow.key))
                .limit(limit)
            )
            return [(row, above) for row, above in (await session.exec(query)).all()]

    async def get(self, key: str) -> MessageRow | None:
        """One message's row as it is now."""
        async with self.db.read() as session:
            return await session.get(MessageRow, key)

    async def attempt(self, key: str) -> datetime:
        """Note, before a first post, that it may have happened; the moment of it."""
        now = self.db.clock()
        await self._set(key, attempted_at=now)
        return now

    async def not_posted(self, key: str, *, retry_in: float, why: str = "") -> None:
        """Slack said that nothing was posted: no look-up is needed before the next try."""
        retry_at = self.db.clock() + timedelta(seconds=retry_in)
        await self._set(key, attempted_at=None, retry_at=retry_at, failures=MessageRow.failures + 1, undelivered=why)

    async def unclear(self, key: str, *, retry_in: float) -> None:
        """Nobody knows whether it was taken: look again in a while."""
        await self._set(key, retry_at=self.db.clock() + timedelta(seconds=retry_in), failures=MessageRow.failures + 1)

    async def sent(self, key: str, rev: int, *, ts: str, channel: str, edited: bool, why: str = "") -> None:
        """Record what stands in Slack now; `why` it stands elsewhere than it should."""
        now = self.db.clock()
        values = {"sent_rev": rev, "ts": ts, "posted_channel": channel, "sent_at": now, "retry_at": None, "undelivered": why}
        edits = MessageRow.edits + (1 if edited else 0)
        await self._set(key, **values, attempted_at=None, failures=0, edits=edits)

    async def unchanged(self, key: str, rev: int) -> None:
        """The newest state looks like what stands there already."""
        await self._set(key, sent_rev=rev, retry_at=None)

    async def gone(self, key: str) -> None:
        """A person deleted it: it is posted anew, once."""
        await self._set(key, ts="", sent_rev=0, attempted_at=None)

    async def picture(self, key: str) -> PictureRow | None:
        """A stored picture."""
        async with self.db.read() as session:
            return await session.get(PictureRow, key)

    async def uploaded(self, key: str, file: str) -> None:
        """Remember Slack's id of a picture."""
        async with self.db.write() as session:
            await session.exec(update(PictureRow).where(col(PictureRow.key) == key).values(slack_file=file))

    async def oldest_wanted(self) -> datetime | None:
        """When the oldest state that Slack does not show yet was written: for the gauge."""
        async with self.db.read() as session:
            query = select(func.min(MessageRow.changed_at)).where(col(MessageRow.wanted_rev) > MessageRow.sent_rev)
            found: datetime | None = (await session.exec(query)).one()
            return found

    async def undelivered(self) -> Sequence[MessageRow]:
        """Messages that Slack refuses, each with its reason."""
        async with self.db.read() as session:
            return (await session.exec(select(MessageRow).where(MessageRow.undelivered != ""))).all()

    async def _set(self, key: str, **values: object) -> None:
        # One row: what was sent is recorded at once, also while a batch of alerts is being sorted.
        async with self.db.write(in_turn=False, urgent=True) as session:
            await session.exec(update(MessageRow).where(col(MessageRow.key) == key).values(**values))


def _due(now: datetime) -> ColumnElement[bool]:
    waiting = or_(col(MessageRow.retry_at).is_(None), col(MessageRow.retry_at) <= now)
    return and_(col(MessageRow.wanted_rev) > col(MessageRow.sent_rev), waiting)
