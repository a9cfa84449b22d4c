"""A sender on a real database, beside a Slack that remembers."""

from datetime import datetime, timedelta
from pathlib import Path

from bot.core.actor import Visibility
from bot.store import messages
from bot.store.db.database import Database
from bot.store.slack.outbox import Outbox
from bot.store.tables import MessageRow
from bot.workflows.messages.delivery import Rendering
from bot.workflows.messages.sender import Sender
from tests.unit.builders import NOW
from tests.unit.workflows.recording_slack import RecordingSlack


class SenderFixture:
    """A sender on a real database with a clock that only moves when somebody sleeps."""

    def __init__(self, path: Path) -> None:
        self.seconds = 1000.0
        self.db = Database(f"sqlite+aiosqlite:///{path}", clock=self.now)
        self.slack = RecordingSlack()
        self.outbox = Outbox(self.db)
        self.renderings: dict[str, Rendering] = {}
        self.public = {"C0", "C1"}
        """Channels whose messages everybody may read."""
        self.sender = self.new_sender()

    def new_sender(self) -> Sender:
        return Sender(
            self.outbox,
            self.render,
            self.slack,
            default_channel="C0",
            may_fall_back=self.may_fall_back,
            monotonic=lambda: self.seconds,
            sleep=self.sleep,
        )

    async def may_fall_back(self, of: Visibility, here: str) -> bool:
        return {of.channel, here} <= self.public and not of.is_private

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    async def render(self, row: MessageRow) -> Rendering | None:
        default = Rendering(text=f"{row.key} rev {row.wanted_rev}", blocks=[], urgent_state=str(row.wanted_rev))
        return self.renderings.get(row.key, default)

    async def touch(self, key: str, channel: str = "C1", kind: str = "card", thread: str = "") -> None:
        async with self.db.write() as session:
            await messages.touch(self.db, session, key, channel=channel, kind=kind, subject=key, thread_key=thread)

    async def row(self, key: str) -> MessageRow:
        row = await self.outbox.get(key)
        assert row is not None
        return row

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, in small steps, as the poll would."""
        until = self.seconds + seconds
        while self.seconds < until:
            self.seconds += max(0.5, seconds / 12)
            await self.sender.drain()
