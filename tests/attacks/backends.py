"""What the bot looks at, on loopback: a Prometheus whose error ratios jump, a Loki that holds what was planted, a hook.

Each remembers what it was asked, word for word, with the headers.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

JUMP_SECONDS = 90
"""So long before an incident is played its errors began."""
_SERVICE = re.compile(r'service="([^"]*)"')


@dataclass(frozen=True)
class Asked:
    """One query as it arrived."""

    language: str
    query: str
    headers: dict[str, str]
    path: str


@dataclass
class Backends:
    """`starts` (Unix seconds), `lines` and `floods` are keyed by service; `calls` are the services for which an action ran."""

    starts: dict[str, float] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)
    floods: dict[str, str] = field(default_factory=dict)
    """Service -> vector, matrix, slow or endless: Prometheus answers that way."""
    asked: list[Asked] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        """All three as one server."""
        return Starlette(
            routes=[
                Route("/api/v1/{kind}", self._metrics, methods=["GET", "POST"]),
                Route("/loki/api/v1/query_range", self._logs),
                Route("/run/{entry}/{service}", self._run, methods=["POST"]),
            ]
        )

    async def _run(self, request: Request) -> Response:
        self.calls.append(request.path_params["service"])
        return JSONResponse({"id": f"run-{len(self.calls)}"})

    async def _metrics(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode() if request.method == "POST" else request.url.query)
        query, kind = form.get("query", [""])[0], request.path_params["kind"]
        self.asked.append(Asked("promql", query, dict(request.headers), request.url.path))
        if kind == "rules":
            return JSONResponse({"status": "success", "data": {"groups": []}})
        found = _SERVICE.search(query)
        service = found[1] if found else ""
        if flood := self.floods.get(service):
            return _flood(flood)
        matrix = kind == "query_range"
        result = [self._series(service, form, matrix)] if query.startswith("errors{") else []
        return JSONResponse({"status": "success", "data": {"resultType": "matrix" if matrix else "vector", "result": result}})

    def _series(self, service: str, form: dict[str, list[str]], matrix: bool) -> dict[str, Any]:
        labels = {"__name__": "errors", "service": service}
        if not matrix:
            return {"metric": labels, "value": [time.time(), "0.3"]}
        start, end, step = (float(form[name][0]) for name in ("start", "end", "step"))
        moments = [start + step * i for i in range(int((end - start) / step) + 1)]
        jump = self.starts.get(service, time.time()) - JUMP_SECONDS
        values = [[at, "0.3" if at >= jump else f"{0.001 + 0.0001 * (i % 3):.4f}"] for i, at in enumerate(moments)]
        return {"metric": labels, "values": values}

    async def _logs(self, request: Request) -> Response:
        query = request.query_params["query"]
        self.asked.append(Asked("logql", query, dict(request.headers), request.url.path))
        found = _SERVICE.search(query)
        service = found[1] if found else ""
        held = self.lines.get(service, [])
        start, end = int(request.query_params["start"]), int(request.query_params["end"])
        # The lines came with the incident, one after the other from the first error on.
        first, step = (self.starts.get(service, time.time()) - JUMP_SECONDS) * 1e9, JUMP_SECONDS * 1e9 / (len(held) + 1)
        moments = (int(first + step * (number + 1)) for number in range(len(held)))
        values = [[str(at), line] for at, line in zip(moments, held, strict=True) if start <= at < end][::-1]
        result = [{"stream": {"service": service}, "values": values}] if values else []
        body = json.dumps({"status": "success", "data": {"resultType": "streams", "result": result}})
        return Response(body, media_type="application/json")


def _flood(kind: str) -> Response:
    if kind in ("endless", "slow"):
        return StreamingResponse(_endless(slow=kind == "slow"), media_type="application/json")
    rows = [{"metric": {"service": "x", "pod": f"p-{i}"}, "value": [time.time(), "1"]} for i in range(100_000)]
    return JSONResponse({"status": "success", "data": {"resultType": "vector", "result": rows}})


async def _endless(*, slow: bool) -> AsyncIterator[bytes]:
    yield b'{"status":"success","data":{"resultType":"vector","result":['
    while True:
        yield b'{"metric":{"a":"b"},"value":[1,"1"]},' * (1 if slow else 1000)
        await asyncio.sleep(1 if slow else 0)
