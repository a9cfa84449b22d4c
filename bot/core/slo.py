"""Service level objectives: how much of the error budget is left and how fast it burns.

Formulas: Google, The Site Reliability Workbook, chapter 5 (multiwindow, multi-burn-rate alerts).
"""

import math
from dataclasses import dataclass

from bot.core.service import Objective

PAIRS = (("1h", "5m", 14.4), ("6h", "30m", 6.0), ("3d", "6h", 1.0))
"""Long window, short window and the burn rate at which both together call for action: page, page, ticket."""
WINDOWS = tuple(dict.fromkeys(w for long, short, _ in PAIRS for w in (short, long)))


@dataclass(frozen=True)
class Status:
    """One objective now. Ratios are 0 to 1; NaN where nothing could be measured."""

    good: float
    """Share of good events over the objective's window."""
    budget_left: float
    """1 = untouched, 0 = spent, negative = overdrawn."""
    burn: dict[str, float]
    """Burn rate by window: 1 spends the budget exactly at the window's end."""

    @property
    def breaches(self) -> list[tuple[str, str, float]]:
        """The pairs of windows that both burn faster than their bound."""
        return [pair for pair in PAIRS if all(self.burn.get(w, math.nan) >= pair[2] for w in pair[:2])]


def filled(promql: str, window: str) -> str:
    """A query of an objective over one window."""
    return promql.replace("{window}", window)


def good_ratio(objective: Objective, window: str) -> str:
    """PromQL for the share of good events over one window."""
    return f"({filled(objective.good, window)}) / ({filled(objective.total, window)})"


def judge(objective: Objective, good: float, by_window: dict[str, float]) -> Status:
    """The status from measured shares of good events: over the objective's window, and over each of `WINDOWS`.

    burn rate = (1 - good) / (1 - objective); budget left = 1 - burn rate over the whole window.
    """
    allowed = 1 - objective.objective / 100
    burn = {window: max(0.0, 1 - share) / allowed for window, share in by_window.items()}
    return Status(good=good, budget_left=1 - max(0.0, 1 - good) / allowed if math.isfinite(good) else math.nan, burn=burn)
