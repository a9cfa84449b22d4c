"""In which order many triages work: the facts of new groups are gathered before causes are ranked, within bounds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

AT_ONCE = 2
"""Triages that gather, and as many that rank, at the same time: a storm must not keep the loop from showing the next card."""
LONGEST_SECONDS = 10.0
"""A ranking waits no longer for the facts of others: in a storm that does not end causes are found all the same."""


class TriageOrder:
    """Both take the same processor, and people read facts first. Timing only: a replay takes the same steps."""

    def __init__(self, *, at_once: int = AT_ONCE, longest: float = LONGEST_SECONDS) -> None:
        self._gathering, self._ranking = asyncio.Semaphore(at_once), asyncio.Semaphore(at_once)
        self._longest = longest
        self._waiting = 0
        """Groups whose facts do not stand yet."""
        self._gathered = asyncio.Event()
        self._gathered.set()

    @asynccontextmanager
    async def gathering(self) -> AsyncIterator[None]:
        """Wait for a turn to gather the facts of a group, and hold it."""
        self._waiting += 1
        self._gathered.clear()
        try:
            async with self._gathering:
                yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._gathered.set()

    @asynccontextmanager
    async def ranking(self) -> AsyncIterator[None]:
        """Wait for a turn to rank causes, and hold it; at most so long for the facts of other groups."""
        async with self._ranking:
            try:
                async with asyncio.timeout(self._longest):
                    await self._gathered.wait()
            except TimeoutError:
                pass
            yield
