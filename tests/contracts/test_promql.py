"""The sandbox's PromQL gives the answers of the real Prometheus to the same questions on the same samples (ADR 0005)."""

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from bot.sandbox.world.configuration import signals_of
from bot.sandbox.world.model import World
from bot.sandbox.world.prometheus_api import BadParameter, Parameters, PrometheusApi
from bot.sandbox.world.promql.errors import ExecutionError
from bot.sandbox.world.promql.parser import parse_selector
from bot.sandbox.world.shop import SERVICES
from tests.contracts import promql_edges
from tests.contracts.prometheus_storage import Series, holding
from tests.contracts.promql_drawing import Store, expressions, names

pytestmark = pytest.mark.timeout(600)

SEED, EACH = 7, 8
"""Of the drawn expressions, and how many there are about each function, aggregation and operator."""
ORDERED = ("sort", "topk", "bottomk")
"""Instant answers have an order only where the query asks for one."""

Json = dict[str, Any]
Question = tuple[str, Mapping[str, str | float]]
"""Path and parameters of a request."""


@dataclass
class StandingStill:
    """What the sandbox's API needs of a world: samples, and the moment of the newest."""

    metrics: Any
    end: float

    def now(self) -> float:
        return self.end

    def rule_groups(self) -> list[Json]:
        return []

    def active_alerts(self) -> list[Json]:
        return []


class Pair:
    """Both, holding the same samples."""

    def __init__(self, prometheus: httpx.Client, metrics: Any, end: float) -> None:
        self.end = end
        self._prometheus = prometheus
        self._sandbox = PrometheusApi(StandingStill(metrics, end))

    def ask(self, path: str, parameters: Mapping[str, str | float]) -> tuple[Json, Json]:
        """The answers of Prometheus and of the sandbox."""
        theirs: Json = self._prometheus.post(f"/{path}", data=parameters).json()
        return theirs, self._ours(path, Parameters([(name, str(value)) for name, value in parameters.items()]))

    def _ours(self, path: str, parameters: Parameters) -> Json:
        answer = {"query": self._sandbox.query, "query_range": self._sandbox.query_range}[path]
        try:
            ours: Json = json.loads(answer(parameters).body)
        except BadParameter as error:
            return {"status": "error", "errorType": "bad_data", "error": str(error)}
        except ExecutionError as error:
            return {"status": "error", "errorType": "execution", "error": str(error)}
        return ours

    def differences(
        self, queries: Sequence[str], *, instants: Sequence[float], spans: Sequence[tuple[float, float, str]]
    ) -> str:
        """Every answer that is not the same, in words; "" if there is none. Moments are seconds after the newest sample."""
        found = []
        for query in queries:
            for path, parameters in self._questions(query, instants, spans):
                theirs, ours = self.ask(path, parameters)
                if not _alike(theirs, ours, ordered=query.startswith(ORDERED)):
                    found.append(f"{path} {query} {parameters}\n  Prometheus: {theirs}\n  sandbox: {ours}")
        return "\n".join(found)

    def _questions(
        self, query: str, instants: Sequence[float], spans: Sequence[tuple[float, float, str]]
    ) -> Iterator[Question]:
        yield from (("query", {"query": query, "time": self.end + at}) for at in instants)
        for start, end, step in spans:
            yield "query_range", {"query": query, "start": self.end + start, "end": self.end + end, "step": step}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Both, over the series of `promql_drawing`; the newest sample lies some minutes back."""
    store = Store(time.time() // 60 * 60 - 1800)
    with holding(tmp_path_factory.mktemp("drawn"), store.series()) as prometheus:
        yield Pair(prometheus, store, store.end)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Both, over some minutes of the demo's shop in which a deploy went wrong and its pods were replaced."""
    world = World(3, fault="bad-deploy", service="checkout", history_hours=0.15)
    world.now()
    with holding(tmp_path_factory.mktemp("shop"), _series(world)) as prometheus:
        yield Pair(prometheus, world.metrics, world.history.grid.start + world.history.grid.step * (world.history.length - 1))


