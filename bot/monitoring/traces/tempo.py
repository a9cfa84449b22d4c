"""Traces from Grafana Tempo. API: https://grafana.com/docs/tempo/latest/api_docs/"""

import asyncio
import base64
import binascii
import math
import re
import urllib.parse
from collections.abc import Iterator, Sequence
from datetime import datetime

import httpx

from bot.core.config.systems import TracesConfig
from bot.core.errors import QueryFailed
from bot.core.metrics.promql import quote
from bot.core.text.untrusted import one_line
from bot.core.traces.calls import CallSummary
from bot.core.traces.spans import Sample, Span
from bot.monitoring.http import JsonObject, JsonServer, UntrustedJson
from bot.monitoring.traces.summing import calls_of, sampled
from bot.parallel import answers_or_failures

_AT_ONCE = 5
_HEX = re.compile(r"[0-9a-fA-F]{16}")

TraceCache = dict[str, "asyncio.Task[Sample[Span]]"]
"""Traces already requested, by id: one request passes through many services."""


class TempoTraces:
    """The Traces port: a search with TraceQL, then each trace whole."""

    def __init__(self, config: TracesConfig, client: httpx.AsyncClient, *, token: str = "", seconds: float = 8.0) -> None:
        self._server = JsonServer(client, name="Tempo", base=config.tempo, seconds=seconds, token=token)

    async def spans(self, service: str, *, start: datetime, end: datetime, traces: int) -> Sample[Span]:
        """All spans of at most so many traces that pass through the service."""
        return await self._read_traces_of(service, {}, start=start, end=end, traces=traces)

    async def calls(self, services: Sequence[str], *, start: datetime, end: datetime) -> Sample[CallSummary]:
        """The spans of these services in the window, summed up a minute."""
        cache: TraceCache = {}

        async def read(service: str, *, start: datetime, end: datetime, traces: int) -> Sample[Span]:
            return await self._read_traces_of(service, cache, start=start, end=end, traces=traces)

        return await calls_of(read, services, start=start, end=end)

    def query(self, service: str) -> str:
        """The TraceQL that `spans` sends."""
        return f"{{resource.service.name={quote(service)}}}"

    async def check(self) -> None:
        """Raises QueryFailed if it does not answer, or answers otherwise than Tempo does."""
        answer = await self._server.read("/api/search/tags", {})
        if not isinstance(answer, dict) or not answer.keys() & {"tagNames", "metrics"}:
            raise self._not_tempo()

    async def _read_traces_of(
        self, service: str, cache: TraceCache, *, start: datetime, end: datetime, traces: int
    ) -> Sample[Span]:
        """Search, then read each trace that was not read yet. A trace that is gone or too large is listed as unread."""
        ids = await self._search(service, start, end, traces + 1)

        async def read_trace(id: str) -> Sample[Span]:
            if id not in cache:
                cache[id] = asyncio.create_task(self._trace(id))
            return await cache[id]

        answers = await answers_or_failures(read_trace, ids[:traces], at_once=_AT_ONCE)
        samples = [answer for answer in answers if isinstance(answer, Sample)]
        failed = [answer for answer in answers if isinstance(answer, QueryFailed)]
        if failed and not samples:
            raise failed[0]
        gap = [f"{len(failed)} of {len(answers)} traces could not be read: {failed[0]}"] if failed else []
        unread = dict.fromkeys([*gap, *(why for answer in samples for why in answer.unread)])
        return Sample([span for answer in samples for span in answer.rows], len(ids) > traces, tuple(unread))

    async def _search(self, service: str, start: datetime, end: datetime, limit: int) -> list[str]:
        since = int(start.timestamp())
        # Tempo counts in seconds and refuses a window without any.
        until = max(since + 1, math.ceil(end.timestamp()))
        window = {"start": str(since), "end": str(until), "limit": str(limit)}
        answer = await self._server.read("/api/search", {"q": self.query(service), **window})
        try:
            if not answer.keys() & {"traces", "metrics"}:
                raise self._not_tempo()
            return list(dict.fromkeys(str(row["traceID"]) for row in answer.get("traces") or ()))
        except (KeyError, TypeError, AttributeError) as error:
            raise self._not_tempo() from error

    async def _trace(self, id: str) -> Sample[Span]:
        answer = await self._server.read(f"/api/traces/{urllib.parse.quote(id, safe='')}", {})
        try:
            # Older versions have "batches", newer ones wrap "resourceSpans".
            inner = answer.get("trace", answer)
            batches = inner.get("batches") or inner.get("resourceSpans")
            sample = sampled([_span(id, *row) for batch in batches for row in _rows(batch)])
        except (TypeError, AttributeError) as error:
            raise self._not_tempo() from error
        if sample is None:
            raise self._not_tempo()
        return sample

    def _not_tempo(self) -> QueryFailed:
        return QueryFailed(f"{self._server.place} answered something that is not the Tempo API")


def _rows(batch: JsonObject) -> Iterator[tuple[str, UntrustedJson]]:
    """Each span of one process with the name of its service. Empty fields are left out in JSON of protocol buffers."""
    attributes = (batch.get("resource") or {}).get("attributes") or ()
    named = {attribute.get("key"): (attribute.get("value") or {}).get("stringValue") for attribute in attributes}
    service = one_line(str(named.get("service.name") or ""), 120)
    for scope in batch.get("scopeSpans") or batch.get("instrumentationLibrarySpans") or ():
        for row in scope.get("spans") or ():
            yield service, row


def _span(trace: str, service: str, row: UntrustedJson) -> Span | None:
    """One span; None if it lacks a required field."""
    try:
        start, end = int(row["startTimeUnixNano"]), int(row["endTimeUnixNano"])
        return Span(
            trace=trace,
            id=_id(row["spanId"]),
            parent=_id(row.get("parentSpanId") or ""),
            service=service,
            operation=one_line(str(row.get("name") or ""), 120),
            start=start / 1e9,
            seconds=(end - start) / 1e9,
            error=(row.get("status") or {}).get("code") in (2, "STATUS_CODE_ERROR"),
            client=row.get("kind") in (3, "SPAN_KIND_CLIENT"),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return None


def _id(text: str) -> str:
    """Ids come in hexadecimal or, as JSON of protocol buffers, in base64; one of zeros is none."""
    if not _HEX.fullmatch(text):
        try:
            text = base64.b64decode(text, validate=True).hex()
        except (binascii.Error, ValueError):
            return text
    return text.lower() if text.strip("0") else ""
