"""`tocsin init` against a real Prometheus that scrapes the sandbox's shop: its draft is a valid configuration that works."""

import contextlib
import gc
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.console.configuration.config_draft import draft, serving_time
from bot.core.errors import QueryFailed
from bot.sandbox.world.app import world_routes
from bot.sandbox.world.life import Life
from bot.sandbox.world.model import World
from bot.settings import parse_config
from tests.contracts.prometheus_process import prometheus
from tests.real import free_port
from tests.real.serving import running

RULES = """
groups:
  - name: shop
    rules:
      - alert: ErrorsHigh
        expr: "vector(0) > 1"
        labels: {severity: critical}
        annotations: {runbook_url: "https://Runbooks.example.com/x", dashboard_url: "https://{{ $labels.host }}/d"}
      - {alert: DiskFull, expr: "vector(0) > 1", labels: {severity: ticket}}
"""


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[str]:
    """The address of a real Prometheus that has scraped a shop of a dozen services."""
    world = World(1)
    life = Life(world)
    async with running(Starlette(routes=world_routes(world, life))) as url:
        target = url.removeprefix("http://")
        targets = f"static_configs: [{{targets: ['{target}']}}]"
        job = f", {{job_name: shop, metrics_path: /world/metrics, honor_labels: true, {targets}}}"
        async with prometheus(tmp_path, jobs=job, rules=RULES) as address:
            yield address
    await life.stop()
    # Its series take 300 MB, and its parts refer to each other: the collector would leave several of them standing.
    del world, life
    gc.collect()


async def test_the_draft_is_a_valid_configuration_with_every_service(shop: str) -> None:
    config = parse_config((await draft(shop)).text)

    assert {"checkout", "payments"} <= config.services.keys() and len(config.services) >= 12
    assert config.prometheus.url == shop and config.services["payments"].match == {"service": "payments"}
    assert (config.severities["critical"], config.severities["ticket"]) == ("SEV2", "SEV3")


async def test_a_service_is_judged_by_how_it_answers_and_not_by_how_others_answer_it(shop: str) -> None:
    config = parse_config((await draft(shop)).text)

    assert "(http_requests_total{" in config.services["payments"].signals["errors"].promql


async def test_runbooks_of_the_rules_may_be_links(shop: str) -> None:
    config = parse_config((await draft(shop)).text)

    assert config.links.hosts == ("runbooks.example.com",)


async def test_every_drafted_signal_answers(shop: str) -> None:
    config = parse_config((await draft(shop)).text)
    signals = {f"{name} {kind}": signal.promql for name, s in config.services.items() for kind, signal in s.signals.items()}

    assert {"payments errors", "payments traffic", "payments latency"} <= signals.keys()
    async with httpx.AsyncClient(base_url=shop) as client:
        for name, promql in signals.items():
            answer = await client.get("/api/v1/query", params={"query": promql})
            assert answer.json().get("data", {}).get("result"), f"{name}: {answer.text}"


@contextlib.asynccontextmanager
async def stand_in(
    labels: Mapping[str, Sequence[str]], rules: Sequence[Mapping[str, object]] | None = ()
) -> AsyncIterator[tuple[str, list[Request]]]:
    """A server with these values of labels and these rules (None: it knows none): its address, and its requests."""
    requests: list[Request] = []

    async def answer(request: Request) -> JSONResponse:
        requests.append(request)
        path = request.url.path.removeprefix("/api/v1/")
        if path == "rules":
            groups = {"groups": [{"rules": [{"type": "alerting", **rule} for rule in rules or ()]}]}
            return JSONResponse({"data": groups}, 404 if rules is None else 200)
        label = path.removeprefix("label/").removesuffix("/values")
        return JSONResponse({"data": {"activeTargets": []} if path == "targets" else labels.get(label, [])})

    async with running(Starlette(routes=[Route("/{path:path}", answer)])) as url:
        yield url, requests


async def test_a_prometheus_behind_a_token_is_asked_with_it() -> None:
    async with stand_in({"job": ["shop"]}) as (url, requests):
        await draft(url, token="t")

    assert {request.headers["authorization"] for request in requests} == {"Bearer t"}


async def test_what_watches_is_no_service_and_one_that_only_begins_like_it_is() -> None:
    watching = ["node", "node-exporter", "prometheus", "prometheus-operator", "grafana", "kube-state-metrics"]
    exporters = ["stack-kube-state-metrics", "postgres-exporter", "blackbox", "stack-prometheus-node-exporter"]
    async with stand_in({"job": [*watching, *exporters, "nodejs-shop", "grafanas"]}) as (url, _):
        text = (await draft(url)).text

    assert list(parse_config(text).services) == ["grafanas", "nodejs-shop"]
    assert "# Left out, since they measure others: blackbox, node, node-exporter, postgres-exporter, stack-kube" in text


async def test_a_prometheus_that_names_no_service_is_drafted_and_told() -> None:
    async with stand_in({"job": ["node"]}) as (url, _):
        text, summary = await draft(url)

    assert parse_config(text).services == {} and "no service, since no label (service, app," in summary and summary in text


async def test_severities_of_the_rules_are_drafted_as_the_usual_scales_have_them() -> None:
    words = ("sev1", "high", "ticket", "{{ $labels.level }}")
    async with stand_in({}, [{"labels": {"severity": word}} for word in words]) as (url, _):
        severities = parse_config((await draft(url)).text).severities

    assert [severities.get(word) for word in words] == ["SEV1", "SEV2", "SEV3", None]


async def test_a_store_without_rules_is_drafted_and_told() -> None:
    async with stand_in({"service": ["cart"]}, None) as (url, _):
        text, summary = await draft(url)

    assert list(parse_config(text).services) == ["cart"] and "its rules could not be read" in summary


async def test_a_prometheus_that_does_not_answer_is_one_line() -> None:
    with pytest.raises(QueryFailed, match="cannot be reached"):
        await draft(f"http://127.0.0.1:{free_port()}")


def test_the_time_to_answer_is_never_the_pauses_of_a_language_s_own_machinery() -> None:
    assert serving_time(["go_gc_pauses_seconds_bucket", "prometheus_tsdb_compaction_duration_seconds_bucket"]) == ""
    assert serving_time(["http_client_request_duration_seconds_bucket", "http_request_duration_seconds_bucket"]) == (
        "http_request_duration_seconds_bucket"
    )
    assert serving_time(["grpc_server_handling_seconds_bucket", "go_gc_pauses_seconds_bucket"]) == (
        "grpc_server_handling_seconds_bucket"
    )
