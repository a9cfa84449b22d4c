"""Yes, no or unknown, and what it stands on: decided from measured facts and ranked causes, never from what people wrote.

"No" needs a check that would have shown it: what was not checked, or could not be, is unknown.
"""

from collections.abc import Callable, Iterable, Sequence

from bot.core.evidence import Claim, Hypothesis, LedgerEntry
from bot.core.facts.measured import DeviationFact
from bot.core.incident import GroupState
from bot.core.questions.activities import ran_before, what_ran, whether_done
from bot.core.questions.answer_facts import AnswerFacts, is_untrusted
from bot.core.questions.forms import (
    asks_to_undo,
    cause_in_question,
    direction_in,
    good_is_yes,
    wants_approvers,
    wants_cause,
    wants_current_values,
    wants_on_call,
    wants_runs,
    wants_yes_or_no,
)
from bot.core.questions.named_in_record import named_in_record
from bot.core.questions.question_reading import QuestionReading, ids_of
from bot.core.questions.subjects import MEASURED, SYMPTOMS, Subject, is_cause, subjects_in
from bot.core.questions.topics import named_in, named_in_order, topics_of
from bot.core.questions.verdicts import MAX_TEXT, ShortAnswer, Verdict, unknown
from bot.core.text.untrusted import one_line
from bot.core.timeline import EntryKind

MAX_NAMED = 3
"""Signals named one by one."""
SAYS_NOTHING = "the evidence says nothing about that"


def short_answer(question: str, facts: AnswerFacts) -> ShortAnswer | None:
    """Yes, no or unknown; None for a question that wants something else."""
    if wants_approvers(question) and not facts.proposals:
        return ShortAnswer(verdict=Verdict.NO, text="No proposal waits for approval")
    if wants_on_call(question) and facts.on_call is not None:
        return _on_call(on_call_service(question, facts), facts.on_call)
    if wants_runs(question):
        return what_ran(facts.timeline)
    if wants_yes_or_no(question) and asks_to_undo(question):
        return _whether_to_undo(question, facts)
    return _yes_or_no(cause_in_question(question, facts.names), facts)


def _on_call(service: str, people: Sequence[str]) -> ShortAnswer:
    """Who is on call by the rota."""
    on = f" for {service}" if service else ""
    if not people:
        text = f"nobody{on}, by the configuration; `default_on_call` names who is where nobody else is"
        return ShortAnswer(verdict=Verdict.NO, text=text, opening="On call now:", complete=True)
    return ShortAnswer(verdict=Verdict.YES, text=", ".join(people), opening=f"On call{on} now:", complete=True)


def on_call_service(question: str, facts: AnswerFacts) -> str:
    """The service whose rota a question means; "" where none is known."""
    return next(iter(named_in_order(question, facts.names)), facts.own_service)


def _whether_to_undo(question: str, facts: AnswerFacts) -> ShortAnswer | None:
    """What speaks for or against a change being the cause; whether it is undone is for people to decide."""
    short = _yes_or_no(cause_in_question(question, facts.names), facts)
    if short is None or short.verdict is Verdict.NO:
        return short
    return short.model_copy(update={"verdict": Verdict.UNKNOWN, "opening": short.opening or "For people to decide:"})


def _yes_or_no(question: str, facts: AnswerFacts) -> ShortAnswer | None:
    if not wants_yes_or_no(question):
        return None
    reading = QuestionReading(question, facts)
    if not (reading.entries or facts.findings or Subject.PROPOSAL in reading.subjects):
        return unknown(f"nothing {'could be' if reading.failed else 'was'} checked", ids_of(reading.failed))
    for subject, answered in _RECORDED.items():
        if subject in reading.subjects and (short := answered(reading)) is not None:
            return _beside_run(reading, short)
    if activities := topics_of(question, facts.names, facts.tools).activities:
        return whether_done(facts.timeline, activities)
    if wants_cause(question) and Subject.CALLEE in reading.subjects:
        return _whether_callee(reading)
    if wants_cause(question) and (reading.causes or (reading.services and not reading.subjects)):
        return _as_cause(reading)
    if Subject.CHANGE in reading.subjects:
        return _changed(reading)
    if reading.subjects & MEASURED or reading.services:
        return _beside_run(reading, _as_state(reading))
    return named_in_record(reading) or unknown(SAYS_NOTHING)


def _beside_run(reading: QuestionReading, short: ShortAnswer) -> ShortAnswer:
    """How it is now beside what ran shortly before: a rate is of the last minute, and takes its time to fall."""
    if not (wants_current_values(reading.question) and reading.facts.ledger):
        return short
    run, ids = ran_before(reading.facts.timeline, max(entry.at for entry in reading.facts.ledger))
    if not run or short.untrusted:
        return short
    text = f"{one_line(short.text, MAX_TEXT - len(run) - 2)}; {run}"
    return short.model_copy(update={"text": text, "evidence": [*short.evidence, *ids]})


# ---------------------------------------------------------------- causes


def _as_cause(reading: QuestionReading) -> ShortAnswer:
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
    return _by_measurement(reading, likely, by_id)


def _whether_callee(reading: QuestionReading) -> ShortAnswer:
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


