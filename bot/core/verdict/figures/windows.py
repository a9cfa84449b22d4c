"""Spans of time that were read, told as if a fault had lasted so long."""

import re
from collections.abc import Iterator

from bot.core.verdict.figures.clauses import Sentence, Span
from bot.core.verdict.figures.evidence_figures import EvidenceFigures
from bot.core.verdict.figures.quantities import Dimension, Quantity, span_bounds

_FOR = re.compile(
    r"\b(?:for|since|last(?:s|ed|ing))\s+(?:(?:about|around|roughly|some|nearly|almost|over|more than|at least|the|last|past|"
    r"whole|full|entire|all)\s+)*$",
    re.I,
)
_LONG = re.compile(r"\s*(?:long\b|of (?:errors|failures|downtime|outage|trouble))", re.I)
_GOES_ON = re.compile(
    r"\b(?:ha[sv]e?|had) (?:been|gone|[a-z]+ed)\b|\bfail\w*|\berror\w*|\bdown\b|\bslow\w*|\bunavailable\b|\bunhealthy\b|"
    r"\boutages?\b|\bbroken\b|\bexhaust\w*|\bcrash\w*|\b(?:goes|go|going|went) on\b",
    re.I,
)
_NOTHING = re.compile(r"\b(?:no|not|none|never|without|normal|healthy|only|first|last (?:changed|deployed))\b", re.I)


def windows_as_durations(sentence: Sentence, evidence: EvidenceFigures) -> Iterator[Span]:
    """The figures by which the sentence has something go on for as long as the evidence merely looked back."""
    for figure in sentence.figures:
        if figure.dimension is not Dimension.TIME or not evidence.roles.is_window(figure):
            continue
        statement = sentence.statement_of(figure)
        duration = _FOR.search(sentence.text[statement.start : figure.start]) or _LONG.match(sentence.text, figure.end)
        if not duration or not _GOES_ON.search(statement.text) or _NOTHING.search(statement.text):
            continue
        if not _went_on(figure, evidence) and not evidence.without_windows.states(figure):
            yield figure.start, figure.end


def _went_on(figure: Quantity, evidence: EvidenceFigures) -> bool:
    low, high = span_bounds(figure)
    return any(low <= span <= high for span in evidence.roles.fault_spans)
