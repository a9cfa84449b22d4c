"""What an incident cost, from its signal."""

import numpy as np
import pytest

from bot.core.metrics.impact import Impact, counts_requests, impact_text, measure_impact
from bot.core.metrics.series import Series
from bot.core.service import Signal
from tests.unit.builders import NOW, at


def signal(values: list[float], step: float = 10.0) -> Series:
    start = NOW.timestamp()
    return Series(times=start + step * np.arange(len(values)), values=np.array(values, dtype=float))


def test_bad_time_is_the_time_above_the_threshold() -> None:
    impact = measure_impact(
        signal([0.0, 0.1, 0.1, 0.0]), start=NOW, end=at(40 / 60), bad_above=0.02, bad_below=None, traffic=None
    )

    assert impact is not None
    assert impact.bad_seconds == 20
    assert impact.peak == pytest.approx(0.1)
    assert impact.mean == pytest.approx(0.05)


def test_failed_requests_are_ratio_times_rate_times_seconds() -> None:
    rate = signal([100.0] * 4)

    impact = measure_impact(
        signal([0.0, 0.1, 0.1, 0.0]), start=NOW, end=at(40 / 60), bad_above=0.02, bad_below=None, traffic=rate
    )

    assert impact is not None
    assert impact.failed == pytest.approx(200)


def test_no_samples_is_not_no_impact() -> None:
    assert measure_impact(signal([]), start=NOW, end=at(5), bad_above=0.02, bad_below=None, traffic=None) is None
    assert measure_impact(signal([float("nan")]), start=NOW, end=at(5), bad_above=0.02, bad_below=None, traffic=None) is None


def test_a_gap_is_not_counted_as_bad() -> None:
    impact = measure_impact(signal([0.1, 0.1], step=600), start=NOW, end=at(11), bad_above=0.02, bad_below=None, traffic=None)

    assert impact is not None
    assert impact.bad_seconds == 120


def test_of_a_share_of_good_requests_the_rest_failed() -> None:
    rate = signal([100.0] * 4)

    impact = measure_impact(
        signal([1.0, 0.9, 0.9, 1.0]), start=NOW, end=at(40 / 60), bad_above=None, bad_below=0.99, traffic=rate
    )

    assert impact is not None and impact.failed == pytest.approx(200) and impact.peak == 0.9


@pytest.mark.parametrize(
    ("name", "unit", "counts"),
    [("errors", "ratio", True), ("availability", "ratio", True), ("errors", "/s", False), ("cpu", "ratio", False)],
)
def test_only_a_share_of_failed_requests_counts_requests(name: str, unit: str, counts: bool) -> None:
    assert counts_requests(name, Signal(promql="x", unit=unit, bad_above=0.9)) is counts


def cost(**values: float | None) -> Impact:
    fields = {"bad_seconds": 126.0, "peak": 0.204, "mean": 0.147, "failed": 1491.2} | values
    return Impact(**fields, start=NOW, end=at(5))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["errors", "error_ratio", "latency", "latency p95", "bad_requests", "queue depth", "5xx"])
def test_the_sentence_is_right_for_one_and_for_many(name: str) -> None:
    """Its verbs fit names of signals that are singular or plural."""
    text = impact_text(f"checkout {name}", Signal(promql="x", unit="ratio", bad_above=0.02), cost())

    assert text == f"checkout {name} exceeded 2 % for 2.1 min (peak 20.4 %, mean 14.7 %); about 1,491 requests failed."


@pytest.mark.parametrize(
    ("thresholds", "values", "text"),
    [
        ({"bad_below": 0.99}, {}, "x fell below 99 % for 2.1 min (lowest 20.4 %, mean 14.7 %); about 1,491 requests failed."),
        (
            {"bad_above": 0.5, "bad_below": 0.1},
            {"failed": None},
            "x left the range from 10 % to 50 % for 2.1 min (peak 20.4 %, mean 14.7 %).",
        ),
        ({"bad_above": 0.5}, {"bad_seconds": 0.0, "failed": 0.0}, "x never exceeded 50 % (peak 20.4 %, mean 14.7 %)."),
        ({"bad_below": 0.1}, {"bad_seconds": 0.0, "failed": None}, "x never fell below 10 % (lowest 20.4 %, mean 14.7 %)."),
        (
            {"bad_above": 0.02},
            {"bad_seconds": 10.0, "failed": 1.2},
            "x exceeded 2 % for 10 s (peak 20.4 %, mean 14.7 %); about 1 request failed.",
        ),
        ({}, {}, "x reached 20.4 % (mean 14.7 %); no threshold says for how long that was bad."),
    ],
)
def test_each_kind_of_threshold_has_its_sentence(
    thresholds: dict[str, float], values: dict[str, float | None], text: str
) -> None:
    assert impact_text("x", Signal(promql="x", unit="ratio", **thresholds), cost(**values)) == text
