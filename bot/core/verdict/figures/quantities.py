"""Quantities in a text: figures with their unit, durations of several units, factors in words, each in one canonical unit;
and which levels may be called so."""

import math
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from bot.core.tuning import TUNING


class Dimension(StrEnum):
    """What a figure measures. Figures of one dimension are compared in its canonical unit."""

    SHARE = "share"
    """As a ratio: 0.45 for 45 %."""
    TIME = "time"
    """In seconds."""
    BYTES = "bytes"
    RATE = "rate"
    """Per second."""
    FACTOR = "factor"
    BARE = "bare"
    """Without a unit, or with one of no known dimension: jobs, cores, restarts."""


class Bound(StrEnum):
    """What the words before a figure make of it."""

    EXACT = "exact"
    ABOUT = "about"
    MORE = "more than"
    LESS = "less than"


@dataclass(frozen=True)
class Quantity:
    """One figure of a text; `start` and `end` are where it stands."""

    value: float
    dimension: Dimension
    step: float
    """Half of its last digit, in the canonical unit: what rounding may have taken."""
    unit: float
    """Its smallest unit in the canonical one: 60 for minutes, 0.01 for percent."""
    start: int
    end: int
    bound: Bound = Bound.EXACT
    in_words: bool = False
    """`doubled`: no figure, so it is no more exact than the word."""


_ABOUT, _WIDE = 0.1, 0.3
"""How far off a figure behind "about" may be, and one behind "more than" or "less than"."""
_WORDS_BEFORE = 200
"""Characters before a figure that may say what it is."""
_WELL_WITHIN = 0.5
"""How much shorter than "less than a minute" a span may be."""
MOMENT_SLACK = 2.0
"""Seconds: clock times are cut off to whole seconds."""

Bounds = tuple[float, float]
"""The lowest and the highest level that a figure may stand for."""

_TIME = {
    "ns": 1e-9, "µs": 1e-6, "us": 1e-6, "microsecond": 1e-6, "ms": 1e-3, "msec": 1e-3, "millisecond": 1e-3,
    "s": 1.0, "sec": 1.0, "second": 1.0, "m": 60.0, "min": 60.0, "minute": 60.0, "h": 3600.0, "hr": 3600.0, "hour": 3600.0,
    "d": 86400.0, "day": 86400.0, "week": 604800.0,
}  # fmt: skip
_SHARE = {"%": 0.01, "percent": 0.01, "per cent": 0.01, "pct": 0.01, "percentage point": 0.01, "pp": 0.01, "point": 0.01}
_BYTES = {"b": 1.0, "byte": 1.0} | {
    f"{prefix}{ending}": base**power
    for power, prefix in enumerate("kmgtp", 1)
    for ending, base in (("b", 1000.0), ("ib", 1024.0), ("i", 1024.0))
}
_PERIODS = {"s": 1.0, "sec": 1.0, "second": 1.0, "min": 60.0, "minute": 60.0, "h": 3600.0, "hour": 3600.0, "day": 86400.0}
_CORES = {"millicore": 1e-3, "mcore": 1e-3, "millicpu": 1e-3}
"""Of cores, which count in themselves."""
_RATES = {"rps": 1.0, "qps": 1.0, "rpm": 60.0}
_NOT_WITHIN = "".join(
    rf"(?<!\b{word} )" for word in ("within", "in", "under", "over", "than", "about", "for", "after", "before", "half")
)
_RATE_WORDS = rf"(?:[a-z]{{2,}}\s?){{0,3}}(?:/\s?|\b(?:per|{_NOT_WITHIN}an?|each|every)\s)(?:{'|'.join(_PERIODS)})"
"""`req/s`, `failed requests per minute`, `a second`: whatever is counted. `6 hours, within a minute` is none."""
_RATE = re.compile(_RATE_WORDS, re.I)
_PERIOD = re.compile(r"[a-z]+$", re.I)
_FACTOR = ("x", "×", "times", "time", "fold")
_MAGNITUDES = {"k": 1e3, "K": 1e3, "M": 1e6, "thousand": 1e3, "million": 1e6, "billion": 1e9}
_MAGNITUDE = re.compile(r"\s?(?:[kKM]|(?i:thousand|million|billion))$")
_WORD_FACTORS = {
    "doubled": 2, "doubling": 2, "doubles": 2, "twice": 2, "tripled": 3, "tripling": 3, "trebled": 3, "thrice": 3,
    "quadrupled": 4, "quadrupling": 4, "quintupled": 5, "halved": 0.5, "halving": 0.5,
}  # fmt: skip
_NUMBER_WORDS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12,
    "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "hundred": 100, "thousand": 1000,
}  # fmt: skip

