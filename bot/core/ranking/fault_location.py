"""Where the fault lies: all kinds of sign added up, as shares of the attribution over the services."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.core.facts.measured import Family
from bot.core.metrics.deviation import FULL_SHARE, Deviation
from bot.core.metrics.signal_names import names_resource
from bot.core.ranking.attribution import SYMPTOM_FAMILIES, CallGraph, attribute_symptom, main_symptom, symptom_of
from bot.core.ranking.observations import Observations
from bot.core.service import reachable
from bot.core.traces.calls import WIRE_TIME
from bot.core.tuning import TUNING, Tuning
from bot.core.tuning.causes import ResourceWeights
from bot.core.tuning.fault_location import SignWeights

PILES_UP = re.compile(r"lag|backlog|queue|pending|oldest|behind|waiting", re.I)
"""What piles up where work is not done: it tells that somebody is slow, and never why."""
_OF_ONE_SERVICE: tuple[Family, ...] = ("network", "behaviour")
"""Signs that point at the very service at which they were measured."""


@dataclass(frozen=True)
class Attribution:
    """How the fault is attributed to services."""

    shares: dict[str, float]
    """By service, adding up to 1; empty if nothing deviates and no service is named."""
    doublings: dict[str, float]
    """The same in weighted doublings beyond normal."""


def locate_fault(
    start: str, observations: Observations, *, service_named: bool, family: Family | None, tuning: Tuning = TUNING
) -> Attribution:
    """Attribute by all signs: a service's strongest sign plus a part of its others, as a share of the sum of all services.

    The weights are SignWeights (core/tuning). The call graph (core/ranking/attribution) is one sign, as strong as the
    symptoms that were followed; network time and changed behaviour count with their own strength. Where no alert names a
    service, symptoms count for less, resources count by themselves, and behaviour counts from half of its limit on, as
    does what spans say of waits: the best lead, though not a sure one.
    """
    weights = tuning.signs
    graph = CallGraph(observations.comparable, observations.depends_on, observations.rates, tuning.attribution)
    by_graph = _by_call_graph(start, graph, weights, service_named=service_named, family=family)
    least = 0.0 if service_named else tuning.attribution.nearly_normal
    signs = [by_graph, *(_of_one_service(observations, f, weights, least) for f in _OF_ONE_SERVICE)]
    if service_named:
        # The alert says where it hurts: another sign counts as far as the call graph leads to it; elsewhere it is an effect.
        total = max(sum(by_graph.values()), 1e-12)
        signs[1:] = [{s: strength * by_graph.get(s, 0.0) / total for s, strength in sign.items()} for sign in signs[1:]]
    else:
        signs[0] = {service: weights.symptom_anywhere * strength for service, strength in by_graph.items()}
        signs.append(_short_resources(observations, weights.resource, tuning.resources))
    services = dict.fromkeys(s for sign in signs for s in sign)
    doublings = {s: _added_up((sign.get(s, 0.0) for sign in signs), weights.further_signs) for s in services}
    total = sum(doublings.values())
    shares = {s: d / total for s, d in doublings.items()} if total > 0 else {start: 1.0} if start else {}
    return Attribution(shares, doublings)


def _added_up(signs: Iterable[float], further: float) -> float:
    best, *others = sorted(signs, reverse=True)
    return best + further * sum(others)


def _by_call_graph(
    start: str, graph: CallGraph, weights: SignWeights, *, service_named: bool, family: Family | None
) -> dict[str, float]:
    """The shares of the call graph, times the strongest symptom of the services that have one."""
    starts = _starts(start, graph, service_named=service_named, family=family)
    shares: dict[str, float] = {}
    for root, root_share in starts.items():
        for service, share in attribute_symptom(root, graph, family).items():
            shares[service] = shares.get(service, 0.0) + root_share * share
    strength = max((_symptom_doublings(graph, s) for s, share in shares.items() if share > weights.least_share), default=0.0)
    return {service: share * max(strength, weights.least_strength) for service, share in shares.items()}


def _symptom_doublings(graph: CallGraph, service: str) -> float:
    symptom = main_symptom(graph.of(service), graph.weights)
    return symptom.doublings if symptom else 0.0


def _starts(start: str, graph: CallGraph, *, service_named: bool, family: Family | None) -> dict[str, float]:
    """Where the attribution begins: at the alerting service; where none is named, at all that deviate, by what they lose."""
    if service_named and (family or symptom_of(graph.of(start), None, graph.weights)):
        return {start: 1.0}
    within = reachable(start, graph.depends_on) if service_named else graph.signals
    losses: dict[Family, dict[str, float]] = {symptom: {} for symptom in SYMPTOM_FAMILIES}
    for service in within:
        if symptom := main_symptom(graph.of(service), graph.weights):
            losses[symptom.family][service] = abs(symptom.shift) * _rate(graph, service)
    strongest = {f: max((_symptom_doublings(graph, s) for s in lost), default=0.0) for f, lost in losses.items()}
    starts: dict[str, float] = {}
    for loss_family, lost in losses.items():
        for service, amount in lost.items():
            share = amount / max(sum(lost.values()), 1e-12)
            starts[service] = share * strongest[loss_family] / max(sum(strongest.values()), 1e-12)
    return starts or ({start: 1.0} if start else {})


def _rate(graph: CallGraph, service: str) -> float:
    rate = graph.rates.get(service)
    return rate.after if rate and rate.after > 0 else 1.0


def _of_one_service(observations: Observations, family: Family, weights: SignWeights, least: float) -> dict[str, float]:
    weight = weights.network if family == "network" else weights.behaviour
    strengths = {s: weight * doublings for s, doublings in _doublings_by_service(observations, family, weights, least).items()}
    leads = _within_limit(observations, weights, least) if family == "network" else {}
    return {service: strengths.get(service, 0.0) + leads.get(service, 0.0) for service in {**strengths, **leads}}


def _within_limit(observations: Observations, weights: SignWeights, least: float) -> dict[str, float]:
    """What waits count from `least` up to their limit: as a lead, like behaviour. Other signals say nothing there.

    All services are tried on the same waits, so the one that explains most of them stands out before it is beyond chance.
    """
    waits = [d for (_, signal), d in observations.all_signals.items() if signal == WIRE_TIME and d.doublings > least]
    return {d.service: weights.behaviour * (min(0.0, d.doublings) - least) for d in waits}


def _doublings_by_service(observations: Observations, family: Family, weights: SignWeights, least: float) -> dict[str, float]:
    """One kind of sign by service, changed behaviour counted from `least`; services without the sign are left out."""
    by_service: dict[str, float] = {}
    for (service, _), deviation in observations.all_signals.items():
        explained = deviation.peer and _is_handed_down(deviation, observations)
        base = least if family == "behaviour" else 0.0
        if deviation.family == family and deviation.doublings > base and not explained:
            weight = weights.more_calls if more_calls(deviation) else 1.0
            by_service[service] = max(by_service.get(service, 0.0), weight * (deviation.doublings - base))
    if family != "behaviour":
        return by_service
    return _at_last_steps(_without_callees(by_service, observations, weights, least), observations, weights, least)


def _at_last_steps(
    behaviour: Mapping[str, float], observations: Observations, weights: SignWeights, least: float
) -> dict[str, float]:
    """Where calls vanished because requests end early, half of the sign goes to the step that they end in."""
    moved = dict(behaviour)
    for service in behaviour:
        calls = [d for (s, _), d in observations.all_signals.items() if s == service and d.peer]
        vanished = max((d.doublings - least for d in calls if d.direction == "down"), default=0.0)
        step = _last_step([d.peer for d in calls if not _is_missing(d, weights)], observations, weights) if vanished > 0 else ""
        if step:
            passed = weights.last_step * min(moved[service], vanished)
            moved[service] -= passed
            moved[step] = moved.get(step, 0.0) + passed
    return moved


def _is_missing(calls: Deviation, weights: SignWeights) -> bool:
    return calls.direction == "down" and calls.doublings > weights.usual_calls


def _last_step(called: Iterable[str], observations: Observations, weights: SignWeights) -> str:
    """Of the callees that are still called at their usual rate the one whose own lines changed most; "" if none's did."""
    lines = {callee: _change_of_lines(callee, observations) for callee in called}
    step = max(lines, key=lambda callee: lines[callee], default="")
    return step if step and lines[step] > weights.usual_lines else ""


