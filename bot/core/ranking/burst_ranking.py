"""Which component a burst of alerts began in: what fires there and rarely did, how early, and what behaves alike."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, Self

from bot.core.alerts.component import Component
from bot.core.facts.alerting import AlertKind, CallEnd, Level
from bot.core.ranking.alert_burst import Burst, Firing
from bot.core.tuning import TUNING
from bot.core.tuning.fault_location import BurstWeights

SignKind = tuple[AlertKind, Literal["own", "called", "waits"]]
"""Kinds of evidence that are independent of each other: a kind of alert, reported by the component, its callers, its calls."""
Bits = dict[str, dict[SignKind, dict[str, float]]]
"""Component to kind to what fires to its bits of surprise."""
_DIRECTIONS = {"up": "up", "above": "up", "rising": "up", "down": "down", "below": "down", "falling": "down"}


@dataclass(frozen=True)
class ComponentRank:
    """One component as the source of a burst: its bits of surprise, and their share of the best one's."""

    place: Component
    surprise_bits: float
    share: float
    firings: Sequence[Firing] = field(default=())
    """What it rests on, the most surprising first."""

    @property
    def kinds(self) -> int:
        """Independent kinds of evidence among them."""
        return len({_kind(firing) for firing in self.firings if firing.weight > 0})


def rank_burst(
    burst: Burst, *, started_at: datetime, most: int = 8, weights: BurstWeights = TUNING.burst
) -> list[ComponentRank]:
    """Components by how much the burst points at them, the likeliest first.

    An alert counts its bits of surprise, -log2 p, 6 at most. p is how often it fired on this component, the mean of lately
    (each earlier burst weighted by its age) and ever, with what is known of all components of its level mixed in as if it
    were 4 bursts: p = (own + 4 q) / (bursts + 4). A line never logged here before is as usual as new lines are here.
    Bits are halved for each 200 s after the start and weighted by the alert's kind; calls also by the share of their other
    ends that see it. What a pod takes over from a sibling that lost it is an effect. Two alerts that always fire together
    are one. Waits for calls are judged by their coverage (`_add_waits`).
    Within a kind the best counts whole and the others add log2 of their sum a quarter; kinds are nearly independent, so
    that a component's are summed 1, 0.8, 0.64, ... A service counts its own alerts and, by the same law,
    1 + log2(pods) / 4 times the mean over its pods, so that it ranks before them only if they behave alike; behind it its
    pods are explained and keep 0.4 of their bits. A host counts for more the fewer hosts there are beside pods, and for
    less where one pod on it fires the same kind of alert as rarely.
    """
    burst = replace(burst, firings=_without_twins(burst.firings))
    places = {f.component: Component(f.component, f.level, f.service, f.host) for f in burst.firings}
    bits = _surprise(burst, started_at, weights)
    for service in _add_waits(bits, burst, started_at, weights):
        places.setdefault(service, Component(service, "service", service))
    _weigh_hosts(bits, places, burst, weights)
    totals = {name: _total(kinds, weights) for name, kinds in bits.items()}
    for service, pods in _pods_by_service(places.values()).items():
        kinds = _rolled_up(bits, service, pods, max(burst.pods.get(service, 0), len(pods)), weights)
        places.setdefault(service, Component(service, "service", service))
        totals[service] = _total(kinds, weights)
    return _ordered(totals, places, burst, bits, most, weights.explained)


def _without_twins(firings: Sequence[Firing]) -> list[Firing]:
    """Without the second name of one thing: what fires at the same moment and always fired when the other did."""
    distinct: dict[Any, Firing] = {}
    for f in firings:
        # Log lines differ by what they say, and calls by their ends.
        may_be_twin = f.role == "own" and f.kind != "logs"
        history = (f.component, f.kind, f.at, f.weight, f.earlier_here, f.weighted_here, f.weighted_alike)
        distinct.setdefault(history if may_be_twin else (f.component, f.what), f)
    return list(distinct.values())


def _surprise(burst: Burst, started_at: datetime, weights: BurstWeights) -> Bits:
    surprise = _Surprise.of(burst, started_at, weights)
    # A component whose own calls fail or are slow is so because of them.
    passed_on = {(f.component, f.kind) for f in burst.firings if f.role == "caller"}
    siblings = _siblings_that_lost(burst.firings)
    bits: Bits = defaultdict(lambda: defaultdict(dict))
    for f in burst.firings:
        if f.role == "waiting":
            continue
        explained = (f.role == "callee" and (f.component, f.kind) in passed_on) or _took_over(f, siblings)
        weighted = surprise.bits(f) * f.weight * f.share_of_ends * _role_factor(f.role, weights)
        bits[f.component][_kind(f)][f.what] = 0.0 if explained else weighted
    return bits


