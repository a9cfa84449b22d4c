"""Service level objectives: how much of the error budget is left and how fast it burns.

Formulas: Google, The Site Reliability Workbook, chapter 5 (multiwindow, multi-burn-rate alerts).
"""

import math
from dataclasses import dataclass

from bot.core.service import Objective
from bot.core.text.durations import UNIT_SECONDS

BUDGET_SPENT_PER_ALERT = (("1h", "5m", 0.02), ("6h", "30m", 0.05), ("3d", "6h", 0.10))
"""Long window, short window, and the share of the budget that is spent within the long one: for page, page, ticket."""
WINDOWS = tuple(dict.fromkeys(w for long, short, _ in BUDGET_SPENT_PER_ALERT for w in (short, long)))
MIN_BURN_RATE = 1.0
"""A slower burn is never a breach: at 1 the budget lasts exactly as long as its window."""
MAX_SLOTS = 30
SHORTEST_SLOT_SECONDS = 300
"""Shorter ones hold no two samples of a target that is scraped every two minutes, and a rate needs two."""


@dataclass(frozen=True)
class ObjectiveStatus:
    """One objective now. Ratios are 0 to 1; NaN where nothing could be measured."""

    good: float
    """Share of good events over the objective's window."""
    budget_left: float
    """1 = untouched, 0 = spent, negative = overdrawn."""
    burn: dict[str, float]
    """Burn rate by window: 1 spends the budget exactly at the window's end."""
    window: str = "30d"
    """Over which the budget is counted."""
    coverage: float = 1.0
    """Share of the window in which events were counted, at most: a service may be younger, or Prometheus keep less.

    NaN where nobody knows.
    """

    @property
    def measured_seconds(self) -> float:
        """For how long of its window it was measured, at most."""
        return self.coverage * _hours(self.window) * UNIT_SECONDS["h"]

    @property
    def measured(self) -> bool:
        """True if anything could be measured at all."""
        return any(math.isfinite(value) for value in (self.good, *self.burn.values()))

    @property
    def breaches(self) -> list[tuple[str, str, float]]:
        """Long window, short window and burn rate of the pairs that both burn at that rate or faster."""
        return [pair for pair in burn_thresholds(self.window) if all(self.burn.get(w, math.nan) >= pair[2] for w in pair[:2])]


def burn_thresholds(window: str) -> list[tuple[str, str, float]]:
    """Long window, short window and the burn rate at which both together call for action: 14.4, 6 and 1 over 30 days.

    burn rate = share of the budget x the objective's window / the long window. Windows that are no part of the
    objective's own are left out.
    """
    whole = _hours(window)
    return [
        (long, short, max(MIN_BURN_RATE, round(share * whole / _hours(long), 2)))
        for long, short, share in BUDGET_SPENT_PER_ALERT
        if _hours(long) < whole
    ]


def _hours(window: str) -> float:
    return int(window[:-1]) * UNIT_SECONDS[window[-1]] / UNIT_SECONDS["h"]


def with_window(promql: str, window: str) -> str:
    """A query of an objective with its window filled in."""
    return promql.replace("{window}", window)


def good_ratio_query(objective: Objective, window: str) -> str:
    """PromQL for the share of good events over one window."""
    return f"({with_window(objective.good, window)}) / ({with_window(objective.total, window)})"


def slots(window: str) -> tuple[int, int]:
    """Into how many parts a window is divided to see where it was measured, and the seconds of each."""
    seconds = int(_hours(window) * UNIT_SECONDS["h"])
    count = min(MAX_SLOTS, seconds // SHORTEST_SLOT_SECONDS)
    return count, seconds // count


def good_share(good: float | None, total: float | None) -> float:
    """The share of good events from both rates, None for one without a series; NaN where nothing was counted.

    A counter of good events that does not exist counted none: after a restart in an outage only failures have a series.
    """
    if total is None or not total > 0:
        return math.nan
    return (0.0 if good is None else good) / total


def objective_status(objective: Objective, good: float, by_window: dict[str, float], coverage: float = 1.0) -> ObjectiveStatus:
    """The status from measured shares of good events: over the objective's window, and over each of `WINDOWS`.

    burn rate = (1 - good) / (1 - objective); budget left = 1 - burn rate over the whole window. What was not measured
    stays NaN: 0 would say that nothing burns.
    """
    allowed = 1 - objective.objective / 100

    def burn_rate(share: float) -> float:
        return max(0.0, 1 - share) / allowed if math.isfinite(share) else math.nan

    burn = {window: burn_rate(share) for window, share in by_window.items()}
    return ObjectiveStatus(good=good, budget_left=1 - burn_rate(good), burn=burn, window=objective.window, coverage=coverage)