def _change_of_lines(service: str, observations: Observations) -> float:
    own = [d for (s, _), d in observations.all_signals.items() if s == service and d.family == "behaviour" and not d.peer]
    return max((d.doublings for d in own), default=-math.inf)


def _is_handed_down(calls: Deviation, observations: Observations) -> bool:
    """Whether a callee explains another mix of calls: one that fails or is slow itself, or another one that fails.

    A request that failed in one callee never reaches the next.
    """
    callees = observations.depends_on.get(calls.service, ())
    fails = any("errors" in observations.signals.get(callee, {}) for callee in callees)
    return fails or main_symptom(observations.signals.get(calls.peer, {})) is not None


def more_calls(deviation: Deviation) -> bool:
    """More calls per request: retries, or requests that were counted late. What a service stopped calling says more."""
    return bool(deviation.peer) and deviation.direction == "up"


def _without_callees(
    behaviour: Mapping[str, float], observations: Observations, weights: SignWeights, least: float
) -> dict[str, float]:
    """Who calls a service that behaves oddly or answers late does so too: half of what the callee shows is not its own."""
    odd = {service: doublings for service, doublings in behaviour.items() if doublings + least > weights.odd_callee}
    for service, doublings in _doublings_by_service(observations, "network", weights, 0.0).items():
        odd[service] = max(doublings, odd.get(service, 0.0))
    calls = observations.depends_on
    below = {s: max((odd.get(callee, 0.0) for callee in calls.get(s, ()) if callee != s), default=0.0) for s in behaviour}
    return {s: doublings - weights.behaviour_of_callees * min(doublings, below[s]) for s, doublings in behaviour.items()}


