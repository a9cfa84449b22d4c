"""Prometheus' HTTP API v1 over the world's metrics, with its own forms of answers and errors."""

import json
import math
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import parse_qsl

import numpy as np
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.sandbox.world import exposition
from bot.sandbox.world.metrics import Metrics
from bot.sandbox.world.promql.errors import ExecutionError, ParseError
from bot.sandbox.world.promql.evaluate import Evaluator
from bot.sandbox.world.promql.lexer import duration_seconds
from bot.sandbox.world.promql.parser import parse, parse_selector
from bot.sandbox.world.promql.syntax import Expr, Range, Selector
from bot.sandbox.world.promql.values import Value, Vector

MAX_POINTS = 11_000
PREFIX = "/world/prometheus"
VERSION = "2.53.3+shop"


class WorldView(Protocol):
    """What the API needs of the world."""

    metrics: Metrics

    def now(self) -> float:
        """Unix seconds; brings the history up to date."""
        ...

    def rule_groups(self) -> list[dict[str, Any]]:
        """Alerting rules with their state, in the form of /api/v1/rules."""
        ...

    def active_alerts(self) -> list[dict[str, Any]]:
        """Pending and firing alerts, in the form of /api/v1/alerts."""
        ...


class BadParameter(Exception):
    """A parameter that cannot be read: HTTP 400, `bad_data`."""


def answer(payload: object, status: int = 200) -> Response:
    """JSON as compact as Prometheus writes it."""
    return Response(json.dumps(payload, separators=(",", ":")), status, media_type="application/json")


def success(content: object) -> Response:
    """A good answer."""
    return answer({"status": "success", "data": content})


def failure(kind: str, message: str, status: int) -> Response:
    """An error in Prometheus' form."""
    return answer({"status": "error", "errorType": kind, "error": message}, status)


def moment(text: str, name: str) -> float:
    """Unix seconds or RFC 3339; raises BadParameter."""
    try:
        value = float(text)
        if math.isfinite(value):
            return value
    except ValueError:
        try:
            return datetime.fromisoformat(text).timestamp()
        except ValueError:
            pass
    raise BadParameter(f'invalid parameter "{name}": cannot parse "{text}" to a valid timestamp')


def span(text: str, name: str) -> float:
    """Seconds as a number or a duration; raises BadParameter."""
    try:
        value = float(text)
    except ValueError:
        try:
            value = duration_seconds(text)
        except ValueError:
            raise BadParameter(f'invalid parameter "{name}": cannot parse "{text}" to a valid duration') from None
    if not math.isfinite(value):
        raise BadParameter(f'invalid parameter "{name}": cannot parse "{text}" to a valid duration')
    return value


def read(text: str) -> Expr:
    """The parsed query; raises BadParameter as Prometheus words it."""
    try:
        return parse(text)
    except ParseError as error:
        raise BadParameter(f'invalid parameter "query": {error}') from error


def _points(vector: Vector, times: np.ndarray[Any, np.dtype[np.float64]]) -> list[dict[str, Any]]:
    stamps = [_stamp(t) for t in times.tolist()]
    result = []
    for labels, values, present in zip(vector.labels, vector.values, vector.present, strict=True):
        places = np.nonzero(present)[0].tolist()
        if places:
            numbers = values.tolist()
            result.append({"metric": labels, "values": [[stamps[i], exposition.number(numbers[i])] for i in places]})
    return sorted(result, key=_by_labels)


