"""The evidence of one incident as far as it can show a cause: by service, by change, and what else explains a failure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property

from bot.core.change import Change
from bot.core.changes.recency import ONSET_TOLERANCE
from bot.core.diffs.symptoms.symptoms import Symptoms
from bot.core.evidence import Case, LedgerEntry
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.metrics.deviation import Deviation
from bot.core.ranking.attribution import SYMPTOM_FAMILIES, CallGraph, explained_by_callees, main_symptom
from bot.core.ranking.causes.outside_causes import outside_causes
from bot.core.ranking.changes.code_evidence import CodeReading, read_code, symptoms_of
from bot.core.ranking.changes.versions import VersionComparison, compare_versions
from bot.core.ranking.context import DETECTION_DELAY, RankingContext
from bot.core.ranking.fault_location import weight_of_resource
from bot.core.ranking.observations import Observations, ObservedTemplate, observe
from bot.core.tuning import TUNING
from bot.core.verdict.corroboration import ADVICE_SOURCES

_SURE = TUNING.confidence.sure
_NEAR = timedelta(seconds=TUNING.changes.sure_within)
_EXPLAINED = TUNING.verdict.explained_by_callees
_LEAST_RESOURCE = 0.5
"""Weight (core/ranking/fault_location) from which on a short resource may break a service: bytes and disks are lighter."""


class Measured:
    """The evidence of one incident that can show a cause: measurements and records, nothing that users can write."""

    def __init__(
        self,
        entries: Iterable[LedgerEntry],
        onset: datetime | None = None,
        case: Case | None = None,
        ranked_onset: datetime | None = None,
    ) -> None:
        """`ranked_onset` is the one that the causes were ranked by."""
        self._recorded = [entry for entry in entries if entry.evidence.ok]
        self.entries = {entry.id: entry for entry in self._recorded if _can_show(entry)}
        self.onset = onset
        """The incident's onset if it is known."""
        self.ranked_onset = ranked_onset
        self.overlap_began_at = case.overlap_began_at if case else None
        """When the first alert fired of an outage that began while another ran on (`Case.overlap_began_at`)."""
        self.alerted_at = case.alerted_at if case else None
        self.reported_at = case.reported_at if case else None

    @cached_property
    def observations(self) -> Observations:
        return observe(self.entries.values())

    @cached_property
    def _with_lines(self) -> RankingContext:
        """All that was recorded, with log lines: what they say is compared with code, or speaks against a cause."""
        observed = observe(self._recorded)
        moment = max((entry.at for entry in self._recorded), default=datetime.min.replace(tzinfo=UTC))
        return RankingContext(observed, {}, "", self.onset or moment, self.onset is not None, moment)

    @cached_property
    def _symptoms(self) -> Symptoms:
        return symptoms_of(self._with_lines.observations)

    @cached_property
    def graph(self) -> CallGraph:
        observed = self.observations
        return CallGraph(observed.comparable, observed.depends_on, observed.rates)

    # ------------------------------------------------------------ one service

    def symptom_of(self, service: str) -> Deviation | None:
        """The stronger of its errors and latency; None if neither left its normal range."""
        return main_symptom(self.observations.signals.get(service, {}))

    def onset_of(self, service: str) -> datetime | None:
        """When one service began to fail: its first symptom, else whatever left its normal range; None if nothing did.

        A queue or a cache may drift long before; that is not when the service began to fail.
        """
        own = [d for d in self.deviations(service) if d.onset]
        return min(((d.family not in SYMPTOM_FAMILIES, d.onset) for d in own), default=(False, None))[1]

    def began(self, service: str) -> datetime | None:
        """The incident's onset if known, else when the service failed, else the ranking's: busier evenings are no onset."""
        fails = min((d.onset for d in self.deviations(service) if d.onset and d.family in SYMPTOM_FAMILIES), default=None)
        return self.onset or fails or self.ranked_onset or self.onset_of(service)

    def deviations(self, service: str) -> list[Deviation]:
        """All its signals that left their normal range."""
        return [d for (name, _), d in self.observations.all_signals.items() if name == service and d.doublings > 0]

    def explaining_callee(self, service: str) -> str:
        """The dependency that explains most of the service's symptom; "" if they explain less than half of it."""
        callees = [c for c in dict.fromkeys(self.observations.depends_on.get(service, ())) if c != service]
        shares = explained_by_callees(service, callees, self.graph, self.symptom_of(service))
        return max(shares, key=lambda name: shares[name]) if sum(shares.values()) >= _EXPLAINED else ""

    def unchecked_callee(self, service: str) -> str:
        """A direct dependency whose health nobody could check: the cause may lie there. "" if there is none."""
        callees = self.observations.depends_on.get(service, ())
        return next((name for name in callees if name not in self.observations.health_evidence), "")

    # ------------------------------------------------------------ what may explain its trouble

    def changes_of(self, service: str) -> list[Change]:
        """Its recorded changes, the newest first."""
        return sorted((c for c in self.observations.changes.values() if c.service == service), key=lambda c: c.at, reverse=True)

    def record_of(self, change_id: str) -> LedgerEntry:
        """The evidence that recorded a change, with nothing but this change. Raises KeyError for an unknown one."""
        entry = self.entries[self.observations.change_evidence[change_id]]
        facts = EvidenceFacts(changes=(self.observations.changes[change_id],))
        evidence = entry.evidence.model_copy(update={"summary": "", "details": (), "facts": facts})
        return entry.model_copy(update={"evidence": evidence})

    def versions_of(self, change: Change) -> VersionComparison:
        return compare_versions(self.observations, change)

    def code_of(self, change: Change) -> CodeReading:
        """What its diffs explain of the symptoms."""
        return read_code(self._with_lines, change, self._symptoms)

    def carries(self, change: Change) -> bool:
        """Whether its version alone shows the symptom, or its code explains it and no other version shows it too.

        Code is compared with lines that users can write, so a callee that explains the symptom goes before it.
        """
        versions = self.versions_of(change).factor
        explains = versions == 1 and self.code_of(change).explains
        return versions > 1 or (explains and not self.explaining_callee(change.service))

    def came_before_alert(self, change: Change) -> bool:
        """Whether it came before the alert: where the onset was not observed, it was no later than that."""
        return self.alerted_at is not None and change.at <= self.alerted_at

    def carried_change(self, service: str) -> Change | None:
        """The change before the onset that carries the failure of a service."""
        began = self.began(service)
        before = [c for c in self.changes_of(service) if began and c.at <= began + ONSET_TOLERANCE]
        return next((c for c in before if self.carries(c)), None)

    def near_changes(self, service: str, moment: datetime | None = None) -> list[Change]:
        """Its changes in the ten minutes before the onset (or another moment) that no comparison of versions clears."""
        began = moment or self.began(service)
        if began is None:
            return []
        near = (c for c in self.changes_of(service) if -ONSET_TOLERANCE <= began - c.at <= _NEAR and c.kind != "scale")
        return [c for c in near if self.versions_of(c).factor >= 1 and not self.code_of(c).unrelated]

    def named_outside(self, service: str) -> str:
        """A cause outside that new log lines of the service name; "" if none do."""
        return next((cause.cause for cause in outside_causes(self._with_lines) if cause.service == service), "")

    def new_lines(self, service: str) -> list[ObservedTemplate]:
        """Log lines of the service, users' words among them, that are new or come much more often."""
        templates = self._with_lines.observations.templates
        return [line for line in templates if line.service == service and line.trend in ("new", "surging")]

    def failing_provider(self, service: str) -> Deviation | None:
        """Failing calls to somebody outside that did not begin after the symptoms."""
        outside = self.observations.signals.get(service, {}).get("external")
        clear = outside is not None and outside.direction == "up" and outside.doublings >= _SURE
        return outside if clear and outside and not self.came_late(outside) else None

    def short_resources(self, service: str) -> list[Deviation]:
        """Resources that ran short before or with the symptoms, and that may break a service."""
        short = (d for d in self.deviations(service) if d.family == "saturation" and d.doublings >= _SURE)
        return [d for d in short if not self.came_late(d) and weight_of_resource(d, TUNING.resources) >= _LEAST_RESOURCE]

    def surge(self, service: str) -> Deviation | None:
        """More requests than before, of which no caller of the service has as many more; None where it is no cause."""
        weights, rise = TUNING.traffic, self.rise(service)
        if rise is None or self.growth(rise) <= weights.risen or rise.doublings < _SURE or self.came_late(rise):
            return None
        callers = [r for c in self.callers(service) if c in self.observations.rates and (r := self.rise(c))]
        steeper = any(self.growth(r) >= weights.nearly_most * self.growth(rise) for r in callers)
        any_checked = any(c in self.observations.rates for c in self.callers(service))
        return None if steeper or (any_checked and not callers) else rise

    def rise(self, service: str) -> Deviation | None:
        traffic = self.observations.signals.get(service, {}).get("traffic")
        risen = traffic is not None and traffic.direction == "up" and traffic.after > TUNING.traffic.rising * traffic.before
        return traffic if risen else None

    def growth(self, rise: Deviation) -> float:
        return rise.after / rise.before if rise.before > 0 else TUNING.traffic.from_nothing

    def callers(self, service: str) -> list[str]:
        observed = self.observations
        by_callees = [name for name, callees in observed.depends_on.items() if service in callees]
        return list(dict.fromkeys([*observed.dependents.get(service, ()), *by_callees]))

    def all_callers(self, service: str) -> set[str]:
        """Everybody who calls it, directly or through others."""
        reached = [service]
        for name in reached:
            reached += [caller for caller in self.callers(name) if caller not in reached]
        return set(reached[1:])

    def came_late(self, deviation: Deviation) -> bool:
        """Whether it deviates only since its service had symptoms: then it is rather an effect."""
        symptom = self.symptom_of(deviation.service)
        began = symptom.onset if symptom else None
        return began is not None and deviation.onset is not None and deviation.onset > began + DETECTION_DELAY

    # ------------------------------------------------------------ where it stands

    def ids(self, *services: str) -> set[str]:
        """The evidence that the structure of a cause on these services was read from."""
        observed = self.observations
        of_signals = {id for (name, _), id in observed.evidence_of.items() if name in services}
        of_graph = {observed.graph_evidence[name] for name in services if name in observed.graph_evidence}
        return of_signals | of_graph


def _can_show(entry: LedgerEntry) -> bool:
    evidence = entry.evidence
    return evidence.ok and not evidence.user_controllable and evidence.source not in ADVICE_SOURCES


def sources(entries: Mapping[str, LedgerEntry], ids: Iterable[str]) -> set[str]:
    """The systems that observed something of this incident, behind these ids."""
    cited: Sequence[LedgerEntry] = [entries[id] for id in ids if id in entries]
    return {entry.evidence.source or entry.tool for entry in cited if entry.evidence.source not in ADVICE_SOURCES}
