"""What jumped with a change, read from a real Prometheus of whatever the service exports: nobody named its metrics."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx

from bot.core.change import Change
from bot.core.config.systems import PrometheusConfig
from bot.core.evidence import Evidence
from bot.core.service import Catalogue, Service
from bot.monitoring.metrics.prometheus import PrometheusMetrics
from tests.contracts.prometheus_storage import Series, holding
from tests.unit.builders import NOW
from tests.unit.tools.tool_fixture import Changes, call_tool, context

DEPLOYED = NOW - timedelta(minutes=40)
DEPLOY = Change(
    id="ci:1", at=DEPLOYED, service="search", kind="deploy", title="Key the cache by the exact time", version="2.0.0"
)
SHOP = Catalogue([Service(name="search", match={"service": "search"})])


def metric(name: str, pod: str, ages: range, value: Callable[[int], float]) -> Series:
    """Samples each 15 s, with a little noise; `ages` in seconds from NOW, `value` by the seconds since the pod began."""
    samples = [(NOW.timestamp() + at, value(at - ages[0]) * (1 + 0.004 * (at % 7))) for at in ages]
    return {"__name__": name, "service": "search", "pod": pod}, samples


def pod(name: str, *, hits: float, lookups: float, before: bool) -> list[Series]:
    """What a pod exports that ended with the deploy, or began with it."""
    ages = range(-4_800, -2_400, 15) if before else range(-2_400, 0, 15)
    return [
        metric("results_cache_hit_ratio", name, ages, lambda _: hits),
        metric("shard_lookups_total", name, ages, lambda age: lookups * (1_000 + age)),
        metric("open_documents", name, ages, lambda _: 40),
        metric("go_goroutines", name, ages, lambda _: 30 if before else 90),
    ]


async def jumps(folder: Path, *pods: list[Series]) -> Evidence:
    with holding(folder, [one for exported in pods for one in exported]) as api:
        async with httpx.AsyncClient(trust_env=False) as client:
            metrics = PrometheusMetrics(PrometheusConfig(url=str(api.base_url.copy_with(path="/"))), client)
            made = context(catalogue=SHOP, metrics=metrics, changes=Changes((DEPLOY,)))
            return await call_tool("change_jumps", made, service="search")


async def test_a_gauge_and_a_counter_that_nobody_named_are_found_though_all_pods_were_replaced(tmp_path: Path) -> None:
    old = [pod(name, hits=0.8, lookups=20, before=True) for name in "ab"]
    new = [pod(name, hits=0.1, lookups=160, before=False) for name in "cd"]

    found = await jumps(tmp_path, *old, *new)

    assert {fact.signal for fact in found.facts.jumps or ()} == {"results_cache_hit_ratio", "shard_lookups_total"}
    assert found.unseen == ()


async def test_a_rollout_that_changes_nothing_moves_nothing(tmp_path: Path) -> None:
    old = [pod(name, hits=0.8, lookups=20, before=True) for name in "ab"]
    new = [pod(name, hits=0.8, lookups=20, before=False) for name in "cd"]

    found = await jumps(tmp_path, *old, *new)

    assert found.summary == "search: nothing jumped with 1 change of the last 6 h"
