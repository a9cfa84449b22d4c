"""The facts that need no model: onset, what changed before it, related alerts, the runbook."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from bot.core.evidence import Case, LedgerEntry, MeasuredOnset, missed
from bot.core.facts.measured import DeviationFact
from bot.core.investigation.triage_facts import AlertCount, PastSummary, PriorChange, RunbookExcerpt, TriageFacts
from bot.core.metrics.signals import FAMILIES_BY_URGENCY
from bot.core.text.durations import age_text
from bot.core.text.figures import figure
from bot.core.text.moments import clock, clock_of_onset
from bot.core.tool_calls import ToolRole


def composed(
    case: Case,
    entries: Mapping[ToolRole, LedgerEntry],
    changes: Sequence[PriorChange],
    alerts: Iterable[AlertCount],
    graph: str = "",
) -> TriageFacts:
    """The facts of a case from what its first checks returned."""
    health, listed = entries[ToolRole.HEALTH], entries[ToolRole.CHANGES]
    deviations = sorted(health.evidence.facts.deviations, key=lambda deviation: -deviation.doublings)
    measured = main_deviation(deviations, case.service)
    onset = onset_of(case, measured, health.id)
    # The onset of another signal is told of that signal.
    main = measured if measured and onset and onset.signal == _name(measured) else None
    others = [deviation for deviation in deviations if deviation.doublings > 0 and deviation is not main]
    return TriageFacts(
        onset=onset.at if onset else None,
        onset_not_before=onset.not_before if onset else None,
        onset_text=_onset_text(case, onset, checked=health.evidence.ok),
        alert_at=case.alerted_at,
        declared=case.declared,
        beside=case.overlap_began_at is not None,
        signal=onset.signal if onset else "",
        onset_evidence=onset.evidence if onset else health.id,
        changes=tuple(changes),
        changes_evidence=listed.id,
        changes_ok=listed.evidence.ok,
        changes_partly=bool(missed([listed])),
        alerts=tuple(alerts),
        alerts_evidence=entries[ToolRole.ALERTS].id,
        runbook=_runbook(entries[ToolRole.RUNBOOK]),
        past=_past(entries[ToolRole.PAST_INCIDENTS]),
        graph=graph,
        main=_deviation_text(main, health.id) if main else "",
        levels=levels_text(main) if main else "",
        health=tuple(_deviation_text(deviation, health.id) for deviation in others if levels_text(deviation))[:4],
        not_checked=tuple(missed(entries.values())),
    )


def levels_text(deviation: DeviationFact) -> str:
    """`0.3 % → 46.7 %`; "" where both read alike: what rounds to nothing is no change to tell."""
    before, after = (math.nan if level is None else level for level in (deviation.before, deviation.after))
    levels = figure(before, deviation.unit), figure(after, deviation.unit)
    return "" if levels[0] == levels[1] else " → ".join(levels)


def _deviation_text(deviation: DeviationFact, evidence: str) -> str:
    """One deviation in words, with its evidence."""
    return f"{deviation.service} {deviation.signal} {levels_text(deviation)} ({evidence})".replace("  ", " ")


def onset_of(case: Case, main: DeviationFact | None, evidence: str) -> MeasuredOnset | None:
    """When the outage began: an attempt before may have dated it earlier, and one outage has one onset."""
    measured = _measured(main, main.onset, evidence) if main and main.onset else None
    # Of the same moment the one that says from when on nothing was measured.
    first = min(filter(None, (case.onset, measured)), key=lambda onset: (onset.at, onset.not_before is None), default=None)
    return first.model_copy(update={"signal": _name(main)}) if first and main and not first.signal else first


def _measured(main: DeviationFact, at: datetime, evidence: str) -> MeasuredOnset:
    return MeasuredOnset(at=at, not_before=main.not_before, signal=_name(main), evidence=evidence)


def _name(deviation: DeviationFact) -> str:
    return f"{deviation.service} {deviation.signal}"


def _onset_text(case: Case, onset: MeasuredOnset | None, *, checked: bool) -> str:
    if onset is None:
        at = clock(case.alerted_at)
        began = f"a person reports it since {at}" if case.declared else f"the first alert fired at {at}"
        return f"{'No metric shows the onset' if checked else 'The onset could not be checked'}; {began}"
    return f"{onset.signal or 'Metrics'} left the normal range {clock_of_onset(onset.at, onset.not_before)}"


def _runbook(entry: LedgerEntry) -> RunbookExcerpt | None:
    hits = entry.evidence.facts.runbooks
    if not entry.evidence.ok or not hits:
        return None
    passage = entry.evidence.details[0] if entry.evidence.details else ""
    return RunbookExcerpt(title=hits[0].title, link=entry.evidence.link, passage=passage, evidence=entry.id)


def _past(entry: LedgerEntry) -> PastSummary | None:
    """What people said caused incidents like this one; None if there was none."""
    if not entry.evidence.ok or not entry.evidence.facts.incidents:
        return None
    return PastSummary(text=entry.evidence.summary, evidence=entry.id)


SHOWN_AFTER_ONSET = timedelta(seconds=60)
"""A change this much after the estimated onset is still shown: onsets are good to about a minute."""


def main_deviation(deviations: Iterable[DeviationFact], service: str) -> DeviationFact | None:
    """The deviation that shows the incident best: of the alerting service first, by family, then by strength."""

    def order(fact: DeviationFact) -> tuple[bool, int, float]:
        urgency = FAMILIES_BY_URGENCY.index(fact.family) if fact.family in FAMILIES_BY_URGENCY else len(FAMILIES_BY_URGENCY)
        return fact.service != service, urgency, -fact.doublings

    return min((deviation for deviation in deviations if deviation.doublings > 0 and deviation.onset), key=order, default=None)


def changes_before(
    entries: Iterable[LedgerEntry],
    *,
    onset: datetime,
    services: Mapping[str, int],
    overlap_began_at: datetime | None = None,
    of: str = "onset",
    most: int = 6,
) -> list[PriorChange]:
    """Changes of the given services (name -> distance in calls) up to the onset, newest first, with their age.

    `of`: what began at that moment, in words, where no metric shows an onset.

    `overlap_began_at`: of an outage that began while another ran on, changes up to the alert are listed too.
    """
    latest = max(onset, overlap_began_at or onset) + SHOWN_AFTER_ONSET
    shown: dict[str, PriorChange] = {}
    for entry in entries:
        for change in entry.evidence.facts.changes or ():
            if change.at <= latest and (not services or change.service in services):
                beside = overlap_began_at and change.at > onset + SHOWN_AFTER_ONSET
                age = f"at {clock(change.at)}, while another outage ran" if beside else age_text(change.at, onset, of=of)
                shown[change.id] = PriorChange(**change.model_dump(), evidence=entry.id, age_text=age)
    return sorted(shown.values(), key=lambda change: change.at, reverse=True)[:most]
