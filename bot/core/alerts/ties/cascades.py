"""Cascades: what alerted again and again during the bursts of which services, although no path in the graph ties them.

A machine that many share, a registry that is in nobody's `depends_on`: after a few bursts in which it alerted too it
belongs to them. What alerts as often alone is never tied.
"""

from collections import Counter, deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

TIED_AFTER = 3
"""In so many bursts of a service it must have alerted,"""
TIED_SHARE = 0.75
"""and in so much of all the times it alerted."""
ONE_TIME = timedelta(minutes=5)
"""Alerts of one place that are so near to each other, outside of any burst, are one time."""
MAX_PLACES, MAX_SERVICES, MAX_BURSTS = 10_000, 50, 32

RunningBurst = tuple[int, Collection[str]]
"""The group of a burst, and the services in it."""


@dataclass(frozen=True)
class Cascade:
    """In how many bursts of a service a place alerted, of all times that it did."""

    place: str
    service: str
    count: int
    times: int

    @property
    def tied(self) -> bool:
        """Whether that is often enough."""
        return self.count >= TIED_AFTER and self.count >= TIED_SHARE * self.times

    @property
    def text(self) -> str:
        return f"{self.place} alerted in {self.count} bursts of {self.service}"


@dataclass(slots=True)
class _Past:
    times: int = 0
    last_at: datetime | None = None
    bursts: deque[int] = field(default_factory=lambda: deque(maxlen=MAX_BURSTS))
    together: Counter[str] = field(default_factory=Counter)


class Cascades:
    """By place: a service, or the component that an alert without a service is about."""

    def __init__(self) -> None:
        self._places: dict[str, _Past] = {}
        self._ties: dict[str, dict[str, str]] = {}
        """By place: the services that it is tied to, and why."""
        self._ties_to: dict[str, dict[str, str]] = {}
        """The same from the other end: by service, the places that are tied to it."""
        self.unsaved: set[str] = set()
        """Places about which more is known than was saved."""

    def ties(self, place: str) -> dict[str, str]:
        """Services that a place alerted with, and how often, in words."""
        return {**self._ties_to.get(place, {}), **self._ties.get(place, {})}

    def note(self, place: str, at: datetime, running: Sequence[RunningBurst]) -> None:
        """That a place alerted, with the bursts that ran then."""
        if place not in self._places and len(self._places) >= MAX_PLACES:
            return
        past = self._places.setdefault(place, _Past())
        fresh = [burst for burst in running if burst[0] not in past.bursts]
        once_more = bool(fresh) or (not running and (past.last_at is None or at - past.last_at > ONE_TIME))
        if once_more:
            past.times += 1
            self.unsaved.add(place)
        past.last_at = at
        for number, services in fresh:
            past.bursts.append(number)
            past.together.update([service for service in sorted(services)[:MAX_SERVICES] if service != place])
        if once_more:
            self._tie(place, past)

    def restore(self, saved: Iterable[Cascade]) -> None:
        """Know again what was saved; what was noted since stays."""
        for one in saved:
            if one.place in self.unsaved or len(self._places) >= MAX_PLACES:
                continue
            past = self._places.setdefault(one.place, _Past())
            past.times, past.together[one.service] = one.times, one.count
            self._tie(one.place, past)

    def worth_saving(self) -> list[Cascade]:
        """Of the unsaved places: with which services they alerted more than once, and half of all times at least."""
        return [
            Cascade(place, service, count, self._places[place].times)
            for place in sorted(self.unsaved)
            for service, count in sorted(self._places[place].together.items())
            if count > 1 and count >= self._places[place].times / 2
        ]

    def _tie(self, place: str, past: _Past) -> None:
        for service, count in past.together.items():
            cascade = Cascade(place, service, count, past.times)
            if cascade.tied:
                self._ties.setdefault(place, {})[service] = cascade.text
                self._ties_to.setdefault(service, {})[place] = cascade.text
            elif self._ties.get(place, {}).pop(service, None):
                del self._ties_to[service][place]
