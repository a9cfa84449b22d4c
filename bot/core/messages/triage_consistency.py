"""The gate before a triage is shown: what contradicts the rest of it, or tells no change at all, is not told.

One message gives one account: one onset, each change once, no level that reads alike before and after, and no service that
alerts called normal. What is left out here stays in the record.
"""

import re
from collections.abc import Callable, Iterable, Set
from datetime import datetime, timedelta
from functools import partial

from bot.core.evidence import Claim, Findings, Hypothesis
from bot.core.investigation.triage_facts import TriageFacts
from bot.core.messages.investigation import TriageContent
from bot.core.text.durations import age_text
from bot.core.text.moments import clock, clock_of_onset

_FIGURE = r"(\d[\d.,e+]*(?: ?(?:%|ms|µs|s|min|h|[KMGT]?i?B|[a-z]+(?:/s)?))?)"
_LEVELS = re.compile(rf"(?:from )?{_FIGURE}(?: to | → |, then ){_FIGURE}(?![\w.])")
_NORMAL = re.compile(r"(?:nothing of (\S+) left its normal range|(\S+): \d+ signals? (?:looks? normal|stayed within))")

ANOTHER = timedelta(minutes=2)
"""A signal that left its normal range so long before the alert did so in an outage before."""

Holds = Callable[[str], bool]


def without_contradictions(triage: TriageContent) -> TriageContent:
    """The triage with what may be shown of it."""
    facts, findings, alerting = triage.facts, triage.findings, _alerting(triage)

    def holds(text: str) -> bool:
        return not rounds_to_nothing(text) and not calls_normal(text, alerting)

    if findings:
        findings = _findings(findings, holds)
    if facts:
        opened_at = triage.group.opened_at if facts.beside else None
        facts = with_one_onset(_facts(facts, holds), findings, triage.started_at or opened_at, triage.earlier_onset)
    return _replaced(triage, facts, findings)


def rounds_to_nothing(text: str) -> bool:
    """Whether a sentence tells a change whose figures read alike: `from 24.2 ms to 24.2 ms`."""
    levels = _LEVELS.findall(text)
    return bool(levels) and all(before == after for before, after in levels)


def calls_normal(text: str, alerting: Set[str]) -> bool:
    """Whether a sentence calls a service normal that has alerts."""
    return any(service in alerting for match in _NORMAL.findall(text) for service in match)


def _alerting(triage: TriageContent) -> Set[str]:
    of_facts = {alert.service for alert in triage.facts.alerts} if triage.facts else set()
    return (of_facts | {triage.group.service}) - {""}


def _findings(findings: Findings, holds: Holds) -> Findings:
    ruled_out = [claim for claim in findings.ruled_out if holds(claim.text)]
    cleared = {claim.change_id for claim in ruled_out} - {""}
    # A change that is ruled out is named there, with what clears it.
    causes = [cause for cause in findings.hypotheses if not (cause.confidence == "unlikely" and cause.change_id in cleared)]
    update = {
        "hypotheses": [_cause(cause, holds) for cause in causes],
        "ruled_out": ruled_out,
        "because": _true_claims(findings.because, holds),
    }
    return findings.model_copy(update=update)


def _cause(cause: Hypothesis, holds: Holds) -> Hypothesis:
    return cause.model_copy(update={"claims": _true_claims(cause.claims, holds), "against": _true_claims(cause.against, holds)})


def _true_claims(claims: Iterable[Claim], holds: Holds) -> list[Claim]:
    return [claim for claim in claims if holds(claim.text)]


def _facts(facts: TriageFacts, holds: Holds) -> TriageFacts:
    main = facts.main if holds(facts.main) else ""
    return facts.model_copy(update={"main": main, "health": tuple(line for line in facts.health if holds(line))})


def with_one_onset(
    facts: TriageFacts, findings: Findings | None, started_at: datetime | None = None, earlier_onset: datetime | None = None
) -> TriageFacts:
    """The facts as the onset has them that the causes were ranked by: the sentence about it, and the ages of the changes.

    `started_at`: of the first alert since the group is about something new, or of a group that opened beside another. Where the
    signal left its range long before, in an outage that was there already, the sentence says both. `earlier_onset`: what was
    told of the outage before: its onset does not move because it is measured once more.
    """
    ranked = findings.onset if findings else None
    # Where no metric answers the ranking counts from the alert: that moment is none at which a metric moved.
    if ranked and not (facts.onset is None and _same_second(ranked, facts.alert_at)):
        same = _same_second(ranked, facts.onset)
        facts = facts.model_copy(update={"onset": ranked, "onset_not_before": facts.onset_not_before if same else None})
    if facts.onset is None:
        return facts
    service, _, signal = facts.signal.partition(" ")
    levels = f": {signal} {facts.levels}" if signal and facts.levels else ""
    moment = clock_of_onset(facts.onset, facts.onset_not_before)
    text = f"{service if levels else facts.signal} left the normal range {moment}{levels}"
    if not service:
        text = _measured_later(facts, facts.onset)
    ages = partial(_age, onset=facts.onset, not_before=facts.onset_not_before)
    if service and signal and started_at and started_at - facts.onset > ANOTHER:
        same = earlier_onset is not None and abs(facts.onset - earlier_onset) <= ANOTHER
        since = earlier_onset if earlier_onset and same else facts.onset
        text = f"{service} alerts since {clock(started_at)}; {signal} out of range earlier, from {clock(since)}"
        # That onset is the other outage's: against it the change behind this one came too late.
        ages = partial(age_text, onset=started_at, of="the alert")
    changes = tuple(c.model_copy(update={"age_text": ages(c.at)}) for c in facts.changes)
    return facts.model_copy(update={"onset_text": text, "changes": changes})


def _age(at: datetime, onset: datetime, not_before: datetime | None) -> str:
    """As `age_text`; of what came while nothing was measured the longest that it may be."""
    text = age_text(at, onset)
    return f"at most {text}" if not_before and not_before < at and text.endswith("before onset") else text


def _same_second(one: datetime, other: datetime | None) -> bool:
    return other is not None and one.replace(microsecond=0) == other.replace(microsecond=0)


def _measured_later(facts: TriageFacts, onset: datetime) -> str:
    """The sentence where the onset was measured after the facts stood, while the causes were ranked."""
    began = "reported since" if facts.declared else "first alert at"
    alert = f"; {began} {clock(facts.alert_at)}" if facts.alert_at else ""
    return f"Metrics left the normal range at {clock(onset)}{alert}"


def _replaced(triage: TriageContent, facts: TriageFacts | None, findings: Findings | None) -> TriageContent:
    return TriageContent(**{**vars(triage), "facts": facts, "findings": findings})
