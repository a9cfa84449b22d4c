"""The facts that need no model: onset, what changed before it, related alerts, the runbook."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.core.change import Change
from bot.core.evidence import LedgerEntry
from bot.core.investigation.triage_facts import PriorChange
from bot.core.text.durations import age_text

FAMILIES = ("errors", "latency", "external", "saturation", "traffic")
"""Families of signals, the most telling first."""
ONSET_SLACK = timedelta(seconds=60)
"""A change this much after the estimated onset is still shown: onsets are good to about a minute."""


def deviations(entries: Iterable[LedgerEntry]) -> list[dict[str, Any]]:
    """All deviations that the evidence holds, each with the id of its evidence, the strongest first."""
    found = [{**row, "evidence": entry.id} for entry in entries for row in entry.evidence.facts.get("deviations", ())]
    return sorted(found, key=lambda row: -float(row.get("score") or 0.0))


def main_deviation(found: Sequence[Mapping[str, Any]], service: str) -> Mapping[str, Any] | None:
    """The deviation that shows the incident best: of the alerting service first, by family, then by strength."""

    def order(row: Mapping[str, Any]) -> tuple[bool, int, float]:
        family = row.get("family", "")
        return (row.get("service") != service, FAMILIES.index(family) if family in FAMILIES else 9, -float(row["score"]))

    candidates = [row for row in found if float(row.get("score") or 0.0) > 0 and row.get("onset")]
    return min(candidates, key=order, default=None)


def changes_before(
    entries: Iterable[LedgerEntry], *, onset: datetime, services: Mapping[str, int], most: int = 6
) -> list[PriorChange]:
    """Changes of the given services (name -> distance in calls) up to the onset, newest first, with their age."""
    shown: dict[str, PriorChange] = {}
    for entry in entries:
        for row in entry.evidence.facts.get("changes", ()):
            change = Change.model_validate(row)
            if change.at <= onset + ONSET_SLACK and (not services or change.service in services):
                age = age_text(onset - change.at)
                shown[change.id] = PriorChange(**change.model_dump(), evidence=entry.id, age_text=age)
    return sorted(shown.values(), key=lambda change: change.at, reverse=True)[:most]
