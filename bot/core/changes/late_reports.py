"""Which changes were reported too late for a triage, and when to start a new attempt because of them.

A pipeline reports its deploy when the roll-out ends: by then the alert has fired and the causes are ranked without it.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.change import Change
from bot.core.changes.recency import ONSET_TOLERANCE

CHANGE_LOOKBACK_HOURS = 6
CLIMB_LOOKBACK_HOURS = 72
"""For what climbs slowly: a leak takes days."""
CHANGE_LOOKBACK = timedelta(hours=CHANGE_LOOKBACK_HOURS)
"""How far back an attempt lists changes, as a leak may be hours old; a further attempt would not list an older one either."""
QUIET_PERIOD = timedelta(seconds=10)
"""A roll-out reports several services in a row: it is over when nothing more came for so long."""
MAX_WAIT = timedelta(minutes=1)
"""The first report waits no longer than this, even while more keep coming."""
MAX_ATTEMPTS = 3
"""Attempts of one group that late-reported changes may start; after that a person presses Investigate."""


@dataclass(frozen=True)
class ReportedChange:
    """A stored change and when it was reported last."""

    change: Change
    received_at: datetime


@dataclass(frozen=True)
class FinishedAttempt:
    """What a finished attempt took into account."""

    began_at: datetime
    """The onset if one was observed, else the first alert."""
    services: Set[str]
    """Those of the alerts, what they depend on, and whatever was checked."""
    weighed: Set[tuple[str, datetime]]
    """Ids and moments of the changes that were considered."""
    retried_for: Set[str]
    """Ids of the changes for which an attempt was made that could list the changes: each causes one such attempt at most."""


def late_reported_changes(reported: Iterable[ReportedChange], attempted: FinishedAttempt) -> list[ReportedChange]:
    """The changes that could be the cause and were not considered, in the order in which they were reported."""
    late = [report for report in reported if _could_be_cause(report.change, attempted) and _is_new(report.change, attempted)]
    return sorted(late, key=lambda report: (report.received_at, report.change.id))


def _could_be_cause(change: Change, attempted: FinishedAttempt) -> bool:
    return change.service in attempted.services and change.at <= attempted.began_at + ONSET_TOLERANCE


def _is_new(change: Change, attempted: FinishedAttempt) -> bool:
    return (change.id, change.at) not in attempted.weighed and change.id not in attempted.retried_for


def burst_is_over(late: Sequence[ReportedChange], now: datetime) -> bool:
    """Whether the burst of reports that these belong to is over, or has lasted long enough."""
    return bool(late) and (now - late[-1].received_at >= QUIET_PERIOD or now - late[0].received_at >= MAX_WAIT)
