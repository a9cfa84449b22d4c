"""A burst of alerts: what fires on which component, and how often the same fired in earlier bursts."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from bot.core.alert import Alert
from bot.core.alerts.component import OPERATIONS, Component, component_of, ends_of
from bot.core.alerts.kind import kind_of, weight_of
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


_Key = tuple[str, str]
"""Component and what fires there."""
_Occurrences = Mapping[_Key, Sequence[_Occurrence]]
"""The earliest first."""


def read_burst(alerts: Iterable[Alert], earlier: Sequence[Sequence[Alert]], catalogue: Catalogue) -> Burst:
    """Count what fires now in the bursts before: `earlier` holds one list of alerts a burst, all of them strictly past."""
    now = _read(alerts, catalogue)
    past = [_read(burst, catalogue) for burst in sorted(filter(None, earlier), key=_start, reverse=True)]
    components = {(r[0].place.level, r[0].place.name, r[0].place.service) for burst in (now, *past) for r in burst.values()}
    ends = _other_ends((now, *past))
    here = Counter(key for burst in past for key in burst)
    weighted_here: dict[_Key, float] = defaultdict(float)
    weighted_alike: dict[_Key, float] = defaultdict(float)
    for age, burst in enumerate(past):
        for key, occurrences in burst.items():
            weighted_here[key] += _weight_at(age)
            weighted_alike[(occurrences[0].place.level, key[1])] += _weight_at(age)
    firings = [
        _firing(occurrences, here[key], weighted_here[key], weighted_alike[(occurrences[0].place.level, key[1])], ends)
        for key, occurrences in now.items()
    ]
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
            for one in occurrences:
                if one.calls:
                    ends[(one.place.name, one.calls)].add(one.other_end)
    return ends


def _firing(
    occurrences: Sequence[_Occurrence], here: int, weighted_here: float, weighted_alike: float, ends: Mapping[_Key, set[str]]
) -> Firing:
    first, place = occurrences[0], occurrences[0].place
    where = (place.name, place.level, place.service, place.host)
    share = len({o.other_end for o in occurrences}) / len(ends[(place.name, first.calls)]) if first.calls else 1.0
    counts = (here, weighted_here, weighted_alike, share)
    return Firing(*where, first.what, first.kind, first.role, first.weight, first.at, *counts)


def _read(alerts: Iterable[Alert], catalogue: Catalogue) -> _Occurrences:
    """What fires on each component, every time it fired."""
    by_key: dict[_Key, list[_Occurrence]] = {}
    for alert in alerts:
        for one in _occurrences(alert, catalogue):
            by_key.setdefault((one.place.name, one.what), []).append(one)
    for occurrences in by_key.values():
        occurrences.sort(key=lambda one: one.at)
    return by_key


def _occurrences(alert: Alert, catalogue: Catalogue) -> list[_Occurrence]:
    """Where one alert occurs: on its component, or at both ends of the calls that it is about."""
    direction = alert.labels.get("direction", "")
    kind = kind_of(alert.name)
    weight = weight_of(alert.name, direction)
    what = _without_digits(f"{alert.name} {direction}".strip())
    if ends := ends_of(alert.labels):
        caller, callee = ends
        operation = _without_digits(next((alert.labels[name] for name in OPERATIONS if alert.labels.get(name)), ""))
        to = f"{operation} to {callee.service or callee.name}"
        at, called_what, calling_what = alert.starts_at, f"{what} {operation}".strip(), f"{what} {to}"
        called = _Occurrence(callee, called_what, kind, "callee", weight, at, f"from {operation}", caller.name)
        calling = _Occurrence(caller, calling_what, kind, "caller", weight, at, to, callee.name)
        return [called] if caller.name == callee.name else [called, calling]
    place = component_of(alert.labels, catalogue.of_labels(alert.labels))
    return [_Occurrence(place, what, kind, "own", weight, alert.starts_at)] if place else []


@lru_cache(maxsize=4096)
def _without_digits(name: str) -> str:
    """Core 3 counts as the same thing as core 7."""
    return re.sub(r"\d+", "#", name)
