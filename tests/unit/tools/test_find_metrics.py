"""Which metrics there are, and which labels they have."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from bot.core.errors import InvalidQuery, QueryFailed
from bot.core.systems import MetricDescription
from tests.unit.tools.tool_fixture import call_tool, context

NAMES = {
    '{service="checkout"}': ["db_pool_waiting", "http_requests_total"],
    "": ["db_pool_waiting", "go_goroutines", "http_requests_total"],
}


class Listed:
    """A Prometheus of three metrics."""

    described: Mapping[str, MetricDescription] | None = {
        "db_pool_waiting": MetricDescription("gauge", "", "Requests that wait for a connection of the pool."),
    }

    async def names(self, selector: str, *, start: datetime, end: datetime) -> list[str]:
        return NAMES.get(selector, [])

    async def label_sets(self, selector: str, *, start: datetime, end: datetime) -> list[Mapping[str, str]]:
        assert selector == "http_requests_total"
        return [
            {"__name__": "http_requests_total", "code": code, "pod": f"p{n}"} for n, code in enumerate(("200", "500", "200"))
        ]

    async def metadata(self) -> Mapping[str, MetricDescription]:
        if self.described is None:
            raise QueryFailed("no metadata")
        return self.described


async def found(metrics: Any = None, **arguments: Any) -> tuple[str, tuple[str, ...]]:
    evidence = await call_tool("find_metrics", context(metrics=metrics or Listed()), **arguments)
    return evidence.summary, evidence.details


async def test_words_of_the_name_or_the_description_find_a_metric() -> None:
    summary, lines = await found(text="waiting for connections")

    assert summary.startswith("1 of 3 metrics have samples")
    assert lines == ("db_pool_waiting (gauge): Requests that wait for a connection of the pool.",)


async def test_a_service_is_found_by_the_label_that_names_it() -> None:
    assert (await found(service="checkout"))[0].startswith("2 of 2 metrics of checkout")
    with pytest.raises(QueryFailed):
        await found(service="payments")


async def test_a_metric_has_its_labels_with_their_values_counted() -> None:
    summary, lines = await found(metric="http_requests_total")

    assert summary == "http_requests_total: 3 series with the labels code, pod"
    assert "label code: 200 (2), 500 (1)" in lines
    with pytest.raises(InvalidQuery):
        await found(metric="x}[5m]")


async def test_without_descriptions_the_names_stand_alone() -> None:
    class Bare(Listed):
        described = None

    assert (await found(Bare(), text="goroutines"))[1] == ("go_goroutines",)
