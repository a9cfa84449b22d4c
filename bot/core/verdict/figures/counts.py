"""Counts and levels that a sentence gives to something else than the evidence does: to another service, line or version."""

import re
from collections.abc import Iterator, Sequence

from bot.core.facts.measured import BreakdownFact
from bot.core.facts.recorded import TemplateFact
from bot.core.verdict.figures.clauses import Clause, Sentence, Span
from bot.core.verdict.figures.evidence_figures import EvidenceFigures
from bot.core.verdict.figures.quantities import Bound, Dimension, Quantity, bounds_of, follows_words, numbers_in, of_unit
from bot.core.verdict.figures.relations import is_relative
from bot.core.verdict.figures.roles import Roles

_ALERTS = re.compile(r"\balerts?\b", re.I)
_ALL = re.compile(r"\ball (?:of )?(?:the )?$", re.I)
_THINGS = re.compile(r"\s*(?:pods?|instances?|containers?|replicas?|nodes?|hosts?|machines?|servers?|clusters?)\b", re.I)
"""What no line of a log is."""
_OF_REQUESTS = re.compile(r"\s*of (?:(?:the|all|its|their|our) )*(?:requests|calls|traffic|users|customers|orders)\b", re.I)
_WORD = re.compile(r"[A-Za-z][a-z]+|[A-Z]{3,}")
_LEAST_LETTERS = 4
_NAME_OF_VALUE = re.compile(r"(?=.*[a-z.])[\w.@/:-]{4,}", re.I)
"""Values of labels that are names: a status code of three digits occurs in other meanings."""


def counts_of_others(sentence: Sentence, evidence: EvidenceFigures) -> Iterator[Span]:
    """The figures that count or measure something else than the clause says."""
    roles = evidence.roles
    for clause in sentence.clauses:
        figures = sentence.figures_of(clause)
        for figure in figures:
            checks = (
                _alerts_of_another(figure, clause, sentence, roles),
                _lines_of_another_kind(figure, clause, sentence, evidence),
                _lines_as_things(figure, sentence, evidence),
                _lines_as_requests(figure, sentence, evidence),
                _level_of_another_value(figure, clause, evidence),
                _counted_otherwise(figure, sentence, evidence),
            )
            if any(checks):
                yield figure.start, figure.end


def _alerts_of_another(figure: Quantity, clause: Clause, sentence: Sentence, roles: Roles) -> bool:
    """`checkout has 22 alerts`, where another service has so many."""
    counts = roles.alerts_by_service
    if figure.dimension is not Dimension.BARE or not counts or not _ALERTS.search(clause.text):
        return False
    named = sentence.named_in(clause.text)
    if len(named) != 1:
        return False
    own = counts[next(iter(named))]
    if _ALL.search(sentence.text[clause.start : figure.start]):
        return figure.value == counts.total() != own
    others = {count for service, count in counts.items() if service not in named}
    return figure.value in others and figure.value not in {own, counts.total(), *roles.alert_counts(clause.text)}


def _lines_of_another_kind(figure: Quantity, clause: Clause, sentence: Sentence, evidence: EvidenceFigures) -> bool:
    """`46 timeouts`, where 46 lines were refusals and 51 timeouts. A clause with several such counts adds or compares them."""
    counts = {float(row.count) for row in evidence.roles.templates if row.count}
    is_count = figure.dimension in (Dimension.BARE, Dimension.FACTOR) and figure.bound is Bound.EXACT and figure.value in counts
    if not is_count or is_relative(sentence.text, figure):
        return False
    if sum(other.value in counts for other in sentence.figures_of(clause)) > 1:
        return False
    return any(_counts_another(figure.value, clause, rows) for rows in evidence.roles.logs)


def _counts_another(count: float, clause: Clause, templates: Sequence[TemplateFact]) -> bool:
    """Whether so many lines are of a template, and the words of the clause are those of another."""
    rows = [row for row in templates if row.count]
    written = {number for row in rows for number in numbers_in(row.example)}
    words = _stems(clause.text)
    alike = [len(words & _stems(row.template)) for row in rows]
    meant = [row.count for row, common in zip(rows, alike, strict=True) if common and common == max(alike)]
    others = {row.count for row in rows} - set(meant)
    return bool(meant) and count in others and count not in written


