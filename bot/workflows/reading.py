"""The one check of who may read: every command, press, dialog, home tab and answer passes it."""

import asyncio
from collections.abc import Awaitable, Callable

from bot.core.actor import UNKNOWN, Actor, ChannelAccess, may_answer_in, may_read
from bot.core.errors import NotFound
from bot.plugins import Request
from bot.store.db.database import Database
from bot.store.incidents import overview


class Reading:
    """Asks what each channel is, and decides. `access_of` answers UNKNOWN where Slack does not."""

    def __init__(self, db: Database, access_of: Callable[[str], Awaitable[ChannelAccess]]) -> None:
        self._db, self._access = db, access_of

    async def may_read(self, request: Request, ref: str) -> bool:
        """Whether the sender of a request may read what a reference is about, if it is about anything."""
        channel = await overview.channel_of(self._db, ref) if ref else None
        return channel is None or await self._may_read(request.actor, channel, request.channel)

    async def require(self, request: Request) -> None:
        """Raises NotFound, as for what does not exist, if its reference is about something that its sender may not read."""
        if not await self.may_read(request, request.ref):
            raise NotFound(overview.absent(request.ref))

    async def readable(self, request: Request) -> frozenset[str]:
        """The channels of groups and incidents of which its sender may see something here."""
        channels = await overview.channels(self._db)
        may = await asyncio.gather(*(self._may_read(request.actor, channel, request.channel) for channel in channels))
        return frozenset(channel for channel, readable in zip(channels, may, strict=True) if readable)

    async def may_answer_in(self, channel: str, here: str) -> bool:
        """Whether an answer about a channel may be read by everybody in `here`."""
        if channel == here:
            return True
        about, here_access = await asyncio.gather(self._access(channel), self._access(here))
        return may_answer_in(channel, here, about, here_access)

    async def _may_read(self, actor: Actor, channel: str, here: str) -> bool:
        # Slack is asked only where it makes a difference: what stands here is read on the worst day too.
        return may_read(actor, channel, here, UNKNOWN) or may_read(actor, channel, here, await self._access(channel))
