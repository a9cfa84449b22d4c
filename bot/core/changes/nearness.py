"""Which change may have done it, as far as time alone tells: one before the onset, the nearer the likelier."""

from datetime import timedelta

LOOKBACK = timedelta(hours=24)
"""Older changes are not listed."""
HALF_LIFE = timedelta(minutes=8)
"""After so long without a symptom a change is half as suspect: most bad changes bite at once."""
SLOW_SHARE = 0.15
"""What is left for a change that bites late (a leak, a cache that runs dry); it fades over LOOKBACK."""
ONSET_TOLERANCE = timedelta(seconds=30)
"""A measured onset can be this much too early (one scrape and its noise); beyond it a change is an effect, not a cause."""


def nearness(age: timedelta) -> float:
    """How much time alone speaks for a change of this age at the onset, 0 to 1; 0 for one that came after it."""
    if age < -ONSET_TOLERANCE or age > LOOKBACK:
        return 0.0
    age = max(age, timedelta(0))
    return float((1 - SLOW_SHARE) * 0.5 ** (age / HALF_LIFE) + SLOW_SHARE * (1 - age / LOOKBACK))
