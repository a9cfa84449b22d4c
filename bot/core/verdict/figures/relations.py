"""What two figures of a sentence say together, and of whom: parts of a whole, ranges, a step from one to the other."""

import math
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise, permutations

from bot.core.verdict.figures.evidence_figures import EvidenceFigures
from bot.core.verdict.figures.fact_pairs import Pair
from bot.core.verdict.figures.quantities import Bound, Dimension, Quantity, follows_words

_PART = re.compile(r"\s*(?:of|in|out of|from)\s*(?:every\s*)?", re.I)
_ONE_IN = re.compile(r"\b(?:one|1) (?:in|of|out of)(?: every)? $", re.I)
_TOLERANCE = re.compile(r"(?:±|\+/-)\s?$")
"""How exact a figure is meant is for the writer to say."""
_SPLIT = re.compile(r"\s?[/:]\s?")
"""`50/50`: two shares of a whole."""
_BETWEEN = re.compile(r"\bbetween\s+$", re.I)
_AND = re.compile(r"[^\w]*(?:and|to)\s*", re.I)
_FROM = re.compile(r"\bfrom\s+(?:about |around |roughly |some |~ ?)?$", re.I)
_TO = re.compile(r"\s*(?:to|→|->)\s*(?:about |around |roughly |some |~ ?)?", re.I)
_UP = re.compile(
    r"\b(?:rose|rises?|risen|climb\w*|grew|grow\w*|jump\w*|increas\w*|(?:went|is|are|was) up|surg\w*) to\s+"
    r"(?:about |over |~ ?)?$",
    re.I,
)
_DOWN = re.compile(
    r"\b(?:fell|falls?|fallen|dropp?\w*|decreas\w*|sank|declin\w*|(?:went|came|is|are|was) down|shr[aiu]nk\w*) to\s+"
    r"(?:about |~ ?)?$",
    re.I,
)
_THAN_BEFORE = r"(?: [a-z]+)? than (?:before|usual|normal|it was|earlier)\b"
_MORE = re.compile(rf"\s*(?:[a-z/]+\s+)?(?:more|higher|longer|slower){_THAN_BEFORE}", re.I)
_FEWER = re.compile(rf"\s*(?:[a-z/]+\s+)?(?:fewer|less|lower|shorter|faster){_THAN_BEFORE}", re.I)
_APART = re.compile(
    r"\s*(?:[a-z]+\s+)?(?:under|below|above|over|beyond|short of)\s+(?:the|its|their|that)\b(?! last| past)", re.I
)
"""`92 jobs under its threshold`."""
_HEDGE = r"(?:(?:by|an?|factor|of|about|around|roughly|some|nearly|almost|over|more than|at least)\s+|~ ?)*$"
_BE = "(?:is|are|was|were|went)"
_GROWTH = re.compile(
    rf"\b(?:grew|grow\w*|rose|ris(?:es?|en|ing)|climb\w*|jump\w*|surg\w*|increas\w*|{_BE} up)\s+{_HEDGE}", re.I
)
_SHRINKING = re.compile(rf"\b(?:fell|fall\w*|dropp?\w*|decreas\w*|sank|declin\w*|shr[aiu]nk\w*|{_BE} down)\s+{_HEDGE}", re.I)
_CHANGE_BEFORE = re.compile(rf"(?:[-+−↑↓]\s?|\b(?:by|of|up|down)\s+{_HEDGE})$", re.I)
_CHANGE_AFTER = re.compile(
    r"\s*(?:more|less|fewer|higher|lower|faster|slower|longer|up|down|of|above|below|over|"
    r"growth|increase|rise|jump|climb|drop|decrease|decline|reduction)\b",
    re.I,
)
_GROWTH_IN_A_WORD = re.compile(r"(?:doubl|tripl|trebl|quadrupl|quintupl|halv)\w+", re.I)
_OVER_ANOTHER = re.compile(r"\s*(?:its|the|above|beyond|as|what)\b", re.I)
"""`rose 60 times its usual range` measures against something else than the level before."""
_SIGNALS = r"(?:error|latenc|p\d\d|traffic|cpu|memor|connection|queue|restart|request|bad.requests|provider.errors)\w*"
_CLAUSE = re.compile(r"[;.!?](?:\s|$)|,\s|\s(?:and|but|while|whereas|because|as|since|when)\s", re.I)
_MAX_OPERANDS, _ROUNDED = 8, 0.02
"""Figures of a sentence that are calculated with, and how far their rounding may carry."""
_WIDEST = 1.5
"""A range whose ends lie further apart holds any level by chance."""


