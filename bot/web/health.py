"""/healthz: the process answers. /readyz: the database answers and the loops live. /metrics: Prometheus' text form."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Self

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.store.db.database import UNAVAILABLE, Database
from bot.store.oversight.backlog import Backlog, backlog
from bot.web import metrics

Check = Callable[[], Awaitable[bool]]
CHECK_SECONDS = 2.0
"""A check that takes longer has failed: whoever asks gives up soon after."""


class Health:
    """`checks` by name: each says whether its part works; without one of `optional` the work goes on, less well."""

    def __init__(
        self,
        checks: Mapping[str, Check],
        optional: Mapping[str, Check] = MappingProxyType({}),
        *,
        waiting: Callable[[], Awaitable[Backlog]] | None = None,
        is_leader: Callable[[], bool] = lambda: True,
    ) -> None:
        """`waiting` and `is_leader` are for /metrics: what waits to be done, and whether this process is the leader."""
        self.checks = checks
        self.optional = optional
        self.waiting = waiting
        self.is_leader = is_leader

    @classmethod
    def with_database(
        cls,
        db: Database,
        checks: Mapping[str, Check],
        optional: Mapping[str, Check],
        *,
        is_leader: Callable[[], bool] = lambda: True,
    ) -> Self:
        """With the database's own check, and what waits in it."""
        return cls({"database": db.answers, **checks}, optional, waiting=partial(backlog, db), is_leader=is_leader)

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
        checks = {**self.checks, **self.optional}
        good = await asyncio.gather(*(_in_time(check) for check in checks.values()))
        for name, well in zip(checks, good, strict=True):
            metrics.UP.labels(name).set(well)
        metrics.LEADS.set(self.is_leader())
        if self.waiting is not None:
            _show(await _backlog(self.waiting))
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def check_of(alive: Callable[[], bool]) -> Check:
    """The check of a loop of this process, which answers at once."""

    async def check() -> bool:
        return alive()

    return check


async def _in_time(check: Check) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check()
    except TimeoutError:
        return False


async def _backlog(waiting: Callable[[], Awaitable[Backlog]]) -> Backlog | None:
    """None where the database gives no answer in time."""
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await waiting()
    except (TimeoutError, *UNAVAILABLE):
        return None


def _show(backlog: Backlog | None) -> None:
    metrics.UNSORTED.set(backlog.unsorted_alerts if backlog else math.nan)
    metrics.UNSENT.set(backlog.unsent_messages if backlog else math.nan)
    metrics.UNSENT_SECONDS.set(backlog.unsent_seconds if backlog else math.nan)
    metrics.OPEN.set(backlog.open_incidents if backlog else math.nan)
