"""The outer app: webhooks, health, extra routes such as Slack's HTTP mode, and the API under /api."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from types import MappingProxyType
from typing import Protocol

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.core.config.alerts import SourceConfig
from bot.plugins import Fetch, Source
from bot.store.db.database import Clock, Database
from bot.store.oversight.backlog import backlog
from bot.web.api import api_app
from bot.web.errors import HANDLERS, Guard
from bot.web.health import Check, Health
from bot.web.webhooks import WebhookEndpoints, Writer, fetch_nothing


class Lifespan(Protocol):
    def __call__(self, app: Starlette, /) -> AbstractAsyncContextManager[None]: ...


def build(
    *,
    db: Database,
    sources: Mapping[str, SourceConfig],
    kinds: Mapping[str, Source],
    tokens: Mapping[str, str],
    writer: Writer,
    api_token: str,
    checks: Mapping[str, Check],
    optional: Mapping[str, Check] = MappingProxyType({}),
    routes: Iterable[BaseRoute] = (),
    lifespan: Lifespan | None = None,
    clock: Clock,
    leads: Callable[[], bool] = lambda: True,
    fetch: Fetch = fetch_nothing,
    knows_severity: Callable[[str], bool] = lambda _: True,
) -> ASGIApp:
    """Everything the process serves over HTTP. `checks` and `optional` join the database's own check at /readyz."""
    webhooks = WebhookEndpoints(sources, kinds, tokens, writer, clock, fetch, knows_severity)
    others = Starlette(
        routes=[
            *Health({"database": db.answers, **checks}, optional, waiting=partial(backlog, db), leads=leads).routes(),
            *routes,
            Mount("/api", app=api_app(db, api_token, clock)),
        ],
        middleware=[Middleware(Guard)],
        exception_handlers=dict(HANDLERS),
        lifespan=lifespan,
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await (guarded if webhooks.takes(scope) else others)(scope, receive, send)

    guarded = Guard(webhooks)
    return app
