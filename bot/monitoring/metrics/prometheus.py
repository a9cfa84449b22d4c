"""Metrics from Prometheus and systems with its API: VictoriaMetrics, Mimir, Thanos (a base path in the address is kept).

API: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import urlencode

import httpx

from bot.core.config.systems import PrometheusConfig
from bot.core.errors import QueryFailed
from bot.core.loading.arrays import np
from bot.core.metrics.series import Series
from bot.core.systems import AlertRule, MetricDescription
from bot.core.text.moments import date_and_clock
from bot.core.text.untrusted import one_line
from bot.monitoring.http import JsonObject, JsonResponse, JsonServer, UntrustedJson

MAX_SERIES = 500
MAX_POINTS = 11_000
"""Prometheus refuses more points a series than this."""
MAX_NAMES, MAX_LABEL_SETS = 5_000, 2_000
_SHORTEST_STEP_SECONDS = 0.001
RULES_SECONDS = 60.0
"""So long the rules that were read count as those of now: each tool call may need them, and there may be thousands."""


class PrometheusMetrics:
    """The Metrics port over the HTTP API."""

    def __init__(
        self,
        config: PrometheusConfig,
        client: httpx.AsyncClient,
        *,
        token: str = "",
        seconds_now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._public_is_configured = bool(config.public_url)
        self._public = (config.public_url or config.url).rstrip("/")
        self._seconds = config.timeout.total_seconds()
        self._server = JsonServer(client, name="Prometheus", base=config.url, seconds=self._seconds, token=token)
        self._seconds_now = seconds_now
        self._rules: asyncio.Task[list[AlertRule]] | None = None
        self._rules_at = 0.0

    async def range(self, promql: str, *, start: datetime, end: datetime, step: float) -> list[Series]:
        """Samples of each series; the step is widened where it would give more than 11,000 points."""
        form = {"query": promql, "start": _moment(start), "end": _moment(end), "step": f"{widened(start, end, step):g}"}
        return self._series(await self._server.post("/api/v1/query_range", form | self._limits()))

    async def instant(self, promql: str, *, at: datetime | None = None) -> list[Series]:
        """One sample a series, at `at` or now."""
        moment = {"time": _moment(at)} if at else {}
        return self._series(await self._server.post("/api/v1/query", {"query": promql} | moment | self._limits()))

    async def names(self, selector: str, *, start: datetime, end: datetime) -> list[str]:
        """Names of metrics with samples in the window, in order."""
        match = {"match[]": selector} if selector else {}
        names = await self._list("/api/v1/label/__name__/values", match | _window(start, end, MAX_NAMES))
        return sorted(str(name) for name in names)[:MAX_NAMES]

    async def label_sets(self, selector: str, *, start: datetime, end: datetime) -> list[Mapping[str, str]]:
        """The labels of the series that match."""
        rows = await self._list("/api/v1/series", {"match[]": selector} | _window(start, end, MAX_LABEL_SETS))
        sets = [row for row in rows[:MAX_LABEL_SETS] if isinstance(row, dict)]
        return [{str(name): str(value) for name, value in row.items()} for row in sets]

    async def label_names(self, selector: str) -> list[str]:
        """Names of the labels of the series that match, of all that it holds."""
        return [str(name) for name in await self._list("/api/v1/labels", {"match[]": selector})]

    async def label_values(self, label: str, selector: str = "") -> list[str]:
        """The values of a label of the series that match, of all that it holds."""
        match = {"match[]": selector} if selector else {}
        return [str(value) for value in await self._list(f"/api/v1/label/{label}/values", match)]

    async def scrape_intervals(self) -> list[str]:
        """How often each target is scraped, as Prometheus writes it (`15s`)."""
        targets = self._payload(await self._server.get("/api/v1/targets", {"state": "active"})).get("activeTargets") or ()
        return [str(target["scrapeInterval"]) for target in targets if isinstance(target, dict) and "scrapeInterval" in target]

    async def metadata(self) -> Mapping[str, MetricDescription]:
        """The first description of each metric; targets may differ in theirs."""
        described = self._payload(await self._server.get("/api/v1/metadata", {"limit_per_metric": "1"}))
        return {str(name): _description(rows) for name, rows in described.items()}

    async def _list(self, path: str, parameters: Mapping[str, str]) -> list[UntrustedJson]:
        """A list of an endpoint, whose `data` is one; servers that do not know `limit` answer all."""
        response = await self._server.get(path, parameters)
        answer = response.json
        if response.status == 200 and isinstance(answer, dict) and isinstance(answer.get("data"), list):
            rows: list[UntrustedJson] = answer["data"]
            return rows
        self._payload(response)
        raise self._unreadable("data")

    async def rules(self) -> list[AlertRule]:
        """The alerting rules of all groups: name, query, labels, annotations, duration (seconds); read once a minute."""
        if self._rules is None or not self._is_current(self._rules):
            self._rules, self._rules_at = asyncio.create_task(self._read_rules()), self._seconds_now()
        # Several wait for one answer: who waits no longer must not end it for the others.
        return list(await asyncio.shield(self._rules))

    def _is_current(self, reading: asyncio.Task[list[AlertRule]]) -> bool:
        """Whether what is being read, or was, counts as the rules of now; what could not be read is read again."""
        if not reading.done():
            return True
        failed = reading.cancelled() or reading.exception() is not None
        return not failed and self._seconds_now() - self._rules_at < RULES_SECONDS

    async def _read_rules(self) -> list[AlertRule]:
        groups = self._payload(await self._server.get("/api/v1/rules", {"type": "alert"})).get("groups")
        if not isinstance(groups, list):
            raise self._unreadable("groups")
        rules = [rule for group in groups if isinstance(group, dict) for rule in group.get("rules") or ()]
        return [_rule(rule) for rule in rules if isinstance(rule, dict) and rule.get("type") == "alerting"]

    async def read_public_url(self) -> str:
        """Where people open it: `public_url` of the configuration, else what `--web.external-url` says, else its address."""
        if not self._public_is_configured:
            flags = self._payload(await self._server.get("/api/v1/status/flags", {}))
            self._public = str(flags.get("web.external-url") or self._public).rstrip("/")
        return self._public

    def link(self, promql: str, *, start: datetime, end: datetime) -> str:
        """The expression browser with this query and window."""
        shown = {
            "g0.expr": promql,
            "g0.tab": "0",
            "g0.range_input": f"{max(1, math.ceil((end - start).total_seconds()))}s",
            "g0.end_input": date_and_clock(end),
        }
        return f"{self._public}/graph?{urlencode(shown)}"

    def _limits(self) -> dict[str, str]:
        # One more than is used shows that there were more. Servers that do not know `limit` ignore it.
        return {"timeout": f"{max(1, int(self._seconds))}s", "limit": str(MAX_SERIES + 1)}

    def _payload(self, response: JsonResponse) -> JsonObject:
        """The `data` of a good answer; raises QueryFailed with Prometheus' own reason for a refusal."""
        answer = response.json
        if isinstance(answer, dict) and answer.get("status") == "error":
            why = one_line(str(answer.get("error") or f"HTTP {response.status}{_hint(response.status)}"), 300)
            raise QueryFailed(f"{self._server.place} refused the query ({answer.get('errorType', response.status)}): {why}")
        if response.status != 200:
            raise QueryFailed(f"{self._server.place} answered HTTP {response.status}{_hint(response.status)}")
        if answer is None:
            raise QueryFailed(f"{self._server.place} answered no JSON: another server is there, or a login before it")
        if not isinstance(answer, dict) or not isinstance(answer.get("data"), dict):
            raise self._unreadable("data")
        payload: JsonObject = answer["data"]
        return payload

    def _series(self, response: JsonResponse) -> list[Series]:
        payload = self._payload(response)
        kind, result = payload.get("resultType"), payload.get("result")
        try:
            if kind == "scalar":
                return [_series_of({}, [result])]
            if kind in ("vector", "matrix") and isinstance(result, list):
                key = "value" if kind == "vector" else "values"
                return [_series_of(row["metric"], [row[key]] if kind == "vector" else row[key]) for row in result[:MAX_SERIES]]
        except (KeyError, TypeError, ValueError) as error:
            raise self._unreadable("result") from error
        raise QueryFailed(f"{self._server.place} answered a {one_line(str(kind), 20)}, which holds no series")

    def _unreadable(self, field: str) -> QueryFailed:
        return QueryFailed(f"{self._server.place} answered something that is not the Prometheus API (no readable `{field}`)")


