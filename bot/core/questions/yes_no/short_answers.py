"""Yes, no or unknown, and what it stands on: decided from measured facts and ranked causes, never from what people wrote.

"No" needs a check that would have shown it: what was not checked, or could not be, is unknown.
"""

import re

from bot.core.evidence import Hypothesis
from bot.core.questions.answer_facts import AnswerFacts, cited_by
from bot.core.questions.parsing.changes_meant import without_span
from bot.core.questions.parsing.forms import (
    as_cause_question,
    asks_if_cause_is_known,
    asks_to_undo,
    asks_what_bot_did,
    begins_with_verb,
    cause_in_question,
    direction_in,
    good_is_yes,
    wants_amount,
    wants_approvers,
    wants_cause,
    wants_choice,
    wants_on_call,
    wants_runs,
    wants_undo,
    wants_yes_or_no,
)
from bot.core.questions.parsing.spelling import spelled_out, with_possessives
from bot.core.questions.parsing.subjects import MEASURED, SYMPTOMS, Subject
from bot.core.questions.parsing.topics import topics_of
from bot.core.questions.parsing.unread_words import unread_words
from bot.core.questions.yes_no.activities import newest_activity, ran_before, runs, what_ran, whether_done
from bot.core.questions.yes_no.cause_answers import answer_about_callee, answer_about_cause
from bot.core.questions.yes_no.extent_answers import affected_services, what_it_calls, whether_it_calls
from bot.core.questions.yes_no.named_in_record import named_in_record
from bot.core.questions.yes_no.people_answers import answer_about_blame, answer_about_on_call
from bot.core.questions.yes_no.proposal_answers import (
    answer_about_holds,
    answer_about_proposals,
    proposed_act,
    whether_undo_waits,
)
from bot.core.questions.yes_no.qualifiers import OF_MOMENT, OF_TREND, excluded, undecided
from bot.core.questions.yes_no.question_reading import QuestionReading, ids_of
from bot.core.questions.yes_no.record_answers import (
    RECORDED_SUBJECTS,
    answer_about_changes,
    changes_since,
    known_cause,
    still_fires,
)
from bot.core.questions.yes_no.signal_answers import (
    answer_about_last_time,
    answer_about_objectives,
    answer_about_signal,
    is_about_act,
    unmade_check,
    what_was_not_checked,
    whether_checked,
)
from bot.core.questions.yes_no.state_answers import answer_about_state
from bot.core.questions.yes_no.status_answers import answer_about_status
from bot.core.questions.yes_no.verdicts import FOR_PEOPLE, MAX_TEXT, ShortAnswer, Verdict, unknown
from bot.core.text.moments import clock
from bot.core.text.untrusted import one_line

_IN_PROGRESS = re.compile(
    r"\b(?:right now|currently|at the moment|ongoing|underway|in progress"
    r"|(?:deploy|releas|migrat|flipp|roll|shipp|chang)ing)\b",
    re.IGNORECASE,
)
"""A change is recorded with its moment, and not with its end."""
_WHEN_OR_WHO = re.compile(r"^\W*(?:(?:and|so|ok|but)\s+)?(?:when|who)\b", re.IGNORECASE)
_IS_DOING = re.compile(r"\b(?:it|this|that)(?:['’]s)?\s+(?:\w+\s+)?\w+(?:ing|ed)\b", re.IGNORECASE)
"""What it does, and no thing that it may be: "is it flapping?"."""
_JUDGES = re.compile(r"\b(?:problem|issue|cause[ds]?|culprit|reason|because)\b", re.IGNORECASE)
NOT_DECIDED = "Not decided; recorded:"
SAYS_NOTHING = "the evidence says nothing about that"


def short_answer(question: str, facts: AnswerFacts) -> ShortAnswer | None:
    """Yes, no or unknown; None for a question that wants something else."""
    question = with_possessives(spelled_out(question), facts.names)
    if wants_approvers(question) and not facts.proposals:
        return ShortAnswer(verdict=Verdict.NO, text="No proposal waits for approval")
    if (holds := answer_about_holds(question, facts)) is not None:
        return holds
    if (status := answer_about_status(question, facts)) is not None:
        return status
    if wants_undo(question):
        return whether_undo_waits(question, facts)
    if (became := answer_about_proposals(question, facts)) is not None:
        return became
    if wants_on_call(question) and (on_call := answer_about_on_call(question, facts)) is not None:
        return on_call
    if (changes := answer_about_blame(question, facts)) is not None:
        return changes
    if (earlier := answer_about_last_time(QuestionReading(question, facts))) is not None:
        return earlier
    if wants_runs(question):
        if asks_what_bot_did(question):
            return what_ran(facts.timeline)
        return what_ran(facts.timeline, of_people=True, waiting=[one.ref for one in facts.proposals])
    if wants_yes_or_no(question) and asks_to_undo(question):
        return _whether_to_undo(question, facts)
    if wants_yes_or_no(question) and (thing := excluded(question)):
        return _whether_ruled_out(thing, facts)
    if asks_if_cause_is_known(question):
        return _where_all_was_read(known_cause(facts), question, facts)
    if (when := when_done(question, facts)) is not None:
        return when
    reading = QuestionReading(question, facts)
    if (budget := answer_about_objectives(reading)) is not None:
        return budget
    reach = affected_services(reading) or whether_it_calls(reading) or what_it_calls(reading)
    if (check := reach or whether_checked(reading) or what_was_not_checked(reading)) is not None:
        return check
    if wants_choice(question):
        return _likely_of(question, facts)
    if wants_yes_or_no(question) and (firing := still_fires(reading)) is not None:
        return firing
    if not wants_yes_or_no(question) and (changed := changes_since(reading)) is not None:
        return changed
    if wants_amount(question) and (measured := answer_about_signal(reading)) is not None:
        return measured
    short = _yes_or_no(cause_in_question(question, facts.names), facts)
    cause_question = as_cause_question(question, facts.names)
    # A span of time is read where it bounds changes; of all else it is a moment that nothing was compared with.
    opening = undecided(without_span(cause_question) if changes_since(reading) is not None else cause_question)
    if opening == OF_TREND and short and short.text.lower() == SAYS_NOTHING:
        # "Is it getting worse?" names nothing that is measured: how all of it is now.
        short = _yes_or_no("is it healthy now?", facts)
    if short and opening:
        return _left_open(short, opening, facts)
    return _where_all_was_read(short, question, facts)


