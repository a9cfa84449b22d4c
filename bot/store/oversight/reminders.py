"""Reminders as lines in the threads of cards, each once."""

from collections.abc import Sequence

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
            standing = select(MessageRow.key).where(
                (col(MessageRow.key) == thread_key) & posted | (col(MessageRow.key) == line)
            )
            if (await session.exec(standing)).all() != [thread_key]:
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
