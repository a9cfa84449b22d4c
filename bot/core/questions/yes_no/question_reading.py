"""One yes-or-no question over what was recorded: the services and subjects it is about, and what was measured of them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from bot.core.change import Change
from bot.core.evidence import LedgerEntry
from bot.core.facts.measured import CurrentFact, DeviationFact
from bot.core.questions.answer_facts import AnswerFacts, newest_entries
from bot.core.questions.parsing.changes_meant import ChangesMeant, changes_meant
from bot.core.questions.parsing.forms import is_present, thing_in, wants_cause, wants_current_values
from bot.core.questions.parsing.subjects import (
    MEASURED,
    SYMPTOMS,
    Subject,
    looks_like_database,
    measures,
    subjects_in,
    without_subjects,
)
from bot.core.questions.parsing.topics import canonical, named_in, topics_of, without_services
from bot.core.text.stemming import stems

_ELSE = re.compile(
    r"\b(?:(?:any|some|every)(?:thing|one|body)|who|what|services?)\s+else\b|\bother\s+services?\b", re.IGNORECASE
)


@dataclass(frozen=True)
class QuestionReading:
    """One question over what was recorded."""

    question: str
    facts: AnswerFacts

    @cached_property
    def services(self) -> frozenset[str]:
        return named_in(self.question, self.facts.names)

    @cached_property
    def subjects(self) -> frozenset[Subject]:
        """Its subjects. "Is memory ok?" asks for memory, and not for all that tells of health."""
        subjects = subjects_in(without_services(self.question, self.facts.names))
        return subjects - {Subject.HEALTH} if subjects & MEASURED - {Subject.HEALTH, Subject.DATABASE} else subjects

    @cached_property
    def changes_meant(self) -> ChangesMeant:
        """The changes that it means."""
        return changes_meant(self.question, self.facts.names, max((entry.at for entry in self.facts.ledger), default=None))

    @property
    def asks_for_now(self) -> bool:
        """Whether it asks how things are now: by its words, or because the outage that was measured is over."""
        return asks_for_now(self.question, self.facts)

    @property
    def is_about_changes(self) -> bool:
        """Whether it asks about changes: by a word for them, or by a version."""
        return Subject.CHANGE in self.subjects or bool(self.changes_meant.versions)

    @cached_property
    def recorded_changes(self) -> Sequence[Change]:
        """All that the newest checks list, each once."""
        listed = (change for entry in reversed(self.entries) for change in entry.evidence.facts.changes or ())
        return list({change.id: change for change in listed}.values())

    def named_in(self, text: str) -> frozenset[str]:
        """The services that a text names."""
        return named_in(text, self.facts.names)

    def is_about(self, text: str) -> bool:
        """Whether a text names a service that is asked of; any does where none is."""
        return not self.services or bool(self.services & self.named_in(text))

    @cached_property
    def unmeasured_thing(self) -> str:
        """What it asks the state of where that is no service, as written: Prometheus of "is Prometheus down?"; else ""."""
        words = [] if self.services else thing_in(self.question).split()
        return " ".join(word for word in words if canonical(word) & self._words)

    @cached_property
    def signals_named(self) -> frozenset[str]:
        """The measured signals whose own names it holds: `queue`, `restarts`. Words of a subject (errors) name that instead."""
        rest = without_services(self.question, self.facts.names)
        # "Connections" are of the family of databases: "is the database ok?" does not ask for them.
        of_database = Subject.DATABASE in self.subjects
        words = frozenset(stems(without_subjects(rest))) if of_database else canonical(rest)
        facts = [entry.evidence.facts for entry in self.entries]
        judged = {row.signal for fact in facts for row in fact.deviations if row.family != "behaviour"}
        current = {row.signal for fact in facts for row in fact.current or () if row.family != "behaviour"}
        return frozenset(signal for signal in judged | current if _names_of(signal, words))

    @property
    def unmeasured_state(self) -> str:
        """What it asks of a service that no measurement tells, in words: of "is cart hacked?" that; else ""."""
        return "that" if self._words and not self.subjects else ""

    @cached_property
    def _words(self) -> frozenset[str]:
        return topics_of(self.question, self.facts.names, self.facts.tools).words

    @property
    def causes(self) -> frozenset[Subject]:
        """Of its subjects, those that can be a cause."""
        return self.subjects - SYMPTOMS

    @property
    def services_meant(self) -> frozenset[str]:
        """The services that it is about: those it names, of a database those that are one, else the alerting one."""
        own = frozenset({self.facts.own_service}) - {""}
        return self.services or self.databases or (self.facts.names - own if _ELSE.search(self.question) else own)

    @cached_property
    def databases(self) -> frozenset[str]:
        """The services that are databases, where it asks how a database is. "Is it the database?" is about its callers too."""
        is_state = self.subjects & MEASURED - {Subject.DATABASE} or not wants_cause(self.question)
        of_database = Subject.DATABASE in self.subjects and is_state
        return frozenset(filter(looks_like_database, self.facts.names)) if of_database else frozenset()

    @cached_property
    def entries(self) -> Sequence[LedgerEntry]:
        """The newest of each check that succeeded."""
        return [entry for entry in newest_entries(self.facts.ledger) if entry.evidence.ok]

    @cached_property
    def failed(self) -> Sequence[LedgerEntry]:
        """Checks whose last try failed, or that saw a part only."""
        return [entry for entry in newest_entries(self.facts.ledger) if entry.evidence.blind_spots]

    def deviations(self, services: Iterable[str] = ()) -> Iterator[tuple[LedgerEntry, DeviationFact]]:
        """Judged signals that tell something of the subjects, each service's newest judgement."""
        return ((entry, fact) for entry, fact in self.judged(services) if self._measures(fact))

    def judged(self, services: Iterable[str] = ()) -> Iterator[tuple[LedgerEntry, DeviationFact]]:
        """All judged signals, each service's newest judgement."""
        of_services, judged = frozenset(services), set[tuple[str, str]]()
        for entry in reversed(self.entries):
            for fact in entry.evidence.facts.deviations:
                key = (fact.service, fact.signal)
                if key in judged or (of_services and fact.service not in of_services):
                    continue
                judged.add(key)
                yield entry, fact

    @property
    def troubled_database(self) -> tuple[LedgerEntry, str] | None:
        """The newest problem that a database reports of itself."""
        reports = ((entry, entry.evidence.facts.problems or ()) for entry in reversed(self.entries))
        return next(((entry, problems[0]) for entry, problems in reports if problems), None)

    def current(self) -> Iterator[tuple[LedgerEntry, CurrentFact]]:
        for entry in reversed(self.entries):
            for fact in entry.evidence.facts.current or ():
                if (not self.services_meant or fact.service in self.services_meant) and self._measures(fact):
                    yield entry, fact

    def _measures(self, fact: DeviationFact | CurrentFact) -> bool:
        def tells(subject: Subject) -> bool:
            return measures(subject, fact.service, fact.signal, fact.family)

        measured = self.subjects & MEASURED
        others = measured - {Subject.DATABASE}
        if others and Subject.DATABASE in measured:
            # "Is the database slow?" asks for the latency of a database, not for either.
            return tells(Subject.DATABASE) and any(map(tells, others))
        return not measured or any(map(tells, measured))

    def blind(self, services: frozenset[str]) -> list[LedgerEntry]:
        """Checks that could have shown the opposite: those that failed, and values that are missing now."""
        failed = [
            entry
            for entry in self.failed
            if not services or (about := str(entry.arguments.get("service") or "")) in services or not about
        ]
        without_value = [entry for entry, fact in self.current() if fact.state == "unknown"]
        return [*failed, *(entry for entry in without_value if entry not in failed)]


def _names_of(signal: str, words: frozenset[str]) -> frozenset[str]:
    """Those of the words that name the signal."""
    name = without_subjects(signal.replace("_", " "))
    return words & (canonical(name) | frozenset(stems(name)))


def asks_for_now(question: str, facts: AnswerFacts) -> bool:
    """Whether what was measured at the alert does not answer a question."""
    return wants_current_values(question) or (facts.is_over and is_present(question))


def ids_of(entries: Iterable[LedgerEntry]) -> list[str]:
    """The ids of entries, each once."""
    return list(dict.fromkeys(entry.id for entry in entries))
