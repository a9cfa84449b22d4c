"""Channels as Slack knows them: private ones with all their members, asked once a minute, and unknown where Slack fails."""

from typing import Any

from bot.core.actor import UNKNOWN, ChannelAccess
from bot.slack.people import CACHE_SECONDS, CHANNELS_SECONDS, People
from bot.workflows.messages.delivery import Refused, Unanswered


class Web:
    """Slack's Web API as far as it is asked: `C1` is public, `C2` private with three members on two pages, `C3` gone."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.mute = False

    async def conversations_info(self, *, channel: str) -> dict[str, Any]:
        self.calls.append(f"info {channel}")
        if channel == "C3":
            raise Refused("channel_not_found")
        return {"channel": {"is_private": channel == "C2", "is_ext_shared": channel == "C1"}}

    async def users_conversations(
        self, *, types: str, exclude_archived: bool, limit: int, cursor: str | None
    ) -> dict[str, Any]:
        self.calls.append(f"list {types}")
        if self.mute:
            raise Unanswered("slow")
        channels = [{"id": "C1", "is_private": False, "is_ext_shared": True}, {"id": "C2", "is_private": True}]
        return {"channels": channels, "response_metadata": {"next_cursor": ""}}

    async def conversations_members(self, *, channel: str, limit: int, cursor: str | None) -> dict[str, Any]:
        self.calls.append(f"members {channel} {cursor}")
        if cursor is None:
            return {"members": ["U1", "U2"], "response_metadata": {"next_cursor": "more"}}
        return {"members": ["U3"], "response_metadata": {"next_cursor": ""}}


class Slack:
    def __init__(self) -> None:
        self.web = Web()

    async def call(self, method: Any, **arguments: Any) -> Any:
        return await method(**arguments)


def people(slack: Slack, moments: list[float]) -> People:
    client: Any = slack
    return People(client, {}, monotonic=lambda: moments[-1])


async def test_a_private_channel_is_known_with_all_its_members_and_a_public_one_without() -> None:
    found = people(Slack(), [0.0])

    assert await found.channel_access("C2") == ChannelAccess(is_private=True, members=frozenset({"U1", "U2", "U3"}))
    assert await found.channel_access("C1") == ChannelAccess(is_shared=True)
    assert await found.channel_access("") == ChannelAccess()


async def test_who_leaves_a_channel_reads_nothing_of_it_a_minute_later() -> None:
    slack, moments = Slack(), [0.0]
    found = people(slack, moments)
    await found.channel_access("C2")
    await found.channel_access("C2")
    assert slack.web.calls.count("info C2") == 1

    moments.append(CACHE_SECONDS)
    await found.channel_access("C2")
    assert slack.web.calls.count("info C2") == 2


async def test_where_slack_does_not_say_nobody_is_in_it_and_it_is_asked_again() -> None:
    slack = Slack()
    found = people(slack, [0.0])

    assert [await found.channel_access("C3"), await found.channel_access("C3")] == [UNKNOWN, UNKNOWN]
    assert slack.web.calls == ["info C3", "info C3"]


async def test_what_slack_said_of_a_channel_is_known_for_ten_minutes_without_asking_it() -> None:
    slack, moments = Slack(), [0.0]
    found = people(slack, moments)
    for channel in ("C1", "C2", "C3"):
        await found.channel_access(channel)
    calls = len(slack.web.calls)

    assert {channel: access.is_private for channel, access in found.known_channels().access.items()} == {
        "C1": False,
        "C2": True,
    }
    moments.append(CHANNELS_SECONDS)
    assert not found.known_channels().access and len(slack.web.calls) == calls


async def test_public_channels_that_the_bot_is_in_are_known_by_one_call_and_private_ones_are_asked_for() -> None:
    slack = Slack()
    found = people(slack, [0.0])

    assert await found.read_channels() == {"C1"}
    assert await found.channel_access("C1") == ChannelAccess(is_shared=True)
    assert slack.web.calls == ["list public_channel,private_channel"]
    assert (await found.channel_access("C2")).is_private


async def test_where_the_list_is_not_answered_each_channel_is_asked_for() -> None:
    slack = Slack()
    slack.web.mute = True
    found = people(slack, [0.0])

    assert await found.read_channels() == frozenset()
    assert await found.channel_access("C1") == ChannelAccess(is_shared=True)
