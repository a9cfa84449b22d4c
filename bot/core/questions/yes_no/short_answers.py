"""Yes, no or unknown, and what it stands on: decided from measured facts and ranked causes, never from what people wrote.

"No" needs a check that would have shown it: what was not checked, or could not be, is unknown.
"""

from collections.abc import Sequence

from bot.core.questions.answer_facts import AnswerFacts
from bot.core.questions.forms import (
    asks_to_undo,
    cause_in_question,
    wants_approvers,
    wants_cause,
    wants_current_values,
    wants_on_call,
    wants_runs,
    wants_yes_or_no,
)
from bot.core.questions.subjects import MEASURED, Subject
from bot.core.questions.topics import named_in_order, topics_of
from bot.core.questions.yes_no.activities import ran_before, what_ran, whether_done
from bot.core.questions.yes_no.cause_answers import answer_about_callee, answer_about_cause
from bot.core.questions.yes_no.named_in_record import named_in_record
from bot.core.questions.yes_no.question_reading import QuestionReading, ids_of
from bot.core.questions.yes_no.record_answers import RECORDED_SUBJECTS, answer_about_changes
from bot.core.questions.yes_no.state_answers import answer_about_state
from bot.core.questions.yes_no.verdicts import MAX_TEXT, ShortAnswer, Verdict, unknown
from bot.core.text.untrusted import one_line

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
    for subject, answered in RECORDED_SUBJECTS.items():
        if subject in reading.subjects and (short := answered(reading)) is not None:
            return _with_last_run(reading, short)
    if activities := topics_of(question, facts.names, facts.tools).activities:
        return whether_done(facts.timeline, activities)
    if wants_cause(question) and Subject.CALLEE in reading.subjects:
        return answer_about_callee(reading)
    if wants_cause(question) and (reading.causes or (reading.services and not reading.subjects)):
        return answer_about_cause(reading)
    if Subject.CHANGE in reading.subjects:
        return answer_about_changes(reading)
    if reading.subjects & MEASURED or reading.services:
        return _with_last_run(reading, answer_about_state(reading))
    return named_in_record(reading) or unknown(SAYS_NOTHING)


def _with_last_run(reading: QuestionReading, short: ShortAnswer) -> ShortAnswer:
    """How it is now beside what ran shortly before: a rate is of the last minute, and takes its time to fall."""
    if not (wants_current_values(reading.question) and reading.facts.ledger):
        return short
    run, ids = ran_before(reading.facts.timeline, max(entry.at for entry in reading.facts.ledger))
    if not run or short.untrusted:
        return short
    text = f"{one_line(short.text, MAX_TEXT - len(run) - 2)}; {run}"
    return short.model_copy(update={"text": text, "evidence": [*short.evidence, *ids]})
