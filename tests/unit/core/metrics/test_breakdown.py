"""Which value of a label carries a change."""

from datetime import timedelta

import numpy as np

from bot.core.metrics.breakdown import break_down, candidate_labels, most_informative
from bot.core.metrics.series import Series
from tests.unit.builders import NOW

ONSET = NOW - timedelta(minutes=10)


def series(before: float, after: float, **labels: str) -> Series:
    times = np.arange(NOW.timestamp() - 3600, NOW.timestamp(), 60)
    return Series(labels, times, np.where(times < ONSET.timestamp(), before, after))


def split(rows: list[Series], label: str):
    return break_down(rows, label, onset=ONSET, harm="up", averaged=True)


def test_the_one_bad_version_carries_all_of_the_change() -> None:
    breakdown = split([series(0, 0, version="1.4"), series(np.nan, 0.4, version="1.5")], "version")

    assert (breakdown.parts[0].value, breakdown.parts[0].share, breakdown.present) == ("1.5", 1.0, 2)


def test_an_even_change_over_all_pods_says_nothing() -> None:
    assert most_informative([split([series(0, 0.4, pod="a"), series(0, 0.4, pod="b")], "pod")]) is None


def test_a_version_that_came_while_something_was_wrong_for_long_is_compared_over_its_own_time() -> None:
    times = np.arange(NOW.timestamp() - 3600, NOW.timestamp(), 5)
    worse = np.where(times < ONSET.timestamp(), 0.0, np.where(times < NOW.timestamp() - 60, 0.2, 0.8))
    later = np.where(times < NOW.timestamp() - 90, np.nan, worse)
    old, new = Series({"version": "1.4"}, times, worse), Series({"version": "1.5"}, times, later)
    gone = Series({"version": "1.3"}, times, np.where(times < NOW.timestamp() - 300, worse, np.nan))

    levels = {part.value: part.after for part in split([old, new, gone], "version").parts}
    by_pod = break_down([old, new], "pod", onset=ONSET, harm="up", averaged=True)

    assert levels == {"1.4": 0.8, "1.5": 0.8, "1.3": 0.2}
    assert [part.after for part in by_pod.parts] == [0.5]


def test_a_version_that_serves_everything_is_not_at_fault_for_being_the_only_one() -> None:
    breakdown = split([series(0, np.nan, version="1.4"), series(np.nan, 0.4, version="1.5")], "version")

    assert breakdown.lead == 0 and most_informative([breakdown]) is None


def test_the_first_label_of_which_one_value_carries_nearly_all_is_chosen() -> None:
    version = split([series(0, 0.01, version="1.4"), series(0, 0.4, version="1.5")], "version")
    pod = split([series(0, 0, pod=str(n)) for n in range(5)] + [series(0, 0.4, pod="x")], "pod")

    assert most_informative([version, pod]) is version


def test_labels_with_several_values_are_tried_and_service_labels_are_not() -> None:
    rows = [
        {"version": "1", "pod": "a", "job": "x", "le": "1", "env": "prod"},
        {"version": "2", "pod": "b", "job": "y", "le": "2"},
    ]

    assert candidate_labels(rows) == ["version", "pod"]
