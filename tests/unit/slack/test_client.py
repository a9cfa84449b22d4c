"""The client: what Slack's answers mean for the sender."""

from types import SimpleNamespace
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from bot.slack.client import SlackClient
from bot.workflows.messages.delivery import ChannelRefused


def refused(why: str) -> SlackApiError:
    return SlackApiError("", SimpleNamespace(status_code=200, data={"ok": False, "error": why}))


class PrivateChannel:
    """Slack's Web API, about a private channel that the bot is not in."""

    async def chat_postMessage(self, **_: Any) -> Any:
        raise refused("not_in_channel")

    async def conversations_join(self, **_: Any) -> Any:
        raise refused("method_not_supported_for_channel_type")


async def test_a_private_channel_that_nobody_invites_the_bot_to_refuses_and_not_slack() -> None:
    web: Any = PrivateChannel()

    with pytest.raises(ChannelRefused, match="not_in_channel"):
        await SlackClient(web).post("C1", "text", [], thread_ts="", key="card:AL-1", rev=1)
