"""Every implementation of the Metrics port keeps the port's promises."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import numpy as np
import pytest
import pytest_asyncio

from bot.core.config.systems import PrometheusConfig
from bot.core.errors import QueryFailed
from bot.core.metrics.series import Series
from bot.monitoring.metrics.prometheus import PrometheusMetrics
from bot.ports import Metrics
from tests.contracts.prometheus_process import prometheus, victoria_metrics
from tests.evaluation.recorded import RecordedMetrics
from tests.real import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="module")

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "recorded" / "prometheus"
"""Answers of a real Prometheus, kept beside the repository and not in it."""
RECORDED_END = datetime(2026, 11, 24, 23, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Subject:
    """One implementation, with queries that have samples, have none, and are refused, and a window with samples."""

    metrics: Metrics
    present: str
    absent: str
    refused: str
    end: datetime
    has_rules: bool = True
    lists: bool = True
    """Whether what it holds can be listed."""


def recorded_answer(name: str) -> dict[str, Any]:
    if not RECORDED.is_dir():
        pytest.skip("shared/data/recorded is not here: the recorded answers of Prometheus were not tried")
    answer: dict[str, Any] = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    return answer


def replayed(name: str, status: int | None = None) -> httpx.Response:
    answer = recorded_answer(name)
    return httpx.Response(status or answer["status"], json=answer["body"])


def _replay(request: httpx.Request) -> httpx.Response:
    """The recorded answer for each of the queries of a contract."""
    if request.url.path.endswith("/rules"):
        return replayed("rules")
    if request.method == "GET":
        return httpx.Response(404)  # Lists were not recorded.
    form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
    if form["query"] == "sum(rate(x[5m]":
        return replayed("query_bad_syntax")
    if form["query"] == "nonexistent_metric":
        return replayed("query_range_empty")
    return replayed("query_range_rate_by_version_code" if request.url.path.endswith("query_range") else "query_up")


def _recording() -> RecordedMetrics:
    times = RECORDED_END.timestamp() - np.arange(30.0, 0, -1)
    rule = {"name": "SelfDown", "query": "up == 0", "labels": {}, "annotations": {}, "duration": 2.0}
    return RecordedMetrics({"up": [Series({"job": "a"}, times, np.ones(30))], "nonexistent_metric": []}, [rule])


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=["recorded", "prometheus, replayed", "prometheus, real", "victoria-metrics, real"],
)
async def subject(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Subject]:
    """Shared by the tests of this file: each real server takes seconds to start."""
    queries = {"present": "up", "absent": "nonexistent_metric", "refused": "sum(rate(x[5m]"}
    if request.param == "recorded":
        yield Subject(_recording(), end=RECORDED_END, lists=False, **queries)
    elif request.param == "prometheus, replayed":
        recorded_answer("rules")
        config = PrometheusConfig(url="http://prometheus.example.com")
        async with httpx.AsyncClient(transport=httpx.MockTransport(_replay)) as client:
            yield Subject(PrometheusMetrics(config, client), end=RECORDED_END, lists=False, **queries)
    else:
        server = prometheus if request.param == "prometheus, real" else victoria_metrics
        async with server(tmp_path_factory.mktemp("server")) as url, httpx.AsyncClient() as client:
            config = PrometheusConfig(url=url, timeout=timedelta(seconds=PATIENCE))
            rules = server is prometheus
            yield Subject(PrometheusMetrics(config, client), end=datetime.now(UTC), has_rules=rules, **queries)


def _window(subject: Subject) -> dict[str, Any]:
    return {"start": subject.end - timedelta(minutes=5), "end": subject.end, "step": 1.0}


async def test_a_range_has_ascending_samples(subject: Subject) -> None:
    answer = await subject.metrics.range(subject.present, **_window(subject))

    assert answer and all(isinstance(series, Series) for series in answer)
    for series in answer:
        assert len(series.times) == len(series.values) > 1 and np.all(np.diff(series.times) > 0)
        assert series.times.dtype == series.values.dtype == np.float64


async def test_an_instant_has_one_sample_a_series(subject: Subject) -> None:
    answer = await subject.metrics.instant(subject.present, at=subject.end)

    assert answer and all(len(series.times) == 1 and series.last == 1 for series in answer)
    assert all(series.labels["job"] for series in answer)


async def test_what_matches_nothing_is_an_empty_list(subject: Subject) -> None:
    assert await subject.metrics.range(subject.absent, **_window(subject)) == []


async def test_a_refused_query_is_query_failed(subject: Subject) -> None:
    with pytest.raises(QueryFailed):
        await subject.metrics.range(subject.refused, **_window(subject))


async def test_alerting_rules_have_a_name_a_query_and_a_duration(subject: Subject) -> None:
    rules = await subject.metrics.rules()
    if not subject.has_rules:
        assert rules == []
        return

    assert rules and all(set(rule) >= {"name", "query", "labels", "annotations", "duration"} for rule in rules)
    assert {rule["duration"] for rule in rules} == {2.0} and all(rule["query"] for rule in rules)


async def test_the_link_holds_the_query(subject: Subject) -> None:
    link = subject.metrics.link("up == 0", start=subject.end - timedelta(hours=1), end=subject.end)

    assert "up" in link and " " not in link


async def test_names_and_labels_can_be_listed(subject: Subject) -> None:
    window = {"start": subject.end - timedelta(minutes=5), "end": subject.end}
    if not subject.lists:
        with pytest.raises(QueryFailed):
            await subject.metrics.names("", **window)
        return
    names = await subject.metrics.names("", **window)
    of_checkout = await subject.metrics.names('{service="checkout"}', **window)
    sets = await subject.metrics.label_sets('up{service="checkout"}', **window)

    assert names == sorted(names) and {"up"} <= set(of_checkout) <= set(names)
    assert [(labels["service"], labels["version"]) for labels in sets] == [("checkout", "1.5")]
    assert await subject.metrics.names('{service="nobody"}', **window) == []
    if described := await subject.metrics.metadata():
        assert (described["go_goroutines"].type, "goroutines" in described["go_goroutines"].help) == ("gauge", True)
    with pytest.raises(QueryFailed):
        await subject.metrics.label_sets("sum(rate(x[5m]", **window)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("query_bad_syntax", r"\(bad_data\): invalid parameter .query.: 1:15: parse error"),
        ("query_bad_exec", r"\(execution\): multiple matches for labels"),
        ("range_too_many_points", "exceeded maximum resolution of 11,000 points"),
        ("query_timeout", "cannot parse"),
        ("query_string", "holds no series"),
    ],
)
async def test_recorded_refusals_keep_the_words_of_prometheus(name: str, words: str) -> None:
    answer = replayed(name)
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda request: answer)) as client:
        with pytest.raises(QueryFailed, match=words):
            await PrometheusMetrics(PrometheusConfig(url="http://prometheus.example.com"), client).instant("x")


@pytest.mark.parametrize(
    ("name", "series", "samples"),
    [("query_range_nan", 1, 19), ("query_scalar", 1, 1), ("query_matrix", 3, 4), ("query_range_error_ratio", 1, 5)],
)
async def test_recorded_forms_of_answers_are_read(name: str, series: int, samples: int) -> None:
    answer = replayed(name)
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda request: answer)) as client:
        read = await PrometheusMetrics(PrometheusConfig(url="http://prometheus.example.com"), client).instant("x")

    assert len(read) == series and max(len(line.times) for line in read) == samples
