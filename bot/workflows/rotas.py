"""The roster as of now: user groups are read at every press; the last good copy serves while Slack does not answer.

Copies are kept in the database too, so that they outlive the process. How old one may be: `core/approvals/roster.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from bot.core.approvals.roster import FRESH_ROTA, GroupCopy, Roster
from bot.core.config import Config
from bot.core.errors import QueryFailed
from bot.store.slack.usergroups import Usergroups
from bot.workflows.messages.delivery_health import FailureLog

log = structlog.get_logger(__name__)
READ_SECONDS = 3.0
OTHERS = timedelta(hours=1)
"""How old the copy of a group may be that says only who is on some rota at all."""


class Rotas:
    """Asks Slack for the user groups behind rotas; `usergroup` raises QueryFailed.

    `refresh` has the configuration follow what a second person confirmed meanwhile, on whichever replica.
    """

    def __init__(
        self,
        config: Config,
        usergroup: Callable[[str], Awaitable[frozenset[str]]],
        stored: Usergroups,
        clock: Callable[[], datetime],
        refresh: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.config = config
        self._refresh = refresh
        self._usergroup = usergroup
        self._stored = stored
        self._clock = clock
        self._copies: dict[str, tuple[frozenset[str], datetime]] = {}
        self._failures = FailureLog(log, lambda: clock().timestamp())

    async def roster(self, service: str = "", *, within: timedelta = timedelta(0)) -> Roster:
        """The roster with the group of `service` (without one: of every service) read no longer than `within` ago.

        A decision reads it now; a young copy is enough for a card.
        """
        if self._refresh is not None:
            await self._refresh()
        default = self.config.default_on_call.usergroup
        own = {self.config.services[service].on_call.usergroup if service in self.config.services else "", default}
        groups = {s.on_call.usergroup for s in self.config.services.values()} | {default}
        limits = {group: within if group in own else OTHERS if service else FRESH_ROTA for group in groups - {""}}
        await asyncio.gather(*(self._read(group) for group, limit in limits.items() if self._older(group, limit)))
        now = self._clock()
        return Roster(self.config, {group: GroupCopy(members, now - at) for group, (members, at) in self._copies.items()})

    def _older(self, group: str, than: timedelta) -> bool:
        return group not in self._copies or self._clock() - self._copies[group][1] >= than

    async def forget(self) -> None:
        """Drop the copies, the stored ones too: the next read asks Slack or has nothing."""
        self._copies.clear()
        await self._stored.forget()

    async def _read(self, group: str) -> None:
        try:
            async with asyncio.timeout(READ_SECONDS):
                members = await self._usergroup(group)
        except (QueryFailed, TimeoutError) as error:
            why = str(error) or "no answer"
            self._failures.record(group, "rota not readable, the last copy serves", kind="", usergroup=group, why=why)
            await self._load_copy(group)
        else:
            self._failures.recovered(group, "rota readable again")
            self._copies[group] = (members, self._clock())
            await self._stored.save(group, *self._copies[group])

    async def _load_copy(self, group: str) -> None:
        """Take the stored copy where it is younger: this process may be new, and another one may have read it since."""
        stored = await self._stored.load(group)
        if stored is not None and (group not in self._copies or self._copies[group][1] < stored[1]):
            self._copies[group] = stored
