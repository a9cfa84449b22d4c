"""Whether something was done here, as the timeline records it: what was proposed, denied or failed was not done."""

import re
from collections.abc import Sequence

from bot.core.questions.topics import canonical
from bot.core.timeline import EntryKind, TimelineEntry

_RAN = re.compile(r"^(?:(?:Recovered|Not recovered) after (?=AP-)|)(AP-\d+)(?: ran: |: )")
"""How an action's entry says that it ran: its outcome, its verification, or a person who ran it by hand."""
_PROPOSED = re.compile(r"^(AP-\d+) (?:proposed|recorded as done by hand): ")


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
