"""The journal on PostgreSQL, shared by replicas: each beats, and the living resume the runs of the dead.

The beats have a thread of their own: a busy event loop is not a dead process.
A process whose connection is gone starts nothing until it has its name back on
a new one; if another has taken its place meanwhile, it exits.
"""

import asyncio
import os
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import psycopg
import structlog

from bot.engine import locks
from bot.engine.placement import Leading, Resume

log = structlog.get_logger(__name__)

BEAT_SECONDS = 0.5
FENCE_SECONDS = 3.0
"""A beat older than this belongs to a process that is paused or cut off."""
ACT_SECONDS = 2.5
"""After a beat of its own a process may act for so long; shorter than the fence, so that it stops before it is replaced."""
LOST_EXIT = 70


def exit_now(why: str) -> None:
    """End this process without another word to anybody."""
    log.critical("this process has lost its place and exits", why=why)
    os._exit(LOST_EXIT)


class Replaced(Exception):
    """Our row is gone: somebody else has buried us."""


class Replica:
    """One of several processes on one PostgreSQL. `on_lost` must not return to the stories."""

    sqlite = False

    def __init__(self, url: str, *, on_lost: Callable[[str], None] = exit_now) -> None:
        self.executor = uuid.uuid4().hex
        self._url = url
        self._on_lost = on_lost
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._live, name="tocsin-beat", daemon=True)
        self._taking: dict[str, Future[None]] = {}
        self._beat_at = 0.0
        self.session_name = locks.session_name(self.executor)
        self._leads = False
        self._modest_until = 0.0

    def journal_settings(self) -> dict[str, Any]:
        url = "postgresql://" + self._url.split("://", 1)[1]
        connection = {"application_name": self.session_name, "connect_timeout": 5}
        return {
            "system_database_url": url,
            "dbos_system_schema": "dbos",
            "db_engine_kwargs": {"connect_args": connection},
        }

    async def take(self, resume: Resume, leading: Leading) -> None:
        """Join the others and begin to beat. Raises psycopg.Error when the database cannot be reached."""
        self._loop = asyncio.get_running_loop()
        self._resume, self._leading = resume, leading
        self._connection = await asyncio.to_thread(locks.connect, self._url, self.executor)
        await asyncio.to_thread(locks.join, self._connection, self.executor)
        self._beat_at = time.monotonic()
        self._thread.start()

    async def permit(self) -> None:
        while time.monotonic() > self.acts_until():
            await asyncio.sleep(BEAT_SECONDS / 10)

    def acts_until(self) -> float:
        return self._beat_at + ACT_SECONDS

    async def give_back(self) -> None:
        """Leave; our row stays, so that whoever is alive (or starts next) takes over what is unfinished."""
        self._leaving.set()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)
            self._connection.close()

    def _live(self) -> None:
        while True:
            try:
                self._round()
            except psycopg.Error as error:
                log.warning("the database is away; nothing is begun until it is back", why=type(error).__name__)
                if not self._regained():
                    return
            except Replaced as error:
                self._lost(str(error))
                return
            if self._leaving.wait(BEAT_SECONDS):
                return

    def _lost(self, why: str) -> None:
        if not self._leaving.is_set():
            self._on_lost(why)

    def _regained(self) -> bool:
        """Connect again, for as long as it takes. False: this process is leaving, or was replaced."""
        self._connection.close()
        self._taking.clear()
        while not self._leaving.is_set():
            try:
                self._connection = locks.connect(self._url, self.executor)
                ours = locks.rejoin(self._connection, self.executor, leads=self._leads)
            except psycopg.Error:
                self._leaving.wait(BEAT_SECONDS)
                continue
            if not ours:
                self._lost("another process has taken over while this one was cut off")
            # All come back at the same time: who is a moment later than we are is not dead.
            self._modest_until = time.monotonic() + FENCE_SECONDS
            log.info("the database is back", executor=self.executor)
            return ours
        return False

    def _round(self) -> None:
        began = time.monotonic()
        if not locks.beat(self._connection, self.executor):
            raise Replaced("another process has taken over its runs")
        # The beat came through on the connection that holds our lock: the lock was ours after `began`.
        self._beat_at = began
        if began < self._modest_until:
            return
        if not self._leads and locks.try_lock(self._connection, locks.LEADER):
            self._leads = True
            log.info("this process leads", executor=self.executor)
            self._loop.call_soon_threadsafe(self._leading.become)
        for other, age in locks.others(self._connection, self.executor):
            self._look_after(other, age)

    def _look_after(self, other: str, age: float) -> None:
        if other in self._taking:
            self._finish(other, self._taking[other])
        elif locks.try_lock(self._connection, other):
            log.warning("a process is dead; its runs are taken over", executor=other)
            locks.end_sessions(self._connection, other)
            self._taking[other] = asyncio.run_coroutine_threadsafe(_awaited(self._resume, other), self._loop)
        elif age > FENCE_SECONDS:
            log.warning("a process does not beat any more; it is fenced", executor=other, seconds=round(age, 1))
            locks.fence(self._connection, other)

    def _finish(self, other: str, taking: "Future[None]") -> None:
        if not taking.done():
            return
        del self._taking[other]
        if (error := taking.exception()) is None:
            locks.bury(self._connection, other)
        else:
            log.error("runs could not be taken over; trying again", executor=other, why=repr(error))
            locks.unlock(self._connection, other)


async def _awaited(resume: Resume, executor: str) -> None:
    await resume(executor)
