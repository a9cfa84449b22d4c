"""`/api/<method>`: reads a call, checks token, scope and rate, plays the faults, answers as Slack does."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.limits import SCOPES
from bot.sandbox.workspace.methods import chat, conversations, directory, files, marks, modals
from bot.sandbox.workspace.methods.registry import METHODS, Args
from bot.sandbox.workspace.sockets import Sockets
from bot.sandbox.workspace.state import Workspace

Json = dict[str, Any]

# Imported for their registrations.
FAMILIES = (chat, conversations, directory, files, marks, modals)
APP_LEVEL = "apps.connections.open"
RECORDED_ARGUMENTS = ("channel", "ts", "thread_ts", "user", "text", "trigger_id", "view_id", "user_id", "metadata")


class Api:
    """The Web API of one workspace."""

    def __init__(self, ws: Workspace, sockets: Sockets) -> None:
        self._ws = ws
        self._sockets = sockets

    async def endpoint(self, request: Request) -> Response:
        """One call."""
        name = str(request.path_params["method"])
        started = time.monotonic()
        if self._ws.faults.delay_ms:
            await asyncio.sleep(self._ws.faults.delay_ms / 1000)
        if self._ws.faults.down:
            self._record(name, {}, "down", 503, started)
            return Response("upstream unavailable", 503)
        if name.startswith("chat.") and self._ws.faults.take("drop_before_accept"):
            self._record(name, {}, "dropped_before_accept", 0, started)
            return HangUp()
        arguments: Json = {}
        try:
            arguments = await read_arguments(request)
            answer = {"ok": True, **await self._call(name, arguments, _token(request, arguments))}
        except Refused as refused:
            return self._refuse(name, arguments, refused, started)
        if name.startswith("chat.") and self._ws.faults.take("drop_after_accept"):
            self._record(name, arguments, "dropped_after_accept", 0, started, answer)
            return HangUp()
        self._record(name, arguments, "", 200, started, answer)
        return JSONResponse(
            answer, headers={"x-oauth-scopes": ",".join(sorted(self._ws.scopes)), "x-accepted-oauth-scopes": ""}
        )

    async def _call(self, name: str, arguments: Json, token: str) -> Json:
        self._authorise(name, token)
        if name == APP_LEVEL:
            self._strike(name)
            return {"url": self._sockets.open_ticket()}
        if name not in METHODS:
            raise Refused("unknown_method")
        needed = SCOPES.get(name, ())
        if needed and not self._ws.scopes.intersection(needed):
            raise Refused("missing_scope", needed=needed[0])
        self._strike(name)
        args = Args(arguments)
        self._ws.rates.check(name, args.text("channel"), time.monotonic())
        return await METHODS[name](self._ws, args)

    def _authorise(self, name: str, token: str) -> None:
        if not token:
            raise Refused("not_authed")
        if token not in (self._ws.bot_token, self._ws.app_token):
            raise Refused("invalid_auth")
        if (name == APP_LEVEL) != (token == self._ws.app_token):
            raise Refused("not_allowed_token_type")

    def _strike(self, name: str) -> None:
        error = self._ws.faults.strike(name)
        if error:
            raise Refused(error.code, retry_after=error.retry_after if error.code == "ratelimited" else None)

    def _refuse(self, name: str, arguments: Json, refused: Refused, started: float) -> Response:
        answer: Json = {"ok": False, "error": refused.code}
        if refused.messages:
            answer |= {"errors": refused.messages, "response_metadata": {"messages": refused.messages}}
        if refused.needed:
            answer |= {"needed": refused.needed, "provided": ",".join(sorted(self._ws.scopes))}
        limited = refused.code == "ratelimited"
        status = 429 if limited else 200
        self._record(name, arguments, refused.code, status, started, answer)
        return JSONResponse(answer, status, headers={"Retry-After": str(refused.retry_after or 1)} if limited else None)

    def _record(self, name: str, arguments: Json, error: str, status: int, started: float, answer: Json | None = None) -> None:
        recorded = {key: arguments[key] for key in RECORDED_ARGUMENTS if key in arguments}
        call = {"method": name, "status": status, "error": error or None, "at": self._ws.now(), "arguments": recorded}
        call["took_ms"] = round((time.monotonic() - started) * 1000, 2)
        call["ts"] = (answer or {}).get("ts")
        self._ws.calls.append(call)
        self._ws.feed.publish("call", method=name, status=status, error=error or None)


class HangUp(Response):
    """Closes the connection without an answer: the app cannot know whether the call was done."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Cut the transport that the outermost layer noted; without one, break the answer off in the middle."""
        transport = scope.get("sandbox.transport")
        if transport is not None:
            transport.abort()
            await asyncio.sleep(0.01)
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})


async def read_arguments(request: Request) -> Json:
    """Query, form and JSON in one; `Refused("invalid_json")` for a body that cannot be read."""
    arguments: Json = dict(request.query_params)
    body = await request.body()
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            parsed = json.loads(body or b"{}")
        except ValueError:
            raise Refused("invalid_json") from None
        return arguments | (parsed if isinstance(parsed, dict) else {})
    return arguments | dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _token(request: Request, arguments: Json) -> str:
    header = request.headers.get("authorization", "")
    return header[7:].strip() if header.startswith("Bearer ") else str(arguments.get("token", ""))
