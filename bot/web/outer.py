"""The outer app: the door, health, Slack's HTTP mode if used, and the API under /api, with one guard round all."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp

from bot.web.errors import Guard, http_error


class Lifespan(Protocol):
    def __call__(self, app: Starlette) -> AbstractAsyncContextManager[Any]: ...


def outer_app(routes: Iterable[BaseRoute], api: ASGIApp | None = None, *, lifespan: Lifespan | None = None) -> ASGIApp:
    """Everything the process serves. `routes`: those of Door and Health, and `/slack/events` in HTTP mode."""
    mounted: Sequence[BaseRoute] = [Mount("/api", app=api)] if api is not None else []
    app = Starlette(
        routes=[*routes, *mounted],
        exception_handlers={HTTPException: http_error},
        lifespan=lifespan,
    )
    return Guard(app)
