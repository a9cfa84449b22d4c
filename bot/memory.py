"""Memory that the server needs once or no more goes back to the system."""

import asyncio
import contextlib
import ctypes
import os
import signal
from collections.abc import Callable

_M_ARENA_MAX, _ARENAS = -8, 1
"""glibc takes up to eight a core and keeps in each what was freed there; here one thread at a time allocates anyway."""
_EVERY_SECONDS = 10.0
_PR_SET_PDEATHSIG = 1


def share_one_heap() -> None:
    """Have all threads do so; before any of them starts. Nothing where the C library is not glibc, as below."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Return what is free; takes some milliseconds."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


async def keep_returning_memory() -> None:
    """Until cancelled: a storm's bodies and rows are freed among what is kept, and glibc by itself returns only the end."""
    while True:
        await asyncio.to_thread(give_back)
        await asyncio.sleep(_EVERY_SECONDS)


def run_apart(work: Callable[[], None]) -> None:
    """Do it in a copy of this process that ends with it, and wait: what it loads and allocates is gone afterwards.

    Before any thread starts. Whether it worked has to be seen from what it leaves; its errors are not told.
    """
    if (child := os.fork()) == 0:
        status = 1
        try:
            _end_with_parent()
            work()
            status = 0
        finally:
            os._exit(status)
    os.waitpid(child, 0)


def _end_with_parent() -> None:
    """A kill of the server is one of its copy too. Linux alone has it."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
