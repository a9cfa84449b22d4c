"""Lines that people are reminded by: in the threads of cards, and in a channel where the monitoring itself falls silent."""

from collections.abc import Sequence

from sqlalchemy import update
from sqlmodel import col, select

from bot.core.messages.content import MessageKind
from bot.store import messages
from bot.store.db.database import Database
from bot.store.tables import MessageRow


class ReminderLines:
    """What people are reminded of in Slack."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def add(self, key: str, channel: str, thread_key: str, text: str, people: Sequence[str]) -> None:
        """Have a line that mentions these people stand in a thread, once for each key.

        Not before its card stands: a card that Slack has not taken yet is what the pager is for.
        """
        line = f"line:{key}"
        async with self.db.read() as session:
            posted = col(MessageRow.ts) != ""
            query = select(MessageRow.key).where((col(MessageRow.key) == thread_key) & posted | (col(MessageRow.key) == line))
            if (await session.exec(query)).all() != [thread_key]:
                return
        async with self.db.write() as session:
            await messages.touch(
                self.db,
                session,
                line,
                channel=channel,
                kind=MessageKind.LINE,
                subject=text,
                thread_key=thread_key,
                mentions=people,
            )

    async def announce(self, key: str, channel: str, text: str, people: Sequence[str]) -> None:
        """Have a line that mentions these people stand in a channel, once for each key."""
        line = f"line:{key}"
        async with self.db.read() as session:
            if await session.get(MessageRow, line) is not None:
                return
        async with self.db.write() as session:
            kind = MessageKind.LINE
            await messages.touch(self.db, session, line, channel=channel, kind=kind, subject=text, mentions=people)

    async def amend(self, prefix: str, text: str) -> None:
        """Have the newest line whose key begins so say this instead; nothing where there is none, or where it says so."""
        of_prefix = col(MessageRow.key).startswith(f"line:{prefix}", autoescape=True)
        async with self.db.write() as session:
            newest = select(MessageRow).where(of_prefix).order_by(col(MessageRow.created_at).desc()).limit(1)
            row = (await session.exec(newest)).first()
            if row is None or row.subject == text:
                return
            await session.exec(update(MessageRow).where(col(MessageRow.key) == row.key).values(subject=text))
            await messages.touch(self.db, session, row.key, channel=row.channel, kind=MessageKind.LINE, subject=text)
