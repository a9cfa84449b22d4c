"""Prometheus' answers, good and bad, become series or a QueryFailed that says why."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import numpy as np
import pytest

from bot.core.config.systems import PrometheusConfig
from bot.core.errors import QueryFailed
from bot.monitoring.metrics.prometheus import MAX_SERIES, PrometheusMetrics, widened
from tests.unit.builders import NOW
from tests.unit.monitoring.servers import Answers, client

HOUR = {"start": NOW - timedelta(hours=1), "end": NOW, "step": 15.0}


def metrics(handler: Any, url: str = "http://prometheus.example:9090", **values: Any) -> PrometheusMetrics:
    seconds = values.pop("seconds", 10)
    return PrometheusMetrics(PrometheusConfig(url=url, timeout=timedelta(seconds=seconds)), client(handler), **values)


def good(kind: str, result: Any) -> Answers:
    return Answers(json={"status": "success", "data": {"resultType": kind, "result": result}})


async def test_special_values_are_read() -> None:
    server = good("matrix", [{"metric": {"a": "b"}, "values": [[1.5, "NaN"], [2.5, "+Inf"], [3.5, "-Inf"], [4.5, "0.25"]]}])

    (series,) = await metrics(server).range("x", **HOUR)

    assert np.isnan(series.values[0]) and list(series.values[1:]) == [np.inf, -np.inf, 0.25]
    assert list(series.times) == [1.5, 2.5, 3.5, 4.5] and series.labels == {"a": "b"}


async def test_the_query_goes_out_as_a_form_under_the_base_path_with_the_token() -> None:
    server = good("vector", [])

    await metrics(server, "https://mimir.example/prometheus/", token="not-secret").instant('up{job="a b"}', at=NOW)

    request = server.requests[0]
    assert (request.method, str(request.url)) == ("POST", "https://mimir.example/prometheus/api/v1/query")
    assert server.form["query"] == 'up{job="a b"}' and server.form["time"] == f"{NOW.timestamp():.3f}"
    assert request.headers["authorization"] == "Bearer not-secret"


async def test_a_proxy_that_forbids_post_is_asked_with_get() -> None:
    def only_get(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(405)
        return httpx.Response(200, json={"status": "success", "data": {"resultType": "scalar", "result": [1, "2"]}})

    assert (await metrics(only_get).instant("x"))[0].last == 2


async def test_a_refused_query_says_what_prometheus_said() -> None:
    server = Answers(400, {"status": "error", "errorType": "bad_data", "error": "1:15: parse error: unclosed left parenthesis"})

    with pytest.raises(QueryFailed, match=r"prometheus.example:9090 refused the query \(bad_data\): 1:15: parse error"):
        await metrics(server).instant("sum(")


@pytest.mark.parametrize(
    ("status", "content", "said"),
    [
        (503, b"upstream down", "HTTP 503"),
        (401, b"", "check the bearer token"),
        (302, b"", "redirects are not followed"),
        (404, b"<html>", "check the path of its address"),
        (403, b'{"status": "error"}', r"refused the query \(403\): HTTP 403: check the bearer token"),
        (200, b"<html>login</html>", "answered no JSON: another server is there, or a login before it"),
        (200, b'{"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}}]}}', "not the Prometheus API"),
        (
            200,
            b'{"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "x"]}]}}',
            "result",
        ),
        (200, b'{"status": "success", "data": {"resultType": "string", "result": [1, "x"]}}', "holds no series"),
        (200, b"[" * 100_000, "answered no JSON"),
        (200, b"[]", "not the Prometheus API"),
    ],
)
async def test_every_other_answer_is_could_not_look(status: int, content: bytes, said: str) -> None:
    with pytest.raises(QueryFailed, match=said):
        await metrics(Answers(status, content=content)).instant("x")


async def test_a_server_that_refuses_the_connection_is_could_not_look() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused")

    with pytest.raises(QueryFailed, match="cannot be reached: connection refused"):
        await metrics(refuse).range("x", **HOUR)


class _Endless(httpx.AsyncByteStream):
    """A body without an end: chunks as fast as they are read, or one a tick."""

    def __init__(self, chunk: bytes, *, pause: bool) -> None:
        self.sent, self._chunk, self._pause = 0, chunk, pause

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.001 if self._pause else 0)
            self.sent += len(self._chunk)
            yield self._chunk


async def test_an_endless_answer_is_cut_at_five_mebibytes() -> None:
    body = _Endless(b"x" * 65_536, pause=False)

    with pytest.raises(QueryFailed, match="more than 5 MiB"):
        await metrics(lambda request: httpx.Response(200, stream=body)).instant("x")
    assert body.sent < 6 * 2**20


async def test_a_dripping_answer_ends_at_the_deadline() -> None:
    body = _Endless(b" ", pause=True)

    with pytest.raises(QueryFailed, match=r"did not answer within 0\.05 s"):
        await metrics(lambda request: httpx.Response(200, stream=body), seconds=0.05).instant("x")


async def test_at_most_five_hundred_series_are_kept() -> None:
    server = good("vector", [{"metric": {"n": str(n)}, "value": [1, "1"]} for n in range(MAX_SERIES + 1)])

    assert len(await metrics(server).instant("x")) == MAX_SERIES
    assert server.form["limit"] == str(MAX_SERIES + 1)


def test_the_step_is_widened_to_eleven_thousand_points() -> None:
    assert widened(NOW - timedelta(hours=1), NOW, 5) == 5
    step = widened(NOW - timedelta(days=7), NOW, 1)
    assert timedelta(days=7).total_seconds() / step + 1 <= 11_000


async def test_only_alerting_rules_are_listed() -> None:
    rules = [
        {"type": "recording", "name": "a:b", "query": "x"},
        {"type": "alerting", "name": "Up", "query": "up == 0", "duration": 2},
    ]
    server = Answers(json={"status": "success", "data": {"groups": [{"rules": rules}]}})

    assert await metrics(server).rules() == [
        {"name": "Up", "query": "up == 0", "labels": {}, "annotations": {}, "duration": 2.0}
    ]


async def test_the_rules_are_read_once_for_all_who_need_them_within_a_minute() -> None:
    server, seconds = Answers(json={"status": "success", "data": {"groups": []}}), [0.0]
    prometheus = metrics(server, seconds_now=lambda: seconds[-1])

    await asyncio.gather(prometheus.rules(), prometheus.rules())
    for moment, read in ((59.0, 1), (61.0, 2)):
        seconds.append(moment)
        assert await prometheus.rules() == [] and len(server.requests) == read


async def test_rules_that_could_not_be_read_are_read_again() -> None:
    server = Answers(503)
    prometheus = metrics(server)
    for _ in range(2):
        with pytest.raises(QueryFailed):
            await prometheus.rules()

    assert len(server.requests) == 2


async def test_who_no_longer_waits_for_the_rules_does_not_end_it_for_the_others() -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def slow(_request: httpx.Request) -> httpx.Response:
        asked.set()
        await answer.wait()
        return httpx.Response(200, json={"status": "success", "data": {"groups": []}})

    prometheus = metrics(slow)
    hasty, patient = asyncio.create_task(prometheus.rules()), asyncio.create_task(prometheus.rules())
    await asked.wait()
    hasty.cancel()
    answer.set()

    assert await patient == [] and hasty.cancelled()


def test_the_link_opens_the_query_at_the_public_address() -> None:
    config = PrometheusConfig(url="http://internal:9090", public_url="https://prometheus.example/base/")

    link = PrometheusMetrics(config, client(Answers())).link("up == 0", start=NOW - timedelta(minutes=30), end=NOW)

    assert link.startswith("https://prometheus.example/base/graph?g0.expr=up+%3D%3D+0") and "g0.range_input=1800s" in link


@pytest.mark.parametrize(
    ("said", "shown"),
    [("https://metrics.example/prom", "https://metrics.example/prom"), ("", "http://prometheus.example:9090")],
)
async def test_links_lead_where_prometheus_says_that_people_open_it(said: str, shown: str) -> None:
    read = metrics(Answers(json={"status": "success", "data": {"web.external-url": said}}))

    assert await read.read_public_url() == shown
    assert read.link("up", start=NOW - timedelta(hours=1), end=NOW).startswith(f"{shown}/graph?g0.expr=up")
