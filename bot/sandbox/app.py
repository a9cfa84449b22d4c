"""One Starlette app: Slack's stand-in, its page and control, and the world if it is wanted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.sandbox.workspace.acts import Acts
from bot.sandbox.workspace.answers import Answers
from bot.sandbox.workspace.api import Api
from bot.sandbox.workspace.control import Control
from bot.sandbox.workspace.control_changes import Changes
from bot.sandbox.workspace.postman import Postman
from bot.sandbox.workspace.signed import SignedRequests
from bot.sandbox.workspace.sockets import Sockets
from bot.sandbox.workspace.state import Workspace
from bot.sandbox.workspace.submitting import Submitting

PAGE = Path(__file__).parent / "page"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "testserver"})
SECURITY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'"


@dataclass(frozen=True)
class MountedWorld:
    """The routes of a world, how to stop it, and the secrets that a bot beside it is configured with."""

    routes: Sequence[BaseRoute]
    stop: Callable[[], Awaitable[None]]
    environment: Mapping[str, str]


def build(ws: Workspace, *, bot_url: str = "", kill_file: Path | None = None, world: MountedWorld | None = None) -> ASGIApp:
    """The whole sandbox as one ASGI app."""
    sockets = Sockets(ws)
    postman = Postman(ws, sockets, SignedRequests(bot_url, ws.signing_secret) if bot_url else None)
    acts = Acts(ws, postman)
    Submitting(ws, acts)
    api, answers = Api(ws, sockets), Answers(ws)
    control = Control(ws, acts, postman, Changes(ws, postman, kill_file))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await postman.close()
        if world:
            await world.stop()

    routes: list[BaseRoute] = [
        Route("/api/{method}", api.endpoint, methods=["GET", "POST"]),
        WebSocketRoute("/_socket/{ticket}", sockets.serve),
        Route("/response/{token}", answers.respond, methods=["POST"]),
        Route("/upload/{file_id}", answers.upload, methods=["POST"]),
        Route("/files/{file_id}/{name}", answers.download, methods=["GET"]),
        *control.routes(),
        *(world.routes if world else ()),
        Route("/", _page, methods=["GET"]),
        Route("/archives/{rest:path}", _page, methods=["GET"]),
        Mount("/page", StaticFiles(directory=PAGE)),
    ]
    return Loopback(Starlette(routes=routes, lifespan=lifespan))


async def _page(_: Request) -> Response:
    return FileResponse(PAGE / "index.html", headers={"Content-Security-Policy": SECURITY, "Cache-Control": "no-store"})


class Loopback:
    """The outermost layer: answers only this machine's names, and no page of another origin may act through it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse other hosts and origins; record the transport, so that a fault can close the connection."""
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            if not _local(headers.get(b"host")) or not _local(headers.get(b"origin")):
                await PlainTextResponse("this sandbox answers its own machine only", 403)(scope, receive, send)
                return
            scope["sandbox.transport"] = _transport(send)
        await self._app(scope, receive, send)


def _local(value: bytes | None) -> bool:
    """Whether a Host or Origin header names this machine; a missing one does no harm."""
    if value is None:
        return True
    text = value.decode("latin-1")
    return urlsplit(text if "://" in text else f"http://{text}").hostname in LOOPBACK


def _transport(send: Send) -> Any:
    # uvicorn's `send` is a method of the object that holds the connection; other servers have no such thing.
    return getattr(getattr(send, "__self__", None), "transport", None)
