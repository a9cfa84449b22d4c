"""The journal on PostgreSQL, shared by replicas: each sends heartbeats, and the living resume the runs of the dead.

Heartbeats are sent by a thread of their own: a busy event loop is not a dead process.
A process that loses its connection starts nothing until it holds its lock again on
a new one; if another process has replaced it meanwhile, it exits.
"""

import asyncio
import os
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future

import psycopg
import structlog

from bot.engine import locks
from bot.engine.journal_owner import JournalSettings, Leadership, Resume

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 0.5
FENCE_SECONDS = 3.0
"""An older heartbeat belongs to a process that is paused or cut off."""
LEASE_SECONDS = 2.5
"""How long a process may act after its own heartbeat; shorter than FENCE_SECONDS, so that it stops before it is replaced."""
REPLACED_EXIT_CODE = 70


def exit_now(why: str) -> None:
    """End this process at once, without any cleanup."""
    log.critical("another process has replaced this one, which exits", why=why)
    os._exit(REPLACED_EXIT_CODE)


class Replaced(Exception):
    """Our row is gone: another process has taken over our runs."""


class Replica:
    """One of several processes on one PostgreSQL. `on_lost` must not return to the workflows."""

    sqlite = False

    def __init__(self, url: str, *, on_lost: Callable[[str], None] = exit_now) -> None:
        self.executor = uuid.uuid4().hex
        self._url = url
        self._on_lost = on_lost
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._send_heartbeats, name="tocsin-heartbeat", daemon=True)
        self._takeovers: dict[str, Future[None]] = {}
        self._heartbeat_at = 0.0
        self.session_name = locks.session_name(self.executor)
        self._leads = False
        self._no_takeover_until = 0.0

    def journal_settings(self) -> JournalSettings:
        url = "postgresql://" + self._url.split("://", 1)[1]
        connection = {"application_name": self.session_name, "connect_timeout": 5}
        return {
            "system_database_url": url,
            "dbos_system_schema": "dbos",
            "db_engine_kwargs": {"connect_args": connection},
        }

    async def acquire(self, resume: Resume, leadership: Leadership) -> None:
        """Register with the other replicas and begin to send heartbeats. Raises psycopg.Error for a database out of reach."""
        self._loop = asyncio.get_running_loop()
        self._resume, self._leadership = resume, leadership
        self._connection = await asyncio.to_thread(locks.connect, self._url, self.executor)
        await asyncio.to_thread(locks.register, self._connection, self.executor)
        self._heartbeat_at = time.monotonic()
        self._thread.start()

    async def permit(self) -> None:
        while time.monotonic() > self.lease_until():
            await asyncio.sleep(HEARTBEAT_SECONDS / 10)

    def lease_until(self) -> float:
        return self._heartbeat_at + LEASE_SECONDS

    async def release(self) -> None:
        """Leave; our row stays, so that another process (or the next one to start) takes over what is unfinished."""
        self._leaving.set()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)
            self._connection.close()

    def _send_heartbeats(self) -> None:
        while True:
            try:
                self._round()
            except psycopg.Error as error:
                log.warning("the database is unreachable; nothing new starts until it is back", why=type(error).__name__)
                if not self._reconnect():
                    return
            except Replaced as error:
                self._lost(str(error))
                return
            if self._leaving.wait(HEARTBEAT_SECONDS):
                return

    def _lost(self, why: str) -> None:
        if not self._leaving.is_set():
            self._on_lost(why)

    def _reconnect(self) -> bool:
        """Connect again, for as long as it takes. False: this process is leaving, or was replaced."""
        self._connection.close()
        self._takeovers.clear()
        while not self._leaving.is_set():
            try:
                self._connection = locks.connect(self._url, self.executor)
                reclaimed = locks.reclaim(self._connection, self.executor, leads=self._leads)
            except psycopg.Error:
                self._leaving.wait(HEARTBEAT_SECONDS)
                continue
            if not reclaimed:
                self._lost("another process has taken over while this one was cut off")
            # All replicas reconnect at about the same time: one that is a moment later than this one is not dead.
            self._no_takeover_until = time.monotonic() + FENCE_SECONDS
            log.info("the database is back", executor=self.executor)
            return reclaimed
        return False

    def _round(self) -> None:
        began = time.monotonic()
        if not locks.heartbeat(self._connection, self.executor):
            raise Replaced("another process has taken over its runs")
        # The heartbeat went through on the connection that holds our lock: the lock was ours after `began`.
        self._heartbeat_at = began
        if began < self._no_takeover_until:
            return
        if not self._leads and locks.try_lock(self._connection, locks.LEADER):
            self._leads = True
            log.info("this process leads", executor=self.executor)
            self._loop.call_soon_threadsafe(self._leadership.acquire)
        for other, age in locks.others(self._connection, self.executor):
            self._check(other, age)

    def _check(self, other: str, age: float) -> None:
        """Take over the runs of another process if it is dead; end its connections if its heartbeats have stopped."""
        if other in self._takeovers:
            self._finish(other, self._takeovers[other])
        elif locks.try_lock(self._connection, other):
            log.warning("a process is dead; its runs are taken over", executor=other)
            locks.end_sessions(self._connection, other)
            self._takeovers[other] = asyncio.run_coroutine_threadsafe(_awaited(self._resume, other), self._loop)
        elif age > FENCE_SECONDS:
            log.warning("a process sends no heartbeats; its connections are ended", executor=other, seconds=round(age, 1))
            locks.fence(self._connection, other)

    def _finish(self, other: str, takeover: "Future[None]") -> None:
        if not takeover.done():
            return
        del self._takeovers[other]
        if (error := takeover.exception()) is None:
            locks.remove(self._connection, other)
        else:
            log.error("runs could not be taken over; trying again", executor=other, why=repr(error))
            locks.unlock(self._connection, other)


async def _awaited(resume: Resume, executor: str) -> None:
    await resume(executor)