def supported_together(text: str, figures: Sequence[Quantity], evidence: EvidenceFigures) -> set[int]:
    """The indices of figures that the evidence holds only together: `388 of 1000`, `one in three`, `between 37 and 38 %`."""
    supported: set[int] = set()
    for index, figure in enumerate(figures):
        if follows_words(_ONE_IN, text, figure) and figure.value > 1 and _is_share(1.0, figure.value, evidence):
            supported.add(index)
        if follows_words(_TOLERANCE, text, figure):
            supported.add(index)
    for index, (first, second) in enumerate(pairwise(figures)):
        between = text[first.end : second.start]
        if first.dimension is second.dimension is Dimension.BARE and _PART.fullmatch(between):
            if 0 < first.value < second.value and _is_share(first.value, second.value, evidence):
                supported |= {index, index + 1}
        elif first.value + second.value == 100 and _SPLIT.fullmatch(between):
            if all(
                evidence.holds(replace(q, value=q.value / 100, dimension=Dimension.SHARE, unit=0.01)) for q in (first, second)
            ):
                supported |= {index, index + 1}
        elif follows_words(_BETWEEN, text, first) and _AND.fullmatch(between):
            low = first.value * (second.unit if first.dimension is Dimension.BARE else 1.0)
            if 0 < low < second.value <= _WIDEST * low and evidence.holds_between(low, second.value, second.dimension):
                supported |= {index, index + 1}
    return supported


def _is_share(part: float, whole: float, evidence: EvidenceFigures) -> bool:
    """Whether so many of so many is a share that the evidence holds, as exact as the smaller figure."""
    exact = part == 1.0
    low, high = (1 / (whole + 0.5), 1 / (whole - 0.5)) if exact else ((part - 0.5) / whole, (part + 0.5) / whole)
    share = Quantity((low + high) / 2, Dimension.SHARE, (high - low) / 2, 1.0, 0, 0, Bound.EXACT)
    return evidence.holds(share) or evidence.holds_relation(share)


def follows(figure: Quantity, others: Sequence[Quantity]) -> bool:
    """Whether the sentence itself shows what it adds up, subtracts or divides.

    `137 lines (53 + 46 + 38)`, `12 of 16 pods (75 %)`, `34 %, 17 times the 2 % above which it is bad`.
    """
    alike = [other.value for other in others if other.dimension is figure.dimension]
    results = [sum(alike)] if len(alike) > 1 else []
    for first, second in permutations(others[:_MAX_OPERANDS], 2):
        match figure.dimension, first.dimension, second.dimension:
            case (Dimension.FACTOR | Dimension.SHARE, of_first, of_second) if of_first is of_second and second.value > 0:
                results.append(first.value / second.value)
            case Dimension.RATE, Dimension.BARE, Dimension.TIME if second.value > 0:
                results.append(first.value / second.value)
            case Dimension.RATE, Dimension.RATE, Dimension.SHARE:
                results.append(first.value * second.value)
            case (of_figure, of_first, of_second) if of_figure is of_first is of_second:
                results.append(abs(first.value - second.value))
    off = max(figure.step * 1.0001, _ROUNDED * figure.value)
    return any(abs(figure.value - result) <= off for result in results)


def is_relative(text: str, figure: Quantity) -> bool:
    """Whether the sentence tells a figure as a change, or as a part of another: `+74 %`, `by 74 %`, `74 % more`, `74 % of`."""
    follows_word_of_change = any(follows_words(pattern, text, figure) for pattern in (_CHANGE_BEFORE, _GROWTH, _SHRINKING))
    return follows_word_of_change or any(pattern.match(text, figure.end) for pattern in (_CHANGE_AFTER, _APART))


