"""What the ranking of one incident works on: its observations, the attribution to services, when and where it began."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from bot.core.alerts.component import component_of
from bot.core.change import Change
from bot.core.changes.recency import ONSET_TOLERANCE
from bot.core.evidence import Case, EarlierOutage
from bot.core.infrastructure.exporters import exporter_of
from bot.core.metrics.deviation import Deviation
from bot.core.metrics.signal_names import family_of
from bot.core.ranking.attribution import SYMPTOM_FAMILIES, main_symptom
from bot.core.ranking.fault_location import locate_fault
from bot.core.ranking.observations import Observations, reached
from bot.core.ranking.older_outages import services_apart
from bot.core.tuning import TUNING, Tuning

_WHETHER_SCRAPED = re.compile(r"(?<![\w:])up(?![\w:(])")
"""In an expression: whether Prometheus reaches who tells it."""
_NAME = re.compile(r"=?[A-Za-z][\w-]*")
_COMPOUND = re.compile(r"[a-z0-9][-_][a-z0-9]", re.I)
"""A name that stands in a line by no chance; `orders` may be any word."""
DETECTION_DELAY = timedelta(seconds=90)
"""A cause may be seen so much after its effect: a rate is smeared over its window, and scrapes are some time apart."""


@dataclass(frozen=True)
class RankingContext:
    """What all candidate causes are judged by."""

    observations: Observations
    shares: dict[str, float]
    """Share of the attribution by service (core/ranking/fault_location)."""
    start: str
    """The alerting service; where the alert names none, the one that deviates most; "" where nothing deviates."""
    onset: datetime
    """When the incident began; when its first alert fired, where no onset was observed."""
    onset_observed: bool
    now: datetime
    service_named: bool = True
    """Whether the alert names a service."""
    tuning: Tuning = TUNING
    summary: str = ""
    """What the alert says in its own words: untrusted text."""
    earlier: EarlierOutage | None = None
    """What the group was about before."""
    alerted_at: datetime | None = None
    """When the first alert of the outage fired."""
    overlap_began_at: datetime | None = None
    """When the first alert fired of an outage that began while the one before ran on (`Case.overlap_began_at`)."""
    reported_at: datetime | None = None
    """Since when a person reports it; None where an alert tells of it."""
    host: str = ""
    """The host that the alert names where it names no service."""
    exporter: str = ""
    """Who no longer answers, where the alert tells that of an exporter: what it measures may be well."""
    doublings: dict[str, float] = field(default_factory=dict)
    """The attribution in weighted doublings beyond normal."""

    @cached_property
    def near(self) -> frozenset[str]:
        """The suspects, the alerting service, all that fails, and their neighbours: see `nearby_services`."""
        own = _suspected(self)
        return frozenset(own | _neighbours(self, own) | _named(self, own) if own else _changed(self))

    @cached_property
    def below(self) -> frozenset[str]:
        """The alerting service and all that it is known to rest on, by what it calls and by who names it as a caller."""
        return self.resting_on(self.start)

    @cached_property
    def alerts_alone(self) -> bool:
        """Whether the alerting service is known by its alert alone, neither measured nor by calls: without a tie."""
        return self.on_strange_host or (self.service_named and _has_no_tie(self.start, self.observations))

    @property
    def on_strange_host(self) -> bool:
        """Whether the alert names a host and no service, and no pod is known to run there."""
        return _is_strange(self.host, self.observations)

    @property
    def graph_known(self) -> bool:
        """Whether any calls between services are known."""
        return bool(placed_services(self.observations))

    def resting_on(self, service: str) -> frozenset[str]:
        """A service and all that it is known to rest on, by what it calls and by who names it as a caller."""
        return reached(service, self.observations.callees)

    def symptom_of(self, service: str) -> Deviation | None:
        """The stronger of the service's errors and latency; None if neither deviates."""
        return main_symptom(self.observations.signals.get(service, {}), self.tuning.attribution)

    def traffic_rise(self, service: str) -> Deviation | None:
        """The service's requests where clearly more of them come than before; None else."""
        traffic = self.observations.signals.get(service, {}).get("traffic")
        least = self.tuning.traffic.rising
        return traffic if traffic and traffic.direction == "up" and traffic.after > least * traffic.before else None

    def onset_of(self, service: str) -> datetime:
        """When a service's symptom began, never later than the incident: what follows it is no cause of it."""
        symptom = self.symptom_of(service)
        return min(self.onset, symptom.onset) if symptom and symptom.onset else self.onset

    def made_during_earlier_outage(self, change: Change) -> bool:
        """Whether a change was made while the outage before ran on, up to the alert of the present one."""
        if self.overlap_began_at is None or change.by_action or self.belongs_to_earlier_outage(change.at):
            return False
        return change.at <= self.overlap_began_at + ONSET_TOLERANCE

    def belongs_to_earlier_outage(self, moment: datetime) -> bool:
        """Whether what began then belongs rather to the outage before than to the present one."""
        return self.earlier is not None and moment <= self.earlier.until

    def onset_for(self, change: Change, failing: str = "") -> datetime:
        """The onset that a change is dated against: of its service, or of another that is `failing`.

        For one made beside a running outage it is the alert's start: what such a change broke had often left its normal range
        before, with the outage that runs on.
        """
        onset = self.onset_of(failing or change.service)
        beside = self.made_during_earlier_outage(change) and change.at > onset + ONSET_TOLERANCE
        return max(onset, self.overlap_began_at) if self.overlap_began_at and beside else onset

    def suspects(self) -> list[tuple[str, float]]:
        """Services whose share is worth a look at their causes, with that share, the largest first.

        Where the outage before runs on it holds most of the attribution: what began to fail since counts with the least share.
        """
        least = self.tuning.confidence.suspect
        shares = {service: share for service, share in self.shares.items() if share >= least}
        new = (service for service in self.below if self.fails_since(service) or self._provider_fails_since(service))
        since = dict.fromkeys(new, least) if self.overlap_began_at else {}
        return sorted((since | shares).items(), key=lambda p: (-p[1], p[0]))

    def fails_since(self, service: str) -> bool:
        """Whether a service clearly fails, and did not yet with the outage before."""
        return self._moved_since(self.symptom_of(service))

    def fails_otherwise_since(self, service: str) -> bool:
        """Whether a service clearly fails in a way in which it did not yet with the outage before, whatever else it shows."""
        rising = (d for d in self.observations.all_signals.values() if d.service == service and d.direction == "up")
        return any(d.family in SYMPTOM_FAMILIES and self._moved_since(d) for d in rising)

    def _provider_fails_since(self, service: str) -> bool:
        """The same of its calls to somebody outside, whatever else it had suffered before."""
        return self._moved_since(self.observations.signals.get(service, {}).get("external"))

    def _moved_since(self, deviation: Deviation | None) -> bool:
        if deviation is None or deviation.onset is None or deviation.doublings < self.tuning.confidence.sure:
            return False
        return not self.belongs_to_earlier_outage(deviation.onset)


