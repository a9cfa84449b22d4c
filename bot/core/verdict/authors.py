"""Strikes from a sentence who made a change where its record names another author."""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace

from bot.core.change import Change
from bot.core.verdict.contradiction import services_in
from bot.core.verdict.figures.quoting import STRUCK_AS, Quotation
from bot.core.verdict.identity import names_change

_CHANGE = r"(?:change|deploy\w*|release|rollout|config\w*|flag|edit|commit|flip|version|build|model|migration)s?"
_DID = (
    r"(?:deployed|released|shipped|pushed|edited|changed|flipped|made|merged|committed|authored|rolled\s+out|switched|turned"
    r"|introduced|wrote|written|created|did|done)"
)
_PERSON = r"@?(?P<person>[a-z][\w.-]*[\w])"
_OTHER_VERB = (
    r"(?:approved|denied|acknowledged|acked|confirmed|declared|reported|noted|caused|followed|rolled\s+back|reverted|undone)"
)
_AUTHORED = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b{_DID}\s+(?:\w+\s+)?by\s+{_PERSON}",
        rf"\b{_CHANGE}\b(?:(?!\b{_OTHER_VERB}\s+by\b)(?:[^.;]|\.(?=\w))){{0,120}}?\bby\s+{_PERSON}",
        rf"\b{_PERSON}\s+(?:had\s+|has\s+|also\s+)?{_DID}\b",
        rf"\b{_PERSON}['’]s\s+(?:[\w.-]+\s+){{0,3}}?{_CHANGE}\b",
        rf"\bauthor(?:\s+of\b(?:[^.;]|\.(?=\w)){{0,80}}?)?(?:\s+(?:is|was)|:)\s+{_PERSON}",
        rf"\b{_PERSON}\s+(?:is|was)\s+(?:the|its)\s+author\b",
    )
]


def without_wrong_authors(quotation: Quotation, changes: Collection[Change], services: Collection[str]) -> Quotation:
    """The sentence without people who author recorded changes, but none that it may mean: of its versions or services."""
    meant = {change.id: change for change in _meant(quotation.text, changes, services)}.values()
    right = {change.author.casefold() for change in meant}
    if not right or "" in right:
        return quotation
    wrong = {change.author.casefold() for change in changes} - right
    places = sorted(set(_people(quotation.text, wrong)), reverse=True)
    for start, end in places:
        text = quotation.text[:start] + STRUCK_AS["name"] + quotation.text[end:]
        missing = (*quotation.missing, quotation.text[start:end])
        quotation = replace(quotation, text=text, missing=missing, kinds=quotation.kinds | {"name"})
    return quotation


def _meant(text: str, changes: Collection[Change], services: Collection[str]) -> Iterator[Change]:
    """Those that it names by version or title, and all of the services that it names: one of two may be meant."""
    named = services_in(text, services)
    yield from (change for change in changes if change.service in named or names_change(text, change))


def _people(text: str, names: Collection[str]) -> Iterator[tuple[int, int]]:
    for pattern in _AUTHORED:
        for match in pattern.finditer(text):
            if match["person"].casefold() in names:
                yield match.span("person")