def _by_measurement(reading: QuestionReading, likely: Hypothesis | None, by_id: dict[str, LedgerEntry]) -> ShortAnswer:
    """The subject is no ranked cause, or another one is likely."""
    other = f"; the likely cause is another: {likely.cause}" if likely else ""
    untrusted = bool(likely) and is_untrusted(likely.cause if likely else "", _cited(likely, by_id), reading.facts.names)
    if Subject.CHANGE in reading.subjects:
        changed = _changed(reading)
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


def _as_state(reading: QuestionReading) -> ShortAnswer:
    """How a service is: by its newest values where the question asks for now, else by what left its normal range."""
    bad, judged = _current_state(reading) if wants_current_values(reading.question) else _past_state(reading)
    if Subject.DATABASE in reading.subjects and not bad and (troubled := reading.troubled_database):
        entry, text = troubled
        return ShortAnswer(verdict=Verdict.YES, text=one_line(text, MAX_TEXT), evidence=[entry.id], untrusted=True)
    inverted = good_is_yes(reading.question) and not (reading.subjects & MEASURED - SYMPTOMS)
    yes, no = (Verdict.NO, Verdict.YES) if inverted else (Verdict.YES, Verdict.NO)
    if thing := reading.unmeasured_thing or reading.unmeasured_state:
        return named_in_record(reading) or _not_of_thing(thing, bad)
    if bad:
        text = "; ".join(dict.fromkeys(text for _, text in bad[:MAX_NAMED]))
        return ShortAnswer(verdict=yes, text=one_line(text, MAX_TEXT), evidence=ids_of(entry for entry, _ in bad))
    where = f" on {', '.join(sorted(reading.services_meant)[:MAX_NAMED])}" if reading.services_meant else ""
    ids = ids_of(entry for entry, _ in judged)
    if not judged and reading.subjects & MEASURED - SYMPTOMS and (named := named_in_record(reading)):
        return named
    if not judged:
        return unknown(
            f"nothing that was checked measures {_subjects_text(reading) or 'that'}{where}",
            ids_of(reading.blind(reading.services_meant)),
        )
    if blind := reading.blind(reading.services_meant):
        return unknown(f"what could be checked{where} is normal, but not all could be", [*ids, *ids_of(blind)])
    text = "; ".join(dict.fromkeys(text for _, text in judged[:MAX_NAMED]))
    return ShortAnswer(verdict=no, text=one_line(text, MAX_TEXT), evidence=ids)


def _not_of_thing(thing: str, bad: "_Lines") -> ShortAnswer:
    """What was measured is another thing's: told, and no yes."""
    measured = "; ".join(dict.fromkeys(text for _, text in bad[:MAX_NAMED]))
    text = f"nothing that was checked measures {thing}" + (f"; what was measured: {measured}" if measured else "")
    return unknown(text, ids_of(entry for entry, _ in bad))


_Lines = list[tuple[LedgerEntry, str]]


def _current_state(reading: QuestionReading) -> tuple[_Lines, _Lines]:
    rows = list(reading.current())
    direction = _requested_direction(reading)
    bad = [(entry, fact.text) for entry, fact in rows if (fact.state == direction if direction else fact.trouble)]
    return bad, [(entry, fact.text) for entry, fact in rows if fact.state != "unknown"]


def _past_state(reading: QuestionReading) -> tuple[_Lines, _Lines]:
    rows = list(reading.deviations(reading.services_meant))
    direction = {"high": "up", "low": "down"}.get(_requested_direction(reading), "")
    bad = [
        (entry, _line_of(entry, fact))
        for entry, fact in rows
        if fact.doublings > 0 and (not direction or fact.direction == direction)
    ]
    measured = reading.subjects & MEASURED
    for entry in reading.entries if not direction and measured <= SYMPTOMS else ():
        if str(entry.arguments.get("service") or "") in reading.services_meant and Subject.HEALTH in measured:
            bad += [(entry, beyond.text) for beyond in entry.evidence.facts.beyond or ()]
    return bad, [(entry, _line_of(entry, fact)) for entry, fact in rows]


def _requested_direction(reading: QuestionReading) -> str:
    """`high` or `low` where the question says which way traffic went: less of it is no trouble by itself."""
    if Subject.TRAFFIC not in reading.subjects:
        return ""
    return {"up": "high", "down": "low"}.get(direction_in(reading.question), "")


def _line_of(entry: LedgerEntry, fact: DeviationFact) -> str:
    """The evidence's own line about a signal."""
    start = f"{fact.service} {fact.signal} "
    lines = (line for line in entry.evidence.details if line.startswith(start))
    moved = "left its normal range" if fact.doublings > 0 else "stayed normal"
    return next(lines, f"{start}{moved}").partition(" [")[0]


