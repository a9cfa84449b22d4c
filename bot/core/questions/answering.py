"""Answers a question from the record: the lines that are about it, word for word, or that there is none.

Nothing is concluded or invented: an answer is lines of the evidence, each with its id.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from bot.core.evidence import Claim, Findings, LedgerEntry
from bot.core.questions.answer_facts import (
    AnswerFacts,
    RecordedLine,
    citable,
    is_untrusted,
    newest_entries,
    recorded_lines,
    services_listed,
    written_by_others,
)
from bot.core.questions.parsing.changes_meant import without_span
from bot.core.questions.parsing.forms import as_cause_question, is_about_notes, wants_current_values
from bot.core.questions.parsing.spelling import spelled_out, with_possessives
from bot.core.questions.parsing.topics import TIMELINE, QuestionTopics, canonical, named_in, topics_of
from bot.core.questions.retrieval import Ranking
from bot.core.questions.yes_no.question_reading import QuestionReading
from bot.core.questions.yes_no.short_answers import SAYS_NOTHING, short_answer
from bot.core.questions.yes_no.signal_answers import unmade_check
from bot.core.questions.yes_no.verdicts import FOR_PEOPLE, ShortAnswer, Verdict
from bot.core.text.untrusted import one_line
from bot.core.tool_calls import UNKNOWN_TOOL, Basis, ToolRole, Tools
from bot.core.tuning import TUNING
from bot.core.verdict.figures.quoting import has_struck
from bot.core.verdict.verdict import judge

MAX_FINDINGS = 4
MAX_LINES = 3
"""Lines shown of one finding where there are others."""
MAX_LINES_ALONE = 6
MAX_LINE = 300
_IS_NORMAL = re.compile(r"(?<!left its )(?<!left the )\bnormal\b")
"""Of a line that calls something normal; what "left its normal range" is not."""


class Finding(BaseModel):
    """Lines of one piece of evidence (or of a ranked cause, which cites several)."""

    model_config = ConfigDict(frozen=True)

    lines: list[str]
    evidence: list[str]
    untrusted: bool = Field(default=False, validation_alias=AliasChoices("untrusted", "foreign"))
    """Users of the service can write the text: it is shown as a quotation. `foreign` in answers stored before."""


class QuestionAnswer(BaseModel):
    """The answer that is shown under a question."""

    model_config = ConfigDict(frozen=True)

    short: ShortAnswer | None = None
    """Yes, no or unknown; None for a question that wants something else, and in answers stored before."""
    findings: list[Finding] = Field(default_factory=list)
    waiting: list[str] = Field(default_factory=list)
    """Proposals that wait for approval, each with who may approve it."""
    reread: list[str] = Field(default_factory=list)
    """Evidence ids of what was read anew for this question."""
    unseen: list[Finding] = Field(default_factory=list)
    """Checks on the subject that failed."""
    checked: list[str] = Field(default_factory=list, validation_alias=AliasChoices("checked", "looked_at"))
    """Evidence ids of what was checked, where none of it is about the question. `looked_at` in answers stored before."""
    collected_at: datetime | None = Field(default=None, validation_alias=AliasChoices("collected_at", "seen_at"))
    """When the newest of the evidence was collected: the answer is no newer. `seen_at` in answers stored before."""
    by: Literal["code", "model"] = "code"
    note: str = ""
    model: str = ""
    tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0
    dropped: list[str] = Field(default_factory=list)
    """Claims of a model that the evidence does not carry, each with the reason."""
    is_about_several: bool = False
    """It is about all that was open, by code alone."""
    notes: dict[str, str] = Field(default_factory=dict)
    """Of an answer about several groups: what it says of each, by its reference."""
    evidence_of: str = ""
    """The group whose evidence an answer about several cites."""


class ModelAnswer(BaseModel):
    """The answer of a model, not judged yet."""

    claims: list[Claim] = Field(default_factory=list)
    verdict: Verdict = Verdict.UNKNOWN
    """Its yes or no; unknown for a question that wants something else."""
    model: str = ""
    stop_reason: str = ""
    """"answered", or why there is no answer."""
    tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0


def answer(question: str, facts: AnswerFacts) -> QuestionAnswer:
    """The one to four findings about the question, most relevant first; `checked` names what was checked if there is none."""
    question = with_possessives(spelled_out(question), facts.names)
    topics = _topics(question, facts)
    ok = [entry for entry in facts.ledger if entry.evidence.ok]
    short = short_answer(question, facts)
    if short and short.complete:
        return QuestionAnswer(short=short, waiting=[proposal.text for proposal in facts.proposals])
    notes = _wants_notes(question, topics)
    reading = QuestionReading(question, facts)
    lines = [line for line in recorded_lines(facts, newest_entries(ok), notes=notes) if not _is_too_old(line, reading)]
    ranked = _by_relevance(topics, lines)
    findings = [*_findings(ranked), *_absent(topics, newest_entries(ok), ranked, facts.tools)][:MAX_FINDINGS]
    return QuestionAnswer(
        short=_beside(findings, short) or (None if findings else unmade_check(reading)),
        findings=findings,
        waiting=[proposal.text for proposal in facts.proposals],
        unseen=_failed_checks(topics, facts, any_succeeded=bool(ok)),
        checked=[] if findings else [entry.id for entry in newest_entries(ok)],
        collected_at=max((entry.at for entry in ok), default=None),
    )


def _beside(findings: Sequence[Finding], short: ShortAnswer | None) -> ShortAnswer | None:
    """That the evidence says nothing is told only where no line of it stands below."""
    if short and findings and short.text.lower() == SAYS_NOTHING:
        return short.model_copy(update={"text": "Nothing that was checked decides that; what names it stands below"})
    return short


def _topics(question: str, facts: AnswerFacts) -> QuestionTopics:
    """What it is about. Where no service is named, a database means those that are one, and now means the alerting service."""
    topics = topics_of(without_span(as_cause_question(question, facts.names)), facts.names, facts.tools)
    own = facts.case.service if facts.case else ""
    if not topics.services and (databases := QuestionReading(question, facts).databases):
        return replace(topics, services=databases)
    if topics.words and not topics.activities and wants_current_values(question):
        current = {entry.tool for entry in facts.ledger if facts.tools.get(entry.tool, UNKNOWN_TOOL).role is ToolRole.CURRENT}
        services = topics.services or frozenset({own} - {""})
        return replace(topics, services=services, tools=topics.tools | current)
    return topics


def _is_too_old(line: RecordedLine, reading: QuestionReading) -> bool:
    """Whether a line about changes is of one before the span that is asked of, or sums up others with it."""
    since = reading.changes_meant.since
    if since is None or line.info.role is not ToolRole.CHANGES:
        return False
    return line.whole or any(line.text.endswith(f"[{change.id}]") for change in reading.recorded_changes if change.at < since)


def most_relevant_first(question: str, facts: AnswerFacts) -> list[LedgerEntry]:
    """What may be cited, the most relevant to the question first: a request to a model has limited room."""
    question = spelled_out(question)
    by_code = answer(question, facts)
    first = dict.fromkeys(id for finding in (*by_code.findings, *by_code.unseen) for id in finding.evidence)
    order = {id: index for index, id in enumerate(first)}
    notes = _wants_notes(question, topics_of(question, facts.names, facts.tools))
    return sorted(citable(facts, notes=notes), key=lambda entry: order.get(entry.id, len(order)))


def _wants_notes(question: str, topics: QuestionTopics) -> bool:
    return bool(topics.activities) or is_about_notes(question)


# ---------------------------------------------------------------- relevance


def _by_relevance(topics: QuestionTopics, lines: Sequence[RecordedLine]) -> list[tuple[float, RecordedLine]]:
    """The lines that are about the question with their relevance, the most relevant first."""
    about = [(index, line) for index, line in enumerate(lines) if _is_about(topics, line)]
    query = " ".join(sorted(topics.words))
    ranking = Ranking({str(index): " ".join(sorted(_words(line))) for index, line in enumerate(lines)})
    by_words = {int(name): share for name, share in ranking.search(query, len(lines))} if query else {}
    ranked = [(by_words.get(index, 0.0) + _bonus(topics, line), index, line) for index, line in about]
    return [(relevance, line) for relevance, _, line in sorted(ranked, key=lambda triple: (-triple[0], triple[1]))]


def _is_about(topics: QuestionTopics, line: RecordedLine) -> bool:
    if topics.services and not topics.services & line.about:
        return False
    if topics.is_open:
        return line.source in ("cause 1", "onset") or (line.info.role is ToolRole.CHANGES and line.whole)
    if topics.words and topics.words & _words(line):
        return True
    if line.tool == TIMELINE and topics.activities and not topics.activities & _words(line):
        return False
    # A tool's lines answer a question about that tool's subject, unless words narrow it to something that they do not hold.
    return not topics.words and (line.tool in topics.tools or not topics.tools)


def _words(line: RecordedLine) -> frozenset[str]:
    return canonical(f"{line.text} {line.tool.replace('_', ' ')}")


def _bonus(topics: QuestionTopics, line: RecordedLine) -> float:
    """Lines of a requested tool come first, measurements before advice, a summary before its details."""
    weights = TUNING.answers
    if topics.is_open:
        return 1.0  # in the order of the record: causes, onset, changes
    requested = line.tool in topics.tools
    bonus = weights.requested_tool if requested else 0.0 if line.info.basis is Basis.BACKGROUND else weights.measured
    if not requested and (line.untrusted or line.info.basis is Basis.REPORTED):
        bonus = min(bonus, weights.worded)
    if line.info.role is ToolRole.HEALTH and not (topics.words or topics.tools):
        bonus += weights.health
    # Of ten services the one that moved is the answer; that a service is normal is an answer only where all are.
    return bonus + (weights.summary if line.whole else 0.0) - (weights.normal if _IS_NORMAL.search(line.text) else 0.0)


def _findings(ranked: Sequence[tuple[float, RecordedLine]]) -> list[Finding]:
    """The lines of one source together, in the order of the best of each."""
    best = ranked[0][0] if ranked else 0.0
    by_source: dict[str, list[RecordedLine]] = {}
    for relevance, line in ranked:
        if relevance >= TUNING.answers.near_best * best:
            by_source.setdefault(line.source, []).append(line)
    most = MAX_LINES_ALONE if len(by_source) == 1 else MAX_LINES
    return [_finding(lines[:most]) for lines in list(by_source.values())[:MAX_FINDINGS]]


def _finding(lines: Sequence[RecordedLine]) -> Finding:
    texts = dict.fromkeys(one_line(text, MAX_LINE) for text in _without_repetition(lines))
    return Finding(lines=list(texts), evidence=list(lines[0].evidence), untrusted=lines[0].untrusted)


def _without_repetition(lines: Sequence[RecordedLine]) -> Iterator[str]:
    """The texts, each signal once: a summary of ours repeats its strongest signal's line, which adds only the threshold."""
    summaries = {line.text.partition(";")[0] for line in lines if line.whole and not line.untrusted}
    details = [line.text.partition(" [") for line in lines if not line.whole]
    thresholds = {signal: threshold for signal, _, threshold in details if signal in summaries}
    for line in lines:
        signal = line.text.partition(" [" if not line.whole else ";")[0]
        if line.whole and (threshold := thresholds.get(signal)):
            yield f"{signal} [{threshold}{line.text[len(signal) :]}"
        elif line.whole or signal not in thresholds:
            yield line.text


