"""Traces from Jaeger. API: https://www.jaegertracing.io/docs/latest/architecture/apis/ (the query service's HTTP JSON)"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import httpx

from bot.core.calls import Calls
from bot.core.config import TracesConfig
from bot.core.errors import LookFailed
from bot.core.spans import Span
from bot.core.text import one_line
from bot.monitoring.http import JsonServer
from bot.monitoring.summing import calls_of


class JaegerTraces:
    """The Traces port: one search answers whole traces."""

    def __init__(self, config: TracesConfig, client: httpx.AsyncClient, *, token: str = "", seconds: float = 8.0) -> None:
        self._server = JsonServer(client, name="Jaeger", base=config.jaeger, seconds=seconds, token=token)

    async def spans(self, service: str, *, start: datetime, end: datetime, traces: int) -> list[Span]:
        """All spans of at most so many traces that pass through the service."""
        window = {"start": str(int(start.timestamp() * 1e6)), "end": str(int(end.timestamp() * 1e6))}
        found = await self._server.read("/api/traces", {"service": service, **window, "limit": str(traces)})
        try:
            return [span for trace in found["data"][:traces] for span in _spans(trace)]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise LookFailed(f"{self._server.place} answered something that is not the Jaeger API") from error

    async def calls(self, services: Sequence[str], *, start: datetime, end: datetime) -> list[Calls]:
        """The spans of these services in the window, summed up a minute."""
        return await calls_of(self.spans, services, start=start, end=end)

    def query(self, service: str) -> str:
        """The search that `spans` makes."""
        return f"GET /api/traces?service={one_line(service, 120)}"

    async def check(self) -> None:
        """Raises LookFailed if it does not answer."""
        await self._server.read("/api/services", {})


def _spans(trace: Mapping[str, Any]) -> Iterator[Span]:
    processes = {id: str(process["serviceName"]) for id, process in trace["processes"].items()}
    for row in trace["spans"]:
        parents = [one["spanID"] for one in row.get("references") or () if one.get("refType") == "CHILD_OF"]
        tags = {one["key"]: one.get("value") for one in row.get("tags") or ()}
        yield Span(
            trace=str(row["traceID"]),
            id=str(row["spanID"]),
            parent=str(parents[0]) if parents else "",
            service=one_line(processes[row["processID"]], 120),
            operation=one_line(str(row["operationName"]), 120),
            start=int(row["startTime"]) / 1e6,
            seconds=int(row["duration"]) / 1e6,
            error=tags.get("error") in (True, "true") or tags.get("otel.status_code") == "ERROR",
            client=tags.get("span.kind") == "client",
        )
