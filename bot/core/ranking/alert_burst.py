"""Which component a burst of alerts came from: what fires there and rarely did, how early, and what behaves alike."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from bot.core.alert import Alert
from bot.core.alerts.component import OPERATIONS, Component, Level, component_of, ends_of
from bot.core.alerts.kind import AlertKind, kind_of, weight_of
from bot.core.service import Catalogue

REACH = timedelta(minutes=10)
"""What fired this long before the case's alert belongs to the burst; what fired earlier is history."""

Role = Literal["own", "callee", "caller"]

_PRIOR = 0.5
_MOST_KINDS = 4
_MOST_FIRINGS = 400
"""The earliest are kept; a flood beyond that tells nothing new."""
_HALF_LIFE_IN_BURSTS = 14
"""Systems and rules change: after so many further bursts an earlier one counts half."""


@dataclass(frozen=True)
class BurstWeights:
    """What an alert tells of where a burst began; one setting for all bursts (tried on sets left out: tests/evaluation)."""

    most_bits: float = 4.5
    """One in 23 is rare; a fault that came before must not be found less likely for that."""
    pooled: float = 4.0
    """What is known of alike components counts like so many bursts of the component's own."""
    now: float = 3.0
    """What many alike components fire now tells little of each, and counts like three bursts."""
    half_life: float = 200.0
    """Seconds after the burst's start at which an alert counts half: effects follow causes."""
    callee: float = 0.7
    """A slow call is said of both its ends and decides between them little; rather it is the called one."""
    caller: float = 0.25
    alike: float = 0.25
    """Further alerts of one kind on one component, or of one service's pods, repeat the first more than they add to it."""
    next_kind: float = 0.3
    crowd: float = 0.3
    """The more components of a level there are, the oftener one of them is odd by chance; pods are the measure of it."""
    echo: float = 0.8
    """So much of a host's alert is taken for an echo of a pod on it whose alert of that kind is as rare."""
    explained: float = 0.4
    """What is left of a pod's score once its service stands before it."""

    def of(self, role: Role) -> float:
        """The worth of what is said of a component in this role."""
        return {"own": 1.0, "callee": self.callee, "caller": self.caller}[role]


BURST_WEIGHTS = BurstWeights()


@dataclass(frozen=True)
class Firing:
    """One kind of alert on one component: its first moment, and how often it fired in earlier bursts."""

    component: str
    level: Level
    service: str
    host: str
    what: str
    kind: AlertKind
    role: Role
    weight: float
    at: datetime
    own: int = 0
    """Earlier bursts in which it fired on this component."""
    lately: float = 0.0
    """The same, each counted by its age."""
    alike: float = 0.0
    """The same, summed over all components of this level."""
    seen: float = 1.0
    """Of calls: the share of the known other ends at which it fires. If the called one is slow, all its callers see it."""

    def as_fact(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self) | {"at": self.at.isoformat()}


@dataclass(frozen=True)
class Burst:
    """What one burst holds, ready to be ranked."""

    firings: Sequence[Firing]
    bursts: int
    """Earlier bursts that were looked at."""
    lately: float
    """The same, each counted by its age."""
    population: Mapping[Level, int]
    """Known components of each level."""
    pods: Mapping[str, int]
    """Known pods of each service."""

    def as_fact(self) -> dict[str, Any]:
        """Plain JSON: what stands in `Evidence.facts["burst"]`."""
        firings = [firing.as_fact() for firing in self.firings]
        counted = {"bursts": self.bursts, "lately": self.lately, "population": dict(self.population), "pods": dict(self.pods)}
        return {"firings": firings, **counted}

    @classmethod
    def of_fact(cls, fact: Mapping[str, Any]) -> "Burst":
        """Back from `as_fact`; in facts of before bursts were counted by age each counts whole."""
        firings = [Firing(**{"lately": row["own"], **row, "at": datetime.fromisoformat(row["at"])}) for row in fact["firings"]]
        bursts = int(fact["bursts"])
        return cls(firings, bursts, float(fact.get("lately", bursts)), fact["population"], fact["pods"])


