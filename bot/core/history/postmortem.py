"""The postmortem draft: every generated sentence names the ids that it rests on; what people must write stays blank."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from bot.core.action import Decision, DecisionChoice, Proposal, ProposalState, VerificationState
from bot.core.alert import Severity
from bot.core.commands.declared_incident import began_at
from bot.core.evidence import Findings
from bot.core.history.past_incidents import ConfirmedCause
from bot.core.incident import AlertGroup, Incident
from bot.core.text.durations import decimal_minutes, elapsed_text
from bot.core.text.markdown import literal
from bot.core.text.moments import clock_of_day, clock_of_onset, date_and_clock, date_to_the_minute
from bot.core.text.untrusted import counted, one_line
from bot.core.timeline import EntryKind, TimelineEntry
from bot.core.tool_calls import without_lead

RAN = (
    ProposalState.EXECUTING,
    ProposalState.VERIFYING,
    ProposalState.SUCCEEDED,
    ProposalState.NOT_RECOVERED,
    ProposalState.COULD_NOT_VERIFY,
    ProposalState.FAILED,
    ProposalState.UNKNOWN,
)


class Sentence(BaseModel):
    """One generated sentence and the ids (`E3`, `T12`, `AP-1`, `AL-1`, `INC-1`) that it rests on; at least one."""

    model_config = ConfigDict(frozen=True)

    text: str
    sources: tuple[str, ...]


class PostmortemSection(BaseModel):
    """One part of the draft; `blank` is the prompt for people where nothing may be generated."""

    model_config = ConfigDict(frozen=True)

    title: str
    sentences: tuple[Sentence, ...] = ()
    blank: str = ""


class PostmortemRecord(BaseModel):
    """All that a draft is made from."""

    model_config = ConfigDict(frozen=True)

    incident: Incident
    group: AlertGroup | None = None
    timeline: tuple[TimelineEntry, ...] = ()
    findings: Findings | None = None
    onset: datetime | None = None
    """The first of the incident's outage, however the last attempt dated it."""
    onset_not_before: datetime | None = None
    """Nothing was measured from here until the onset; None where the samples tell when it began."""
    onset_evidence: str = ""
    signal: str = ""
    """Service and name of the signal that the onset was read from; "" where no metric shows it."""
    proposals: tuple[Proposal, ...] = ()
    decisions: tuple[Decision, ...] = ()
    impact: tuple[str, str] | None = None
    """The measured impact in words and its evidence id."""
    graph: str = ""
    """What the graph under the draft shows, in words; "" without one."""
    cause: ConfirmedCause | None = None
    """The cause that a person confirmed."""
    evidence: Mapping[str, str] = {}
    """Evidence id -> summary, for all evidence of the group."""
    unseen: Mapping[str, tuple[str, ...]] = {}
    """Evidence id -> what of it could not be checked, if anything."""

    @property
    def alerted(self) -> AlertGroup | None:
        """Its group, if an alert began it: to an incident that people declared some may have come later, or none."""
        return self.group if self.group and not self.group.declared and not self._declared_first else None

    @property
    def _declared_first(self) -> bool:
        by_person = self.incident.declared_by not in ("", "policy")
        return by_person and self.group is not None and self.group.opened_at == self.incident.declared_at

    @property
    def reported_at(self) -> datetime:
        """When the first alert came; without alerts the moment that the person who declared it named, or declared it."""
        if self.alerted:
            return self.alerted.opened_at
        return began_at(self.incident.title, self.incident.declared_at) or self.incident.declared_at


def is_needed(incident: Incident, *, executed: bool, human_minutes: float) -> bool:
    """Whether a draft comes by itself: SEV1/2, an executed action, or over 30 minutes of human work."""
    return incident.severity.at_least(Severity.SEV2) or executed or human_minutes > 30


_WHOLE_MINUTES = timedelta(minutes=10)
"""From here on a length of time is told in whole minutes: cut off, two minutes might be nearly three."""


