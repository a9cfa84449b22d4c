"""What of the record names the thing that a question is about, where nothing measures it: a cause, an alert, log lines.

That a line names it decides nothing: it is told as what it is, and whose words it holds.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from bot.core.evidence import Hypothesis, LedgerEntry
from bot.core.facts.recorded import TemplateFact
from bot.core.questions.answer_facts import cited_by
from bot.core.questions.parsing.subjects import Subject, names_subject
from bot.core.questions.parsing.topics import canonical, topics_of
from bot.core.questions.yes_no.question_reading import QuestionReading, ids_of
from bot.core.questions.yes_no.verdicts import ShortAnswer, Verdict, unknown
from bot.core.text.camel_case import separated
from bot.core.text.moments import clock
from bot.core.text.stemming import stem
from bot.core.timeline import EntryKind
from bot.core.tool_calls import UNKNOWN_TOOL, ToolRole, failure_of

_STATE_WORDS = """
    blocked broken dead dying empty exceeded exhausted expired expiring full gone hanging hung invalid issue leaking lost
    missing outage overloaded problem saturated slow stuck unreachable wrong"""
_STATES = frozenset(map(stem, _STATE_WORDS.split()))
"""How a thing may be: what names the thing without this word is still about it."""
_NAMED = (Subject.DATABASE, Subject.MEMORY, Subject.CPU, Subject.DISK, Subject.PROVIDER)
"""Subjects that a line names by other words than the question does: `OOMKilled`. Of a network or traffic every line tells."""
_LOG_ROLES = (ToolRole.LOGS, ToolRole.LOG_MIX)
_TRENDS = ("new", "surging", "steady")
"""Kinds of log line, those that tell most first. What vanished is not what happens."""
_ROUTINE = re.compile(r"\b(?:INFO|DEBUG|TRACE)\b")
CONFIRMED = " confirmed the cause: "
"""Stands in the timeline's entry between who confirmed it and the cause."""


def named_in_record(reading: QuestionReading) -> ShortAnswer | None:
    """A cause that names it, else what people confirmed, an alert, log lines or a failed check; None where nothing does."""
    named = _Named(reading)
    if not (named.words or named.subjects):
        return None
    return named.of_causes or named.of_people or named.of_alerts or named.of_logs or named.of_failed_checks


@dataclass(frozen=True)
class _Named:
    """The thing that one question is about, and the lines of the record that name it."""

    reading: QuestionReading
    words: frozenset[str] = field(init=False)
    """Canonical stems, all of which a line that names it holds."""

    def __post_init__(self) -> None:
        words = topics_of(self.reading.question, self.reading.facts.names, self.reading.facts.tools).words
        object.__setattr__(self, "words", words - _STATES or words)

    @property
    def subjects(self) -> Sequence[Subject]:
        return [subject for subject in _NAMED if subject in self.reading.subjects]

    def names(self, text: str, service: str = "") -> bool:
        """Whether a text, which is about a service by itself or by where it stands, names the thing."""
        services = self.reading.services
        if services and not services & (self.reading.named_in(text) | {service}):
            return False
        in_words = separated(text)
        if self.words and self.words <= canonical(in_words):
            return True
        return any(names_subject(subject, in_words) for subject in self.subjects)

    @cached_property
    def entries(self) -> Sequence[LedgerEntry]:
        """The newest first."""
        return list(reversed(self.reading.entries))

    def role(self, entry: LedgerEntry) -> ToolRole | None:
        return self.reading.facts.tools.get(entry.tool, UNKNOWN_TOOL).role

    @property
    def of_causes(self) -> ShortAnswer | None:
        findings = self.reading.facts.findings
        for number, hypothesis in enumerate(findings.hypotheses if findings else (), 1):
            if self.names(hypothesis.cause, hypothesis.service):
                return self._cause(number, hypothesis)
        return None

    def _cause(self, number: int, hypothesis: Hypothesis) -> ShortAnswer:
        ids, untrusted = cited_by(hypothesis.claims, hypothesis.cause, self.reading.facts)
        if hypothesis.confidence == "likely":
            text = f"Likely cause: {hypothesis.cause}"
            return ShortAnswer(verdict=Verdict.YES, text=text, evidence=ids, untrusted=untrusted)
        opening = f"Cause {number} names it, as {hypothesis.confidence_text}:"
        if hypothesis.confidence == "possible":
            certainty = "Possibly" if hypothesis.lead_status == "one of several" else "Probably"
            opening = f"{certainty}: cause {number} names it:"
        return unknown(hypothesis.cause, ids, untrusted=untrusted, opening=opening)

    @property
    def of_people(self) -> ShortAnswer | None:
        for entry in reversed(self.reading.facts.timeline):
            who, confirmed, cause = entry.text.partition(CONFIRMED)
            if entry.kind is EntryKind.INCIDENT and confirmed and self.names(cause):
                return unknown(cause, [entry.id], untrusted=True, opening=f"Not measured; {who} confirmed the cause:")
        return None

    @property
    def of_alerts(self) -> ShortAnswer | None:
        for entry in self.entries if self.reading.facts.tools else ():
            if self.role(entry) is ToolRole.ALERTS:
                lines = [line for line in entry.evidence.details if self.names(line)]
                if lines:
                    # The line of an alert holds its annotation; that of a count holds its name alone.
                    return unknown(max(lines, key=len), [entry.id], untrusted=True, opening="The alert says so:")
        for event in self.reading.facts.timeline:
            if event.kind is EntryKind.ALERT and self.names(event.text):
                return unknown(event.text, [event.id], untrusted=True, opening="The alert says so:")
        return None

    @property
    def of_logs(self) -> ShortAnswer | None:
        kinds = [(entry, kind) for entry in self.entries if self.role(entry) in _LOG_ROLES for kind in self._kinds(entry)]
        ranked = sorted(kinds, key=lambda pair: (_TRENDS.index(pair[1].trend), -pair[1].count))
        opening = "Not measured; the logs say:"
        if ranked:
            entry, kind = ranked[0]
            text = f"{_times(kind)}: {kind.example or kind.template}"
            return unknown(text, [entry.id], untrusted=True, opening=opening)
        for entry in self.entries:
            # What an older version stored has no kinds for code to read.
            if self.role(entry) in _LOG_ROLES and not entry.evidence.facts.templates:
                for line in entry.evidence.details:
                    if not line.startswith("vanished") and self.names(line, _service_of(entry)):
                        return unknown(line, [entry.id], untrusted=True, opening=opening)
        return None

    def _kinds(self, entry: LedgerEntry) -> Iterator[TemplateFact]:
        for kind in entry.evidence.facts.templates:
            routine = kind.trend == "steady" and _ROUTINE.search(kind.template)
            if kind.count and kind.trend in _TRENDS and not routine and self.names(kind.template, _service_of(entry)):
                yield kind

    @property
    def of_failed_checks(self) -> ShortAnswer | None:
        for entry in reversed(self.reading.failed):
            for line in entry.evidence.blind_spots:
                if self.words and self.names(line, _service_of(entry)):
                    _, why = failure_of(line) or ("", line)
                    opening = f"Not measured; a check at {clock(entry.at)} failed:"
                    return unknown(why, ids_of([entry]), opening=opening)
        return None


def _service_of(entry: LedgerEntry) -> str:
    return str(entry.arguments.get("service") or "")


def _times(kind: TemplateFact) -> str:
    times = "once" if kind.count == 1 else f"{kind.count:,} times"
    return f"{times}, {kind.trend}" if kind.trend != "steady" else times
