"""The facts that need no model: onset, what changed before it, related alerts, the runbook."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from bot.core.evidence import LedgerEntry
from bot.core.facts.measured import DeviationFact
from bot.core.investigation.triage_facts import PriorChange
from bot.core.metrics.signals import FAMILIES_BY_URGENCY
from bot.core.text.durations import age_text

SHOWN_AFTER_ONSET = timedelta(seconds=60)
"""A change this much after the estimated onset is still shown: onsets are good to about a minute."""


def main_deviation(deviations: Iterable[DeviationFact], service: str) -> DeviationFact | None:
    """The deviation that shows the incident best: of the alerting service first, by family, then by strength."""

    def order(fact: DeviationFact) -> tuple[bool, int, float]:
        urgency = FAMILIES_BY_URGENCY.index(fact.family) if fact.family in FAMILIES_BY_URGENCY else len(FAMILIES_BY_URGENCY)
        return fact.service != service, urgency, -fact.doublings

    return min((deviation for deviation in deviations if deviation.doublings > 0 and deviation.onset), key=order, default=None)


def changes_before(
    entries: Iterable[LedgerEntry], *, onset: datetime, services: Mapping[str, int], most: int = 6
) -> list[PriorChange]:
    """Changes of the given services (name -> distance in calls) up to the onset, newest first, with their age."""
    shown: dict[str, PriorChange] = {}
    for entry in entries:
        for change in entry.evidence.facts.changes or ():
            if change.at <= onset + SHOWN_AFTER_ONSET and (not services or change.service in services):
                age = age_text(onset - change.at)
                shown[change.id] = PriorChange(**change.model_dump(), evidence=entry.id, age_text=age)
    return sorted(shown.values(), key=lambda change: change.at, reverse=True)[:most]
