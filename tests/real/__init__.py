"""Real servers and real processes for tests: ports, waiting, PostgreSQL, a scripted model."""

import asyncio
import inspect
import os
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import pytest


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


async def wait_until(predicate: Callable[[], Any | Awaitable[Any]], timeout: float, *, every: float = 0.05) -> Any:
    """The first true value of `predicate()` (or of what it returns to await). Raises AssertionError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = predicate()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {inspect.getsource(predicate).strip()}")
        await asyncio.sleep(every)


def missing(what: str) -> NoReturn:
    """A real server is not on this machine: skipped with its name, but a failure where CI=true promises to have all."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and CI=true requires it")
    pytest.skip(f"{what} is missing")
