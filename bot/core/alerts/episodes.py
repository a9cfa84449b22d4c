"""Episodes of one alert: which of them a delivery is about, and when one ended, whatever the order of the deliveries."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeVar


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
