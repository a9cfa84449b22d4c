"""Attributes the symptom of the alerting service to the services below it in the call graph that explain it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from bot.core.facts.measured import Family
from bot.core.metrics.deviation import FULL_SHARE, Deviation
from bot.core.metrics.signal_names import harm_of
from bot.core.tuning import TUNING
from bot.core.tuning.fault_location import AttributionWeights

Signals = Mapping[Family, Deviation]
"""The deviation that represents one service in each family."""

SYMPTOM_FAMILIES: tuple[Family, ...] = ("errors", "latency")
"""Families of signals in which a service itself is seen to fail."""


@dataclass(frozen=True)
class CallGraph:
    """Who calls whom, the signals of each service, and its requests a second where they were measured."""

    signals: Mapping[str, Signals]
    depends_on: Mapping[str, Sequence[str]] = field(default_factory=dict)
    rates: Mapping[str, Deviation] = field(default_factory=dict)
    weights: AttributionWeights = TUNING.attribution

    def of(self, service: str) -> Signals:
        """The signals of one service; empty if it was not checked."""
        return self.signals.get(service, {})


def attribute_symptom(start: str, graph: CallGraph, family: Family | None = None) -> dict[str, float]:
    """Share of the start's symptom that each service explains without passing it on; the shares add up to 1.

    At each service the excess of its symptom is X = |shift| x requests (requests only where both sides' are measured). A
    callee with the same symptom receives X_callee / X_caller; if these add up to more than 1 they are scaled down. What
    they leave goes, by the strength of the deviation, to callees with the other symptom or with a resource that ran out;
    the rest stays. A start without a symptom passes everything on to the callees that have one. `family` is the symptom
    that the alert names. A cycle stops at the first service that was passed before.
    """
    shares: dict[str, float] = {}
    _pass_down(start, 1.0, graph, family, (), shares)
    return shares


def _pass_down(
    service: str, share: float, graph: CallGraph, family: Family | None, path: tuple[str, ...], shares: dict[str, float]
) -> None:
    path = (*path, service)
    explained: dict[str, float] = {}
    symptom = symptom_of(graph.of(service), family, graph.weights)
    if len(path) <= graph.weights.max_depth:
        callees = [c for c in dict.fromkeys(graph.depends_on.get(service, ())) if c not in path]
        explained = explained_by_callees(service, callees, graph, symptom)
    shares[service] = shares.get(service, 0.0) + share * max(0.0, 1 - sum(explained.values()))
    for callee, part in explained.items():
        _pass_down(callee, share * part, graph, symptom.family if symptom else family, path, shares)


def explained_by_callees(caller: str, callees: Iterable[str], graph: CallGraph, symptom: Deviation | None) -> dict[str, float]:
    """Share of the caller's symptom that each callee explains; together at most 1."""
    callees = list(callees)
    by_same = {c: _by_same_symptom(symptom, caller, c, graph) for c in callees}
    same = _scaled_down({c: share for c, share in by_same.items() if share > 0})
    left = 1 - sum(same.values())
    by_other = {c: _by_other_signal(symptom, caller, c, graph) for c in callees if c not in same}
    other = _scaled_down({c: share for c, share in by_other.items() if share > 0})
    return same | {c: share * left for c, share in other.items() if share * left > 1e-6}


def _scaled_down(shares: dict[str, float]) -> dict[str, float]:
    total = sum(shares.values())
    return {c: share / total for c, share in shares.items()} if total > 1.0 else shares


def _by_same_symptom(symptom: Deviation | None, caller: str, callee: str, graph: CallGraph) -> float:
    deviation = graph.of(callee).get(symptom.family) if symptom else None
    if symptom is None or deviation is None or deviation.doublings <= graph.weights.nearly_normal:
        return 0.0
    credit = _credit(deviation, graph.weights) * _late_onset_factor(symptom, deviation, graph.weights)
    if symptom.unit != deviation.unit or symptom.shift == 0:
        return _strength(deviation, graph.weights) * credit
    of_caller, of_callee = excess(symptom, caller, callee, graph), excess(deviation, callee, caller, graph)
    if symptom.doublings <= 0:
        credit *= min(1.0, of_callee / max(_noticeable_excess(symptom, caller, callee, graph), 1e-12)) ** 2
    return min(graph.weights.most_of_callee, of_callee / max(of_caller, 1e-12)) * credit


def _noticeable_excess(symptom: Deviation, caller: str, callee: str, graph: CallGraph) -> float:
    """Excess of a callee that a caller that looks normal would notice: 5 % of its time, or 0.5 % of its requests."""
    share = (
        abs(symptom.before) * graph.weights.noticed_time
        if symptom.family == "latency"
        else FULL_SHARE.get(symptom.unit, 0.0) * graph.weights.noticed_share
    )
    return excess(replace(symptom, after=symptom.before + share), caller, callee, graph)


def _by_other_signal(symptom: Deviation | None, caller: str, callee: str, graph: CallGraph) -> float:
    own, of_callee, weights = graph.of(caller), graph.of(callee), graph.weights
    if symptom is None:
        # A resource that runs out here is not explained by a callee. A caller without any signal (or whose signals could
        # not be checked) is explained by the strength of its callee's symptoms.
        if _deviates(own, "saturation") or _deviates(own, "external"):
            return 0.0
        felt = [
            _strength(d, weights) * _noticed(_added_time(d, caller, callee, graph), weights)
            for f, d in of_callee.items()
            if f in SYMPTOM_FAMILIES
        ]
        return max(felt, default=0.0)
    by_family = {
        **dict.fromkeys(SYMPTOM_FAMILIES, weights.other_symptom),
        "saturation": weights.resource,
        "external": weights.resource,
    }
    harmful = [
        (weights.full_store if d.is_full_store else by_family[f], d)
        for f, d in of_callee.items()
        if f in by_family and f != symptom.family and _harms(d)
    ]
    return max(
        (
            weight * _strength(d, weights) * _late_onset_factor(symptom, d, weights) * _added_time(d, caller, callee, graph)
            for weight, d in harmful
        ),
        default=0.0,
    )


def _noticed(added: float, weights: AttributionWeights) -> float:
    return min(1.0, added / weights.noticed_time) ** 2


def _added_time(deviation: Deviation, caller: str, callee: str, graph: CallGraph) -> float:
    """Time that a slow callee adds, as a share of what the caller usually takes, at most 1: 2 ms of 200 break nothing."""
    own = graph.of(caller).get("latency")
    if deviation.family != "latency" or own is None or own.unit != deviation.unit or not own.before > 0:
        return 1.0
    requests, calls = graph.rates.get(caller), graph.rates.get(callee)
    per_request = (
        calls.after / requests.after if requests and calls and requests.unit == calls.unit and requests.after > 0 else 1.0
    )
    return min(1.0, abs(deviation.shift) * max(0.0, per_request) / own.before)


def symptom_of(
    signals: Signals, family: Family | None = None, weights: AttributionWeights = TUNING.attribution
) -> Deviation | None:
    """The symptom that is followed down from a service: the one of `family` if it (nearly) deviates, else the stronger."""
    if family in SYMPTOM_FAMILIES and family in signals and signals[family].doublings > weights.nearly_normal:
        return signals[family]
    return main_symptom(signals, weights)


def main_symptom(signals: Signals, weights: AttributionWeights = TUNING.attribution) -> Deviation | None:
    """The stronger of the symptoms that users feel, errors before latency; None if neither deviates."""
    symptoms = [signals[f] for f in SYMPTOM_FAMILIES if _deviates(signals, f)]
    return max(symptoms, key=lambda d: (min(d.doublings, weights.strong_symptom), d.family == "errors"), default=None)


def _deviates(signals: Signals, family: Family) -> bool:
    return family in signals and signals[family].doublings > 0


def _harms(deviation: Deviation) -> bool:
    """Errors and latency are measured on their harmful side; of a resource more use harms, or that little of it is left."""
    harmful = deviation.direction == "up" or harm_of(deviation.signal, deviation.family) == "down"
    return deviation.doublings > 0 and (deviation.family in SYMPTOM_FAMILIES or harmful)


def excess(deviation: Deviation, own: str, other: str, graph: CallGraph) -> float:
    """Excess of a symptom in lost requests or lost seconds; per request where requests are not measured on both sides."""
    requests, others = graph.rates.get(own), graph.rates.get(other)
    weight = (
        requests.after if requests and others and requests.after == requests.after and requests.unit == others.unit else 1.0
    )
    return abs(deviation.shift) * max(0.0, weight)


def _strength(deviation: Deviation, weights: AttributionWeights) -> float:
    return max(0.0, min(1.0, deviation.doublings / weights.full_strength))


def _credit(deviation: Deviation, weights: AttributionWeights) -> float:
    if deviation.doublings < 0:
        return min(1.0, max(0.0, 1 - deviation.doublings / weights.nearly_normal))
    return 1.0


def _late_onset_factor(symptom: Deviation | None, deviation: Deviation, weights: AttributionWeights) -> float:
    if symptom is None or symptom.onset is None or deviation.onset is None:
        return 1.0
    apart = timedelta(seconds=weights.late_after) + timedelta(seconds=symptom.step + deviation.step)
    return weights.late if deviation.onset > symptom.onset + apart else 1.0
