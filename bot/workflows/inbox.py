"""The inbox: reads committed alerts behind a cursor. The cursor is the recovery: what was not read is read after a restart."""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable

import structlog

from bot.core.actor import KnownChannels
from bot.core.alerts.storm import suspected_origin
from bot.core.config import Config
from bot.core.lasting_failures import FailureTracker
from bot.core.service import Catalogue
from bot.ports import Engine
from bot.store.alerts.sorting.inbox import InboxReader
from bot.store.alerts.sorting.sorter import Sorter
from bot.store.db.database import Database, DatabaseUnavailable

log = structlog.get_logger(__name__)
MAX_BATCH_ROWS = 250
"""Rows a transaction: a larger one holds SQLite's one writer, and the loop, for longer than an answer may wait."""
FIRST_BATCH_ROWS = 16
"""Rows of the first batch after a rest; each further one has twice as many. The first card of a storm waits for no more."""
MAX_TRIES = 5
"""A row that fails so often is set aside, and the queue goes on."""
REST_SECONDS = 0.02
"""After a batch that emptied the inbox. The first alert after a rest is sorted at once, later ones at most so much later."""
POLL_SECONDS = 0.1
"""How long a commit of another replica may go unnoticed."""
SQLITE_POLL_SECONDS = 5.0
"""On SQLite, where every commit wakes the inbox."""
MAX_STARTED_BEFORE_SORTED = 8
"""Triages that are started while more waits to be sorted: the cards of a storm come before the causes of its first groups."""
MAX_ORDERED = 500
"""Of more triages the origin's is not looked for: that takes longer than it saves."""
MAX_STARTED_PER_BATCH = 2
"""Triages that are started before the inbox reads on, while something new is stored: it may be another source's worst."""
MAX_HOLD_SECONDS = 3.0
"""The others wait no longer for the end of a storm than this."""


class Inbox:
    """The loop. `wake` is set by intake after each commit."""

    def __init__(
        self,
        db: Database,
        config: Config,
        catalogue: Catalogue,
        engine: Engine,
        wake: asyncio.Event,
        *,
        is_leader: Callable[[], bool] = lambda: True,
        channels: Callable[[], KnownChannels] = KnownChannels,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`is_leader`: whether this replica sorts. One does: what it remembers of the open alerts is worth most of the price.

        `channels`: what is known of channels now.
        """
        self.reader = InboxReader(db, Sorter(db, config, catalogue, channels))
        self.catalogue = catalogue
        self.engine = engine
        self.wake = wake
        self.is_leader = is_leader
        self.pause = pause
        self._monotonic = monotonic
        self._outages = FailureTracker()
        self._held_since = 0.0
        self._started_before_sorted = 0
        self._alive = False
        self._failures = 0
        self._batch_rows = FIRST_BATCH_ROWS
        self._more_waits = True
        self._unordered = True
        """Whether triages came since those that wait were put in order."""
        self._unstarted: deque[tuple[str, int]] | None = None
        """Triages whose groups are committed; None until they were read from the table after the start."""
        self._reread = False

    def reread_unstarted(self) -> None:
        """Another process has died: its groups may be committed and their triages not begun. Read with the next batch."""
        self._reread = True
        self.wake.set()

    def alive(self) -> bool:
        return self._alive

    async def run(self) -> None:
        """Read until cancelled. An error is logged and tried again; a row that always fails is set aside."""
        self._alive = True
        try:
            while True:
                self.wake.clear()
                if not self.is_leader() or not await self.once():
                    await self._wait_for_commit()
                elif not self._more_waits:
                    # What trickles in is sorted together, and intake has the one writer to itself meanwhile.
                    await self.pause(REST_SECONDS)
                    await self._wait_for_commit()
        finally:
            self._alive = False

    async def once(self) -> bool:
        """Read one batch and start its triages; False if there was nothing to read, or reading on at once makes no sense."""
        try:
            await self._start()
            more = await self._read()
            await self._start()
        except DatabaseUnavailable as error:
            if (figures := self._outages.record("database", "", self._monotonic())) is not None:
                log.warning("inbox waits for the database", why=str(error), **figures)
            return False
        except Exception:
            log.exception("inbox could not start triages", error_id=secrets.token_hex(4), waiting=len(self._unstarted or ()))
            return False
        if (figures := self._outages.recovered("database", self._monotonic())) is not None:
            log.info("inbox goes on", **figures)
        return more

    async def _read(self) -> bool:
        try:
            result = await self.reader.take(self._batch_rows)
        except DatabaseUnavailable:
            raise
        except Exception:
            log.exception("inbox batch failed", error_id=secrets.token_hex(4), rows=self._batch_rows, failures=self._failures)
            await self._failed()
            return True
        self._more_waits = result is not None and result.more
        self._failures, self._batch_rows = (
            0,
            min(MAX_BATCH_ROWS, self._batch_rows * 2) if self._more_waits else FIRST_BATCH_ROWS,
        )
        if result is not None and self._unstarted is not None:
            self._unstarted.extend(result.triages)
            self._unordered = self._unordered or bool(result.triages)
        return result is not None

    async def _failed(self) -> None:
        """A batch that fails is read again row by row; the one row that fails MAX_TRIES times is set aside."""
        self.wake.set()
        if self._batch_rows > 1:
            self._batch_rows = 1
            return
        self._failures += 1
        if self._failures >= MAX_TRIES:
            await self.reader.set_aside()
            self._failures = 0
        else:
            await self.pause(min(2.0, 0.05 * 2**self._failures))

    async def _start(self) -> None:
        """Start what is committed; whatever fails stays and is started with the next batch."""
        if self._unstarted is None or self._reread:
            self._reread = False
            self._unstarted = deque(await self.reader.unstarted())
        if self._unordered and not self._must_hold():
            self._put_origin_first(self._unstarted)
            self._unordered = False
        started = 0
        while self._unstarted and not self._must_hold() and not (self.wake.is_set() and started >= MAX_STARTED_PER_BATCH):
            ref, attempt = self._unstarted[0]
            await self.engine.start("triage", f"triage:{ref}:{attempt}", ref, attempt)
            self._unstarted.popleft()
            self._started_before_sorted, started = self._started_before_sorted + 1, started + 1

    def _put_origin_first(self, waiting: deque[tuple[str, int]]) -> None:
        """Of the many groups of a storm those of the service that the others depend on: their facts say most."""
        if not MAX_STARTED_BEFORE_SORTED < len(waiting) <= MAX_ORDERED:
            return
        services = {ref: self.reader.service_of(ref) for ref, _ in waiting}
        depends_on = {name: service.depends_on for name, service in self.catalogue.services.items()}
        if origin := suspected_origin(list(services.values()), depends_on):
            ordered = sorted(waiting, key=lambda triage: services[triage[0]] != origin[0])
            waiting.clear()
            waiting.extend(ordered)

    def _must_hold(self) -> bool:
        """Whether the next triage waits until what came with it is sorted."""
        now = self._monotonic()
        if not self._more_waits or now - self._held_since >= MAX_HOLD_SECONDS:
            self._held_since, self._started_before_sorted = now, 0
        return self._more_waits and self._started_before_sorted >= MAX_STARTED_BEFORE_SORTED

    async def _wait_for_commit(self) -> None:
        try:
            async with asyncio.timeout(SQLITE_POLL_SECONDS if self.reader.db.sqlite else POLL_SECONDS):
                await self.wake.wait()
        except TimeoutError:
            return
