"""What no message may say: each rule reads the text of one message beside the state it was made from."""

import re
from collections.abc import Iterable

from bot.core.messages.investigation import TriageContent
from bot.core.messages.triage_consistency import calls_normal, rounds_to_nothing
from bot.core.text.durations import duration_text

_AT = re.compile(r"(?:the onset|onset:?\*?|left the normal range) (?:at )?(\d\d:\d\d:\d\d) UTC", re.IGNORECASE)
_BEFORE = re.compile(r"at (\d\d:\d\d:\d\d) UTC, (\d+ (?:s|min|h)) before the onset")


def broken_rules(triage: TriageContent, text: str) -> list[str]:
    """Every rule that a message about this triage breaks, in words; empty if it contradicts nothing."""
    lines = text.splitlines()
    alerts = triage.facts.alerts if triage.facts else ()
    alerting = {triage.group.service, *(alert.service for alert in alerts)}
    return [
        *(f"tells a change that is none: {line}" for line in lines if rounds_to_nothing(line)),
        *(f"calls a service normal that alerts: {line}" for line in lines if calls_normal(line, alerting)),
        *_onsets(text),
        *_ages(triage, text),
        *_twice(triage),
        *(f"breaks a link: {line}" for line in lines if "hxxp" in line),
    ]


def _onsets(text: str) -> Iterable[str]:
    moments = set(_AT.findall(text))
    if len(moments) > 1:
        yield f"names {len(moments)} onsets: {sorted(moments)}"


def _ages(triage: TriageContent, text: str) -> Iterable[str]:
    """How long before the onset a change came is what lies between the two moments that are shown."""
    onset = triage.facts.onset if triage.facts else None
    if onset is None:
        return
    by_clock = {f"{change.at:%H:%M:%S}": change for change in triage.facts.changes} if triage.facts else {}
    for clock, length in _BEFORE.findall(text):
        if change := by_clock.get(clock):
            true = duration_text(onset.replace(microsecond=0) - change.at.replace(microsecond=0))
            if true != length:
                yield f"{change.id} came {true} before the onset, not {length}"


def _twice(triage: TriageContent) -> Iterable[str]:
    """A change stands among the causes or among what is ruled out."""
    findings = triage.findings
    if findings is None:
        return
    named = {cause.change_id for cause in findings.hypotheses} - {""}
    yield from (f"{c.change_id} is a cause and ruled out" for c in findings.ruled_out if c.change_id in named)
