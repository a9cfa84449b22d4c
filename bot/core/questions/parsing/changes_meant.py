"""Which recorded changes a question means: those of a service, of a kind, of a version, by a person, in a span of time."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.change import Change, ChangeKind, kind_in_words
from bot.core.questions.parsing.subjects import subjects_in
from bot.core.questions.parsing.topics import named_in, without_services
from bot.core.text.clock_words import clock_at
from bot.core.text.moments import clock_to_the_minute, date_to_the_minute
from bot.core.text.not_understood import NotUnderstood

_CHANGE = (
    r"(?:changes?|changed|deploy\w*|rollouts?|releas\w*|config\w*|flags?|flip\w*|migrations?|commits?|edits?"
    r"|pushe?[ds]?|ship\w*|touch\w*|merg\w*|upgrad\w*)"
)
_KIND_WORDS: dict[str, frozenset[ChangeKind]] = {
    r"deploy(?:s|ments?|ing)?|rollouts?|releas(?:es?|ing)|ship(?:s|ping)?": frozenset({"deploy", "model"}),
    r"models?": frozenset({"model"}),
    r"datasets?|data|features?(?!\s*-?flags?)": frozenset({"data"}),
    r"config\w*": frozenset({"config"}),
    r"flags?": frozenset({"flag"}),
    r"scal(?:ed|ing)": frozenset({"scale"}),
}
_OF_ANY_KIND = re.compile(r"\b(?:deployed|released|shipped|versions?)\b", re.IGNORECASE)
"""What happens to a model or a configuration too: a deploy is meant only where nothing else is named."""
_NOUNS: dict[frozenset[ChangeKind], str] = {
    frozenset({"deploy", "model"}): kind_in_words("deploy"),
    frozenset({"model"}): "model change",
    frozenset({"data"}): "data change",
    frozenset({"config"}): kind_in_words("config"),
    frozenset({"flag"}): kind_in_words("flag"),
    frozenset({"scale"}): kind_in_words("scale"),
}
"""With an s they are several."""
_KINDS = [(re.compile(rf"\b(?:{words})\b", re.IGNORECASE), kinds) for words, kinds in _KIND_WORDS.items()]
_MIGRATION = re.compile(r"\bmigrations?\b", re.IGNORECASE)
_VERSION = re.compile(
    r"(?<![\w.])v?(\d+(?:\.\d+){2,}(?:[-+][\w.]+)?|\d+\.\d+(?!\s*(?:%|ms|s|x|gb|mb|req)))(?![\w%])|(?<![\w.])(v\d+)(?![\w.])"
    r"|\b(?:version|release|build|commit)\s+([0-9a-f]{6,40}|\d+)(?![.\w])",
    re.IGNORECASE,
)
_PERSON = (
    re.compile(rf"\b([a-z][\w.-]*)['’]s\s+(?:[\w.-]+\s+){{0,2}}?{_CHANGE}\b", re.IGNORECASE),
    re.compile(rf"\b(?:{_CHANGE}\b[^?]*?|(?:made|done|authored|merged|written)\s+)\bby\s+@?([a-z][\w.-]*)", re.IGNORECASE),
    re.compile(r"\b(?:is|was)\s+@?([a-z][\w.-]*)\s+the\s+author\b", re.IGNORECASE),
    re.compile(rf"\b(?:did|has|have)\s+@?([a-z][\w.-]*)\s+(?:\w+\s+)?{_CHANGE}\b", re.IGNORECASE),
)
_NO_PERSON_WORDS = """
    a all an any anybody anyone anything by deploy every everybody everyone he her here his i it its last let new nobody now our
    release she somebody someone something that the there they this those today tomorrow tonight us version we week what who
    yesterday you your"""
_NO_PERSON = frozenset(_NO_PERSON_WORDS.split())
_AMOUNTS = {
    "half an": 0.5,
    "half": 0.5,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "ten": 10,
    "twelve": 12,
}
_SPAN = re.compile(
    rf"\b(?:the\s+)?(?:last|past)\s+(?:(\d+|{'|'.join(_AMOUNTS)})\s*)?(min|h|d)(?:ute|our|ay|r)?s?\b", re.IGNORECASE
)
_SINCE = re.compile(
    r"\bsince\s+(?:(?:at|about|around)\s+|~\s*)?"
    r"(?P<clock>\d{1,2}:\d\d(?::\d\d)?(?:\s?[ap]\.?m\b\.?)?|\d{1,2}\s?[ap]\.?m\b\.?|noon\b|midday\b|midnight\b)"
    r"(?:\s*(?:utc|gmt|z)\b)?",
    re.IGNORECASE,
)
_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_TODAY = re.compile(r"\btoday\b", re.IGNORECASE)


@dataclass(frozen=True)
class ChangesMeant:
    """What a question says of the changes that it means. Empty fields leave open."""

    services: frozenset[str] = frozenset()
    kinds: frozenset[ChangeKind] = frozenset()
    versions: frozenset[str] = frozenset()
    persons: frozenset[str] = frozenset()
    migration: bool = False
    since: datetime | None = None
    since_text: str = ""
    """`since 22:00 UTC`, with its date where that is not today's."""

    @property
    def is_one(self) -> bool:
        """Whether it means changes of a version or of a person: another change is no answer then."""
        return bool(self.versions or self.persons)

    @property
    def noun(self) -> str:
        """`config edit`: what is looked for, without which."""
        return "migration" if self.migration and not self.kinds else _NOUNS.get(self.kinds, "change")

    @property
    def text(self) -> str:
        """`of 3.4.1 by bob on cart since 22:00 UTC`: which ones."""
        versions = f"of {' or '.join(sorted(self.versions))}" if self.versions else ""
        persons = f"by {' or '.join(sorted(self.persons))}" if self.persons else ""
        where = f"on {', '.join(sorted(self.services))}" if self.services else ""
        return " ".join(filter(None, (versions, persons, where, self.since_text)))

    def includes(self, change: Change) -> bool:
        """Whether the question means this one."""
        return (
            (not self.services or change.service in self.services)
            and (not self.versions or _same_version(change.version, self.versions))
            and (not self.persons or any(person in change.author.lower() for person in self.persons))
            and (self.since is None or change.at >= self.since)
            and self.fits_kind(change)
        )

    def fits_kind(self, change: Change) -> bool:
        """Whether it is of the kind meant. Of changes a deploy is no config edit; a migration is one by its title."""
        if self.migration and not self.kinds:
            return bool(_MIGRATION.search(change.title))
        return not self.kinds or change.kind in self.kinds