def _series(world: World) -> list[Series]:
    grid, newest = world.history.grid, world.history.length - 1
    found: list[Series] = []
    for samples in world.metrics.select(parse_selector('{__name__=~".+"}')):
        for place, labels in enumerate(samples.labels):
            columns = range(samples.first[place], samples.last[place] + 1)
            values = samples.table[samples.rows[place]].tolist()
            known: list[tuple[float, float | None]] = [(grid.start + grid.step * n, values[n]) for n in columns]
            ended = [] if samples.last[place] == newest else [(grid.start + grid.step * (samples.last[place] + 1), None)]
            found.append((labels, known + ended))
    return found


# ---------------------------------------------------------------- the same answer


def _alike(theirs: Json, ours: Json, *, ordered: bool) -> bool:
    if theirs["status"] == "error" or ours["status"] == "error":
        return bool(theirs.get("errorType") == ours.get("errorType"))
    kind = theirs["data"]["resultType"]
    if kind != ours["data"]["resultType"]:
        return False
    one, other = (_rows(answer["data"], ordered=ordered or kind == "matrix") for answer in (theirs, ours))
    return len(one) == len(other) and all(map(_same_series, one, other))


def _rows(data: Json, *, ordered: bool) -> list[tuple[Json, list[Any]]]:
    """(labels, [[moment, value], ...]) of each series."""
    if data["resultType"] in ("scalar", "string"):
        return [({}, [data["result"]])]
    rows = [(series["metric"], series.get("values") or [series["value"]]) for series in data["result"]]
    return rows if ordered else sorted(rows, key=lambda row: json.dumps(row[0], sort_keys=True))


def _same_series(one: tuple[Json, list[Any]], other: tuple[Json, list[Any]]) -> bool:
    same = one[0] == other[0] and len(one[1]) == len(other[1])
    return same and all(a[0] == b[0] and _close(a[1], b[1]) for a, b in zip(one[1], other[1], strict=True))


def _close(one: str, other: str) -> bool:
    """The same number but for the last digits: sums are made in another order."""
    if one == other:
        return True
    try:
        return math.isclose(float(one), float(other), rel_tol=1e-9, abs_tol=1e-9)
    except ValueError:
        return False


# ---------------------------------------------------------------- questions


def test_hundreds_of_drawn_expressions_have_the_answers_of_prometheus(drawn: Pair) -> None:
    queries = expressions(SEED, each=EACH)

    assert len(queries) > 300
    assert drawn.differences(queries, instants=(0, -253.3), spans=((-300, 60, "30"),)) == ""


def test_each_function_aggregation_and_operator_stands_in_some_of_them_outermost_or_inside() -> None:
    text = "\n".join(expressions(SEED, each=EACH))

    assert [name for name in names() if text.count(name) < EACH] == []


def test_expressions_at_the_edges_have_the_answers_of_prometheus(drawn: Pair) -> None:
    queries = promql_edges.ALIKE.strip().splitlines()

    assert drawn.differences(queries, instants=(0, 300), spans=((-61.5, 10, "7.3"),)) == ""


def test_what_the_sandbox_does_not_know_it_refuses(drawn: Pair) -> None:
    for query in promql_edges.REFUSED.strip().splitlines():
        theirs, ours = drawn.ask("query", {"query": query, "time": drawn.end})

        assert (theirs["status"], ours["status"]) == ("success", "error"), query


def test_the_rules_and_signals_of_the_shop_have_the_answers_of_prometheus(shop: Pair) -> None:
    rules = [rule.expr for rule in World(1, history_hours=0.1).rules.rules]
    signals = [str(signal["promql"]) for service in SERVICES for signal in signals_of(service).values()]

    assert len(rules) > 10 and len(signals) > 80
    assert shop.differences([*rules, *signals], instants=(0, -45.7), spans=((-120, 0, "10"),)) == ""
