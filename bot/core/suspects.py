"""Which change may have done it: nearness in time and in the service graph, never newness alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.change import Change

LOOKBACK = timedelta(hours=24)
"""Older changes are not listed."""
HALF_LIFE = timedelta(minutes=8)
"""After so long without a symptom a change is half as suspect: most bad changes bite at once."""
SLOW_SHARE = 0.15
"""What is left for a change that bites late (a leak, a cache that runs dry); it fades over LOOKBACK."""
ONSET_TOLERANCE = timedelta(seconds=30)
"""A measured onset can be this much too early (one scrape and its noise); beyond it a change is an effect, not a cause."""
ELSEWHERE = 0.05
"""Place factor of a service that the failing one does not depend on, as far as is known."""
_PER_CALL = 0.85
_KIND = {"deploy": 1.0, "config": 1.0, "flag": 1.0, "model": 0.95, "scale": 0.6, "other": 0.5}


@dataclass(frozen=True)
class Suspect:
    """A change with the score that its place, time and kind give it, 0 to 1, and why."""

    change_id: str
    service: str
    score: float
    reasons: tuple[str, ...]


def rank_suspects(changes: Iterable[Change], *, onset: datetime, service: str, upstream: Mapping[str, int]) -> list[Suspect]:
    """Rank the changes before the onset, the likeliest cause first; `upstream` is what `service` depends on, with distance.

    score = place * time * kind, with
    place = 1 for `service` itself, 0.85^distance for what it depends on, 0.05 for anything else;
    time  = 0.85 * 2^(-age / 8 min) + 0.15 * (1 - age / 24 h), age = onset - change, at least 0;
    kind  = 1 for deploy, config and flag, 0.95 for a model version, 0.6 for scaling, 0.5 for others.
    Changes later than the onset (by more than 30 s, the error of an onset) or older than 24 h are no suspects.
    """
    found = []
    for change in changes:
        age = onset - change.at
        if not -ONSET_TOLERANCE <= age <= LOOKBACK:
            continue
        place, where = _place(change.service, service, upstream)
        score = place * nearness(age) * _KIND.get(change.kind, 0.5)
        reasons = (where, f"{change.kind} {in_words(age)} before the onset")
        found.append(Suspect(change_id=change.id, service=change.service, score=round(score, 3), reasons=reasons))
    return sorted(found, key=lambda s: (-s.score, s.change_id))


def nearness(age: timedelta) -> float:
    """How much time alone speaks for a change of this age at the onset, 0 to 1; 0 for one that came after it."""
    if age < -ONSET_TOLERANCE or age > LOOKBACK:
        return 0.0
    age = max(age, timedelta(0))
    return float((1 - SLOW_SHARE) * 0.5 ** (age / HALF_LIFE) + SLOW_SHARE * (1 - age / LOOKBACK))


def in_words(age: timedelta) -> str:
    """`40 s`, `12 min`, `3 h`: the size of a span for people."""
    seconds = abs(int(age.total_seconds()))
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"


def _place(changed: str, service: str, upstream: Mapping[str, int]) -> tuple[float, str]:
    if changed == service:
        return 1.0, f"on {service} itself"
    if changed in upstream:
        calls = upstream[changed]
        return _PER_CALL**calls, f"on {changed}, {calls} {'call' if calls == 1 else 'calls'} below {service}"
    return ELSEWHERE, f"on {changed}, which {service} is not known to depend on"
