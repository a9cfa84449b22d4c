"""The roster as of now: user groups are asked at every press; the last good copy stays for when Slack cannot be asked."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from bot.core.config import Config
from bot.core.errors import LookFailed
from bot.core.roster import GroupCopy, Roster

log = structlog.get_logger(__name__)
ASK_SECONDS = 3.0


class Rotas:
    """Asks Slack for the user groups behind rotas; `usergroup` raises LookFailed."""

    def __init__(
        self, config: Config, usergroup: Callable[[str], Awaitable[frozenset[str]]], clock: Callable[[], datetime]
    ) -> None:
        self.config = config
        self._usergroup = usergroup
        self._clock = clock
        self._copies: dict[str, tuple[frozenset[str], datetime]] = {}

    async def roster(self, service: str = "") -> Roster:
        """The roster with the group of `service` asked now; others as last read (asked if never)."""
        wanted = self.config.services[service].on_call.usergroup if service in self.config.services else ""
        groups = {s.on_call.usergroup for s in self.config.services.values() if s.on_call.usergroup}
        await asyncio.gather(*(self._ask(group) for group in groups if group == wanted or group not in self._copies))
        now = self._clock()
        return Roster(self.config, {group: GroupCopy(members, now - at) for group, (members, at) in self._copies.items()})

    def forget(self) -> None:
        """Drop the copies: the next question asks Slack or knows nothing."""
        self._copies.clear()

    async def _ask(self, group: str) -> None:
        try:
            async with asyncio.timeout(ASK_SECONDS):
                members = await self._usergroup(group)
        except (LookFailed, TimeoutError) as error:
            log.warning("rota not readable, the last copy serves", usergroup=group, why=str(error))
        else:
            self._copies[group] = (members, self._clock())
