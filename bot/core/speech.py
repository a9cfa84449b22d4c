"""Whether a line whose verb nobody knows is plain speech: a question or sentence, and no mistyped verb."""

from collections.abc import Iterable

from bot.core.grammar import Line, is_reference, nearest
from bot.core.stemming import STOP_WORDS

_MORE_OPENERS = """
    any anything anybody anyone everything explain hello hey hi i maybe please should since so still tell there whose why"""
_OPENERS = (STOP_WORDS - {"no", "not"}) | frozenset(_MORE_OPENERS.split())
"""Words that open a sentence. They are near some verb (how, show) and yet no mistyped one; `not` for `note` is left out."""
_BOTH = frozenset({"why", "did"})
"""Verbs that are words of questions too: `why 2` shows evidence, "did the rollback help?" asks."""
SENTENCE = 3
"""Words from which a line without a question mark is a sentence."""


def is_speech(line: Line, known: Iterable[str]) -> bool:
    """Whether the line asks or tells something in plain words. `known`: the verbs and their aliases.

    A word that is near a verb is a mistyped verb and never speech, whatever follows: it must not be swallowed. The small
    words that open English sentences are the exception, if more than a reference follows.
    """
    words, asks = line.rest.split(), line.rest.endswith("?")
    said = [word for word in words if not is_reference(word.strip(".,;:!?"))]
    if not line.verb or is_reference(line.verb) or (line.options and not asks):
        return False
    first = line.verb.strip(".,;:!?'\"")
    if line.verb in _BOTH:
        return bool(said) and (asks or (line.verb == "why" and len(said) + 1 >= SENTENCE))
    if line.verb in set(known):
        return False
    if first in _OPENERS:
        return bool(said) and (asks or len(words) + 1 >= SENTENCE)
    if nearest(first, known):
        return False
    return asks or line.verb.endswith("?") or len(said) + 1 >= SENTENCE
