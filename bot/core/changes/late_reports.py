"""Which changes came to light too late for a triage, and when it is worth attempting it anew.

A pipeline tells of its deploy when the roll-out ends: by then the alert has fired and the causes are ranked without it.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.change import Change
from bot.core.changes.nearness import ONSET_TOLERANCE

LOOKBACK = timedelta(hours=6)
"""So far back an attempt looks at changes; what is older would not be seen by a further one either."""
QUIET_PERIOD = timedelta(seconds=10)
"""A roll-out tells of several services in a row: so long nothing more came."""
MAX_WAIT = timedelta(minutes=1)
"""Even while more keeps coming, the first is not kept waiting for longer."""
MAX_ATTEMPTS = 3
"""Attempts of one group that late changes may bring about; after that a person presses Investigate."""


@dataclass(frozen=True)
class ReportedChange:
    """A stored change and when it was told last."""

    change: Change
    received_at: datetime


@dataclass(frozen=True)
class FinishedAttempt:
    """What a finished attempt knew."""

    began_at: datetime
    """The onset if it was seen, else the first alert."""
    services: Set[str]
    """Those of the alerts, what they depend on, and whatever was looked at."""
    known: Set[tuple[str, datetime]]
    """Ids and moments of the changes that were weighed."""
    brought_about: Set[str]
    """Ids of the changes for which an attempt was made already: each is worth one."""


def late_changes(reported: Iterable[ReportedChange], attempted: FinishedAttempt) -> list[ReportedChange]:
    """The changes that could be the cause and were not weighed, in the order in which they were told."""
    found = [one for one in reported if _could_be(one.change, attempted) and _is_news(one.change, attempted)]
    return sorted(found, key=lambda one: (one.received_at, one.change.id))


def _could_be(change: Change, attempted: FinishedAttempt) -> bool:
    return change.service in attempted.services and change.at <= attempted.began_at + ONSET_TOLERANCE


def _is_news(change: Change, attempted: FinishedAttempt) -> bool:
    return (change.id, change.at) not in attempted.known and change.id not in attempted.brought_about


def burst_is_over(found: Sequence[ReportedChange], now: datetime) -> bool:
    """Whether the burst that these belong to is over, or has lasted long enough."""
    return bool(found) and (now - found[-1].received_at >= QUIET_PERIOD or now - found[0].received_at >= MAX_WAIT)
