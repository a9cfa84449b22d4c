"""Yes, no or unknown with the reason: the first sentence of an answer."""

from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from bot.core.text.untrusted import one_line

MAX_TEXT = 300


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


def unknown(text: str, evidence: Iterable[str] = (), *, untrusted: bool = False) -> ShortAnswer:
    """What is not known, and why; each id once."""
    text, ids = text[:1].upper() + text[1:], list(dict.fromkeys(evidence))
    return ShortAnswer(verdict=Verdict.UNKNOWN, text=one_line(text, MAX_TEXT), evidence=ids, untrusted=untrusted)
