"""Whether a measurement or a record corroborates what a cause names.

Whoever can shape a log line, a label or a commit's title can write a cause there; a metric that is cited beside it does not
corroborate that cause. So a cause must share a specific word with a measurement, or with what a record of a change says
besides its title.
"""

import re
from collections.abc import Iterable, Sequence

from bot.core.evidence import LedgerEntry

ADVICE_SOURCES = frozenset({"runbooks", "incidents"})
"""Sources of advice: they observed nothing of this incident."""
_WORD = re.compile(r"[^\W\d_]{4,}|\d+(?:\.\d+)+")
_PLAIN = frozenset(
    re.findall(
        r"\w+",
        """
    about after again alert alerts also among because been before began behind below between both broke broken called
    calls cannot cause caused causes could deviate deviates does down during each error errors every fail failed failing
    fails failure failures fault faults first fix from gone have high higher hour hours incident into issue itself just
    known last latency left less likely long longer many minute minutes more most much near nearly need normal only
    other outage over part problem range rate rates ratio root rose score series service services showed shows signal
    signals since slow slower some still than that their them then there these they this those through time timeout
    timeouts times took under until upstream usual very were what when where which while will with within without work works
    would
        """,
    )
)
"""Words that do not say what is broken."""


def uncorroborated(cause: str, cited: Sequence[LedgerEntry], services: Iterable[str] = ()) -> bool:
    """True if the cause has specific words, besides names of services, and the cited evidence shows none of them.

    Only what users of the service cannot write counts. A cause without any specific word ("checkout itself fails") names
    nothing that needs corroboration.
    """
    names = {word for service in services for word in _words(service)}
    specific = _words(cause) - _PLAIN - names
    shown = {word for entry in cited for text in _trusted_texts(entry) for word in _words(text)}
    return bool(specific) and not any(_among(word, shown) for word in specific)


def _trusted_texts(entry: LedgerEntry) -> Iterable[str]:
    """What nobody outside can write: measurements and the graph whole, of a change its kind and version."""
    evidence = entry.evidence
    if evidence.source == "changes":
        for change in evidence.facts.changes or ():
            yield f"{change.kind} {change.version} {change.previous_version}"
    elif not evidence.user_controllable and evidence.source not in ADVICE_SOURCES:
        # Not the query: it holds what was searched for, in the words of whoever searched.
        yield from (evidence.summary, *evidence.details)


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}


def _among(word: str, words: set[str]) -> bool:
    """`pools` is `pool`, `exhausted` is `exhaustion`: the first letters decide."""
    stem = word[: max(4, len(word) - 3)]
    return word in words or (word.isalpha() and any(other.startswith(stem) for other in words))