def _short_resources(observations: Observations, weight: float, weights: ResourceWeights) -> dict[str, float]:
    by_service: dict[str, float] = {}
    for (service, _), deviation in observations.all_signals.items():
        if deviation.family == "saturation" and deviation.doublings > 0 and deviation.direction == "up":
            strength = weight * weight_of_resource(deviation, weights) * deviation.doublings
            by_service[service] = max(by_service.get(service, 0.0), strength)
    return by_service


def weight_of_resource(deviation: Deviation, weights: ResourceWeights = TUNING.resources) -> float:
    """How much a resource that ran short explains by itself, 0 to 1."""
    if deviation.is_full_store:
        return 1.0
    by_word = (
        ("cpu", weights.cpu),
        ("byte", weights.volume),
        ("disk", weights.volume),
        ("restart", weights.restarts),
        ("ready", weights.replicas),
        ("replica", weights.replicas),
    )
    weight = next((weight for word, weight in by_word if word in deviation.signal.lower()), 1.0)
    grown = abs(deviation.shift) / deviation.before if deviation.before > 0 else 1.0
    # What climbs slowly far below its limit has neither begun with the incident nor starved anybody.
    slow = exhaustion(deviation, weights) if deviation.onset is None else 1.0
    return weight * min(1.0, grown / weights.full_growth) * slow


def is_undone_work(deviation: Deviation) -> bool:
    """Whether what grew tells that a service fails, and not why: what piles up, and what nobody knows the meaning of."""
    return PILES_UP.search(deviation.signal) is not None or not names_resource(deviation.signal)


def exhaustion(deviation: Deviation, weights: ResourceWeights = TUNING.resources) -> float:
    """How near a resource is to its limit, from 0.1 (far below it) to 1 (near it, or its limit is not known)."""
    limit = FULL_SHARE.get(deviation.unit)
    if limit is None or not names_resource(deviation.signal) or deviation.direction == "down" or math.isnan(deviation.after):
        return 1.0
    near = (deviation.after / limit - weights.ample) / (weights.scarce - weights.ample)
    return max(weights.far_below, min(1.0, near))