def _absent(
    topics: QuestionTopics, entries: Sequence[LedgerEntry], ranked: Sequence[tuple[float, RecordedLine]], tools: Tools
) -> Iterator[Finding]:
    """That a list over many services holds nothing on the one in the question: also an answer."""
    if not topics.services or any(line.tool in topics.tools for _, line in ranked):
        return
    for entry in entries:
        noun = tools.get(entry.tool, UNKNOWN_TOOL).row
        wide = entry.tool in topics.tools and noun and not entry.arguments.get("service")
        if wide and not topics.services & services_listed(entry):
            text = f"No {noun} on {', '.join(sorted(topics.services))} in what was checked: {entry.evidence.summary}"
            yield Finding(lines=[one_line(text, MAX_LINE)], evidence=[entry.id], untrusted=written_by_others(entry))


def _failed_checks(topics: QuestionTopics, facts: AnswerFacts, *, any_succeeded: bool) -> list[Finding]:
    """Checks on the subject whose last try failed; all of them where none succeeded."""
    names = facts.names
    failed = [entry for entry in newest_entries(facts.ledger) if not entry.evidence.ok]
    concerned = [entry for entry in failed if not any_succeeded or _concerns(topics, entry, names)]
    return [_finding([RecordedLine(e.id, e.evidence.summary, e.tool, (e.id,), frozenset())]) for e in concerned[:MAX_FINDINGS]]


