"""Yields to the event loop within long work that never waits: others have requests to answer meanwhile."""

import asyncio
import time

LONGEST_SECONDS = 0.002


class LoopYield:
    """Lets others run where the last time is a while ago: to do so after each step would cost as much as the step."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    async def when_due(self) -> None:
        """Let others run if they have waited for long."""
        if time.perf_counter() - self._since >= LONGEST_SECONDS:
            await asyncio.sleep(0)
            self._since = time.perf_counter()