@dataclass(frozen=True)
class _Surprise:
    """Bits of surprise of the firings of one burst."""

    burst: Burst
    started_at: datetime
    weights: BurstWeights
    together: Mapping[tuple[Level, str], int]
    """Components of a level that fire the same now."""

    @classmethod
    def of(cls, burst: Burst, started_at: datetime, weights: BurstWeights) -> Self:
        return cls(burst, started_at, weights, Counter((f.level, f.what) for f in burst.firings))

    def bits(self, f: Firing) -> float:
        """-log2 of how usual the firing is, halved with the time since the start."""
        late = max(0.0, (f.at - self.started_at).total_seconds())
        faded = math.exp2(-late / self.weights.half_life)
        return min(self.weights.most_bits, -math.log2(min(1.0, self._often(f)))) * faded

    def _often(self, f: Firing) -> float:
        lately, ever = self.burst.weighted_bursts, float(self.burst.bursts)
        alike_ever = f.weighted_alike * ever / lately if lately else 0.0
        often = self._share(f, f.weighted_here, f.weighted_alike, lately)
        usual = (often + self._share(f, f.earlier_here, alike_ever, ever)) / 2
        if not f.novelty_alike:
            return usual
        of_level = f.novelty_alike / max(self.burst.population.get(f.level, 1), 1) / max(lately, 1e-9)
        new = (f.novelty + self.weights.pooled * of_level) / (lately + self.weights.pooled)
        return max(usual, new)

    def _share(self, f: Firing, here: float, alike: float, bursts: float) -> float:
        """How often it fired on the component, with what is known of alike ones mixed in."""
        weights = self.weights
        chances = max(self.burst.population.get(f.level, 1), 1) * (bursts + weights.now) + 2 * weights.prior
        pooled = (alike + weights.now * self.together[(f.level, f.what)] + weights.prior) / chances
        return (here + weights.pooled * pooled) / (bursts + weights.pooled)


def _kind(f: Firing) -> SignKind:
    """What others report of a component is independent of what it reports itself."""
    return (f.kind, "called") if f.role == "callee" else (f.kind, "own")


def _siblings_that_lost(firings: Iterable[Firing]) -> dict[tuple[str, str], set[str]]:
    """Service and kind of traffic to its pods that lose it."""
    lost: dict[tuple[str, str], set[str]] = defaultdict(set)
    for f in firings:
        if _is_traffic(f) and _direction(f) == "down":
            lost[f.service, _undirected(f)].add(f.component)
    return lost


def _took_over(f: Firing, lost: Mapping[tuple[str, str], Set[str]]) -> bool:
    return _is_traffic(f) and _direction(f) == "up" and bool(lost.get((f.service, _undirected(f)), set()) - {f.component})


def _is_traffic(f: Firing) -> bool:
    return f.level == "pod" and f.role == "own" and f.kind in ("load", "network") and bool(f.service)


def _direction(f: Firing) -> str:
    return _DIRECTIONS.get(f.what.rpartition(" ")[2], "")


def _undirected(f: Firing) -> str:
    return f.what.rpartition(" ")[0]


def _add_waits(bits: Bits, burst: Burst, started_at: datetime, weights: BurstWeights) -> set[str]:
    """Judge waits by coverage and add their bits; the services that callers wait for.

    If a component is slow to reach all that it calls, it is at fault itself: the bits of its waits add up, less 2 for
    each known callee that it does not wait for. What is left for a callee is the mean over all that ever waited for it,
    each times the share of the caller's other callees that it does not wait for.
    """
    surprise = _Surprise.of(burst, started_at, weights)
    by_caller: dict[tuple[str, AlertKind], dict[str, tuple[float, Firing]]] = defaultdict(dict)
    for f in burst.firings:
        if f.role == "waiting":
            of_callee = by_caller[f.component, f.kind]
            of_callee[f.callee] = max(
                of_callee.get(f.callee, (0.0, f)), (surprise.bits(f) * f.weight, f), key=lambda wait: wait[0]
            )
    for (caller, kind), waits in by_caller.items():
        callees = max([len(waits), *(f.callees for _, f in waits.values())])
        whole = sum(of_wait for of_wait, _ in waits.values()) - weights.missing_wait * (callees - len(waits))
        if callees == 1:
            whole *= weights.caller
        if whole > 0:
            bits[caller][kind, "waits"]["waits"] = whole
        others = (len(waits) - 1) / (callees - 1) if callees > 1 else 0.0
        for callee, (of_wait, f) in waits.items():
            called = bits[callee][kind, "called"]
            share = of_wait * weights.awaited * (1 - others) / max(1, f.waiting_callers)
            called["waits"] = called.get("waits", 0.0) + share
    return {callee for waits in by_caller.values() for callee in waits}


