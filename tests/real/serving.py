"""An ASGI application on a free loopback port, in the test's own loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from tests.real import IDLE_SECONDS, free_port, wait_until

LAST_ANSWER = ("connection", "close")
"""Each connection is closed with its answer. langchain keeps the clients of the last 128 addresses and closes an older one in
whichever test runs then: what is idle belongs to a loop that has ended, and stays open until it is collected as garbage."""


def _config(app: ASGIApp, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        log_level="error",
        lifespan="off",
        ws="none",
        timeout_keep_alive=IDLE_SECONDS,
        headers=[LAST_ANSWER],
    )


@asynccontextmanager
async def running(app: ASGIApp) -> AsyncIterator[str]:
    """Its address while it runs; requests that still hang at the end are cut off."""
    port = free_port()
    server = uvicorn.Server(_config(app, port))
    serve = asyncio.create_task(server.serve())
    await wait_until(lambda: server.started, every=0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = server.force_exit = True
        await serve
