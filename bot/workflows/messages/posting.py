"""Posts and edits one message, also when Slack's answer is lost."""

import asyncio
import hashlib
import json
import math
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog

from bot.core.messages.withheld import refusal_text
from bot.store.slack.outbox import NO_ACCESS, Outbox
from bot.store.tables import MessageRow
from bot.workflows.messages.delivery import (
    AccessRefused,
    Block,
    ChannelRefused,
    ContentRefused,
    DeliveryLimits,
    LeaseExpired,
    MessageGone,
    RateLimited,
    Refused,
    Rendering,
    SlackPort,
    Unanswered,
    Unreachable,
)
from bot.workflows.messages.delivery_health import SlackFailureLog
from bot.workflows.messages.fallback import GIVE_UP_FOR, Fallback
from bot.workflows.messages.pictures import Pictures, without_file

T = TypeVar("T")

log = structlog.get_logger(__name__)

REMEMBERED = 5000
"""Messages whose last content is remembered, to save edits that change nothing."""
PICTURE_READY = 1.5
"""Slack processes an upload for a moment, and refuses a message that shows it too early."""

_MENTION = re.compile(r"<@[A-Z0-9]+>")

Count = Callable[[str, str, bool], None]
"""Called with channel, kind and whether it was an edit, after Slack took a message."""


