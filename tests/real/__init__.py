"""Real servers and real processes for tests: ports, waiting, PostgreSQL, a scripted model."""

import asyncio
import inspect
import os
import random
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, NoReturn

import pytest

PATIENCE = 120.0
"""Seconds after which a wait for what must come is given up. They cost nothing where it comes, however slow the machine is."""
IDLE_SECONDS = 75
"""So long servers of tests keep a resting connection: one that closes it before its client does cuts a request off."""
PORTS = range(20_000, 32_000)
"""Below the ports that Linux gives to outgoing connections and to whoever asks for any port."""
_CHANCE = random.SystemRandom()
_reserved: list[socket.socket] = []


def free_port() -> int:
    """A loopback port on which nobody listens, and which no other test of any process is given while this process lives.

    Between the choice and the server that takes it seconds pass, and a bot that is killed comes back to its port. The UDP
    port of the same number is held meanwhile: nobody needs it, and the system lets it go when this process ends.
    """
    for port in _CHANCE.sample(PORTS, 1000):
        with suppress(OSError), socket.socket() as server:
            # As servers do it: what an earlier one left in TIME_WAIT is no hindrance.
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(("127.0.0.1", port))
            if _reserve(port):
                return port
    raise RuntimeError(f"no free port in {PORTS}")


def _reserve(port: int) -> bool:
    held = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        held.bind(("127.0.0.1", port))
    except OSError:
        held.close()
        return False
    _reserved.append(held)
    return True


async def wait_until(predicate: Callable[[], Any | Awaitable[Any]], timeout: float = PATIENCE, *, every: float = 0.05) -> Any:
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