@dataclass(frozen=True)
class ComponentRank:
    """One component as the source of a burst: `share` is its score over the best one's."""

    place: Component
    surprise_bits: float
    share: float
    firings: Sequence[Firing] = field(default=())
    """What it rests on, the most telling first."""


class _Read(NamedTuple):
    """One alert at one component, read but not counted: thousands of them are history."""

    place: Component
    what: str
    kind: AlertKind
    role: Role
    weight: float
    at: datetime
    calls: str = ""
    """Which calls it speaks of, whatever is wrong with them."""
    other: str = ""
    """The component at their other end."""


_Key = tuple[str, str]
"""Component and what fires there."""
_Reads = Mapping[_Key, Sequence[_Read]]
"""The earliest first."""


def read_burst(alerts: Iterable[Alert], earlier: Sequence[Sequence[Alert]], catalogue: Catalogue) -> Burst:
    """Count what fires now in the bursts before: `earlier` holds one list of alerts a burst, all of them strictly past."""
    now = _read(alerts, catalogue)
    past = [_read(burst, catalogue) for burst in sorted(filter(None, earlier), key=_began, reverse=True)]
    known = {(r[0].place.level, r[0].place.name, r[0].place.service) for burst in (now, *past) for r in burst.values()}
    ends = _known_ends((now, *past))
    own = Counter(key for burst in past for key in burst)
    lately: dict[_Key, float] = defaultdict(float)
    alike: dict[_Key, float] = defaultdict(float)
    for age, burst in enumerate(past):
        for key, reads in burst.items():
            lately[key] += _worth_at(age)
            alike[(reads[0].place.level, key[1])] += _worth_at(age)
    firings = [
        _counted(reads, own[key], lately[key], alike[(reads[0].place.level, key[1])], ends) for key, reads in now.items()
    ]
    return Burst(
        firings=sorted(firings, key=lambda f: (f.at, f.component, f.what))[:_MOST_FIRINGS],
        bursts=len(past),
        lately=sum(map(_worth_at, range(len(past)))),
        population=Counter(level for level, _, _ in known),
        pods=Counter(service for level, _, service in known if level == "pod" and service),
    )


def _began(burst: Sequence[Alert]) -> datetime:
    return min(alert.starts_at for alert in burst)


def _worth_at(age: int) -> float:
    """What a burst counts after which so many others came."""
    return math.exp2(-age / _HALF_LIFE_IN_BURSTS)


def _known_ends(bursts: Iterable[_Reads]) -> Mapping[_Key, set[str]]:
    """Component and calls to the other ends that were ever told of."""
    ends: dict[_Key, set[str]] = defaultdict(set)
    for burst in bursts:
        for reads in burst.values():
            for one in reads:
                if one.calls:
                    ends[(one.place.name, one.calls)].add(one.other)
    return ends


def _counted(reads: Sequence[_Read], own: int, lately: float, alike: float, ends: Mapping[_Key, set[str]]) -> Firing:
    one, place = reads[0], reads[0].place
    where = (place.name, place.level, place.service, place.host)
    seen = len({r.other for r in reads}) / len(ends[(place.name, one.calls)]) if one.calls else 1.0
    return Firing(*where, one.what, one.kind, one.role, one.weight, one.at, own, lately, alike, seen)


def _read(alerts: Iterable[Alert], catalogue: Catalogue) -> _Reads:
    """What fires on each component, all its firings."""
    found: dict[_Key, list[_Read]] = {}
    for alert in alerts:
        for one in _of_alert(alert, catalogue):
            found.setdefault((one.place.name, one.what), []).append(one)
    for reads in found.values():
        reads.sort(key=lambda one: one.at)
    return found


