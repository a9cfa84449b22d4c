"""An alert's expression is taken apart: value, threshold, series, and the same split by a label."""

from datetime import timedelta

import pytest

from bot.core.metrics.expression import Condition, condition_of, selectors, split_by, widest_range, without_divisor

RATIO = 'sum by (service) (rate(r{code=~"5.."}[10s])) / sum by (service) (rate(r[10s]))'


@pytest.mark.parametrize(
    ("expression", "promql", "comparison", "threshold"),
    [
        (f"{RATIO} > 0.05", RATIO, ">", 0.05),
        ("up == 0", "up", "==", 0.0),
        ("( 5 < bool max(x) )", "max(x)", ">", 5.0),
        ("(a > 5e-1) and on(job) b > 3", "a", ">", 0.5),
        ("# comment\nfree\n  < -3", "free", "<", -3.0),
        ('x{path="a > 1"} >= 0x10', 'x{path="a > 1"}', ">=", 16.0),
        ("absent(up)", "absent(up)", None, None),
        ("a > b", "a > b", None, None),
        ("((a > 1) and count(n) < 3) or b > 2", "a", ">", 1.0),
        ("((a != b) or (c > 0)) and d == 0", "(a != b) or (c > 0)", None, None),
        ("a > BOOL 2 AND b", "a", ">", 2.0),
    ],
)
def test_the_threshold_is_split_off_an_expression(expression: str, promql: str, comparison: str, threshold: float) -> None:
    assert condition_of(expression) == Condition(promql, comparison, threshold)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expression", "threshold"),
    [
        ("a < 10 * 1024 * 1024 * 1024", 10 * 2**30),
        ("a > 24 * 60 * 60", 86_400.0),
        ("a > 2^3", 8.0),
        ("a >= 5m", 300.0),
        ("(2 + 1) * -2 ^ 2 ^ 0 - 7 % 4 / 2 < a", -7.5),
        ("a > 1h30m / 2", 2_700.0),
    ],
)
def test_a_threshold_that_is_written_as_a_calculation_is_a_number(expression: str, threshold: float) -> None:
    condition = condition_of(expression)

    assert (condition.promql, condition.threshold) == ("a", threshold)


@pytest.mark.parametrize(
    "constant", ["1 / 0", "2 ^ 2000", "(1 + b)", "5 *", "(-1) ^ 0.5", "(" * 2_000 + "1" + ")" * 2_000 + " + 1"]
)
def test_what_has_no_value_of_its_own_is_no_threshold(constant: str) -> None:
    assert condition_of(f"a > {constant}").threshold is None


def test_a_lower_threshold_is_bad_below() -> None:
    assert condition_of("free < 10").bad_below == 10 and condition_of("free < 10").bad_above is None


def test_the_series_of_an_expression_are_found_and_its_label_lists_are_not() -> None:
    text = 'histogram_quantile(0.95, sum by (le, job) (rate(h_bucket{a="}"}[5m:1m] offset 2m))) / on(job) group_left(x) up'

    assert selectors(text) == ('h_bucket{a="}"}', "up")
    assert selectors("count(up == 0) BY (job) / count(up) BY (job)") == ("up",)


@pytest.mark.parametrize(
    ("expression", "split"),
    [
        ("sum(rate(x[5m]))", "sum by (version) (rate(x[5m]))"),
        (RATIO, RATIO.replace("by (service)", "by (version, service)")),
        ("histogram_quantile(0.9, sum by (le) (h))", "histogram_quantile(0.9, sum by (version, le) (h))"),
        ("sum(x) without (pod)", "sum(x) without (pod)"),
        ("sum(x) by (pod)", "sum(x) by (version, pod)"),
        ("a / on(job) b", "a / on(version, job) b"),
        ("sum by () (x)", "sum by (version) (x)"),
        ("SUM(x) BY (pod)", "SUM(x) BY (version, pod)"),
        ("rate(x[5m])", "rate(x[5m])"),
    ],
)
def test_every_aggregation_keeps_the_label_that_a_query_is_split_by(expression: str, split: str) -> None:
    assert " ".join(split_by(expression, "version").split()) == split


def test_a_query_is_not_split_by_what_is_no_label() -> None:
    with pytest.raises(ValueError, match="label name"):
        split_by("sum(x)", 'a) or up{b="')


def test_a_ratio_is_split_by_code_over_its_dividend_alone() -> None:
    assert without_divisor(RATIO, "code") == 'sum by (service) (rate(r{code=~"5.."}[10s]))'
    assert without_divisor(RATIO, "version") == RATIO


@pytest.mark.parametrize(
    ("expression", "minutes"),
    [
        ("rate(a[5m]) / rate(b[1h30m]) > 1", 90),
        ("max_over_time(rate(a[2m])[30m:1m])", 30),
        ("a offset 1d > 1", 0),
        ("rate(a[600])", 10),
        ('rate(a{x="[1d]"}[1m])', 1),
    ],
)
def test_the_widest_range_of_an_expression_is_how_far_it_looks_back(expression: str, minutes: float) -> None:
    assert widest_range(expression) == timedelta(minutes=minutes)


def test_a_range_of_ages_is_a_year_at_most() -> None:
    assert widest_range("rate(a[99999999999y])") == timedelta(days=365)