def _concerns(topics: QuestionTopics, entry: LedgerEntry, names: Iterable[str]) -> bool:
    text = f"{entry.evidence.summary} {' '.join(map(str, entry.arguments.values()))}"
    about = named_in(text, names)
    if topics.services and about and not topics.services & about:
        return False
    kind = f"{entry.tool.replace('_', ' ')} {' '.join(map(str, entry.arguments.values()))}"
    fits = entry.tool in topics.tools or bool(topics.words & canonical(kind))
    return topics.is_open or fits or (bool(topics.services & about) and not topics.tools)


# ---------------------------------------------------------------- a model's answer


def with_model_answer(by_code: QuestionAnswer, by_model: ModelAnswer, facts: AnswerFacts, question: str = "") -> QuestionAnswer:
    """The model's claims that the evidence carries; else the answer by code, with why and with what the model cost.

    Its yes or no stands where the code's is unknown, and claims of it stand; a measured yes or no is never turned.
    """
    question = spelled_out(question)
    spent = by_model.model_dump(include={"model", "tokens", "usd", "seconds"})
    entries = citable(facts, notes=_wants_notes(question, topics_of(question, facts.names, facts.tools)))
    with_model_answer = judge(Findings(ruled_out=by_model.claims), entries, group=facts.group)
    if not with_model_answer.ruled_out:
        return by_code.model_copy(update={**spent, "note": _why_not(by_model), "dropped": with_model_answer.dropped})
    by_id, names = {entry.id: entry for entry in entries}, facts.names
    findings = [
        Finding(
            lines=[one_line(claim.text, 400)],
            evidence=claim.evidence,
            untrusted=is_untrusted(claim.text, [by_id[id] for id in claim.evidence], names),
        )
        for claim in with_model_answer.ruled_out[:MAX_FINDINGS]
    ]
    short, note = _merged(by_code.short, _without_hearsay(by_model, findings[0], facts), findings[0])
    update = {"findings": findings, "checked": [], "by": "model", "note": note, "dropped": with_model_answer.dropped}
    return by_code.model_copy(update={**spent, **update, "short": short})


