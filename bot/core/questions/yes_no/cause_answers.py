"""Whether something is the cause: by the ranking first, then by what was measured of it."""

from collections.abc import Sequence
from dataclasses import replace

from bot.core.change import Change, kind_in_words
from bot.core.evidence import Claim, Findings, Hypothesis, LedgerEntry
from bot.core.facts.measured import DeviationFact
from bot.core.questions.answer_facts import AnswerFacts, cited_by
from bot.core.questions.parsing.subjects import Subject, is_cause, subjects_in
from bot.core.questions.parsing.topics import named_in, named_in_order
from bot.core.questions.yes_no.named_in_record import named_in_record
from bot.core.questions.yes_no.question_reading import QuestionReading, ids_of
from bot.core.questions.yes_no.record_answers import answer_about_changes
from bot.core.questions.yes_no.state_answers import MAX_NAMED, beyond_now, signal_line, subjects_text
from bot.core.questions.yes_no.verdicts import MAX_TEXT, ShortAnswer, Verdict, unknown
from bot.core.text.untrusted import one_line


def answer_about_cause(reading: QuestionReading) -> ShortAnswer:
    """Whether this is the cause: by the ranking first, then by what was measured of it."""
    findings = reading.facts.findings
    fitting = [hypothesis for hypothesis in (findings.hypotheses if findings else ()) if _fits(reading, hypothesis)]
    if reading.changes_meant.is_one and not any(map(reading.changes_meant.includes, reading.recorded_changes)):
        return _no_such_change(reading, findings)
    if fitting and fitting[0].confidence == "likely":
        return _of_claims(Verdict.YES, f"Likely cause: {fitting[0].cause}", fitting[0].claims, reading.facts)
    likely = reading.facts.likely_cause
    lead = fitting[0] if fitting and not likely else None
    open_lead = lead is not None and lead.confidence == "possible"
    cleared = next((claim for claim in (findings.ruled_out if findings else ()) if _clears_it(reading, claim.text)), None)
    # "Is it the deploy?": that one of two is cleared is no answer while the other one leads.
    if cleared and not open_lead:
        verdict = Verdict.NO if likely or _all_cleared(reading, findings) else Verdict.UNKNOWN
        return _of_claims(verdict, f"Ruled out: {cleared.text}", [cleared], reading.facts)
    if lead:
        return _of_claims(Verdict.UNKNOWN, f"{lead.confidence_text.capitalize()}: {lead.cause}", lead.claims, reading.facts)
    return _from_measurements(reading, likely)


def _no_such_change(reading: QuestionReading, findings: Findings | None) -> ShortAnswer:
    """What is recorded is another version's, or another person's: told, and no yes or no."""
    likely = next((one for one in (findings.hypotheses if findings else ()) if one.confidence == "likely"), None)
    text = f"no recorded change is {reading.changes_meant.text}"
    if likely is None:
        return unknown(text, ids_of(reading.failed))
    ids, untrusted = cited_by(likely.claims, likely.cause, reading.facts)
    return unknown(likely.cause, ids, untrusted=untrusted, opening=f"{text[:1].upper()}{text[1:]}; likely cause:")


def answer_about_callee(reading: QuestionReading) -> ShortAnswer:
    """Whether it is something that the service calls: a ranked cause must lie there, not only in the service itself."""
    callers, findings = reading.services_meant, reading.facts.findings
    called = {
        name
        for entry in reading.entries
        if str(entry.arguments.get("service") or "") in callers
        for name in entry.evidence.facts.depends_on or ()
    }
    hypotheses = findings.hypotheses if findings else []
    there = (one for one in hypotheses if one.service in called or (one.kind == "external" and one.service in callers))
    caller = ", ".join(sorted(callers)[:MAX_NAMED]) or "it"
    cause = next(there, None)
    if cause is None:
        return unknown(f"no ranked cause is something that {caller} calls", ids_of(reading.blind(callers)))
    verdict = Verdict.YES if cause.confidence == "likely" else Verdict.UNKNOWN
    text = f"{cause.confidence_text.capitalize()}{' cause' if verdict is Verdict.YES else ''}: {cause.cause}"
    return _of_claims(verdict, text, cause.claims, reading.facts)


