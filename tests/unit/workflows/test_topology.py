"""The topology tick: what metrics and traces show of who calls whom, and what they could not."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import QueryFailed
from bot.core.metrics.series import Series
from bot.core.traces.spans import Sample, Span
from bot.store.alerts.ties.learned import LearnedTopology
from bot.workflows.topology import TopologyTick
from tests.unit.store.databases import CATALOGUE, Clock, open_database


class ServiceGraph:
    """Metrics with one service graph; or an error."""

    def __init__(self, *pairs: tuple[str, str], error: str = "") -> None:
        self.pairs, self.error = pairs, error

    async def instant(self, promql: str, **_: Any) -> list[Series]:
        if self.error:
            raise QueryFailed(self.error)
        graph = "traces_service_graph_request_total" in promql
        return [Series({"client": caller, "server": callee}) for caller, callee in self.pairs if graph]


class OneTrace:
    """Traces in which checkout calls redis."""

    async def spans(self, service: str, **_: Any) -> Sample[Span]:
        return Sample(
            [
                Span("t", "1", "", "checkout", "pay", 0.0, 1.0),
                Span("t", "2", "1", "redis", "get", 0.0, 0.5),
            ]
        )


@pytest.fixture
async def learned(tmp_path: Path) -> AsyncIterator[LearnedTopology]:
    db = await open_database(tmp_path, Clock())
    yield LearnedTopology(db)
    await db.close()


async def round_of(learned: LearnedTopology, metrics: Any = None, traces: Any = None) -> list[tuple[str, str, str, int]]:
    await TopologyTick(learned, CATALOGUE, metrics, traces)()
    topology = await learned.of("checkout", CATALOGUE)
    return [(call.source, call.caller, call.callee, call.reads) for call in topology.calls]


async def test_the_service_graph_of_the_metrics_is_learned(learned: LearnedTopology) -> None:
    graph = ServiceGraph(("checkout", "redis"), ("web", "checkout"))

    await round_of(learned, graph)

    assert await round_of(learned, graph) == [("metrics", "checkout", "redis", 2), ("metrics", "web", "checkout", 2)]


async def test_what_traces_show_is_learned_once_a_round(learned: LearnedTopology) -> None:
    assert await round_of(learned, traces=OneTrace()) == [("traces", "checkout", "redis", 1)]


async def test_what_could_not_be_read_is_said_and_what_was_learned_stands(learned: LearnedTopology) -> None:
    await round_of(learned, ServiceGraph(("checkout", "redis")))

    assert await round_of(learned, ServiceGraph(error="no answer")) == [("metrics", "checkout", "redis", 1)]
    topology = await learned.of("checkout", CATALOGUE)
    assert [read.problem for read in topology.reads] == ["no answer"]