def _of_alert(alert: Alert, catalogue: Catalogue) -> list[_Read]:
    direction = alert.labels.get("direction", "")
    kind = kind_of(alert.name)
    weight = weight_of(alert.name, direction)
    what = _folded(f"{alert.name} {direction}".strip())
    if ends := ends_of(alert.labels):
        caller, callee = ends
        operation = _folded(next((alert.labels[name] for name in OPERATIONS if alert.labels.get(name)), ""))
        to = f"{operation} to {callee.service or callee.name}"
        at = alert.starts_at
        called = _Read(callee, f"{what} {operation}".strip(), kind, "callee", weight, at, f"from {operation}", caller.name)
        calling = _Read(caller, f"{what} {to}", kind, "caller", weight, at, to, callee.name)
        return [called] if caller.name == callee.name else [called, calling]
    place = component_of(alert.labels, catalogue.of_labels(alert.labels))
    return [_Read(place, what, kind, "own", weight, alert.starts_at)] if place else []


@lru_cache(maxsize=4096)
def _folded(name: str) -> str:
    """Core 3 is as good as core 7."""
    return re.sub(r"\d+", "#", name)


def rank_burst(
    burst: Burst, *, started_at: datetime, most: int = 8, weights: BurstWeights = BURST_WEIGHTS
) -> list[ComponentRank]:
    """Components by how much the burst points at them, the likeliest first.

    An alert counts its bits of surprise, -log2 p. p is how often it fired on this component, each earlier burst counted
    by its age, with what is known of all components of its level mixed in as if it were 4 bursts: p = (own + 4 q) /
    (bursts + 4); 4.5 bits are the most. They are halved for each 200 s after the start and weighed by what the alert
    speaks of; calls also by the share of their other ends that see it. What always fires together is one alert. Within a
    kind the best counts whole and the others add log2 of their sum a quarter; a component's kinds are summed 1, 0.3,
    0.09, 0.027. A service counts its own alerts and, by the same law, 1 + log2(pods) / 4 times the mean over its pods, so
    that it stands before them only if they behave alike; behind it its pods are explained and keep 0.4 of their score. A
    host counts for more the fewer hosts there are beside pods, and for less where one pod on it fires the same kind of
    alert as rarely.
    """
    burst = replace(burst, firings=_distinct(burst.firings))
    places = {f.component: Component(f.component, f.level, f.service, f.host) for f in burst.firings}
    bits = _surprise(burst, started_at, weights)
    _weigh_hosts(bits, places, burst, weights)
    scores = {name: _total(found, weights) for name, found in bits.items()}
    for service, pods in _pods_by_service(places.values()).items():
        whole = _rolled_up(bits, service, pods, max(burst.pods.get(service, 0), len(pods)), weights)
        places.setdefault(service, Component(service, "service", service))
        scores[service] = _total(whole, weights)
    return _ordered(scores, places, burst, bits, most, weights.explained)


def _distinct(firings: Sequence[Firing]) -> list[Firing]:
    """Without the second name of one thing: what fires at the same moment and always fired when the other did."""
    found: dict[Any, Firing] = {}
    for f in firings:
        # Lines of a log are told apart by what they say, and calls by their ends.
        twin = f.role == "own" and f.kind != "logs"
        found.setdefault((f.component, f.kind, f.at, f.weight, f.own, f.lately, f.alike) if twin else (f.component, f.what), f)
    return list(found.values())


Bits = dict[str, dict[AlertKind, dict[str, float]]]
"""Component to kind to what fires to its bits."""


def _surprise(burst: Burst, started_at: datetime, weights: BurstWeights) -> Bits:
    together = Counter((f.level, f.what) for f in burst.firings)
    # Whose own calls fail or are slow does so because of them.
    passed_on = {(f.component, f.kind) for f in burst.firings if f.role == "caller"}
    found: Bits = defaultdict(lambda: defaultdict(dict))
    for f in burst.firings:
        chances = max(burst.population.get(f.level, 1), 1) * (burst.lately + weights.now) + 2 * _PRIOR
        pooled = (f.alike + weights.now * together[(f.level, f.what)] + _PRIOR) / chances
        often = (f.lately + weights.pooled * pooled) / (burst.lately + weights.pooled)
        late = max(0.0, (f.at - started_at).total_seconds())
        bits = min(weights.most_bits, -math.log2(min(1.0, often))) * 0.5 ** (late / weights.half_life)
        explained = f.role == "callee" and (f.component, f.kind) in passed_on
        found[f.component][f.kind][f.what] = 0.0 if explained else bits * f.weight * f.seen * weights.of(f.role)
    return found


