"""Which component a burst of alerts came from: what fires there and rarely did, how early, and what behaves alike."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from bot.core.alert import Alert
from bot.core.alert_kind import AlertKind, kind_of, weight_of
from bot.core.component import OPERATIONS, Level, Place, ends_of, place_of
from bot.core.service import Catalogue

REACH = timedelta(minutes=10)
"""What fired this long before the case's alert belongs to the burst; what fired earlier is history."""

Role = Literal["own", "callee", "caller"]

_PRIOR = 0.5
_MOST_KINDS = 4
_MOST_FIRINGS = 400
"""The earliest are kept; a flood beyond that tells nothing new."""


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
    """Further alerts of one kind on one component repeat the first more than they add to it."""
    next_kind: float = 0.3
    whole: float = 1.7
    """A service of four and more pods wins over them if they behave alike: their mean, times this; of two by half as much."""
    unlike: float = 0.25
    """Power of mean over best: what one pod alone fires speaks less for the whole than its share would say."""
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
    alike: int = 0
    """The same, summed over all components of this level."""

    def as_fact(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self) | {"at": self.at.isoformat()}


@dataclass(frozen=True)
class Burst:
    """What one burst holds, ready to be ranked."""

    firings: Sequence[Firing]
    bursts: int
    """Earlier bursts that were looked at."""
    population: Mapping[Level, int]
    """Known components of each level."""
    pods: Mapping[str, int]
    """Known pods of each service."""

    def as_fact(self) -> dict[str, Any]:
        """Plain JSON: what stands in `Evidence.facts["burst"]`."""
        firings = [firing.as_fact() for firing in self.firings]
        return {"firings": firings, "bursts": self.bursts, "population": dict(self.population), "pods": dict(self.pods)}

    @classmethod
    def of_fact(cls, fact: Mapping[str, Any]) -> "Burst":
        """Back from `as_fact`."""
        firings = [Firing(**{**row, "at": datetime.fromisoformat(row["at"])}) for row in fact["firings"]]
        return cls(firings, int(fact["bursts"]), fact["population"], fact["pods"])


@dataclass(frozen=True)
class Standing:
    """One component as the source of a burst: `share` is its score over the best one's."""

    place: Place
    score: float
    share: float
    firings: Sequence[Firing] = field(default=())
    """What it rests on, the most telling first."""


class _Read(NamedTuple):
    """One alert at one component, read but not counted: thousands of them are history."""

    place: Place
    what: str
    kind: AlertKind
    role: Role
    weight: float
    at: datetime


_Key = tuple[str, str]
"""Component and what fires there."""


def read_burst(alerts: Iterable[Alert], earlier: Sequence[Sequence[Alert]], catalogue: Catalogue) -> Burst:
    """Count what fires now in the bursts before: `earlier` holds one list of alerts a burst, all of them strictly past."""
    now = _read(alerts, catalogue)
    past = [_read(burst, catalogue) for burst in earlier]
    known = {(one.place.level, one.place.name, one.place.service) for burst in (now, *past) for one in burst.values()}
    own = Counter(key for burst in past for key in burst)
    alike = Counter((one.place.level, one.what) for burst in past for one in burst.values())
    firings = [_counted(one, own[key], alike[(one.place.level, one.what)]) for key, one in now.items()]
    return Burst(
        firings=sorted(firings, key=lambda f: (f.at, f.component, f.what))[:_MOST_FIRINGS],
        bursts=len(past),
        population=Counter(level for level, _, _ in known),
        pods=Counter(service for level, _, service in known if level == "pod" and service),
    )


def _counted(one: _Read, own: int, alike: int) -> Firing:
    place = one.place
    where = (place.name, place.level, place.service, place.host)
    return Firing(*where, one.what, one.kind, one.role, one.weight, one.at, own, alike)


def _read(alerts: Iterable[Alert], catalogue: Catalogue) -> dict[_Key, _Read]:
    """The first firing of each component and what fires there."""
    found: dict[_Key, _Read] = {}
    for alert in alerts:
        for one in _of_alert(alert, catalogue):
            key = (one.place.name, one.what)
            if key not in found or one.at < found[key].at:
                found[key] = one
    return found


def _of_alert(alert: Alert, catalogue: Catalogue) -> list[_Read]:
    direction = alert.labels.get("direction", "")
    kind = kind_of(alert.name)
    weight = weight_of(kind, direction)
    what = _folded(f"{alert.name} {direction}".strip())
    if ends := ends_of(alert.labels):
        caller, callee = ends
        operation = _folded(next((alert.labels[name] for name in OPERATIONS if alert.labels.get(name)), ""))
        called = _Read(callee, f"{what} {operation}".strip(), kind, "callee", weight, alert.starts_at)
        to = f"{what} {operation} to {callee.service or callee.name}"
        return [called] if caller.name == callee.name else [called, _Read(caller, to, kind, "caller", weight, alert.starts_at)]
    place = place_of(alert.labels, catalogue.of_labels(alert.labels))
    return [_Read(place, what, kind, "own", weight, alert.starts_at)] if place else []