def _where_all_was_read(short: ShortAnswer | None, question: str, facts: AnswerFacts) -> ShortAnswer | None:
    """A yes or no where nothing in the question is left unread; else what is known, and that it is not decided."""
    if short is None or short.verdict is Verdict.UNKNOWN or short.complete:
        return short
    if not unread_words(as_cause_question(question, facts.names), facts.names, short.text):
        return short
    return short.model_copy(update={"verdict": Verdict.UNKNOWN, "opening": short.opening or NOT_DECIDED})


def _left_open(short: ShortAnswer, opening: str, facts: AnswerFacts) -> ShortAnswer:
    """What is known of the subject of a question that demands more than its subject."""
    if opening == FOR_PEOPLE:
        return _for_people(facts)
    if opening == OF_MOMENT and facts.onset:
        text = one_line(f"it began {facts.onset}; {short.text}", MAX_TEXT)
        ids = list(dict.fromkeys(filter(None, (facts.onset_evidence, *short.evidence))))
        return short.model_copy(update={"verdict": Verdict.UNKNOWN, "text": text, "evidence": ids, "opening": opening})
    if short.verdict is Verdict.UNKNOWN:
        return short
    return short.model_copy(update={"verdict": Verdict.UNKNOWN, "opening": short.opening or opening})


def _for_people(facts: AnswerFacts) -> ShortAnswer:
    """What is known where it is asked whether something may or should be done: what waits for approval, or the cause."""
    if facts.proposals:
        return unknown(facts.proposals[0].text, [facts.proposals[0].ref], opening=FOR_PEOPLE)
    first = facts.first_cause
    if first is None:
        return unknown("no cause is known, and nothing that was checked speaks for it or against it", opening=FOR_PEOPLE)
    return _cause(
        first, f"{FOR_PEOPLE.rstrip(':')}; {first.confidence_text}{' cause' if first.confidence == 'likely' else ''}:", facts
    )


def when_done(question: str, facts: AnswerFacts) -> ShortAnswer | None:
    """When, or by whom, something was done here, as the timeline has it; None where nothing records it or that is not asked."""
    activities = topics_of(question, facts.names, facts.tools).activities
    entry = newest_activity(facts.timeline, activities) if activities and _WHEN_OR_WHO.search(question) else None
    if entry is None:
        return None
    run = next((run for run in runs(facts.timeline) if entry.id in run.entries), None)
    text = f"{clock(run.at)} {run.named}: {run.outcome}" if run else f"{clock(entry.at)} {entry.text}"
    text = one_line(text + (f" ({entry.author})" if entry.author else ""), MAX_TEXT)
    return unknown(text, [entry.id], untrusted=True, opening="Recorded:")


def _whether_ruled_out(thing: str, facts: AnswerFacts) -> ShortAnswer | None:
    """Whether a thing is cleared: the opposite of whether it is the cause."""
    short = _yes_or_no(cause_in_question(f"is it {thing}?", facts.names), facts)
    short = _where_all_was_read(short, f"is it {thing}?", facts)
    if short is None or short.verdict is Verdict.UNKNOWN:
        return short
    # "It can't be the flag?": a bare yes could be read as either.
    yes = short.verdict is Verdict.NO
    opening = "Yes, ruled out by what was checked:" if yes else "No, not ruled out:"
    return short.model_copy(update={"verdict": Verdict.YES if yes else Verdict.NO, "opening": opening})


def _likely_of(question: str, facts: AnswerFacts) -> ShortAnswer | None:
    """The likely cause, where it is asked which of two it is; None where none is likely."""
    if facts.likely_cause is None or not wants_cause(question):
        return None
    return _cause(facts.likely_cause, "Likely cause:", facts)