def _weigh_hosts(bits: Bits, places: Mapping[str, Component], burst: Burst, weights: BurstWeights) -> None:
    crowd = {level: 1 + weights.crowd * math.log2(max(1, burst.population.get(level, 1))) for level in ("host", "pod")}
    for host in [name for name in bits if places[name].level == "host"]:
        pods = [name for name in bits if places[name].level == "pod" and places[name].host == host]
        for kind, found in bits[host].items():
            rarest = max((max(bits[pod][kind].values()) for pod in pods if kind in bits[pod]), default=0.0)
            # The rarest of many is rare by chance alone: log2 of how many there are.
            echo = max(0.0, rarest - math.log2(max(1, len(pods)))) / max(max(found.values()), 1e-9)
            factor = max(1.0, crowd["pod"] / crowd["host"]) * (1 - weights.echo * min(1.0, echo))
            bits[host][kind] = {what: value * factor for what, value in found.items()}


def _total(kinds: Mapping[AlertKind, Mapping[str, float]], weights: BurstWeights) -> float:
    best = []
    for found in kinds.values():
        first, *others = sorted(found.values(), reverse=True)
        best.append(first * (1 + weights.alike * math.log2(1 + sum(others) / first)) if first > 0 else 0.0)
    best.sort(reverse=True)
    return sum(value * weights.next_kind**place for place, value in enumerate(best[:_MOST_KINDS]))


def _pods_by_service(places: Iterable[Component]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for place in places:
        if place.level == "pod" and place.service and place.service != place.name:
            found.setdefault(place.service, []).append(place.name)
    return found


def _rolled_up(
    bits: Bits, service: str, pods: Sequence[str], known: int, weights: BurstWeights
) -> dict[AlertKind, dict[str, float]]:
    """The service's bits: its own alerts, and what its pods fire alike. Pods that fire nothing count as zero."""
    kinds = {kind: dict(found) for kind, found in bits.get(service, {}).items()}
    # Two pods may do alike by chance, four hardly; a single pod is the service.
    agreed = 1 + weights.alike * max(1.0, math.log2(known))
    for kind, what in {(kind, what) for pod in pods for kind, found in bits[pod].items() for what in found}:
        each = [bits[pod].get(kind, {}).get(what, 0.0) for pod in pods]
        kinds.setdefault(kind, {})
        kinds[kind][what] = max(kinds[kind].get(what, 0.0), agreed * sum(each) / known)
    return kinds


def _ordered(
    scores: dict[str, float], places: Mapping[str, Component], burst: Burst, bits: Bits, most: int, explained: float
) -> list[ComponentRank]:
    left = {name: score for name, score in scores.items() if score > 0}
    found: list[ComponentRank] = []
    highest = max(left.values(), default=1.0)
    while left and len(found) < most:
        name = max(left, key=lambda n: (left[n], n))
        score, place = left.pop(name), places[name]
        found.append(ComponentRank(place, score, score / highest, _telling(place, burst, bits)))
        for other in left:
            if places[other].level == "pod" and places[other].service == name:
                left[other] *= explained
    return found


def _telling(place: Component, burst: Burst, bits: Bits) -> list[Firing]:
    """The component's own alerts or, of a service without any, those of its pods."""
    own = [f for f in burst.firings if f.component == place.name]
    own = own or [f for f in burst.firings if place.level == "service" and f.service == place.name]
    return sorted(own, key=lambda f: -bits[f.component][f.kind][f.what])
