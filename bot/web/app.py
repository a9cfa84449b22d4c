"""The outer app: webhooks, health, extra routes such as Slack's HTTP mode, and the API under /api."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from types import MappingProxyType
from typing import Protocol

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.core.config.alerts import SourceConfig
from bot.plugins import Fetch, Source
from bot.plugins.scopes import ANY, Scopes
from bot.store.db.clock import Clock
from bot.store.db.database import Database
from bot.store.oversight.backlog import backlog
from bot.web.bodies import BodyBudget, Refused, read_raw
from bot.web.deferred import DeferredApp
from bot.web.errors import HANDLERS, Guard, refusal
from bot.web.health import Check, Health
from bot.web.webhooks import WebhookEndpoints, Writer, fetch_nothing

Endpoint = Callable[[Request], Awaitable[Response]]


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
    endpoints: Mapping[str, Endpoint] = MappingProxyType({}),
    lifespan: Lifespan | None = None,
    clock: Clock,
    leads: Callable[[], bool] = lambda: True,
    fetch: Fetch = fetch_nothing,
    knows_severity: Callable[[str], bool] = lambda _: True,
    scopes: Scopes = ANY,
) -> ASGIApp:
    """Everything the process serves over HTTP. `checks` and `optional` join the database's own check at /readyz.

    `endpoints`: what else takes POST, by path; the body is there, and within the limits, when one is called.
    """
    bodies = BodyBudget()
    webhooks = WebhookEndpoints(sources, kinds, tokens, writer, clock, fetch, knows_severity, bodies, scopes)
    others = Starlette(
        routes=[
            *Health({"database": db.answers, **checks}, optional, waiting=partial(backlog, db), leads=leads).routes(),
            *(Route(path, _bounded(path, endpoint, bodies), methods=["POST"]) for path, endpoint in endpoints.items()),
            Mount("/api", app=DeferredApp(partial(_api, db, api_token, clock))),
        ],
        middleware=[Middleware(Guard)],
        exception_handlers=dict(HANDLERS),
        lifespan=lifespan,
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await (guarded if webhooks.handles(scope) else others)(scope, receive, send)

    guarded = Guard(webhooks)
    return app


def _api(db: Database, token: str, clock: Clock) -> ASGIApp:
    """FastAPI and its models take 10 MB, which a bot whose API nobody asks does without."""
    from bot.web.api import api_app

    return api_app(db, token, clock)


def _bounded(path: str, endpoint: Endpoint, bodies: BodyBudget) -> Endpoint:
    """An endpoint that checks a signature over the body: nobody has proved anything while the body is read."""

    async def bounded(request: Request) -> Response:
        try:
            with bodies.hold(path, proven=False) as share:
                body = await read_raw(request.headers, request.receive, bodies, share)
                return await endpoint(Request(request.scope, _whole(body)))
        except Refused as refused:
            return refusal(refused.status, refused.why)

    return bounded


def _whole(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
