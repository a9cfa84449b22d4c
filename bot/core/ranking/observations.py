"""What a ledger holds, sorted for ranking: deviations, changes, breakdowns, the graph, each with its evidence id."""

import math
import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.core.alerts.renewal import SPREADS_WITHIN
from bot.core.change import Change
from bot.core.evidence import LedgerEntry
from bot.core.facts.alerting import AlertFact
from bot.core.facts.code import DiffFact
from bot.core.facts.measured import BreakdownFact, Family, JumpFact
from bot.core.facts.recorded import ContrastFact
from bot.core.metrics.deviation import Deviation
from bot.core.metrics.signal_names import family_of, names_resource

_MEAN = re.compile(r"\b(mean|average|avg)\b", re.I)
_OF_ITS_CALLERS: tuple[Family, ...] = ("network", "behaviour")
"""Signs of a service in its callers or its log: they are no check of its health."""
OLDER_BY = timedelta(minutes=15)
"""What left its normal range so long before the alert's own onset, on top of two samples, is not part of it."""
_COMPARED: tuple[Family, ...] = ("errors", "latency", "traffic")


@dataclass(frozen=True)
class BreakdownRow:
    """One label value of a breakdown, in the signal's unit; `before` is 0 if it did not exist, `after` NaN if it is gone."""

    labels: Mapping[str, str]
    before: float
    after: float
    share: float
    unit: str = ""
    until: datetime | None = None
    """When its newest sample was taken, where that was noted."""
    existed: bool = True
    """False for a value that had no samples before the onset."""

    @property
    def shift(self) -> float:
        return self.after - self.before


@dataclass(frozen=True)
class ObservedBreakdown:
    """One signal of one service, split by a label."""

    service: str
    signal: str
    rows: tuple[BreakdownRow, ...]
    evidence: str


@dataclass(frozen=True)
class ObservedTemplate:
    """A shape of log line of one service and how often it came in the window and in the one before."""

    service: str
    text: str
    count: float
    before: float
    evidence: str
    trend: str = "steady"
    """`bot.core.logs.templates.Trend`."""
    example: str = ""
    """One of its lines as it was written, where that was kept."""
    first: datetime | None = None
    """When the first of its lines came, where it is new."""


@dataclass(frozen=True)
class ObservedContrast:
    """What sets the failing lines of one service apart from its others."""

    service: str
    fact: ContrastFact
    evidence: str


@dataclass(frozen=True)
class ObservedCode:
    """The diffs of the commits that one version of a service brought, newest first."""

    service: str
    version: str
    diffs: tuple[DiffFact, ...]
    evidence: str
    partial: bool = False
    """True if the diff of a commit is not among these."""


@dataclass(frozen=True)
class ObservedPlacement:
    """The node that a pod runs on."""

    node: str
    evidence: str