def _from_measurements(reading: QuestionReading, likely: Hypothesis | None) -> ShortAnswer:
    """The subject is no ranked cause, or another one is likely."""
    other = f"; the likely cause is another: {likely.cause}" if likely else ""
    cited, untrusted = cited_by(likely.claims, likely.cause, reading.facts) if likely else ([], False)
    if reading.is_about_changes:
        changed = answer_about_changes(reading)
        if changed.verdict is Verdict.NO:
            return changed
        return changed.model_copy(update={"verdict": Verdict.NO if likely else Verdict.UNKNOWN, "text": changed.text + other})
    if Subject.DATABASE in reading.subjects and (troubled := reading.troubled_database) and not likely:
        entry, text = troubled
        return unknown(f"{text}, but no ranked cause is {_subject_text(reading)}", [entry.id], untrusted=True)
    judged = list(reading.deviations(reading.services))
    moved = [(entry, fact) for entry, fact in judged if fact.doublings > 0]
    ids = [*ids_of(entry for entry, _ in moved or judged), *cited]
    what = _subject_text(reading)
    if moved:
        # A change may be the cause by what moved here: a deploy that fills the memory.
        elsewhere = likely is not None and (likely.kind != "change" or all(fact.service != likely.service for _, fact in moved))
        verdict = Verdict.NO if elsewhere else Verdict.UNKNOWN
        # What moved is long, and may be cut: the cause that decides stands before it.
        before = f"The likely cause is another: {likely.cause}; " if likely else ""
        text = f"{before}{_named(moved)}, but no ranked cause is {what}"
        return ShortAnswer(verdict=verdict, text=one_line(text, MAX_TEXT), evidence=ids, untrusted=untrusted)
    if not judged and (named := named_in_record(reading)):
        opening = f"{named.lead.rstrip(':')}, but the likely cause is another:"
        return unknown(likely.cause, [*named.evidence, *ids], untrusted=untrusted, opening=opening) if likely else named
    if not judged:
        return unknown(f"nothing that was checked measures {what}{other}", ids, untrusted=untrusted)
    if blind := reading.blind(reading.services):
        text = f"what was checked of {what} is normal, but not all could be checked{other}"
        return unknown(text, [*ids, *ids_of(blind)], untrusted=untrusted)
    if bad := [text for entry, fact in judged if (text := beyond_now(entry, fact))]:
        return unknown(f"{'; '.join(bad[:MAX_NAMED])}, but no ranked cause is {what}{other}", ids, untrusted=untrusted)
    text = f"{_count(judged)} of {what} stayed normal{other}"
    return ShortAnswer(verdict=Verdict.NO, text=one_line(text, MAX_TEXT), evidence=ids, untrusted=untrusted)


def _fits(reading: QuestionReading, hypothesis: Hypothesis) -> bool:
    if reading.services and hypothesis.service not in reading.services:
        return False
    if reading.is_about_changes:
        return hypothesis.kind == "change" and _is_change_meant(reading, hypothesis)
    subjects = reading.causes
    return not subjects or any(is_cause(subject, hypothesis) for subject in subjects)


def _is_change_meant(reading: QuestionReading, hypothesis: Hypothesis) -> bool:
    meant = reading.changes_meant
    change = next((change for change in reading.recorded_changes if change.id == hypothesis.change_id), None)
    if change is not None:
        return replace(meant, since=None).includes(change)
    # An older row names no id: its text begins with the kind.
    kinds = {in_words.split()[0] for kind in meant.kinds if (in_words := kind_in_words(kind))}
    return not meant.is_one and (not kinds or any(kind in hypothesis.cause for kind in kinds))


def _clears_it(reading: QuestionReading, text: str) -> bool:
    named = named_in(text, reading.facts.names)
    if reading.services and not reading.services & named:
        return False
    if reading.is_about_changes:
        return any(
            _begins_with(text, change, reading) for change in reading.recorded_changes if reading.changes_meant.includes(change)
        )
    subjects = reading.causes
    return bool(subjects & subjects_in(text)) if subjects else bool(reading.services)


def _all_cleared(reading: QuestionReading, findings: Findings | None) -> bool:
    """Whether each change that is meant is cleared: of "the deploy" one of seven says nothing of the others."""
    meant = [
        change for change in reading.recorded_changes if reading.is_about_changes and reading.changes_meant.includes(change)
    ]
    claims = findings.ruled_out if findings else []
    return all(any(_begins_with(claim.text, change, reading) for claim in claims) for change in meant)


def _begins_with(text: str, change: Change, reading: QuestionReading) -> bool:
    """Whether a claim is about this change: it begins with its kind, version and service; those behind them say why."""
    return (
        text.lower().startswith(kind_in_words(change.kind))
        and (not change.version or change.version in text)
        and next(iter(named_in_order(text, reading.facts.names)), "") == change.service
    )


def _of_claims(verdict: Verdict, text: str, claims: Sequence[Claim], facts: AnswerFacts) -> ShortAnswer:
    ids, untrusted = cited_by(claims, text, facts)
    return ShortAnswer(verdict=verdict, text=one_line(text, MAX_TEXT), evidence=ids, untrusted=untrusted)


def _named(rows: Sequence[tuple[LedgerEntry, DeviationFact]]) -> str:
    strongest = sorted(rows, key=lambda row: -row[1].doublings)[:MAX_NAMED]
    return "; ".join(signal_line(entry, fact) for entry, fact in strongest)


def _count(rows: Sequence[object]) -> str:
    return f"{len(rows)} signal{'s' if len(rows) > 1 else ''}"


def _subject_text(reading: QuestionReading) -> str:
    services = ", ".join(sorted(reading.services)[:MAX_NAMED])
    return " of ".join(filter(None, (subjects_text(reading), services))) or "that"
