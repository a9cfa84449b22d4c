"""Messages that their own channel refuses and that not everybody may read: kept back, with a notice in the default channel."""

import re
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.actor import Visibility
from bot.core.alert import Severity
from bot.core.errors import NotFound
from bot.core.messages.content import Content, MessageKind
from bot.core.messages.withheld import WithheldContent
from bot.store import messages
from bot.store.db.database import Database
from bot.store.incidents import overview
from bot.store.slack.message_contents import load
from bot.store.slack.outbox import WITHHELD
from bot.store.tables import GroupRow, MessageRow, QuestionRow

_REFERENCE = re.compile(r"\b(?:AL|INC|AP)-[0-9]+\b")
_NOTICED = frozenset(
    {
        MessageKind.CARD,
        MessageKind.INCIDENT_CARD,
        MessageKind.STORM,
        MessageKind.BACKLOG,
        MessageKind.PROPOSAL,
        MessageKind.RAISED,
        MessageKind.RENEWED,
        MessageKind.REOPENED,
    }
)
"""Kinds that people must know of, or that call somebody; a line does where it mentions people. Of what stands beside them in a
channel one notice tells, whatever it is; what stands in a thread is told by the notice about what is above it."""


class WithheldMessages:
    """Keeps messages back, and lets them go."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def visibility_of(self, row: MessageRow) -> Visibility:
        """Who may read a message: whoever may read all that it names."""
        private = [subject.private async for subject in self._subjects(row)]
        return Visibility(row.channel, any(private) or await self._in_private_storm(row))

    async def withhold(
        self, row: MessageRow, parent: MessageRow | None, reason: str, *, notice_in: str, retry_in: timedelta
    ) -> None:
        """Keep a message back until it is tried again, and have it said in `notice_in` that it, or what is new below `parent`,
        cannot be shown. `reason`: Slack's error code."""
        withheld = {"attempted_at": None, "retry_at": self._db.clock() + retry_in, "undelivered": reason + WITHHELD}
        async with self._db.write(in_turn=False, urgent=True) as session:
            await session.exec(update(MessageRow).where(col(MessageRow.key) == row.key).values(**withheld))
            for subject, mentions in _notices(row, parent).items():
                await self._touch_notice(session, subject, mentions, notice_in)

    async def _touch_notice(self, session: AsyncSession, subject: str, mentions: Sequence[str], channel: str) -> None:
        key, kind = messages.notice_key(subject), MessageKind.WITHHELD
        await messages.touch(self._db, session, key, channel=channel, kind=kind, subject=subject, mentions=mentions)

    async def released(self, row: MessageRow) -> None:
        """A message stands in its channel: what waits below it may follow, and its notice says so."""
        async with self._db.write(in_turn=False, urgent=True) as session:
            await session.exec(update(MessageRow).where(col(MessageRow.thread_key) == row.key).values(retry_at=None))
            for key in filter(None, (row.key, row.thread_key, row.channel)):
                await messages.refresh(self._db, session, messages.notice_key(key))

    async def content(self, key: str) -> WithheldContent | None:
        """What the notice about a message shows, or about what else a channel refuses; None where there is nothing to show."""
        async with self._db.read() as session:
            row = await session.get(MessageRow, key)
            if row is None:
                return await self._of_channel(session, key)
            original = await load(session, row.kind, row.subject)
            if original is None:
                return None
            of_thread = or_(col(MessageRow.key) == key, col(MessageRow.thread_key) == key)
            reason, severity = await _reason(session, of_thread), await _worst_in_storm(session, key)
        subject = await anext(self._subjects(row, named_by_key=True), None)
        return WithheldContent(
            original=original,
            ref=subject.ref if subject else "",
            severity=Severity(subject.severity) if subject else severity,
            channel=row.channel,
            reason=reason,
            wanted_at=row.created_at,
            posted_before=row.sent_at is not None,
        )

    async def _of_channel(self, session: AsyncSession, channel: str) -> WithheldContent:
        reason, now = await _reason(session, col(MessageRow.channel) == channel), self._db.clock()
        return WithheldContent(original=Content(), ref="", severity=None, channel=channel, reason=reason, wanted_at=now)

    async def _subjects(self, row: MessageRow, *, named_by_key: bool = False) -> AsyncIterator[overview.Subject]:
        """What a message is about; with `named_by_key` without what its words name."""
        texts = [row.key, row.thread_key]
        if not named_by_key:
            texts += [row.subject, await self._above(row), await self._answered(row)]
        for ref in dict.fromkeys(_REFERENCE.findall(" ".join(texts))):
            try:
                yield await overview.subject_of(self._db, ref)
            except NotFound:
                continue

    async def _above(self, row: MessageRow) -> str:
        """What the message is about in whose thread this one stands."""
        async with self._db.read() as session:
            parent = await session.get(MessageRow, row.thread_key) if row.thread_key else None
            return parent.subject if parent else ""

    async def _answered(self, row: MessageRow) -> str:
        """All that an answer is about, where that is several."""
        if row.kind != MessageKind.ANSWER:
            return ""
        async with self._db.read() as session:
            question = await session.get(QuestionRow, int(row.subject))
            return " ".join(question.refs or ()) if question else ""

    async def _in_private_storm(self, row: MessageRow) -> bool:
        private = col(GroupRow.on_storm_card).in_([key for key in (row.key, row.thread_key) if key]), col(GroupRow.private)
        async with self._db.read() as session:
            return (await session.exec(select(GroupRow.id).where(*private).limit(1))).first() is not None


def _notices(row: MessageRow, parent: MessageRow | None) -> dict[str, Sequence[str]]:
    """What notices are needed about, a message or a channel, with the people whom each is for."""
    subjects: dict[str, Sequence[str]] = {
        one.key: one.mentions for one in (row, parent) if one and (one.kind in _NOTICED or one.mentions)
    }
    return subjects or ({} if row.thread_key else {row.channel: ()})


async def _worst_in_storm(session: AsyncSession, key: str) -> Severity | None:
    query = select(GroupRow.severity).where(GroupRow.on_storm_card == key).order_by(col(GroupRow.severity)).limit(1)
    severity = (await session.exec(query)).first()
    return Severity(severity) if severity else None


async def _reason(session: AsyncSession, which: ColumnElement[bool]) -> str:
    """Why one of these messages is kept back; "" where none is."""
    marked = col(MessageRow.undelivered).endswith(WITHHELD, autoescape=True)
    query = select(MessageRow.undelivered).where(which, marked)
    return ((await session.exec(query.limit(1))).first() or "").removesuffix(WITHHELD)