def misdirected(text: str, figures: Sequence[Quantity], evidence: EvidenceFigures) -> set[int]:
    """The indices of figures that the sentence has go the other way than they were measured."""
    steps = evidence.changes.steps
    wrong: set[int] = set()
    for index, figure in enumerate(figures):
        following = figures[index + 1] if index + 1 < len(figures) else None
        if following and follows_words(_FROM, text, figure) and _TO.fullmatch(text[figure.end : following.start]):
            first = _in_unit_of(following, figure)
            if _distance(steps, following, first) < _distance(steps, first, following):
                wrong |= {index, index + 1}
        elif (up := follows_words(_UP, text, figure)) or follows_words(_DOWN, text, figure):
            reached = [step for step in steps if step.second != step.first and _near(step.second, figure)]
            left = [step for step in steps if step.second != step.first and _near(step.first, figure)]
            if (reached or left) and not any((step.second > step.first) == up for step in reached):
                wrong.add(index)
        elif _moved_against(text, figure, steps):
            wrong.add(index)
    return wrong


def _moved_against(text: str, figure: Quantity, steps: Sequence[Pair]) -> bool:
    """Whether what moved by so much moved the other way: `shrank by 200 jobs`, `40 req/s fewer than before`."""
    up = follows_words(_GROWTH, text, figure) or bool(_MORE.match(text, figure.end))
    down = follows_words(_SHRINKING, text, figure) or bool(_FEWER.match(text, figure.end))
    if up == down or figure.dimension is Dimension.FACTOR:
        return False
    moved = [step for step in steps if step.first != step.second and _moved_by(step, figure)]
    return bool(moved) and not any((step.second > step.first) == up for step in moved)


def _moved_by(step: Pair, figure: Quantity) -> bool:
    by = abs(step.second - step.first)
    relative = figure.dimension is Dimension.SHARE and step.first > 0 and _near(by / step.first, figure)
    return relative or (step.dimension is figure.dimension and _near(by, figure))


def unfounded_growth(text: str, figures: Sequence[Quantity], evidence: EvidenceFigures) -> Iterator[int]:
    """The places of factors by which the sentence has a level grow or shrink, where none was measured to do so.

    A level over its threshold, or over another service's, is a factor too, but no growth.
    """
    for index, figure in enumerate(figures):
        if figure.dimension is not Dimension.FACTOR or _OVER_ANOTHER.match(text, figure.end):
            continue
        down = follows_words(_SHRINKING, text, figure)
        grows = down or follows_words(_GROWTH, text, figure) or _GROWTH_IN_A_WORD.fullmatch(text[figure.start : figure.end])
        if grows and not evidence.changes.holds_growth(figure, shrinking=down):
            yield index


def _in_unit_of(other: Quantity, figure: Quantity) -> Quantity:
    """A figure without a unit in that of the one behind it: `from 300 to 304 req/s`."""
    if figure.dimension is not Dimension.BARE:
        return figure
    value, step = figure.value * other.unit, figure.step * other.unit
    return replace(figure, value=value, step=step, unit=other.unit, dimension=other.dimension)


def _distance(steps: Sequence[Pair], before: Quantity, after: Quantity) -> float:
    """How far the nearest measured step is from one between these figures; infinite where none is near."""
    near = [
        abs(step.first - before.value) + abs(step.second - after.value)
        for step in steps
        if step.dimension is after.dimension and _near(step.first, before) and _near(step.second, after)
    ]
    return min(near, default=math.inf)


def _near(level: float, figure: Quantity) -> bool:
    off = max(figure.step * 1.0001, 0.02 * figure.value, 0.1 * figure.value if figure.bound is not Bound.EXACT else 0.0)
    return abs(level - figure.value) <= off


def of_others(text: str, figures: Sequence[Quantity], evidence: EvidenceFigures, services: Collection[str]) -> Iterator[int]:
    """The indices of figures that the sentence gives to a service, and that stand only in evidence about others."""
    for name in services:
        for match in re.finditer(rf"(?<![\w-]){re.escape(name)}(?:'s|’s)? {_SIGNALS}", text, re.I):
            end = next((m.start() for m in _CLAUSE.finditer(text, match.end())), len(text))
            for index, figure in enumerate(figures):
                measured = figure.dimension in (Dimension.SHARE, Dimension.TIME, Dimension.RATE)
                if not measured or not match.end() <= figure.start < end or evidence.moments.holds_span(figure):
                    continue
                if not evidence.about(name).holds(figure):
                    yield index
