"""Group commit: one writer commits whatever has queued up, and each request waits for its commit.

No timer: an idle single alert pays one commit, a flood shares it.
"""

import asyncio
import secrets
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot.core.alert import Alert
from bot.core.change import Change
from bot.core.errors import TocsinError
from bot.store.alerts.intake import unreadable
from bot.store.alerts.intake.insertion import Batch, insert_batches
from bot.store.alerts.intake.stored_alerts import StoredAlerts
from bot.store.db.database import UNAVAILABLE, Database

log = structlog.get_logger(__name__)
MAX_WAITING_ROWS = 50_000
"""Rows that may wait for a commit; beyond that the answer is 503, and senders retry."""
MAX_ROWS_OF_SOURCE = MAX_WAITING_ROWS // 2
"""Rows of one source that may wait: one that never stops leaves room for the others."""
MAX_ROWS_OF_COMMIT = 2000
"""Rows a commit, of the sources in turn: whoever comes meanwhile waits for no more than this."""
REPEATS_SECONDS = 1.0
"""How long repeats wait to be counted with those that come meanwhile: each count is a transaction of the inbox."""
COMMIT_SECONDS = 8.0
"""Seconds until a request whose commit is not answered fails with Busy; its sender retries, and a second copy does no harm."""

PROBE_SECONDS = 5.0
_PROBE = text("INSERT INTO cursors (name, seq) VALUES ('probe', 1) ON CONFLICT (name) DO UPDATE SET seq = cursors.seq + 1")
"""A row that is written for its own sake; nothing reads it."""

_COMMIT_ERRORS = (SQLAlchemyError, sqlite3.Error, OSError, ValueError, ArithmeticError, TypeError)
"""What a commit may raise: drivers refuse a text or a number that they cannot carry with errors of their own."""

_REFUSALS = (*UNAVAILABLE, sqlite3.OperationalError)
"""What it raises while the database takes nothing; plain statements on SQLite raise the driver's own."""


class Busy(TocsinError):
    """Too much is waiting, or the database does not answer; the sender should retry."""


