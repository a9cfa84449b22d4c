"""Whether a cause is hearsay: told in text that anybody can write, and seen by nothing else.

Whoever can shape a log line, a label or a commit's title can write a cause there; citing a metric beside it does not make
the metric a witness of that cause. A cause that a model found itself has words of its own and is not touched.
"""

import re
from collections.abc import Iterable, Sequence

from bot.core.evidence import LedgerEntry

_WORD = re.compile(r"[^\W\d_]{4,}")
_FREE_TEXT = frozenset(("changes", "runbooks"))
"""Sources whose records are authentic and whose prose is not: a commit's title, a page of a wiki."""
_PLAIN = frozenset(
    [
        "about",
        "after",
        "again",
        "alert",
        "alerts",
        "also",
        "among",
        "because",
        "been",
        "before",
        "began",
        "behind",
        "below",
        "between",
        "both",
        "broke",
        "broken",
        "caused",
        "cause",
        "causes",
        "cannot",
        "could",
        "does",
        "down",
        "during",
        "each",
        "error",
        "errors",
        "every",
        "fail",
        "failed",
        "failing",
        "fails",
        "failure",
        "failures",
        "fault",
        "faults",
        "first",
        "from",
        "gone",
        "have",
        "high",
        "higher",
        "hour",
        "hours",
        "into",
        "itself",
        "just",
        "last",
        "latency",
        "left",
        "less",
        "likely",
        "long",
        "longer",
        "many",
        "minute",
        "minutes",
        "more",
        "most",
        "much",
        "near",
        "nearly",
        "need",
        "normal",
        "only",
        "other",
        "over",
        "part",
        "range",
        "rate",
        "rates",
        "ratio",
        "rose",
        "service",
        "services",
        "slow",
        "slower",
        "since",
        "some",
        "still",
        "than",
        "that",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "through",
        "time",
        "times",
        "timeout",
        "timeouts",
        "took",
        "under",
        "until",
        "upstream",
        "very",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "will",
        "with",
        "within",
        "without",
        "work",
        "works",
        "would",
    ]
)
"""Words that say nothing of what is broken."""
SHARE = 0.5
"""Of the telling words, from which part on the text is where the cause comes from."""


def borrowed(cause: str, cited: Sequence[LedgerEntry], entries: Iterable[LedgerEntry]) -> bool:
    """True if free text tells at least half of the cause's telling words and no cited measurement any of them."""
    looked = list(entries)
    names = {word for entry in looked for word in _words(str(entry.arguments.get("service", "")))}
    telling = _words(cause) - _PLAIN - names
    if not telling:
        return False
    measured = {word for entry in cited if _is_measured(entry) for word in _words(_text(entry))}
    if any(_among(word, measured) for word in telling):
        return False
    free = {word for entry in looked if not _is_measured(entry) for word in _words(_text(entry))}
    return sum(_among(word, free) for word in telling) >= SHARE * len(telling)


def _is_measured(entry: LedgerEntry) -> bool:
    return not entry.evidence.user_controllable and entry.evidence.source not in _FREE_TEXT


def _text(entry: LedgerEntry) -> str:
    return "\n".join((entry.evidence.summary, entry.evidence.query, *entry.evidence.details))


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}


def _among(word: str, words: set[str]) -> bool:
    """`pools` is `pool`, `exhausted` is `exhaustion`: the first letters decide."""
    stem = word[: max(4, len(word) - 3)]
    return word in words or any(other.startswith(stem) for other in words)
