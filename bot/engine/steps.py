"""The steps in flight of this process: never nested, held back while stopping."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn

from bot.engine.plain import plain

_current: ContextVar[str | None] = ContextVar("current step", default=None)


async def _at_once() -> None:
    return None


class Steps:
    """Counts running steps for `stop`, and asks for permission before each.

    `permit` returns when this process may act; on PostgreSQL it waits for a
    fresh beat, so that a process that slept too long starts nothing new.
    """

    def __init__(self, permit: Callable[[], Awaitable[None]] = _at_once) -> None:
        self.closing = False
        self._permit = permit
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

    async def call(self, name: str, fn: Callable[..., Awaitable[Any]], args: tuple[Any, ...]) -> Any:
        """The body of a step: `fn(*args)` as plain JSON."""
        await self._permit()
        token = _current.set(name)
        try:
            return plain(await fn(*args))
        finally:
            _current.reset(token)

    async def hold(self) -> NoReturn:
        """Never come back: while stopping, a story waits here until it is cancelled; it goes on after the restart."""
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
