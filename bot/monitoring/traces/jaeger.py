"""Traces from Jaeger. API: https://www.jaegertracing.io/docs/latest/architecture/apis/ (the query service's HTTP JSON)"""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

import httpx

from bot.core.config.systems import TracesConfig
from bot.core.errors import AnswerTooLarge, QueryFailed
from bot.core.text.untrusted import one_line
from bot.core.traces.calls import CallSummary
from bot.core.traces.spans import Sample, Span
from bot.monitoring.http import JsonObject, JsonServer, UntrustedJson
from bot.monitoring.traces.summing import calls_of, sampled


class JaegerTraces:
    """The Traces port: one search answers whole traces."""

    def __init__(self, config: TracesConfig, client: httpx.AsyncClient, *, token: str = "", seconds: float = 8.0) -> None:
        self._server = JsonServer(client, name="Jaeger", base=config.jaeger, seconds=seconds, token=token)

    async def spans(self, service: str, *, start: datetime, end: datetime, traces: int) -> Sample[Span]:
        """All spans of at most so many traces that pass through the service; of fewer where the answer would be too large."""
        window = {"start": str(int(start.timestamp() * 1e6)), "end": str(int(end.timestamp() * 1e6))}
        try:
            # One more than is used shows that there were more.
            answer = await self._server.read("/api/traces", {"service": service, **window, "limit": str(traces + 1)})
        except AnswerTooLarge:
            if traces <= 1:
                raise
            fewer = await self.spans(service, start=start, end=end, traces=max(1, traces // 4))
            return Sample(fewer.rows, more=True, unread=fewer.unread)
        matches = self._traces(answer)
        read = sampled([_span(row, trace) for trace in matches[:traces] for row in trace.get("spans") or ()])
        if read is None:
            raise self._strange()
        return Sample(read.rows, more=len(matches) > traces, unread=read.unread)

    async def calls(self, services: Sequence[str], *, start: datetime, end: datetime) -> Sample[CallSummary]:
        """The spans of these services in the window, summed up a minute."""
        return await calls_of(self.spans, services, start=start, end=end)

    def query(self, service: str) -> str:
        """The search that `spans` makes."""
        return f"GET /api/traces?service={quote(service, safe='')}"

    async def check(self) -> None:
        """Raises QueryFailed if it does not answer, or answers otherwise than Jaeger does."""
        answer = await self._server.read("/api/services", {})
        if not isinstance(answer, dict) or "data" not in answer:
            raise self._strange()

    def _traces(self, answer: UntrustedJson) -> list[JsonObject]:
        traces = answer.get("data") if isinstance(answer, dict) and "data" in answer else 0
        errors = answer.get("errors") if isinstance(answer, dict) else None
        if not traces and isinstance(errors, list) and errors:
            why = errors[0].get("msg") if isinstance(errors[0], dict) else errors[0]
            raise QueryFailed(f"{self._server.place} answered: {one_line(str(why), 200)}")
        if not isinstance(traces, list | None) or not all(isinstance(trace, dict) for trace in traces or ()):
            raise self._strange()
        return traces or []

    def _strange(self) -> QueryFailed:
        return QueryFailed(f"{self._server.place} answered something that is not the Jaeger API")


def _span(row: UntrustedJson, trace: JsonObject) -> Span | None:
    """One span; None if it lacks a required field."""
    try:
        # Only what waits for it is its caller: a span that follows from another does not.
        parents = [reference["spanID"] for reference in row.get("references") or () if reference.get("refType") == "CHILD_OF"]
        tags = {tag["key"]: tag.get("value") for tag in row.get("tags") or ()}
        return Span(
            trace=str(row["traceID"]),
            id=str(row["spanID"]),
            parent=str(parents[0]) if parents else "",
            service=one_line(str(trace["processes"][row["processID"]]["serviceName"]), 120),
            operation=one_line(str(row.get("operationName") or ""), 120),
            start=int(row["startTime"]) / 1e6,
            seconds=int(row["duration"]) / 1e6,
            error=tags.get("error") in (True, "true") or tags.get("otel.status_code") == "ERROR",
            client=tags.get("span.kind") == "client",
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return None