def _stems(text: str) -> set[str]:
    """The beginnings of a text's words, those of `OutOfMemoryErrors` too: a plural or a past form names the same."""
    return {word.casefold()[:6] for word in _WORD.findall(text) if len(word) >= _LEAST_LETTERS}


def _lines_as_things(figure: Quantity, sentence: Sentence, evidence: EvidenceFigures) -> bool:
    """`36 pods crashed`, where 36 lines were logged."""
    counts = {row.count for row in evidence.roles.templates}
    if figure.value not in counts or not _THINGS.match(sentence.text, figure.end):
        return False
    return not evidence.without_logs.holds(figure)


def _lines_as_requests(figure: Quantity, sentence: Sentence, evidence: EvidenceFigures) -> bool:
    """`35 % of the requests`, where so many of the lines are of a kind."""
    if (
        figure.dimension is not Dimension.SHARE
        or not evidence.roles.templates
        or not _OF_REQUESTS.match(sentence.text, figure.end)
    ):
        return False
    logs = evidence.without_logs
    return not logs.holds(figure) and not logs.holds_relation(figure)


def _level_of_another_value(figure: Quantity, clause: Clause, evidence: EvidenceFigures) -> bool:
    """`3.4.0 fails 58 %`, where 3.5.0 does: levels of the rows of a breakdown."""
    rows = evidence.roles.breakdown
    named = {
        value for row, _ in rows for value in row.labels.values() if _NAME_OF_VALUE.fullmatch(value) and _names(clause, value)
    }
    if len(named) != 1:
        return False
    own = [(row, unit) for row, unit in rows if named & set(row.labels.values())]
    others = [(row, unit) for row, unit in rows if not named & set(row.labels.values())]
    return not any(_of_row(figure, *row) for row in own) and any(_of_row(figure, *row) for row in others)


def _names(clause: Clause, value: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(value)}(?![\w-]|\.\d)", clause.text, re.I) is not None


def _of_row(figure: Quantity, row: BreakdownFact, unit: str) -> bool:
    levels = [of_unit(level, unit) for level in (row.before, row.after) if level is not None]
    low, high = bounds_of(figure)
    shares = [abs(row.share)] if figure.dimension is Dimension.SHARE else []
    return any(low <= level <= high for level in (*shares, *(q.value for q in levels if q.dimension is figure.dimension)))


def _counted_otherwise(figure: Quantity, sentence: Sentence, evidence: EvidenceFigures) -> bool:
    """`2 restarts`, where none were counted: a figure with a measured unit is one of those that the evidence has of it."""
    if figure.dimension not in (Dimension.BARE, Dimension.FACTOR) or is_relative(sentence.text, figure):
        return False
    unit = next((unit for unit in evidence.roles.units if _has_unit(figure, unit, sentence.text)), "")
    if not unit:
        return False
    low, high = bounds_of(figure)
    levels = [
        level for row in evidence.roles.deviations if row.unit == unit for level in (row.before, row.after) if level is not None
    ]
    changes = [abs((row.after or 0.0) - (row.before or 0.0)) for row in evidence.roles.deviations if row.unit == unit]
    return not any(low <= level <= high for level in (*levels, *changes, *evidence.roles.counted[unit]))


def _has_unit(figure: Quantity, unit: str, text: str) -> bool:
    """`2 restarts`, `restarted 2 times`."""
    if re.match(rf"\s?-?{re.escape(unit.rstrip('s'))}s?\b", text[figure.end :], re.I):
        return True
    verb = re.compile(rf"\b{re.escape(unit.rstrip('s'))}(?:ed|s|ing)?\s+(?:about |some |~ ?)?$", re.I)
    return figure.dimension is Dimension.FACTOR and follows_words(verb, text, figure)
