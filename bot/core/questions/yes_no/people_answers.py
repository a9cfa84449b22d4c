"""Questions about people: who is on call, and what somebody changed. Nobody is blamed: a change is a cause, and no person."""

import re
from collections.abc import Sequence

from bot.core.change import kind_in_words
from bot.core.questions.answer_facts import AnswerFacts, cited_by
from bot.core.questions.parsing.forms import person_on_call, wants_cause, wants_yes_or_no
from bot.core.questions.parsing.subjects import SYMPTOMS
from bot.core.questions.parsing.topics import named_in_order, topics_of, without_services
from bot.core.questions.parsing.unread_words import words_with_meaning
from bot.core.questions.yes_no.question_reading import QuestionReading, ids_of
from bot.core.questions.yes_no.verdicts import ShortAnswer, Verdict, by_record, unknown
from bot.core.text.moments import clock
from bot.core.text.untrusted import counted

_WHO_DID_IT = re.compile(
    r"\bwho(?:['’]s|\s+(?:is|was|has))?\s+(?:\w+\s+)?(?:broke|broken|caused|guilty|responsible|to\s+blame|at\s+fault|did\s+(?:it|this|that)"
    r"|took\s+(?:[\w.-]+\s+){1,2}(?:down|offline|out))\b"
    r"|\bwhose\s+(?:fault|mistake)\b"
    r"|\b(?:what|which)\s+(?:bad\s+)?(?:version|commit|deploy(?:ment)?|release|rollout|change|pr)\s*(?:\?|$"
    r"|(?:is|was)\b(?=\s*(?:\?|$|it\W*$|(?:to\s+blame|at\s+fault|responsible|bad|broken|guilty|the\s+(?:cause|culprit))\b))"
    r"|did\b(?=\W*$|\s+(?:it|this|that)\W*$)"
    r"|(?:broke|caused|took)\b(?=\s*(?:\?|$|(?:it|this|that|the|our|us|prod\w*|everything)\b)))",
    re.IGNORECASE,
)
"""Which change did it is the same question in other words; which version serves, or what a person changed, is another one."""
_BESIDE = frozenset(("s", "not", "or", "both"))
"""What may stand beside the people and the question for guilt."""
_GUILT = re.compile(
    r"\b(?:guilty|fault|blame[ds]?|mess(?:ed)?|screw(?:ed)?|did\s+(?:this|it)|(?:made|done)\s+by)\b", re.IGNORECASE
)


def answer_about_on_call(question: str, facts: AnswerFacts) -> ShortAnswer | None:
    """Who is on call by the rota, or whether a person is; None where no rota was asked for."""
    if facts.on_call is None:
        return None
    service, people = on_call_service(question, facts), facts.on_call.people
    on = f" for {service}" if service else ""
    if not facts.on_call.readable:
        text = unread_rota_text(people)
        return unknown(text, opening=f"On call{on} now:").model_copy(update={"complete": True})
    if not people:
        text = f"nobody{on}, by the configuration; `default_on_call` names who is where nobody else is"
        return ShortAnswer(verdict=Verdict.NO, text=text, opening="On call now:", complete=True)
    listed = ", ".join(people)
    person, rest = person_on_call(question)
    if person and wants_yes_or_no(question) and not words_with_meaning(without_services(rest, facts.names)):
        verdict = Verdict.YES if person.lower() in (one.lower() for one in people) else Verdict.NO
        return ShortAnswer(verdict=verdict, text=f"On call{on} now: {listed}", complete=True)
    return ShortAnswer(verdict=Verdict.YES, text=listed, opening=f"On call{on} now:", complete=True)


def unread_rota_text(called: Sequence[str]) -> str:
    """What is known where the rota of a service cannot be read. `called`: the default on-call."""
    instead = f"{', '.join(called)} (`default_on_call`) is called instead" if called else "`default_on_call` names nobody"
    return f"not known, the rota cannot be read; {instead}"


def on_call_service(question: str, facts: AnswerFacts) -> str:
    """The service whose rota a question means; "" where none is known."""
    return next(iter(named_in_order(question, facts.names)), facts.own_service)


def answer_about_blame(question: str, facts: AnswerFacts) -> ShortAnswer | None:
    """What people who are named changed, and whether a change of theirs is the likely cause; None where nobody is meant.

    "Who broke it?" and "which commit?" get the likely cause.
    """
    if _WHO_DID_IT.search(question):
        cause, ids, untrusted = _likely(facts)
        text = cause or "no cause is likely yet"
        return unknown(text, ids, untrusted=untrusted, opening="Likely cause:" if cause else "I name causes, not people:")
    reading = QuestionReading(question, facts)
    people = sorted({change.author for change in reading.recorded_changes if _names(question, change.author)})
    people = [person for person in people if not reading.named_in(person)]
    if not people or reading.services or reading.subjects - SYMPTOMS or not (wants_cause(question) or _GUILT.search(question)):
        return None
    rest = re.sub("|".join(map(re.escape, people)), " ", _GUILT.sub(" ", question), flags=re.IGNORECASE)
    # "Was it acked by bob?" and "is it bob's turn?" are about something else.
    if topics_of(question, facts.names, facts.tools).activities or set(words_with_meaning(rest)) - _BESIDE:
        return None
    return _changes_of(people, reading)


def _changes_of(people: list[str], reading: QuestionReading) -> ShortAnswer:
    made = [change for change in reading.recorded_changes if change.author in people]
    newest = max(made, key=lambda change: change.at)
    text = f"{counted(len(made), 'change')}, the newest: {kind_in_words(newest.kind)} of {newest.service} at {clock(newest.at)}"
    cause, ids, _ = _likely(reading.facts)
    if cause:
        findings = reading.facts.findings
        id = findings.hypotheses[0].change_id if findings else ""
        text += f"; the likely cause is {'one of them' if id and id in {change.id for change in made} else 'another'}: {cause}"
    listing = [entry for entry in reading.entries if any(change in made for change in entry.evidence.facts.changes or ())]
    opening = f"Recorded of {' and '.join(people)}:"
    return by_record(unknown(text, [*ids_of(listing[-1:]), *ids], untrusted=True, opening=opening))


def _likely(facts: AnswerFacts) -> tuple[str, list[str], bool]:
    likely = facts.likely_cause
    return (likely.cause, *cited_by(likely.claims, likely.cause, facts)) if likely else ("", [], False)


def _names(question: str, author: str) -> bool:
    return bool(author) and bool(re.search(rf"(?<![\w-]){re.escape(author)}(?![\w-])", question, re.IGNORECASE))
