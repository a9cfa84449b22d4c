"""Stale alerts: their source repeats what fires, and has not repeated them for long. Whether they still fire is unknown."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

STALE_INTERVALS = 4
"""So many intervals without a repeat make an alert stale."""
SHORTEST = timedelta(minutes=5)
"""No alert is stale sooner than this: a sender is restarted, a network is slow."""
SAME_DELIVERY = timedelta(seconds=10)
"""Deliveries so near to each other are one: two replicas send it each, or a sender retries."""
LEARNED_AFTER = 3
"""Gaps that must have been seen before a learned interval counts."""
REMEMBERED = timedelta(days=7)
"""A longest gap that did not come again (an outage of the monitoring) is halved after this time."""
NEARLY = 0.9
LEAST_SHARE, LEAST_ALERTS = 0.8, 3
"""A source repeats what fires if so much of what fired long enough was repeated, of so many alerts at least."""


@dataclass(frozen=True)
class RepeatInterval:
    """The longest gap between two deliveries of one firing alert, of all alerts of a source."""

    longest: timedelta = timedelta(0)
    gaps: int = 0
    seen_at: datetime | None = None
    """When a gap was last nearly as long."""

    @property
    def learned(self) -> timedelta | None:
        """None while too little is known."""
        return self.longest if self.gaps >= LEARNED_AFTER else None


@dataclass
class Gaps:
    """What a batch of deliveries shows of each source's repeats."""

    by_source: dict[str, tuple[timedelta, int]] = field(default_factory=dict)
    """The longest gap, and how many."""

    def add(self, source: str, last_seen_at: datetime, at: datetime) -> None:
        """One more delivery of a firing alert that was last seen then."""
        gap = at - last_seen_at
        if gap >= SAME_DELIVERY:
            longest, count = self.by_source.get(source, (timedelta(0), 0))
            self.by_source[source] = max(longest, gap), count + 1


def next_interval(interval: RepeatInterval, longest: timedelta, gaps: int, at: datetime) -> RepeatInterval:
    """What is known after so many more gaps, the longest of which is given."""
    if longest >= NEARLY * interval.longest or interval.seen_at is None:
        return RepeatInterval(max(longest, interval.longest), interval.gaps + gaps, at)
    if at - interval.seen_at > REMEMBERED:
        return RepeatInterval(max(longest, interval.longest / 2), interval.gaps + gaps, at)
    return RepeatInterval(interval.longest, interval.gaps + gaps, interval.seen_at)


def stale_after(interval: timedelta) -> timedelta:
    """How long an alert may go without a repeat."""
    return max(SHORTEST, STALE_INTERVALS * interval)


@dataclass(frozen=True)
class FiredFor:
    """How long an alert fired as far as is known, and how often it was repeated."""

    length: timedelta
    repeats: int


def repeats_what_fires(alerts: Sequence[FiredFor], interval: timedelta) -> bool:
    """Whether a source repeats at all: many send each change once, and a retry now and then is no interval."""
    lasting = [alert.repeats > 0 for alert in alerts if alert.length >= 2 * interval]
    return len(lasting) >= LEAST_ALERTS and sum(lasting) >= LEAST_SHARE * len(lasting)
