"""Which alerts belong together: the source's own key, the service, its neighbours in the call graph, shared labels, and time.

The deep correlation comes behind the same function; each answer says why.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.core.incident import GroupState
from bot.core.service import Catalogue

NEAR = timedelta(minutes=5)
"""Related alerts join while the group's last alert is at most this old."""
SAME = timedelta(minutes=30)
"""Alerts of the same service join for longer; a cleared group of it fires again within this time."""
SHARED = ("cluster", "namespace")
"""Labels that tie the same alert name together when services are unknown."""


@dataclass
class OpenGroup:
    """A group as grouping sees it; not resolved."""

    id: int
    state: GroupState
    service: str
    last_alert_at: datetime
    cleared_at: datetime | None = None
    keys: set[str] = field(default_factory=set)
    """Source group keys seen in it."""
    fingerprints: set[str] = field(default_factory=set)
    services: set[str] = field(default_factory=set)
    names: set[tuple[str, ...]] = field(default_factory=set)
    """(alert name, shared label values) seen in it."""


@dataclass(frozen=True)
class Arrival:
    """A new episode looking for its group."""

    name: str
    service: str
    fingerprint: str
    group_key: str
    labels: Mapping[str, str]
    at: datetime

    @property
    def shared(self) -> tuple[str, ...]:
        return (self.name, *(self.labels.get(label, "") for label in SHARED))


@dataclass(frozen=True)
class Joined:
    """The group it belongs to (None: a new one) and why."""

    group: int | None
    reason: str


def join(arrival: Arrival, groups: Iterable[OpenGroup], catalogue: Catalogue) -> Joined:
    """Find the group of a new episode; the strongest reason wins, then the newest group."""
    best: tuple[int, datetime, int, str] | None = None
    for group in groups:
        weight, reason = _belongs(arrival, group, catalogue)
        if weight and (best is None or (weight, group.last_alert_at) > best[:2]):
            best = (weight, group.last_alert_at, group.id, reason)
    return Joined(best[2], best[3]) if best else Joined(None, "nothing open that it belongs to")


def _belongs(arrival: Arrival, group: OpenGroup, catalogue: Catalogue) -> tuple[int, str]:
    quiet = arrival.at - group.last_alert_at
    cleared = group.state is GroupState.MONITORING
    if cleared and group.cleared_at and arrival.at - group.cleared_at > SAME:
        return 0, ""
    if arrival.fingerprint in group.fingerprints:
        return 6, "the same alert fired in it before"
    if arrival.group_key and arrival.group_key in group.keys and quiet <= SAME:
        return 5, "the source groups them"
    if arrival.service and arrival.service in group.services and quiet <= SAME:
        return 4, f"the same service, {arrival.service}"
    if cleared or quiet > NEAR:
        return 0, ""
    for service in group.services:
        if relation := _related(arrival.service, service, catalogue):
            return 3, relation
    if not arrival.service and any(arrival.shared[1:]) and arrival.shared in group.names:
        return 2, f"the same alert in the same {' and '.join(SHARED)}"
    return 0, ""


def _related(one: str, other: str, catalogue: Catalogue) -> str:
    if not one or not other:
        return ""
    if other in catalogue.downstream(one, depth=3):
        return f"{one} depends on {other}"
    if one in catalogue.downstream(other, depth=3):
        return f"{other} depends on {one}"
    if common := set(catalogue.dependencies(one)) & set(catalogue.dependencies(other)):
        return f"{one} and {other} depend on {min(common)}"
    return ""
