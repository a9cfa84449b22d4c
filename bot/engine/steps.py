"""The steps that run in this process: never nested, held back while stopping."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NoReturn, TypeVar

import structlog

log = structlog.get_logger(__name__)
MAX_TRIES = 200
"""Of a step whose database is away; about a quarter of an hour."""
MAX_PAUSE_SECONDS = 5.0

T = TypeVar("T")

_current: ContextVar[str | None] = ContextVar("current step", default=None)


async def _at_once() -> None:
    return None


class Steps:
    """Counts running steps for `stop`, and waits for permission before each.

    `permit` returns when this process may act; on PostgreSQL it waits for a
    fresh heartbeat, so that a process that slept too long starts nothing new.
    """

    def __init__(
        self,
        permit: Callable[[], Awaitable[None]] = _at_once,
        retry_on: tuple[type[Exception], ...] = (),
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.closing = False
        self._permit, self._retry_on, self._sleep = permit, retry_on, sleep
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        """Around a whole step, its recording included. Raises RuntimeError inside another step: it would not be recorded."""
        if (outer := _current.get()) is not None:
            raise RuntimeError(f"step {name!r} was called inside step {outer!r}; steps are never nested")
        self._running += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    async def call(self, name: str, body: Callable[[], Awaitable[T]]) -> T:
        """Run the body of a step. An error in `retry_on` does not fail the workflow: the body is run again."""
        tries = 0
        while True:
            await self._permit()
            try:
                return await _in_step(name, body)
            except self._retry_on as error:
                # Recorded as the step's error it would end the workflow for good.
                if self.closing:
                    await self.suspend()
                tries += 1
                if tries == MAX_TRIES:
                    raise
                log.warning("retrying a step", step=name, why=type(error).__name__)
            await self._sleep(min(MAX_PAUSE_SECONDS, 0.25 * 2 ** min(tries, 5)))

    async def suspend(self) -> NoReturn:
        """Never return: while stopping, a workflow waits here until it is cancelled; it goes on after the restart."""
        await asyncio.get_running_loop().create_future()
        raise AssertionError("a future that nobody resolves was resolved")

    async def drain(self, within: float) -> bool:
        """Hold new steps back and wait at most `within` seconds for the running ones. True: all have finished."""
        self.closing = True
        try:
            async with asyncio.timeout(within):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True


async def _in_step(name: str, body: Callable[[], Awaitable[T]]) -> T:
    token = _current.set(name)
    try:
        return await body()
    finally:
        _current.reset(token)