_BEFORE = r"(?=[-+−\d])(?:(?<![\w.:/-])|(?<=\d[-/–])|(?<=[^\W\d]:))"
"""What stands before a figure: `checkout-2` and `HTTP/2` are names, the second half of `1-99 %` and `3/5` is none."""
_DIGITS = r"[-+−]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?(?:\s?(?:(?-i:[kKM])|thousand|million|billion)(?!\w))?"
"""`1.9k`, `2 M` and `1.9 million` are one number, whatever unit follows."""
_UNIT_WORDS = (
    "percentage[- ]points?|points?|per cent|percent|pct|pp|%|"
    rf"{_RATE_WORDS}|rps|qps|rpm|"
    "microseconds?|milliseconds?|msecs?|seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|"
    "millicores?|mcores?|millicpus?|[kmgtp]i?b|[kmgtp]i|bytes?|ns|µs|us|ms|times?|fold|×|[smhdxb]"
)
_FIGURE = re.compile(rf"{_BEFORE}({_DIGITS})(?:[\s\u00a0\u202f-]?({_UNIT_WORDS})(?![\w%])|(?!\w))(?!\.\d)", re.I)
_GLUED = re.compile(rf"{_BEFORE}(\d[\d,]*(?:\.\d+)?)(?!(?:xx|st|nd|rd|th)\b)[a-z]{{2,}}\b", re.I)
"""A number with what it counts written onto it: `400req`, `99pct`. `5xx` is a name, `3rd` none."""
_DURATION_UNIT = r"(?:days?|d|hours?|hrs?|h|minutes?|mins?|min|m|seconds?|secs?|sec|s|milliseconds?|ms)"
_COMPOUND = re.compile(
    rf"{_BEFORE}\d+(?:\.\d+)?[\s\u00a0\u202f]?{_DURATION_UNIT}"
    rf"(?:(?:,?[\s\u00a0\u202f]*(?:and[\s\u00a0])?)\d+(?:\.\d+)?[\s\u00a0\u202f]?{_DURATION_UNIT})+(?!\w)",
    re.I,
)
_DURATION_PART = re.compile(rf"(\d+(?:\.\d+)?)[\s\u00a0\u202f]?({_DURATION_UNIT})(?![a-z])", re.I)
_WORD_FACTOR = re.compile(
    rf"\b(?:({'|'.join(_WORD_FACTORS)})|({'|'.join(_NUMBER_WORDS)})(?:[\s-]?fold| times))\b|\ban (order) of magnitude\b", re.I
)
_BY_A_FACTOR = re.compile(r"\bfactor (?:of )?(?:about |over |nearly |some |~ ?)?$", re.I)
_BOUNDS = (
    (Bound.MORE, r"(?:more than|over|above|at least|exceed(?:s|ed|ing)?|upwards of|beyond|past|[>≥])"),
    (Bound.LESS, r"(?:less than|under|below|at most|fewer than|no more than|up to|within|[<≤])"),
    (Bound.ABOUT, r"(?:about|around|roughly|approximately|approx\.?|circa|ca\.|some|nearly|almost|close to|~|≈)"),
)
_BOUND_BEFORE = tuple((bound, re.compile(rf"(?<![\w]){words}\s*(?:an?\s+|its\s+|the\s+)?$", re.I)) for bound, words in _BOUNDS)


@lru_cache(maxsize=4096)
def quantities(text: str) -> tuple[Quantity, ...]:
    """All quantities of a text in their order. Moments, versions and quotations have to be taken out before.

    Cached: the same lines of evidence are read for every claim that cites them.
    """
    if not _DIGIT.search(text):
        return tuple(_take(text, _WORD_FACTOR, _word_factor)[1])
    rest, durations = _take(text, _COMPOUND, _compound)
    rest, figures = _take(rest, _FIGURE, _figure)
    rest, glued = _take(rest, _GLUED, _glued)
    _, words = _take(rest, _WORD_FACTOR, _word_factor)
    return tuple(sorted((*durations, *figures, *glued, *words), key=lambda quantity: quantity.start))


