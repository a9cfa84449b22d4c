"""Which alerts belong together: the signal itself, the source's own key, the service, its neighbours, shared labels, and time.

Rules decide while alerts are few. Of several groups that the rules allow, and where alerts come fast, the arrival rate decides
(bot/core/alerts/arrival_rate.py). Each answer carries its reason.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from bot.core.actor import NONE_KNOWN, KnownChannels, Visibility
from bot.core.alerts.arrival_rate import RUNNING_SHARE, ArrivalRate, GroupCandidate, UsualDelays, choose
from bot.core.alerts.component import Component, component_of, scope_of
from bot.core.alerts.episodes import LastTime
from bot.core.alerts.problem_kind import kind_of
from bot.core.facts.alerting import AlertKind
from bot.core.incident import GroupState
from bot.core.infrastructure.exporters import HOSTS, host_of
from bot.core.service import Catalogue

NEAR_WINDOW = timedelta(minutes=5)
"""Alerts of neighbours and of one machine join while the group's last alert is at most this old."""
SAME_WINDOW = timedelta(minutes=30)
"""Alerts of the same service or source's key join for longer; a cleared group fires again within this time."""
UNMEASURED_WINDOW = timedelta(hours=1)
"""What was not measured for longer and fires again is another outage: a service that was removed may come back after days."""
MACHINE_LABELS = ("pod", "instance", "node", "host")
"""Labels that tie alerts without a service together."""

MAX_BURSTS = 8
"""Groups that the arrival rate chooses among: the newest."""

Hint = tuple[str, ...]
"""Something two alerts can have in common, e.g. `("service", "checkout")`."""


class GroupingReason(StrEnum):
    """Why an alert belongs to its group, as the database and the API name it."""

    OPENED_GROUP = "opened_group"
    NEW_BURST = "new_burst"
    SAME_BURST = "same_burst"
    NEXT_BURST = "next_burst"
    FLAPPING = "flapping"
    BY_PERSON = "by_person"
    BY_RULE = "by_rule"
    FIRES_AGAIN = "fires_again"
    SAME_ALERT = "same_alert"
    SOURCE_KEY = "source_key"
    DECLARED_INCIDENT = "declared_incident"
    SAME_SERVICE = "same_service"
    RELATED_SERVICE = "related_service"
    SAME_MACHINE = "same_machine"
    SAME_NAMESPACE = "same_namespace"
    OVER_BUDGET = "over_budget"


OPENING = frozenset({GroupingReason.OPENED_GROUP, GroupingReason.NEW_BURST})
"""Reasons of the first alert of a group."""
_STRENGTH = {
    GroupingReason.FLAPPING: 7,
    GroupingReason.FIRES_AGAIN: 6,
    GroupingReason.SAME_ALERT: 6,
    GroupingReason.SOURCE_KEY: 5,
    GroupingReason.DECLARED_INCIDENT: 4,
    GroupingReason.BY_RULE: 4,
    GroupingReason.SAME_SERVICE: 4,
    GroupingReason.RELATED_SERVICE: 3,
    GroupingReason.SAME_MACHINE: 2,
    GroupingReason.SAME_NAMESPACE: 2,
}
"""Of several groups that an alert may join, the strongest reason wins."""


_CERTAIN = frozenset({GroupingReason.FLAPPING, GroupingReason.FIRES_AGAIN, GroupingReason.DECLARED_INCIDENT})
"""Reasons that hold however fast alerts come."""

_OF_ONE_OUTAGE = frozenset({GroupingReason.SAME_SERVICE, GroupingReason.RELATED_SERVICE})
"""Reasons by which a new outage takes what else it brings back, though that fired on an older card before."""


