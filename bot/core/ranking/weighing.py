"""Weighs the kinds of sign against each other: where the fault lies, as shares of blame over the services."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.core.metrics.deviation import Deviation, Family
from bot.core.ranking.attribution import NEARLY, SYMPTOMS, WALK, Attribution, CallGraph, main_symptom, symptom_of, walk_blame
from bot.core.ranking.observations import Observations
from bot.core.service import reachable

_DIRECT: tuple[Family, ...] = ("network", "behaviour")
"""Signs that speak for the very service they were measured at."""
_WEIGHT_OF_RESOURCE = (("cpu", 0.6), ("byte", 0.2), ("disk", 0.2), ("restart", 0.75), ("ready", 0.6), ("replica", 0.6))
"""These accompany many faults and explain few; memory, connections and queues count whole."""
_HALF = 0.5
_TELLING_GROWTH = 0.2
"""A resource that grew by less of its own level counts less, however steady it was: 4 % more memory starve nobody."""


@dataclass(frozen=True)
class Worth:
    """What one doubling beyond normal is worth by kind of sign; one setting for all incidents, chosen in tests/evaluation."""

    anywhere: float = 0.2
    """Symptoms that no alert points at: of hundreds of signals some always stand out."""
    network: float = 2.0
    behaviour: float = 0.8
    resource: float = 0.24
    rest: float = 0.3
    """What the weaker signs of a service add to its strongest: they are rarely independent."""

    def of(self, family: Family) -> float:
        """The worth of a sign that speaks for the very service it was measured at."""
        return self.network if family == "network" else self.behaviour


WORTH = Worth()


@dataclass(frozen=True)
class Weighed:
    """`blame`: shares by service, summing to 1 (empty if nothing shows). `weight`: the same in doublings beyond normal."""

    blame: dict[str, float]
    weight: dict[str, float]


def weigh(
    start: str, seen: Observations, *, named: bool, asked: Family | None, worth: Worth = WORTH, walk: Attribution = WALK
) -> Weighed:
    """Blame from all signs: a service's strongest sign plus 0.3 of its others, as a share of the sum over all services.

    The walk (core/ranking/attribution) speaks with the strength of the symptoms that it followed; time on the wire and changed
    behaviour with their own. Where no alert says which service hurts, symptoms count for less, resources by themselves,
    and behaviour from half of its limit on: the best lead, though not a sure one.
    """
    graph = CallGraph(seen.near, seen.depends_on, seen.rates, walk)
    walked = _walked(start, graph, named=named, asked=asked)
    signs = [walked, *(_worth(seen, family, worth, named=named) for family in _DIRECT)]
    if named:
        # The alert says where it hurts: a sign counts as far as the walk leads there, elsewhere it is an effect.
        total = max(sum(walked.values()), 1e-12)
        signs[1:] = [{s: score * walked.get(s, 0.0) / total for s, score in sign.items()} for sign in signs[1:]]
    else:
        signs[0] = {service: worth.anywhere * weight for service, weight in walked.items()}
        signs.append(_resources(seen, worth.resource))
    services = dict.fromkeys(s for sign in signs for s in sign)
    weight = {service: _joined((sign.get(service, 0.0) for sign in signs), worth.rest) for service in services}
    total = sum(weight.values())
    return Weighed({s: w / total for s, w in weight.items()} if total > 0 else {start: 1.0} if start else {}, weight)


def _joined(signs: Iterable[float], rest: float) -> float:
    best, *others = sorted(signs, reverse=True)
    return best + rest * sum(others)


def _walked(start: str, graph: CallGraph, *, named: bool, asked: Family | None) -> dict[str, float]:
    roots = _roots(start, graph, named=named, asked=asked)
    blame: dict[str, float] = {}
    for root, share in roots.items():
        for service, part in walk_blame(root, graph, asked).items():
            blame[service] = blame.get(service, 0.0) + share * part
    strength = max((_felt(graph, service) for service, share in blame.items() if share > 0.02), default=0.0)
    return {service: share * max(strength, 0.01) for service, share in blame.items()}


def _felt(graph: CallGraph, service: str) -> float:
    symptom = main_symptom(graph.of(service))
    return symptom.doublings if symptom else 0.0


def _roots(start: str, graph: CallGraph, *, named: bool, asked: Family | None) -> dict[str, float]:
    """Where the walk begins: at the alerting service; where that is not known, at all that deviate, by what they lose."""
    if named and (asked or symptom_of(graph.of(start))):
        return {start: 1.0}
    within = reachable(start, graph.depends_on) if named else graph.signals
    lost: dict[Family, dict[str, float]] = {family: {} for family in SYMPTOMS}
    for service in within:
        if symptom := main_symptom(graph.of(service)):
            lost[symptom.family][service] = abs(symptom.shift) * _rate(graph, service)
    strongest = {family: max((_felt(graph, s) for s in found), default=0.0) for family, found in lost.items()}
    roots: dict[str, float] = {}
    for family, found in lost.items():
        for service, amount in found.items():
            share = amount / max(sum(found.values()), 1e-12)
            roots[service] = share * strongest[family] / max(sum(strongest.values()), 1e-12)
    return roots or ({start: 1.0} if start else {})


def _rate(graph: CallGraph, service: str) -> float:
    rate = graph.rates.get(service)
    return rate.after if rate and rate.after > 0 else 1.0


def _worth(seen: Observations, family: Family, worth: Worth, *, named: bool) -> dict[str, float]:
    found = _direct(seen, family, least=0.0 if named else NEARLY)
    return {service: worth.of(family) * weight for service, weight in found.items()}


def _direct(seen: Observations, family: Family, *, least: float) -> dict[str, float]:
    """Weight of one kind of sign by service, counted from `least`; the services it is not seen at are left out."""
    found: dict[str, float] = {}
    for (service, _), deviation in seen.all_signals.items():
        # A callee that fails or crawls explains why it is called less or more.
        explained = deviation.peer and main_symptom(seen.signals.get(deviation.peer, {}))
        base = least if family == "behaviour" else 0.0
        if deviation.family == family and deviation.doublings > base and not explained:
            found[service] = max(found.get(service, 0.0), deviation.doublings - base)
    return _less_callees(found, seen, least) if family == "behaviour" else found


def _less_callees(found: Mapping[str, float], seen: Observations, least: float) -> dict[str, float]:
    """Who calls a service that behaves strangely or hangs on the wire behaves strangely too: half of that is not its own."""
    telling = {service: weight for service, weight in found.items() if weight + least > -0.5}
    for service, weight in _direct(seen, "network", least=0.0).items():
        telling[service] = max(weight, telling.get(service, 0.0))
    below = {s: max((telling.get(c, 0.0) for c in seen.depends_on.get(s, ()) if c != s), default=0.0) for s in found}
    return {service: weight - _HALF * min(weight, below[service]) for service, weight in found.items()}


def _resources(seen: Observations, worth: float) -> dict[str, float]:
    found: dict[str, float] = {}
    for (service, _), deviation in seen.all_signals.items():
        if deviation.family == "saturation" and deviation.doublings > 0 and deviation.direction == "up":
            found[service] = max(found.get(service, 0.0), worth * weight_of_resource(deviation) * deviation.doublings)
    return found


def weight_of_resource(deviation: Deviation) -> float:
    """How much a resource that ran short explains by itself, 0 to 1."""
    weight = next((weight for word, weight in _WEIGHT_OF_RESOURCE if word in deviation.signal.lower()), 1.0)
    grown = abs(deviation.shift) / deviation.before if deviation.before > 0 else 1.0
    return weight * min(1.0, grown / _TELLING_GROWTH)


def strongest(signals: Mapping[Family, Deviation]) -> Deviation | None:
    """The sign of a service that is furthest from normal."""
    return max(signals.values(), key=lambda d: d.doublings, default=None)