def _has_no_tie(service: str, observed: Observations) -> bool:
    return service not in placed_services(observed) | observed.health_evidence.keys()


def _is_strange(host: str, observed: Observations) -> bool:
    return bool(host) and host not in {placement.node for placement in observed.placements.values()}


def placed_services(observed: Observations) -> set[str]:
    """The services that are known to call another one or to be called."""
    callees, callers = observed.depends_on, observed.dependents
    placed = {name for names in (*callees.values(), *callers.values()) for name in names}
    return placed | {name for graph in (callees, callers) for name, others in graph.items() if others}


def onset_error(deviation: Deviation) -> timedelta:
    """How far apart onsets have to lie at least to say which came first: a sample, and what a measured onset may be off."""
    return max(ONSET_TOLERANCE, timedelta(seconds=deviation.step))


def ranking_context(case: Case, observations: Observations, now: datetime, tuning: Tuning = TUNING) -> RankingContext:
    """Locate the fault and its onset from the observations."""
    start = start_service(case, observations)
    family = family_of(case.alert_name) if case.alert_name else None
    family = family if family in SYMPTOM_FAMILIES else None
    named = bool(case.service)
    began = _began(case, start, observations, tuning)
    observations = observations.without_older(began, services_apart(case, observations, began))
    attribution = locate_fault(start, observations, service_named=named, family=family, tuning=tuning)
    shares = attribution.shares
    # What moved elsewhere dates nothing at a service without any tie to it.
    component = None if named else component_of(case.labels, "")
    host = component.name if component and component.level == "host" else ""
    alone = _is_strange(host, observations) or (named and _has_no_tie(start, observations))
    measured = None if alone else _first_onset(start, shares, observations, tuning)
    before = case.onset.at if case.onset else None
    onset = min(filter(None, (measured, before)), default=None)
    return RankingContext(
        observations=observations,
        shares=shares,
        doublings=attribution.doublings,
        start=start,
        onset=onset or case.alerted_at,
        onset_observed=onset is not None,
        now=now,
        service_named=named,
        host=host,
        exporter=exporter_of(case.labels, case.service) if _WHETHER_SCRAPED.search(case.expression) else "",
        tuning=tuning,
        summary=case.summary,
        earlier=case.earlier,
        alerted_at=case.alerted_at,
        overlap_began_at=case.overlap_began_at,
        reported_at=case.reported_at,
    )


