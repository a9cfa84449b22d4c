"""Stand-ins for Jaeger and Tempo over the same traces, answering as their published APIs do: newest first, up to a limit.

Jaeger: https://www.jaegertracing.io/docs/latest/architecture/apis/ Tempo: https://grafana.com/docs/tempo/latest/api_docs/
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import httpx

KINDS = {"internal": 1, "server": 2, "client": 3}


@dataclass(frozen=True)
class Row:
    """One span: ids as short numbers, `start` in unix seconds."""

    id: int
    parent: int
    service: str
    operation: str
    kind: str
    start: float
    seconds: float
    error: bool = False


Trace = Sequence[Row]


@dataclass
class Store:
    """The traces, and what was asked. `broken` names traces that cannot be answered; `refuse` answers everything else."""

    traces: Sequence[Trace]
    broken: frozenset[int] = frozenset()
    refuse: httpx.Response | Exception | None = None
    hex_ids: bool = False
    asked: list[str] = field(default_factory=list)

    def held(self, service: str, start: float, end: float, limit: int) -> list[int]:
        """Numbers of the traces through a service that begin in the window, newest first."""
        through = [
            number
            for number, trace in enumerate(self.traces)
            if any(row.service == service for row in trace) and start <= trace[0].start <= end
        ]
        return sorted(through, key=lambda number: -self.traces[number][0].start)[:limit]

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        if isinstance(self.refuse, Exception):
            raise self.refuse
        if self.refuse is not None:
            return self.refuse
        return self.answered(request.url.path, request.url.params)

    def answered(self, path: str, asked: httpx.QueryParams) -> httpx.Response:
        raise NotImplementedError


class JaegerStore(Store):
    """`GET /api/traces`: whole traces in microseconds; processes beside the spans."""

    def answered(self, path: str, asked: httpx.QueryParams) -> httpx.Response:
        if path == "/api/services":
            names = sorted({row.service for trace in self.traces for row in trace})
            return httpx.Response(200, json={"data": names, "total": len(names), "limit": 0, "offset": 0, "errors": None})
        if path != "/api/traces" or not asked.get("service"):
            errors = [{"code": 400, "msg": "parameter 'service' is required"}]
            return httpx.Response(400, json={"data": None, "total": 0, "errors": errors})
        found = self.held(asked["service"], int(asked["start"]) / 1e6, int(asked["end"]) / 1e6, int(asked["limit"]))
        return httpx.Response(200, json={"data": [self.trace(number) for number in found], "total": 0, "errors": None})

    def trace(self, number: int) -> dict[str, Any]:
        rows = self.traces[number]
        names = {service: f"p{place}" for place, service in enumerate(dict.fromkeys(row.service for row in rows), 1)}
        spans = [self.span(number, row, names[row.service]) for row in rows]
        processes = {id: {"serviceName": service, "tags": []} for service, id in names.items()}
        return {"traceID": f"{number + 1:032x}", "spans": spans, "processes": processes, "warnings": None}

    def span(self, number: int, row: Row, process: str) -> dict[str, Any]:
        trace = f"{number + 1:032x}"
        parent = {"refType": "CHILD_OF", "traceID": trace, "spanID": f"{row.parent:016x}"}
        tags = [{"key": "span.kind", "type": "string", "value": row.kind}]
        tags += [{"key": "error", "type": "bool", "value": True}] if row.error else []
        return {
            "traceID": trace, "spanID": f"{row.id:016x}", "flags": 1, "operationName": row.operation,
            "references": [parent] if row.parent else [], "startTime": int(row.start * 1e6),
            "duration": round(row.seconds * 1e6) if number not in self.broken else "soon",
            "tags": tags, "logs": [], "processID": process, "warnings": None,
        }  # fmt: skip


class TempoStore(Store):
    """`GET /api/search` with TraceQL, then `GET /api/traces/{id}`: OTLP as JSON, nanoseconds as text, ids in base64."""

    def answered(self, path: str, asked: httpx.QueryParams) -> httpx.Response:
        if path == "/api/search/tags":
            return httpx.Response(200, json={"tagNames": ["service.name"], "metrics": {}})
        if path == "/api/search":
            return self.search(asked)
        id = unquote(path.removeprefix("/api/traces/"))
        number = int(id, 16) - 1
        if number in self.broken:
            return httpx.Response(404, text="trace not found")
        return httpx.Response(200, json={"batches": [self.batch(row) for row in self.traces[number]]})

    def search(self, asked: httpx.QueryParams) -> httpx.Response:
        start, end = int(asked["start"]), int(asked["end"])
        opening, closing = '{resource.service.name="', '"}'
        if start >= end or not asked["q"].startswith(opening) or not asked["q"].endswith(closing):
            return httpx.Response(400, text="invalid TraceQL query: parse error at line 1")
        service = asked["q"][len(opening) : -len(closing)].replace('\\"', '"').replace("\\\\", "\\")
        rows = [
            {"traceID": f"{n + 1:x}", "rootServiceName": "web"} for n in self.held(service, start, end, int(asked["limit"]))
        ]
        return httpx.Response(200, json={**({"traces": rows} if rows else {}), "metrics": {"inspectedTraces": 9}})

    def batch(self, row: Row) -> dict[str, Any]:
        start = int(row.start * 1e9)
        span = {
            "traceId": base64.b64encode(bytes(16)).decode(), "spanId": self.id(row.id), "name": row.operation,
            "kind": f"SPAN_KIND_{row.kind.upper()}" if not self.hex_ids else KINDS[row.kind],
            "startTimeUnixNano": str(start), "endTimeUnixNano": str(start + round(row.seconds * 1e9)),
            "status": {"code": "STATUS_CODE_ERROR"} if row.error else {},
        }  # fmt: skip
        span |= {"parentSpanId": self.id(row.parent)} if row.parent or self.hex_ids else {}
        attributes = [
            {"key": "process.pid", "value": {"intValue": "7"}},
            {"key": "service.name", "value": {"stringValue": row.service}},
        ]
        return {"resource": {"attributes": attributes}, "scopeSpans": [{"scope": {"name": "http"}, "spans": [span]}]}

    def id(self, number: int) -> str:
        return f"{number:016X}" if self.hex_ids else base64.b64encode(number.to_bytes(8, "big")).decode()
