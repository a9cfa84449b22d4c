"""The one check of who may read: every command, press, dialog, home tab and answer passes it."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace

from bot.core.actor import (
    UNKNOWN,
    Actor,
    ChannelAccess,
    KnownChannels,
    Visibility,
    may_answer_in,
    may_fall_back,
    may_read,
    may_recall,
)
from bot.core.errors import NotFound
from bot.plugins import Request
from bot.store.db.database import Database
from bot.store.incidents import overview

SLACK_SECONDS = 2.0
"""How long an investigation waits for what Slack says of a channel."""


async def nobody(_channel: str) -> frozenset[str]:
    """The members of a public channel, where nothing private is."""
    return frozenset()


class ReadAccess:
    """Asks what each channel is, and decides. `access_of` answers UNKNOWN where Slack does not; `members`: of a public one."""

    def __init__(
        self,
        db: Database,
        access_of: Callable[[str], Awaitable[ChannelAccess]],
        members: Callable[[str], Awaitable[frozenset[str]]] = nobody,
    ) -> None:
        self._db, self._access, self._members = db, access_of, members

    async def may_read(self, request: Request, ref: str) -> bool:
        """Whether the sender of a request may read what a reference is about, if it is about anything."""
        of = await overview.visibility_of(self._db, ref) if ref else None
        return of is None or await self._may_read(request.actor, of, request.channel)

    async def require(self, request: Request) -> None:
        """Raises NotFound, as for what does not exist, if its reference is about something that its sender may not read."""
        if not await self.may_read(request, request.ref):
            raise NotFound(overview.absent(request.ref))

    async def readable(self, request: Request) -> frozenset[Visibility]:
        """The visibilities of groups and incidents that its sender sees here."""
        return await self._readable(request, await overview.visibilities(self._db))

    async def hidden(self, request: Request, more: Collection[Visibility], place: str | None = None) -> frozenset[Visibility]:
        """What its sender does not see here, or may not be named in `place`: of groups, incidents and these more."""
        every = frozenset((*await overview.visibilities(self._db), *more))
        named = every if place is None else await self.recallable(every, place)
        return every.difference(named) | every.difference(await self._readable(request, every))

    async def _readable(self, request: Request, visibilities: Collection[Visibility]) -> frozenset[Visibility]:
        may = await asyncio.gather(*(self._may_read(request.actor, one, request.channel) for one in visibilities))
        return frozenset(one for one, readable in zip(visibilities, may, strict=True) if readable)

    async def may_answer_in(self, of: Visibility, here: str) -> bool:
        """Whether an answer about what is visible there may be read by everybody in `here`."""
        if of.channel == here:
            return True
        about, here_access = await asyncio.gather(self._access_to(of), self._access(here))
        return may_answer_in(of.channel, here, about, here_access)

    async def recallable(self, visibilities: Collection[Visibility], here: str) -> frozenset[Visibility]:
        """Of these, what an investigation whose message stands in `here` may name."""
        if {one.channel for one in visibilities} <= {here}:
            return frozenset(visibilities)
        here_access, *about = await asyncio.gather(*map(self._soon, (here, *(one.channel for one in visibilities))))
        pairs = zip(visibilities, about, strict=True)
        return frozenset(one for one, access in pairs if may_recall(one, here, access, here_access))

    async def may_fall_back(self, of: Visibility, here: str) -> bool:
        """Whether a message that its own channel refuses may stand in `here`."""
        return may_fall_back(of, here, *await asyncio.gather(self._soon(of.channel), self._soon(here)))

    async def may_share_card(self, one: Visibility, other: Visibility) -> bool:
        """Whether alerts of both ever share a card by themselves, as sorting decides it."""
        channels = one.channel, other.channel
        access = await asyncio.gather(*map(self._soon, channels)) if one != other else ()
        return KnownChannels(dict(zip(channels, access, strict=False))).may_share_card(one, other)

    async def learn(self, channel: str) -> None:
        """Have Slack say what a channel is, for those who cannot wait for it later."""
        await self._soon(channel)

    async def _soon(self, channel: str) -> ChannelAccess:
        """An investigation waits for nobody: where Slack is slow, the channel is not known."""
        try:
            return await asyncio.wait_for(self._access(channel), SLACK_SECONDS)
        except TimeoutError:
            return UNKNOWN

    async def _may_read(self, actor: Actor, of: Visibility, here: str) -> bool:
        # Slack is asked only where it makes a difference: what stands here is read on the worst day too.
        if may_read(actor, of.channel, here, UNKNOWN):
            return True
        return may_read(actor, of.channel, here, await self._access_to(of))

    async def _access_to(self, of: Visibility) -> ChannelAccess:
        """For what is private a public channel counts as a private one."""
        access = await self._access(of.channel)
        if access.is_private or not of.is_private:
            return access
        return replace(access, is_private=True, members=await self._members(of.channel))
