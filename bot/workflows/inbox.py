"""The inbox: reads committed alerts behind a cursor. The cursor is the recovery: what was not read is read after a restart."""

import asyncio
from collections.abc import Sequence

import structlog

from bot.core.config import Config
from bot.core.service import Catalogue
from bot.ports import Engine
from bot.store.database import Database
from bot.store.inbox import Inbox as Rows
from bot.store.sorting import Sorter

log = structlog.get_logger(__name__)
BATCH = 1000
TRIES = 5
"""A row that fails so often is set aside, and the queue goes on."""
POLL_SECONDS = 0.5
"""How long a commit of another replica may go unnoticed."""


class Inbox:
    """The loop. `wake` is set by intake after each commit."""

    def __init__(self, db: Database, config: Config, catalogue: Catalogue, engine: Engine, wake: asyncio.Event) -> None:
        self.rows = Rows(db, Sorter(db, config, catalogue))
        self.engine = engine
        self.wake = wake
        self._alive = False
        self._failures = 0

    def alive(self) -> bool:
        return self._alive

    async def run(self) -> None:
        """Read until cancelled. An error is logged and tried again; a poisoned row is set aside."""
        self._alive = True
        try:
            await self._start(await self.rows.unstarted())
            while True:
                self.wake.clear()
                if not await self.once():
                    await self._wait()
        finally:
            self._alive = False

    async def once(self) -> bool:
        """Read one batch; whether there was one."""
        try:
            result = await self.rows.take(BATCH if self._failures == 0 else 1)
        except Exception:
            self._failures += 1
            log.exception("inbox batch failed", tries=self._failures)
            if self._failures >= TRIES:
                await self.rows.set_aside()
                self._failures = 0
            else:
                await asyncio.sleep(min(2.0, 0.1 * 2**self._failures))
            return True
        self._failures = 0
        if result is None:
            return False
        await self._start(result.triages)
        return True

    async def _start(self, triages: Sequence[tuple[str, int]]) -> None:
        for ref, attempt in triages:
            await self.engine.start("triage", f"triage:{ref}:{attempt}", ref, attempt)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self.wake.wait()
        except TimeoutError:
            return