@dataclass(eq=False)
class OpenGroup:
    """A group as grouping sees it; not resolved. `number` is its key."""

    number: int
    state: GroupState
    opened_at: datetime
    last_alert_at: datetime
    cleared_at: datetime | None = None
    end_doubted: bool = False
    """Its alerts may only have ended since nobody evaluated them."""
    unmeasured: bool = False
    """They may only have ended since their service is not measured."""
    scope: dict[str, str] = field(default_factory=dict)
    hints: dict[Hint, None] = field(default_factory=dict)
    """Of all its members, thousands in a storm: a set would take twice the memory."""
    services: set[str] = field(default_factory=set)
    overflow_of: str = ""
    """The source that sends its alerts beyond its budget of new groups; "": they belong together."""
    declared: str = ""
    """The service of which a person declared the incident, before any alert came."""
    alerts: set[tuple[str, str]] = field(default_factory=set)
    """(alert name, service) of its members."""
    kinds: set[tuple[AlertKind, str]] = field(default_factory=set)
    """(kind of problem, service) of its members."""
    firing: set[str] = field(default_factory=set)
    """Services of which an alert is known to fire; of others nothing is known."""
    members: int = 0
    running: int = 0
    """How many of its members fire."""
    most_running: float = 0.0
    """The most that fired at once of its present outage, those of the last seconds aside."""
    visibility: Visibility = field(default_factory=lambda: Visibility(""))
    """Who reads its card."""
    arrivals: ArrivalRate = field(default_factory=ArrivalRate)

    def may_fire_on(self, at: datetime) -> bool:
        """Whether an alert of it that fires then may never have ended."""
        too_long = self.unmeasured and self.cleared_at is not None and at - self.cleared_at > UNMEASURED_WINDOW
        return self.end_doubted and not too_long

    def set_running(self, running: int, at: float) -> None:
        """So many of its members fire at that moment."""
        self.running = running
        self.most_running = max(self.most_running, running - self.arrivals.recent.count_at(at))

    def is_over(self, at: float) -> bool:
        """Whether hardly an alert of its outage fires any more, but those that came in the last seconds."""
        before = self.running - self.arrivals.recent.count_at(at)
        return self.most_running > 0 and before <= RUNNING_SHARE * self.most_running

    def begin_next_burst(self) -> None:
        """What comes from now on is another outage."""
        self.arrivals.begin_anew()
        self.most_running = 0.0

    def declare(self, service: str) -> set[Hint]:
        """Make it the group of an incident that a person declared of a service; returns the hints that are new to the group."""
        own: Hint = ("service", service)
        fresh = {own}.difference(self.hints)
        self.declared = service
        self.hints.update(dict.fromkeys(fresh))
        self.services.add(service)
        return fresh

    def add(self, arrival: "Arrival") -> set[Hint]:
        """Make an alert a member; returns the hints that are new to the group."""
        if self.overflow_of:
            # Nothing belongs to it because of what it holds.
            self.members += 1
            return set()
        fresh = arrival.hints.difference(self.hints)
        self.hints.update(dict.fromkeys(fresh))
        self.members += 1
        returns = arrival.last.returns and not arrival.last.flaps_rapidly and arrival.last.group == self.number
        self.arrivals.add(arrival.at.timestamp(), arrival.component, returns=returns)
        self.scope = {**arrival.scope, **self.scope}
        if (alert := (arrival.name, arrival.service)) not in self.alerts:
            self.alerts.add(alert)
            self.kinds.add((kind_of(arrival.name), arrival.service))
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
    last: LastTime = field(default_factory=LastTime)
    channel: str = ""
    """Where alerts of its service stand."""

    @property
    def signal(self) -> Hint:
        """The alert itself, over its life."""
        return ("signal", self.source, self.fingerprint)

    @cached_property
    def _component(self) -> Component | None:
        return component_of(self.labels, self.service)

    @property
    def component(self) -> str:
        """The pod, service or host that it is about; "" where its labels name none."""
        return self._component.name if self._component else ""

    @cached_property
    def hints(self) -> set[Hint]:
        """All that it may have in common with others."""
        hints: set[Hint] = {self.signal}
        if self.group_key:
            hints.add(("key", self.source, self.group_key))
        if self.service:
            hints |= {("service", self.service), ("alert", self.name, self.service)}
            hints |= {("host", self.labels[name]) for name in HOSTS if self.labels.get(name)}
            if self._component and self._component.level == "host":
                hints.add(("machine", self._component.name))
        else:
            hints |= {("machine", host_of(self.labels[name])) for name in MACHINE_LABELS if self.labels.get(name)}
            if namespace := self.labels.get("namespace"):
                hints.add(("alert", self.name, namespace))
        return hints

    @cached_property
    def seeks(self) -> set[Hint]:
        """What a group that it belongs to may hold: the same, the machine it runs on, what runs on its machine."""
        ends = {"host": "machine", "machine": "host"}
        shared = {hint for hint in self.hints if hint[0] != "host"}
        return shared | {(ends[hint[0]], *hint[1:]) for hint in self.hints if hint[0] in ends}

    @cached_property
    def scope(self) -> dict[str, str]:
        """Which installation it is about, as far as its labels name it."""
        return scope_of(self.labels)


