"""Answers a question from what was recorded: the findings that speak about it, word for word, or that none does.

Nothing is concluded and nothing invented: an answer is lines that stand in the evidence, each with its id.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.core.asking import CAUSES, ONSET, TIMELINE, Asked, canonical, named_in, take_apart
from bot.core.evidence import Case, Claim, Evidence, Findings, LedgerEntry
from bot.core.retrieval import Ranking
from bot.core.text import one_line
from bot.core.timeline import TimelineEntry
from bot.core.verdict import judge
from bot.core.witness import unwitnessed

MOST_FINDINGS = 4
MOST_LINES = 3
"""Lines shown of one finding beside others."""
LINES_ALONE = 6
READ_LINES = 60
"""Lines read of one finding."""
NEAR_BEST = 0.4
"""Share of the best score that a finding needs to stand beside it."""
LINE = 300
OWN_RECORD = "timeline"
_ROWS = {"recent_changes": ("changes", "change"), "active_alerts": ("alerts", "alert")}
"""Looks at many services at once: where their rows stand, and what one is called."""
_OWN_WORDS = frozenset({"group", "triage", "system"})
"""Kinds of timeline entries in code's words alone. The others hold an alert's annotation, a title, a reason, what a system
answered."""
_WORDED = frozenset({CAUSES, ONSET, TIMELINE, "recent_changes", "code_changes", "active_alerts"})
"""What people or code put into words: unless it is asked for, what was measured comes first."""
_UNSEEING = frozenset({"read_runbook", "past_incidents", "dependencies"})
"""Looks that saw nothing of this incident: advice, and how things are built."""


class Finding(BaseModel):
    """Lines of one piece of evidence (or of a ranked cause, which cites several)."""

    model_config = ConfigDict(frozen=True)

    lines: list[str]
    evidence: list[str]
    foreign: bool = False
    """Users of the service can write it: shown as a quotation."""


class Answer(BaseModel):
    """What stands under a question."""

    model_config = ConfigDict(frozen=True)

    findings: list[Finding] = Field(default_factory=list)
    unseen: list[Finding] = Field(default_factory=list)
    """Looks on the subject that failed."""
    looked_at: list[str] = Field(default_factory=list)
    """Evidence ids of what was looked at, where nothing speaks about the question."""
    seen_at: datetime | None = None
    """When the newest of the evidence was seen: the answer is no younger."""
    by: Literal["code", "model"] = "code"
    note: str = ""
    model: str = ""
    tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0
    dropped: list[str] = Field(default_factory=list)
    """Claims of a model that the evidence does not carry, each with the reason."""


class Told(BaseModel):
    """What a model said, not judged yet."""

    claims: list[Claim] = Field(default_factory=list)
    model: str = ""
    stop_reason: str = ""
    """"answered", or why there is no answer."""
    tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True)
class Material:
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
        rows = (str(row.get("service") or "") for e in self.ledger for row in _rows(e.tool, e.evidence.facts))
        return frozenset(self.services) | (frozenset((*asked, *rows)) - {""})


@dataclass(frozen=True)
class _Piece:
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


def answer(question: str, material: Material) -> Answer:
    """The one to four findings that speak about the question, best first; `looked_at` says what was seen if none does."""
    asked = take_apart(question, material.names)
    ok = [entry for entry in material.ledger if entry.evidence.ok]
    scored = _scored(asked, list(_pieces(material, _newest(ok))))
    findings = [*_findings(scored), *_absent(asked, _newest(ok), scored)][:MOST_FINDINGS]
    return Answer(
        findings=findings,
        unseen=_unseen(asked, material, seen=bool(ok)),
        looked_at=[] if findings else [entry.id for entry in _newest(ok)],
        seen_at=max((entry.at for entry in ok), default=None),
    )


def citable(material: Material) -> list[LedgerEntry]:
    """The ledger, and the timeline's entries as evidence of their own: what a claim may cite."""
    return [*material.ledger, *(_as_evidence(entry, material.group) for entry in _told(material.timeline))]


