"""Every tool in trouble: servers that answer nonsense, pages, floods or nothing, strange names, no catalogue, a future alert.

What a tool could not see is `QueryFailed` or says so in its summary; nothing else ever comes out of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from bot.core.change import Change
from bot.core.config.systems import LogsConfig, PrometheusConfig, SystemConfig, TracesConfig, WebConfig
from bot.core.errors import QueryFailed
from bot.core.evidence import Evidence
from bot.core.service import Catalogue, Objective, Service, Signal
from bot.monitoring.logs.loki import LokiLogs
from bot.monitoring.metrics.prometheus import PrometheusMetrics
from bot.monitoring.systems.argocd import ArgoCd
from bot.monitoring.systems.github import GitHub
from bot.monitoring.systems.helm import Helm
from bot.monitoring.systems.kubernetes import Kubernetes
from bot.monitoring.systems.mlflow import MLflow
from bot.monitoring.systems.web import AllowedWeb
from bot.monitoring.traces.jaeger import JaegerTraces
from bot.monitoring.traces.tempo import TempoTraces
from bot.plugins import ToolContext
from tests.unit.builders import NOW
from tests.unit.tools.tool_fixture import TOOLS, Changes, context

HERE = SystemConfig(url="http://system.example.com")
HUGE = b"[" + b"1," * (3 * 2**20) + b"1]"
DEEP = b'{"a":' * 900 + b"1" + b"}" * 900
STRANGE = [
    "my service",
    'say "hi"',
    "back\\slash",
    "a'b",
    "søknad-日本-🙂",
    "{}|~=",
    "x" * 500,
    "line\nbreak",
    "\u202eevil",
    "../../etc",
]

Answer = Callable[[httpx.Request], httpx.Response]


def raising(error: Exception) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error

    return answer


def always(*content: Any, **more: Any) -> Answer:
    return lambda request: httpx.Response(*content, **more)


TROUBLES: dict[str, Answer] = {
    "nothing within its time": raising(httpx.ReadTimeout("slow")),
    "no connection": raising(httpx.ConnectError("refused")),
    "a page": always(200, html="<html><body>Log in</body></html>"),
    "an error page": always(502, html="<html>Bad gateway</html>"),
    "a redirect": always(302, headers={"Location": "http://169.254.169.254/latest/meta-data"}),
    "a flood": always(200, content=HUGE),
    "an empty body": always(200, content=b""),
    "a number": always(200, json=7),
    "null": always(200, json=None),
    "a list": always(200, json=["x", None, {"a": 1}]),
    "an empty object": always(200, json={}),
    "nulls": always(200, json={"status": "success", "data": None, "traces": None, "model_versions": None, "items": None}),
    "wrong types": always(
        200,
        json={
            "status": "success",
            "data": {"resultType": "matrix", "result": [{"metric": None, "values": "x"}]},
            "traces": [None], "model_versions": [7], "items": ["x"], "registered_model": [], "commits": {}, "metadata": "x",
        },
    ),
    "a deep answer": always(200, content=DEEP),
    "broken letters": always(200, content=b"\xff\xfe{\x00"),
}  # fmt: skip


def catalogue(name: str) -> Catalogue:
    objectives = {"availability": Objective(good="g[{window}]", total="t[{window}]", objective=99.0)}
    signals = {"errors": Signal(promql="errors", unit="ratio", bad_above=0.02), "requests": Signal(promql="requests")}
    service = Service(name=name, depends_on=("payments",), match={"service": name}, signals=signals, objectives=objectives)
    return Catalogue([service, Service(name="payments", signals={"requests": Signal(promql="paid")})])


def built(client: httpx.AsyncClient, name: str, *, jaeger: bool = False, **values: Any) -> ToolContext:
    """A context over real clients of every system, all of them at one server."""
    traces = TracesConfig(tempo="http://traces.example.com", jaeger="http://traces.example.com")
    models = MLflow(HERE, client, {name: "fraud"})
    found = context(
        catalogue=catalogue(name),
        metrics=PrometheusMetrics(PrometheusConfig(url="http://prometheus.example.com"), client),
        logs=LokiLogs(LogsConfig(loki="http://loki.example.com"), client),
        traces=JaegerTraces(traces, client) if jaeger else TempoTraces(traces, client),
        code=GitHub(HERE, client, {name: "shop/checkout"}),
        models=models,
        cluster=Kubernetes(HERE, client, {name: "prod/checkout"}),
        histories=(ArgoCd(HERE, client, {name: "checkout"}), Helm(HERE, client, {name: "prod/checkout"}), models),
        web=AllowedWeb({"status": WebConfig(url="http://web.example.com", allow=("/notes",))}, client),
        changes=Changes((Change(id="1", at=NOW - timedelta(minutes=40), service=name, kind="deploy", title="2.0"),)),
        case={"service": name, "labels": {"service": name}, "expression": "errors > 0.02"},
    )
    return replace(found, **values)


ASKED: Mapping[str, Mapping[str, Any]] = {
    "active_alerts": {"service": "{name}"},
    "call_mix": {"service": "{name}"},
    "call_waits": {},
    "change_jumps": {"service": "{name}"},
    "code_changes": {"service": "{name}", "base": "1", "head": "2"},
    "compare_metric": {"service": "{name}", "signal": "errors"},
    "current_values": {"service": "{name}"},
    "dependencies": {"service": "{name}"},
    "describe_workload": {"service": "{name}"},
    "find_metrics": {"text": "errors"},
    "log_mix": {"service": "{name}"},
    "metric_breakdown": {"service": "{name}", "signal": "errors"},
    "model_versions": {"service": "{name}"},
    "pod_logs": {"service": "{name}"},
    "query_metric": {"service": "{name}", "signal": "errors"},
    "read_logs": {"service": "{name}", "text": '"} | json {'},
    "recent_changes": {"service": "{name}"},
    "search_logs": {"service": "{name}", "text": '"} | json {'},
    "search_traces": {"service": "{name}"},
    "service_health": {"service": "{name}"},
    "slo_status": {"service": "{name}"},
    "read_web": {"system": "status", "path": "/notes", "query": '{"q": "x"}'},
}
WITHOUT_SERVERS = frozenset({"active_alerts", "dependencies"})
"""They answer from what the bot itself knows."""
WHATEVER_COMES = frozenset({"read_web"})
"""Any JSON is an answer of it."""
NO_TRACES = frozenset({"search_traces"})
"""Both trace stores may leave an empty list out."""


def arguments(tool: str, name: str) -> dict[str, Any]:
    return {key: value.replace("{name}", name) for key, value in ASKED[tool].items()}


async def looked(tool: str, ctx: ToolContext, name: str) -> Evidence | QueryFailed:
    try:
        return await TOOLS[tool](ctx, **arguments(tool, name))
    except QueryFailed as error:
        assert len(str(error)) <= 900 and "\n" not in str(error)
        return error


def sees_nothing(found: Evidence | QueryFailed) -> bool:
    return isinstance(found, QueryFailed) or not found.ok or bool(found.unseen)


def test_every_tool_that_asks_a_server_is_tried() -> None:
    # See test_mcp_servers, test_postgres_health and the unit tests.
    assert set(TOOLS) - set(ASKED) == {"ask_mcp", "database_health", "past_incidents", "read_runbook"}


@pytest.mark.parametrize("jaeger", [False, True], ids=["tempo", "jaeger"])
@pytest.mark.parametrize("trouble", TROUBLES)
async def test_trouble_of_a_server_is_could_not_look_and_never_a_finding(trouble: str, jaeger: bool) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(TROUBLES[trouble])) as client:
        ctx = built(client, "checkout", jaeger=jaeger)
        found = {tool: await looked(tool, ctx, "checkout") for tool in ASKED}

    blind = {tool for tool, answer in found.items() if sees_nothing(answer)}
    readable = trouble in ("a number", "a list", "an empty object", "nulls", "wrong types", "a deep answer")
    may = WITHOUT_SERVERS | (WHATEVER_COMES if readable else frozenset()) | (NO_TRACES if trouble == "nulls" else frozenset())
    assert set(ASKED) - blind <= may


def empty(request: httpx.Request) -> httpx.Response:
    """Every server is well and knows nothing."""
    path = request.url.path
    if path.startswith("/api/v1/query"):
        kind = "matrix" if path.endswith("range") else "vector"
        return httpx.Response(200, json={"status": "success", "data": {"resultType": kind, "result": []}})
    if path.startswith("/loki"):
        return httpx.Response(200, json={"status": "success", "data": {"resultType": "streams", "result": []}})
    if path == "/api/search":
        return httpx.Response(200, json={"traces": [], "metrics": {}})
    if path == "/api/traces":
        return httpx.Response(200, json={"data": [], "errors": None})
    return httpx.Response(404, json={"message": "Not Found", "status": "error", "error": "no such page"})


@pytest.mark.parametrize("name", STRANGE)
async def test_a_strange_name_of_the_catalogue_breaks_no_query_and_no_line(name: str) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(empty)) as client:
        ctx = built(client, name)
        found = {tool: await looked(tool, ctx, name) for tool in ASKED}

    for answer in found.values():
        if isinstance(answer, Evidence):
            assert not any("\n" in line or "\u202e" in line for line in (answer.summary, *answer.details)), answer.summary


@pytest.mark.parametrize("name", STRANGE)
async def test_a_name_that_nobody_knows_is_refused_before_anything_is_asked(name: str) -> None:
    asked: list[str] = []

    def remember(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return empty(request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(remember)) as client:
        ctx = built(client, "checkout")
        named = [tool for tool, given in ASKED.items() if "service" in given]
        found = {tool: await looked(tool, ctx, name) for tool in named}

    assert all(isinstance(answer, QueryFailed) for answer in found.values()) and asked == []


async def test_without_a_catalogue_every_tool_still_ends_in_an_answer() -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(empty)) as client:
        ctx = built(client, "checkout", catalogue=Catalogue())
        found = {tool: await looked(tool, ctx, "checkout") for tool in ASKED}
        nameless = replace(ctx, case=ctx.case.model_copy(update={"service": "", "labels": {}, "expression": ""}))
        unnamed = {tool: await looked(tool, nameless, "") for tool in ASKED}

    seen = {tool for tool, answer in {**found, **unnamed}.items() if not sees_nothing(answer)}
    assert seen <= {"active_alerts", "recent_changes", "search_logs", "search_traces"}


async def test_an_alert_from_the_future_is_looked_at_now() -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(empty)) as client:
        ctx = built(client, "checkout")
        future = replace(ctx, case=ctx.case.model_copy(update={"started_at": NOW + timedelta(days=2)}))
        found = {tool: await looked(tool, future, "checkout") for tool in ASKED}

    for answer in found.values():
        if isinstance(answer, Evidence) and answer.window:
            assert answer.window.start < answer.window.end <= NOW
