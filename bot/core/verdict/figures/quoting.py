"""Strikes from a sentence the figures, moments, versions, names and quoted words that do not stand in its evidence."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.verdict.figures.clauses import VERSION, Sentence, Span
from bot.core.verdict.figures.counts import counts_of_others
from bot.core.verdict.figures.events import misordered_in, misplaced_moments
from bot.core.verdict.figures.evidence_figures import EvidenceFigures
from bot.core.verdict.figures.evidence_text import without_marks
from bot.core.verdict.figures.quantities import Dimension, Quantity, blanked, quantities
from bot.core.verdict.figures.relations import (
    follows,
    is_relative,
    misdirected,
    of_others,
    supported_together,
    unfounded_growth,
)
from bot.core.verdict.figures.thresholds import misplaced_thresholds
from bot.core.verdict.figures.version_steps import swapped_versions
from bot.core.verdict.figures.windows import windows_as_durations

_REFERENCES = re.compile(r"\b(?:AL|INC|AP|E)-?\d+\b")
_STRUCK = re.compile(r"\[[a-z ]+ not in evidence\]")
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_MOMENT = re.compile(
    r"(?:(?<![\w:.-])|(?<=:\d\d[-Z])|(?<=Z-))(?:\d{4}-\d{2}-\d{2}[T ])?([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?(?:\.\d+)?"
    r"(?:\s?([ap])\.?m\b\.?|Z|\s?([+-](?:0\d|1[0-4])):?(00|30|45))?(?![\w]|:\d)",
    re.I,
)
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_MONTH = (
    r"((?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|(?-i:May)|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b)\.?"
)
"""Whole words: neither `41 decode errors` nor `12 may fail` names a day."""
_DAY = r"(3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?\b"
_WRITTEN_DATE = re.compile(rf"\b(?:{_DAY}\.? {_MONTH}|{_MONTH} {_DAY},?)(?: (\d{{4}}))?\b", re.I)
_OPAQUE = re.compile(
    r"\b(?=[\w-]*\d)(?=[\w-]*[a-z])"
    r"(?:[a-z][a-z0-9]*(?:-[a-z0-9]+)*-(?=[a-z0-9]*\d)(?=[a-z0-9]*[a-z])[a-z0-9]{5,}(?:-[a-z0-9]+)*|[0-9a-f]{7,40})\b",
    re.I,
)
"""Names that machines draw: pods, ids of changes, commits. `checkout-2` and `gpt-4o` are none."""
_HOST = re.compile(
    r"\b(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:com|net|org|io|dev|app|cloud|example|internal|local|test|de|eu|uk)\b", re.I
)
_MILLI = re.compile(r"\d+m")
"""`263m`: thousandths of a core, or minutes."""
_STATUSES = re.compile(r"[1-5]\d\ds")
"""`503s`: answers with this status, or so many seconds."""
_ORDINAL = re.compile(r"\b\d+(?:st|nd|rd|th)\b|\b\d+xx\b", re.I)

_QUOTED = re.compile(
    r"`([^`]{2,200})`|\"([^\"]{2,200})\"|“([^”]{2,200})”|„([^“”]{2,200})[“”]|«([^»]{2,200})»|‘([^’]{2,200})’(?!\w)|"
    r"(?<!\w)'([^']{2,200})'(?!\w)"
)
STRUCK_AS = {
    "quotation": "[words not in evidence]",
    "date": "[date not in evidence]",
    "moment": "[time not in evidence]",
    "version": "[version not in evidence]",
    "name": "[name not in evidence]",
    "figure": "[figure not in evidence]",
    "order": "[order not in evidence]",
}


_MAX_NAMES = 3
"""Names between one pair of backticks; more words are a quotation."""
MAX_TEXT = 2_000
"""Characters of a sentence that are checked and kept: its figures are compared with each other."""


@dataclass(frozen=True)
class Checked:
    """A part of a sentence that can be checked; `supported`: whether the evidence holds it."""

    start: int
    end: int
    kind: str
    supported: bool


@dataclass(frozen=True)
class Quotation:
    """A sentence after the check: what the evidence does not hold is struck from it."""

    text: str
    missing: tuple[str, ...] = ()
    """What was struck, as it was written."""
    supported: int = 0
    """How many parts the evidence does hold."""
    kinds: frozenset[str] = frozenset()
    """The kinds of what was struck."""


def has_struck(text: str) -> bool:
    """Whether something was struck from the text before."""
    return bool(_STRUCK.search(text))


def check_quotes(
    text: str,
    evidence: EvidenceFigures,
    limit: int = 400,
    *,
    services: Collection[str] = (),
    dated: EvidenceFigures | None = None,
) -> Quotation:
    """Strike from a sentence what the evidence does not hold; the sentence stays.

    Checked are figures in any usual unit (rounded by up to 2 % or to the digits shown), durations of several units, spans
    between two moments of the evidence, sums, differences, factors and percentages of its levels, times of day, dates,
    versions, names that machines draw, and words in quotation marks or backticks. A figure is struck too where the sentence has
    it go the other way than it was measured, has a level grow by a factor by which none grew, or gives it to one of `services`
    while it stands in evidence about others alone; and where it stands there as something else: a threshold told as a level,
    a window as a duration, a count, time or version as that of another thing. Times of day and spans may be those of `dated`,
    if that is more evidence.
    """
    text = text[:MAX_TEXT]
    parts = sorted(_checked(text, evidence, services, dated or evidence), key=lambda part: part.start)
    lost = [part for part in parts if not part.supported]
    struck = text
    for part in reversed(lost):
        struck = struck[: part.start] + STRUCK_AS[part.kind] + struck[part.end :]
    return Quotation(
        text=struck if len(struck) <= limit else struck[: limit - 1].rstrip() + "…",
        missing=tuple(_missing(text, part) for part in lost),
        supported=len(parts) - len(lost),
        kinds=frozenset(part.kind for part in lost),
    )


def _missing(text: str, part: Checked) -> str:
    written = text[part.start : part.end].strip()
    return written[1:-1].strip() if part.kind == "quotation" else written


def _checked(text: str, evidence: EvidenceFigures, services: Collection[str], dated: EvidenceFigures) -> Iterator[Checked]:
    rest = text
    for pattern in (_STRUCK, _REFERENCES):
        rest = _blank_all(rest, pattern)
    unquoted = _blank_all(rest, _QUOTED)
    matches: list[Checked] = []
    for kind, pattern, holds in _pattern_checks(evidence, dated):
        matches += [Checked(match.start(), match.end(), kind, holds(match)) for match in pattern.finditer(rest)]
        rest = _blank_all(rest, pattern)
    rest = _blank_all(rest, _ORDINAL)
    figures = quantities(rest)
    sentence = Sentence(unquoted, figures, services)
    misordered = set(misordered_in(sentence, dated.roles))
    starts = {start for start, _ in _misplaced(sentence, evidence, dated) | misordered}
    yield from (replace(part, supported=part.supported and part.start not in starts) for part in matches)
    yield from _checked_figures(rest, figures, evidence, services, dated, starts)
    words = misordered - {(figure.start, figure.end) for figure in figures}
    yield from (Checked(start, end, "order", False) for start, end in words)


def _misplaced(sentence: Sentence, evidence: EvidenceFigures, dated: EvidenceFigures) -> set[Span]:
    """What stands in the evidence, but as something else than the sentence says."""
    return {
        *misplaced_thresholds(sentence, evidence),
        *windows_as_durations(sentence, dated),
        *swapped_versions(sentence, evidence.roles),
        *misplaced_moments(sentence, dated.roles),
        *counts_of_others(sentence, evidence),
    }


def _checked_figures(
    rest: str,
    figures: Sequence[Quantity],
    evidence: EvidenceFigures,
    services: Collection[str],
    dated: EvidenceFigures,
    misplaced: Collection[int],
) -> Iterator[Checked]:
    together = supported_together(rest, figures, evidence)
    supported = [index in together or _holds(rest, index, figures, evidence) for index in range(len(figures))]
    wrong = {*misdirected(rest, figures, evidence), *of_others(rest, figures, evidence, services)}
    wrong |= set(unfounded_growth(rest, figures, evidence))
    wrong |= {index for index, figure in enumerate(figures) if figure.start in misplaced}
    supported_figures = [quantity for quantity, is_supported in zip(figures, supported, strict=True) if is_supported]
    for index, quantity in enumerate(figures):
        stands = supported[index] or follows(quantity, supported_figures) or dated.moments.holds_span(quantity)
        yield Checked(quantity.start, quantity.end, "figure", stands and index not in wrong)


def _holds(text: str, index: int, figures: Sequence[Quantity], evidence: EvidenceFigures) -> bool:
    quantity = figures[index]
    written = text[quantity.start : quantity.end].casefold()
    if evidence.holds(quantity) or (
        _STATUSES.fullmatch(written) and evidence.holds(replace(quantity, dimension=Dimension.BARE))
    ):
        return True
    if _MILLI.fullmatch(written) and _is_in_cores(quantity, evidence):
        return True
    readings = [quantity]
    if quantity.dimension is Dimension.BARE:
        units = {(figure.dimension, figure.unit) for figure in figures} | ({(Dimension.SHARE, 0.01)} if "%" in text else set())
        readings += [_in_unit(quantity, *unit) for unit in units]
    if is_relative(text, quantity) and any(map(evidence.holds_relation, readings)):
        return True
    # A span that is named without its unit would hold any number; what is stated does not.
    if any(evidence.holds(r) if r.dimension is Dimension.RATE else evidence.states(r) for r in readings):
        return True
    # A number with what it counts written onto it may be a name of the evidence: `99pct`.
    return (quantity.step == 0.0 and written in evidence.text) or evidence.names(written)


def _is_in_cores(quantity: Quantity, evidence: EvidenceFigures) -> bool:
    thousandths = _in_unit(quantity, Dimension.BARE, 1e-3 / quantity.unit)
    return "core" in evidence.text and evidence.measures(thousandths)


def _in_unit(quantity: Quantity, dimension: Dimension, size: float) -> Quantity:
    """`0.1 to 45 %`, `2.4 s, before 0.2`: a figure without a unit may have that of another in its sentence."""
    return replace(quantity, value=quantity.value * size, dimension=dimension, step=quantity.step * size, unit=size)


def _pattern_checks(
    evidence: EvidenceFigures, dated: EvidenceFigures
) -> tuple[tuple[str, re.Pattern[str], Callable[[re.Match[str]], bool]], ...]:
    def contains(match: re.Match[str]) -> bool:
        return _folded(match.group()) in evidence.text

    def names(match: re.Match[str]) -> bool:
        # Backticks mark names as well as quotations: `inventory 3.5.0`, `inventory@3.5.0`.
        words = re.findall(r"[^\s@:=/]+", _folded(match.group(1) or ""))
        return 0 < len(words) <= _MAX_NAMES and all(word in evidence.text for word in words)

    def contains_version(match: re.Match[str]) -> bool:
        version = re.escape(match.group().casefold().lstrip("v"))
        return bool(re.search(rf"(?<![\d.]){version}(?![\d]|\.\d)", evidence.text))

    return (
        ("quotation", _QUOTED, lambda match: _contains_words(next(g for g in match.groups() if g), evidence) or names(match)),
        ("moment", _MOMENT, lambda match: _contains_moment(match, dated)),
        ("date", _DATE, contains),
        ("date", _WRITTEN_DATE, lambda match: _contains_date(match, evidence)),
        ("version", VERSION, contains_version),
        ("name", _HOST, contains),
        ("name", _OPAQUE, contains),
    )


def _contains_words(quoted: str, evidence: EvidenceFigures) -> bool:
    """Whether the quoted words stand there; what an ellipsis or a star leaves out, or a template masks, may be anything."""
    parts = [part for part in re.split(r"\s*(?:…|\.\.\.|<\*>|\*)\s*", _folded(quoted)) if part.strip(" .,;:")]
    return all(_contains_part(part.rstrip(" .,;:"), evidence) for part in parts)


def _contains_part(part: str, evidence: EvidenceFigures) -> bool:
    if part in evidence.text or any(pattern.search(part) for pattern in evidence.templates):
        return True
    return without_marks(part) in evidence.plain_text


def _contains_moment(match: re.Match[str], evidence: EvidenceFigures) -> bool:
    hour, minute, second, half, east, east_minutes = match.groups()
    of_day = int(hour) % 12 + (12 if half.lower() == "p" else 0) if half else int(hour)
    if (date := _DATE.search(match.group())) and date.group() not in evidence.text:
        return False
    minutes = 60 * of_day + int(minute)
    if east:
        minutes -= 60 * int(east) + int(f"{east[0]}{east_minutes}")
    return evidence.moments.holds_clock(minutes // 60 % 24, minutes % 60, int(second) if second else None)


def _contains_date(match: re.Match[str], evidence: EvidenceFigures) -> bool:
    """Whether `24 Nov 2026` or `November 24` is the day of a moment."""
    day, month, other_month, other_day, year = match.groups()
    number = 1 + _MONTHS.split("|").index((month or other_month)[:3].lower())

    def is_day(moment: datetime) -> bool:
        return (moment.month, moment.day) == (number, int(day or other_day)) and year in (None, str(moment.year))

    return any(map(is_day, evidence.moments.all))


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _blank_all(text: str, pattern: re.Pattern[str]) -> str:
    for match in pattern.finditer(text):
        text = blanked(text, match.start(), match.end())
    return text