class IntakeWriter:
    """Takes batches; `committed` is called after each commit, so that the inbox wakes: at once if there is anything new."""

    def __init__(
        self, db: Database, committed: Callable[[], None], *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self.db = db
        self.committed = committed
        self._pause = pause
        self._probe: asyncio.Task[None] | None = None
        """Runs from a commit that the database did not take until it takes something again."""
        self.stored = StoredAlerts()
        self._waiting: dict[str, deque[Batch]] = {}
        self._writing: Sequence[Batch] = ()
        self._waiting_rows: dict[str, int] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._overdue_timer: asyncio.TimerHandle | None = None
        self._repeats_timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="intake")

    async def stop(self) -> None:
        """Commit what waits, then end."""
        if self._task:
            task, self._task = self._task, None
            self._wake.set()
            await task
        for timer in filter(None, (self._overdue_timer, self._repeats_timer)):
            timer.cancel()
        self._end_probe()

    def alive(self) -> bool:
        return self._task is not None and not self._task.done()

    def healthy(self) -> bool:
        """Whether it runs and the database takes what it writes: one whose disk is full still answers every question."""
        return self.alive() and self._probe is None

    async def put(
        self,
        alerts: Sequence[Alert],
        changes: Sequence[Change],
        received_at: datetime,
        *,
        source: str = "",
        repeats: Sequence[int] = (),
        digests: Sequence[bytes] = (),
    ) -> None:
        """Return after the commit. Raises Busy when too much waits or the commit failed: nothing was acknowledged.

        `repeats`: numbers of stored alerts that the source delivers again; `digests`: by which `stored` finds each of the
        alerts from now on, empty for one that it must not find.
        """
        loop = asyncio.get_running_loop()
        rows = [{**change.model_dump(exclude={"by_action", "undone_at"}), "received_at": received_at} for change in changes]
        batch = Batch(source, alerts, digests, repeats, rows, received_at, loop.time(), loop.create_future())
        waiting_rows = self._waiting_rows.get(source, 0)
        if not self._fits(waiting_rows, batch.size) or not self.alive():
            raise Busy("too many alerts are waiting for the database")
        self._waiting.setdefault(source, deque()).append(batch)
        self._waiting_rows[source] = waiting_rows + batch.size
        if self._overdue_timer is None:
            self._overdue_timer = loop.call_later(COMMIT_SECONDS, self._fail_overdue)
        self._wake.set()
        await batch.done

    def _fits(self, of_source: int, more: int) -> bool:
        return of_source + more <= MAX_ROWS_OF_SOURCE and sum(self._waiting_rows.values()) + more <= MAX_WAITING_ROWS

    def _fail_overdue(self) -> None:
        """Fail what has waited too long. One timer for all: each request's own would cost more than its insert."""
        loop = asyncio.get_running_loop()
        waiting = [*self._writing, *(batch for queue in self._waiting.values() for batch in queue)]
        for batch in waiting:
            if not batch.done.done() and loop.time() - batch.since >= COMMIT_SECONDS:
                batch.done.set_exception(Busy("the database does not answer"))
        self._overdue_timer = loop.call_later(COMMIT_SECONDS / 8, self._fail_overdue) if waiting else None

    async def keep_unreadable(self, source: str, body: bytes, problem: str, received_at: datetime) -> None:
        """Keep a body that could not be read. Raises Busy if the database does not take it."""
        try:
            async with self.db.write(in_turn=False) as session:
                await unreadable.keep(session, source, body, problem, received_at)
        except _COMMIT_ERRORS as error:
            log.error("an unreadable body was not stored", source=source, why=type(error).__name__)
            raise Busy("the database did not take the body") from None

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                self._writing = self._next_batches()
                await self._commit(self._writing)
                self._writing = ()
            if self._task is None:
                return

    def _next_batches(self) -> list[Batch]:
        """What the next commit takes: the sources in turn, whoever was served goes to the end."""
        batches: list[Batch] = []
        rows = 0
        while self._waiting and rows < MAX_ROWS_OF_COMMIT:
            source, queue = next(iter(self._waiting.items()))
            batch = queue.popleft()
            del self._waiting[source]
            if queue:
                self._waiting[source] = queue
            self._waiting_rows[source] -= batch.size
            rows += batch.size
            batches.append(batch)
        if not self._waiting:
            self._waiting_rows.clear()
        return batches

    async def _commit(self, batches: Sequence[Batch]) -> None:
        """Commit all at once; if that fails, each alone, so that one bad row is the failure of its own sender only."""
        if await self._try_to_write(batches):
            self._announce(batches)
        elif len(batches) > 1:
            for batch in batches:
                if await self._try_to_write([batch]):
                    self._announce([batch])

    def _announce(self, batches: Sequence[Batch]) -> None:
        if any(batch.alerts or batch.changes for batch in batches):
            self.committed()
        elif self._repeats_timer is None:
            self._repeats_timer = asyncio.get_running_loop().call_later(REPEATS_SECONDS, self._announce_repeats)

    def _announce_repeats(self) -> None:
        self._repeats_timer = None
        self.committed()

    async def _try_to_write(self, batches: Sequence[Batch]) -> bool:
        try:
            async with self.db.write(in_turn=False, urgent=True) as session:
                numbers = await insert_batches(self.db, session, batches)
        except Exception as error:
            if isinstance(error, _REFUSALS) and self._probe is None:
                self._probe = asyncio.create_task(self._write_until_taken(), name="intake probe")
            # The loop must go on whatever it was: a writer that ended would answer 503 until a restart.
            expected = isinstance(error, _COMMIT_ERRORS)
            log.error(
                "intake commit failed",
                error_id=secrets.token_hex(4),
                rows=sum(batch.size for batch in batches),
                why=type(error).__name__,
                exc_info=None if expected else error,
            )
            if len(batches) == 1 and not batches[0].done.done():
                batches[0].done.set_exception(Busy("the database did not take the alerts"))
            return False
        self._end_probe()
        self._index_digests(batches, numbers)
        for batch in batches:
            if not batch.done.done():
                batch.done.set_result(None)
        return True

    async def _write_until_taken(self) -> None:
        """Not left to the next alert: whoever reads /readyz may send none until this process is well."""
        while True:
            await self._pause(PROBE_SECONDS)
            try:
                async with self.db.write(in_turn=False) as session:
                    await (await session.connection()).execute(_PROBE)
            except _REFUSALS:
                continue
            log.info("the database takes alerts again")
            self._probe = None
            return

    def _end_probe(self) -> None:
        if self._probe is not None:
            self._probe.cancel()
            self._probe = None

    def _index_digests(self, batches: Sequence[Batch], numbers: Sequence[int]) -> None:
        of_alert = iter(numbers)
        for batch in batches:
            own = [next(of_alert) for _ in batch.alerts]
            for digest, number in zip(batch.digests, own, strict=False):
                if digest:
                    self.stored.put(digest, number, batch.received_at)