_DIGIT = re.compile(r"\d")


def blanked(text: str, start: int, end: int) -> str:
    """The text with blanks in place of one part: what stands behind it keeps its place."""
    return text[:start] + " " * (end - start) + text[end:]


def of_unit(value: float, unit: str) -> Quantity:
    """A measured value in the unit that a signal is configured with (`ratio`, `seconds`, `req/s`, or none)."""
    name = unit.strip().lower()
    if name in ("ratio", "share"):
        dimension, size = Dimension.SHARE, 1.0
    else:
        dimension, size = _dimension(name, attached=True)
    # A unit of no known dimension (cores, jobs) counts in itself.
    return Quantity(abs(value) * (size or 1.0), dimension, 0.0, size or 1.0, 0, 0)


def _take(
    text: str, pattern: re.Pattern[str], read: Callable[[re.Match[str], str], Quantity | None]
) -> tuple[str, list[Quantity]]:
    figures = []
    for match in pattern.finditer(text):
        if quantity := read(match, text):
            figures.append(quantity)
    for quantity in figures:
        text = blanked(text, quantity.start, quantity.end)
    return text, figures


def _figure(match: re.Match[str], text: str) -> Quantity | None:
    digits, unit = match.group(1), match.group(2) or ""
    attached = match.end(1) == match.start(2)
    dimension, size = _dimension(unit.replace("-", " "), attached=attached)
    number, (written, magnitude) = number_of(digits), _magnitude(digits)
    if not unit and _BY_A_FACTOR.search(text[max(0, match.start() - 16) : match.start(1)]):
        dimension, size = Dimension.FACTOR, 1.0
    behind_point = len(_pointed(written).partition(".")[2])
    step = 0.5 * 10.0**-behind_point * magnitude if "e" not in written.lower() else 0.0
    start, end = _without_sign(match, digits), match.end(2) if unit and size else match.end(1)
    return Quantity(abs(number) * (size or 1.0), dimension, step * (size or 1.0), size or 1.0, start, end, _bound(text, start))


def _without_sign(match: re.Match[str], digits: str) -> int:
    # "1-99 %": the dash is none of the figure's.
    return match.start(1) + (1 if digits[0] in "+-−" else 0)


def _glued(match: re.Match[str], text: str) -> Quantity | None:
    value = number_of(match.group(1))
    return Quantity(value, Dimension.BARE, 0.0, 1.0, match.start(), match.end(), _bound(text, match.start()))


def _compound(match: re.Match[str], text: str) -> Quantity | None:
    parts = [(float(number), _TIME[_singular(unit)]) for number, unit in _DURATION_PART.findall(match.group())]
    sizes = [size for _, size in parts]
    if sizes != sorted(sizes, reverse=True) or len(set(sizes)) != len(sizes):
        return None
    value = sum(number * size for number, size in parts)
    step = 0.5 * sizes[-1]
    return Quantity(value, Dimension.TIME, step, sizes[-1], match.start(), match.end(), _bound(text, match.start()))


def _word_factor(match: re.Match[str], text: str) -> Quantity | None:
    single, number, _ = match.groups()
    value = float(_WORD_FACTORS[single.lower()] if single else _NUMBER_WORDS[number.lower()] if number else 10)
    step = value * (0.2 if single or number else 2.0)
    bound = _bound(text, match.start())
    return Quantity(value, Dimension.FACTOR, step, 1.0, match.start(), match.end(), bound, in_words=True)


def _bound(text: str, start: int) -> Bound:
    before = text[max(0, start - 24) : start]
    return next((bound for bound, pattern in _BOUND_BEFORE if pattern.search(before)), Bound.EXACT)


def _dimension(unit: str, *, attached: bool) -> tuple[Dimension, float]:
    """The dimension of a unit and its size in the canonical unit; size 0 for none that is known."""
    name = _singular(unit)
    if name in _SHARE:
        return Dimension.SHARE, _SHARE[name]
    if name in _RATES or _RATE.fullmatch(name):
        return Dimension.RATE, 1.0 / (_RATES.get(name) or _PERIODS[_PERIOD.findall(name)[0]])
    if name in _FACTOR or unit.lower() in _FACTOR:
        return Dimension.FACTOR, 1.0
    if name in _TIME and (name != "m" or attached):
        return Dimension.TIME, _TIME[name]
    if name in _BYTES:
        return Dimension.BYTES, _BYTES[name]
    return Dimension.BARE, _CORES.get(name, 1.0 if not unit else 0.0)


