"""The default channel, for messages that their own channel refuses: it takes those that everybody may read, and of the others a
notice."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from bot.core.actor import Visibility
from bot.store.slack.outbox import WITHHELD, Outbox
from bot.store.slack.withheld import WithheldMessages
from bot.store.tables import MessageRow

MayFallBack = Callable[[Visibility, str], Awaitable[bool]]
"""Whether what is visible there may stand in that channel."""
GIVE_UP_FOR = 300.0
"""A channel that refuses is asked again this many seconds later: people invite the bot back."""
WITH_ITS_CARD = timedelta(days=1)
"""Below a card that is kept back nothing is tried by itself: it follows the card."""


async def nothing_may(_of: Visibility, _channel: str) -> bool:
    """Where nobody says what channels are."""
    return False


class Fallback:
    """`channel` is the default one; "" where there is none."""

    def __init__(self, outbox: Outbox, channel: str, may_fall_back: MayFallBack) -> None:
        self.channel = channel
        self._outbox, self._may, self._withheld = outbox, may_fall_back, WithheldMessages(outbox.db)

    async def allows(self, row: MessageRow) -> bool:
        """Whether a message may stand in the default channel as it is."""
        return await self._may(await self._withheld.visibility_of(row), self.channel)

    async def withhold(self, row: MessageRow, parent: MessageRow | None, reason: str) -> None:
        """Keep a message back that its own channel refuses, and say so in the default channel."""
        retry_in = timedelta(seconds=GIVE_UP_FOR)
        await self._withheld.withhold(row, parent, reason, notice_in=self.channel, retry_in=retry_in)

    async def withheld_with_card(self, row: MessageRow, parent: MessageRow | None) -> bool:
        """Keep a message back whose card is; whether that is so."""
        if parent is None or parent.ts or not parent.undelivered.endswith(WITHHELD):
            return False
        reason = parent.undelivered.removesuffix(WITHHELD)
        await self._withheld.withhold(row, parent, reason, notice_in=self.channel, retry_in=WITH_ITS_CARD)
        return True

    async def withdrawn(self, row: MessageRow, parent: MessageRow | None) -> bool:
        """Whether it may stand in the default channel no longer; then its own channel is tried anew."""
        top = parent if parent and parent.ts else row
        elsewhere = top.ts and top.channel and top.posted_channel == self.channel != top.channel
        if not elsewhere or await self.allows(row):
            return False
        await self._outbox.gone(top.key)
        return True

    async def released(self, row: MessageRow) -> None:
        """A message stands in its channel now, after it could not be posted."""
        if row.failures or row.undelivered:
            await self._withheld.released(row)
