"""The query language, on hand-made series whose answers can be computed on paper."""

import math

import numpy as np
import pytest

from bot.sandbox.world.history import Grid
from bot.sandbox.world.promql.errors import ExecutionError, ParseError
from bot.sandbox.world.promql.evaluate import Evaluator
from bot.sandbox.world.promql.parser import parse
from bot.sandbox.world.promql.syntax import Selector
from bot.sandbox.world.promql.values import Vector
from bot.sandbox.world.tables import Labels, Samples

GRID = Grid(0.0, 10.0)


class SeriesStorage:
    """Storage of a few series, 61 samples every 10 s from 0 on."""

    def __init__(self, *series: tuple[Labels, list[float]], monotone: bool = True) -> None:
        self.series, self.monotone = series, monotone

    def select(self, selector: Selector) -> list[Samples]:
        kept = [s for s in self.series if all(m.accepts(s[0].get(m.label, "")) for m in selector.matchers)]
        if not kept:
            return []
        table = np.asarray([values for _, values in kept])
        size, end = len(kept), table.shape[1] - 1
        firsts, lasts = np.zeros(size, dtype=np.int64), np.full(size, end, dtype=np.int64)
        return [Samples([labels for labels, _ in kept], table, np.arange(size), firsts, lasts, GRID, end, self.monotone)]


def line(per_step: float, name: str = "c_total", **labels: str) -> tuple[Labels, list[float]]:
    return {"__name__": name, **labels}, [per_step * i for i in range(61)]


def at(storage: SeriesStorage, query: str, moment: float = 600.0) -> dict[str, float]:
    value = Evaluator(storage, np.asarray([moment])).value(parse(query))
    if not isinstance(value, Vector):
        return {"": float(np.asarray(value, dtype=float)[0])}
    rows = zip(value.labels, value.values[:, 0], value.present[:, 0], strict=True)
    return {",".join(f"{k}={v}" for k, v in sorted(labels.items())): float(v) for labels, v, here in rows if here}


TWO = SeriesStorage(line(10, code="200", pod="a"), line(5, code="500", pod="a"))


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("1 + 2 * 3 ^ 2", {"": 19.0}),
        ("-2 ^ 2", {"": -4.0}),
        ("2 ^ 3 ^ 2", {"": 512.0}),
        ("(7 - 3) % 3", {"": 1.0}),
        ("1 > bool 2", {"": 0.0}),
        ("c_total{code='500'}", {"__name__=c_total,code=500,pod=a": 300.0}),
        ("c_total offset 5m > 200", {"__name__=c_total,code=200,pod=a": 300.0}),
        ("rate(c_total[1m])", {"code=200,pod=a": 1.0, "code=500,pod=a": 0.5}),
        ("increase(c_total{code=~'5..'}[1m])", {"code=500,pod=a": 30.0}),
        ("sum by (pod) (rate(c_total{code!='200'}[1m])) / sum by (pod) (rate(c_total[1m]))", {"pod=a": 1 / 3}),
        ("sum(c_total)", {"": 900.0}),
        ("count without (code) (c_total)", {"pod=a": 2.0}),
        ("topk(1, c_total)", {"__name__=c_total,code=200,pod=a": 600.0}),
        ("max_over_time(c_total{code='500'}[1m])", {"code=500,pod=a": 300.0}),
        ("avg_over_time(c_total{code='500'}[1m])", {"code=500,pod=a": 285.0}),
        ("max_over_time(sum(c_total)[1m:20s])", {"": 900.0}),
        ("absent(nothing{job='x'})", {"job=x": 1.0}),
        ("absent(c_total)", {}),
        ("clamp_min(c_total{code='500'}, 400)", {"code=500,pod=a": 400.0}),
        ("c_total{code='500'} / ignoring(code) c_total{code='200'}", {"pod=a": 0.5}),
        ("c_total / on(pod) group_left sum by (pod) (c_total)", {"code=200,pod=a": 2 / 3, "code=500,pod=a": 1 / 3}),
        ("c_total unless c_total{code='200'}", {"__name__=c_total,code=500,pod=a": 300.0}),
        ("vector(1) and vector(2)", {"": 1.0}),
        ("nothing or vector(7)", {"": 7.0}),
        ("scalar(c_total{code='500'}) + time()", {"": 900.0}),
        ("label_replace(vector(1), 'x', 'y$1', 'none', '(.*)')", {"x=y": 1.0}),
    ],
)
def test_a_query_answers_as_computed_by_hand(query: str, answer: dict[str, float]) -> None:
    assert at(TWO, query) == pytest.approx(answer)


def test_a_counter_reset_is_not_taken_for_a_fall() -> None:
    values = [float(i * 10 if i < 58 else (i - 58) * 10) for i in range(61)]
    storage = SeriesStorage(({"__name__": "c_total"}, values), monotone=False)
    assert at(storage, "increase(c_total[1m])")[""] == pytest.approx(50.0)


def test_zero_by_zero_is_a_value_and_not_absence() -> None:
    assert math.isnan(at(TWO, "vector(0) / 0 or vector(1)")[""])


def test_the_quantile_of_a_histogram_lies_inside_its_bucket() -> None:
    storage = SeriesStorage(line(5, "h_bucket", le="0.1"), line(9, "h_bucket", le="0.5"), line(10, "h_bucket", le="+Inf"))
    assert at(storage, "histogram_quantile(0.5, rate(h_bucket[1m]))")[""] == pytest.approx(0.1)
    assert at(storage, "histogram_quantile(0.99, rate(h_bucket[1m]))")[""] == pytest.approx(0.5)


def test_a_series_is_still_seen_five_minutes_after_its_last_sample_and_then_no_more() -> None:
    assert len(at(TWO, "c_total", 600 + 299)) == 2
    assert at(TWO, "c_total", 600 + 301) == {}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("sum(rate(x[5m])", "1:16: parse error: unclosed left parenthesis"),
        ("sum(rate(x[5m]", "1:15: parse error: unclosed left parenthesis"),
        ("foo(x)", '1:1: parse error: unknown function with name "foo"'),
        ("rate(x)", '1:1: parse error: expected type range vector in call to function "rate", got instant vector'),
        ("", "1:1: parse error: no expression found in input"),
        ("{job=''}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
        ("1 > 2", "1:3: parse error: comparisons between scalars must use BOOL modifier"),
    ],
)
def test_a_query_that_cannot_be_read_is_refused_with_its_place(query: str, message: str) -> None:
    with pytest.raises(ParseError) as refused:
        parse(query)
    assert str(refused.value) == message


def test_many_to_one_without_saying_so_is_an_execution_error() -> None:
    with pytest.raises(ExecutionError, match="many-to-one matching must be explicit"):
        at(TWO, "c_total + on(pod) sum by (pod) (c_total)")


def test_deep_nesting_is_refused_instead_of_overflowing_the_stack() -> None:
    with pytest.raises(ParseError, match="nested too deeply"):
        parse("(" * 5000 + "1" + ")" * 5000)
