"""The sender's view of the messages: what is due, and what became of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from bot.core.messages.content import MessageKind
from bot.store.db.database import Database
from bot.store.tables import MessageRow, PictureRow

KINDS_FIRST = (
    MessageKind.PROPOSAL,
    MessageKind.WITHHELD,
    MessageKind.CARD,
    MessageKind.INCIDENT_CARD,
    MessageKind.STORM,
    MessageKind.ANSWER,
    MessageKind.POSTMORTEM,
    MessageKind.TRIAGE,
)
"""In this order; whatever else there is comes last."""

UNBUDGETED = (MessageKind.PROPOSAL,)
"""Kinds whose edits do not wait for the others: people decide by what they read there."""

LONGEST_WAIT = timedelta(minutes=1)
"""For Slack's usual answers; what was put off for longer before a restart is looked for less often."""
AFTERWARDS = timedelta(seconds=2)

NO_ACCESS = "no access: "
"""How `undelivered` begins when Slack refuses the token: then nothing can be posted, whatever the message."""
WITHHELD = "; withheld"
"""How `undelivered` ends, after Slack's error code, where the channel refuses and not everybody may read the message."""


@dataclass(frozen=True, slots=True)
class DueMessage:
    """The part of a message that decides whether it may be sent now: in a storm hundreds are due and few are read whole."""

    channel: str
    key: str
    kind: str
    wanted_rev: int
    ts: str
    """Empty until it was posted."""
    parent_ts: str | None
    """Of the message that begins its thread; None: it is in no thread."""
    parent_failures: int | None
    undelivered: str
    parent_undelivered: str | None

    @property
    def follows_withheld(self) -> bool:
        """Whether the message above it is kept back, and this one is not yet."""
        return (self.parent_undelivered or "").endswith(WITHHELD) and not self.undelivered.endswith(WITHHELD)


_PARENT = aliased(MessageRow)
_RANK = case({kind: rank for rank, kind in enumerate(KINDS_FIRST)}, value=col(MessageRow.kind), else_=9)
_EDIT = and_(col(MessageRow.sent_rev) > 0, col(MessageRow.kind).not_in(UNBUDGETED))
"""What nobody can read yet comes before what can be read, if not in its newest state."""
_COLUMNS: Any = (
    MessageRow.channel,
    MessageRow.key,
    MessageRow.kind,
    MessageRow.wanted_rev,
    MessageRow.ts,
    _PARENT.ts,
    _PARENT.failures,
    MessageRow.undelivered,
    _PARENT.undelivered,
)
_THREAD = col(_PARENT.key) == MessageRow.thread_key
_DUE_MESSAGES: Any = (
    select(*_COLUMNS).outerjoin(_PARENT, _THREAD).order_by(_EDIT, _RANK, col(MessageRow.changed_at), col(MessageRow.key))
)
_WITH_PARENT = select(MessageRow, _PARENT).outerjoin(_PARENT, _THREAD)


class Outbox:
    """Reads and writes of `messages` for the sender alone."""

    def __init__(self, db: Database) -> None:
        self.db = db
        # An earlier process may have put something off.
        self._put_off_until = db.clock() + LONGEST_WAIT

    @property
    def retries(self) -> bool:
        """Whether something may wait for its next try, which no commit announces."""
        return self.db.clock() < self._put_off_until

    async def due(self, channel: str | None = None, *, without: Collection[str] = (), edits: bool = True) -> list[DueMessage]:
        """What is due now, in one channel or in all but some, the most urgent first; without `edits` only new posts
        and what is not budgeted."""
        query = _DUE_MESSAGES.where(_is_due(self.db.clock()))
        if channel is not None:
            query = query.where(col(MessageRow.channel) == channel)
        if without:
            query = query.where(col(MessageRow.channel).not_in(without))
        if not edits:
            query = query.where(or_(col(MessageRow.ts) == "", col(MessageRow.kind).in_(UNBUDGETED)))
        async with self.db.read() as session:
            return [DueMessage(*row) for row in (await session.exec(query)).all()]

    async def with_parent(self, key: str) -> tuple[MessageRow, MessageRow | None]:
        """One message with the one that begins its thread."""
        async with self.db.read() as session:
            return (await session.exec(_WITH_PARENT.where(col(MessageRow.key) == key))).one()

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
        """Record that Slack posted nothing: no search for the message is needed before the next try."""
        retry_at = self._put_off(retry_in)
        await self._set(key, attempted_at=None, retry_at=retry_at, failures=MessageRow.failures + 1, undelivered=why)

    async def retry_unconfirmed(self, key: str, *, retry_in: float) -> None:
        """Record that Slack gave no clear answer: the message is searched for in a while."""
        await self._set(key, retry_at=self._put_off(retry_in), failures=MessageRow.failures + 1)

    def _put_off(self, seconds: float) -> datetime:
        retry_at = self.db.clock() + timedelta(seconds=seconds)
        self._put_off_until = max(self._put_off_until, retry_at + AFTERWARDS)
        return retry_at

    async def sent(self, key: str, rev: int, *, ts: str, channel: str, edited: bool, why: str = "") -> None:
        """Record what stands in Slack now; `why` is the reason if it stands in another channel than it should."""
        now = self.db.clock()
        values = {"sent_rev": rev, "ts": ts, "posted_channel": channel, "sent_at": now, "retry_at": None, "undelivered": why}
        edits = MessageRow.edits + (1 if edited else 0)
        await self._set(key, **values, attempted_at=None, failures=0, edits=edits)

    async def unchanged(self, key: str, rev: int, *, attempted: bool = True) -> None:
        """Record that the newest state renders like the posted one. Without `attempted` an attempt that was noted was none."""
        await self._set(key, sent_rev=rev, retry_at=None, **({} if attempted else {"attempted_at": None}))

    async def gone(self, key: str) -> None:
        """Record that a person deleted it: it is posted anew, once."""
        await self._set(key, ts="", sent_rev=0, attempted_at=None)

    async def picture(self, key: str) -> PictureRow | None:
        """A stored picture."""
        async with self.db.read() as session:
            return await session.get(PictureRow, key)

    async def uploaded(self, key: str, file: str) -> None:
        """Remember Slack's id of a picture."""
        async with self.db.write() as session:
            await session.exec(update(PictureRow).where(col(PictureRow.key) == key).values(slack_file=file))

    async def undelivered(self) -> Sequence[MessageRow]:
        """Messages that Slack refuses, each with its reason."""
        async with self.db.read() as session:
            return (await session.exec(select(MessageRow).where(MessageRow.undelivered != ""))).all()

    async def _set(self, key: str, **values: object) -> None:
        # One row: what was sent is recorded at once, also while a batch of alerts is being sorted.
        async with self.db.write(in_turn=False, urgent=True) as session:
            await session.exec(update(MessageRow).where(col(MessageRow.key) == key).values(**values))


def _is_due(now: datetime) -> ColumnElement[bool]:
    waiting = or_(col(MessageRow.retry_at).is_(None), col(MessageRow.retry_at) <= now)
    return and_(col(MessageRow.wanted_rev) > col(MessageRow.sent_rev), waiting)