class Poster:
    """Brings one message into the state it should have. Raises RateLimited and AccessRefused, for which the sender waits."""

    def __init__(
        self,
        outbox: Outbox,
        slack: SlackPort,
        *,
        fallback: Fallback,
        limits: DeliveryLimits,
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        count: Count,
        failures: SlackFailureLog,
        lease_until: Callable[[], float] = lambda: math.inf,
    ) -> None:
        """`lease_until`: the monotonic moment from which on another process may send in our place."""
        self.outbox, self.slack, self.limits, self.count, self.failures = outbox, slack, limits, count, failures
        self.fallback = fallback
        self._monotonic, self._sleep, self._lease_until = monotonic, sleep, lease_until
        self._pictures = Pictures(outbox, slack, failures)
        self._last: OrderedDict[str, tuple[str, str]] = OrderedDict()

    # ------------------------------------------------------------ what an edit is worth

    def is_unchanged(self, row: MessageRow, rendering: Rendering) -> bool:
        """Whether it is posted with this content."""
        return self._last.get(row.key, ("", ""))[0] == _hash(rendering)

    def is_minor(self, row: MessageRow, rendering: Rendering) -> bool:
        """Whether only counts changed since it was last shown."""
        return row.key in self._last and self._last[row.key][1] == rendering.urgent_state

    def _remember(self, row: MessageRow, rendering: Rendering) -> None:
        self._last[row.key] = (_hash(rendering), rendering.urgent_state)
        self._last.move_to_end(row.key)
        while len(self._last) > REMEMBERED:
            self._last.popitem(last=False)

    # ------------------------------------------------------------ edit

    async def edit(self, row: MessageRow, rendering: Rendering) -> None:
        """Replace the posted content. A lost answer does no harm: the same edit is made again."""
        channel = row.posted_channel or row.channel

        async def update(shown: Rendering) -> None:
            await self.slack.update(channel, row.ts, shown.text, shown.blocks, key=row.key, rev=row.wanted_rev)

        try:
            await self._send_first_accepted(row, await self._pictures.within(rendering), update)
        except MessageGone:
            await self.outbox.gone(row.key)
        except RateLimited as error:
            await self.outbox.not_posted(row.key, retry_in=error.seconds, why=row.undelivered)
            raise
        except (Unreachable, Unanswered, Refused) as error:
            await self._edit_failed(row, error)
        else:
            self.failures.recovered(channel)
            self._remember(row, rendering)
            why = row.undelivered if channel != row.channel else ""
            await self.outbox.sent(row.key, row.wanted_rev, ts=row.ts, channel=channel, edited=True, why=why)
            self.count(channel, row.kind, True)

    async def _edit_failed(self, row: MessageRow, error: Unreachable | Unanswered | Refused) -> None:
        if isinstance(error, AccessRefused):
            await self.outbox.not_posted(row.key, retry_in=10.0, why=NO_ACCESS + error.reason)
            raise error
        why = error.reason if isinstance(error, Refused) else row.undelivered
        self.failures.record(error, channel=row.posted_channel or row.channel, key=row.key, doing="edit")
        retry_in = GIVE_UP_FOR if isinstance(error, Refused) else back_off(row.failures)
        await self.outbox.not_posted(row.key, retry_in=retry_in, why=why)

    # ------------------------------------------------------------ post

    async def note_attempt(self, row: MessageRow) -> None:
        """Note that a message may stand in Slack from now on. Raises LeaseExpired."""
        self._lease_end()
        await self.outbox.attempt(row.key)

    async def post(self, row: MessageRow, parent: MessageRow | None, rendering: Rendering) -> None:
        """Post it once. If an earlier try may have succeeded, search for it first."""
        thread_ts = parent.ts if parent else ""
        channel = (parent.posted_channel or parent.channel) if parent else row.channel or self.fallback.channel
        if row.attempted_at is not None and await self._posted_or_too_early(row, channel, thread_ts):
            return
        shown = await self._pictures.within(rendering)
        await self.note_attempt(row)
        try:
            await self._post(row, channel, thread_ts, shown)
        except ChannelRefused as error:
            self.failures.record(error, channel=channel, key=row.key, doing="post")
            await self._channel_refused(row, parent, channel, shown, error)
        except RateLimited as error:
            await self.outbox.not_posted(row.key, retry_in=error.seconds)
            raise
        except AccessRefused as error:
            await self.outbox.not_posted(row.key, retry_in=10.0, why=NO_ACCESS + error.reason)
            raise
        except Refused as error:
            self.failures.record(error, channel=channel, key=row.key, doing="post")
            await self.outbox.not_posted(row.key, retry_in=GIVE_UP_FOR, why=error.reason)
        except Unreachable as error:
            self.failures.record(error, channel=channel, key=row.key, doing="post")
            await self.outbox.not_posted(row.key, retry_in=back_off(row.failures))
        except Unanswered as error:
            self.failures.record(error, channel=channel, key=row.key, doing="post")
            await self.outbox.retry_unconfirmed(row.key, retry_in=1.0)
        self._remember(row, rendering)

    async def _posted_or_too_early(self, row: MessageRow, channel: str, thread_ts: str) -> bool:
        """True if nothing is to be posted now: it is posted, or it is too early to say that it is not."""
        assert row.attempted_at is not None
        early = self.outbox.db.clock() < row.attempted_at + timedelta(seconds=self.limits.visible_within)
        try:
            posted = await self._find(row, channel, thread_ts, row.attempted_at - timedelta(seconds=10))
        except AccessRefused as error:
            await self.outbox.retry_unconfirmed(row.key, retry_in=10.0)
            raise error
        except (RateLimited, Unreachable, Unanswered) as error:
            # No answer does not mean absent: Slack may have taken the message although its answer was as slow.
            self.failures.record(error, channel=channel, key=row.key, doing="search for the message")
            retry_in = error.seconds if isinstance(error, RateLimited) else back_off(row.failures)
            await self.outbox.retry_unconfirmed(row.key, retry_in=retry_in)
            return True
        if posted:
            await self.outbox.sent(row.key, posted[1], ts=posted[0], channel=channel, edited=False)
            await self.fallback.released(row)
        elif early:
            await self.outbox.retry_unconfirmed(row.key, retry_in=1.0)
        return bool(posted) or early

    async def _find(self, row: MessageRow, channel: str, thread_ts: str, oldest: datetime) -> tuple[str, int] | None:
        """Our message's ts and revision. None where Slack refuses the search: posting twice is better than never."""
        try:
            async with asyncio.timeout(self.limits.deadline):
                return await self.slack.find(channel, row.key, thread_ts=thread_ts, oldest=oldest)
        except TimeoutError as error:
            raise Unanswered(f"no answer from Slack within {self.limits.deadline:g} s") from error
        except AccessRefused:
            raise
        except Refused as error:
            self.failures.record(error, channel=channel, key=row.key, doing="search for the message")
            return None

    async def _post(self, row: MessageRow, channel: str, thread_ts: str, shown: Rendering, why: str = "") -> None:
        async def post(variant: Rendering) -> str:
            return await self.slack.post(
                channel, variant.text, variant.blocks, thread_ts=thread_ts, key=row.key, rev=row.wanted_rev
            )

        ts = await self._send_first_accepted(row, shown, post)
        self.failures.recovered(channel)
        await self.outbox.sent(row.key, row.wanted_rev, ts=ts, channel=channel, edited=False, why=why)
        await self.fallback.released(row)
        self.count(channel, row.kind, False)

    async def _channel_refused(
        self, row: MessageRow, parent: MessageRow | None, channel: str, shown: Rendering, error: ChannelRefused
    ) -> None:
        """The default channel takes what everybody may read, once, and says of the rest that it cannot be shown."""
        if not self.fallback.channel or channel == self.fallback.channel:
            await self.outbox.not_posted(row.key, retry_in=GIVE_UP_FOR, why=error.reason)
        elif await self.fallback.allows(row):
            await self._post_elsewhere(row, channel, shown, error)
        else:
            await self.fallback.withhold(row, parent, error.reason)

    async def _post_elsewhere(self, row: MessageRow, channel: str, shown: Rendering, error: ChannelRefused) -> None:
        note = f"Meant for <#{channel}>: Slack refuses it there, because {refusal_text(error.reason)}."
        elsewhere = replace(shown, blocks=[_as_context_block(note), *shown.blocks][:50])
        try:
            await self._post(row, self.fallback.channel, "", elsewhere, f"{error.reason}; posted in the default channel")
        except (Refused, RateLimited, Unreachable, Unanswered) as second:
            # The message must not be posted twice: after a lost answer it is searched for in its own channel only.
            reason = second.reason if isinstance(second, Refused) else "the default channel did not take it"
            await self.outbox.not_posted(row.key, retry_in=GIVE_UP_FOR, why=f"{error.reason}; {reason}")

    async def _send_first_accepted(self, row: MessageRow, shown: Rendering, call: Callable[[Rendering], Awaitable[T]]) -> T:
        """Send the message as it is; if Slack refuses its content, without pictures, then as a plain line."""
        refusal: ContentRefused | None = None
        for variant in _variants(shown):
            if refusal is not None and variant is shown:
                await self._sleep(PICTURE_READY)
            try:
                return await self._call_before(self._monotonic() + self.limits.deadline, partial(call, variant))
            except ContentRefused as error:
                log.error("Slack refused a message's content", key=row.key, why=str(error))
                refusal = error
        assert refusal is not None
        raise refusal

    async def _call_before(self, until: float, call: Callable[[], Awaitable[T]]) -> T:
        """Make one call if it is not too late, and wait for it no longer than allowed."""
        left = min(until, self._lease_end()) - self._monotonic()
        if left <= 0:
            # A process that was paused here may have been replaced meanwhile: it must not send.
            raise Unreachable("too late to send: the deadline passed before the call")
        try:
            async with asyncio.timeout(left):
                return await call()
        except TimeoutError as error:
            raise Unanswered(f"no answer from Slack within {left:.1f} s") from error

    def _lease_end(self) -> float:
        """Until when this process may send. Raises LeaseExpired if that is over."""
        if (until := self._lease_until()) <= self._monotonic():
            raise LeaseExpired("another process may be sending by now")
        return until


def back_off(failures: int) -> float:
    """1, 2, 4, ... at most 30 s."""
    return float(min(30, 2 ** min(failures, 5)))


def _variants(shown: Rendering) -> Iterator[Rendering]:
    """The message, then with less and less content: a plain line is better than none."""
    yield shown
    if any("slack_file" in block for block in shown.blocks):
        yield shown
        yield replace(shown, blocks=[without_file(block) for block in shown.blocks])
    # Whom the message calls, the plain line calls too.
    mentions = "".join(f"{mention} " for mention in dict.fromkeys(_MENTION.findall(json.dumps(shown.blocks))))
    line: Block = {"type": "section", "text": {"type": "mrkdwn", "text": mentions + shown.text, "verbatim": True}}
    yield replace(shown, blocks=[line, _as_context_block("Slack refused the whole message; `show` has the rest")])


def _as_context_block(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}


def _hash(rendering: Rendering) -> str:
    return hashlib.sha256(json.dumps([rendering.text, rendering.blocks], sort_keys=True).encode()).hexdigest()
