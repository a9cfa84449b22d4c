"""An event loop in a thread of its own: what holds it up does not hold up the bot."""

import asyncio
import threading
from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


async def apart(work: Coroutine[Any, Any, T]) -> T:  # Any: what a coroutine yields to its loop is nobody's business
    """The result of `work`, which runs on the other loop; a cancellation reaches it there."""
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, _loop()))


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """One for the whole process; its thread ends with it."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="untrusted answers", daemon=True).start()
    return loop
