"""All that was recorded of one group or incident: the lines that may answer a question, and what a claim may cite."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.action import Decision, ProposalState
from bot.core.approvals.roster import OnCallNow
from bot.core.evidence import Case, Claim, Evidence, Findings, Hypothesis, LedgerEntry
from bot.core.incident import GroupState
from bot.core.questions.parsing.topics import CAUSES, ONSET, TIMELINE, named_in
from bot.core.text.moments import clock_to_the_minute, date_and_clock
from bot.core.timeline import EntryKind, TimelineEntry
from bot.core.tool_calls import UNKNOWN_TOOL, Basis, ToolInfo, Tools
from bot.core.verdict.corroboration import uncorroborated

READ_LINES = 60
"""Lines read of one piece of evidence."""
OWN_RECORD = "timeline"
RECORD = ToolInfo(basis=Basis.REPORTED)
"""What is recorded beside the evidence of tools: causes, the onset, the timeline."""
_WORDED_BY_CODE = frozenset({EntryKind.GROUP, EntryKind.TRIAGE, EntryKind.SYSTEM})
"""Kinds of timeline entries in words of code alone. The others hold an annotation, a title, a reason, a system's answer."""


@dataclass(frozen=True)
class WaitingProposal:
    """A proposal that waits for people, and who may approve it, in words."""

    ref: str
    text: str


@dataclass(frozen=True)
class ProposalRecord:
    """What became of a proposal."""

    ref: str
    title: str
    state: ProposalState
    decisions: Sequence[Decision] = ()
    """Of its newest revision, oldest first."""
    outcome: str = ""
    verification: str = ""
    steps_begun: int = 0


@dataclass(frozen=True)
class IncidentStatus:
    """Of the group or incident that a question is about: how severe it is, since when it fires or when that ended, and who
    works on it. Among several that are open, each is an `OpenState`."""

    severity: str
    began_at: datetime
    """When the first alert of the outage fired, or since when a person reports it."""
    now: datetime
    """When this was read."""
    ended_at: datetime | None = None
    """When the last of its alerts ended; None while one fires."""
    end_confirmed: bool = True
    """False where the alerts are not reported any more since Prometheus could not be read or does not measure their service."""
    unmeasured: str = ""
    """The service that is not measured since then."""
    resolved_at: datetime | None = None
    resolved_by: str = ""
    """A person, or "policy"."""
    incident: str = ""
    """`INC-n` once declared."""
    incident_severity: str = ""
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    commander: str = ""
    """Who leads the incident."""


@dataclass(frozen=True)
class AnswerFacts:
    """All that was recorded of one group or incident."""

    ledger: Sequence[LedgerEntry] = ()
    findings: Findings | None = None
    timeline: Sequence[TimelineEntry] = ()
    onset: str = ""
    """The onset in words."""
    onset_evidence: str = ""
    """Id of the evidence that the onset stands on."""
    services: Collection[str] = ()
    """Names of the catalogue."""
    group: str = ""
    case: Case | None = None
    """The case of the newest attempt, or of the next one; None without a group."""
    tools: Tools = field(default_factory=dict)
    group_state: GroupState | None = None
    firing: int = 0
    """Alerts of the group that fire now."""
    status: IncidentStatus | None = None
    proposals: Sequence[WaitingProposal] = ()
    proposal_records: Sequence[ProposalRecord] = ()
    """All of them, also those that were decided, oldest first."""
    holds: Sequence[str] | None = None
    """What holds automated actions back here now, each in words; None where that was not read."""
    on_call: OnCallNow | None = None
    """Whom to call about the service meant; None where no rota was asked for, which is only for a question about them."""

    @property
    def first_cause(self) -> Hypothesis | None:
        """The likeliest hypothesis, however sure it is; None where nothing is ranked."""
        return self.findings.first_cause if self.findings else None

    @property
    def likely_cause(self) -> Hypothesis | None:
        """The first cause where it is called likely."""
        return self.findings.likely_cause if self.findings else None

    @property
    def own_service(self) -> str:
        """The service that alerts; "" where none is known."""
        return self.case.service if self.case else ""

    @property
    def is_over(self) -> bool:
        """Whether no alert of it fires any more: what was measured while it did is not how things are."""
        return self.group_state in (GroupState.RESOLVED, GroupState.MONITORING)

    @property
    def names(self) -> frozenset[str]:
        """Every service that a question may name."""
        checked = (str(entry.arguments.get("service") or "") for entry in self.ledger)
        listed = (service for entry in self.ledger for service in services_listed(entry))
        return frozenset(self.services) | (frozenset((*checked, *listed)) - {""})


@dataclass(frozen=True)
class RecordedLine:
    """One recorded line that may answer a question, and where it stands."""

    source: str
    """Lines of one source make one finding."""
    text: str
    tool: str
    evidence: tuple[str, ...]
    about: frozenset[str]
    untrusted: bool = False
    whole: bool = False
    """True for the summary of its source."""
    info: ToolInfo = RECORD
    """Of its tool."""


def citable(facts: AnswerFacts, *, notes: bool = False) -> list[LedgerEntry]:
    """The ledger, and the timeline's entries as evidence of their own: what a claim may cite.

    What people wrote is no evidence of what happened: `notes` belong to it only where the question is about them.
    """
    return [*facts.ledger, *(_as_evidence(entry, facts.group) for entry in _events(facts.timeline, notes=notes))]


