"""Versions that a sentence has follow each other the other way round than they were deployed."""

import re
from collections.abc import Iterator
from itertools import pairwise

from bot.core.verdict.figures.clauses import VERSION, Clause, Sentence, Span
from bot.core.verdict.figures.roles import Roles

_TO = re.compile(r"\s*(?:back\s+|up\s+|down\s+)?(?:to|->|→|=>|-->)\s*(?:version\s+)?", re.I)
_IN_PLACE_OF = re.compile(
    r"\s+(?:of [\w-]+\s+)?(?:(?:has|have|had|was)\s+)?(?:replac(?:ed?|es|ing)|supersed\w+|succeed\w+|took over from|"
    r"took the place of)\s+(?:version\s+)?|"
    r"[\s,(]*(?:now\s*)?[\s,(;]*(?:before(?: it was| that)?|previously|formerly|was|instead of|up from|in place of)[:\s]*"
    r"(?:it (?:was|ran)\s+)?(?:version\s+)?",
    re.I,
)
"""`3.5.0 replaced 3.4.0`, `3.5.0, before it was 3.4.0`."""
_REPLACED_BY = re.compile(r"\s+(?:of [\w-]+\s+)?(?:was |is |got )?(?:replaced|superseded|succeeded) by\s+(?:version\s+)?", re.I)
_WOULD = re.compile(r"\b(?:would|should|could|can|may|might|will|must|recommend\w*|suggest\w*|propos\w*|consider\w*)\b", re.I)
_DID = re.compile(r"\b(?:moved|went|was|were|got|rolled|reverted|downgraded|switched|returned|brought|took|came|made)\b", re.I)
_BACK = re.compile(
    r"\b(?:roll(?:ing|s)?|go(?:ing|es)?|revert(?:ing)?|downgrad(?:e|ing)|return(?:ing)?|undo(?:ing)?|back)\b", re.I
)


def swapped_versions(sentence: Sentence, roles: Roles) -> Iterator[Span]:
    """The versions of steps that were deployed the other way round.

    What is advised reports nothing: to go back from 3.5.0 to 3.4.0.
    """
    steps = {(c.previous_version.casefold(), c.version.casefold()) for c in roles.changes if c.previous_version and c.version}
    undone = {(c.version.casefold(), c.previous_version.casefold()) for c in roles.changes if c.undone_at}
    matches = list(VERSION.finditer(sentence.text))
    for first, second in pairwise(matches):
        between = sentence.text[first.end() : second.start()]
        names = first.group(1).casefold(), second.group(1).casefold()
        if _IN_PLACE_OF.fullmatch(between):
            names = names[1], names[0]
        elif not _TO.fullmatch(between) and not _REPLACED_BY.fullmatch(between):
            continue
        if names in steps | undone or (names[1], names[0]) not in steps:
            continue
        if not _is_advice(next(c for c in sentence.clauses if c.start <= first.start() <= c.end)):
            yield from (first.span(), second.span())


def _is_advice(clause: Clause) -> bool:
    if _WOULD.search(clause.text):
        return True
    return bool(_BACK.search(clause.text)) and not _DID.search(clause.text)
