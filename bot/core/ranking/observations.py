"""What a ledger holds, sorted for ranking: deviations, changes, breakdowns, the graph, each with its evidence id."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.core.change import Change
from bot.core.evidence import LedgerEntry
from bot.core.facts.alerting import AlertFact
from bot.core.facts.measured import BreakdownFact, Family
from bot.core.metrics.deviation import Deviation, family_of

_MEAN = re.compile(r"\b(mean|average|avg)\b", re.I)
_OF_ITS_CALLERS: tuple[Family, ...] = ("network", "behaviour")
"""Signs that others or its log tell of a service: to have seen them is not to have looked at its health."""
_COMPARED: tuple[Family, ...] = ("errors", "latency", "traffic")


@dataclass(frozen=True)
class BreakdownRow:
    """One label value of a breakdown, in the signal's unit; `before` is 0 if it did not exist, `after` NaN if it is gone."""

    labels: Mapping[str, str]
    before: float
    after: float
    share: float
    unit: str = ""

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


@dataclass
class Observations:
    """Everything looked at so far. Services map to their signals; ids point into the ledger."""

    signals: dict[str, dict[Family, Deviation]] = field(default_factory=dict)
    """The deviation that speaks for each family of each service; only what left its normal range."""
    all_signals: dict[tuple[str, str], Deviation] = field(default_factory=dict)
    near: dict[str, dict[Family, Deviation]] = field(default_factory=dict)
    """As `signals`, by the figure that services are compared by, and with what is within its normal range too."""
    rates: dict[str, Deviation] = field(default_factory=dict)
    """Requests of each service, whether they moved or not."""
    evidence_of: dict[tuple[str, str], str] = field(default_factory=dict)
    """(service, signal) to the evidence that measured it."""
    changes: dict[str, Change] = field(default_factory=dict)
    change_evidence: dict[str, str] = field(default_factory=dict)
    no_changes: dict[str, str] = field(default_factory=dict)
    """Service ("" = all) to the evidence of its list of changes, whatever it holds."""
    breakdowns: list[ObservedBreakdown] = field(default_factory=list)
    templates: list[ObservedTemplate] = field(default_factory=list)
    depends_on: dict[str, list[str]] = field(default_factory=dict)
    dependents: dict[str, list[str]] = field(default_factory=dict)
    services: list[str] = field(default_factory=list)
    """All known services, where they were asked for."""
    graph_evidence: dict[str, str] = field(default_factory=dict)
    alerting: dict[str, Deviation] = field(default_factory=dict)
    """A firing alert of a service as a weak deviation: all that is known of it where its metrics could not be looked at."""
    health_evidence: dict[str, str] = field(default_factory=dict)
    """Service whose signals could be judged against their past to that evidence."""
    looked_at: dict[str, str] = field(default_factory=dict)
    """Service whose health could be looked at, be it against bounds alone, to that evidence."""

    def quiet(self, service: str) -> bool:
        """True if the service was looked at and nothing of it left its normal range: "could not check" is not quiet."""
        return service in self.health_evidence and not self.signals.get(service)

    def id_of(self, deviation: Deviation) -> str:
        """The evidence that measured a deviation."""
        return self.evidence_of[(deviation.service, deviation.signal)]


def observe(ledger: Sequence[LedgerEntry], *, alert: str = "") -> Observations:
    """Read the facts of all evidence that could be looked at; `alert` names the signal that the alert is about, if one."""
    seen = Observations()
    for entry in ledger:
        if entry.evidence.ok:
            if entry.evidence.facts.shows_health:
                seen.looked_at.setdefault(_service(entry), entry.id)
            _read_deviations(entry, seen)
            _read_changes(entry, seen)
            _read_rows(entry, seen)
            _read_graph(entry, seen)
    _sort_by_family(seen)
    _compare_by_figure(seen, alert)
    _stand_in_alerts(seen)
    return seen


def _sort_by_family(seen: Observations) -> None:
    """The deviation of each family that speaks for its service.

    For errors, latency and traffic the signal that deviates on most services is taken where it deviates, so that
    caller and callee are compared by the same figure (a p99 explains no mean); else the strongest.
    """
    moved = [d for d in seen.all_signals.values() if d.doublings > 0]
    spread = Counter((d.family, d.signal) for d in moved)

    def speaks(deviation: Deviation) -> tuple[int, float]:
        common = spread[(deviation.family, deviation.signal)] if deviation.family in _COMPARED else 0
        return common, deviation.doublings

    for deviation in sorted(moved, key=speaks):
        seen.signals.setdefault(deviation.service, {})[deviation.family] = deviation


