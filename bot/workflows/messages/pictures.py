"""Stored pictures in a message: uploaded once, and replaced by their text where Slack does not take them."""

import asyncio
from dataclasses import replace

from bot.store.slack.outbox import Outbox
from bot.workflows.messages.delivery import Block, RateLimited, Refused, Rendering, SlackPort, Unanswered, Unreachable
from bot.workflows.messages.delivery_health import SlackFailureLog

UPLOAD_SECONDS = 10


class Pictures:
    """Puts Slack's image blocks where a rendering names stored pictures."""

    def __init__(self, outbox: Outbox, slack: SlackPort, failures: SlackFailureLog) -> None:
        self.outbox, self.slack, self.failures = outbox, slack, failures

    async def within(self, rendering: Rendering) -> Rendering:
        """The rendering with its pictures; instead of one that cannot be uploaded its text, which says that it is missing."""
        blocks = [await self._picture(block) if "picture" in block else block for block in rendering.blocks]
        return replace(rendering, blocks=blocks)

    async def _picture(self, block: Block) -> Block:
        row = await self.outbox.picture(str(block["picture"]))
        if row is None:
            return _missing("The graph is not stored any more")
        file = row.slack_file
        if not file:
            try:
                async with asyncio.timeout(UPLOAD_SECONDS):
                    file = await self.slack.upload(row.png, title=row.title, alt=row.alt)
            except (Refused, RateLimited, Unreachable, Unanswered, TimeoutError) as error:
                self.failures.record(error, channel="pictures", key=row.key, doing="upload a picture")
                return _missing(f"The graph could not be uploaded. {row.alt}")
            await self.outbox.uploaded(row.key, file)
        return {"type": "image", "slack_file": {"id": file}, "alt_text": row.alt[:2000] or row.title}


def without_file(block: Block) -> Block:
    """A block whose picture Slack refused, in words; any other as it is."""
    return _missing(f"The graph could not be shown. {block['alt_text']}") if "slack_file" in block else block


def _missing(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "plain_text", "text": text[:2000], "emoji": False}]}
