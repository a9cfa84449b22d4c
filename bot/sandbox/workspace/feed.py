"""What changed, for the page and for those who wait: a numbered feed with a bell."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

Json = dict[str, Any]
MOST_CHANGES = 2_000


class Feed:
    """Changes in order; each has a number, readers name the last one they have seen."""

    def __init__(self) -> None:
        self.number = 0
        self.closed = False
        self._changes: deque[tuple[int, Json]] = deque(maxlen=MOST_CHANGES)
        self._waiting: set[asyncio.Future[None]] = set()

    def publish(self, kind: str, **fields: Any) -> None:
        """Add a change and wake everybody who waits."""
        self.number += 1
        self._changes.append((self.number, {"kind": kind, **fields}))
        self._wake()

    def close(self) -> None:
        """Nothing more will change: let everybody who waits go."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()

    def since(self, number: int) -> list[tuple[int, Json]] | None:
        """All changes after `number`; None if some were forgotten or the number is another run's (read everything again)."""
        if number == self.number:
            return []
        if number > self.number:
            return None
        if not self._changes or self._changes[0][0] > number + 1:
            return None
        return [change for change in self._changes if change[0] > number]

    async def change(self, timeout_s: float) -> bool:
        """Wait until something changes; False when the time is up."""
        change: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(change)
        try:
            async with asyncio.timeout(timeout_s):
                await change
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(change)
        return True