@dataclass
class Observations:
    """Everything that was checked so far. Services map to their signals; ids point into the ledger."""

    alert: str = ""
    """The signal that the alert is about; "" if it names none."""
    signals: dict[str, dict[Family, Deviation]] = field(default_factory=dict)
    """The deviation that represents each family of each service; only what left its normal range."""
    all_signals: dict[tuple[str, str], Deviation] = field(default_factory=dict)
    comparable: dict[str, dict[Family, Deviation]] = field(default_factory=dict)
    """As `signals`, but each family by the one signal that all services are compared by, within its normal range too."""
    rates: dict[str, Deviation] = field(default_factory=dict)
    """Requests of each service, whether they moved or not."""
    evidence_of: dict[tuple[str, str], str] = field(default_factory=dict)
    """(service, signal) to the evidence that measured it."""
    changes: dict[str, Change] = field(default_factory=dict)
    change_evidence: dict[str, str] = field(default_factory=dict)
    change_list_evidence: dict[str, str] = field(default_factory=dict)
    """Service ("" = all) to the evidence that listed its changes, even if the list was empty."""
    jumps: dict[str, list[JumpFact]] = field(default_factory=dict)
    """What jumped with a change, by its id, the largest jump first."""
    jumps_evidence: dict[str, str] = field(default_factory=dict)
    """Service whose signals were compared before and after its changes to that evidence."""
    breakdowns: list[ObservedBreakdown] = field(default_factory=list)
    templates: list[ObservedTemplate] = field(default_factory=list)
    contrasts: list[ObservedContrast] = field(default_factory=list)
    code: list[ObservedCode] = field(default_factory=list)
    """What was read of the code that changes brought."""
    placements: dict[str, ObservedPlacement] = field(default_factory=dict)
    """Pod to the node that the cluster told of it."""
    depends_on: dict[str, list[str]] = field(default_factory=dict)
    dependents: dict[str, list[str]] = field(default_factory=dict)
    services: list[str] = field(default_factory=list)
    """All services of the catalogue, where they were listed."""
    graph_evidence: dict[str, str] = field(default_factory=dict)
    alert_evidence: str = ""
    """The evidence that listed what fires."""
    alerting: dict[str, Deviation] = field(default_factory=dict)
    """A firing alert of a service as a weak deviation: all that is known of it where its metrics could not be checked."""
    health_evidence: dict[str, str] = field(default_factory=dict)
    """Service whose signals could be judged against their past to that evidence."""
    checked: dict[str, str] = field(default_factory=dict)
    """Service whose health was checked, be it against thresholds alone, to that evidence."""
    older: dict[str, Deviation] = field(default_factory=dict)
    """What was first to deviate of each service that is in an older outage of its own (`without_older`)."""

    def add(self, entries: Iterable[LedgerEntry]) -> None:
        """Read the facts of further entries; what compares services with each other is derived anew."""
        for entry in entries:
            if entry.evidence.ok:
                if entry.evidence.facts.shows_health:
                    self.checked.setdefault(_service(entry), entry.id)
                _read_deviations(entry, self)
                _read_changes(entry, self)
                _read_jumps(entry, self)
                _read_rows(entry, self)
                _read_graph(entry, self)
        self._derive()

    def _derive(self) -> None:
        self.signals, self.comparable, self.rates = {}, {}, {}
        _sort_by_family(self)
        _choose_comparable(self, self.alert)
        _stand_in_alerts(self)

    def without_older(self, began: datetime, apart: Container[str] = frozenset()) -> "Observations":
        """Without what stood unchanged since well before the alert's own onset: it belongs to an older incident.

        A resource may run out slowly, so it stays. Where nothing else deviates all stays: the onset is then not the alert's.
        `apart`: services of which a shorter time tells (`core/ranking/older_outages`); their alerts of before count no more.
        """
        moved = {key: d for key, d in self.all_signals.items() if d.doublings > 0}
        older = {key for key, d in moved.items() if _is_older(d, began, SPREADS_WITHIN if d.service in apart else OLDER_BY)}
        alerting = {s: d for s, d in self.alerting.items() if s not in apart or not _is_older(d, began, SPREADS_WITHIN)}
        deviating = {key for key, d in moved.items() if d.family != "saturation"}
        if older >= deviating and len(alerting) == len(self.alerting):
            return self
        signals = {key: replace(d, doublings=0.0) if key in older else d for key, d in self.all_signals.items()}
        first = sorted((moved[key] for key in older if key[0] in apart), key=lambda d: d.onset or began, reverse=True)
        current = replace(self, all_signals=signals, alerting=alerting, older={d.service: d for d in first})
        current._derive()
        return current

    def callees(self, service: str) -> list[str]:
        """What it calls by its own graph, and what names it as a caller: the graph of a caller is seldom read."""
        named = (callee for callee, callers in self.dependents.items() if service in callers)
        return [callee for callee in dict.fromkeys([*self.depends_on.get(service, ()), *named]) if callee != service]

    def callers(self, service: str) -> list[str]:
        """Who calls it by its own graph, and who names it as called."""
        by_callees = (caller for caller, callees in self.depends_on.items() if service in callees)
        return [caller for caller in dict.fromkeys([*self.dependents.get(service, ()), *by_callees]) if caller != service]

    def quiet(self, service: str) -> bool:
        """True if the service was checked and nothing of it left its normal range: "could not check" is not quiet."""
        return service in self.health_evidence and not self.signals.get(service)

    def moved_resources(self, service: str) -> list[Deviation]:
        """What the service uses, or nobody knows the meaning of, and is not as usual."""
        signals = self.all_signals.items()
        return [d for (s, _), d in signals if s == service and d.family == "saturation" and d.doublings > 0]

    def id_of(self, deviation: Deviation) -> str:
        """The evidence that measured a deviation."""
        return self.evidence_of[(deviation.service, deviation.signal)]


