"""What stands in a channel, as Slack has it: read to find what was missed, and what a thread is about."""

from typing import Any

from bot.slack.client import MOST_PAGES, PAGE, SlackClient

Json = dict[str, Any]
"""A message as Slack documents it."""


class ChannelHistory:
    """Reads alone, but for joining. Every method raises a TocsinError where Slack refuses or cannot be reached."""

    def __init__(self, slack: SlackClient) -> None:
        self._slack = slack

    async def own_ids(self) -> frozenset[str]:
        """The ids under which Tocsin itself posts: its user and its bot."""
        answer = await self._slack.call(self._slack.web.auth_test)
        return frozenset(str(answer[part]) for part in ("user_id", "bot_id") if answer.get(part))

    async def join(self, channel: str) -> None:
        """Enter a public channel; nothing happens where the bot is in it already."""
        await self._slack.call(self._slack.web.conversations_join, channel=channel)

    async def message(self, channel: str, ts: str) -> Json | None:
        """One message of a channel; None if it is gone."""
        answer = await self._slack.call(self._slack.web.conversations_replies, channel=channel, ts=ts, limit=1)
        messages: list[Json] = answer.get("messages") or []
        return messages[0] if messages and messages[0].get("ts") == ts else None

    async def since(self, channel: str, oldest: str) -> list[Json]:
        """The messages after a moment, oldest first; at most a thousand, the newest of them."""
        messages: list[Json] = []
        cursor = ""
        for _ in range(MOST_PAGES):
            answer = await self._slack.call(
                self._slack.web.conversations_history, channel=channel, oldest=oldest, limit=PAGE, cursor=cursor or None
            )
            messages += answer.get("messages") or []
            cursor = (answer.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                break
        return sorted(messages, key=lambda message: float(message["ts"]))