def _cause(cause: Hypothesis, opening: str, facts: AnswerFacts) -> ShortAnswer:
    ids, untrusted = cited_by(cause.claims, cause.cause, facts)
    return unknown(cause.cause, ids, untrusted=untrusted, opening=opening)


def _whether_to_undo(question: str, facts: AnswerFacts) -> ShortAnswer | None:
    """What speaks for or against a change being the cause; whether it is undone is for people to decide."""
    short = _yes_or_no(cause_in_question(question, facts.names), facts)
    if short is None or short.verdict is Verdict.NO:
        return short
    return short.model_copy(update={"verdict": Verdict.UNKNOWN, "opening": short.opening or FOR_PEOPLE})


def _yes_or_no(question: str, facts: AnswerFacts) -> ShortAnswer | None:
    if not wants_yes_or_no(question):
        return None
    reading = QuestionReading(question, facts)
    if not (reading.entries or facts.findings or reading.subjects & RECORDED_SUBJECTS.keys()):
        return unknown(f"nothing {'could be' if reading.failed else 'was'} checked", ids_of(reading.failed))
    for subject, answered in RECORDED_SUBJECTS.items():
        if subject in reading.subjects and (short := answered(reading)) is not None:
            # "Is there a latency alert?", "is the alert a problem?": which alerts they are, and what they mean, was not read.
            kinds = reading.subjects & MEASURED - {Subject.HEALTH}
            named = subject is Subject.ALERTS and (kinds or _JUDGES.search(question))
            return _left_open(short, NOT_DECIDED, facts) if named else _with_last_run(reading, short)
    if activities := topics_of(question, facts.names, facts.tools).activities:
        short = whether_done(facts.timeline, activities, reading.is_about)
        if short.verdict is Verdict.UNKNOWN:
            signal = None if is_about_act(question) else answer_about_signal(reading) or unmade_check(reading)
            short = proposed_act(activities, facts) or signal or short
        # Whether it worked, failed or was denied is another question than whether it was done.
        return short if not reading.subjects and len(activities) == 1 else _left_open(short, NOT_DECIDED, facts)
    if Subject.CALLEE in reading.subjects:
        short = answer_about_callee(reading)
        return short if wants_cause(question) else _left_open(short, NOT_DECIDED, facts)
    if _is_about_cause(reading):
        return _answer_about_cause(reading)
    if reading.is_about_changes:
        short = answer_about_changes(reading)
        meant = reading.changes_meant
        # Of a version it is asked who made it, or how it fares.
        only_changes = reading.subjects <= {Subject.CHANGE} and (not meant.versions or bool(meant.persons))
        return short if only_changes and not _IN_PROGRESS.search(question) else _left_open(short, NOT_DECIDED, facts)
    if not wants_cause(question) and (measured := answer_about_signal(reading)):
        return measured
    if reading.subjects & MEASURED or reading.services:
        return _with_last_run(reading, answer_about_state(reading))
    if topics_of(question, facts.names, facts.tools).is_open and not begins_with_verb(question):
        return None  # "status?" is no question of yes or no
    return named_in_record(reading) or _another_cause(reading) or unmade_check(reading) or unknown(SAYS_NOTHING)


def _another_cause(reading: QuestionReading) -> ShortAnswer | None:
    """Of a thing that nothing measures, where it is asked whether that is the cause: the likely one."""
    likely = reading.facts.likely_cause
    is_thing = wants_cause(reading.question) and not _IS_DOING.search(reading.question)
    if likely is None or not is_thing:
        return None
    return _cause(likely, "Nothing that was checked measures that; likely cause:", reading.facts)


def _is_about_cause(reading: QuestionReading) -> bool:
    """Whether it asks if something is the cause: in such words, or how a change fares ("is 3.5.0 bad?")."""
    if reading.is_about_changes:
        return wants_cause(reading.question) or bool(reading.subjects & SYMPTOMS)
    return wants_cause(reading.question) and bool(reading.causes or (reading.services and not reading.subjects))


def _answer_about_cause(reading: QuestionReading) -> ShortAnswer:
    """Of one thing. That a change is fine, that little traffic is the cause or that one of two services is it: not decided."""
    short, question = answer_about_cause(reading), reading.question
    fine = reading.is_about_changes and good_is_yes(question)
    fell = Subject.TRAFFIC in reading.subjects and direction_in(question) == "down"
    return _left_open(short, NOT_DECIDED, reading.facts) if fine or fell or len(reading.services) > 1 else short


def _with_last_run(reading: QuestionReading, short: ShortAnswer) -> ShortAnswer:
    """How it is now beside what ran shortly before: a rate is of the last minute, and takes its time to fall."""
    if not (reading.asks_for_now and reading.facts.ledger):
        return short
    run, ids = ran_before(reading.facts.timeline, max(entry.at for entry in reading.facts.ledger))
    if not run or short.untrusted:
        return short
    text = f"{one_line(short.text, MAX_TEXT - len(run) - 2)}; {run}"
    return short.model_copy(update={"text": text, "evidence": [*short.evidence, *ids]})
