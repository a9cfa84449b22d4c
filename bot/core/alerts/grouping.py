"""Which alerts belong together: the signal itself, the source's own key, the service, its neighbours, shared labels, and time.

The deep correlation comes behind the same function; each answer says why.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.core.incident import GroupState
from bot.core.service import Catalogue

NEAR = timedelta(minutes=5)
"""Alerts of neighbours and of one machine join while the group's last alert is at most this old."""
SAME = timedelta(minutes=30)
"""Alerts of the same service or source's key join for longer; a cleared group fires again within this time."""
SCOPE = ("cluster", "env", "environment")
"""Two values of one of these are two installations: never one cause."""
PLACES = ("pod", "instance", "node", "host")
"""Labels that tie alerts without a service together."""

Hint = tuple[str, ...]
"""Something two alerts can have in common, e.g. `("service", "checkout")`."""


@dataclass(eq=False)
class OpenGroup:
    """A group as grouping sees it; not resolved. `number` is its key."""

    number: int
    state: GroupState
    opened_at: datetime
    last_alert_at: datetime
    cleared_at: datetime | None = None
    scope: dict[str, str] = field(default_factory=dict)
    hints: set[Hint] = field(default_factory=set)
    """Of all its members."""
    services: set[str] = field(default_factory=set)

    def take(self, arrival: "Arrival") -> set[Hint]:
        """Make an alert a member; the hints that are new to the group."""
        fresh = arrival.hints - self.hints
        self.hints |= fresh
        self.scope = {**arrival.scope, **self.scope}
        if arrival.service:
            self.services.add(arrival.service)
        return fresh


@dataclass(frozen=True)
class Arrival:
    """A new episode looking for its group."""

    source: str
    name: str
    service: str
    fingerprint: str
    group_key: str
    labels: Mapping[str, str]
    at: datetime
    """When it was received."""

    @property
    def hints(self) -> set[Hint]:
        """All that it may have in common with others."""
        found: set[Hint] = {("signal", self.source, self.fingerprint)}
        if self.group_key:
            found.add(("key", self.source, self.group_key))
        if self.service:
            found |= {("service", self.service), ("alert", self.name, self.service)}
        else:
            found |= {("place", _host(self.labels[name])) for name in PLACES if self.labels.get(name)}
            if namespace := self.labels.get("namespace"):
                found.add(("alert", self.name, namespace))
        return found

    @property
    def scope(self) -> dict[str, str]:
        """Which installation it is about, as far as its labels tell."""
        return {name: self.labels[name] for name in SCOPE if self.labels.get(name)}


@dataclass(frozen=True)
class Joined:
    """The group it belongs to (None: a new one) and why."""

    group: OpenGroup | None
    reason: str


def neighbours(service: str, catalogue: Catalogue) -> dict[str, str]:
    """Services of the same tree and how they are related: what it depends on, what depends on it, what shares a dependency."""
    if not service:
        return {}
    found = {other: f"{other} depends on {service}" for other in catalogue.services if service in catalogue.downstream(other)}
    for shared in catalogue.dependencies(service):
        for other in catalogue.dependents(shared):
            if other != service:
                found.setdefault(other, f"{service} and {other} depend on {shared}")
    return {**found, **{other: f"{service} depends on {other}" for other in catalogue.downstream(service)}}


def join(arrival: Arrival, candidates: Iterable[OpenGroup], catalogue: Catalogue, near: Mapping[str, str]) -> Joined:
    """Find the group of a new episode; the strongest reason wins, then the newest group. `near`: see `neighbours`."""
    best: tuple[int, datetime, int, str, OpenGroup] | None = None
    for group in candidates:
        weight, reason = _belongs(arrival, group, catalogue, near)
        if weight and (best is None or (weight, group.last_alert_at, group.number) > best[:3]):
            best = (weight, group.last_alert_at, group.number, reason, group)
    return Joined(best[4], best[3]) if best else Joined(None, "nothing open that it belongs to")


def _belongs(arrival: Arrival, group: OpenGroup, catalogue: Catalogue, near: Mapping[str, str]) -> tuple[int, str]:
    """How strongly it belongs to this group (0: not at all) and why."""
    if any(group.scope.get(name, value) != value for name, value in arrival.scope.items()):
        return 0, ""
    kinds = {hint[0] for hint in arrival.hints & group.hints}
    if group.state is GroupState.MONITORING:
        # A cleared group never swallows anything but its own alert that fires again.
        again = "signal" in kinds and group.cleared_at and arrival.at - group.cleared_at <= SAME
        return (6, "the same alert fires again") if again else (0, "")
    if "signal" in kinds:
        return 6, "the same alert fired in it before"
    quiet = arrival.at - group.last_alert_at
    if quiet > SAME:
        return 0, ""
    if "service" in kinds:
        return 4, f"the same service, {arrival.service}"
    relation = next((near[service] for service in sorted(group.services) if service in near), "")
    if "key" in kinds and (relation or not _strangers(arrival.service, group.services, catalogue)):
        return 5, "the source groups them"
    if quiet > NEAR:
        return 0, ""
    if relation:
        return 3, relation
    if "place" in kinds or "alert" in kinds:
        return 2, "the same machine" if "place" in kinds else "the same alert in the same namespace"
    return 0, ""


def _strangers(service: str, others: set[str], catalogue: Catalogue) -> bool:
    """Known services of different trees: the catalogue knows better than the source's key."""
    return catalogue.get(service) is not None and bool(others) and all(catalogue.get(other) is not None for other in others)


def _host(value: str) -> str:
    """`10.0.0.1:9100` and `10.0.0.1:8080` are one machine."""
    host, colon, port = value.rpartition(":")
    return host if colon and port.isdigit() else value
