"""What lies outside of every bot: the remote side of its actions, Prometheus and a model, for all worlds in one server."""

import asyncio
import json
import re
import time
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.attacks.steps.names import BAD, GOOD
from tests.real import IDLE_SECONDS
from tests.real.scripted_model import completion, streamed

Json = dict[str, Any]
_EVIDENCE = re.compile(r'"id": "(E[0-9]+)", "ok": true')


@dataclass(frozen=True)
class Call:
    """One remote call as it arrived. `ref` is the proposal of its idempotency key, "" without one."""

    ref: str
    body: Json


@dataclass
class Surroundings:
    """What one world's bot meets outside."""

    calls: list[Call] = field(default_factory=list)
    remote: str = "ok"
    hanging: int = 0
    """Calls that wait for an answer now."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    signal: str = "good"
    pods: int = 2
    says: str = ""
    model_calls: list[list[Any]] = field(default_factory=list)
    model_runs: int | None = None
    """How often a run asked the model since it was told what to say; None: it was told nothing."""

    def set_remote(self, remote: str) -> None:
        self.remote = remote
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()


class Outside:
    """`async with Outside() as outside`: the server; `outside.place(name)` is what one world meets."""

    def __init__(self) -> None:
        self.places: dict[str, Surroundings] = {}
        routes = [
            Route("/{place}/run/{entry}", self._run, methods=["POST"]),
            Route("/{place}/api/v1/query", self._query, methods=["GET", "POST"]),
            Route("/{place}/api/v1/{rest:path}", self._nothing, methods=["GET", "POST"]),
            Route("/{place}/v1/chat/completions", self._complete, methods=["POST"]),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes), host="127.0.0.1", port=0, log_config=None, access_log=False, timeout_graceful_shutdown=1,
            timeout_keep_alive=IDLE_SECONDS,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._serving: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Outside":
        self._serving = asyncio.create_task(self._server.serve())
        while not self._server.started:
            await asyncio.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        for place in self.places.values():
            place.set_remote("ok")
        if self._serving:
            await self._serving

    def place(self, name: str) -> Surroundings:
        """What a world of this name meets at `<url>/<name>`."""
        return self.places.setdefault(name, Surroundings())

    def _at(self, request: Request) -> Surroundings:
        return self.places[request.path_params["place"]]

    async def _run(self, request: Request) -> Response:
        place, sent = self._at(request), await request.json()
        ref = request.headers.get("idempotency-key", "").partition(":")[0]
        place.calls.append(Call(ref, sent if isinstance(sent, dict) else {}))
        place.hanging += 1
        try:
            while place.remote == "hang" and not await request.is_disconnected():
                changed = place.changed
                await asyncio.wait({asyncio.ensure_future(changed.wait())}, timeout=0.1)
        finally:
            place.hanging -= 1
        if place.remote == "refused":
            return JSONResponse({"error": "refused"}, 400)
        if place.remote == "lost":
            return _Lost()
        return JSONResponse({"id": f"run-{len(place.calls)}"})

    async def _query(self, request: Request) -> Response:
        place = self._at(request)
        query = (await request.form() if request.method == "POST" else request.query_params).get("query", "")
        value = place.pods if str(query).startswith("pods") else GOOD if place.signal == "good" else BAD
        result = [{"metric": {}, "value": [time.time(), str(value)]}]
        return JSONResponse({"status": "success", "data": {"resultType": "vector", "result": result}})

    async def _nothing(self, request: Request) -> Response:
        return JSONResponse({"status": "success", "data": {"resultType": "vector", "result": [], "groups": []}})

    async def _complete(self, request: Request) -> Response:
        place, body = self._at(request), await request.json()
        turns = sum(message["role"] == "assistant" for message in body["messages"])
        if place.model_runs is not None and turns == 0:
            place.model_runs += 1
        whole = completion(_turn(place, body, turns), turns + 1, body)
        return streamed(whole, body) if body.get("stream") else JSONResponse(whole)


def _turn(place: Surroundings, body: Json, turns: int) -> Json:
    """Its own calls first, then the answer; before it was told anything, it finds nothing."""
    if turns == 0 and place.model_calls:
        return {"call": place.model_calls}
    ids = _EVIDENCE.findall(json.dumps(body["messages"]).replace('\\"', '"'))[:3] or ["E1"]
    if any(tool["function"]["name"] == "Reply" for tool in body.get("tools") or ()):
        return {"call": [["Reply", {"claims": [{"text": place.says or "Nothing was found.", "evidence": ids}]}]]}
    if not place.says:
        return {"answer": {"hypotheses": []}}
    claims = [{"text": place.says, "evidence": ids}]
    cause = {"cause": place.says, "kind": "unknown", "confidence": "likely", "score": 0.9, "claims": claims}
    return {"answer": {"hypotheses": [cause]}}


class _Lost(Response):
    """Closes the connection without a whole answer: the server does so where an app ends before its body."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"64")]})
