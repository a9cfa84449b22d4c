"""`tocsin init` against a real Prometheus that scrapes the sandbox's shop: its draft is a valid configuration that works."""

import asyncio
import gc
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.console.configuration.config_draft import draft, serving_time
from bot.core.errors import TocsinError
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
    config = parse_config(await asyncio.to_thread(draft, shop))

    assert {"checkout", "payments"} <= config.services.keys() and len(config.services) >= 12
    assert config.prometheus.url == shop and config.services["payments"].match == {"service": "payments"}
    assert (config.severities["critical"], config.severities["ticket"]) == ("SEV2", "SEV3")


async def test_a_service_is_judged_by_how_it_answers_and_not_by_how_others_answer_it(shop: str) -> None:
    config = parse_config(await asyncio.to_thread(draft, shop))

    assert "(http_requests_total{" in config.services["payments"].signals["errors"].promql


async def test_runbooks_of_the_rules_may_be_links(shop: str) -> None:
    config = parse_config(await asyncio.to_thread(draft, shop))

    assert config.links.hosts == ("runbooks.example.com",)


async def test_every_drafted_signal_answers(shop: str) -> None:
    config = parse_config(await asyncio.to_thread(draft, shop))
    signals = {f"{name} {kind}": signal.promql for name, s in config.services.items() for kind, signal in s.signals.items()}

    assert {"payments errors", "payments traffic", "payments latency"} <= signals.keys()
    async with httpx.AsyncClient(base_url=shop) as client:
        for name, promql in signals.items():
            answer = await client.get("/api/v1/query", params={"query": promql})
            assert answer.json().get("data", {}).get("result"), f"{name}: {answer.text}"


async def test_a_prometheus_behind_a_token_is_asked_with_it() -> None:
    asked: list[str] = []

    async def answer(request: Request) -> JSONResponse:
        asked.append(request.headers.get("authorization", ""))
        mappings = {"/api/v1/rules": {"groups": []}, "/api/v1/targets": {"activeTargets": []}}
        return JSONResponse({"data": mappings.get(request.url.path, [])})

    async with running(Starlette(routes=[Route("/{path:path}", answer)])) as url:
        await asyncio.to_thread(draft, url, token="t")

    assert set(asked) == {"Bearer t"}


def test_a_prometheus_that_does_not_answer_is_one_line() -> None:
    with pytest.raises(TocsinError, match="did not answer"):
        draft(f"http://127.0.0.1:{free_port()}")


def test_the_time_to_answer_is_never_the_pauses_of_a_language_s_own_machinery() -> None:
    assert serving_time(["go_gc_pauses_seconds_bucket", "prometheus_tsdb_compaction_duration_seconds_bucket"]) == ""
    assert serving_time(["http_client_request_duration_seconds_bucket", "http_request_duration_seconds_bucket"]) == (
        "http_request_duration_seconds_bucket"
    )
    assert serving_time(["grpc_server_handling_seconds_bucket", "go_gc_pauses_seconds_bucket"]) == (
        "grpc_server_handling_seconds_bucket"
    )
