"""What was done here, as the timeline records it: what was proposed, denied or failed was not done."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.questions.parsing.topics import canonical
from bot.core.questions.yes_no.verdicts import MAX_TEXT, ShortAnswer, Verdict, unknown
from bot.core.text.durations import elapsed_text
from bot.core.text.moments import clock, clock_to_the_minute
from bot.core.text.untrusted import one_line
from bot.core.timeline import EntryKind, TimelineEntry

_RAN = re.compile(r"^(?:(?:Recovered|Not recovered) after (?=AP-)|)(AP-\d+)(?: ran: |: )")
"""How an action's entry says that it ran: its outcome, its verification, or a person who ran it by hand."""
_PROPOSED = re.compile(r"^(AP-\d+) (?:proposed|recorded as done by hand): ")

_OF_PEOPLE = (EntryKind.GROUP, EntryKind.INCIDENT, EntryKind.PROPOSAL, EntryKind.DECISION, EntryKind.NOTE)
"""Kinds of entries by which people say what they did. What they ran by hand is told with what ran."""

RECENTLY = timedelta(minutes=15)
"""An action that ran so shortly before is named where it is asked whether it still fails."""
MAX_RUNS, MAX_TITLE, MAX_OUTCOME = 4, 80, 100


@dataclass(frozen=True)
class RecordedRun:
    """An action that ran here, and what the timeline says of it since."""

    ref: str
    title: str
    at: datetime
    outcome: str
    entries: tuple[str, ...]
    """Ids of its entries of the timeline."""

    @property
    def named(self) -> str:
        """`AP-1 (Roll back orders)`."""
        return f"{self.ref} ({one_line(self.title, MAX_TITLE)})" if self.title else self.ref


def runs(timeline: Sequence[TimelineEntry]) -> list[RecordedRun]:
    """The actions that ran, by the bot or by hand, in their order; of each what its last entry says."""
    titles = {ref: entry.text.partition(": ")[2] for entry in timeline if (ref := _proposed(entry))}
    by_ref: dict[str, RecordedRun] = {}
    for entry in timeline:
        match = _RAN.match(entry.text) if entry.kind is EntryKind.ACTION else None
        if match is None:
            continue
        ref, first = match[1], by_ref.get(match[1])
        verified = not entry.text.startswith(ref)
        outcome = (
            entry.text.replace(f" after {ref}", "") if verified else entry.text[len(ref) :].lstrip(": ").removeprefix("ran: ")
        )
        at, entries = (first.at, first.entries) if first else (entry.at, ())
        by_ref[ref] = RecordedRun(ref, titles.get(ref, ""), at, one_line(outcome, MAX_OUTCOME), (*entries, entry.id))
    return list(by_ref.values())


def what_ran(timeline: Sequence[TimelineEntry], *, of_people: bool = False, waiting: Sequence[str] = ()) -> ShortAnswer:
    """The actions that ran, the newest first, each with its moment and what came of it.

    `of_people`: and what people did; `waiting`: the proposals that they have not decided yet.
    """
    done = runs(timeline)[::-1][:MAX_RUNS]
    by_people = [entry for entry in timeline if of_people and entry.kind in _OF_PEOPLE and is_by_person(entry)][-MAX_RUNS:]
    texts = [f"{run.named} at {clock(run.at)}: {run.outcome.rstrip('.')}" for run in done]
    if not done:
        texts = ["nothing was changed through me; I only made checks"]
    if by_people:
        texts.append("recorded of people: " + ", ".join(map(_of_person, by_people)))
    if waiting:
        texts.append(f"{' and '.join(waiting)} {'waits' if len(waiting) == 1 else 'wait'} for approval")
    return ShortAnswer(
        verdict=Verdict.YES if done else Verdict.NO,
        text="; ".join(texts),
        evidence=[*(id for run in done for id in run.entries), *(entry.id for entry in by_people), *waiting],
        untrusted=bool(done or by_people),
        opening="What ran here:" if done else "No action ran here:",
        complete=True,
    )


def is_by_person(entry: TimelineEntry) -> bool:
    """Whether a person did it, and neither the bot nor a policy."""
    return entry.who not in ("", "tocsin", "policy")


def _of_person(entry: TimelineEntry) -> str:
    text = f"{clock_to_the_minute(entry.at)} {one_line(entry.text, MAX_TITLE)}"
    return text + (f" ({entry.author})" if entry.author else "")


def ran_before(timeline: Sequence[TimelineEntry], now: datetime) -> tuple[str, list[str]]:
    """`AP-1 (Roll back orders) ran 34 s before that` with the ids it stands on, of the newest; else ""."""
    newest = max(
        (run for run in runs(timeline) if timedelta(0) <= now - run.at <= RECENTLY), key=lambda run: run.at, default=None
    )
    return (f"{newest.named} ran {elapsed_text(now - newest.at)} before that", [newest.entries[0]]) if newest else ("", [])


def whether_done(
    timeline: Sequence[TimelineEntry], activities: frozenset[str], names_service: Callable[[str], bool]
) -> ShortAnswer:
    """Whether somebody did it, as far as it was done here. `names_service`: whether a text is about what is asked of."""
    titles = {ref: entry.text for entry in timeline if (ref := _proposed(entry))}
    entry = newest_activity(timeline, activities)
    ref = next((ref for ref in titles if entry and ref in entry.text), "")
    if entry and not names_service(f"{entry.text} {titles.get(ref, '')}"):
        entry = None
    if entry:
        return ShortAnswer(verdict=Verdict.YES, text=one_line(entry.text, MAX_TEXT), evidence=[entry.id], untrusted=True)
    return unknown("the timeline records nothing of it, and what people did elsewhere is not in it")


def newest_activity(timeline: Sequence[TimelineEntry], activities: frozenset[str]) -> TimelineEntry | None:
    """The newest entry that records one of these activities as done; None where none does."""
    fitting = {ref for entry in timeline if (ref := _proposed(entry)) and activities & canonical(entry.text)}
    return next((entry for entry in reversed(timeline) if _records(entry, activities, fitting)), None)


def _records(entry: TimelineEntry, activities: frozenset[str], fitting: set[str]) -> bool:
    if entry.kind is EntryKind.ACTION:
        ran = _RAN.match(entry.text)
        return bool(ran and (ran[1] in fitting or activities & canonical(entry.text)))
    return entry.kind in (EntryKind.GROUP, EntryKind.INCIDENT) and bool(activities & canonical(entry.text))


def _proposed(entry: TimelineEntry) -> str:
    match = _PROPOSED.match(entry.text) if entry.kind is EntryKind.PROPOSAL else None
    return match[1] if match else ""
