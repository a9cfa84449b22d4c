"""Episodes of one alert: which of them a delivery is about, and when one ended, whatever the order of the deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from bot.core.text.durations import duration_text

RAPID_FLAP_AT, RAPID_FLAP_WITHIN = 5, timedelta(minutes=5)
"""An alert that fires for the fifth time within five minutes flaps rapidly: that it fires once more is no news."""
FLAP_AT, FLAP_WITHIN = 5, timedelta(hours=1)
"""An alert that fires for the fifth time within an hour flaps, however slowly its source reports it: its card is marked."""
RETURNS_WITHIN = timedelta(minutes=5)
"""An alert that fires again so soon after it resolved is the same trouble."""

REPLICAS_DIFFER = timedelta(minutes=2)
"""By so much two Prometheus servers may differ in when an alert began: each evaluates its rules at moments of its own."""

CLOCKS_DIFFER = timedelta(minutes=10)
"""An end may be so far ahead of its arrival: its sender's clock is."""

SHORTEST_HOLD, LONGEST_HOLD = timedelta(minutes=5), timedelta(minutes=30)


class EpisodeTimes(Protocol):
    """An episode as these decisions need it."""

    starts_at: datetime
    status: str
    ended_at: datetime | None


E = TypeVar("E", bound=EpisodeTimes)


def episode_of(
    episodes: Sequence[E], *, starts_at: datetime, received_at: datetime, replicated: bool = False, is_report: bool = False
) -> E | None:
    """The episode that a delivery is about; None if it is a new one. `episodes`: of the same alert, the oldest first.

    A source that gives no start is read as starting on arrival: then it is the episode that fires, as where the start is but
    that of a report (`is_report`). `replicated`: several senders report the alert, each with the start that its own Prometheus
    saw.
    """
    for episode in reversed(episodes):
        if episode.starts_at == starts_at:
            return episode
    if seen_elsewhere := [episode for episode in episodes if replicated and _overlaps(episode, starts_at)]:
        return min(seen_elsewhere, key=lambda episode: abs(episode.starts_at - starts_at))
    if starts_at != received_at and not is_report:
        return None
    firing = [episode for episode in episodes if episode.status == "firing" and episode.starts_at <= starts_at]
    return firing[-1] if firing else None


def _overlaps(episode: EpisodeTimes, starts_at: datetime) -> bool:
    """Whether a firing that began then is this one, as another sender saw it: one alert does not fire twice at once."""
    if abs(starts_at - episode.starts_at) > REPLICAS_DIFFER:
        return False
    return episode.ended_at is None or starts_at < episode.ended_at


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
    """It resolved there a moment ago, or flaps rapidly: it belongs there still."""
    flaps_rapidly: bool = False


def last_time(earlier: Sequence[PastEpisode], starts_at: datetime) -> LastTime:
    """What is known of an alert that begins anew at `starts_at`; `earlier`: its episodes before, the oldest first.

    An episode that ended where this one begins was ended by it: its source sent no end, so nothing is known of a pause.
    """
    last = next((one for one in reversed(earlier) if one.group_id is not None), None)
    if last is None:
        return LastTime()
    flaps_rapidly = sum(one.starts_at > starts_at - RAPID_FLAP_WITHIN for one in earlier) >= RAPID_FLAP_AT - 1
    resolved = last.ended_at is not None and timedelta(0) < starts_at - last.ended_at <= RETURNS_WITHIN
    return LastTime(last.group_id, resolved or flaps_rapidly, flaps_rapidly)


@dataclass(frozen=True)
class Flapping:
    """An alert that fires again and again."""

    times: int
    within: timedelta

    @property
    def text(self) -> str:
        """`fired 6 times within 12 min`."""
        return f"fired {self.times} times within {duration_text(max(self.within, timedelta(seconds=1)))}"

    @property
    def hold(self) -> timedelta:
        """For how long a pause is not its end: twice what usually lies between two of its starts."""
        return min(LONGEST_HOLD, max(SHORTEST_HOLD, 2 * self.within / (self.times - 1)))


def flapping_of(earlier: Sequence[PastEpisode], starts_at: datetime) -> Flapping | None:
    """Whether an alert that begins anew at `starts_at` flaps; `earlier`: its episodes before, the oldest first.

    Without those of outages that are over: five of these within an hour are five outages.
    """
    starts = [one.starts_at for one in earlier if one.starts_at > starts_at - FLAP_WITHIN]
    return Flapping(len(starts) + 1, starts_at - starts[0]) if len(starts) >= FLAP_AT - 1 else None