@lru_cache(maxsize=4096)
def _folded(name: str) -> str:
    """Core 3 is as good as core 7."""
    return re.sub(r"\d+", "#", name)


def rank_burst(burst: Burst, *, started_at: datetime, most: int = 8, weights: BurstWeights = BURST_WEIGHTS) -> list[Standing]:
    """Components by how much the burst points at them, the likeliest first.

    An alert counts its bits of surprise, -log2 p. p is how often it fired on this component, with what is known of all
    components of its level mixed in as if it were 4 bursts: p = (own + 4 q) / (bursts + 4); 4.5 bits are the most. They
    are halved for each 200 s after the start and weighed by kind and direction. Within a kind the best counts whole and
    the others add log2 of their sum a quarter; a component's kinds are summed 1, 0.3, 0.09, 0.027. A service counts its
    own alerts and 1.7 times the mean over its pods (of two 1.35 times), so that it stands before them only if they behave
    alike, and the more surely the more they are; behind it
    its pods are explained and keep 0.4 of their score. A host counts for more the fewer hosts there are beside pods, and
    for less where one pod on it fires the same kind of alert as rarely.
    """
    places = {f.component: Place(f.component, f.level, f.service, f.host) for f in burst.firings}
    bits = _surprise(burst, started_at, weights)
    _weigh_hosts(bits, places, burst, weights)
    scores = {name: _total(found, weights) for name, found in bits.items()}
    for service, pods in _pods_by_service(places.values()).items():
        whole = _rolled_up(bits, service, pods, max(burst.pods.get(service, 0), len(pods)), weights)
        places.setdefault(service, Place(service, "service", service))
        scores[service] = _total(whole, weights)
    return _ordered(scores, places, burst, bits, most, weights.explained)


Bits = dict[str, dict[AlertKind, dict[str, float]]]
"""Component to kind to what fires to its bits."""


def _surprise(burst: Burst, started_at: datetime, weights: BurstWeights) -> Bits:
    together = Counter((f.level, f.what) for f in burst.firings)
    found: Bits = defaultdict(lambda: defaultdict(dict))
    for f in burst.firings:
        chances = max(burst.population.get(f.level, 1), 1) * (burst.bursts + weights.now) + 2 * _PRIOR
        pooled = (f.alike + weights.now * together[(f.level, f.what)] + _PRIOR) / chances
        often = (f.own + weights.pooled * pooled) / (burst.bursts + weights.pooled)
        late = max(0.0, (f.at - started_at).total_seconds())
        bits = min(weights.most_bits, -math.log2(min(1.0, often))) * 0.5 ** (late / weights.half_life)
        found[f.component][f.kind][f.what] = bits * f.weight * weights.of(f.role)
    return found


def _weigh_hosts(bits: Bits, places: Mapping[str, Place], burst: Burst, weights: BurstWeights) -> None:
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


def _pods_by_service(places: Iterable[Place]) -> dict[str, list[str]]:
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
    agreed = 1 + (weights.whole - 1) * (min(1.0, math.log2(known) / 2) if known > 1 else 1.0)
    for kind, what in {(kind, what) for pod in pods for kind, found in bits[pod].items() for what in found}:
        each = [bits[pod].get(kind, {}).get(what, 0.0) for pod in pods]
        mean = sum(each) / known
        whole = agreed * mean * (mean / max(each)) ** weights.unlike if max(each) > 0 else 0.0
        kinds.setdefault(kind, {})
        kinds[kind][what] = max(kinds[kind].get(what, 0.0), whole)
    return kinds


def _ordered(
    scores: dict[str, float], places: Mapping[str, Place], burst: Burst, bits: Bits, most: int, explained: float
) -> list[Standing]:
    left = {name: score for name, score in scores.items() if score > 0}
    found: list[Standing] = []
    highest = max(left.values(), default=1.0)
    while left and len(found) < most:
        name = max(left, key=lambda n: (left[n], n))
        score, place = left.pop(name), places[name]
        found.append(Standing(place, score, score / highest, _telling(place, burst, bits)))
        for other in left:
            if places[other].level == "pod" and places[other].service == name:
                left[other] *= explained
    return found


def _telling(place: Place, burst: Burst, bits: Bits) -> list[Firing]:
    """The component's own alerts or, of a service without any, those of its pods."""
    own = [f for f in burst.firings if f.component == place.name]
    own = own or [f for f in burst.firings if place.level == "service" and f.service == place.name]
    return sorted(own, key=lambda f: -bits[f.component][f.kind][f.what])
