"""Log lines from Loki. API: https://grafana.com/docs/loki/latest/reference/loki-http-api/"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import httpx

from bot.core.check import Check, failed, ok
from bot.core.config.systems import LogsConfig
from bot.core.errors import QueryFailed
from bot.core.logs.line import LogLine
from bot.core.logs.parsing import level_of, shortened, without_secrets
from bot.core.metrics.logql import line_query
from bot.core.text.untrusted import one_line
from bot.monitoring.http import JsonResponse, JsonServer, refusal

MAX_LINES = 5_000
"""Loki refuses more than this by default (max_entries_limit_per_query)."""
_POD_LABELS = ("pod", "pod_name", "k8s_pod_name", "instance", "host", "hostname", "container")
_LEVEL_LABELS = ("level", "detected_level", "severity")


class LokiLogs:
    """The Logs port over Loki's `query_range`."""

    def __init__(self, config: LogsConfig, client: httpx.AsyncClient, *, token: str = "", seconds: float = 10.0) -> None:
        self._label, self._pod_label = config.label, config.pod_label
        self._server = JsonServer(client, name="Loki", base=config.loki, seconds=seconds, token=token)

    async def search(
        self, service: str, text: str, *, start: datetime, end: datetime, limit: int, pod: str = ""
    ) -> list[LogLine]:
        """Lines of one service that hold the text, newest first."""
        response = await self._server.get(
            "/loki/api/v1/query_range",
            {
                "query": self.query(service, text, pod),
                "start": str(_nanoseconds(start)),
                "end": str(_nanoseconds(end)),
                "limit": str(max(1, min(limit, MAX_LINES))),
                "direction": "backward",
            },
        )
        lines = sorted(self._lines(response), key=lambda line: line.at, reverse=True)
        return await asyncio.to_thread(without_secrets, lines[:limit])

    def query(self, service: str, text: str, pod: str = "") -> str:
        """The LogQL that `search` sends."""
        return line_query(self._label, service, text, pod_label=self._pod_label, pod=pod)

    async def check(self) -> Check:
        """Whether it answers and has the label that names services."""
        try:
            answer = await self._server.read("/loki/api/v1/labels", {})
        except QueryFailed as error:
            return failed("Loki", str(error), "check logs.loki and TOCSIN_LOKI_TOKEN")
        labels = answer.get("data") if isinstance(answer, dict) else 0
        if not isinstance(labels, list | None) or answer.get("status") != "success":
            return failed("Loki", f"{self._server.place} answered something that is not the Loki API", "check logs.loki")
        if labels and self._label not in labels:
            names = one_line(", ".join(map(str, labels)), 120)
            return failed("Loki", f"no line has the label {self._label}", f"set logs.label to the one of services: {names}")
        return ok(
            "Loki", f"answers; services are named by the label {self._label}" if labels else "answers; it holds no lines yet"
        )

    def _lines(self, response: JsonResponse) -> Iterator[LogLine]:
        if response.status != 200:
            raise QueryFailed(f"{self._server.place} answered {refusal(response)}")
        try:
            answer = response.json["data"]
            if answer["resultType"] != "streams":
                raise QueryFailed(f"{self._server.place} answered {one_line(str(answer['resultType']), 20)} instead of lines")
            for stream in answer["result"]:
                labels = stream["stream"]
                pod = next((str(labels[name])[:120] for name in (self._pod_label, *_POD_LABELS) if name in labels), "")
                yield from (_line(labels, entry, pod) for entry in stream["values"])
        except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
            raise QueryFailed(f"{self._server.place} answered something that is not the Loki API") from error


def _line(labels: Mapping[str, object], entry: Sequence[str], pod: str) -> LogLine:
    text = str(entry[1])
    named = next((str(labels[name]).lower()[:10] for name in _LEVEL_LABELS if name in labels), "")
    seconds, nanoseconds = divmod(int(entry[0]), 10**9)
    at = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=nanoseconds // 1000)
    return LogLine(at=at, text=shortened(text), level=named or level_of(text), pod=pod)


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000) * 10**6
