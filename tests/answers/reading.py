"""What an answer needs of an investigation: who failed, by how much, when, and the ids of the evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.change import Change, kind_in_words
from bot.core.evidence import CauseKind, Claim, Confidence, Hypothesis, LedgerEntry
from bot.core.facts.measured import BreakdownFact, DeviationFact
from bot.core.facts.recorded import TemplateFact
from tests.answers.faults import Investigated

CAUSES: dict[str, CauseKind] = {"change": "change", "resource": "resource", "external": "external", "traffic": "traffic"}


@dataclass(frozen=True)
class Reading:
    """One investigation as whoever answers reads it."""

    name: str
    of: Investigated

    # ------------------------------------------------------------ evidence by what it is

    def entry(self, tool: str, service: str = "") -> LedgerEntry:
        """The entry of a tool about a service. Raises StopIteration without one."""
        return next(e for e in self.of.ledger if e.tool == tool and str(e.arguments.get("service", "")) == service)

    def health(self, service: str) -> str:
        return self._id("service_health", service)

    def graph(self, service: str) -> str:
        return self._id("dependencies", service)

    def _id(self, tool: str, service: str) -> str:
        """The evidence about the service; the list of alerts where the analyst did not check it."""
        return next((e.id for e in self.of.ledger if e.tool == tool and e.arguments.get("service") == service), self.alerts)

    @property
    def alerts(self) -> str:
        return next(e for e in self.of.ledger if e.tool == "active_alerts").id

    @property
    def changes(self) -> str:
        return next(e for e in self.of.ledger if e.tool == "recent_changes").id

    def logs(self, service: str) -> LedgerEntry | None:
        return next((e for e in self.of.ledger if e.tool == "search_logs" and e.arguments.get("service") == service), None)

    def split(self, service: str) -> LedgerEntry | None:
        """The breakdown of the service that shows versions or providers."""
        splits = [e for e in self.of.ledger if e.tool == "metric_breakdown" and e.arguments.get("service") == service]
        labelled = [e for e in splits if {"version", "provider"} & {k for r in e.evidence.facts.breakdown for k in r.labels}]
        return next(iter(labelled), None)

    # ------------------------------------------------------------ figures

    def signals(self, service: str) -> Sequence[DeviationFact]:
        moved = self.entry("service_health", service).evidence.facts.deviations
        return [row for row in moved if row.doublings > 0]

    def symptom(self, service: str) -> DeviationFact:
        """What users feel of the service: its errors, else its latency."""
        rows = {row.signal: row for row in self.signals(service)}
        return next(rows[name] for name in ("errors", "latency", "bad_requests") if name in rows)

    def signal(self, service: str, *names: str) -> DeviationFact:
        return next(row for row in self.signals(service) if row.signal in names)

    def grown(self, service: str) -> list[TemplateFact]:
        entry = self.logs(service)
        rows = entry.evidence.facts.templates if entry else ()
        return sorted((r for r in rows if r.trend in ("new", "surging")), key=lambda r: -r.count)

    def rows(self, service: str) -> Sequence[BreakdownFact]:
        entry = self.split(service)
        return entry.evidence.facts.breakdown if entry else ()

    # ------------------------------------------------------------ the truth

    @property
    def root(self) -> str:
        return self.of.root

    @property
    def alerting(self) -> str:
        return self.of.case.service

    @property
    def kind(self) -> CauseKind:
        return CAUSES[str(self.of.truth["cause"])]

    @property
    def change(self) -> Change | None:
        """The change at fault; the leak's deploy is hours old and is not what the sandbox calls the cause."""
        return self.of.change if self.kind == "change" else None

    @property
    def onset(self) -> datetime:
        onset = self.symptom(self.root).onset
        assert onset is not None
        return onset

    @property
    def trouble(self) -> DeviationFact | None:
        """The resource, provider or traffic at fault; None where a change is."""
        names = {
            "resource": ("connections", "memory"),
            "external": ("provider_errors",),
            "traffic": ("traffic",),
        }.get(str(self.of.truth["cause"]))
        return self.signal(self.root, *names) if names else None

    @property
    def subject(self) -> str:
        """What is at fault, in a few words."""
        root = self.root
        if self.change is not None:
            return f"the {kind_in_words(self.change.kind)} of {root}"
        return {
            "connections": f"the database connections of {root}",
            "memory": f"the memory of {root}",
            "provider_errors": f"the provider that {root} calls",
            "traffic": f"the traffic to {root}",
        }[self.trouble.signal if self.trouble else ""]

    def innocent(self) -> Change:
        return self.of.innocent[0]

    def level(self, value: float | None, unit: str, digits: int = 1) -> str:
        """`45.1 %`, `1.22 s`, `12.3 req/s`: in this many digits behind the point."""
        number = value or 0.0
        if unit == "ratio":
            return f"{100 * number:.{digits}f} %"
        if unit == "seconds":
            return f"{1000 * number:.0f} ms" if number < 1 else f"{number:.{digits + 1}f} s"
        return f"{number:.{digits}f} {unit}"


def claim(text: str, *ids: str) -> Claim:
    return Claim(text=text, evidence=list(ids))


def cause(
    text: str, service: str, kind: CauseKind, *claims: Claim, change_id: str = "", confidence: Confidence = "likely"
) -> Hypothesis:
    return Hypothesis(
        cause=text[:300], service=service, kind=kind, change_id=change_id, confidence=confidence, claims=list(claims)
    )
