"""`/_sandbox/*`: what tests, the demo and the page see of the workspace, and how they change it."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.sandbox.workspace.acts import Acts
from bot.sandbox.workspace.control_changes import Changes
from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.people import BOT_USER_ID
from bot.sandbox.workspace.postman import Postman
from bot.sandbox.workspace.state import Workspace
from bot.sandbox.workspace.targets import channel_named

Json = dict[str, Any]
MAX_WAIT_S = 300.0


class Control:
    """Reading, waiting and the stream; changes live in `Changes`."""

    def __init__(self, ws: Workspace, acts: Acts, postman: Postman, changes: Changes) -> None:
        self._ws, self._acts, self._postman, self._changes = ws, acts, postman, changes

    def routes(self) -> list[Route]:
        """All control routes."""
        reading = {
            "messages": self.messages,
            "ephemerals": self.ephemerals,
            "views": self.views,
            "people": self.people,
            "channels": self.channels,
            "calls": self.calls,
            "deliveries": self.deliveries,
            "parcels": self.parcels,
            "state": self.state,
            "wait": self.wait,
            "stream": self.stream,
        }
        get = [Route(f"/_sandbox/{name}", _answered(read), methods=["GET"]) for name, read in reading.items()]
        return [*get, Route("/_sandbox/act", _answered(self.act), methods=["POST"]), *self._changes.routes(_answered)]

    async def act(self, request: Request) -> Response:
        """Do something as a person and wait for the ack."""
        return JSONResponse(await self._acts.act(await request.json()))

    async def messages(self, request: Request) -> Response:
        """Messages, oldest first: of a `channel`, of a `thread`, that hold `contains`."""
        return JSONResponse({"messages": self._messages(request)})

    def _messages(self, request: Request) -> list[Json]:
        query = request.query_params
        channels = [channel_named(self._ws, query["channel"])] if "channel" in query else list(self._ws.channels.values())
        messages = []
        for channel in channels:
            listed = channel.thread(query["thread"]) if "thread" in query else list(channel.messages.values())
            messages += [self._ws.shown(channel, message) for message in listed]
        messages = [m for m in messages if query.get("contains", "") in m["words"] and m["ts"] > query.get("after", "")]
        return sorted(messages, key=lambda m: str(m["ts"]))

    async def ephemerals(self, request: Request) -> Response:
        """Private messages, oldest first, of a `user`; with `hidden` those that Slack took and shows to nobody."""
        return JSONResponse({"ephemerals": self._ephemerals(request)})

    def _ephemerals(self, request: Request) -> list[Json]:
        query = request.query_params
        return [
            e
            for e in (self._ws.hidden_ephemerals if "hidden" in query else self._ws.ephemerals)
            if query.get("user") in (None, e["to"])
            and query.get("contains", "") in e["words"]
            and e["ts"] > query.get("after", "")
        ]

    async def views(self, request: Request) -> Response:
        """Open modals (`views`, the top one last) and home tabs (`homes`), of a `user`."""
        return JSONResponse(
            {"views": self._views(request), "homes": {user: v.as_slack() for user, v in self._ws.views.homes.items()}}
        )

    def _views(self, request: Request) -> list[Json]:
        query = request.query_params
        stacks = self._ws.views.stacks.items()
        views = [{**v.as_slack(), "user": user} for user, stack in stacks if query.get("user") in (None, user) for v in stack]
        return [view for view in views if query.get("contains", "") in json.dumps(view, ensure_ascii=False)]

    async def people(self, request: Request) -> Response:
        """Everybody, as Slack's user objects, and the user groups."""
        groups = [group.as_slack() for group in self._ws.usergroups.values()]
        return JSONResponse({"people": [p.as_slack() for p in self._ws.people.values()], "usergroups": groups})

    async def channels(self, request: Request) -> Response:
        """Every channel with its members and bookmarks."""
        shown = [
            {**c.as_slack(BOT_USER_ID), "members": c.members, "bookmarks": c.bookmarks} for c in self._ws.channels.values()
        ]
        return JSONResponse({"channels": shown})

    async def calls(self, request: Request) -> Response:
        """Every API call since the start: `method`, `status`, `error`, `at`; filtered by `method`, `since` (seconds)."""
        query = request.query_params
        since = float(query.get("since", "0"))
        calls = [c for c in self._ws.calls if c["at"] >= since and query.get("method") in (None, c["method"])]
        return JSONResponse({"calls": calls, "count": len(calls)})

    async def deliveries(self, request: Request) -> Response:
        """Every attempt to hand something to the app, oldest first."""
        return JSONResponse({"deliveries": self._postman.attempts})

    async def parcels(self, request: Request) -> Response:
        """One delivery by its id (`delivery`): payload, and body (Base64) and headers of the request as last sent."""
        parcel = self._postman.parcels.get(request.query_params.get("delivery", ""))
        if parcel is None:
            raise Refused("no_such_delivery")
        body = base64.b64encode(parcel.body).decode()
        return JSONResponse({"kind": parcel.kind, "payload": parcel.payload, "body": body, "headers": parcel.headers})

    async def state(self, request: Request) -> Response:
        """Connections, mode, faults and the number of the last change."""
        return JSONResponse(self._changes.state())

    async def wait(self, request: Request) -> Response:
        """Wait until something matches: `for` = message (default), ephemeral, view or bot; `count`, `timeout` seconds."""
        query = request.query_params
        queries = {"message": self._messages, "ephemeral": self._ephemerals, "view": self._views, "bot": self._bot}
        matching = queries.get(query.get("for", "message"))
        if matching is None:
            raise Refused("unknown_wait")
        count, until = int(query.get("count", "1")), time.monotonic() + min(float(query.get("timeout", "10")), MAX_WAIT_S)
        while len(matches := matching(request)) < count and not self._ws.feed.closed:
            left = until - time.monotonic()
            if left <= 0 or not await self._ws.feed.change(left):
                matches = matching(request)
                break
        ok = len(matches) >= count
        return JSONResponse({"found": ok, "matches": matches, "match": matches[-1] if matches and ok else None})

    def _bot(self, request: Request) -> list[Json]:
        return [{"connected": True} for _ in self._postman.sockets.connections]

    async def stream(self, request: Request) -> Response:
        """Server-sent events: one per change; `Last-Event-ID` (or `after`) goes on from there."""
        after = request.headers.get("last-event-id") or request.query_params.get("after") or str(self._ws.feed.number)
        return StreamingResponse(
            self._changes_after(int(after)), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    async def _changes_after(self, number: int) -> AsyncIterator[str]:
        yield ": hello\n\n"
        while not self._ws.feed.closed:
            changes = self._ws.feed.since(number)
            if changes is None:
                number = self._ws.feed.number
                yield f"id: {number}\ndata: {json.dumps({'kind': 'reload'})}\n\n"
            for number, change in changes or []:
                yield f"id: {number}\ndata: {json.dumps(change)}\n\n"
            # A comment now and then shows a reader that is gone.
            if not await self._ws.feed.change(15.0):
                yield ": still here\n\n"


def _answered(handler: Any) -> Any:
    """A control handler whose refusals and unreadable bodies become a 4xx with the reason."""

    async def endpoint(request: Request) -> Response:
        try:
            answered: Response = await handler(request)
            return answered
        except Refused as refused:
            return JSONResponse({"ok": False, "error": refused.code, "messages": refused.messages}, 400)
        except (ValueError, KeyError, TypeError) as error:
            return JSONResponse({"ok": False, "error": "bad_request", "messages": [f"{type(error).__name__}: {error}"]}, 400)

    return endpoint