def changes_meant(question: str, names: Collection[str], now: datetime | None = None) -> ChangesMeant:
    """Read from a question. `now` ends a span of time ("in the last hour"), where one is known."""
    since = _since(question, now) if now else None
    is_today = since is not None and now is not None and since.date() == now.date()
    at = (clock_to_the_minute(since) if is_today else date_to_the_minute(since)) if since else ""
    return ChangesMeant(
        services=named_in(question, names),
        kinds=_kinds(without_services(question, names)),
        versions=frozenset(filter(None, (_version(match) for match in _VERSION.finditer(question)))),
        persons=frozenset(_persons(question, names)),
        migration=bool(_MIGRATION.search(question)),
        since=since,
        since_text=f"since {at}" if at else "",
    )


def _kinds(question: str) -> frozenset[ChangeKind]:
    named = frozenset(kind for pattern, kinds in _KINDS if pattern.search(question) for kind in kinds)
    return named or (frozenset({"deploy", "model"}) if _OF_ANY_KIND.search(question) else frozenset())


def without_what_is_meant(question: str, names: Collection[str]) -> str:
    """The question without the versions, persons and spans of time that `changes_meant` reads from it."""
    rest = without_span(_VERSION.sub(" ", question))
    for person in _persons(question, names):
        rest = re.sub(rf"@?\b{re.escape(person)}\b(?:['’]s)?", " ", rest, flags=re.IGNORECASE)
    return rest


def has_span(question: str) -> bool:
    """Whether it names a span of time that ends now."""
    return bool(_SPAN.search(question) or _SINCE.search(question))


def without_span(question: str) -> str:
    """The question without its span of time."""
    return _SPAN.sub(" ", _SINCE.sub(" ", question))


def _version(match: re.Match[str]) -> str:
    return next(filter(None, match.groups()), "").lower()


def _persons(question: str, names: Collection[str]) -> set[str]:
    words = {match[1].lower() for pattern in _PERSON for match in pattern.finditer(question)}
    return {word for word in words - _NO_PERSON if not named_in(word, names) and not subjects_in(word)}


def _since(question: str, now: datetime) -> datetime | None:
    """Where its span of time begins; times of day are UTC where no zone is named, and the last before now."""
    if match := _SPAN.search(question):
        amount = (match[1] or "1").lower()
        return now - (_AMOUNTS[amount] if amount in _AMOUNTS else int(amount)) * _UNITS[match[2].lower()]
    if match := _SINCE.search(question):
        try:
            return clock_at(question, match.start("clock"), now)
        except NotUnderstood:
            return None
    return now.replace(hour=0, minute=0, second=0, microsecond=0) if _TODAY.search(question) else None


def _same_version(version: str, named: frozenset[str]) -> bool:
    bare = version.lower()
    return any(
        bare in (one, f"v{one}") or bare.removeprefix("v") == one or (len(one) >= 6 and bare.startswith(one)) for one in named
    )
