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

from bot.store.db.clock import Clock
from bot.store.db.database import Database
from bot.web.bodies import BodyBudget, Refused, read_raw
from bot.web.deferred import DeferredApp
from bot.web.errors import HANDLERS, Guard, refusal
from bot.web.health import Health
from bot.web.webhooks import WebhookEndpoints

Endpoint = Callable[[Request], Awaitable[Response]]


class Lifespan(Protocol):
    def __call__(self, app: Starlette, /) -> AbstractAsyncContextManager[None]: ...


def build(
    webhooks: WebhookEndpoints,
    health: Health,
    *,
    db: Database,
    clock: Clock,
    api_token: str,
    endpoints: Mapping[str, Endpoint] = MappingProxyType({}),
    lifespan: Lifespan | None = None,
) -> ASGIApp:
    """Everything the process serves over HTTP.

    `endpoints`: what else takes POST, by path; the body is there, and within the limits, when one is called.
    """
    bodies = webhooks.bodies
    others = Starlette(
        routes=[
            *health.routes(),
            *(Route(path, _bounded(path, endpoint, bodies), methods=["POST"]) for path, endpoint in endpoints.items()),
            Mount("/api", app=DeferredApp(partial(_api, db, api_token, clock))),
        ],
        middleware=[Middleware(Guard)],
        exception_handlers=dict(HANDLERS),
        lifespan=lifespan,
    )

    # No coroutine of its own, as in bot.serving: every wait of a request passes through each. So uvicorn has to be told
    # interface="asgi3": by itself it takes a plain function for an older kind of app.
    def app(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return (guarded if webhooks.handles(scope) else others)(scope, receive, send)

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
