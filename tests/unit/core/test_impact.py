"""What an incident cost, from its signal."""

import numpy as np
import pytest

from bot.core.impact import measure
from bot.core.series import Series
from tests.unit.builders import NOW, at


def signal(values: list[float], step: float = 10.0) -> Series:
    start = NOW.timestamp()
    return Series(times=start + step * np.arange(len(values)), values=np.array(values, dtype=float))


def test_bad_time_is_the_time_above_the_bound() -> None:
    found = measure(signal([0.0, 0.1, 0.1, 0.0]), start=NOW, end=at(40 / 60), bad_above=0.02, bad_below=None, traffic=None)

    assert found is not None
    assert found.bad_seconds == 20
    assert found.peak == pytest.approx(0.1)
    assert found.mean == pytest.approx(0.05)


def test_failed_requests_are_ratio_times_rate_times_seconds() -> None:
    rate = signal([100.0] * 4)

    found = measure(signal([0.0, 0.1, 0.1, 0.0]), start=NOW, end=at(40 / 60), bad_above=0.02, bad_below=None, traffic=rate)

    assert found is not None
    assert found.failed == pytest.approx(200)


def test_no_samples_is_not_no_impact() -> None:
    assert measure(signal([]), start=NOW, end=at(5), bad_above=0.02, bad_below=None, traffic=None) is None
    assert measure(signal([float("nan")]), start=NOW, end=at(5), bad_above=0.02, bad_below=None, traffic=None) is None


def test_a_gap_is_not_counted_as_bad() -> None:
    found = measure(signal([0.1, 0.1], step=600), start=NOW, end=at(11), bad_above=0.02, bad_below=None, traffic=None)

    assert found is not None
    assert found.bad_seconds == 120
