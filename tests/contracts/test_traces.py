"""Tempo and Jaeger, as their published APIs answer. Neither can be run here: the answers are built from their documentation."""

import base64
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from bot.core.config.systems import TracesConfig
from bot.core.errors import QueryFailed
from bot.monitoring.traces.jaeger import JaegerTraces
from bot.monitoring.traces.tempo import TempoTraces
from bot.ports import Traces
from tests.unit.tools.tool_fixture import ONSET, call_tool, context

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
ROWS = (
    ("00000000000000a1", "", "web", "GET /pay", "server", 0.0, 0.30),
    ("00000000000000a2", "00000000000000a1", "web", "POST", "client", 0.01, 0.25),
    ("00000000000000a3", "00000000000000a2", "checkout", "POST /pay", "server", 0.02, 0.05),
)
"""id, parent, service, operation, kind, start after the trace's, seconds."""


def at(asked: httpx.Request) -> float:
    """The second in which the asked window starts."""
    return float(asked.url.params["start"]) / (1 if len(asked.url.params["start"]) < 12 else 1e6)


def _tempo(asked: httpx.Request) -> httpx.Response:
    if asked.url.path == "/api/search" and asked.url.params["q"] == '{resource.service.name="checkout"}':
        return httpx.Response(200, json={"traces": [{"traceID": f"{int(at(asked)):x}"}]})
    if asked.url.path.startswith("/api/traces/"):
        return httpx.Response(200, json={"batches": [_batch(row, int(asked.url.path.rsplit("/", 1)[1], 16)) for row in ROWS]})
    return httpx.Response(400, json={"message": "invalid TraceQL query"})


def _batch(row: Sequence[Any], start: float) -> dict[str, Any]:
    id, parent, service, operation, kind, after, seconds = row
    began = int((start + 1 + after) * 1e9)
    span = {
        "spanId": base64.b64encode(bytes.fromhex(id)).decode(), "name": operation, "kind": f"SPAN_KIND_{kind.upper()}",
        "parentSpanId": base64.b64encode(bytes.fromhex(parent)).decode(), "status": {"code": "STATUS_CODE_ERROR"},
        "startTimeUnixNano": str(began), "endTimeUnixNano": str(began + int(seconds * 1e9)),
    }  # fmt: skip
    attributes = [{"key": "service.name", "value": {"stringValue": service}}]
    return {"resource": {"attributes": attributes}, "scopeSpans": [{"spans": [span]}]}


def _jaeger(asked: httpx.Request) -> httpx.Response:
    if asked.url.path != "/api/traces" or asked.url.params["service"] != "checkout":
        return httpx.Response(404, json={"error": "not found"})
    began = at(asked) + 1
    spans = [
        {
            "traceID": f"t{int(began)}", "spanID": id, "operationName": operation, "processID": service,
            "references": [{"refType": "CHILD_OF", "spanID": parent}] if parent else [], "duration": int(seconds * 1e6),
            "startTime": int((began + after) * 1e6),
            "tags": [{"key": "span.kind", "value": kind}, {"key": "error", "value": True}],
        }
        for id, parent, service, operation, kind, after, seconds in ROWS
    ]  # fmt: skip
    processes = {service: {"serviceName": service} for service in ("web", "checkout")}
    return httpx.Response(200, json={"data": [{"traceID": f"t{int(began)}", "spans": spans, "processes": processes}]})


@pytest.fixture(params=["tempo", "jaeger"])
async def traces(request: pytest.FixtureRequest) -> AsyncIterator[Traces]:
    config = TracesConfig(tempo="http://tempo.example.com", jaeger="http://jaeger.example.com")
    answer = _tempo if request.param == "tempo" else _jaeger
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        yield TempoTraces(config, client) if request.param == "tempo" else JaegerTraces(config, client)


async def test_whole_traces_come_with_who_called_whom(traces: Traces) -> None:
    found = await traces.spans("checkout", start=NOW - timedelta(minutes=5), end=NOW, traces=20)
    spans = found.rows

    assert [(s.id, s.parent, s.service, s.operation, s.client, s.error) for s in spans] == [
        (id, parent, service, operation, kind == "client", True) for id, parent, service, operation, kind, *_ in ROWS
    ]
    assert [round(s.seconds, 6) for s in spans] == [0.30, 0.25, 0.05]


async def test_a_service_that_the_store_does_not_know_could_not_be_looked_at(traces: Traces) -> None:
    with pytest.raises(QueryFailed):
        await traces.spans("cart", start=NOW - timedelta(minutes=5), end=NOW, traces=20)


async def test_the_query_can_be_told(traces: Traces) -> None:
    assert "checkout" in traces.query("checkout")


async def test_the_tool_tells_time_on_the_wire_from_work(traces: Traces) -> None:
    evidence = await call_tool("search_traces", context(traces=traces), service="checkout")

    wire = next(row for row in evidence.facts.spent if row.operation == "wire to checkout")
    assert (round(wire.now, 3), wire.service) == (0.2, "web") and evidence.user_controllable
    assert (
        evidence.summary == "checkout: 1 trace in the last 15 min, 1 before; no operation takes longer"
        and evidence.window.end > ONSET
    )  # type: ignore[union-attr]