def _role_factor(role: CallEnd, weights: BurstWeights) -> float:
    return {"callee": weights.callee, "caller": weights.caller}.get(role, 1.0)


def _weigh_hosts(bits: Bits, places: Mapping[str, Component], burst: Burst, weights: BurstWeights) -> None:
    """A host's alerts count for more the fewer hosts there are, and for less where they copy those of a pod on it."""
    crowd = {level: 1 + weights.crowd * math.log2(max(1, burst.population.get(level, 1))) for level in ("host", "pod")}
    for host in [name for name in bits if places[name].level == "host"]:
        pods = [name for name in bits if places[name].level == "pod" and places[name].host == host]
        for kind, of_host in bits[host].items():
            rarest = max((max(bits[pod][kind].values()) for pod in pods if kind in bits[pod]), default=0.0)
            # The rarest of many is rare by chance alone: log2 of how many there are.
            copied = max(0.0, rarest - math.log2(max(1, len(pods)))) / max(max(of_host.values()), 1e-9)
            factor = max(1.0, crowd["pod"] / crowd["host"]) * (1 - weights.copied_from_pod * min(1.0, copied))
            bits[host][kind] = {what: value * factor for what, value in of_host.items()}


def _total(kinds: Mapping[SignKind, Mapping[str, float]], weights: BurstWeights) -> float:
    by_kind = []
    for alerts in kinds.values():
        first, *others = sorted(alerts.values(), reverse=True)
        by_kind.append(first * (1 + weights.alike * math.log2(1 + sum(others) / first)) if first > 0 else 0.0)
    by_kind.sort(reverse=True)
    return sum(value * weights.next_kind**index for index, value in enumerate(by_kind))


def _pods_by_service(places: Iterable[Component]) -> dict[str, list[str]]:
    pods: dict[str, list[str]] = {}
    for place in places:
        if place.level == "pod" and place.service and place.service != place.name:
            pods.setdefault(place.service, []).append(place.name)
    return pods


def _rolled_up(
    bits: Bits, service: str, pods: Sequence[str], pod_count: int, weights: BurstWeights
) -> dict[SignKind, dict[str, float]]:
    """The service's bits: its own alerts, and what its pods fire alike. Pods that fire nothing count as zero."""
    kinds = {kind: dict(alerts) for kind, alerts in bits.get(service, {}).items()}
    # Two pods may behave alike by chance, four hardly; a single pod is the service.
    agreement = 1 + weights.alike * max(1.0, math.log2(pod_count))
    for kind, what in {(kind, what) for pod in pods for kind, alerts in bits[pod].items() for what in alerts}:
        each = [bits[pod].get(kind, {}).get(what, 0.0) for pod in pods]
        kinds.setdefault(kind, {})
        kinds[kind][what] = max(kinds[kind].get(what, 0.0), agreement * sum(each) / pod_count)
    return kinds


def _ordered(
    totals: dict[str, float], places: Mapping[str, Component], burst: Burst, bits: Bits, most: int, explained: float
) -> list[ComponentRank]:
    left = {name: total for name, total in totals.items() if total > 0}
    ranks: list[ComponentRank] = []
    highest = max(left.values(), default=1.0)
    while left and len(ranks) < most:
        name = max(left, key=lambda n: (left[n], n))
        total, place = left.pop(name), places[name]
        ranks.append(ComponentRank(place, total, total / highest, _most_surprising(place, burst, bits)))
        for other in left:
            if places[other].level == "pod" and places[other].service == name:
                left[other] *= explained
    return ranks


def _most_surprising(place: Component, burst: Burst, bits: Bits) -> list[Firing]:
    """The component's own alerts or, of a service without any, those of its pods."""
    own = [f for f in burst.firings if f.component == place.name]
    own = own or [f for f in burst.firings if place.level == "service" and place.name in (f.service, f.callee)]
    return sorted(own, key=lambda f: -bits[f.component][_kind(f)].get(f.what, 0.0))
