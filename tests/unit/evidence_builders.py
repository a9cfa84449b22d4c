"""Builds evidence as the tools leave it: one fixed onset, services of a small shop, facts typed."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.change import Change
from bot.core.evidence import Case, Evidence, LedgerEntry
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.measured import BeyondThresholdFact, BreakdownFact, Family
from bot.core.facts.recorded import TemplateFact
from bot.core.metrics.deviation import Deviation
from bot.core.metrics.signal_names import family_of

ONSET = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
NOW = ONSET + timedelta(minutes=3)
CASE = Case(group="AL-1", service="front", alert_name="ErrorsHigh", severity="SEV2", started_at=ONSET + timedelta(seconds=60))


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def deviation(
    service: str,
    signal: str,
    before: float,
    after: float,
    *,
    doublings: float = 3.0,
    late: float = 0.0,
    family: Family | None = None,
    unit: str = "",
) -> Deviation:
    """A signal that moved `late` minutes after the onset; doublings 0 for one that did not."""
    onset = ONSET + minutes(late) if doublings > 0 else None
    direction = "up" if after >= before else "down"
    return Deviation(service, signal, family or family_of(signal), doublings, before, after, unit, onset, direction)  # type: ignore[arg-type]


def change(service: str, minutes_before: float, *, kind: str = "deploy", version: str = "", previous: str = "") -> Change:
    """A change this long before the onset (negative: after it)."""
    id = f"ci:{service}-{minutes_before:g}-{kind}"
    at = ONSET - minutes(minutes_before)
    fields = {"id": id, "at": at, "service": service, "kind": kind, "title": f"change of {service}"}
    return Change.model_validate({**fields, "version": version, "previous_version": previous})


def entry(
    number: int, tool: str, facts: EvidenceFacts, *, source: str = "prometheus", summary: str = "", **more: Any
) -> LedgerEntry:
    """One ledger entry `E<number>`; `more` are the tool's arguments."""
    evidence = Evidence(summary=summary or f"{tool} looked", query=f"{tool}()", source=source, facts=facts)
    return LedgerEntry(id=f"E{number}", group="AL-1", tool=tool, arguments=more, at=NOW, evidence=evidence)


def failed(number: int, tool: str, why: str, **arguments: Any) -> LedgerEntry:
    """A look that did not succeed."""
    evidence = Evidence(summary=f"Could not check ({tool}): {why}", query=f"{tool}()", source=tool, ok=False)
    return LedgerEntry(id=f"E{number}", group="AL-1", tool=tool, arguments=arguments, at=NOW, evidence=evidence)


class Ledger:
    """Collects entries with running ids."""

    def __init__(self) -> None:
        self.entries: list[LedgerEntry] = []

    def _add(self, tool: str, facts: EvidenceFacts, source: str = "prometheus", **arguments: Any) -> "Ledger":
        self.entries.append(entry(len(self.entries) + 1, tool, facts, source=source, **arguments))
        return self

    def health(self, service: str, *found: Deviation) -> "Ledger":
        quiet = Deviation(service, "cpu", "saturation", 0.0, 0.2, 0.2, "cores")
        facts = EvidenceFacts(deviations=tuple(d.as_fact() for d in (*found, quiet)), beyond=())
        return self._add("service_health", facts, service=service)

    def graph(self, service: str, *depends_on: str, callers: Iterable[str] = ()) -> "Ledger":
        facts = EvidenceFacts(depends_on=depends_on, dependents=tuple(callers))
        return self._add("dependencies", facts, source="catalogue", service=service)

    def changes(self, *found: Change) -> "Ledger":
        facts = EvidenceFacts(changes=found)
        return self._add("recent_changes", facts, source="changes", service="", hours=6)

    def breakdown(self, service: str, signal: str, label: str, **rows: tuple[float | None, float | None]) -> "Ledger":
        values = {name.replace("_", "."): levels for name, levels in rows.items()}
        parts = (BreakdownFact(labels={label: v}, before=b, after=a, share=0.5) for v, (b, a) in values.items())
        return self._add("metric_breakdown", EvidenceFacts(breakdown=tuple(parts)), service=service, signal=signal)

    def logs(self, service: str, template: str, count: int, before: int) -> "Ledger":
        facts = EvidenceFacts(templates=(TemplateFact(template=template, count=count, before=before),))
        return self._add("search_logs", facts, source="loki", service=service)

    def lines(self, service: str, *templates: TemplateFact) -> "Ledger":
        return self._add("search_logs", EvidenceFacts(templates=templates), source="loki", service=service)

    def beyond(self, service: str, *rows: BeyondThresholdFact) -> "Ledger":
        return self._add("service_health", EvidenceFacts(deviations=(), beyond=rows), service=service)

    def alerts(self, facts: EvidenceFacts) -> "Ledger":
        return self._add("active_alerts", facts, source="alerts", service="")

    def failed(self, tool: str, why: str, **arguments: Any) -> "Ledger":
        self.entries.append(failed(len(self.entries) + 1, tool, why, **arguments))
        return self


def failing_payments(*changes: Change) -> Ledger:
    """The front fails because payments fails; cart and the database are well."""
    return (
        Ledger()
        .health("front", deviation("front", "errors", 0.002, 0.3, unit="ratio"))
        .graph("front", "payments", "cart")
        .changes(*changes)
        .health("payments", deviation("payments", "errors", 0.001, 0.45, doublings=4, unit="ratio"))
        .graph("payments", "db", callers=["front"])
        .health("cart")
        .health("db")
    )
