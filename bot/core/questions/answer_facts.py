"""All that was recorded of one group or incident: the lines that may speak about a question, and what a claim may cite."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.core.evidence import Case, Evidence, Findings, LedgerEntry
from bot.core.questions.topics import CAUSES, ONSET, TIMELINE, named_in
from bot.core.text.moments import clock_to_the_minute, date_and_clock
from bot.core.timeline import EntryKind, TimelineEntry
from bot.core.verdict.corroboration import uncorroborated

READ_LINES = 60
"""Lines read of one finding."""
OWN_RECORD = "timeline"
WIDE = {"recent_changes": "change", "active_alerts": "alert"}
"""Looks at many services at once, and what one row of theirs is called."""
_OWN_WORDS = frozenset({EntryKind.GROUP, EntryKind.TRIAGE, EntryKind.SYSTEM})
"""Kinds of timeline entries in code's words alone. The others hold an alert's annotation, a title, a reason, what a system
answered."""


@dataclass(frozen=True)
class AnswerFacts:
    """All that was recorded of one group or incident."""

    ledger: Sequence[LedgerEntry] = ()
    findings: Findings | None = None
    timeline: Sequence[TimelineEntry] = ()
    onset: str = ""
    """The onset in words, and the evidence it stands on."""
    onset_evidence: str = ""
    services: Sequence[str] = ()
    """Names of the catalogue."""
    group: str = ""
    case: Case | None = None
    """What the newest attempt was asked, or would be; None without a group."""

    @property
    def names(self) -> frozenset[str]:
        """Every service that a question may name."""
        asked = (str(entry.arguments.get("service") or "") for entry in self.ledger)
        listed = (service for entry in self.ledger for service in services_listed(entry))
        return frozenset(self.services) | (frozenset((*asked, *listed)) - {""})


@dataclass(frozen=True)
class Piece:
    """Something recorded that may speak about a question: a line and whose it is."""

    source: str
    """Pieces of one source make one finding."""
    text: str
    tool: str
    evidence: tuple[str, ...]
    about: frozenset[str]
    foreign: bool = False
    whole: bool = False
    """The line that sums its source up."""


def citable(material: AnswerFacts) -> list[LedgerEntry]:
    """The ledger, and the timeline's entries as evidence of their own: what a claim may cite."""
    return [*material.ledger, *(_as_evidence(entry, material.group) for entry in _told(material.timeline))]


def newest(entries: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    """Of each look with the same arguments the last."""
    by_look = {(e.tool, json.dumps(dict(e.arguments), sort_keys=True, default=str)): e for e in entries}
    return sorted(by_look.values(), key=lambda entry: (entry.at, entry.id))


def pieces_of(material: AnswerFacts, entries: Iterable[LedgerEntry]) -> Iterator[Piece]:
    """Causes and onset first, then these entries, then the timeline."""
    names = material.names
    yield from _causes(material, names)
    if material.onset and material.onset_evidence:
        yield Piece("onset", material.onset, ONSET, (material.onset_evidence,), named_in(material.onset, names), whole=True)
    for entry in entries:
        own = frozenset({str(entry.arguments.get("service") or "")}) - {""}
        found, foreign = entry.evidence, written_by_others(entry)
        for text in (found.summary, *found.details[:READ_LINES]):
            about = named_in(text, names) or own
            whole = text is found.summary
            yield Piece(entry.id, text, entry.tool, (entry.id,), about, foreign, whole)
    for event in _told(material.timeline):
        by = f" ({event.author})" if event.author else ""
        text = f"{clock_to_the_minute(event.at)} {event.text}{by}"
        foreign = event.kind not in _OWN_WORDS
        yield Piece(event.id, text, TIMELINE, (event.id,), named_in(text, names), foreign, whole=True)


def written_by_others(entry: LedgerEntry) -> bool:
    """Whether users, or authors of changes by a title, can have written words of it."""
    return entry.evidence.user_controllable or entry.evidence.source == "changes"


def is_foreign(text: str, cited: Sequence[LedgerEntry], services: Iterable[str]) -> bool:
    """Whether what cites this evidence is only what others can write: then it is shown as their words."""
    if not cited:
        return False
    by_users = all(entry.evidence.user_controllable for entry in cited)
    return by_users or (any(map(written_by_others, cited)) and uncorroborated(text, cited, services))


def services_listed(entry: LedgerEntry) -> frozenset[str]:
    """The services of the changes or alerts that a call over many services lists; "" for what is of none."""
    facts = entry.evidence.facts
    changed, alerting = (row.service for row in facts.changes or ()), (row.service for row in facts.alerts or ())
    return frozenset((*changed, *alerting))


def _causes(material: AnswerFacts, names: Iterable[str]) -> Iterator[Piece]:
    found, by_id = material.findings, {entry.id: entry for entry in material.ledger}
    if found is None:
        return

    def foreign(text: str, ids: Iterable[str]) -> bool:
        return is_foreign(text, [by_id[id] for id in ids if id in by_id], names)

    for number, one in enumerate(found.hypotheses, 1):
        ids = tuple(dict.fromkeys(id for claim in one.claims for id in claim.evidence))
        said = "; ".join(claim.text for claim in one.claims[:2])
        text = f"Cause {number}, {one.confidence}: {one.cause}" + (f" ({said})" if said else "")
        about = named_in(text, names) | (frozenset({one.service}) - {""})
        theirs = foreign(one.cause, ids) or any(foreign(claim.text, claim.evidence) for claim in one.claims[:2])
        yield Piece(f"cause {number}", text, CAUSES, ids, about, theirs, whole=True)
    for number, claim in enumerate(found.ruled_out, 1):
        text, ids = f"Ruled out: {claim.text}", tuple(claim.evidence)
        about = named_in(text, names)
        yield Piece(f"ruled out {number}", text, CAUSES, ids, about, foreign(claim.text, ids), whole=True)


def _told(timeline: Iterable[TimelineEntry]) -> list[TimelineEntry]:
    """What happened, without what the triage says of itself: that stands in its findings."""
    return [entry for entry in timeline if entry.kind not in (EntryKind.TRIAGE, EntryKind.SYSTEM)]


def _as_evidence(entry: TimelineEntry, group: str) -> LedgerEntry:
    text = f"{date_and_clock(entry.at)}Z {entry.kind}: {entry.text}" + (f" ({entry.who})" if entry.who else "")
    told = Evidence(summary=text, query="timeline", source=OWN_RECORD, user_controllable=entry.kind not in _OWN_WORDS)
    return LedgerEntry(id=entry.id, group=group, tool=TIMELINE, at=entry.at, evidence=told)
