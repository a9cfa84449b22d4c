"""Traces from Grafana Tempo. API: https://grafana.com/docs/tempo/latest/api_docs/"""

import asyncio
import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote as quoted

import httpx

from bot.core.calls import Calls
from bot.core.config import TracesConfig
from bot.core.errors import LookFailed
from bot.core.promql import quote
from bot.core.spans import Span
from bot.core.text import one_line
from bot.monitoring.http import JsonServer
from bot.monitoring.summing import calls_of

_AT_ONCE = 5


class TempoTraces:
    """The Traces port: a search with TraceQL, then each trace whole."""

    def __init__(self, config: TracesConfig, client: httpx.AsyncClient, *, token: str = "", seconds: float = 8.0) -> None:
        self._server = JsonServer(client, name="Tempo", base=config.tempo, seconds=seconds, token=token)

    async def spans(self, service: str, *, start: datetime, end: datetime, traces: int) -> list[Span]:
        """All spans of at most so many traces that pass through the service."""
        asked = {"q": self.query(service), "start": str(int(start.timestamp())), "end": str(int(end.timestamp()))}
        found = await self._server.read("/api/search", {**asked, "limit": str(traces)})
        try:
            ids = [str(row["traceID"]) for row in found.get("traces") or ()][:traces]
        except (KeyError, TypeError, AttributeError) as error:
            raise self._strange() from error
        turns = asyncio.Semaphore(_AT_ONCE)

        async def whole(id: str) -> list[Span]:
            async with turns:
                return self._read(id, await self._server.read(f"/api/traces/{quoted(id, safe='')}", {}))

        return [span for spans in await asyncio.gather(*map(whole, ids)) for span in spans]

    async def calls(self, services: Sequence[str], *, start: datetime, end: datetime) -> list[Calls]:
        """The spans of these services in the window, summed up a minute."""
        return await calls_of(self.spans, services, start=start, end=end)

    def query(self, service: str) -> str:
        """The TraceQL that `spans` sends."""
        return f"{{resource.service.name={quote(service)}}}"

    async def check(self) -> None:
        """Raises LookFailed if it does not answer."""
        await self._server.read("/api/search/tags", {})

    def _read(self, trace: str, answer: Mapping[str, Any]) -> list[Span]:
        try:
            # Older versions say "batches", newer ones wrap "resourceSpans".
            inner = answer.get("trace", answer)
            return [span for batch in inner.get("batches") or inner.get("resourceSpans") or () for span in _spans(trace, batch)]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._strange() from error

    def _strange(self) -> LookFailed:
        return LookFailed(f"{self._server.place} answered something that is not the Tempo API")


def _spans(trace: str, batch: Mapping[str, Any]) -> Iterator[Span]:
    named = {one["key"]: one["value"].get("stringValue", "") for one in batch.get("resource", {}).get("attributes", ())}
    for scope in batch.get("scopeSpans") or batch.get("instrumentationLibrarySpans") or ():
        for row in scope["spans"]:
            start, end = int(row["startTimeUnixNano"]), int(row["endTimeUnixNano"])
            yield Span(
                trace=trace,
                id=_id(row["spanId"]),
                parent=_id(row.get("parentSpanId") or ""),
                service=one_line(str(named.get("service.name", "")), 120),
                operation=one_line(str(row["name"]), 120),
                start=start / 1e9,
                seconds=(end - start) / 1e9,
                error=(row.get("status") or {}).get("code") in (2, "STATUS_CODE_ERROR"),
                client=row.get("kind") in (3, "SPAN_KIND_CLIENT"),
            )


def _id(text: str) -> str:
    """Ids come in hexadecimal or, as JSON of protocol buffers, in base64."""
    if len(text) == 16 or not text:
        return text
    try:
        return base64.b64decode(text, validate=True).hex()
    except (binascii.Error, ValueError):
        return text
