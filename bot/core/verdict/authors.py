"""Strikes from a sentence who made a change where the record names another author, or nobody of that name."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from bot.core.change import Change
from bot.core.text.stemming import STOP_WORDS
from bot.core.verdict.contradiction import services_in
from bot.core.verdict.figures.evidence_figures import EvidenceFigures
from bot.core.verdict.figures.quoting import STRUCK_AS, Quotation
from bot.core.verdict.identity import names_change

_CHANGE = r"(?:change|deploy\w*|release|rollout|config\w*|flag|edit|commit|flip|version|build|model|migration)s?"
_DID = (
    r"(?:deployed|released|shipped|pushed|edited|changed|flipped|made|merged|committed|authored|rolled\s+out|switched|turned"
    r"|introduced|wrote|written|created|did|done)"
)
_DONE_TO_CHANGES = r"(?:deployed|merged|authored|rolled\s+out)"
"""What is done to changes alone: a worker releases a lock, and a queue is pushed to."""
_ACT_OF_CHANGE = r"(?:deploy(?:ment)?|release|rollout|edit|commit|flip)s?"
"""A change in words for what somebody does. Versions differ by pod, and a rate may change by half."""
_PERSON = r"@?(?P<person>[a-z][\w.-]*[\w])"
_NAME = r"@?(?P<person>[a-z](?:[a-z]|[.-](?=[a-z]))*[a-z])(?![\w@/-])"
"""A word that may be a person's name, where no record says so: versions and references are none."""
_OF_WHICH = r"(?:of\s+[\w.-]+\s+)?(?:v?\d[\w.]*\s+)?(?:of\s+[\w.-]+\s+)?"
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
_NAMED_AS_AUTHOR = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b{_CHANGE}\s+{_OF_WHICH}(?:(?:which|that|is|was|were|had|has|have|been)\s+)*{_DID}\s+by\s+{_NAME}",
        rf"\b{_ACT_OF_CHANGE}\s+{_OF_WHICH}by\s+{_NAME}",
        rf"\b{_DONE_TO_CHANGES}\s+by\s+{_NAME}",
        rf"\bauthor(?:\s+of\b(?:[^.;]|\.(?=\w)){{0,80}}?)?(?:\s+(?:is|was)|:)\s+{_NAME}",
        rf"\b{_NAME}\s+(?:is|was)\s+(?:the|its)\s+author\b",
        rf"(?:^|[.;,]\s+|\b(?:that|because|when|after|since)\s+){_NAME}\s+(?:had\s+|has\s+)?"
        rf"{_DONE_TO_CHANGES}\s+(?:it|this|that|an?|the|{_CHANGE})\b",
    )
]
"""Forms that say of whoever stands there that he or she made a change, whatever the name."""
_NO_NAMES = """
    about accident almost another anybody anyone around automation batch batches both canary ci code commit commits
    configuration customers day default deploy deployment design developers engineers error everybody everyone hand he her
    him his hour human humans i itself less me merge midnight mistake nearly nobody noon one operator operators people
    percentage person pipeline pipelines policy pr pull region release request roughly she somebody someone stage stages step
    steps system team them they tocsin two unknown us user users version wave waves we who whoever you zone"""
_ACT = re.compile(r"[a-z]{4,}ing")
"""Of "done by replacing pods"."""
_NO_NAME = frozenset(_NO_NAMES.split()) | STOP_WORDS


def without_wrong_authors(
    quotation: Quotation,
    changes: Collection[Change],
    services: Collection[str],
    evidence: EvidenceFigures | None = None,
) -> Quotation:
    """The sentence without people who author recorded changes, but none that it may mean: of its versions or services.

    Nor with whoever authors none, where neither a record of a change nor `evidence`, on which it stands, holds the name.
    """
    places = {*_of_other_changes(quotation.text, changes, services), *_of_nobody(quotation.text, changes, services, evidence)}
    for start, end in sorted(places, reverse=True):
        text = quotation.text[:start] + STRUCK_AS["name"] + quotation.text[end:]
        missing = (*quotation.missing, quotation.text[start:end])
        quotation = replace(quotation, text=text, missing=missing, kinds=quotation.kinds | {"name"})
    return quotation


def _of_other_changes(text: str, changes: Collection[Change], services: Collection[str]) -> Iterator[tuple[int, int]]:
    meant = {change.id: change for change in _meant(text, changes, services)}.values()
    right = {change.author.casefold() for change in meant}
    if right and "" not in right:
        wrong = {change.author.casefold() for change in changes} - right
        yield from (place for name, place in _people(text, _AUTHORED) if name in wrong)


def _of_nobody(
    text: str, changes: Collection[Change], services: Collection[str], evidence: EvidenceFigures | None
) -> Iterator[tuple[int, int]]:
    no_names = _NO_NAME | {service.casefold() for service in services}
    records = " ".join(f"{change.author} {change.title}" for change in changes).casefold()
    for name, place in _people(text, _NAMED_AS_AUTHOR):
        word = re.compile(rf"(?<![a-z]){re.escape(name)}(?![a-z])")
        is_name = name not in no_names and not _ACT.fullmatch(name)
        if is_name and not word.search(records) and not (evidence and word.search(evidence.text)):
            yield place


def _meant(text: str, changes: Collection[Change], services: Collection[str]) -> Iterator[Change]:
    """Those that it names by version or title, and all of the services that it names: one of two may be meant."""
    named = services_in(text, services)
    yield from (change for change in changes if change.service in named or names_change(text, change))


def _people(text: str, patterns: Iterable[re.Pattern[str]]) -> Iterator[tuple[str, tuple[int, int]]]:
    for pattern in patterns:
        for match in pattern.finditer(text):
            yield match["person"].casefold(), match.span("person")