def draft(record: PostmortemRecord) -> list[PostmortemSection]:
    """The sections in reading order."""
    considered = tuple(_considered(record))
    return [
        PostmortemSection(title="Summary", sentences=tuple(_summary(record))),
        PostmortemSection(title="Impact", sentences=tuple(_impact(record))),
        PostmortemSection(title="Timeline", sentences=tuple(_timeline(record.timeline))),
        PostmortemSection(title="Detection", sentences=tuple(_detection(record))),
        PostmortemSection(title="Root cause", sentences=tuple(_cause(record))),
        *([PostmortemSection(title="Other causes considered", sentences=considered)] if considered else []),
        PostmortemSection(title="Contributing factors", blank="What else made this possible?"),
        PostmortemSection(title="What went well, what went badly", blank="For the people who were there."),
        PostmortemSection(title="Actions taken", sentences=tuple(_actions(record))),
        PostmortemSection(title="Follow-ups", sentences=tuple(_follow_ups(record)), blank="Owner and date for each."),
        PostmortemSection(title="What could not be checked", sentences=tuple(_gaps(record))),
    ]


def _summary(m: PostmortemRecord) -> Iterable[Sentence]:
    incident = m.incident
    service = f" on {incident.service}" if incident.service else ""
    length = _length(m, end) if (end := _ended(m)) else "It is not over"
    text = f"{incident.severity}{service}: {one_line(incident.title, 200)}. {length}."
    yield Sentence(text=text, sources=(incident.ref,))
    if m.group and m.group.alerts:
        text = "One alert is all that came." if m.group.alerts == 1 else f"{m.group.alerts:,} alerts were grouped into one."
        yield Sentence(text=text, sources=(m.group.ref,))


def _length(m: PostmortemRecord, end: datetime) -> str:
    """From when it is counted stands beside it: a card counts from the first alert."""
    length, alerted = end - _began(m), m.group is not None and m.group.alerts > 0
    since = "from the onset" if _began(m) < m.reported_at else "from the first alert" if alerted else "as reported"
    text = elapsed_text(length) if length >= _WHOLE_MINUTES else decimal_minutes(length.total_seconds())
    if m.group and m.group.firing:
        return f"It was resolved by hand after {text}, {since}, while {counted(m.group.firing, 'alert')} fired"
    return f"It lasted {text}, {since}"


def _began(m: PostmortemRecord) -> datetime:
    return min(m.onset or m.reported_at, m.reported_at)


def _ended(m: PostmortemRecord) -> datetime | None:
    return (m.group.cleared_at if m.group else None) or m.incident.resolved_at


def _impact(m: PostmortemRecord) -> Iterable[Sentence]:
    if m.impact:
        text, evidence = m.impact
        yield Sentence(text=text, sources=(evidence,))
        if m.graph:
            yield Sentence(text=f"The graph shows {m.graph}", sources=(evidence, *_marked(m)))
    else:
        yield Sentence(text="Impact was not measured.", sources=(m.incident.ref,))


def graph_marks(m: PostmortemRecord) -> list[tuple[datetime, str]]:
    """What a graph of the incident should mark: what was run and how it ended, and when the alerts cleared."""
    actions = [(entry.at, label) for entry in _acts(m) if (label := one_line(entry.text.partition(":")[0], 32))]
    cleared = m.group.cleared_at if m.group else None
    if cleared == m.incident.resolved_at:
        # A person resolved it while alerts still fired.
        cleared = None
    return [*actions[:3], *([(cleared, "alerts cleared")] if cleared else [])]


def _acts(m: PostmortemRecord) -> list[TimelineEntry]:
    return [entry for entry in m.timeline if entry.kind is EntryKind.ACTION]


def _marked(m: PostmortemRecord) -> tuple[str, ...]:
    return (*(entry.id for entry in _acts(m)[:3]), *((m.group.ref,) if m.group else ()))


def _timeline(entries: Sequence[TimelineEntry]) -> Iterable[Sentence]:
    for entry in _once(entries):
        who = f" ({entry.author})" if entry.author else ""
        text = f"{date_and_clock(entry.at)} UTC — {one_line(entry.text, 300)}{who}"
        yield Sentence(text=text, sources=(entry.id, *entry.evidence))


