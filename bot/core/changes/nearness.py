"""How near a change came before the onset: as far as time alone says, the nearer the likelier it is the cause."""

from datetime import timedelta

from bot.core.tuning import TUNING, ChangeWeights

LOOKBACK = timedelta(hours=24)
"""Older changes are not listed."""
ONSET_TOLERANCE = timedelta(seconds=30)
"""A measured onset can be this much too early (one scrape and its noise); beyond it a change is an effect, not a cause."""


def nearness(age: timedelta, weights: ChangeWeights = TUNING.changes) -> float:
    """How much time alone speaks for a change of this age at the onset, 0 to 1; 0 for one that came after it."""
    if age < -ONSET_TOLERANCE or age > LOOKBACK:
        return 0.0
    age = max(age, timedelta(0))
    half_life, slow = timedelta(seconds=weights.half_life), weights.slow_share
    return float((1 - slow) * 0.5 ** (age / half_life) + slow * (1 - age / LOOKBACK))
