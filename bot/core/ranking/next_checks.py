"""What an investigation without a model checks next, by what was observed so far."""

from collections.abc import Sequence, Set
from datetime import datetime, timedelta

from bot.core.change import Change
from bot.core.changes.recency import ONSET_TOLERANCE
from bot.core.evidence import Case
from bot.core.facts.measured import Family
from bot.core.metrics.deviation import climbs_throughout
from bot.core.ranking.context import nearby_services, ranking_context, remote_services, start_service
from bot.core.ranking.observations import Observations, ObservedBreakdown

_RECENT = timedelta(hours=1)


def next_services(case: Case, observations: Observations) -> list[str]:
    """Services whose health to check next: what the deviating ones call, and who calls where traffic rose."""
    start, signals = start_service(case, observations), observations.signals
    frontier = [s for s in dict.fromkeys([start, *signals]) if s == start or signals.get(s)]
    callees = [callee for service in frontier for callee in observations.depends_on.get(service, ())]
    callers = [c for s in frontier if "traffic" in signals.get(s, {}) for c in observations.dependents.get(s, ())]
    services = dict.fromkeys([*callees, *callers, *observations.services])
    return [s for s in services if s not in observations.health_evidence]


def services_with_calls(observations: Observations, services: Sequence[str]) -> list[str]:
    """Those of the services that call others and count their own requests: their mix of calls can be checked."""
    return [s for s in services if observations.depends_on.get(s) and s in observations.rates]


def changed_services(case: Case, observations: Observations, *, now: datetime, tried: Set[str], most: int) -> list[str]:
    """Services that were changed in the hour before the onset and not `tried`: what fails may rest on them unknown to all."""
    context = ranking_context(case, observations, now)
    changed = [c for c in observations.changes.values() if c.service and not c.by_action]
    before = [c for c in changed if -ONSET_TOLERANCE <= context.onset - c.at <= _RECENT]
    latest = sorted(before, key=lambda change: (-change.at.timestamp(), change.id))
    return [service for service in dict.fromkeys(change.service for change in latest) if service not in tried][:most]


def symptoms_to_inspect(
    case: Case, observations: Observations, *, now: datetime, most: int = 3
) -> list[tuple[str, str, Family]]:
    """(service, signal, family) of the symptoms with the largest shares: what to break down and to search logs for."""
    context = ranking_context(case, observations, now)
    symptoms: list[tuple[str, str, Family]] = []
    for service, _ in context.suspects()[:most]:
        deviations = [context.symptom_of(service), observations.signals.get(service, {}).get("external")]
        checked = service in observations.health_evidence
        symptoms += [(service, d.signal, d.family) for d in deviations if d is not None and checked]
    return list(dict.fromkeys(symptoms))


def services_to_read(case: Case, observations: Observations, *, now: datetime, read: Set[str], most: int) -> list[str]:
    """Services whose lines may say what their signals do not, those of `read` left out.

    First what was changed near what fails, then what else is near, what was changed anywhere, and what was measured.
    """
    context = ranking_context(case, observations, now)
    changed = [change.service for change in observations.changes.values() if change.at <= context.onset + ONSET_TOLERANCE]
    near = sorted(nearby_services(context))
    measured = [*observations.health_evidence, *observations.checked]
    ordered = dict.fromkeys([*(s for s in changed if s in near), *near, *changed, *measured])
    return [service for service in ordered if service and service not in read][:most]


def services_to_place(observations: Observations) -> list[str]:
    """Services of which a signal was split by pod and told pods apart: on which node does each pod run?"""
    split = (breakdown.service for breakdown in observations.breakdowns if any("pod" in row.labels for row in breakdown.rows))
    return list(dict.fromkeys(split))


def services_to_look_back_on(case: Case, observations: Observations, *, now: datetime) -> list[str]:
    """Suspects of which a resource climbs through the whole window: what began it may be older than the changes read."""
    suspects = [service for service, _ in ranking_context(case, observations, now).suspects()]
    climbing = {d.service for d in observations.all_signals.values() if climbs_throughout(d)}
    return [service for service in suspects if service in climbing]


def services_with_older_changes(case: Case, observations: Observations, *, now: datetime, most: int) -> list[str]:
    """Services that were changed before the onset, longer than a failure takes to show: did anything jump with that?

    Those next to what fails first, then those changed last.
    """
    context = ranking_context(case, observations, now)
    lead = timedelta(seconds=context.tuning.changes.jump_lead)
    older = [c for c in observations.changes.values() if c.service and not c.by_action and context.onset - c.at >= lead]
    near = nearby_services(context)
    ordered = sorted(older, key=lambda change: (change.service not in near, -change.at.timestamp(), change.id))
    return list(dict.fromkeys(change.service for change in ordered))[:most]


def versions_to_read(case: Case, observations: Observations, *, now: datetime, most: int) -> list[tuple[str, str, str]]:
    """(service, version before, version) of the deploys that may be the cause, those of the likeliest services first."""
    deploys = _deploys_nearby(case, observations, now)
    return list(dict.fromkeys((change.service, change.previous_version, change.version) for change in deploys))[:most]


def versions_to_compare(case: Case, observations: Observations, *, now: datetime, most: int) -> list[tuple[str, str]]:
    """(service, signal) to split by version: errors and latency of services that were deployed, though they look normal.

    A bad version on one of five pods hides in the mean of all.
    """
    services = dict.fromkeys(change.service for change in _deploys_nearby(case, observations, now))
    compared = {(split.service, split.signal) for split in observations.breakdowns if _by_version(split)}
    families: tuple[Family, ...] = ("errors", "latency")
    signals = [
        (service, observations.comparable[service][family].signal)
        for service in services
        for family in families
        if family in observations.comparable.get(service, {})
    ]
    return [signal for signal in signals if signal not in compared and signal[0] in observations.health_evidence][:most]


def _by_version(split: ObservedBreakdown) -> bool:
    return any("version" in label for row in split.rows for label in row.labels)


def _deploys_nearby(case: Case, observations: Observations, now: datetime) -> list[Change]:
    """Deploys before the onset on what fails and on its neighbours, those of the likeliest services first, then the newest.

    What a leak or a full disk shows now may have been brought hours ago: age sorts the deploys and leaves none out.
    """
    context = ranking_context(case, observations, now)
    near = nearby_services(context) | remote_services(context)
    deploys = [
        change
        for change in observations.changes.values()
        if change.version and change.service in near and change.at <= context.onset_for(change) + ONSET_TOLERANCE
    ]
    return sorted(deploys, key=lambda change: (-context.shares.get(change.service, 0.0), -change.at.timestamp(), change.id))
