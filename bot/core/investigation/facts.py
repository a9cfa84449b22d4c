"""The facts that need no model: onset, what changed before it, related alerts, the runbook."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from bot.core.evidence import LedgerEntry
from bot.core.facts.measured import DeviationFact
from bot.core.investigation.triage_facts import PriorChange
from bot.core.text.durations import age_text

FAMILIES = ("errors", "latency", "external", "saturation", "traffic")
"""Families of signals, the most telling first."""
ONSET_SLACK = timedelta(seconds=60)
"""A change this much after the estimated onset is still shown: onsets are good to about a minute."""


def main_deviation(deviations: Iterable[DeviationFact], service: str) -> DeviationFact | None:
    """The deviation that shows the incident best: of the alerting service first, by family, then by strength."""

    def order(one: DeviationFact) -> tuple[bool, int, float]:
        return (one.service != service, FAMILIES.index(one.family) if one.family in FAMILIES else 9, -one.doublings)

    return min((one for one in deviations if one.doublings > 0 and one.onset), key=order, default=None)


def changes_before(
    entries: Iterable[LedgerEntry], *, onset: datetime, services: Mapping[str, int], most: int = 6
) -> list[PriorChange]:
    """Changes of the given services (name -> distance in calls) up to the onset, newest first, with their age."""
    shown: dict[str, PriorChange] = {}
    for entry in entries:
        for change in entry.evidence.facts.changes or ():
            if change.at <= onset + ONSET_SLACK and (not services or change.service in services):
                age = age_text(onset - change.at)
                shown[change.id] = PriorChange(**change.model_dump(), evidence=entry.id, age_text=age)
    return sorted(shown.values(), key=lambda change: change.at, reverse=True)[:most]
