"""/healthz: the process answers. /readyz: the database answers and the loops live. /metrics: Prometheus' text form."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Check = Callable[[], Awaitable[bool]]
CHECK_SECONDS = 2.0
"""A check that takes longer has failed: whoever asks gives up soon after."""


class Health:
    """`checks` by name: each says whether its part works; without one of `optional` the work goes on, less well."""

    def __init__(self, checks: Mapping[str, Check], optional: Mapping[str, Check] = MappingProxyType({})) -> None:
        self.checks = checks
        self.optional = optional

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
        """200 only if everything that is needed does its work; the body says what does not."""
        good = await asyncio.gather(*(_in_time(check) for check in self.checks.values()))
        words = {name: "ok" if well else "down" for name, well in zip(self.checks, good, strict=True)}
        degradable = await asyncio.gather(*(_in_time(check) for check in self.optional.values()))
        words |= {name: "ok" if well else "degraded" for name, well in zip(self.optional, degradable, strict=True)}
        ready = all(good)
        return JSONResponse({"status": "ready" if ready else "not ready", **words}, status_code=200 if ready else 503)

    async def _metrics(self, _request: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _in_time(check: Check) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check()
    except TimeoutError:
        return False