def _without_hearsay(by_model: ModelAnswer, first: Finding, facts: AnswerFacts) -> ModelAnswer:
    """Without its yes or no where only notes of people speak for it, which are no evidence of what happened.

    Nor does one stand whose first sentence lost what the evidence does not hold.
    """
    recorded = {entry.id for entry in citable(facts)}
    stands = recorded & set(first.evidence) and not has_struck(first.lines[0])
    return by_model if stands else by_model.model_copy(update={"verdict": Verdict.UNKNOWN})


def _merged(by_code: ShortAnswer | None, by_model: ModelAnswer, first: Finding) -> tuple[ShortAnswer | None, str]:
    """Yes, no or unknown of both, and a note where they differ."""
    if by_code is None or by_code.complete or by_model.verdict in (Verdict.UNKNOWN, by_code.verdict):
        return by_code, ""
    if by_code.opening.startswith(FOR_PEOPLE.rstrip(":")):
        return by_code, ""
    if by_code.verdict is not Verdict.UNKNOWN:
        return by_code, f"The model reads the evidence as {by_model.verdict}; what was measured says {by_code.verdict}."
    text = first.lines[0]
    merged = ShortAnswer(verdict=by_model.verdict, text=text, evidence=first.evidence, untrusted=first.untrusted)
    return merged, f"The model says {by_model.verdict}; by measurement alone it is unknown."


def _why_not(by_model: ModelAnswer) -> str:
    if by_model.claims:
        return "The evidence carries nothing of the model's answer."
    if by_model.stop_reason == "answered":
        return "The model found nothing about it in the evidence."
    return f"Model not available ({by_model.stop_reason or 'no usable answer'})."
