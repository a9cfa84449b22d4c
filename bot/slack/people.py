"""The person behind a Slack user: the profile, cached for a minute, joined to the roster by id or e-mail. And channels."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import structlog
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.core.actor import UNKNOWN, Actor, ChannelAccess, KnownChannels
from bot.core.config.services import Person, plain_email
from bot.core.errors import QueryFailed
from bot.slack.client import PAGE, SlackClient
from bot.workflows.messages.delivery import RateLimited, Refused, Unanswered, Unreachable

log = structlog.get_logger(__name__)
CACHE_SECONDS = 60.0
"""How long a profile is trusted: people who leave lose their rights within a minute."""
CHANNELS_SECONDS = 600.0
"""How long those who cannot ask Slack trust what it said of a channel: an outage of Slack cuts no outage in two at once."""
MAX_PROFILES = 5000


P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class _Cached:
    at: float
    user: Mapping[str, object]


class People:
    """Turns Slack user ids into actors. Raises QueryFailed when Slack cannot be asked: then nobody has a right."""

    def __init__(
        self, slack: SlackClient, people: Mapping[str, Person], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._slack, self._monotonic = slack, monotonic
        self.replace(people)
        self._profiles: dict[str, _Cached] = {}
        self._cached_access: dict[str, tuple[float, ChannelAccess]] = {}
        self._team = ""

    def replace(self, people: Mapping[str, Person]) -> None:
        """Know these people from now on, and no others."""
        mains = {key: person.same_as or key for key, person in people.items()}
        self._by_slack = {person.slack: mains[key] for key, person in people.items() if person.slack}
        self._by_email = {plain_email(person.email): mains[key] for key, person in people.items() if person.email}

    async def team(self) -> str:
        """The id of the bot's workspace; read once."""
        if not self._team:
            answer = await self._call("our own workspace", self._slack.web.auth_test)
            self._team = str(answer["team_id"])
        return self._team

    async def actor(self, user: str, *, home: str = "", fresh: bool = False) -> Actor:
        """The person behind a Slack user id. `home` is their workspace as the interaction names it, if it does.

        `fresh`: ask Slack now; who may approve is never answered from memory.
        """
        own = await self.team()
        if fresh:
            self._profiles.pop(user, None)
        profile = await self._user(user)
        teams = {home or own, str(profile.get("team_id") or own)}
        stranger = teams != {own} or bool(profile.get("is_stranger"))
        guest = bool(profile.get("is_restricted") or profile.get("is_ultra_restricted"))
        robot = bool(profile.get("is_bot") or profile.get("is_workflow_bot") or user == "USLACKBOT")
        is_deleted = bool(profile.get("deleted"))
        # A guest may be listed by mistake; someone of another workspace may carry any address.
        person = "" if stranger or robot or is_deleted else self._person(user, profile)
        return Actor(
            team=home or own,
            user=user,
            person=person,
            is_bot=robot,
            is_guest=guest,
            is_deleted=is_deleted,
            is_stranger=stranger,
        )

    async def usergroup(self, group: str) -> frozenset[str]:
        """User ids in a Slack user group now; raises QueryFailed."""
        answer = await self._call(f"user group {group}", self._slack.web.usergroups_users_list, usergroup=group)
        return frozenset(answer.get("users", ()))

    async def channel_access(self, channel: str) -> ChannelAccess:
        """What a channel is, and who is in it if it is private; UNKNOWN where Slack does not say. "" belongs to no channel."""
        if not channel:
            return ChannelAccess()
        cached = self._cached_access.get(channel)
        if cached and self._monotonic() - cached[0] < CACHE_SECONDS:
            return cached[1]
        try:
            access = await self._read_access(channel)
        except QueryFailed as error:
            log.warning("a channel is not known, so it counts as private", channel=channel, why=str(error))
            return UNKNOWN
        self._cached_access[channel] = self._monotonic(), access
        return access

    def known_channels(self) -> KnownChannels:
        """What Slack said of channels lately, without asking it."""
        since = self._monotonic() - CHANNELS_SECONDS
        return KnownChannels({channel: access for channel, (at, access) in self._cached_access.items() if at > since})

    async def read_channels(self) -> frozenset[str]:
        """Read the channels that the bot is in, 200 a call: the public ones, which are known then; none if Slack does not say.

        Who is in a private one is read for each.
        """
        public: dict[str, ChannelAccess] = {}
        try:
            async for about in self._own_channels():
                if not about.get("is_private"):
                    public[str(about.get("id"))] = ChannelAccess(is_shared=_is_shared(about))
        except QueryFailed as error:
            log.warning("the bot's channels could not be listed, so each is asked for", why=str(error))
        self._cached_access |= {channel: (self._monotonic(), access) for channel, access in public.items()}
        return frozenset(public)

    async def members(self, channel: str) -> frozenset[str]:
        """Who is in a public channel now; nobody where Slack does not say. Asked only where something in it is private."""
        try:
            return frozenset([user async for user in self._members(channel)]) if channel else frozenset()
        except QueryFailed as error:
            log.warning("who is in a channel is not known, so nobody counts", channel=channel, why=str(error))
            return frozenset()

    async def _read_access(self, channel: str) -> ChannelAccess:
        about = (await self._call(f"channel {channel}", self._slack.web.conversations_info, channel=channel))["channel"]
        shared = _is_shared(about)
        if not about.get("is_private"):
            return ChannelAccess(is_shared=shared)
        return ChannelAccess(
            is_private=True, is_shared=shared, members=frozenset([user async for user in self._members(channel)])
        )

    async def _members(self, channel: str) -> AsyncIterator[str]:
        async for answer in self._pages(f"who is in {channel}", self._slack.web.conversations_members, channel=channel):
            members: list[str] = answer.get("members", [])
            for user in members:
                yield user

    async def _own_channels(self) -> AsyncIterator[Mapping[str, object]]:
        kinds = {"types": "public_channel,private_channel", "exclude_archived": True}
        async for answer in self._pages("the bot's channels", self._slack.web.users_conversations, **kinds):
            channels: list[Mapping[str, object]] = answer.get("channels", [])
            for about in channels:
                yield about

    async def _pages(
        self, what: str, ask: Callable[..., Awaitable[AsyncSlackResponse]], **values: object
    ) -> AsyncIterator[AsyncSlackResponse]:
        cursor = ""
        while True:
            answer = await self._call(what, ask, limit=PAGE, cursor=cursor or None, **values)
            yield answer
            if not (cursor := (answer.get("response_metadata") or {}).get("next_cursor", "")):
                return

    def _person(self, user: str, profile: Mapping[str, object]) -> str:
        """Who it is by user id and by address; nobody where the two name different people.

        One human in two entries would count twice, and whoever can change an address would take another's rights.
        """
        details = profile.get("profile")
        email = plain_email(str(details.get("email") or "")) if isinstance(details, dict) else ""
        by_id, by_email = self._by_slack.get(user, ""), self._by_email.get(email, "") if email else ""
        return "" if by_id and by_email and by_id != by_email else by_id or by_email

    async def _user(self, user: str) -> Mapping[str, object]:
        cached = self._profiles.get(user)
        if cached and self._monotonic() - cached.at < CACHE_SECONDS:
            return cached.user
        answer = await self._call("who you are", self._slack.web.users_info, user=user)
        if len(self._profiles) >= MAX_PROFILES:
            self._profiles.clear()
        self._profiles[user] = _Cached(self._monotonic(), answer["user"])
        return self._profiles[user].user

    async def _call(self, what: str, method: Callable[P, Awaitable[T]], *arguments: P.args, **named: P.kwargs) -> T:
        try:
            return await self._slack.call(method, *arguments, **named)
        except (Refused, RateLimited, Unanswered, Unreachable) as error:
            raise QueryFailed(f"Could not look up {what}: {error}. Nothing was done; try again.") from error


def _is_shared(about: Mapping[str, object]) -> bool:
    """Whether people of another workspace are in a channel, or are invited."""
    return bool(about.get("is_ext_shared") or about.get("is_pending_ext_shared"))