def _once(entries: Sequence[TimelineEntry]) -> Iterable[TimelineEntry]:
    """Without what a later attempt of the triage found again: the same onset, the same first cause."""
    triaged = set[str]()
    for entry in entries:
        if entry.kind is not EntryKind.TRIAGE or entry.text not in triaged:
            yield entry
        if entry.kind is EntryKind.TRIAGE:
            triaged.add(entry.text)


def _detection(m: PostmortemRecord) -> Iterable[Sentence]:
    declared, alerted = m.incident.declared_at, m.alerted
    at, ref = (alerted.opened_at, alerted.ref) if alerted else (declared, m.incident.ref)
    # Whoever reads it weeks later learns the day here; what follows names its own where it is another.
    moment = f"{date_and_clock(at)} UTC"
    how = f"The first alert arrived at {moment}." if alerted else f"A person declared it at {moment}."
    yield Sentence(text=how, sources=(ref,))
    if m.onset and m.onset_evidence:
        before = "the first alert arrived" if alerted else "it was declared"
        # Dated after the alert it began with something else: how long the alert took is not known.
        least = "at least " if m.onset_not_before else ""
        ahead = f", {least}{elapsed_text(at - m.onset)} before {before}" if m.onset < at else ""
        onset = clock_of_onset(m.onset, m.onset_not_before) if m.onset_not_before else f"at {clock_of_day(m.onset, at)}"
        text = f"{m.signal or 'The signal'} left its normal range {onset}{ahead}."
        yield Sentence(text=text, sources=(m.onset_evidence, ref))
    if m.group:
        yield _acknowledged(m, m.group, at)


def _acknowledged(m: PostmortemRecord, group: AlertGroup, reported_at: datetime) -> Sentence:
    # The group's own moment is taken back when it fires again; the timeline keeps the first one.
    first = next((e for e in m.timeline if e.kind is EntryKind.GROUP and e.text.startswith("Acknowledged by ")), None)
    if at := first.at if first else group.acknowledged_at:
        source = first.id if first else group.ref
        return Sentence(text=f"It was acknowledged after {elapsed_text(at - reported_at)}.", sources=(source,))
    return Sentence(text="Nobody acknowledged it.", sources=(group.ref,))


def _cause(m: PostmortemRecord) -> Iterable[Sentence]:
    if m.cause:
        who = f"Confirmed by {one_line(m.cause.confirmed_by, 80)} at {clock_of_day(m.cause.at, m.reported_at)}"
        yield Sentence(text=f"{who}: {one_line(m.cause.text, 500)}", sources=(m.incident.ref,))
    elif m.incident.cause:
        yield Sentence(text=f"Confirmed by a person: {one_line(m.incident.cause, 500)}", sources=(m.incident.ref,))
    else:
        yield Sentence(text="Not confirmed by a person.", sources=(m.incident.ref,))
    first = m.findings.first_cause if m.findings else None
    if first is None:
        return
    cited = tuple(dict.fromkeys(e for claim in first.claims for e in claim.evidence if e in m.evidence))
    if cited:
        views = {"both": ", named by the AI model and the built-in analyst", "agent": ", named by the AI model"}
        ranked = f"Tocsin's first cause ({first.confidence_text}{views.get(first.named_by, '')})"
        same = m.cause is not None and m.cause.text == first.cause
        text = f"It was {ranked}." if same else f"{ranked}: {one_line(first.cause, 300)}"
        yield Sentence(text=text, sources=cited)
    for claim in first.claims:
        if cited := tuple(e for e in claim.evidence if e in m.evidence):
            yield Sentence(text=one_line(claim.text, 300), sources=cited)


