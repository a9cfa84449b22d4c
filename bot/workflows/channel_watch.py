"""Keeps known what each channel is that alerts stand in: sorting decides in its transaction, and asks nobody then."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import structlog

from bot.core.actor import UNKNOWN, ChannelAccess
from bot.core.config import Config
from bot.store.db.database import Database, DatabaseUnavailable, translating_unavailability
from bot.store.incidents.overview import channels_of_open_incidents

log = structlog.get_logger(__name__)
READ_EVERY_SECONDS = 50.0
"""Seconds after which a channel is read again: what Slack said of it is trusted for a minute."""
CHECK_EVERY_SECONDS = 5.0
AGAIN_SECONDS = 10.0
"""Seconds after which one of which Slack did not say what it is, is read again."""
FIRST, AT_ONCE = 30, 3
"""Channels that are asked for one by one at the start, and at a time from then on: Slack answers 50 such calls a minute, and
people need some."""
FIRST_SECONDS = 2.0
"""How long a start waits for the first answers."""


class Channels(Protocol):
    """Asks what channels are, and keeps what it was answered for whoever cannot wait."""

    async def read_channels(self) -> frozenset[str]:
        """Ask for many with few calls: the public ones that the bot is in."""
        ...

    async def channel_access(self, channel: str) -> ChannelAccess:
        """Ask for one, if what is kept of it is old; UNKNOWN where nobody answers."""
        ...


async def watch_channels(db: Database, config: Config, slack: Channels) -> asyncio.Task[None]:
    """Start to watch; returns once the channels were read, as far as Slack answers soon."""
    watch = ChannelWatch(db, config, slack)
    task = asyncio.create_task(watch.run(), name="channels")
    with suppress(TimeoutError):
        await asyncio.wait_for(watch.begun.wait(), FIRST_SECONDS)
    return task


class ChannelWatch:
    """Reads the channels of the configuration and of open incidents, as long as there are several of them."""

    def __init__(
        self,
        db: Database,
        config: Config,
        slack: Channels,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db, self._config, self._slack, self._monotonic = db, config, slack, monotonic
        self._read_at: dict[str, float] = {}
        self._listed_at: float | None = None
        self.begun = asyncio.Event()
        """Whether the channels were read for the first time."""

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            try:
                await self.once()
            except DatabaseUnavailable as error:
                log.warning("channels of open incidents are not known", why=str(error))
            self.begun.set()
            await asyncio.sleep(CHECK_EVERY_SECONDS)

    async def once(self) -> None:
        """Read the public ones together, and some of the others: those that were never read, then the oldest of those due."""
        now, channels = self._monotonic(), await self._channels()
        if len(channels) < 2:
            # Everything stands in one channel, whatever that is.
            return
        first = self._listed_at is None
        if self._listed_at is None or self._listed_at <= now - READ_EVERY_SECONDS:
            self._read_at |= dict.fromkeys(await self._slack.read_channels() & channels, now)
            self._listed_at = now
        never = sorted(channel for channel in channels if channel not in self._read_at)
        due = sorted(
            (at, channel) for channel, at in self._read_at.items() if channel in channels and at <= now - READ_EVERY_SECONDS
        )
        most = FIRST if first else AT_ONCE
        for channel in [*never, *(channel for _, channel in due)][:most]:
            unknown = await self._slack.channel_access(channel) == UNKNOWN
            self._read_at[channel] = now - READ_EVERY_SECONDS + AGAIN_SECONDS if unknown else now

    async def _channels(self) -> set[str]:
        configured = {self._config.default_channel, *(service.channel for service in self._config.services.values())}
        with translating_unavailability():
            return (configured | await channels_of_open_incidents(self._db)) - {""}
