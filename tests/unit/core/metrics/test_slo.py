"""Error budgets and burn rates, against the figures of the SRE Workbook."""

import math

import pytest

from bot.core.metrics.slo import WINDOWS, ObjectiveStatus, burn_thresholds, objective_status
from bot.core.service import Objective


def objective(percent: float = 99.9, window: str = "30d") -> Objective:
    return Objective(good="g[{window}]", total="t[{window}]", objective=percent, window=window)


@pytest.mark.parametrize(
    ("window", "thresholds"),
    [
        ("30d", [("1h", "5m", 14.4), ("6h", "30m", 6.0), ("3d", "6h", 1.0)]),
        ("28d", [("1h", "5m", 13.44), ("6h", "30m", 5.6), ("3d", "6h", 1.0)]),
        ("4w", [("1h", "5m", 13.44), ("6h", "30m", 5.6), ("3d", "6h", 1.0)]),
        ("7d", [("1h", "5m", 3.36), ("6h", "30m", 1.4), ("3d", "6h", 1.0)]),
        ("1d", [("1h", "5m", 1.0), ("6h", "30m", 1.0)]),
        ("1h", []),
    ],
)
def test_the_thresholds_spend_two_five_and_ten_percent_of_the_budget(
    window: str, thresholds: list[tuple[str, str, float]]
) -> None:
    assert burn_thresholds(window) == thresholds


@pytest.mark.parametrize(
    ("percent", "good", "burn"),
    [(99.9, 0.9856, 14.4), (99.0, 0.9, 10.0), (99.9, 1.0, 0.0), (95.0, 0.0, 20.0), (99.9, 1.2, 0.0)],
)
def test_the_burn_rate_is_the_bad_share_over_the_allowed_one(percent: float, good: float, burn: float) -> None:
    status = objective_status(objective(percent), good, {"1h": good})

    assert status.burn["1h"] == pytest.approx(burn) and status.budget_left == pytest.approx(1 - burn)


def test_what_was_not_measured_burns_at_no_rate() -> None:
    status = objective_status(objective(), math.nan, dict.fromkeys(WINDOWS, math.nan))

    assert all(math.isnan(rate) for rate in status.burn.values()) and math.isnan(status.budget_left)
    assert status.breaches == [] and not status.measured


@pytest.mark.parametrize(
    ("burn", "breached"),
    [
        ({"5m": 20.0, "1h": 20.0}, ["1h"]),
        ({"5m": 0.0, "1h": 20.0}, []),  # it is over
        ({"5m": 20.0, "1h": 2.0}, []),  # a blip
        ({"30m": 6.0, "6h": 6.0}, ["6h"]),
        ({"6h": 1.0, "3d": 1.5}, ["3d"]),
        ({"5m": 20.0, "1h": math.nan}, []),
    ],
)
def test_only_both_windows_of_a_pair_together_are_a_breach(burn: dict[str, float], breached: list[str]) -> None:
    assert [long for long, _, _ in ObjectiveStatus(0.99, 0.5, burn).breaches] == breached


def test_of_a_week_s_budget_a_slower_burn_is_a_breach() -> None:
    burn = {"5m": 4.0, "1h": 4.0}

    assert ObjectiveStatus(0.99, 0.5, burn, "7d").breaches and not ObjectiveStatus(0.99, 0.5, burn, "30d").breaches
