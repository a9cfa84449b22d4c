"""A burst of alerts: what fires on which component, and how often the same fired in earlier bursts."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, Self

from bot.core.alert import Alert
from bot.core.alerts.component import OPERATIONS, Component, component_of, ends_of
from bot.core.alerts.problem_kind import kind_of, weight_of
from bot.core.facts.alerting import AlertKind, BurstFact, CallEnd, FiringFact, Level
from bot.core.service import Catalogue
from bot.core.tuning import TUNING

REACH = timedelta(minutes=10)
"""What fired this long before the case's alert belongs to the burst; what fired earlier is history."""

_MAX_FIRINGS = 400
"""The earliest are kept; a flood beyond that adds nothing."""


@dataclass(frozen=True)
class Firing:
    """One kind of alert on one component: its first moment, and how often it fired in earlier bursts."""

    component: str
    level: Level
    service: str
    host: str
    what: str
    """The alert's name, with the direction and the operation that its labels name; digits are masked."""
    kind: AlertKind
    role: CallEnd
    weight: float
    at: datetime
    earlier_here: int = 0
    """Earlier bursts in which it fired on this component."""
    weighted_here: float = 0.0
    """The same, each burst weighted by its age."""
    weighted_alike: float = 0.0
    """The same, summed over all components of this level."""
    share_of_ends: float = 1.0
    """Of calls: the share of their known other ends at which it fires. If the called one is slow, all its callers see it."""
    novelty: float = 0.0
    """Of a line never logged here before: earlier bursts, weighted by age, in which something new was logged here."""
    novelty_alike: float = 0.0
    """The same, summed over all components of this level."""
    callee: str = ""
    """Of a wait: the service that was called."""
    callees: int = 0
    """Of a wait: services that this component, or another part of its service, was ever seen to wait for."""
    waiting_callers: int = 0
    """Of a wait: components that were ever seen to wait for the called service."""
    name: str = ""
    """The same as `what` with its digits, as people know it."""

    @property
    def shown(self) -> str:
        """What fires, as the alert that came first is named; facts of older versions have the masked name alone."""
        return self.name or self.what

    def as_fact(self) -> FiringFact:
        """As evidence holds it."""
        return FiringFact(**asdict(self))

    @classmethod
    def of_fact(cls, fact: FiringFact) -> "Firing":
        """Back from `as_fact`; in facts from before bursts were weighted by age each counts whole."""
        values = {name: getattr(fact, name) for name in FiringFact.model_fields}
        return cls(**{**values, "weighted_here": fact.earlier_here if fact.weighted_here is None else fact.weighted_here})


@dataclass(frozen=True)
class Burst:
    """What one burst holds, ready to be ranked (core/ranking/burst_ranking)."""

    firings: Sequence[Firing]
    bursts: int
    """Earlier bursts that were read."""
    weighted_bursts: float
    """The same, each weighted by its age."""
    population: Mapping[Level, int]
    """Known components of each level."""
    pods: Mapping[str, int]
    """Known pods of each service."""

    def as_fact(self) -> BurstFact:
        """As evidence holds it."""
        return BurstFact(
            firings=tuple(firing.as_fact() for firing in self.firings),
            bursts=self.bursts,
            weighted_bursts=self.weighted_bursts,
            population=dict(self.population),
            pods=dict(self.pods),
        )

    @classmethod
    def of_fact(cls, fact: BurstFact) -> "Burst":
        """Back from `as_fact`; in facts from before bursts were weighted by age each counts whole."""
        firings = [Firing.of_fact(row) for row in fact.firings]
        weighted = float(fact.bursts if fact.weighted_bursts is None else fact.weighted_bursts)
        return cls(firings, fact.bursts, weighted, fact.population, fact.pods)


class _Occurrence(NamedTuple):
    """One alert at one component, read but not counted: thousands of them are history."""

    place: Component
    what: str
    kind: AlertKind
    role: CallEnd
    weight: float
    at: datetime
    calls: str = ""
    """Which calls it is about, whatever is wrong with them."""
    other_end: str = ""
    """The component at their other end."""
    operation: str = ""
    callee: str = ""
    """The service that is called, where the component stands at the calling end."""
    name: str = ""
    """What fires, with its digits."""


