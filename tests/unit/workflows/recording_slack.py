"""A Slack that remembers, for the sender's tests: it refuses what it is told to refuse."""

from datetime import datetime
from typing import Any

from bot.workflows.messages.delivery import ChannelRefused


class RecordingSlack:
    """`SlackPort` in memory. `answers` holds, per coming call, an exception to raise; `takes_anyway` posts before raising.
    `lookup_failures` holds the same per coming look-up."""

    def __init__(self) -> None:
        self.messages: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, str]] = []
        self.answers: list[Exception] = []
        self.lookup_failures: list[Exception] = []
        self.takes_anyway = False
        self.refusing: dict[str, str] = {}
        """Channels that refuse posts, with Slack's reason."""

    def standing(self, key: str) -> list[dict[str, Any]]:
        return [message for message in self.messages.values() if message["key"] == key]

    async def post(self, channel: str, text: str, blocks: list[dict[str, Any]], *, thread_ts: str, key: str, rev: int) -> str:
        self.calls.append(("post", key))
        if reason := self.refusing.get(channel):
            raise ChannelRefused(reason)
        error = self.answers.pop(0) if self.answers else None
        if error and not self.takes_anyway:
            raise error
        ts = f"{len(self.messages) + 1}.0"
        self.messages[ts] = {"channel": channel, "text": text, "blocks": blocks, "thread": thread_ts, "key": key, "rev": rev}
        if error:
            raise error
        return ts

    async def update(self, channel: str, ts: str, text: str, blocks: list[dict[str, Any]], *, key: str, rev: int) -> None:
        self.calls.append(("update", key))
        if self.answers:
            raise self.answers.pop(0)
        self.messages[ts] |= {"text": text, "blocks": blocks, "rev": rev}

    async def find(self, channel: str, key: str, *, thread_ts: str, oldest: datetime) -> tuple[str, int] | None:
        self.calls.append(("find", key))
        if self.lookup_failures:
            raise self.lookup_failures.pop(0)
        return next(((ts, m["rev"]) for ts, m in self.messages.items() if m["key"] == key), None)

    async def upload(self, png: bytes, *, title: str, alt: str) -> str:
        if self.answers:
            raise self.answers.pop(0)
        return "F1"