def relevant_first(question: str, material: Material) -> list[LedgerEntry]:
    """What may be cited, that which speaks about the question first: a request has room for so much."""
    known = citable(material)
    speaking = answer(question, material)
    first = dict.fromkeys(id for finding in (*speaking.findings, *speaking.unseen) for id in finding.evidence)
    order = {id: place for place, id in enumerate(first)}
    return sorted(known, key=lambda entry: order.get(entry.id, len(order)))


# ---------------------------------------------------------------- what there is


def _newest(entries: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    """Of each look with the same arguments the last."""
    by_look = {(e.tool, json.dumps(dict(e.arguments), sort_keys=True, default=str)): e for e in entries}
    return sorted(by_look.values(), key=lambda entry: (entry.at, entry.id))


def _pieces(material: Material, entries: Iterable[LedgerEntry]) -> Iterator[_Piece]:
    names = material.names
    yield from _causes(material, names)
    if material.onset and material.onset_evidence:
        yield _Piece("onset", material.onset, ONSET, (material.onset_evidence,), named_in(material.onset, names), whole=True)
    for entry in entries:
        own = frozenset({str(entry.arguments.get("service") or "")}) - {""}
        found, foreign = entry.evidence, _written_by_others(entry)
        for text in (found.summary, *found.details[:READ_LINES]):
            about = named_in(text, names) or own
            whole = text is found.summary
            yield _Piece(entry.id, text, entry.tool, (entry.id,), about, foreign, whole)
    for event in _told(material.timeline):
        by = f" ({event.author})" if event.author else ""
        text = f"{event.at:%H:%M} UTC {event.text}{by}"
        foreign = event.kind not in _OWN_WORDS
        yield _Piece(event.id, text, TIMELINE, (event.id,), named_in(text, names), foreign, whole=True)


def _written_by_others(entry: LedgerEntry) -> bool:
    """Whether users, or authors of changes by a title, can have written words of it."""
    return entry.evidence.user_controllable or entry.evidence.source == "changes"


def _causes(material: Material, names: Iterable[str]) -> Iterator[_Piece]:
    found, by_id = material.findings, {entry.id: entry for entry in material.ledger}
    if found is None:
        return

    def foreign(text: str, ids: Iterable[str]) -> bool:
        return _foreign(text, [by_id[id] for id in ids if id in by_id], names)

    for number, one in enumerate(found.hypotheses, 1):
        ids = tuple(dict.fromkeys(id for claim in one.claims for id in claim.evidence))
        said = "; ".join(claim.text for claim in one.claims[:2])
        text = f"Cause {number}, {one.confidence}: {one.cause}" + (f" ({said})" if said else "")
        about = named_in(text, names) | (frozenset({one.service}) - {""})
        theirs = foreign(one.cause, ids) or any(foreign(claim.text, claim.evidence) for claim in one.claims[:2])
        yield _Piece(f"cause {number}", text, CAUSES, ids, about, theirs, whole=True)
    for number, claim in enumerate(found.ruled_out, 1):
        text, ids = f"Ruled out: {claim.text}", tuple(claim.evidence)
        about = named_in(text, names)
        yield _Piece(f"ruled out {number}", text, CAUSES, ids, about, foreign(claim.text, ids), whole=True)


def _told(timeline: Iterable[TimelineEntry]) -> list[TimelineEntry]:
    """What happened, without what the triage says of itself: that stands in its findings."""
    return [entry for entry in timeline if entry.kind not in ("triage", "system")]


def _as_evidence(entry: TimelineEntry, group: str) -> LedgerEntry:
    text = f"{entry.at:%Y-%m-%d %H:%M:%SZ} {entry.kind}: {entry.text}" + (f" ({entry.who})" if entry.who else "")
    told = Evidence(summary=text, query="timeline", source=OWN_RECORD, user_controllable=entry.kind not in _OWN_WORDS)
    return LedgerEntry(id=entry.id, group=group, tool=TIMELINE, at=entry.at, evidence=told)


def _rows(tool: str, facts: dict[str, Any]) -> list[dict[str, Any]]:
    """The changes or alerts that a look at many services lists."""
    name = _ROWS.get(tool, ("", ""))[0]
    return [row for row in facts.get(name) or () if isinstance(row, dict)]


# ---------------------------------------------------------------- what speaks about the question


def _scored(asked: Asked, pieces: Sequence[_Piece]) -> list[tuple[float, _Piece]]:
    """The pieces that speak about the question, best first."""
    fitting = [(place, piece) for place, piece in enumerate(pieces) if _speaks(asked, piece)]
    wanted = " ".join(sorted(asked.words))
    ranking = Ranking({str(place): " ".join(sorted(_words(piece))) for place, piece in enumerate(pieces)})
    likeness = {int(name): score for name, score in ranking.search(wanted, len(pieces))} if wanted else {}
    scored = [(likeness.get(place, 0.0) + _bonus(asked, piece), place, piece) for place, piece in fitting]
    return [(score, piece) for score, _, piece in sorted(scored, key=lambda one: (-one[0], one[1]))]


def _speaks(asked: Asked, piece: _Piece) -> bool:
    if asked.services and not asked.services & piece.about:
        return False
    if asked.is_open:
        return piece.source in ("cause 1", "onset") or (piece.tool == "recent_changes" and piece.whole)
    if asked.words and asked.words & _words(piece):
        return True
    if piece.tool == TIMELINE and asked.deeds and not asked.deeds & _words(piece):
        return False
    # A kind of look answers a question about that kind, unless words narrow it to something that it does not hold.
    return not asked.words and (piece.tool in asked.tools or not asked.tools)


def _words(piece: _Piece) -> frozenset[str]:
    return canonical(f"{piece.text} {piece.tool.replace('_', ' ')}")


def _bonus(asked: Asked, piece: _Piece) -> float:
    """A look of the kind that was asked for comes first, what was measured before advice, a summary before its details."""
    if asked.is_open:
        return 1.0  # as they come: causes, onset, changes
    kind = 1.0 if piece.tool in asked.tools else 0.0 if piece.tool in _UNSEEING else 0.6
    if kind < 1.0 and (piece.foreign or piece.tool in _WORDED):
        kind = min(kind, 0.3)
    if piece.tool == "service_health" and not (asked.words or asked.tools):
        kind += 0.2
    # Of ten services the one that moved is the answer; that the others are well is one where all are.
    return kind + (0.1 if piece.whole else 0.0) - (0.3 if "normal" in piece.text else 0.0)


def _findings(scored: Sequence[tuple[float, _Piece]]) -> list[Finding]:
    """The pieces of one source together, in the order of the best of each."""
    best = scored[0][0] if scored else 0.0
    by_source: dict[str, list[_Piece]] = {}
    for score, piece in scored:
        if score >= NEAR_BEST * best:
            by_source.setdefault(piece.source, []).append(piece)
    most = LINES_ALONE if len(by_source) == 1 else MOST_LINES
    return [_finding(pieces[:most]) for pieces in list(by_source.values())[:MOST_FINDINGS]]


def _finding(pieces: Sequence[_Piece]) -> Finding:
    lines = dict.fromkeys(one_line(text, LINE) for text in _told_once(pieces))
    return Finding(lines=list(lines), evidence=list(pieces[0].evidence), foreign=pieces[0].foreign)


def _told_once(pieces: Sequence[_Piece]) -> Iterator[str]:
    """A summary of ours tells its strongest signal as the line of that signal does: the line brings its bound alone."""
    sums = {p.text.partition(";")[0]: p.text for p in pieces if p.whole and not p.foreign}
    bounds = {signal: bound for p in pieces if not p.whole for signal, _, bound in (p.text.partition(" ["),) if signal in sums}
    for piece in pieces:
        signal = piece.text.partition(" [" if not piece.whole else ";")[0]
        if piece.whole and (bound := bounds.get(signal)):
            yield f"{signal} [{bound}{piece.text[len(signal) :]}"
        elif piece.whole or signal not in bounds:
            yield piece.text


def _absent(asked: Asked, entries: Sequence[LedgerEntry], scored: Sequence[tuple[float, _Piece]]) -> Iterator[Finding]:
    """That a list of many services holds nothing on the one that was asked about: also an answer."""
    if not asked.services or any(piece.tool in asked.tools for _, piece in scored):
        return
    for entry in entries:
        rows, (_, one) = _rows(entry.tool, entry.evidence.facts), _ROWS.get(entry.tool, ("", ""))
        wide = entry.tool in asked.tools and one and not entry.arguments.get("service")
        if wide and not any(row.get("service") in asked.services for row in rows):
            text = f"No {one} on {', '.join(sorted(asked.services))} in what was seen: {entry.evidence.summary}"
            yield Finding(lines=[one_line(text, LINE)], evidence=[entry.id], foreign=_written_by_others(entry))


def _unseen(asked: Asked, material: Material, *, seen: bool) -> list[Finding]:
    """Looks on the subject whose last try failed; all of them where nothing was `seen` at all."""
    names = material.names
    failed = [entry for entry in _newest(material.ledger) if not entry.evidence.ok]
    concerned = [entry for entry in failed if not seen or _concerns(asked, entry, names)]
    return [_finding([_Piece(e.id, e.evidence.summary, e.tool, (e.id,), frozenset())]) for e in concerned[:MOST_FINDINGS]]


def _concerns(asked: Asked, entry: LedgerEntry, names: Iterable[str]) -> bool:
    text = f"{entry.evidence.summary} {' '.join(map(str, entry.arguments.values()))}"
    about = named_in(text, names)
    if asked.services and about and not asked.services & about:
        return False
    kind = f"{entry.tool.replace('_', ' ')} {' '.join(map(str, entry.arguments.values()))}"
    fits = entry.tool in asked.tools or bool(asked.words & canonical(kind))
    return asked.is_open or fits or (bool(asked.services & about) and not asked.tools)


# ---------------------------------------------------------------- what a model said


def judged(by_code: Answer, told: Told, material: Material) -> Answer:
    """The model's claims that the evidence carries; else the answer of the code with what the model cost and why it stands."""
    spent = told.model_dump(include={"model", "tokens", "usd", "seconds"})
    known = citable(material)
    found = judge(Findings(ruled_out=told.claims), known, group=material.group)
    if not found.ruled_out:
        return by_code.model_copy(update={**spent, "note": _why_not(told), "dropped": found.dropped})
    by_id, names = {entry.id: entry for entry in known}, material.names
    findings = [
        Finding(
            lines=[one_line(claim.text, 400)],
            evidence=claim.evidence,
            foreign=_foreign(claim.text, [by_id[id] for id in claim.evidence], names),
        )
        for claim in found.ruled_out[:MOST_FINDINGS]
    ]
    update = {"findings": findings, "looked_at": [], "by": "model", "note": "", "dropped": found.dropped}
    return by_code.model_copy(update={**spent, **update})


def _foreign(text: str, cited: Sequence[LedgerEntry], services: Iterable[str]) -> bool:
    """Whether what cites this evidence is only what others can write: then it is shown as their words."""
    if not cited:
        return False
    by_users = all(entry.evidence.user_controllable for entry in cited)
    return by_users or (any(map(_written_by_others, cited)) and unwitnessed(text, cited, services))


def _why_not(told: Told) -> str:
    if told.claims:
        return "The evidence carries nothing of what the model said."
    if told.stop_reason == "answered":
        return "The model found nothing in the evidence that speaks about it."
    return f"Model not available ({told.stop_reason or 'no usable answer'})."
