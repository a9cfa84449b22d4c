"""Ticks on APScheduler: each slot of time starts one workflow, whose id is the same in all replicas."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bot.core.text.moments import iso_utc
from bot.ports import Engine

log = structlog.get_logger(__name__)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def slot(moment: datetime, every: timedelta) -> datetime:
    """The beginning of the slot that holds `moment`; slots are counted from 1970, so they are the same everywhere."""
    return EPOCH + (moment - EPOCH) // every * every


def tick_name(name: str) -> str:
    """The workflow of a tick."""
    return f"tick:{name}"


def tick_id(name: str, moment: datetime, every: timedelta) -> str:
    """The run of one slot: `tick:<name>:<slot>`."""
    return f"{tick_name(name)}:{iso_utc(slot(moment, every))}"


class Schedule:
    """Starts the tick `name` (registered as workflow `tick:<name>`) at each slot while `is_leader()`.

    The job store is in memory: what is due follows from the clock, and a shared
    store ran ticks twice.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        clock: Callable[[], datetime],
        is_leader: Callable[[], bool] = lambda: True,
        direct: Mapping[str, Callable[[], Awaitable[object]]] = MappingProxyType({}),
    ) -> None:
        """`direct`: ticks that are called and not written to the journal, which costs more than most of them do."""
        self._engine = engine
        self._clock = clock
        self._is_leader = is_leader
        self._direct = direct
        self._scheduler: Any = AsyncIOScheduler(timezone=UTC)

    def add(self, name: str, every: timedelta) -> None:
        """A tick each `every` (whole seconds), at the beginning of its slots; a late one runs once."""
        trigger = IntervalTrigger(
            seconds=int(every.total_seconds()), start_date=slot(self._clock(), every) + every, timezone=UTC
        )
        self._scheduler.add_job(
            self.fire, trigger, args=[name, every], id=name, coalesce=True, max_instances=1, misfire_grace_time=None
        )

    async def fire(self, name: str, every: timedelta) -> None:
        """Start the tick of the present slot; nothing if another process leads or the slot has had it."""
        if not self._is_leader():
            return
        if name in self._direct:
            await self._direct[name]()
            return
        try:
            await self._engine.start(tick_name(name), tick_id(name, self._clock(), every))
        except Exception:
            log.exception("tick could not be started", tick=name, error_id=secrets.token_hex(4))

    def start(self) -> None:
        """Inside the running loop."""
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