def _considered(m: PostmortemRecord) -> Iterable[Sentence]:
    for other in (m.findings.hypotheses if m.findings else [])[1:]:
        cited = tuple(dict.fromkeys(e for c in other.claims for e in c.evidence if e in m.evidence))
        if cited:
            by = {"agent": " (AI model)", "analyst": " (built-in analyst)"}.get(other.named_by, "")
            yield Sentence(text=f"{other.confidence_text.capitalize()}{by}: {one_line(other.cause, 300)}", sources=cited)
    for claim in m.findings.ruled_out if m.findings else ():
        if cited := tuple(e for e in claim.evidence if e in m.evidence):
            yield Sentence(text=f"Ruled out: {one_line(claim.text, 300)}", sources=cited)


def _actions(m: PostmortemRecord) -> Iterable[Sentence]:
    ran = [p for p in m.proposals if p.state in RAN or p.steps_begun]
    for p in ran:
        approvals = [d for d in m.decisions if d.proposal == p.ref and d.verdict == DecisionChoice.APPROVE]
        who = ", ".join(f"{d.person} at {clock_of_day(d.at, m.reported_at)}" for d in approvals)
        how = f"approved by {who}" if who else "done by hand, without an approval"
        text = f"{one_line(p.title, 150)}: {how}; {p.state.value}{_result(p)}."
        yield Sentence(text=text, sources=(p.ref,))
    if not ran:
        yield Sentence(text="No action was executed through Tocsin.", sources=(m.incident.ref,))


def _result(p: Proposal) -> str:
    """What the signal showed, else what the call answered, in brackets; the state has the verdict already.

    Of a plan that ended early it is where, and what did not run.
    """
    if p.parts and p.state is not ProposalState.SUCCEEDED:
        return f" ({one_line(p.outcome, 200).rstrip('.')})" if p.outcome else ""
    verdict, _, figures = p.verification.partition(": ")
    measured = figures if verdict in set(VerificationState) else p.verification
    text = one_line(measured or p.outcome, 200).rstrip(".")
    return f" ({text})" if text else ""


def _follow_ups(m: PostmortemRecord) -> Iterable[Sentence]:
    if not m.incident.cause:
        yield Sentence(text="Confirm or correct the root cause.", sources=(m.incident.ref,))
    for p in m.proposals:
        if p.state is ProposalState.SUCCEEDED and p.undo:
            text = f"Still in force: {one_line(p.title, 120)}. Fix the cause before it is undone ({p.undo})."
            yield Sentence(text=text, sources=(p.ref,))
        if p.state in (ProposalState.UNKNOWN, ProposalState.COULD_NOT_VERIFY):
            yield Sentence(text=f"Find out what {one_line(p.title, 120)} did: {p.state.value}.", sources=(p.ref,))


def _gaps(m: PostmortemRecord) -> Iterable[Sentence]:
    sources: dict[str, list[str]] = {}
    for id, texts in m.unseen.items():
        for text in texts:
            sources.setdefault(one_line(without_lead(text), 300), []).append(id)
    yield from (Sentence(text=text, sources=tuple(dict.fromkeys(ids))) for text, ids in sources.items())
    if not m.unseen:
        text = "All checks succeeded." if m.evidence else "Nothing was checked."
        yield Sentence(text=text, sources=(m.incident.ref,))


def markdown(record: PostmortemRecord, sections: Sequence[PostmortemSection]) -> str:
    """The draft as Markdown; each sentence ends with its ids in brackets."""
    incident = record.incident
    lines = [
        f"# {incident.ref}: {literal(one_line(incident.title, 200))}",
        "",
        f"Severity {incident.severity} · service {literal(incident.service) or 'unknown'} · "
        f"declared {date_to_the_minute(incident.declared_at)} · led by {literal(incident.lead) or 'nobody'} · **draft**",
    ]
    for section in sections:
        lines += ["", f"## {section.title}", ""]
        lines += [f"- {literal(sentence.text)} [{', '.join(sentence.sources)}]" for sentence in section.sentences]
        if section.blank:
            lines.append(f"- _{section.blank}_")
    note = "Generated from the incident's record by Tocsin; ids in brackets can be looked up through its API."
    return "\n".join([*lines, "", f"_{note}_", ""])