def _by_labels(series: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted(series["metric"].items())


def _stamp(at: float) -> float | int:
    rounded = round(at, 3)
    return int(rounded) if rounded == int(rounded) else rounded


def matrix_of(value: Value, times: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, Any]:
    """A range answer."""
    if isinstance(value, str):
        raise BadParameter(
            'invalid parameter "query": invalid expression type "string" for range query, must be Scalar or instant Vector'
        )
    if not isinstance(value, Vector):
        value = Vector([{}], np.asarray(value)[None, :], np.ones((1, len(times)), dtype=bool))
    return {"resultType": "matrix", "result": _points(value, times)}


def instant_of(value: Value, at: float) -> dict[str, Any]:
    """An instant answer."""
    stamp = _stamp(at)
    if isinstance(value, str):
        return {"resultType": "string", "result": [stamp, value]}
    if not isinstance(value, Vector):
        return {"resultType": "scalar", "result": [stamp, exposition.number(float(value[0]))]}
    result = [
        {"metric": labels, "value": [stamp, exposition.number(float(numbers[0]))]}
        for labels, numbers, present in zip(value.labels, value.values, value.present, strict=True)
        if present[0]
    ]
    return {"resultType": "vector", "result": result}


def raw_samples(metrics: Metrics, expr: Range, at: float) -> dict[str, Any]:
    """The samples themselves: what `metric[1m]` answers."""
    end = at - expr.selector.offset
    result = []
    for samples in metrics.select(expr.selector):
        grid = samples.grid
        low, high = int(np.ceil((end - expr.seconds - grid.start) / grid.step)), grid.index(end)
        for number, labels in enumerate(samples.labels):
            columns = np.arange(max(low, samples.first[number]), min(high, samples.last[number]) + 1)
            if len(columns):
                times, values = grid.start + grid.step * columns, samples.table[samples.rows[number], columns]
                pairs = zip(times.tolist(), values.tolist(), strict=True)
                result.append({"metric": labels, "values": [[_stamp(t), exposition.number(v)] for t, v in pairs]})
    return {"resultType": "matrix", "result": sorted(result, key=_by_labels)}


class Parameters:
    """Parameters of a GET or of a POSTed form."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs

    @classmethod
    async def of(cls, request: Request) -> "Parameters":
        """Form fields come before those of the address, as in Prometheus."""
        body = (await request.body()).decode("utf-8", "replace") if request.method == "POST" else ""
        return cls([*parse_qsl(body, keep_blank_values=True), *request.query_params.multi_items()])

    def get(self, name: str) -> str | None:
        """The first value."""
        return next((value for key, value in self._pairs if key == name), None)

    def all(self, name: str) -> list[str]:
        """Every value."""
        return [value for key, value in self._pairs if key == name]


class PrometheusApi:
    """The endpoints."""

    def __init__(self, world: WorldView) -> None:
        self.world = world

    def query(self, p: Parameters) -> Response:
        now = self.world.now()
        expr = read(p.get("query") or "")
        at = moment(p.get("time") or str(now), "time")
        self._timeout(p)
        if isinstance(expr, Range):
            return success(raw_samples(self.world.metrics, expr, at))
        return success(instant_of(Evaluator(self.world.metrics, np.asarray([at])).value(expr), at))

    def query_range(self, p: Parameters) -> Response:
        self.world.now()
        start, end = moment(p.get("start") or "", "start"), moment(p.get("end") or "", "end")
        step = span(p.get("step") or "", "step")
        if end < start:
            raise BadParameter('invalid parameter "end": end timestamp must not be before start time')
        if step <= 0:
            raise BadParameter(
                'invalid parameter "step": zero or negative query resolution step widths are not accepted. '
                "Try a positive integer"
            )
        if (end - start) / step > MAX_POINTS:
            raise BadParameter(
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"
            )
        expr = read(p.get("query") or "")
        self._timeout(p)
        if isinstance(expr, Range):
            raise BadParameter(
                'invalid parameter "query": invalid expression type "range vector" for range query, '
                "must be Scalar or instant Vector"
            )
        times = np.asarray(start + step * np.arange(int((end - start) / step + 1e-9) + 1), dtype=np.float64)
        return success(matrix_of(Evaluator(self.world.metrics, times).value(expr), times))

    def series(self, p: Parameters) -> Response:
        if not p.all("match[]"):
            raise BadParameter("no match[] parameter provided")
        return success(self._series(p))

    def labels(self, p: Parameters) -> Response:
        return success(sorted({name for labels in self._series(p) for name in labels}))

    def values(self, p: Parameters, name: str) -> Response:
        return success(sorted({labels[name] for labels in self._series(p) if name in labels}))

    def metadata(self, p: Parameters) -> Response:
        metric_name = p.get("metric")
        described = {}
        for table in self.world.metrics.tables.values():
            title = table.family.title
            if metric_name in (None, title):
                described[title] = [{"type": table.family.kind, "unit": "", "help": table.family.help}]
        return success(described)

    def rules(self, _: Parameters) -> Response:
        self.world.now()
        return success({"groups": self.world.rule_groups()})

    def alerts(self, _: Parameters) -> Response:
        self.world.now()
        return success({"alerts": self.world.active_alerts()})

    def build(self, _: Parameters) -> Response:
        names = ("revision", "branch", "buildUser", "buildDate", "goVersion")
        return success({"version": VERSION, **dict.fromkeys(names, "")})

    def _series(self, p: Parameters) -> list[dict[str, str]]:
        now = self.world.now()
        start = moment(p.get("start") or str(now - 3600), "start")
        end = moment(p.get("end") or str(now), "end")
        try:
            selectors = [parse_selector(text) for text in p.all("match[]")] or [parse_selector('{__name__=~".+"}')]
        except ParseError as error:
            raise BadParameter(f'invalid parameter "match[]": {error}') from error
        by_labels: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
        for selector in selectors:
            assert isinstance(selector, Selector)
            for labels in self.world.metrics.series(selector, start, end):
                by_labels[tuple(sorted(labels.items()))] = labels
        return list(by_labels.values())

    def _timeout(self, p: Parameters) -> None:
        if (text := p.get("timeout")) is not None:
            span(text, "timeout")


Handler = Callable[[Request], Awaitable[Response]]


def guarded(handle: Callable[[Request, Parameters], Response]) -> Handler:
    """Turns the errors of a query into the API's answers."""

    async def endpoint(request: Request) -> Response:
        started = time.perf_counter()
        try:
            response = handle(request, await Parameters.of(request))
        except BadParameter as error:
            response = failure("bad_data", str(error), 400)
        except ExecutionError as error:
            response = failure("execution", str(error), 422)
        response.headers["Server-Timing"] = f"query;dur={(time.perf_counter() - started) * 1000:.1f}"
        return response

    return endpoint


def prometheus_routes(world: WorldView) -> list[BaseRoute]:
    """`/world/metrics` and everything below `/world/prometheus`."""
    api = PrometheusApi(world)

    async def metrics(_: Request) -> Response:
        world.now()
        tables = [world.metrics.table(name) for name in world.metrics.tables]
        return PlainTextResponse(exposition.render(tables), media_type=exposition.CONTENT_TYPE)

    async def ready(_: Request) -> Response:
        return PlainTextResponse("Prometheus Server is Ready.\n")

    both = ["GET", "POST"]
    path = f"{PREFIX}/api/v1"
    return [
        Route("/world/metrics", metrics),
        Route(f"{PREFIX}/-/ready", ready),
        Route(f"{PREFIX}/-/healthy", ready),
        Route(f"{path}/query", guarded(lambda _, p: api.query(p)), methods=both),
        Route(f"{path}/query_range", guarded(lambda _, p: api.query_range(p)), methods=both),
        Route(f"{path}/series", guarded(lambda _, p: api.series(p)), methods=both),
        Route(f"{path}/labels", guarded(lambda _, p: api.labels(p)), methods=both),
        Route(f"{path}/label/{{name}}/values", guarded(lambda r, p: api.values(p, r.path_params["name"]))),
        Route(f"{path}/metadata", guarded(lambda _, p: api.metadata(p))),
        Route(f"{path}/rules", guarded(lambda _, p: api.rules(p))),
        Route(f"{path}/alerts", guarded(lambda _, p: api.alerts(p))),
        Route(f"{path}/status/buildinfo", guarded(lambda _, p: api.build(p))),
    ]
