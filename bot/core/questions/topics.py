"""What a question is about: the services it names, the kinds of look that would tell, and the words that are left."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from bot.core.questions.stemming import stem, stems

CAUSES = "causes"
"""Not a tool: the ranked causes."""
TIMELINE = "timeline"
ONSET = "onset"


@dataclass(frozen=True)
class Topic:
    """One kind of question: the words that open it, and the tools that would tell."""

    words: frozenset[str]
    tools: frozenset[str]


def _topic(words: str, *tools: str) -> Topic:
    return Topic(frozenset(map(stem, words.split())), frozenset(tools))


_DEEDS = _topic(
    "acknowledged acked approved denied declared lead leads tried rolled rollback restarted mitigated resolved who", TIMELINE
)
_TOPICS = (
    _topic(
        "change changed changes deploy deployed deploys deployment rollout release released version config configuration flag "
        "shipped merged commit commits model",
        "recent_changes", "code_changes", "model_versions",
    ),
    _topic("log logs logged logging exception exceptions stacktrace", "search_logs", "log_mix"),
    _topic("alert alerts alerting firing fires fire", "active_alerts"),
    _topic("runbook runbooks playbook", "read_runbook"),
    _topic("past earlier previous previously similar seen recurring ago", "past_incidents"),
    _topic("depend depends dependency dependencies upstream downstream callers", "dependencies", "call_mix", "call_waits"),
    _topic("slo budget burn burning objective", "slo_status"),
    _topic("cause caused causes causing reason culprit blame root why suspect suspects hypothesis", CAUSES),
    _topic("start started starts begin began begun onset since", ONSET),
    _DEEDS,
)  # fmt: skip

_WEAK = _topic("before again", "past_incidents")
"""Only where nothing else says what is asked: "what changed before it?" does not ask about the past."""

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
"""Words that tell the same thing, as the first of their family."""

_EMPTY_WORDS = """
    about actually affected again also am any anybody anyone anything back bad bit caught check checked did doing down else ever
    everything explain far fine find found further get give given going gone good got great happen happened happening happens
    healthy hello help here hey hi i incident involved it know known last lately likely long look looked looking looks make many
    maybe me much need new normal nothing now ok okay one only own part please point possible problem issue question really
    right run running say said see seem seems service services should show side since so some somebody someone something still
    story sure tell thanks thank thing things think time today us very want way well went whether whole why work works worked
    working wrong yet figure evidence investigate"""
_EMPTY = frozenset(map(stem, _EMPTY_WORDS.split()))
"""Stems that say nothing of what is asked about."""

_PART = re.compile(r"[a-z0-9]+")
_HASH = re.compile(r"\b(?=[a-z]*\d)(?=\d*[a-z])(?=\w*\d\w*\d)[a-z0-9]{6,}\b")
"""`db58c256` is the name of nothing, and of no database."""
_REFERENCE = re.compile(r"\b(?:AL|INC|AP)-[0-9]+\b|<@[A-Z0-9|]+>", re.IGNORECASE)


@dataclass(frozen=True)
class Asked:
    """A question taken apart."""

    services: frozenset[str]
    tools: frozenset[str]
    """Looks that would tell; empty where no word says which."""
    words: frozenset[str]
    """Canonical stems of what else is asked about."""
    deeds: frozenset[str] = frozenset()
    """Of the words that ask what people did, those that the timeline would hold: acknowledged, rolled back."""

    @property
    def is_open(self) -> bool:
        """Whether it asks about everything: what is going on?"""
        return not (self.services or self.tools or self.words)


def take_apart(question: str, services: Iterable[str]) -> Asked:
    """What is asked about. `services`: the names that may stand in it."""
    named, rest = _without_services(_REFERENCE.sub(" ", question), services)
    found = frozenset(stems(rest))
    # "why" and "who" are no stop words to us, and yet no words to look for.
    lower = found | frozenset(word for word in ("why", "who", "since") if re.search(rf"\b{word}\b", rest.lower()))
    topics = [topic for topic in _TOPICS if topic.words & lower] or ([_WEAK] if _WEAK.words & found else [])
    empty = _EMPTY.union(_WEAK.words, *(topic.words for topic in topics))
    tools = frozenset(tool for topic in topics for tool in topic.tools)
    deeds = frozenset(_CANONICAL.get(word, word) for word in found & _DEEDS.words)
    return Asked(named, tools, frozenset(_CANONICAL.get(word, word) for word in found - empty), deeds)


def canonical(text: str) -> frozenset[str]:
    """The stems of a text, words of one family as one."""
    return frozenset(_CANONICAL.get(word, word) for word in stems(_HASH.sub(" ", text)))


def named_in(text: str, services: Iterable[str]) -> frozenset[str]:
    """Which services a text names; of two names at the same place the longer."""
    return _without_services(text, services)[0]


def _without_services(text: str, services: Iterable[str]) -> tuple[frozenset[str], str]:
    names = _names(frozenset(services))
    found: set[str] = set()

    def taken(match: re.Match[str]) -> str:
        found.add(names.by_words[match[0]])
        return " "

    rest = names.pattern.sub(taken, _words_of(text))
    return frozenset(found), rest


@dataclass(frozen=True)
class _Names:
    """Services' names made ready for a search."""

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
