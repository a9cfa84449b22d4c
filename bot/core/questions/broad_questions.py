"""Which questions make sense of all that is open at once: what is going on, is it over, who is on it, what changed.

One is broad only if it was read whole: "what is going on with the queue?" holds a word that belongs to one of them.
"""

import re
from collections.abc import Collection
from enum import StrEnum

from bot.core.questions.parsing.changes_meant import without_span
from bot.core.questions.parsing.forms import names_question_word, wants_cause, wants_yes_or_no, without_opening
from bot.core.questions.parsing.spelling import spelled_out
from bot.core.questions.parsing.subjects import Subject, subjects_in, without_subjects
from bot.core.questions.parsing.topics import named_in
from bot.core.questions.parsing.unread_words import words_with_meaning


class BroadQuestion(StrEnum):
    """What a question wants to know of all that is open."""

    OVER = "over"
    """Yes is good news."""
    FIRING = "firing"
    """Yes is bad news."""
    ASSIGNED = "assigned"
    ON_CALL = "on call"
    EXTENT = "extent"
    CHANGES = "changes"
    OVERVIEW = "overview"


_OVER = (
    r"over|fixed|resolved|recover\w*|solved|clear(?:ed)?|gone|stop(?:ped)?|ended|ok|okay|fine|good|healthy|alright|normal|stable"
    r"|work(?:s|ing)|up|back\s+(?:to\s+normal|up|online)|(?:it|we|everything|all|things)\s+(?:(?:is|are)\s+)?back"
)
_FIRING = r"still|firing|alerting|alerts?|happening|going\s+on|ongoing|wrong|on\s+fire|open"
_ON_IT = r"on\s+(?:it|this|that)|look(?:s|ing)(?:\s+(?:at|into))?|work(?:s|ing)(?:\s+on)?|handl(?:es|ing)|investigating|aware"
_SOMEBODY = r"(?:any|some)(?:body|one)|people|folks"
_ASSIGNED = rf"(?:{_SOMEBODY})\s+(?:(?:already|now|currently|actually)\s+)?(?:{_ON_IT})|acked|ack|acknowledged|taken|assigned"
_EXTENT = r"affected|impacted|impact|hit|suffering|blast\s+radius|scope|extent|how\s+(?:far|wide)"
_OVERVIEW = (
    r"going\s+on|happen(?:ing|ed|s)?|up|wrong|status|state|situation|summary|summari[sz]e|tl;?dr|updates?|recap|overview"
    r"|open|firing|alerting|broken|down|failing|on\s+fire|how\s+(?:bad|severe|serious|critical|long)|since\s+when"
    r"|when\s+did|start(?:ed)?|begin|beg[au]n|acked|acknowledged"
    rf"|who\s+(?:(?:is|are)\s+)?(?:(?:now|already|currently)\s+)?(?:{_ON_IT}|has|have|took|owns|leads|leading|assigned)"
)
_PATTERNS = {
    kind: re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    for kind, words in {
        BroadQuestion.ON_CALL: r"on[- ]?(?:call|duty)|whose\s+(?:shift|turn)",
        BroadQuestion.ASSIGNED: _ASSIGNED,
        BroadQuestion.OVER: _OVER,
        BroadQuestion.FIRING: _FIRING,
        BroadQuestion.EXTENT: _EXTENT,
        BroadQuestion.OVERVIEW: _OVERVIEW,
    }.items()
}
"""In this order: "is anyone working on it?" asks who has it, and "is it still ok?" whether it is well."""
_OF_PEOPLE = re.compile(rf"\b(?:{_SOMEBODY}|you)\b", re.IGNORECASE)
_YES_NO = frozenset((BroadQuestion.OVER, BroadQuestion.ASSIGNED, BroadQuestion.FIRING))
_OF_ONE = re.compile(
    r"\b(?:why|caus\w*|because|due|culprit|reason|blame|fault|root|responsible|br(?:oke|eaks?)|roll\w*|restart\w*|approv\w*"
    r"|denied|declin\w*|tried|mitigat\w*|confirm\w*|other|others|else|another|can|could|may|might|will|would)\b",
    re.IGNORECASE,
)
"""Asks for a cause, for what was done or may be done, or for what stands beside one: of each another answer."""
_NEGATED = re.compile(r"\b(?:not|no|never|nobody|nothing|none)\b|n['’]t\b", re.IGNORECASE)
_FILLER_WORDS = """
    what which when how many much give help all everything everyone whole overall guys folks team quick no not never nobody
    nothing none incidents groups last latest newest recent recently there"""
_FILLERS = frozenset(_FILLER_WORDS.split())
"""Words that say nothing more of a broad question, or whose meaning is read here."""


def broad_question(question: str, services: Collection[str]) -> BroadQuestion | None:
    """What it wants to know of all that is open; None where it is about one. `services`: the names that it may hold."""
    text = without_opening(spelled_out(question))
    if named_in(text, services) or _OF_ONE.search(text):
        return None
    if _is_about_changes(text):
        return BroadQuestion.CHANGES
    if _has_more(_without_phrases(text)):
        return None
    yes_no = wants_yes_or_no(text) and not names_question_word(text)
    kind = next((kind for kind, pattern in _PATTERNS.items() if pattern.search(text) and _fits(kind, yes_no=yes_no)), None)
    if kind is BroadQuestion.OVER and _OF_PEOPLE.search(text):
        return None  # "are you up?"
    # "Isn't it over?": a bare yes could be read as either.
    return BroadQuestion.OVERVIEW if kind in _YES_NO and _NEGATED.search(text) else kind


def _fits(kind: BroadQuestion, *, yes_no: bool) -> bool:
    if kind in _YES_NO:
        return yes_no
    return not (yes_no and kind in (BroadQuestion.EXTENT, BroadQuestion.ON_CALL))


def _is_about_changes(text: str) -> bool:
    if subjects_in(text) != {Subject.CHANGE} or wants_cause(text):
        return False
    return not _has_more(without_subjects(without_span(text)))


def _without_phrases(text: str) -> str:
    for pattern in _PATTERNS.values():
        text = pattern.sub(" ", text)
    return text


def _has_more(text: str) -> bool:
    return any(word not in _FILLERS for word in words_with_meaning(text))