def _began(case: Case, start: str, observations: Observations, tuning: Tuning) -> datetime:
    """The alert's own onset: that of the symptom of its service, else when it fired."""
    symptom = main_symptom(observations.signals.get(start, {}), tuning.attribution) if case.service else None
    return min(symptom.onset, case.started_at) if symptom and symptom.onset else case.started_at


def _first_onset(start: str, shares: dict[str, float], observations: Observations, tuning: Tuning) -> datetime | None:
    """The onset of the start's symptom, else of its other signals, else of the two services with the largest shares."""
    signals = observations.signals.get(start, {})
    symptom = main_symptom(signals, tuning.attribution)
    onsets = [symptom.onset] if symptom and symptom.onset else [d.onset for d in signals.values() if d.onset]
    if not onsets:
        largest = sorted(shares, key=lambda s: -shares[s])
        onsets = [d.onset for s in largest[:2] for d in observations.signals.get(s, {}).values() if d.onset]
    return min(onsets, default=None)


def start_service(case: Case, observations: Observations) -> str:
    """The alerting service; where the alert names none, the one that deviates most."""
    if case.service:
        return case.service
    by_service = observations.signals.items()
    strongest = sorted(((d.doublings, s) for s, signals in by_service for d in signals.values()), reverse=True)
    return strongest[0][1] if strongest else ""


def nearby_services(context: RankingContext) -> frozenset[str]:
    """The suspects, the alerting service, all that fails, and their direct neighbours: what they call, who calls them.

    Changed services that their new lines name are neighbours too, such as the holder of a lock. All changed services where
    nothing is known to fail.
    """
    return context.near


def remote_services(context: RankingContext) -> set[str]:
    """The other changed services of which nobody knows whether the suspects rest on them.

    All, where nobody knows who calls the suspects and what they call; else those that no call is known of.
    """
    own = _suspected(context)
    if not own:
        return set()
    return _unlinked(context) if _neighbours(context, own) - own else _changed(context) - own


def unknown_services(context: RankingContext) -> set[str]:
    """Changed services that nothing is measured of and nobody is known to call: a network, a mesh, a cluster's names.

    Anything may rest on them.
    """
    return _unlinked(context) - {*context.observations.checked, *context.observations.health_evidence}


def _unlinked(context: RankingContext) -> set[str]:
    """Changed services that nobody is known to call and of which nobody knows what they call."""
    observations = context.observations
    called = {callee for callees in observations.depends_on.values() for callee in callees}
    calling = {caller for callers in observations.dependents.values() for caller in callers}
    return _changed(context) - {*observations.depends_on, *observations.dependents} - called - calling - {context.start}


def _suspected(context: RankingContext) -> set[str]:
    failing = {s for s in context.observations.signals if context.symptom_of(s)}
    return {context.start, *failing, *(service for service, _ in context.suspects())} - {""}


def _changed(context: RankingContext) -> set[str]:
    return {change.service for change in context.observations.changes.values()}


def _named(context: RankingContext, own: set[str]) -> set[str]:
    """Changed services that new lines of these, or of what they call, name: a compound name, or what stands behind `=`."""
    near = own | _neighbours(context, own)
    new = (t for t in context.observations.templates if t.service in near and t.trend in ("new", "surging"))
    words = {word.casefold() for template in new for word in _NAME.findall(template.example or template.text)}
    return {
        service
        for service in _changed(context) - near
        if f"={service.casefold()}" in words or (_COMPOUND.search(service) and service.casefold() in words)
    }


def _neighbours(context: RankingContext, own: set[str]) -> set[str]:
    observations = context.observations
    called = {callee for service in own for callee in observations.depends_on.get(service, ())}
    calling = {caller for service in own for caller in observations.dependents.get(service, ())}
    return called | calling | {caller for caller, callees in observations.depends_on.items() if own & set(callees)}
