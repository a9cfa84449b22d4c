"""What a question is about: the services it names, the tools whose lines would answer it, and the words that are left."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from bot.core.text.stemming import stem, stems
from bot.core.tool_calls import Tools, Topic

CAUSES = "causes"
"""Not a tool: the ranked causes."""
TIMELINE = "timeline"
ONSET = "onset"


@dataclass(frozen=True)
class _Subject:
    """One kind of question: the stems that it is recognised by, and the tools whose lines would answer it."""

    words: frozenset[str]
    tools: frozenset[str]


def _subject(words: str, *tools: str) -> _Subject:
    return _Subject(frozenset(map(stem, words.split())), frozenset(tools))


_ACTIVITIES = _subject(
    "acknowledged acked approved denied declared lead leads tried rolled rollback restarted mitigated resolved who", TIMELINE
)
_OF_THE_RECORD = (
    _subject("cause caused causes causing reason culprit blame root why suspect suspects hypothesis broke breaks", CAUSES),
    _subject("start started starts begin began begun onset since long", ONSET),
    _ACTIVITIES,
)
"""What is recorded beside the evidence of tools."""


@dataclass(frozen=True)
class _Subjects:
    """All kinds of question; `otherwise`: those that count only where no other is recognised."""

    usual: tuple[_Subject, ...]
    otherwise: tuple[_Subject, ...]

    def recognised(self, all_words: frozenset[str], all_stems: frozenset[str]) -> list[_Subject]:
        usual = [subject for subject in self.usual if subject.words & all_words]
        return usual or [subject for subject in self.otherwise if subject.words & all_stems]


@lru_cache(maxsize=16)
def _subjects(topics: tuple[tuple[str, Topic], ...]) -> _Subjects:
    """The kinds of question that these tools answer, with those of the record."""
    by_topic: dict[Topic, list[str]] = {}
    for tool, topic in topics:
        by_topic.setdefault(topic, []).append(tool)
    usual = [_subject(topic.words, *tools) for topic, tools in by_topic.items()]
    otherwise = [_subject(topic.fallback_words, *tools) for topic, tools in by_topic.items() if topic.fallback_words]
    return _Subjects((*usual, *_OF_THE_RECORD), tuple(otherwise))


_FAMILIES = (
    "slow slowly slower latency lag duration p50 p90 p95 p99 timeout timeouts",
    "error errors fail fails failed failing failure failures 5xx 500s exception exceptions broken",
    "database db sql postgres postgresql mysql mongo connection connections",
    "deploy deployed deploys deployment rollout release released shipped",
    "memory oom heap rss leak leaking",
    "cpu saturated saturation throttled throttling cores",
    "traffic requests load rps throughput qps surge",
    "pod pods replica replicas container containers instance instances",
    "restart restarts restarted crash crashes crashed crashing crashloop",
    "config configuration setting settings",
    "queue queues backlog",
    "rollback rolled",
    "acknowledged acked ack",
)
_CANONICAL = {stem(word): stem(family.split()[0]) for family in _FAMILIES for word in family.split()}
"""Words of the same meaning, as the first of their family."""

_EMPTY_WORDS = """
    about actually affected again also author am any anybody anyone anything back bad bit caught check checked did doing
    down else ever everything explain far fine find found further get give given going gone good got great happen happened
    happening happens healthy hello help here hey hi i incident involved it know known last lately likely long look looked
    looking looks made make many maybe me much need new normal nothing now ok okay one only own part please point possible
    problem issue question really right run running say said see seem seems service services should show side since so some
    somebody someone something still story sure tell thanks thank thing things think time today us very want way well went
    exactly whether whole whose why work works worked working wrong yet figure evidence investigate weird strange odd unusual
    suspicious interesting tldr summary status update recap site shop website user users customer customers people"""
_EMPTY = frozenset(map(stem, _EMPTY_WORDS.split()))
"""Stems that do not say what a question is about."""

_PART = re.compile(r"[a-z0-9]+")
_HASH = re.compile(r"\b(?=[a-z]*\d)(?=\d*[a-z])(?=\w*\d\w*\d)[a-z0-9]{6,}\b")
"""`db58c256` is an id, and no word about databases."""
_REFERENCE = re.compile(r"\b(?:AL|INC|AP)-[0-9]+\b|<@[A-Z0-9|]+>", re.IGNORECASE)


@dataclass(frozen=True)
class QuestionTopics:
    """What one question is about."""

    services: frozenset[str]
    tools: frozenset[str]
    """Those whose lines would answer it; empty where no word says which."""
    words: frozenset[str]
    """Canonical stems of what else it is about."""
    activities: frozenset[str] = frozenset()
    """Of its words about what people did, those that the timeline would hold: acknowledged, rolled back."""

    @property
    def is_open(self) -> bool:
        """Whether it is about everything: what is going on?"""
        return not (self.services or self.tools or self.words)


def topics_of(question: str, services: Iterable[str], tools: Tools) -> QuestionTopics:
    """What the question is about. `services`: the names that may occur in it; `tools` say which questions they answer."""
    named, rest = _without_services(_REFERENCE.sub(" ", question), services)
    all_stems = frozenset(stems(rest))
    # "why" and "who" are stop words elsewhere; here they recognise a topic, and are not searched for.
    all_words = all_stems | frozenset(word for word in ("why", "who", "since") if re.search(rf"\b{word}\b", rest.lower()))
    subjects = _subjects(tuple((name, info.topic) for name, info in tools.items() if info.topic))
    recognised = subjects.recognised(all_words, all_stems)
    empty = _EMPTY.union(*(subject.words for subject in (*subjects.otherwise, *recognised)))
    answering = frozenset(tool for subject in recognised for tool in subject.tools)
    activities = frozenset(_CANONICAL.get(word, word) for word in all_stems & _ACTIVITIES.words)
    return QuestionTopics(named, answering, frozenset(_CANONICAL.get(word, word) for word in all_stems - empty), activities)


def canonical(text: str) -> frozenset[str]:
    """The stems of a text, words of one family as one."""
    return frozenset(_CANONICAL.get(word, word) for word in stems(_HASH.sub(" ", text)))


def named_in(text: str, services: Iterable[str]) -> frozenset[str]:
    """Which services a text names; of two names at the same place the longer."""
    return _without_services(text, services)[0]


def named_in_order(text: str, services: Iterable[str]) -> list[str]:
    """The same in the order of the text, each once."""
    names = _names(frozenset(services))
    return list(dict.fromkeys(names.by_words[match[0]] for match in names.pattern.finditer(_words_of(text))))


def without_services(text: str, services: Iterable[str]) -> str:
    """The words of a text, lower case, without the names of services."""
    return _without_services(text, services)[1]


def _without_services(text: str, services: Iterable[str]) -> tuple[frozenset[str], str]:
    names, words = _names(frozenset(services)), _words_of(text)
    return frozenset(names.by_words[match[0]] for match in names.pattern.finditer(words)), names.pattern.sub(" ", words)


@dataclass(frozen=True)
class _Names:
    """Names of services, prepared for a search."""

    pattern: re.Pattern[str]
    by_words: Mapping[str, str]


@lru_cache(maxsize=16)
def _names(services: frozenset[str]) -> _Names:
    """One pattern for all names, the longest first: one pass over a line, however many services the catalogue has."""
    by_words = {words: name for name in sorted(services, reverse=True) if (words := _words_of(name))}
    longest_first = sorted(by_words, key=lambda words: (-len(words), words))
    # Without names it matches nowhere.
    any_of = "|".join(map(re.escape, longest_first)) or r"(?!)"
    return _Names(re.compile(rf"(?<![a-z0-9])(?:{any_of})(?![a-z0-9])"), by_words)


def _words_of(text: str) -> str:
    return " ".join(_PART.findall(text.lower()))
