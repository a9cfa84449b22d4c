"""How likely a change is the cause by its age at the onset alone: the more recent, the likelier."""

from datetime import datetime, timedelta

from bot.core.tuning import TUNING
from bot.core.tuning.changes import ChangeWeights

MAX_AGE = timedelta(hours=24)
"""A change older than this at the onset counts nothing."""
ONSET_TOLERANCE = timedelta(seconds=30)
"""A measured onset can be this much too early (one scrape and its noise); beyond it a change is an effect, not a cause."""

REPORT_TOLERANCE = timedelta(minutes=10)
"""By so much a person may name the start of something too early; what began later than that is not what is reported."""


def begins_after_report(began: datetime | None, reported_at: datetime | None) -> bool:
    """Whether what began then came after what a person reports since `reported_at` (None: no person reports it)."""
    return began is not None and reported_at is not None and began > reported_at + REPORT_TOLERANCE


def recency_factor(age: timedelta, weights: ChangeWeights = TUNING.changes) -> float:
    """0 to 1, from the age of the change at the onset; 0 for one that came after it."""
    if age < -ONSET_TOLERANCE or age > MAX_AGE:
        return 0.0
    age = max(age, timedelta(0))
    half_life, slow = timedelta(seconds=weights.half_life), weights.slow_share
    return float((1 - slow) * 0.5 ** (age / half_life) + slow * (1 - age / MAX_AGE))


def flag_factor(age: timedelta, weights: ChangeWeights = TUNING.changes) -> float:
    """0 to 1, from the age of a flag's flip at the onset: it acts at once, while a deploy rolls out for minutes."""
    return float(0.5 ** (max(0.0, age.total_seconds() - weights.flag_delay) / weights.flag_half_life))