def newest_entries(entries: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    """Of each call of a tool with the same arguments the last."""
    by_call = {(e.tool, json.dumps(dict(e.arguments), sort_keys=True, default=str)): e for e in entries}
    return sorted(by_call.values(), key=lambda entry: (entry.at, entry.id))


def recorded_lines(facts: AnswerFacts, entries: Iterable[LedgerEntry], *, notes: bool = False) -> Iterator[RecordedLine]:
    """Causes and onset first, then these entries, then the timeline; `notes`: as of `citable`."""
    names = facts.names
    yield from _causes(facts, names)
    if facts.onset and facts.onset_evidence:
        yield RecordedLine("onset", facts.onset, ONSET, (facts.onset_evidence,), named_in(facts.onset, names), whole=True)
    for entry in entries:
        own = frozenset({str(entry.arguments.get("service") or "")}) - {""}
        evidence, untrusted, info = entry.evidence, written_by_others(entry), facts.tools.get(entry.tool, UNKNOWN_TOOL)
        for text in (evidence.summary, *evidence.details[:READ_LINES]):
            about = named_in(text, names) or own
            whole = text is evidence.summary
            yield RecordedLine(entry.id, text, entry.tool, (entry.id,), about, untrusted, whole, info)
    for event in _events(facts.timeline, notes=notes):
        by = f" ({event.author})" if event.author else ""
        text = f"{clock_to_the_minute(event.at)} {event.text}{by}"
        untrusted = event.kind not in _WORDED_BY_CODE
        yield RecordedLine(event.id, text, TIMELINE, (event.id,), named_in(text, names), untrusted, whole=True)


def written_by_others(entry: LedgerEntry) -> bool:
    """Whether users, or authors of changes in a title, may have written words of it."""
    return entry.evidence.user_controllable or entry.evidence.source == "changes"


def is_untrusted(text: str, cited: Sequence[LedgerEntry], services: Iterable[str]) -> bool:
    """Whether a text that cites this evidence holds only what others can write: then it is shown as a quotation."""
    if not cited:
        return False
    by_users = all(entry.evidence.user_controllable for entry in cited)
    return by_users or (any(map(written_by_others, cited)) and uncorroborated(text, cited, services))


def cited_by(claims: Iterable[Claim], text: str, facts: AnswerFacts) -> tuple[list[str], bool]:
    """The ids that claims cite, each once, and whether a text that rests on these holds only what others can write."""
    ids = list(dict.fromkeys(id for claim in claims for id in claim.evidence))
    return ids, is_untrusted(text, [entry for entry in facts.ledger if entry.id in ids], facts.names)


def services_listed(entry: LedgerEntry) -> frozenset[str]:
    """The services of the changes or alerts that an entry lists; "" for those of no service."""
    facts = entry.evidence.facts
    changed, alerting = (row.service for row in facts.changes or ()), (row.service for row in facts.alerts or ())
    return frozenset((*changed, *alerting))


def _causes(facts: AnswerFacts, names: Iterable[str]) -> Iterator[RecordedLine]:
    findings, by_id = facts.findings, {entry.id: entry for entry in facts.ledger}
    if findings is None:
        return

    def untrusted(text: str, ids: Iterable[str]) -> bool:
        return is_untrusted(text, [by_id[id] for id in ids if id in by_id], names)

    for number, hypothesis in enumerate(findings.hypotheses, 1):
        ids = tuple(dict.fromkeys(id for claim in hypothesis.claims for id in claim.evidence))
        claims = "; ".join(claim.text for claim in hypothesis.claims[:2])
        text = f"Cause {number}, {hypothesis.confidence_text}: {hypothesis.cause}" + (f" ({claims})" if claims else "")
        about = named_in(text, names) | (frozenset({hypothesis.service}) - {""})
        quoted = untrusted(hypothesis.cause, ids) or any(
            untrusted(claim.text, claim.evidence) for claim in hypothesis.claims[:2]
        )
        yield RecordedLine(f"cause {number}", text, CAUSES, ids, about, quoted, whole=True)
    for number, claim in enumerate(findings.ruled_out, 1):
        text, ids = f"Ruled out: {claim.text}", tuple(claim.evidence)
        about = named_in(text, names)
        yield RecordedLine(f"ruled out {number}", text, CAUSES, ids, about, untrusted(claim.text, ids), whole=True)


def _events(timeline: Iterable[TimelineEntry], *, notes: bool) -> list[TimelineEntry]:
    """What happened, without the entries of the triage: its findings hold the same."""
    left_out = {EntryKind.TRIAGE, EntryKind.SYSTEM, *(() if notes else (EntryKind.NOTE,))}
    return [entry for entry in timeline if entry.kind not in left_out]


def _as_evidence(entry: TimelineEntry, group: str) -> LedgerEntry:
    text = f"{date_and_clock(entry.at)}Z {entry.kind}: {entry.text}" + (f" ({entry.who})" if entry.who else "")
    evidence = Evidence(summary=text, query="timeline", source=OWN_RECORD, user_controllable=entry.kind not in _WORDED_BY_CODE)
    return LedgerEntry(id=entry.id, group=group, tool=TIMELINE, at=entry.at, evidence=evidence)
