"""Whether anything that was measured or recorded bears witness to what a cause names.

Whoever can shape a log line, a label or a commit's title can write a cause there; citing a metric beside it does not make
the metric a witness of that cause. So a cause must share a telling word with a measurement, or with what a record of a
change says besides its title.
"""

import re
from collections.abc import Iterable, Sequence

from bot.core.evidence import LedgerEntry

ADVICE_SOURCES = frozenset({"runbooks", "incidents"})
"""Sources that tell what was found useful before: they saw nothing of this incident."""
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
    timeouts times took under until upstream very were what when where which while will with within without work works
    would
        """,
    )
)
"""Words that say nothing of what is broken."""


def uncorroborated(cause: str, cited: Sequence[LedgerEntry], services: Iterable[str] = ()) -> bool:
    """True if the cause has telling words, services' names aside, and the cited evidence shows none of them.

    Only what users of the service cannot write counts. A cause without any telling word ("checkout itself fails") names
    nothing that would need a witness.
    """
    names = {word for service in services for word in _words(service)}
    telling = _words(cause) - _PLAIN - names
    shown = {word for entry in cited for text in _authentic(entry) for word in _words(text)}
    return bool(telling) and not any(_among(word, shown) for word in telling)


def _authentic(entry: LedgerEntry) -> Iterable[str]:
    """What nobody outside can write: measurements and the graph whole, of a change its kind and version."""
    found = entry.evidence
    if found.source == "changes":
        for change in found.facts.changes or ():
            yield f"{change.kind} {change.version} {change.previous_version}"
    elif not found.user_controllable and found.source not in ADVICE_SOURCES:
        # Not the query: it holds what was asked for, in the words of whoever asked.
        yield from (found.summary, *found.details)


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}


def _among(word: str, words: set[str]) -> bool:
    """`pools` is `pool`, `exhausted` is `exhaustion`: the first letters decide."""
    stem = word[: max(4, len(word) - 3)]
    return word in words or (word.isalpha() and any(other.startswith(stem) for other in words))
