"""What the sender needs from Slack, and how Slack can refuse."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.core.errors import TocsinError
from bot.store.tables import MessageRow


class Refused(TocsinError):
    """Slack answered with an error: nothing was posted. `reason` is Slack's error code."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"Slack refused: {reason}" + (f" ({detail})" if detail else ""))
        self.reason = reason


class ChannelRefused(Refused):
    """This channel cannot be posted to: archived, unknown, left, restricted."""


class AccessRefused(Refused):
    """The token does not work any more: nothing can be posted anywhere."""


class ContentRefused(Refused):
    """The message itself is refused: invalid_blocks, msg_too_long."""


class MessageGone(Refused):
    """The message to be edited was deleted by a person."""


class RateLimited(TocsinError):
    """429: nothing was posted; not before `seconds` from now."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Slack asks to wait {seconds:g} s")
        self.seconds = seconds


class Unreachable(TocsinError):
    """No connection was made: nothing was posted."""


class Unanswered(TocsinError):
    """The request may have been taken and the answer was lost: search before posting again."""


class LeaseExpired(TocsinError):
    """This process may have been replaced: it must neither send nor record anything."""


Block = dict[str, object]
"""One block of Slack's Block Kit, as JSON."""


class SlackPort(Protocol):
    """Posting and editing. Every post carries our key and revision in its metadata and unfurls nothing."""

    async def post(self, channel: str, text: str, blocks: list[Block], *, thread_ts: str, key: str, rev: int) -> str:
        """Post; the new message's ts."""

    async def update(self, channel: str, ts: str, text: str, blocks: list[Block], *, key: str, rev: int) -> None:
        """Replace a message's content."""

    async def find(self, channel: str, key: str, *, thread_ts: str, oldest: datetime) -> tuple[str, int] | None:
        """The ts and revision of our message with this key, posted since `oldest`; None if there is none."""

    async def upload(self, png: bytes, *, title: str, alt: str) -> str:
        """Upload a picture without sharing it; Slack's file id."""


@dataclass(frozen=True)
class Rendering:
    """A message as it should be now."""

    text: str
    blocks: list[Block]
    urgent_state: str = ""
    """State, severity and who acts, as one string. An edit that leaves it unchanged may wait."""


Render = Callable[[MessageRow], Awaitable[Rendering | None]]
"""The newest state of one message's subject; None if there is nothing to show any more."""


@dataclass(frozen=True)
class DeliveryLimits:
    """The limits of the sender, in seconds and messages."""

    per_channel: float = 1.0
    burst: int = 3
    edits_per_second: float = 0.8
    """chat.update is Tier 3: 50 a minute over the whole workspace."""
    edit_burst: int = 30
    deadline: float = 2.5
    """Shorter than the 3 s after which another process may have taken over."""
    visible_within: float = 8.0
    """A post in flight may become visible this late; an empty search counts only after it."""
    poll: float = 0.2
    idle_poll: float = 1.0
    """Between two polls on SQLite while nothing can be sent now: every commit wakes the sender."""
    rest_poll: float = 5.0
    """While nothing waits for its next try either."""
    triage_gap: float = 1.0
    """Between two edits of a triage's message: its facts, its causes and why nothing is proposed often come at once."""
    scarce_gap: float = 3.0
    """The same while less than half a burst of edits is left: many are triaged at once, and each needs one for its cause."""
    scarce_counts_gap: float = 12.0
    """Then also between two edits of a message of which nothing but counts changes."""
    gaps: tuple[tuple[int, float], ...] = field(default=((1, 5.0), (30, 45.0), (45, 60.0)))
    """Edits so far -> seconds between edits while nothing but counts changes; at most 60 edits for a fault of half an hour."""
    slowest: float = 300.0

    def gap(self, edits: int) -> float:
        """Seconds to leave before the next edit that only refreshes counts."""
        return next((seconds for most, seconds in self.gaps if edits < most), self.slowest)
