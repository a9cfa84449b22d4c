"""Who named an action or its target in what they wrote into an investigation: they asked for it, whoever proposes it then."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.core.approvals.remedies import Entry, Remedy
from bot.core.change import Change

SHORTEST = 4
"""Letters of a word by which an action can be named."""
_LETTERS = re.compile(r"[^a-z0-9]+")
_SAME = (
    ("rollback", "revert", "goback", "undo", "backout", "takeback", "previousversion", "oldversion", "downgrade", "rolledback"),
    ("restart", "reboot", "bounce", "recycle", "killthepod", "deletethepod"),
    ("scale", "replica", "moreinstances", "morepods", "fewerpods", "resize"),
    ("drain", "cordon", "evict"),
    ("failover", "switchover", "promote"),
    ("silence", "mute", "snooze"),
    ("flag", "toggle", "switchoff", "turnoff", "disable"),
    ("retrain", "redeploy", "rollforward"),
)
"""Words that ask for the same, written as one."""


@dataclass(frozen=True)
class Hint:
    """What one person wrote. `who` is a person key, or a Slack id for people outside the roster."""

    who: str
    text: str


def who_named(
    hints: Iterable[Hint], remedy: Remedy, entry: Entry, *, own_service: str, change: Change | None = None
) -> frozenset[str]:
    """Everyone whose words name the action, what it takes back, or a target other than the service it is about anyway."""
    words = set(_words_of(remedy, entry, own_service, change))
    return frozenset(hint.who for hint in hints if hint.who and any(word in _as_one(hint.text) for word in words))


def _words_of(remedy: Remedy, entry: Entry, own_service: str, change: Change | None) -> Iterator[str]:
    named = _as_one(f"{remedy.entry} {entry.title} {entry.kind if entry.kind != 'run_webhook' else ''}")
    yield from (word for word in map(_as_one, (remedy.entry,)) if word)
    yield from (word for same in _SAME if any(word in named for word in same) for word in same)
    verb = _LETTERS.split(entry.title.lower().strip())[0] if entry.title else ""
    if len(verb) >= SHORTEST:
        yield verb
    if remedy.service != own_service:
        yield _as_one(remedy.service)
    if change is not None:
        texts = (change.id, change.version, change.previous_version)
        yield from (word for word in map(_as_one, texts) if len(word) >= SHORTEST - 1)


def _as_one(text: str) -> str:
    """Letters and digits alone: `roll back`, `Roll-back` and `rollback` are one word."""
    return _LETTERS.sub("", text.lower())
