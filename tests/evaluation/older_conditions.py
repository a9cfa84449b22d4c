"""How often an older condition is blamed: a first cause of which all that deviates stood so since before the alert's onset."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bot.core.evidence import Case
from bot.core.metrics.deviation import Deviation
from bot.core.ranking.attribution import main_symptom
from bot.core.ranking.observations import OLDER_BY, Observations, observe
from tests.evaluation.world import Investigation

Judgement = Literal["older", "current", "not dated"]
"""Of a first cause; "not dated" where nothing measured of its service left its normal range at a known moment."""


def judgement_of(one: Investigation) -> Judgement:
    """Whether the first cause blames an older condition, by the onsets that the tools measured, whatever was ranked.

    Older is what left its normal range more than a quarter of an hour and two samples before the alert's own onset, or more
    than two samples before the fault where the set says when that began, and still deviates. A deviation without an onset is
    measured on the newest samples, so it is current; a resource may run out slowly, so it is never older.
    """
    service = one.findings.hypotheses[0].service if one.findings.hypotheses else ""
    observations = observe(one.ledger, alert=one.case.alert_name)
    deviating = [d for (name, _), d in observations.all_signals.items() if name == service and d.doublings > 0]
    if not any(d.onset for d in deviating):
        return "not dated"
    began, margin = (one.injected_at, timedelta()) if one.injected_at else (alert_onset(one.case, observations), OLDER_BY)
    return "older" if all(_is_older(d, began, margin) for d in deviating) else "current"


def alert_onset(case: Case, observations: Observations) -> datetime:
    """When the alerting service began to fail, never after the alert fired."""
    symptom = main_symptom(observations.signals.get(case.service, {}))
    return min(symptom.onset, case.started_at) if symptom and symptom.onset else case.started_at


def _is_older(deviation: Deviation, began: datetime, margin: timedelta) -> bool:
    slack = margin + timedelta(seconds=2 * deviation.step)
    return deviation.family != "saturation" and deviation.onset is not None and deviation.onset < began - slack


@dataclass
class Tally:
    """The judgements of all investigations of a set."""

    named: int = 0
    dated: int = 0
    older: int = 0
    by_injection: int = 0
    """Answers of incidents whose set says when the fault began."""

    def note(self, one: Investigation) -> None:
        """Count one investigation; one that names no cause blames nothing."""
        if one.findings.hypotheses:
            judgement = judgement_of(one)
            self.named += 1
            self.dated += judgement != "not dated"
            self.older += judgement == "older"
            self.by_injection += one.injected_at is not None

    def in_words(self) -> str:
        """One line; "" where no first cause has a dated deviation, as where only alerts speak."""
        if not self.dated:
            return ""
        share = f"{self.older / self.named:.2f}"
        counts = f"{self.older} of {self.named} answers, {self.dated} of them with a dated deviation"
        against = "the moment of injection" if self.by_injection else "the alert's onset"
        return f"an older condition is blamed first: {share} ({counts}; older than {against}; goal 0)"