def _changed(reading: QuestionReading) -> ShortAnswer:
    """Whether something was deployed, edited or flipped."""
    lists = [entry for entry in reading.entries if entry.evidence.facts.changes is not None]
    if not lists:
        return unknown("the changes were not checked", ids_of(reading.failed))
    entry = lists[-1]
    where = f" on {', '.join(sorted(reading.services))}" if reading.services else ""
    fitting = [
        change for change in entry.evidence.facts.changes or () if not reading.services or change.service in reading.services
    ]
    if fitting:
        newest = fitting[0]
        text = f"{len(fitting)} change{'s' if len(fitting) > 1 else ''}{where}; newest: {newest.kind} of {newest.service}"
        title = f", {newest.title}" if newest.title else ""
        return ShortAnswer(verdict=Verdict.YES, text=one_line(text + title, MAX_TEXT), evidence=[entry.id], untrusted=True)
    if entry.evidence.blind_spots:
        return unknown(f"no change{where} in what could be checked, but not all could be", [entry.id])
    return ShortAnswer(verdict=Verdict.NO, text=f"No change{where} in what was checked", evidence=[entry.id])


def _recovered(reading: QuestionReading) -> ShortAnswer | None:
    """Whether it is over: no alert fires, and every current value is as usual."""
    rows = [(entry, fact) for entry, fact in reading.current()]
    trouble = [(entry, fact) for entry, fact in rows if fact.trouble]
    firing = reading.facts.group_state in (GroupState.FIRING, GroupState.ACKNOWLEDGED) and reading.facts.firing > 0
    if trouble:
        texts = "; ".join(fact.text for _, fact in trouble[:MAX_NAMED])
        return ShortAnswer(verdict=Verdict.NO, text=one_line(texts, MAX_TEXT), evidence=ids_of(entry for entry, _ in trouble))
    current = [(entry, fact) for entry, fact in rows if fact.state != "unknown"]
    if firing:
        count = reading.facts.firing
        alerts = f"{count} alerts still fire" if count > 1 else "1 alert still fires"
        return ShortAnswer(verdict=Verdict.NO, text=alerts, evidence=ids_of(entry for entry, _ in current))
    if not current:
        return unknown("no current value could be read", ids_of(reading.blind(reading.services_meant)))
    if blind := reading.blind(reading.services_meant):
        return unknown("what could be read is as usual now, but not all could be", ids_of(blind))
    texts = "; ".join(fact.text for _, fact in current[:MAX_NAMED])
    return ShortAnswer(
        verdict=Verdict.YES, text=one_line(f"No alert fires; {texts}", MAX_TEXT), evidence=ids_of(e for e, _ in current)
    )


def _alerting(reading: QuestionReading) -> ShortAnswer | None:
    lists = [entry for entry in reading.entries if entry.evidence.facts.alerts is not None]
    if not lists:
        return unknown("the alerts were not checked", ids_of(reading.failed))
    entry = lists[-1]
    fitting = [
        alert for alert in entry.evidence.facts.alerts or () if not reading.services or alert.service in reading.services
    ]
    where = f" on {', '.join(sorted(reading.services))}" if reading.services else ""
    if fitting:
        text = f"{len(fitting)} alert{'s' if len(fitting) > 1 else ''}{where}, the first {fitting[0].name}"
        return ShortAnswer(verdict=Verdict.YES, text=one_line(text, MAX_TEXT), evidence=[entry.id], untrusted=True)
    return ShortAnswer(verdict=Verdict.NO, text=f"No alert fires{where} in what was checked", evidence=[entry.id])


def _acknowledged(reading: QuestionReading) -> ShortAnswer | None:
    entries = [
        entry for entry in reading.facts.timeline if entry.kind is EntryKind.GROUP and entry.text.startswith("Acknowledged by ")
    ]
    if entries and reading.facts.group_state is not GroupState.FIRING:
        return ShortAnswer(verdict=Verdict.YES, text=entries[-1].text, evidence=[entries[-1].id])
    if reading.facts.group_state is GroupState.FIRING:
        return ShortAnswer(verdict=Verdict.NO, text="Nobody has acknowledged it")
    return None


def _proposed(reading: QuestionReading) -> ShortAnswer | None:
    waiting = reading.facts.proposals
    if waiting:
        return ShortAnswer(verdict=Verdict.YES, text=waiting[0].text, evidence=[waiting[0].ref])
    return ShortAnswer(verdict=Verdict.NO, text="No proposal waits for approval")


_RECORDED: dict[Subject, Callable[[QuestionReading], ShortAnswer | None]] = {
    Subject.PROPOSAL: _proposed,
    Subject.RECOVERY: _recovered,
    Subject.ALERTS: _alerting,
    Subject.ACKNOWLEDGED: _acknowledged,
}
"""Subjects that the record answers by itself."""


# ---------------------------------------------------------------- words


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
    return "; ".join(_line_of(entry, fact) for entry, fact in strongest)


def _count(rows: Sequence[object]) -> str:
    return f"{len(rows)} signal{'s' if len(rows) > 1 else ''}"


def _subject_text(reading: QuestionReading) -> str:
    services = ", ".join(sorted(reading.services)[:MAX_NAMED])
    return " of ".join(filter(None, (_subjects_text(reading), services))) or "that"


def _subjects_text(reading: QuestionReading) -> str:
    subjects = sorted(subject.value for subject in reading.subjects if subject not in (Subject.HEALTH, Subject.RECOVERY))
    return " and ".join(subjects[:2])