@dataclass(frozen=True)
class Membership:
    """Why an alert belongs to its group."""

    reason: GroupingReason
    text: str
    """The reason in words, with the names that it depends on."""


OPENED = Membership(GroupingReason.OPENED_GROUP, "it opened the group")


def neighbours(service: str, catalogue: Catalogue) -> dict[str, str]:
    """Services of the same tree and how they are related: what it depends on, what depends on it, what shares a dependency."""
    if not service:
        return {}
    related = {other: f"{other} depends on {service}" for other in catalogue.services if service in catalogue.downstream(other)}
    for shared in catalogue.dependencies(service):
        for other in catalogue.dependents(shared):
            if other != service:
                related.setdefault(other, f"{service} and {other} depend on {shared}")
    return {**related, **{other: f"{service} depends on {other}" for other in catalogue.downstream(service)}}


@dataclass(frozen=True)
class Placement:
    """Where a new episode belongs: the group, None for a new one; and why."""

    group: OpenGroup | None
    membership: Membership


@dataclass(frozen=True)
class Ties:
    """What ties an arrival to others beside what both have in common."""

    near: Mapping[str, str]
    """Services, each with the reason: see `neighbours`."""
    ruled: Mapping[int, str] = field(default_factory=dict)
    """Groups, each with the rule of a person that ties the arrival to it."""


def place(
    arrival: Arrival,
    candidates: Iterable[OpenGroup],
    catalogue: Catalogue,
    ties: Ties,
    delays: UsualDelays,
    channels: KnownChannels = NONE_KNOWN,
) -> Placement:
    """The group of a new episode and why. Moves the evidence that another burst has begun.

    The strongest reason wins, then the newest group; where alerts come fast, the arrival rate chooses among all that fit.
    Whatever ties them: an alert stands on no card that others read than those who may read it. What fires again in a cleared
    group belongs to the outage that began since, where one is tied to it: the same cause stands on one card.
    """
    tied = [(group, membership) for group in candidates if (membership := _membership(arrival, group, catalogue, ties))]
    own = Visibility(arrival.channel)
    matches = [one for one in tied if channels.may_share_card(own, one[0].visibility)]
    if not matches:
        return Placement(None, _opened([one for one in tied if channels.may_name(one[0].visibility, arrival.channel)]))
    group, membership = _strongest(_begun_since(matches) or matches)
    fitting = [one for one, _ in matches if one.state is not GroupState.MONITORING]
    back = arrival.last.returns and arrival.last.group == group.number
    if back or membership.reason in _CERTAIN or not any(one.arrivals.is_burst for one in fitting):
        return Placement(group, membership)
    return _by_arrival_rate(arrival, sorted(fitting, key=lambda one: one.arrivals.began_at)[-MAX_BURSTS:], delays)


def _begun_since(matches: Sequence[tuple[OpenGroup, Membership]]) -> list[tuple[OpenGroup, Membership]]:
    """Of what would fire again in a cleared group: the groups of its service and neighbours that opened after that cleared."""
    cleared = [group.cleared_at for group, one in matches if one.reason is GroupingReason.FIRES_AGAIN and group.cleared_at]
    if not cleared:
        return []
    return [(group, one) for group, one in matches if one.reason in _OF_ONE_OUTAGE and group.opened_at >= max(cleared)]


def _strongest(matches: Sequence[tuple[OpenGroup, Membership]]) -> tuple[OpenGroup, Membership]:
    return max(matches, key=lambda one: (_STRENGTH[one[1].reason], one[0].last_alert_at, one[0].number))


