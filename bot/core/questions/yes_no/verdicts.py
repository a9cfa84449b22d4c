"""Yes, no or unknown with the reason: the first sentence of an answer."""

from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from bot.core.text.untrusted import one_line

MAX_TEXT = 300
FOR_PEOPLE = "For people to decide:"
"""Opens the answer to whether something may or should be done: what is known, and no yes of anybody but people."""


class Verdict(StrEnum):
    """The first word of an answer."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class ShortAnswer(BaseModel):
    """Yes, no or unknown with the reason."""

    model_config = ConfigDict(frozen=True)

    verdict: Verdict
    text: str
    evidence: list[str] = []
    untrusted: bool = False
    """Others can write the text: it is shown as a quotation."""
    opening: str = ""
    """Stands in place of the verdict's word, in words of code: `Not measured; the logs say:`."""
    complete: bool = False
    """The record answers it by itself: no evidence adds to it."""

    @property
    def lead(self) -> str:
        """What it begins with: `Yes.`, or its own opening."""
        return self.opening or f"{self.verdict.capitalize()}."


def unknown(text: str, evidence: Iterable[str] = (), *, untrusted: bool = False, opening: str = "") -> ShortAnswer:
    """What is not known, and why; each id once."""
    text = text if opening else text[:1].upper() + text[1:]
    return ShortAnswer(
        verdict=Verdict.UNKNOWN,
        text=one_line(text, MAX_TEXT),
        evidence=list(dict.fromkeys(evidence)),
        untrusted=untrusted,
        opening=opening,
    )


def by_record(short: ShortAnswer) -> ShortAnswer:
    """The same answer, as the record gives it by itself: no evidence has to stand below."""
    return short.model_copy(update={"complete": True})
