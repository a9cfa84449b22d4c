"""Thresholds of evidence that a sentence gives as levels, or has a signal pass that did not."""

import re
from collections.abc import Iterator
from dataclasses import replace

from bot.core.verdict.figures.clauses import Clause, Sentence, Span
from bot.core.verdict.figures.evidence_figures import EvidenceFigures
from bot.core.verdict.figures.quantities import Bound, Quantity, bounds_of
from bot.core.verdict.figures.roles import Threshold
from bot.core.verdict.figures.signals import signals_in

_BEYOND = (
    r"above|over|exceed\w*|past|pass(?:es|ed|ing)?|cross\w*|beyond|reach\w*|hit(?:s|ting)?|breach\w*|"
    r"(?:more|higher|longer) than|[>≥]"
)
_SHORT_OF = r"below|under|beneath|(?:less|lower|fewer|shorter) than|[<≤]"
_NEAR = r"\s*(?:(?:the|its|their|an?|of|some|about|limit|threshold|bound|mark|normal|allowed)\s+){0,4}$"
_BEYOND_BEFORE = re.compile(rf"(?:\b|(?=[<>≤≥]))(?:{_BEYOND}){_NEAR}", re.I)
_SHORT_OF_BEFORE = re.compile(rf"(?:\b|(?=[<>≤≥]))(?:{_SHORT_OF}){_NEAR}", re.I)
_THRESHOLD_WORDS = re.compile(
    r"\b(?:limit\w*|threshold\w*|bounds?|ceiling|floor|cap|quota|budget|target|objective|slo|mark|maximum|minimum|max|"
    r"allow\w*|tolerat\w*|permit\w*|need\w*|requir\w*|bad|critical|far from|away from|short of|shy of|within|against|"
    r"versus|vs|times|of the|at most|at least|reach\w*|alerts? (?:at|on)|pages? (?:at|on))\b|\d\s*(?:of|/)\s*$",
    re.I,
)
_REACH = 60
"""Characters before a figure in which words are about it."""
_NOT = re.compile(r"\b(?:not|never|nowhere)\b|n['’]t\b", re.I)
"""`it never was at 90 %` tells no level."""
_DENIED = re.compile(r"\b(?:not|never|no|none|without|would|could|until|if|unless|alerts?|bad|cannot)\b|n['’]t\b", re.I)


def misplaced_thresholds(sentence: Sentence, evidence: EvidenceFigures) -> Iterator[Span]:
    """The figures that stand in the evidence as thresholds alone, and that the sentence gives as something else.

    That is as a level, or as a bound that was passed where no signal passed it.
    """
    for figure in sentence.figures:
        thresholds = _as_threshold(figure, evidence)
        if not thresholds or evidence.without_thresholds.measures(replace(figure, bound=Bound.EXACT)):
            continue
        clause = sentence.clause_of(figure)
        before = sentence.text[max(clause.start, figure.start - _REACH) : figure.start]
        beyond, short = _BEYOND_BEFORE.search(before), _SHORT_OF_BEFORE.search(before)
        if not beyond and not short:
            wrong = not any(pattern.search(part) for pattern in (_THRESHOLD_WORDS, _NOT) for part in (clause.text, before))
        else:
            wrong = not _DENIED.search(clause.text) and not _passed(thresholds, clause, up=bool(beyond))
        if wrong:
            yield figure.start, figure.end


def _as_threshold(figure: Quantity, evidence: EvidenceFigures) -> list[Threshold]:
    low, high = bounds_of(figure, exact=True)
    return [
        threshold
        for threshold in evidence.roles.thresholds
        if threshold.bound.dimension is figure.dimension and low <= threshold.bound.value <= high
    ]


def _passed(thresholds: list[Threshold], clause: Clause, *, up: bool) -> bool:
    """Whether a signal with that threshold lies on the side of it that the clause names; one of the signals that it names."""
    named = signals_in(clause.text, {threshold.signal for threshold in thresholds if threshold.signal})
    meant = [threshold for threshold in thresholds if not named or threshold.signal in named]
    return any(t.level is None or (t.level >= t.bound.value if up else t.level <= t.bound.value) for t in meant)