def reached(start: str, neighbours: Callable[[str], Iterable[str]]) -> frozenset[str]:
    """A service and all that its neighbours lead to."""
    services, queue = {start}, [start]
    while queue:
        new = [service for service in neighbours(queue.pop()) if service not in services]
        services.update(new)
        queue += new
    return frozenset(services)


def _is_older(deviation: Deviation, began: datetime, by: timedelta) -> bool:
    slack = by + timedelta(seconds=2 * deviation.step)
    return deviation.family != "saturation" and deviation.onset is not None and deviation.onset < began - slack


def observe(ledger: Iterable[LedgerEntry], *, alert: str = "") -> Observations:
    """The facts of all evidence that did not fail; `alert` names the signal that the alert is about, if one."""
    observations = Observations(alert)
    observations.add(ledger)
    return observations


def _sort_by_family(observations: Observations) -> None:
    """The deviation of each family that represents its service.

    For errors, latency and traffic the signal that deviates on most services is taken where it deviates, so that
    caller and callee are compared by the same signal (a p99 explains no mean); else the strongest.
    """
    moved = [d for d in observations.all_signals.values() if d.doublings > 0]
    spread = Counter((d.family, d.signal) for d in moved)

    def order(deviation: Deviation) -> tuple[int, float]:
        common = spread[(deviation.family, deviation.signal)] if deviation.family in _COMPARED else 0
        return common, deviation.doublings

    for deviation in sorted(moved, key=order):
        observations.signals.setdefault(deviation.service, {})[deviation.family] = deviation


def _choose_comparable(observations: Observations, alert: str) -> None:
    """For each family one signal that all services are compared by: a p99 explains no mean.

    The alert's own, else a mean (shares of lost time add up in means), else the one that deviates on most services.
    """
    spread = Counter((d.family, d.signal) for d in observations.all_signals.values() if d.doublings > 0)
    names = Counter((d.family, d.signal) for d in observations.all_signals.values())
    by_family = {
        family: _compared_by(family, spread, names, alert) for family in _COMPARED if any(f == family for f, _ in names)
    }
    for deviation in sorted(
        observations.all_signals.values(), key=lambda d: (d.signal == by_family.get(d.family), d.doublings)
    ):
        observations.comparable.setdefault(deviation.service, {})[deviation.family] = deviation
        if deviation.family == "traffic":
            observations.rates[deviation.service] = deviation


def _compared_by(family: Family, spread: Counter[tuple[Family, str]], names: Counter[tuple[Family, str]], alert: str) -> str:
    def worth(name: str) -> tuple[bool, bool, int, int]:
        own = name.casefold() == alert.casefold()
        return own, bool(_MEAN.search(name)), spread[(family, name)], names[(family, name)]

    return max((name for other, name in names if other == family), key=worth)


_FAILURES = re.compile(r"exceeded|killed|evicted|dropped|denied|expired", re.I)
"""Names of what is counted when a resource has run out: that is how a service fails, and not what it is short of."""


def _as_symptom(deviation: Deviation, alert: str) -> Deviation:
    """What the alert is about is how its service fails, also where its name says nothing of what it measures."""
    if not alert or deviation.signal.casefold() != alert.casefold() or deviation.family != "saturation":
        return deviation
    failing = not names_resource(deviation.signal) or _FAILURES.search(deviation.signal)
    return replace(deviation, family="errors") if failing and deviation.direction == "up" else deviation


_OF_ANOTHER_TIME = re.compile(r"_(\d+ ?[smhdw]_ago|(last|previous|prior)_(hour|day|week|month)|yesterday|baseline)$", re.I)
"""The end of a name of what may be drawn beside a signal to compare it with."""


def _read_deviations(entry: LedgerEntry, observations: Observations) -> None:
    facts = entry.evidence.facts.deviations
    names = {(fact.service, fact.signal) for fact in facts}
    for fact in facts:
        deviation = _as_symptom(Deviation.of_fact(fact), observations.alert)
        if _is_drawn_beside(fact.service, fact.signal, names):
            deviation = replace(deviation, doublings=min(0.0, deviation.doublings))
        key = (deviation.service, deviation.signal)
        # A later check of the same signal (a comparison, a breakdown) must not make one symptom count twice.
        if key not in observations.all_signals or deviation.doublings > observations.all_signals[key].doublings:
            observations.all_signals[key] = deviation
            observations.evidence_of[key] = entry.id
        if deviation.family not in _OF_ITS_CALLERS:
            observations.health_evidence.setdefault(deviation.service, entry.id)


