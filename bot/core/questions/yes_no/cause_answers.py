"""Whether something is the cause: by the ranking first, then by what was measured of it."""

from collections.abc import Iterable, Sequence

from bot.core.evidence import Claim, Hypothesis, LedgerEntry
from bot.core.facts.measured import DeviationFact
from bot.core.questions.answer_facts import is_untrusted
from bot.core.questions.subjects import Subject, is_cause, subjects_in
from bot.core.questions.topics import named_in, named_in_order
from bot.core.questions.yes_no.named_in_record import named_in_record
from bot.core.questions.yes_no.question_reading import QuestionReading, ids_of
from bot.core.questions.yes_no.record_answers import answer_about_changes
from bot.core.questions.yes_no.state_answers import MAX_NAMED, signal_line, subjects_text
from bot.core.questions.yes_no.verdicts import MAX_TEXT, ShortAnswer, Verdict, unknown
from bot.core.text.untrusted import one_line


def answer_about_cause(reading: QuestionReading) -> ShortAnswer:
    """Whether this is the cause: by the ranking first, then by what was measured of it."""
    findings, names = reading.facts.findings, reading.facts.names
    by_id = {entry.id: entry for entry in reading.facts.ledger}
    fitting = [hypothesis for hypothesis in (findings.hypotheses if findings else ()) if _fits(reading, hypothesis)]
    first = next(iter(findings.hypotheses), None) if findings else None
    if fitting and fitting[0].confidence == "likely":
        return _of_claims(Verdict.YES, f"Likely cause: {fitting[0].cause}", fitting[0].claims, by_id, names)
    likely = first if first and first.confidence == "likely" else None
    lead = fitting[0] if fitting and not likely else None
    open_lead = lead is not None and lead.confidence == "possible"
    cleared = next((claim for claim in (findings.ruled_out if findings else ()) if _names_it(reading, claim.text)), None)
    # "Is it the deploy?": that one of two is cleared is no answer while the other one leads.
    if cleared and not open_lead:
        return _of_claims(Verdict.NO, f"Ruled out: {cleared.text}", [cleared], by_id, names)
    if lead:
        return _of_claims(Verdict.UNKNOWN, f"{lead.confidence_text.capitalize()}: {lead.cause}", lead.claims, by_id, names)
    return _from_measurements(reading, likely, by_id)


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
    by_id = {entry.id: entry for entry in reading.facts.ledger}
    text = f"{cause.confidence_text.capitalize()}{' cause' if verdict is Verdict.YES else ''}: {cause.cause}"
    return _of_claims(verdict, text, cause.claims, by_id, reading.facts.names)


def _from_measurements(reading: QuestionReading, likely: Hypothesis | None, by_id: dict[str, LedgerEntry]) -> ShortAnswer:
    """The subject is no ranked cause, or another one is likely."""
    other = f"; the likely cause is another: {likely.cause}" if likely else ""
    untrusted = bool(likely) and is_untrusted(likely.cause if likely else "", _cited(likely, by_id), reading.facts.names)
    if Subject.CHANGE in reading.subjects:
        changed = answer_about_changes(reading)
        if changed.verdict is Verdict.NO:
            return changed
        return changed.model_copy(update={"verdict": Verdict.NO if likely else Verdict.UNKNOWN, "text": changed.text + other})
    if Subject.DATABASE in reading.subjects and (troubled := reading.troubled_database) and not likely:
        entry, text = troubled
        return unknown(f"{text}, but no ranked cause is {_subject_text(reading)}", [entry.id], untrusted=True)
    judged = list(reading.deviations(reading.services))
    moved = [(entry, fact) for entry, fact in judged if fact.doublings > 0]
    ids = [*ids_of(entry for entry, _ in moved or judged), *(ids_of(_cited(likely, by_id)) if likely else ())]
    what = _subject_text(reading)
    if moved:
        verdict = Verdict.NO if likely else Verdict.UNKNOWN
        # What moved is long, and may be cut: the cause that decides stands before it.
        before = f"the likely cause is another: {likely.cause}; " if likely else ""
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
    text = f"{_count(judged)} of {what} stayed normal{other}"
    return ShortAnswer(verdict=Verdict.NO, text=one_line(text, MAX_TEXT), evidence=ids, untrusted=untrusted)


def _fits(reading: QuestionReading, hypothesis: Hypothesis) -> bool:
    if reading.services and hypothesis.service not in reading.services:
        return False
    subjects = reading.causes
    return not subjects or any(is_cause(subject, hypothesis, reading.question) for subject in subjects)


def _names_it(reading: QuestionReading, text: str) -> bool:
    named = named_in(text, reading.facts.names)
    if reading.services and not reading.services & named:
        return False
    # A claim that clears a change begins with it; the services behind it say why.
    if reading.services and Subject.CHANGE in reading.causes:
        return named_in_order(text, reading.facts.names)[0] in reading.services
    subjects = reading.causes
    return bool(subjects & subjects_in(text)) if subjects else bool(reading.services)


def _of_claims(
    verdict: Verdict, text: str, claims: Sequence[Claim], by_id: dict[str, LedgerEntry], names: Iterable[str]
) -> ShortAnswer:
    ids = list(dict.fromkeys(id for claim in claims for id in claim.evidence))
    untrusted = is_untrusted(text, [by_id[id] for id in ids if id in by_id], names)
    return ShortAnswer(verdict=verdict, text=one_line(text, MAX_TEXT), evidence=ids, untrusted=untrusted)


def _cited(hypothesis: Hypothesis | None, by_id: dict[str, LedgerEntry]) -> list[LedgerEntry]:
    claims = hypothesis.claims if hypothesis else ()
    return [by_id[id] for claim in claims for id in claim.evidence if id in by_id]


def _named(rows: Sequence[tuple[LedgerEntry, DeviationFact]]) -> str:
    strongest = sorted(rows, key=lambda row: -row[1].doublings)[:MAX_NAMED]
    return "; ".join(signal_line(entry, fact) for entry, fact in strongest)


def _count(rows: Sequence[object]) -> str:
    return f"{len(rows)} signal{'s' if len(rows) > 1 else ''}"


def _subject_text(reading: QuestionReading) -> str:
    services = ", ".join(sorted(reading.services)[:MAX_NAMED])
    return " of ".join(filter(None, (subjects_text(reading), services))) or "that"