_Key = tuple[str, str]
"""Component and what fires there."""
_Occurrences = Mapping[_Key, Sequence[_Occurrence]]
"""The earliest first."""


def read_burst(alerts: Iterable[Alert], earlier: Sequence[Sequence[Alert]], catalogue: Catalogue) -> Burst:
    """Count what fires now in the bursts before: `earlier` holds one list of alerts a burst, all of them strictly past."""
    now = _read(alerts, catalogue)
    past = [_read(burst, catalogue) for burst in sorted(filter(None, earlier), key=_start, reverse=True)]
    components = {(r[0].place.level, r[0].place.name, r[0].place.service) for burst in (now, *past) for r in burst.values()}
    counts = _Counts.of(past)
    waits = _Waits.of((now, *past))
    ends = _other_ends((now, *past))
    firings = [waits.marked(_firing(occurrences, counts, ends), occurrences[0]) for occurrences in now.values()]
    return Burst(
        firings=sorted(firings, key=lambda f: (f.at, f.component, f.what))[:_MAX_FIRINGS],
        bursts=len(past),
        weighted_bursts=sum(map(_weight_at, range(len(past)))),
        population=Counter(level for level, _, _ in components),
        pods=Counter(service for level, _, service in components if level == "pod" and service),
    )


def _start(burst: Sequence[Alert]) -> datetime:
    return min(alert.starts_at for alert in burst)


def _weight_at(age: int) -> float:
    """What a burst counts after which so many others came."""
    return math.exp2(-age / TUNING.burst.half_life_in_bursts)


def _other_ends(bursts: Iterable[_Occurrences]) -> Mapping[_Key, set[str]]:
    """Component and calls to the other ends that any alert named."""
    ends: dict[_Key, set[str]] = defaultdict(set)
    for burst in bursts:
        for occurrences in burst.values():
            for occurrence in occurrences:
                if occurrence.calls:
                    ends[(occurrence.place.name, occurrence.calls)].add(occurrence.other_end)
    return ends


@dataclass(frozen=True)
class _Counts:
    """How often what fires now fired in earlier bursts, the newest of them first."""

    here: Mapping[_Key, int]
    weighted_here: Mapping[_Key, float]
    weighted_alike: Mapping[_Key, float]
    """By level and what fires."""
    novelty: Mapping[str, float]
    """By component: bursts in which it logged a line that it had never logged before, weighted by age."""
    novelty_alike: Mapping[Level, float]

    @classmethod
    def of(cls, past: Sequence[_Occurrences]) -> Self:
        weighted_here: dict[_Key, float] = defaultdict(float)
        weighted_alike: dict[_Key, float] = defaultdict(float)
        first: dict[_Key, tuple[int, _Occurrence]] = {}
        for age, burst in enumerate(past):
            for key, (earliest, *_) in burst.items():
                weighted_here[key] += _weight_at(age)
                weighted_alike[(earliest.place.level, key[1])] += _weight_at(age)
                first[key] = age, earliest
        novelty: dict[str, float] = defaultdict(float)
        novelty_alike: dict[Level, float] = defaultdict(float)
        for age, name, level in {(age, o.place.name, o.place.level) for age, o in first.values() if o.kind == "logs"}:
            novelty[name] += _weight_at(age)
            novelty_alike[level] += _weight_at(age)
        return cls(Counter(key for burst in past for key in burst), weighted_here, weighted_alike, novelty, novelty_alike)


@dataclass(frozen=True)
class _Waits:
    """Which alerts are about waits: a component's own measure of an operation that another service serves."""

    served: Mapping[str, str]
    """Operation to the service that serves it."""
    callees: Mapping[str, Set[str]]
    """Service to those that it was seen to wait for."""
    callers: Mapping[str, Set[str]]
    """Service to the components that were seen to wait for it."""

    @classmethod
    def of(cls, bursts: Sequence[_Occurrences]) -> Self:
        every = [
            occurrence
            for burst in bursts
            for occurrences in burst.values()
            for occurrence in occurrences
            if occurrence.operation
        ]
        served = {
            occurrence.operation: occurrence.callee
            for occurrence in every
            if occurrence.role == "caller" and occurrence.callee != _service(occurrence)
        }
        callees: dict[str, set[str]] = defaultdict(set)
        callers: dict[str, set[str]] = defaultdict(set)
        for occurrence in every:
            callee = occurrence.callee or served.get(occurrence.operation, "")
            if callee and callee != _service(occurrence):
                callees[_service(occurrence)].add(callee)
            if _is_wait(occurrence, served):
                callers[callee].add(occurrence.place.name)
        return cls(served, callees, callers)

    def marked(self, firing: Firing, occurrence: _Occurrence) -> Firing:
        """The firing as a wait, if it is about one."""
        if not _is_wait(occurrence, self.served):
            return firing
        callee = self.served[occurrence.operation]
        return replace(
            firing,
            role="waiting",
            callee=callee,
            callees=len(self.callees[_service(occurrence)]),
            waiting_callers=len(self.callers[callee]),
            share_of_ends=1.0,
        )


