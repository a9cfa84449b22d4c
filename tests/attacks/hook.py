"""What the bot's actions reach: a server that counts calls, and a tiny Prometheus whose values the scripts move."""

import asyncio
import re
import threading
import time
from urllib.parse import parse_qs

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.real import IDLE_SECONDS


class Hook:
    """`calls` are (entry, service) in their order; `pods` is what the state query answers by service."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.pods: dict[str, int] = {}
        self.hold_answers = threading.Event()
        """While set, a call is counted and its answer never comes."""
        self.blind: set[str] = set()
        """Services whose metrics cannot be seen."""
        self.port = 0
        routes = [
            Route("/run/{entry}/{service}", self._run, methods=["POST"]),
            Route("/api/v1/query", self._query, methods=["GET", "POST"]),
            Route("/api/v1/{rest:path}", self._nothing, methods=["GET", "POST"]),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes),
            host="127.0.0.1",
            port=0,
            log_level="error",
            timeout_graceful_shutdown=1,
            timeout_keep_alive=IDLE_SECONDS,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Hook":
        """Listen on a free loopback port, in a thread of its own."""
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        return self

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(5)

    def count(self, service: str) -> int:
        """Calls that reached us for one service."""
        return sum(called == service for _, called in self.calls)

    async def _run(self, request: Request) -> JSONResponse:
        self.calls.append((request.path_params["entry"], request.path_params["service"]))
        while self.hold_answers.is_set():
            await asyncio.sleep(0.02)
        return JSONResponse({"id": f"run-{len(self.calls)}"})

    async def _query(self, request: Request) -> JSONResponse:
        asked = (await request.body()).decode() if request.method == "POST" else request.url.query
        query = parse_qs(asked).get("query", [""])[0]
        found = re.search(r'service="([^"]+)"', query)
        service = found.group(1) if found else ""
        if service in self.blind:
            return JSONResponse({"status": "error", "error": "down"}, 503)
        value = self.pods.get(service, 2) if query.startswith("pods") else 0.001
        result = [{"metric": {"service": service}, "value": [time.time(), str(value)]}]
        return JSONResponse({"status": "success", "data": {"resultType": "vector", "result": result}})

    async def _nothing(self, request: Request) -> JSONResponse:
        return JSONResponse({"status": "success", "data": {"resultType": "vector", "result": [], "groups": []}})
