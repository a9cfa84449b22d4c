"""Episodes of one alert: which of them a delivery is about, and when one ended, whatever the order of the deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

FLAPS_AT, FLAPS_WITHIN = 5, timedelta(minutes=5)
"""An alert that fires for the fifth time within five minutes flaps."""
RETURNS_WITHIN = timedelta(minutes=5)
"""An alert that fires again so soon after it resolved is the same trouble."""


class EpisodeTimes(Protocol):
    """An episode as these decisions need it."""

    starts_at: datetime
    status: str


E = TypeVar("E", bound=EpisodeTimes)


def episode_of(episodes: Sequence[E], *, starts_at: datetime, received_at: datetime) -> E | None:
    """The episode that a delivery is about; None if it is a new one. `episodes`: of the same alert, the oldest first.

    A source that gives no start is read as starting on arrival: then it is the episode that fires.
    """
    for episode in reversed(episodes):
        if episode.starts_at == starts_at:
            return episode
    if starts_at != received_at:
        return None
    firing = [episode for episode in episodes if episode.status == "firing" and episode.starts_at <= starts_at]
    return firing[-1] if firing else None


def end_of(current: datetime | None, reported: datetime, starts_at: datetime) -> datetime:
    """When an episode ended, after one more report: the earliest counts, so that their order does not matter."""
    return max(reported, starts_at) if current is None or reported < current else current


class PastEpisode(Protocol):
    """An earlier episode of an alert, as `last_time` needs it."""

    starts_at: datetime
    ended_at: datetime | None
    group_id: int | None


@dataclass(frozen=True)
class LastTime:
    """What an alert did before it fired anew."""

    group: int | None = None
    """In which it fired last."""
    returns: bool = False
    """It resolved there a moment ago, or flaps: it belongs there still."""
    flaps: bool = False


def last_time(earlier: Sequence[PastEpisode], starts_at: datetime) -> LastTime:
    """What is known of an alert that begins anew at `starts_at`; `earlier`: its episodes before, the oldest first.

    An episode that ended where this one begins was ended by it: its source sent no end, so nothing is known of a pause.
    """
    last = next((one for one in reversed(earlier) if one.group_id is not None), None)
    if last is None:
        return LastTime()
    flaps = sum(one.starts_at > starts_at - FLAPS_WITHIN for one in earlier) >= FLAPS_AT - 1
    resolved = last.ended_at is not None and timedelta(0) < starts_at - last.ended_at <= RETURNS_WITHIN
    return LastTime(last.group_id, resolved or flaps, flaps)