def _compare_by_figure(seen: Observations, alert: str) -> None:
    """For each family one figure that all services are compared by: a p99 explains no mean.

    The alert's own, else a mean (shares of lost time add up in means), else the one that deviates on most services.
    """
    spread = Counter((d.family, d.signal) for d in seen.all_signals.values() if d.doublings > 0)
    names = Counter((d.family, d.signal) for d in seen.all_signals.values())
    figures = {family: _figure(family, spread, names, alert) for family in _COMPARED if any(f == family for f, _ in names)}
    for deviation in sorted(seen.all_signals.values(), key=lambda d: (d.signal == figures.get(d.family), d.doublings)):
        seen.near.setdefault(deviation.service, {})[deviation.family] = deviation
        if deviation.family == "traffic":
            seen.rates[deviation.service] = deviation


def _figure(family: Family, spread: Counter[tuple[Family, str]], names: Counter[tuple[Family, str]], alert: str) -> str:
    def worth(name: str) -> tuple[bool, bool, int, int]:
        own = name.casefold() == alert.casefold()
        return own, bool(_MEAN.search(name)), spread[(family, name)], names[(family, name)]

    return max((name for known, name in names if known == family), key=worth)


def _read_deviations(entry: LedgerEntry, seen: Observations) -> None:
    for fact in entry.evidence.facts.deviations:
        deviation = Deviation.of_fact(fact)
        key = (deviation.service, deviation.signal)
        # A later look at the same signal (a comparison, a breakdown) must not make one symptom count twice.
        if key not in seen.all_signals or deviation.doublings > seen.all_signals[key].doublings:
            seen.all_signals[key] = deviation
            seen.evidence_of[key] = entry.id
        if deviation.family not in _OF_ITS_CALLERS:
            seen.health_evidence.setdefault(deviation.service, entry.id)


def _read_changes(entry: LedgerEntry, seen: Observations) -> None:
    if entry.evidence.facts.changes is None:
        return
    seen.no_changes.setdefault(_service(entry), entry.id)
    for change in entry.evidence.facts.changes:
        seen.changes.setdefault(change.id, change)
        seen.change_evidence.setdefault(change.id, entry.id)


def _read_rows(entry: LedgerEntry, seen: Observations) -> None:
    facts, service = entry.evidence.facts, _service(entry)
    rows = tuple(_row(fact, facts.unit) for fact in facts.breakdown)
    if rows:
        seen.breakdowns.append(ObservedBreakdown(service, str(entry.arguments.get("signal", "")), rows, entry.id))
    for fact in facts.templates:
        seen.templates.append(ObservedTemplate(service, fact.template, fact.count, fact.before, entry.id))


def _row(fact: BreakdownFact, unit: str) -> BreakdownRow:
    after = math.nan if fact.after is None else fact.after
    return BreakdownRow(fact.labels, fact.before or 0.0, after, fact.share, unit)


def _read_graph(entry: LedgerEntry, seen: Observations) -> None:
    facts, service = entry.evidence.facts, _service(entry)
    seen.services += facts.services
    if facts.depends_on is not None:
        seen.depends_on[service] = list(facts.depends_on)
        seen.graph_evidence[service] = entry.id
    if facts.dependents is not None:
        seen.dependents[service] = list(facts.dependents)
        seen.graph_evidence[service] = entry.id
    for alert in facts.alerts or ():
        _note_alert(alert, seen, entry.id)


def _service(entry: LedgerEntry) -> str:
    """The service that was asked about; "" for all of them."""
    return str(entry.arguments.get("service", ""))


def _note_alert(alert: AlertFact, seen: Observations, evidence: str) -> None:
    if alert.service and alert.service not in seen.alerting:
        nan, family = math.nan, family_of(alert.name)
        stand_in = Deviation(alert.service, f"alert {alert.name}", family, 0.5, nan, nan, onset=alert.starts_at)
        seen.alerting[alert.service] = stand_in
        seen.evidence_of[(alert.service, stand_in.signal)] = evidence


def _stand_in_alerts(seen: Observations) -> None:
    for service, deviation in seen.alerting.items():
        if service not in seen.health_evidence:
            seen.signals[service] = {deviation.family: deviation}
            seen.near[service] = {deviation.family: deviation}
