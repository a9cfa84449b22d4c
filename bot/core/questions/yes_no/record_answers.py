"""What the record answers by itself: changes, alerts, acknowledgement, recovery, proposals."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.change import kind_in_words
from bot.core.evidence import LedgerEntry
from bot.core.incident import GroupState
from bot.core.questions.answer_facts import AnswerFacts, cited_by
from bot.core.questions.parsing.forms import wants_cause
from bot.core.questions.parsing.subjects import MEASURED, Subject
from bot.core.questions.parsing.unread_words import words_with_meaning
from bot.core.questions.yes_no.named_in_record import CONFIRMED
from bot.core.questions.yes_no.question_reading import QuestionReading, ids_of
from bot.core.questions.yes_no.state_answers import MAX_NAMED
from bot.core.questions.yes_no.status_answers import whether_anyone_works_on_it
from bot.core.questions.yes_no.verdicts import MAX_TEXT, ShortAnswer, Verdict, unknown
from bot.core.text.moments import clock
from bot.core.text.untrusted import counted, one_line
from bot.core.timeline import EntryKind


def answer_about_changes(reading: QuestionReading) -> ShortAnswer:
    """Whether something was deployed, edited or flipped."""
    lists = [
        entry for entry in reading.entries if entry.evidence.facts.changes is not None and _lists_all_meant(entry, reading)
    ]
    if not lists:
        return unknown("the changes were not checked", ids_of(reading.failed))
    entry = lists[-1]
    meant, noun = reading.changes_meant, reading.changes_meant.noun
    which = f" {meant.text}" if meant.text else ""
    fitting = [change for change in entry.evidence.facts.changes or () if meant.includes(change)]
    if fitting:
        newest = max(fitting, key=lambda change: change.at)
        kind = kind_in_words(newest.kind)
        count = f"{'at least ' * (meant.since is not None and _covers_less(entry, meant.since))}{len(fitting)}"
        text = f"{count} {noun}{'s' if len(fitting) > 1 else ''}{which}; newest: {kind} of {newest.service}"
        title = f", {newest.title}" if newest.title else ""
        text = one_line(f"{text} at {clock(newest.at)}{title}", MAX_TEXT)
        return ShortAnswer(verdict=Verdict.YES, text=text, evidence=[entry.id], untrusted=True)
    if entry.evidence.blind_spots:
        return unknown(f"no {noun}{which} in what could be checked, but not all could be", [entry.id])
    if meant.since and _covers_less(entry, meant.since):
        return unknown(f"no {noun}{which} in what was checked, which does not go back so far", [entry.id])
    if meant.persons and (of_others := _by_others(entry, reading)):
        return of_others
    # Who made a change, and its version, are known only where its source tells them.
    if meant.is_one and reading.recorded_changes:
        return unknown(f"no recorded change is{which}", [entry.id])
    return ShortAnswer(verdict=Verdict.NO, text=f"No {noun}{which} in what was checked", evidence=[entry.id])


def _by_others(entry: LedgerEntry, reading: QuestionReading) -> ShortAnswer | None:
    """Who made the change that is asked of, where it was another person; None where no such change is recorded.

    A no wants names to be comparable: a source that names a pipeline says nothing of who started it.
    """
    meant = replace(reading.changes_meant, persons=frozenset())
    made = [change for change in entry.evidence.facts.changes or () if meant.includes(change)]
    if not (made and (meant.services or meant.versions) and all(change.author for change in made)):
        return None
    newest = max(made, key=lambda change: change.at)
    text = f"{kind_in_words(newest.kind)} of {newest.service} at {clock(newest.at)} is by {newest.author}"
    authors = [change.author.lower() for change in reading.recorded_changes]
    is_known = all(any(person in author for author in authors) for person in reading.changes_meant.persons)
    verdict = Verdict.NO if is_known else Verdict.UNKNOWN
    text = one_line(f"{text[:1].upper()}{text[1:]}", MAX_TEXT)
    return ShortAnswer(verdict=verdict, text=text, evidence=[entry.id], untrusted=True)


def changes_since(reading: QuestionReading) -> ShortAnswer | None:
    """How many changes there were in the span of time that "what changed in the last hour?" names; None where it names none."""
    since = reading.changes_meant.since
    if since is None or reading.subjects != {Subject.CHANGE} or wants_cause(reading.question):
        return None
    short = answer_about_changes(reading)
    return short.model_copy(update={"verdict": Verdict.UNKNOWN, "opening": short.opening or "Recorded:"})


def _lists_all_meant(entry: LedgerEntry, reading: QuestionReading) -> bool:
    """Whether a list is of all services, or of those that are meant: one of another service says nothing of them."""
    of = str(entry.arguments.get("service") or "")
    return not of or reading.services == {of}


def _covers_less(entry: LedgerEntry, since: datetime) -> bool:
    hours = entry.arguments.get("hours")
    return isinstance(hours, (int, float)) and entry.at - timedelta(hours=hours) > since


def _recovered(reading: QuestionReading) -> ShortAnswer | None:
    """Whether it is over: no alert fires, and every current value is as usual."""
    rows = [(entry, fact) for entry, fact in reading.current()]
    trouble = [(entry, fact) for entry, fact in rows if fact.trouble]
    firing = reading.facts.group_state in (GroupState.FIRING, GroupState.ACKNOWLEDGED) and reading.facts.firing > 0
    if trouble:
        texts = "; ".join(fact.text for _, fact in trouble[:MAX_NAMED])
        return ShortAnswer(verdict=Verdict.NO, text=one_line(texts, MAX_TEXT), evidence=ids_of(entry for entry, _ in trouble))
    current = [(entry, fact) for entry, fact in rows if fact.state != "unknown"]
    # The alerts of the group may be about something else than what is named.
    narrower = bool(reading.services - {reading.facts.own_service} or reading.subjects & MEASURED - {Subject.HEALTH})
    if firing and narrower and not current:
        text = "no current value could be read, and alerts of the group still fire"
        return unknown(text, ids_of(reading.blind(reading.services_meant)))
    if firing and narrower:
        text = f"{'; '.join(fact.text for _, fact in current[:MAX_NAMED])}; alerts of the group still fire"
        return unknown(text, ids_of(entry for entry, _ in current), opening="Measured:")
    if firing:
        count = reading.facts.firing
        alerts = f"{count} alerts still fire" if count > 1 else "1 alert still fires"
        return ShortAnswer(verdict=Verdict.NO, text=alerts, evidence=ids_of(entry for entry, _ in current))
    if not current:
        return unknown("no current value could be read", ids_of(reading.blind(reading.services_meant)))
    if blind := reading.blind(reading.services_meant):
        return unknown("what could be read is as usual now, but not all could be", ids_of(blind))
    texts = "; ".join(fact.text for _, fact in current[:MAX_NAMED])
    if reading.facts.status is not None and not reading.facts.status.end_confirmed:
        text = f"no alert is reported, and that they ended is not confirmed; {texts}"
        return unknown(one_line(text, MAX_TEXT), ids_of(entry for entry, _ in current))
    return ShortAnswer(
        verdict=Verdict.YES, text=one_line(f"No alert fires; {texts}", MAX_TEXT), evidence=ids_of(e for e, _ in current)
    )


def _alerting(reading: QuestionReading) -> ShortAnswer | None:
    if _OWN_ALERTS.search(reading.question) and not reading.services and (of_group := _own_alerts(reading)):
        return of_group
    lists = [entry for entry in reading.entries if entry.evidence.facts.alerts is not None]
    if not lists:
        return unknown("the alerts were not checked", ids_of(reading.failed))
    entry = lists[-1]
    alerts = entry.evidence.facts.alerts or ()
    named = {alert.name for alert in alerts if re.search(rf"\b{re.escape(alert.name)}\b", reading.question, re.IGNORECASE)}
    fitting = [
        alert
        for alert in alerts
        if (not reading.services or alert.service in reading.services) and (not named or alert.name in named)
    ]
    if _OTHERS.search(reading.question) and fitting and not reading.services:
        firing, group = reading.facts.firing, reading.facts.group or "this group"
        text = f"{counted(len(fitting), 'alert')} in all; of {group} {firing} {'fires' if firing == 1 else 'fire'}"
        return unknown(text, [entry.id], opening="Firing now:")
    where = f" on {', '.join(sorted(reading.services))}" if reading.services else ""
    noun = f"{' and '.join(sorted(named))} alert".strip()
    if fitting:
        own = next((alert for alert in fitting if alert.service == reading.facts.own_service), fitting[0])
        text = f"{counted(len(fitting), noun)}{where}" + ("" if named else f", such as {own.name}")
        return ShortAnswer(verdict=Verdict.YES, text=one_line(text, MAX_TEXT), evidence=[entry.id], untrusted=True)
    return ShortAnswer(verdict=Verdict.NO, text=f"No {noun} fires{where} in what was checked", evidence=[entry.id])


def still_fires(reading: QuestionReading) -> ShortAnswer | None:
    """Whether the alerts of this group fire, which is what "still?" alone asks; None for a question that says more."""
    if _INCIDENT.search(reading.question):
        return None  # an incident is open until people resolve it
    bare = not (reading.services or reading.subjects or words_with_meaning(_STILL.sub(" ", reading.question)))
    return _own_alerts(reading) if bare and _STILL.search(reading.question) else None


def _own_alerts(reading: QuestionReading) -> ShortAnswer | None:
    """Whether the alerts of this very group fire, as they were received; None where its state is not known."""
    state, firing, group = reading.facts.group_state, reading.facts.firing, reading.facts.group or "this group"
    if state in (GroupState.FIRING, GroupState.ACKNOWLEDGED) and firing:
        text = f"{counted(firing, 'alert')} of {group} {'fires' if firing == 1 else 'fire'}"
        return ShortAnswer(verdict=Verdict.YES, text=text)
    return ShortAnswer(verdict=Verdict.NO, text=f"No alert of {group} fires: it is {state}") if reading.facts.is_over else None


def known_cause(facts: AnswerFacts) -> ShortAnswer:
    """Whether the cause is known: confirmed by people, or only ranked."""
    for entry in reversed(facts.timeline):
        who, confirmed, cause = entry.text.partition(CONFIRMED)
        if entry.kind is EntryKind.INCIDENT and confirmed:
            text = f"{who} confirmed the cause: {cause}"
            return ShortAnswer(verdict=Verdict.YES, text=one_line(text, MAX_TEXT), evidence=[entry.id], untrusted=True)
    first = facts.first_cause
    if first is None:
        return unknown("nobody confirmed a cause, and none is ranked")
    ids, untrusted = cited_by(first.claims, first.cause, facts)
    noun = " cause" if first.confidence == "likely" else ""
    return unknown(first.cause, ids, untrusted=untrusted, opening=f"Nobody confirmed it yet; {first.confidence_text}{noun}:")


def _acknowledged(reading: QuestionReading) -> ShortAnswer | None:
    if reading.facts.status is not None and reading.facts.group_state is not None:
        return whether_anyone_works_on_it(reading.question, reading.facts, reading.facts.status)
    entries = [
        entry for entry in reading.facts.timeline if entry.kind is EntryKind.GROUP and entry.text.startswith("Acknowledged by ")
    ]
    if entries and reading.facts.group_state is not GroupState.FIRING:
        return ShortAnswer(verdict=Verdict.YES, text=entries[-1].text, evidence=[entries[-1].id])
    if reading.facts.group_state is GroupState.FIRING or (reading.facts.is_over and not entries):
        return ShortAnswer(verdict=Verdict.NO, text="Nobody has acknowledged it")
    return None


def _proposed(reading: QuestionReading) -> ShortAnswer | None:
    waiting = reading.facts.proposals
    if waiting:
        return ShortAnswer(verdict=Verdict.YES, text=waiting[0].text, evidence=[waiting[0].ref])
    return ShortAnswer(verdict=Verdict.NO, text="No proposal waits for approval")


_INCIDENT = re.compile(r"\bincident\b", re.IGNORECASE)
_STILL = re.compile(r"\bstill\b", re.IGNORECASE)
_OTHERS = re.compile(r"\b(?:other|others|another|else|different)\b", re.IGNORECASE)
"""Asks for what fires beside this group: a list of alerts does not say whose they are."""
_OWN_ALERTS = re.compile(
    r"\b(?:it|this|that|(?:the|this|that)\s+(?:alert|alerts|group|incident))\s+(?:\w+\s+)?(?:firing|alerting|fires?)\b"
    r"|^\W*(?:(?:and|so|is|are)\s+)?still\s+(?:firing|alerting)\b",
    re.IGNORECASE,
)
"""Asks for the alerts of this group, and not for all that fire."""
RECORDED_SUBJECTS: dict[Subject, Callable[[QuestionReading], ShortAnswer | None]] = {
    Subject.PROPOSAL: _proposed,
    Subject.RECOVERY: _recovered,
    Subject.ALERTS: _alerting,
    Subject.ACKNOWLEDGED: _acknowledged,
}
"""Subjects that the record answers by itself."""
