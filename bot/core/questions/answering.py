"""Answers a question from what was recorded: the findings that speak about it, word for word, or that none does.

Nothing is concluded and nothing invented: an answer is lines that stand in the evidence, each with its id.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.core.evidence import Claim, Findings, LedgerEntry
from bot.core.questions.answer_facts import (
    WIDE,
    AnswerFacts,
    Piece,
    citable,
    is_foreign,
    newest,
    pieces_of,
    services_listed,
    written_by_others,
)
from bot.core.questions.retrieval import Ranking
from bot.core.questions.topics import CAUSES, ONSET, TIMELINE, Asked, canonical, named_in, take_apart
from bot.core.text.untrusted import one_line
from bot.core.verdict.verdict import judge

MOST_FINDINGS = 4
MOST_LINES = 3
"""Lines shown of one finding beside others."""
LINES_ALONE = 6
NEAR_BEST = 0.4
"""Share of the best score that a finding needs to stand beside it."""
LINE = 300
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


class QuestionAnswer(BaseModel):
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


def answer(question: str, material: AnswerFacts) -> QuestionAnswer:
    """The one to four findings that speak about the question, best first; `looked_at` says what was seen if none does."""
    asked = take_apart(question, material.names)
    ok = [entry for entry in material.ledger if entry.evidence.ok]
    scored = _scored(asked, list(pieces_of(material, newest(ok))))
    findings = [*_findings(scored), *_absent(asked, newest(ok), scored)][:MOST_FINDINGS]
    return QuestionAnswer(
        findings=findings,
        unseen=_unseen(asked, material, seen=bool(ok)),
        looked_at=[] if findings else [entry.id for entry in newest(ok)],
        seen_at=max((entry.at for entry in ok), default=None),
    )


def relevant_first(question: str, material: AnswerFacts) -> list[LedgerEntry]:
    """What may be cited, that which speaks about the question first: a request has room for so much."""
    known = citable(material)
    speaking = answer(question, material)
    first = dict.fromkeys(id for finding in (*speaking.findings, *speaking.unseen) for id in finding.evidence)
    order = {id: place for place, id in enumerate(first)}
    return sorted(known, key=lambda entry: order.get(entry.id, len(order)))


# ---------------------------------------------------------------- what speaks about the question


def _scored(asked: Asked, pieces: Sequence[Piece]) -> list[tuple[float, Piece]]:
    """The pieces that speak about the question, best first."""
    fitting = [(place, piece) for place, piece in enumerate(pieces) if _speaks(asked, piece)]
    wanted = " ".join(sorted(asked.words))
    ranking = Ranking({str(place): " ".join(sorted(_words(piece))) for place, piece in enumerate(pieces)})
    likeness = {int(name): score for name, score in ranking.search(wanted, len(pieces))} if wanted else {}
    scored = [(likeness.get(place, 0.0) + _bonus(asked, piece), place, piece) for place, piece in fitting]
    return [(score, piece) for score, _, piece in sorted(scored, key=lambda one: (-one[0], one[1]))]


def _speaks(asked: Asked, piece: Piece) -> bool:
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


def _words(piece: Piece) -> frozenset[str]:
    return canonical(f"{piece.text} {piece.tool.replace('_', ' ')}")


def _bonus(asked: Asked, piece: Piece) -> float:
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


def _findings(scored: Sequence[tuple[float, Piece]]) -> list[Finding]:
    """The pieces of one source together, in the order of the best of each."""
    best = scored[0][0] if scored else 0.0
    by_source: dict[str, list[Piece]] = {}
    for score, piece in scored:
        if score >= NEAR_BEST * best:
            by_source.setdefault(piece.source, []).append(piece)
    most = LINES_ALONE if len(by_source) == 1 else MOST_LINES
    return [_finding(pieces[:most]) for pieces in list(by_source.values())[:MOST_FINDINGS]]


def _finding(pieces: Sequence[Piece]) -> Finding:
    lines = dict.fromkeys(one_line(text, LINE) for text in _told_once(pieces))
    return Finding(lines=list(lines), evidence=list(pieces[0].evidence), foreign=pieces[0].foreign)


def _told_once(pieces: Sequence[Piece]) -> Iterator[str]:
    """A summary of ours tells its strongest signal as the line of that signal does: the line brings its bound alone."""
    sums = {p.text.partition(";")[0]: p.text for p in pieces if p.whole and not p.foreign}
    bounds = {signal: bound for p in pieces if not p.whole for signal, _, bound in (p.text.partition(" ["),) if signal in sums}
    for piece in pieces:
        signal = piece.text.partition(" [" if not piece.whole else ";")[0]
        if piece.whole and (bound := bounds.get(signal)):
            yield f"{signal} [{bound}{piece.text[len(signal) :]}"
        elif piece.whole or signal not in bounds:
            yield piece.text


def _absent(asked: Asked, entries: Sequence[LedgerEntry], scored: Sequence[tuple[float, Piece]]) -> Iterator[Finding]:
    """That a list of many services holds nothing on the one that was asked about: also an answer."""
    if not asked.services or any(piece.tool in asked.tools for _, piece in scored):
        return
    for entry in entries:
        one = WIDE.get(entry.tool, "")
        wide = entry.tool in asked.tools and one and not entry.arguments.get("service")
        if wide and not asked.services & services_listed(entry):
            text = f"No {one} on {', '.join(sorted(asked.services))} in what was seen: {entry.evidence.summary}"
            yield Finding(lines=[one_line(text, LINE)], evidence=[entry.id], foreign=written_by_others(entry))


def _unseen(asked: Asked, material: AnswerFacts, *, seen: bool) -> list[Finding]:
    """Looks on the subject whose last try failed; all of them where nothing was `seen` at all."""
    names = material.names
    failed = [entry for entry in newest(material.ledger) if not entry.evidence.ok]
    concerned = [entry for entry in failed if not seen or _concerns(asked, entry, names)]
    return [_finding([Piece(e.id, e.evidence.summary, e.tool, (e.id,), frozenset())]) for e in concerned[:MOST_FINDINGS]]


def _concerns(asked: Asked, entry: LedgerEntry, names: Iterable[str]) -> bool:
    text = f"{entry.evidence.summary} {' '.join(map(str, entry.arguments.values()))}"
    about = named_in(text, names)
    if asked.services and about and not asked.services & about:
        return False
    kind = f"{entry.tool.replace('_', ' ')} {' '.join(map(str, entry.arguments.values()))}"
    fits = entry.tool in asked.tools or bool(asked.words & canonical(kind))
    return asked.is_open or fits or (bool(asked.services & about) and not asked.tools)


# ---------------------------------------------------------------- what a model said


def judged(by_code: QuestionAnswer, told: Told, material: AnswerFacts) -> QuestionAnswer:
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
            foreign=is_foreign(claim.text, [by_id[id] for id in claim.evidence], names),
        )
        for claim in found.ruled_out[:MOST_FINDINGS]
    ]
    update = {"findings": findings, "looked_at": [], "by": "model", "note": "", "dropped": found.dropped}
    return by_code.model_copy(update={**spent, **update})


def _why_not(told: Told) -> str:
    if told.claims:
        return "The evidence carries nothing of what the model said."
    if told.stop_reason == "answered":
        return "The model found nothing in the evidence that speaks about it."
    return f"Model not available ({told.stop_reason or 'no usable answer'})."
