"""/healthz: the process answers. /readyz: the database answers and the loops live. /metrics: Prometheus' text form."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

DATABASE_SECONDS = 2.0


class Health:
    """`database` raises or hangs when it is away; `loops` are alive-functions by name."""

    def __init__(self, database: Callable[[], Awaitable[object]], loops: Mapping[str, Callable[[], bool]]) -> None:
        self.database, self.loops = database, loops

    def routes(self) -> list[Route]:
        """The three routes for the outer app."""
        return [
            Route("/healthz", self._healthy),
            Route("/readyz", self._ready),
            Route("/metrics", self._metrics),
        ]

    async def _healthy(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _ready(self, _request: Request) -> Response:
        """200 only if everything does its work; the body says what does not."""
        parts = {"database": await self._database(), **{name: alive() for name, alive in self.loops.items()}}
        ready = all(parts.values())
        words = {name: "ok" if good else "down" for name, good in parts.items()}
        return JSONResponse({"status": "ready" if ready else "not ready", **words}, status_code=200 if ready else 503)

    async def _database(self) -> bool:
        try:
            async with asyncio.timeout(DATABASE_SECONDS):
                await self.database()
        except Exception:  # noqa: BLE001 - whatever keeps the database from answering, the answer is "not ready"
            return False
        return True

    async def _metrics(self, _request: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