def _singular(unit: str) -> str:
    name = " ".join(unit.lower().split())
    return name[:-1] if len(name) > 2 and name.endswith("s") and name[:-1] in _PLURALS else name


_PLURALS = {*_TIME, *_SHARE, *_CORES, "byte"}


def number_of(digits: str) -> float:
    """`1,234.5`, `6,8`, `1.9k` and `2 million`: a comma before three digits parts thousands, else it is the decimal point."""
    text, magnitude = _magnitude(digits.lstrip("+").replace("−", "-"))
    return float(_pointed(text) or 0) * magnitude


_DECIMAL_COMMA = re.compile(r"[-+−]?(?:\d+,(?:\d{1,2}|\d{4,})|0+,\d+)")
"""Thousands have three digits, and none before them that is 0."""


def _pointed(digits: str) -> str:
    """The digits with a point before decimals, and nothing between thousands."""
    return digits.replace(",", "." if _DECIMAL_COMMA.fullmatch(digits) else "")


def _magnitude(digits: str) -> tuple[str, float]:
    """The digits as they are written, and what the word or letter behind them makes of them."""
    match = _MAGNITUDE.search(digits)
    if match is None:
        return digits, 1.0
    word = match.group().strip()
    return digits[: match.start()], _MAGNITUDES.get(word) or _MAGNITUDES[word.lower()]


def numbers_in(text: str) -> Iterator[float]:
    """Every number of a text without regard to units, for texts that machines wrote."""
    for match in re.finditer(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?(?: (?:million|billion)\b)?", text):
        yield abs(number_of(match.group()))


# ---------------------------------------------------------------- which levels may be called so


def bounds_of(quantity: Quantity, *, exact: bool = False, rounding: float = TUNING.verdict.rounding) -> Bounds:
    """Which levels may be called so. `exact`: to the digits shown alone."""
    value = quantity.value
    # Rounding to whole figures must not make 1 GiB of half a GiB, nor "0 errors" of a few.
    # Behind a decimal point whoever rounds shows how far.
    as_rounded = quantity.in_words or quantity.step < 0.5 * quantity.unit
    step = (quantity.step if as_rounded else min(quantity.step, 0.25 * value)) if value else 1e-9
    off = step * 1.0001 if exact else max(step * 1.0001, rounding * value)
    match quantity.bound:
        case Bound.ABOUT:
            off = max(off, _ABOUT * value)
        case Bound.MORE if not exact:
            return value - off, value * (1 + _WIDE)
        case Bound.LESS if not exact:
            # "Below 1 %": how far below matters to nobody.
            return 0.0 if quantity.dimension is Dimension.SHARE else value * (1 - _WIDE), value + off
    return value - off, value + off


def span_bounds(quantity: Quantity) -> Bounds:
    """Which spans between moments may be called so: rounded, or cut off to whole units."""
    whole = quantity.step >= 0.5 * quantity.unit
    late = quantity.value + (quantity.unit if whole else quantity.step) + MOMENT_SLACK
    early = quantity.value - quantity.step - MOMENT_SLACK
    match quantity.bound:
        case Bound.ABOUT:
            return min(early, quantity.value * (1 - _ABOUT)), max(late, quantity.value * (1 + _ABOUT))
        case Bound.MORE:
            return early, max(late, quantity.value * (1 + _WIDE))
        case Bound.LESS:
            return min(early, quantity.value * _WELL_WITHIN), late
    return early, late


def follows_words(pattern: re.Pattern[str], text: str, figure: Quantity) -> bool:
    """Whether a pattern that ends with `$` fits the words right before a figure.

    Only those are searched: of a sentence full of figures the whole beginning would be searched again for each of them.
    """
    return pattern.search(text, max(0, figure.start - _WORDS_BEFORE), figure.start) is not None


def ordered(values: Iterable[float]) -> Sequence[float]:
    """Those that are finite, the least first."""
    return sorted(value for value in values if math.isfinite(value))


def one_within(values: Sequence[float], bounds: Bounds) -> bool:
    """Whether one of these ordered values lies within the bounds."""
    index = bisect_left(values, bounds[0])
    return index < len(values) and values[index] <= bounds[1]