def widened(start: datetime, end: datetime, step: float) -> float:
    """The step in seconds, wide enough for at most 11,000 points."""
    span = max(0.0, (end - start).total_seconds())
    narrowest = span / (MAX_POINTS - 1)
    return max(step, _SHORTEST_STEP_SECONDS) if step >= narrowest else float(math.ceil(narrowest))


def _window(start: datetime, end: datetime, limit: int) -> dict[str, str]:
    return {"start": _moment(start), "end": _moment(end), "limit": str(limit)}


def _description(rows: UntrustedJson) -> MetricDescription:
    first = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
    return MetricDescription(*(one_line(str(first.get(key) or ""), 300) for key in ("type", "unit", "help")))


def _moment(at: datetime) -> str:
    return f"{at.timestamp():.3f}"


def _series_of(labels: JsonObject, samples: UntrustedJson) -> Series:
    """One row of an answer; `NaN` and `+Inf` are what float() reads."""
    pairs = [(float(at), float(value)) for at, value in samples]
    return Series(
        labels={str(name): str(value) for name, value in labels.items()},
        times=np.array([at for at, _ in pairs], dtype=np.float64),
        values=np.array([value for _, value in pairs], dtype=np.float64),
    )


def _rule(rule: JsonObject) -> AlertRule:
    return {
        "name": str(rule.get("name", "")),
        "query": str(rule.get("query", "")),
        "labels": dict(rule.get("labels") or {}),
        "annotations": dict(rule.get("annotations") or {}),
        "duration": float(rule.get("duration") or 0),
    }


def _hint(status: int) -> str:
    if status in (401, 403):
        return ": check the bearer token (TOCSIN_PROMETHEUS_TOKEN)"
    if status == 404:
        return ": check the path of its address, the API is below it at /api/v1"
    return ": redirects are not followed, give the address that it leads to" if 300 <= status < 400 else ""