def _opened(apart: Sequence[tuple[OpenGroup, Membership]]) -> Membership:
    """It opens a group. `apart`: groups that it was kept apart from, and that whoever reads its card may read too."""
    if not apart:
        return OPENED
    group, membership = _strongest(apart)
    return opened_apart(group.number, membership.text)


def opened_apart(number: int, why: str) -> Membership:
    """It opens a group of its own although `why` ties it to that one: others read there."""
    apart = f"it would be in AL-{number} ({why}), but others read its channel"
    return Membership(GroupingReason.OPENED_GROUP, f"{OPENED.text}: {apart}")


def _by_arrival_rate(arrival: Arrival, groups: Sequence[OpenGroup], delays: UsualDelays) -> Placement:
    at = arrival.at.timestamp()
    candidates = [GroupCandidate(one.number, one.arrivals, arrival.signal in one.hints, one.is_over(at)) for one in groups]
    choice = choose(at, arrival.component, delays.of(arrival.fingerprint), candidates)
    if choice.number is None:
        return Placement(None, Membership(GroupingReason.NEW_BURST, choice.text))
    group = next(group for group in groups if group.number == choice.number)
    if choice.is_next:
        group.begin_next_burst()
    return Placement(group, Membership(GroupingReason.NEXT_BURST if choice.is_next else GroupingReason.SAME_BURST, choice.text))


def same_scope(arrival: Arrival, group: OpenGroup) -> bool:
    """Whether both may be of one installation."""
    return all(group.scope.get(name, value) == value for name, value in arrival.scope.items())


def _membership(arrival: Arrival, group: OpenGroup, catalogue: Catalogue, ties: Ties) -> Membership | None:
    """Why it belongs to this group; None if it does not."""
    if not same_scope(arrival, group):
        return None
    kinds = {hint[0] for hint in arrival.seeks if hint in group.hints}
    if group.state is GroupState.MONITORING:
        # A cleared group never swallows anything but its own alert that fires again, and did so nowhere else since.
        own = "signal" in kinds and arrival.last.group in (None, group.number)
        lately = group.cleared_at is not None and arrival.at - group.cleared_at <= SAME_WINDOW
        again = own and (lately or group.may_fire_on(arrival.at))
        return Membership(GroupingReason.FIRES_AGAIN, "the same alert fires again") if again else None
    if arrival.last.flaps_rapidly and arrival.last.group == group.number:
        return Membership(GroupingReason.FLAPPING, "it flaps: it fires again and again")
    if "signal" in kinds:
        return Membership(GroupingReason.SAME_ALERT, "the same alert fired in it before")
    if arrival.service and arrival.service == group.declared:
        # However long ago: people have this incident at hand until they resolve it.
        return Membership(GroupingReason.DECLARED_INCIDENT, f"an incident of {arrival.service} was declared")
    quiet = arrival.at - group.last_alert_at
    if quiet > SAME_WINDOW:
        return None
    if "service" in kinds:
        return Membership(GroupingReason.SAME_SERVICE, f"the same service, {arrival.service}")
    if group.number in ties.ruled and quiet <= NEAR_WINDOW:
        return Membership(GroupingReason.BY_RULE, ties.ruled[group.number])
    relation = next((ties.near[service] for service in sorted(group.services) if service in ties.near), "")
    if "key" in kinds and (relation or not _unrelated(arrival.service, group.services, catalogue)):
        return Membership(GroupingReason.SOURCE_KEY, "the source groups them")
    return _nearby(kinds, relation) if quiet <= NEAR_WINDOW else None


def _nearby(kinds: Set[str], relation: str) -> Membership | None:
    """What ties alerts together only while the group is fresh."""
    if relation:
        return Membership(GroupingReason.RELATED_SERVICE, relation)
    if kinds & {"machine", "host"}:
        return Membership(GroupingReason.SAME_MACHINE, "the same machine")
    if "alert" in kinds:
        return Membership(GroupingReason.SAME_NAMESPACE, "the same alert in the same namespace")
    return None


def _unrelated(service: str, others: set[str], catalogue: Catalogue) -> bool:
    """Known services of different trees: the catalogue knows better than the source's key."""
    return catalogue.get(service) is not None and bool(others) and all(catalogue.get(other) is not None for other in others)