def _is_wait(occurrence: _Occurrence, served: Mapping[str, str]) -> bool:
    """Both ends are this component, and another service is known to serve the operation."""
    return (
        occurrence.role == "callee"
        and occurrence.other_end == occurrence.place.name
        and served.get(occurrence.operation, _service(occurrence)) != _service(occurrence)
    )


def _service(occurrence: _Occurrence) -> str:
    return occurrence.place.service or occurrence.place.name


def _firing(occurrences: Sequence[_Occurrence], counts: _Counts, ends: Mapping[_Key, set[str]]) -> Firing:
    first, place = occurrences[0], occurrences[0].place
    key = (place.name, first.what)
    is_new = first.kind == "logs" and not counts.here.get(key)
    return Firing(
        component=place.name,
        level=place.level,
        service=place.service,
        host=place.host,
        what=first.what,
        kind=first.kind,
        role=first.role,
        weight=first.weight,
        at=first.at,
        earlier_here=counts.here.get(key, 0),
        weighted_here=counts.weighted_here.get(key, 0.0),
        weighted_alike=counts.weighted_alike.get((place.level, first.what), 0.0),
        share_of_ends=len({o.other_end for o in occurrences}) / len(ends[(place.name, first.calls)]) if first.calls else 1.0,
        novelty=counts.novelty.get(place.name, 0.0) if is_new else 0.0,
        novelty_alike=counts.novelty_alike.get(place.level, 0.0) if is_new else 0.0,
        name=first.name,
    )


def _read(alerts: Iterable[Alert], catalogue: Catalogue) -> _Occurrences:
    """What fires on each component, every time it fired."""
    by_key: dict[_Key, list[_Occurrence]] = {}
    for alert in alerts:
        for occurrence in _occurrences(alert, catalogue):
            by_key.setdefault((occurrence.place.name, occurrence.what), []).append(occurrence)
    for occurrences in by_key.values():
        occurrences.sort(key=lambda occurrence: occurrence.at)
    return by_key


def _occurrences(alert: Alert, catalogue: Catalogue) -> list[_Occurrence]:
    """Where one alert occurs: on its component, or at both ends of the calls that it is about."""
    direction = alert.labels.get("direction", "")
    kind = kind_of(alert.name)
    weight = weight_of(alert.name, direction)
    name = f"{alert.name} {direction}".strip()
    what = _without_digits(name)
    if ends := ends_of(alert.labels):
        caller, callee = ends
        route = next((alert.labels[label] for label in OPERATIONS if alert.labels.get(label)), "")
        operation, service = _without_digits(route), callee.service or callee.name
        to = f"{operation} to {service}"
        at, called_what, calling_what = alert.starts_at, f"{what} {operation}".strip(), f"{what} {to}"
        called = _Occurrence(callee, called_what, kind, "callee", weight, at, f"from {operation}", caller.name, operation)
        calling = _Occurrence(caller, calling_what, kind, "caller", weight, at, to, callee.name, operation, service)
        named = called._replace(name=f"{name} {route}".strip()), calling._replace(name=f"{name} {route} to {service}")
        return list(named[:1] if caller.name == callee.name else named)
    place = component_of(alert.labels, catalogue.of_labels(alert.labels))
    return [_Occurrence(place, what, kind, "own", weight, alert.starts_at, name=name)] if place else []


@lru_cache(maxsize=4096)
def _without_digits(name: str) -> str:
    """Core 3 counts as the same thing as core 7."""
    return re.sub(r"\d+", "#", name)