def _is_drawn_beside(service: str, signal: str, names: Container[tuple[str, str]]) -> bool:
    """Whether it is another signal as it was at another time: it tells of nothing that happens now."""
    own = _OF_ANOTHER_TIME.sub("", signal)
    return own != signal and (service, own) in names


def _read_changes(entry: LedgerEntry, observations: Observations) -> None:
    if entry.evidence.facts.changes is None:
        return
    observations.change_list_evidence.setdefault(_service(entry), entry.id)
    for change in entry.evidence.facts.changes:
        observations.changes.setdefault(change.id, change)
        observations.change_evidence.setdefault(change.id, entry.id)


def _read_jumps(entry: LedgerEntry, observations: Observations) -> None:
    if entry.evidence.facts.jumps is None:
        return
    observations.jumps_evidence.setdefault(_service(entry), entry.id)
    for jump in entry.evidence.facts.jumps:
        if not _is_drawn_beside(jump.service, jump.signal, observations.all_signals):
            observations.jumps.setdefault(jump.change_id, []).append(jump)


def _read_rows(entry: LedgerEntry, observations: Observations) -> None:
    facts, service = entry.evidence.facts, _service(entry)
    rows = tuple(_row(fact, facts.unit) for fact in facts.breakdown)
    if rows:
        observations.breakdowns.append(ObservedBreakdown(service, str(entry.arguments.get("signal", "")), rows, entry.id))
    for fact in facts.templates:
        observations.templates.append(
            ObservedTemplate(service, fact.template, fact.count, fact.before, entry.id, fact.trend, fact.example, fact.first)
        )
    observations.contrasts += [ObservedContrast(service, fact, entry.id) for fact in facts.contrasts]
    for pod in facts.pods:
        if pod.node:
            observations.placements[pod.pod] = ObservedPlacement(pod.node, entry.id)
    if facts.diffs is not None:
        observations.code.append(ObservedCode(service, facts.version, facts.diffs, entry.id, _is_partial(entry, facts.diffs)))


def _is_partial(entry: LedgerEntry, diffs: Iterable[DiffFact]) -> bool:
    evidence = entry.evidence
    return bool(evidence.unseen) or not {diff.commit for diff in diffs}.issuperset(evidence.facts.commits)


def _row(fact: BreakdownFact, unit: str) -> BreakdownRow:
    after = math.nan if fact.after is None else fact.after
    return BreakdownRow(fact.labels, fact.before or 0.0, after, fact.share, unit, fact.until, fact.existed)


def _read_graph(entry: LedgerEntry, observations: Observations) -> None:
    facts, service = entry.evidence.facts, _service(entry)
    observations.services += facts.services
    if facts.depends_on is not None:
        observations.depends_on[service] = list(facts.depends_on)
        observations.graph_evidence[service] = entry.id
    if facts.dependents is not None:
        observations.dependents[service] = list(facts.dependents)
        observations.graph_evidence[service] = entry.id
    if facts.alerts is not None:
        observations.alert_evidence = observations.alert_evidence or entry.id
    for alert in facts.alerts or ():
        _note_alert(alert, observations, entry.id)


def _service(entry: LedgerEntry) -> str:
    """The service that was asked about; "" for all of them."""
    return str(entry.arguments.get("service", ""))


def _note_alert(alert: AlertFact, observations: Observations, evidence: str) -> None:
    if alert.service and alert.service not in observations.alerting:
        nan, family = math.nan, family_of(alert.name)
        stand_in = Deviation(alert.service, f"alert {alert.name}", family, 0.5, nan, nan, onset=alert.starts_at)
        observations.alerting[alert.service] = stand_in
        observations.evidence_of[(alert.service, stand_in.signal)] = evidence


def _stand_in_alerts(observations: Observations) -> None:
    for service, deviation in observations.alerting.items():
        if service not in observations.health_evidence:
            observations.signals[service] = {deviation.family: deviation}
            observations.comparable[service] = {deviation.family: deviation}
