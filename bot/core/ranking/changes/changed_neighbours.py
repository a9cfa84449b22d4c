"""Hands what fails down to what was changed: itself, what it calls, who calls it; by moment, versions and own symptoms.

A service that fails for no reason of its own minutes after a neighbour was changed is rather hurt by that change, also
where the changed service looks normal: it may answer wrongly without failing.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

from bot.core.change import Change
from bot.core.changes.recency import ONSET_TOLERANCE, recency_factor
from bot.core.metrics.deviation import FULL_SHARE, Deviation
from bot.core.ranking.attribution import SYMPTOM_FAMILIES, CallGraph, explained_by_callees
from bot.core.ranking.changes.versions import compare_versions, serving_at_onset
from bot.core.ranking.context import RankingContext, onset_error, unknown_services
from bot.core.ranking.fault_location import exhaustion, is_undone_work
from bot.core.tuning.changes import NeighbourWeights


def hand_down(context: RankingContext) -> RankingContext:
    """The context with a part of the attribution moved to changed services next to what fails; as it was without any."""
    failing = _failing(context)
    # Where nothing fails that is measured, a version that serves nothing, or fails on one of many pods, is the best lead.
    handed = _handed(context, failing) if failing or context.service_named else _outstanding(context)
    moved = context.tuning.neighbours.handed * sum(handed.values())
    if not moved:
        return context
    services = dict.fromkeys([*context.shares, *handed])
    part = context.tuning.neighbours.handed
    shares = {s: (1 - moved) * context.shares.get(s, 0.0) + part * handed.get(s, 0.0) for s in services}
    return replace(context, shares=shares)


def changed_nearby(context: RankingContext, service: str) -> bool:
    """Whether a service, what it calls or who calls it was changed shortly before, or what nothing is known of."""
    beneath = unknown_services(context)
    return bool(_suspects(context, service)) or any(changed_shortly_before(context, other) for other in beneath)


def changed_shortly_before(context: RankingContext, service: str) -> bool:
    """Whether a service itself was: what it is short of then is rather an effect."""
    return bool(_changed(context, service, {service: context.tuning.neighbours.itself}))


def _handed(context: RankingContext, failing: Mapping[str, float]) -> dict[str, float]:
    """What each changed service is handed, adding up to the share of the failing ones that have a changed neighbour."""
    total, handed = sum(failing.values()), dict[str, float]()
    for service, weight in failing.items():
        suspects = _suspects(context, service)
        parts = sum(suspects.values())
        for suspect, part in suspects.items():
            handed[suspect] = handed.get(suspect, 0.0) + weight / total * part / parts
    return handed


def _outstanding(context: RankingContext) -> dict[str, float]:
    """Changed services whose new version stands out by itself, adding up to 1."""
    weights = context.tuning.neighbours
    parts = {
        change.service: evidence
        for change in context.observations.changes.values()
        if timedelta(0) <= context.onset - change.at <= timedelta(seconds=weights.within)
        and (evidence := _evidence(context, change, weights)) >= weights.silent
    }
    return {service: part / sum(parts.values()) for service, part in parts.items()}


def _failing(context: RankingContext) -> dict[str, float]:
    """Services with errors or latency outside their range, by how much of it no callee and no cause of their own explains."""
    failing = {}
    for service, signals in context.observations.signals.items():
        symptoms = _symptoms(context, service) or _undone_work(context, service)
        strongest = max(symptoms, key=lambda d: d.doublings, default=None)
        if strongest is None or _has_own_cause(signals.values(), context) or _ran_short(context, service):
            continue
        if service not in context.below and _began_later(context, strongest):
            continue
        if math.isnan(strongest.after) and any(_symptoms(context, callee) for callee in context.observations.callees(service)):
            # Only its alert is known, and not how much of it what it calls explains: that fails too.
            continue
        left = 1 - _explained(context, strongest)
        # What callees explain mostly is handed down to them, and the rest of it is no failure of its own.
        if strongest.doublings >= context.tuning.neighbours.failing and left >= context.tuning.neighbours.least_own:
            failing[service] = strongest.doublings * left
    return failing


def _began_later(context: RankingContext, symptom: Deviation) -> bool:
    """Whether what nobody knows the alerting service to rest on began to fail after it: then it rather suffers with it."""
    if not (context.service_named and context.onset_observed and symptom.onset):
        return False
    return symptom.onset - context.onset >= onset_error(symptom)


def _explained(context: RankingContext, symptom: Deviation) -> float:
    """The share of a symptom that failing callees explain, 0 to 1."""
    observations, weights = context.observations, context.tuning.attribution
    graph = CallGraph(observations.comparable, observations.depends_on, observations.rates, weights)
    return min(1.0, sum(explained_by_callees(symptom.service, _callees(context, symptom.service), graph, symptom).values()))


def _callees(context: RankingContext, service: str) -> list[str]:
    return [callee for callee in context.observations.depends_on.get(service, ()) if callee != service]


def _symptoms(context: RankingContext, service: str) -> list[Deviation]:
    """Errors and latency of a service that people would notice: a hundredth more than usual is measured, and hurts nobody."""
    signals = context.observations.signals.get(service, {})
    symptoms = (signals[family] for family in SYMPTOM_FAMILIES if family in signals)
    least = context.tuning.neighbours.noticed
    return [d for d in symptoms if d.family != "latency" or not abs(d.shift) < least * abs(d.before)]


def _undone_work(context: RankingContext, service: str) -> list[Deviation]:
    """Of the alerting service: what piles up, or nobody knows the meaning of."""
    if service != context.start:
        return []
    return [deviation for deviation in context.observations.moved_resources(service) if is_undone_work(deviation)]


def _has_own_cause(deviations: Iterable[Deviation], context: RankingContext) -> bool:
    """Whether a provider, the network or more traffic may explain it."""
    sure = context.tuning.confidence.sure
    risen = [d for d in deviations if d.direction == "up" and d.doublings >= sure]
    return any(d.family in ("external", "network", "traffic") for d in risen)


def _ran_short(context: RankingContext, service: str) -> bool:
    """Whether a resource explains it; not where the service itself was changed: that may be why it ran short."""
    if _changed(context, service, {service: context.tuning.neighbours.itself}):
        return False
    risen = [d for d in context.observations.moved_resources(service) if d.direction == "up"]
    # Restarts follow a full memory: of several resources the one that moved most need not be the one that ran out.
    clear = any(d.doublings >= context.tuning.confidence.sure for d in risen)
    return clear and any(d.unit in FULL_SHARE and exhaustion(d) >= 1.0 for d in risen)


def _suspects(context: RankingContext, failing: str) -> dict[str, float]:
    """Changed services next to a failing one, by what speaks for each: callers only where neither it nor a callee changed."""
    weights, calls = context.tuning.neighbours, context.observations.depends_on
    below = {failing: weights.itself} | {c: weights.callee for c in calls.get(failing, ()) if c != failing}
    callers = {s for s, callees in calls.items() if failing in callees} | {*context.observations.dependents.get(failing, ())}
    above = {s: weights.caller for s in callers if s not in below}
    return _changed(context, failing, below) or _changed(context, failing, above)


def _changed(context: RankingContext, failing: str, places: Mapping[str, float]) -> dict[str, float]:
    """Those of the places that were changed shortly before; the best change of a service counts."""
    weights, changed = context.tuning.neighbours, dict[str, float]()
    for change in context.observations.changes.values():
        age = context.onset_for(change, failing) - change.at
        recent = -ONSET_TOLERANCE <= age <= timedelta(seconds=weights.within)
        if change.service in places and recent and not serving_at_onset(context, change).withdrawn_at:
            part = places[change.service] * recency_factor(age, context.tuning.changes) * _evidence(context, change, weights)
            changed[change.service] = max(part, changed.get(change.service, 0.0))
    return changed


def _evidence(context: RankingContext, change: Change, weights: NeighbourWeights) -> float:
    """What besides its moment speaks for or against a change."""
    observations = context.observations
    factor = compare_versions(observations, change, context.tuning.changes).factor
    calls = serving_at_onset(context, change)
    if factor > 1:
        return weights.carried
    if factor < context.tuning.changes.version_unclear:
        return weights.alike
    if calls.silent:
        return weights.silent
    if calls.uncalled:
        return weights.uncalled
    return weights.own_symptom if _symptoms(context, change.service) else 1.0
