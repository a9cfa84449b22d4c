"""Network time: what both ends of the same calls measured, one minus the other."""

import numpy as np
import pytest

from bot.core.metrics.caller_wait import network_time
from bot.core.metrics.series import Series, per_request


def series(values: list[float], *, start: float = 0.0, **labels: str) -> Series:
    return Series(labels, start + 60.0 * np.arange(len(values)), np.array(values))


def test_what_callers_wait_beyond_what_the_service_took_is_network_time() -> None:
    outer, inner = series([0.01, 0.51], start=1.0, caller="front"), series([0.008, 0.01], caller="front")

    (difference,) = network_time([outer], [inner])

    assert difference.values == pytest.approx([0.002, 0.5]) and difference.labels == {"caller": "front"}


def test_ends_of_different_callers_are_not_compared() -> None:
    assert network_time([series([1, 1], caller="front")], [series([1, 1], caller="batch")]) == []


def test_an_end_that_was_not_scraped_leaves_the_moment_unknown() -> None:
    (difference,) = network_time([series([1.0] * 4)], [series([0.5, float("nan"), 0.5, 0.5])])

    assert np.isnan(difference.values[1]) and difference.values[0] == 0.5


def test_calls_per_request_cancel_the_load_out() -> None:
    ratio = per_request([series([2, 4, 0])], [series([1, 2, 2])])

    assert list(ratio.values) == [2.0, 2.0, 0.0]


def test_without_requests_the_ratio_is_unknown() -> None:
    assert np.isnan(per_request([series([0, 0])], [series([0, 0])]).values).all()


def test_a_pod_of_which_one_sample_is_known_adds_nothing_to_the_calls_per_request() -> None:
    ratio = per_request([series([2, 4]), series([9])], [series([2, 2])])

    assert list(ratio.values) == [1.0, 2.0]
