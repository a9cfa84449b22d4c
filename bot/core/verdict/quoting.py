"""Whether the numbers, versions, moments and quoted words of a claim stand in the evidence that it cites."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import combinations

from bot.core.evidence import LedgerEntry
from bot.core.tuning import TUNING

_REFERENCES = re.compile(r"\b(?:AL|INC|AP|E)-?\d+\b")
_MOMENT = re.compile(r"\b(?:\d{4}-\d{2}-\d{2}[T ])?(\d{2}:\d{2})(:\d{2})?(?:\.\d+)?Z?\b")
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_VERSION = re.compile(r"\bv?\d+(?:\.\d+){2,}[\w.+-]*")
_UNITS = (
    r"%|percent|ratio|µs|ms|milliseconds?|s|sec|seconds?|min|minutes?|h|hours?|d|days?|x|times|fold|rps|qps|req/s|/s|"
    r"[KMGT]i?B|bytes|B|cores?|[kM]"
)
_BEFORE = r"(?:(?<![\w.:/-])|(?<=\d[-/])|(?<=[^\W\d]:))"
"""What stands before a number: `checkout-2` and `HTTP/2` are names, the second half of `1-99 %` and `3/5` is none."""
_NUMBER = re.compile(rf"{_BEFORE}([-+−]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?)\s?({_UNITS})?(?![\w])(?!\.\d)", re.I)
_COUNTED = re.compile(rf"{_BEFORE}(\d[\d,]*(?:\.\d+)?)(?!(?:xx|st|nd|rd|th|{_UNITS})\b)[a-z]{{2,}}\b", re.I)
"""A number with what it counts written onto it: `400req`, `99pct`. `5xx` is a name, `3rd` none."""
_QUOTED = re.compile(
    r"`([^`]{2,200})`|\"([^\"]{2,200})\"|“([^”]{2,200})”|„([^“”]{2,200})[“”]|«([^»]{2,200})»|‘([^’]{2,200})’(?!\w)|"
    r"(?<!\w)'([^']{2,200})'(?!\w)"
)
_SPAN_SECONDS = {"s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400}
_TIMES = ("x", "times", "fold")
_SHARE = (1.0, 100.0, 0.01)
_SPAN = tuple(a / b for a in (1e-6, 1e-3, 1.0, 60.0, 3600.0) for b in (1e-6, 1e-3, 1.0, 60.0, 3600.0))
_AMOUNT = tuple(base**power for base in (1000.0, 1024.0) for power in (-3, -2, -1, 0, 1, 2, 3))


def first_unsupported(text: str, cited: Sequence[LedgerEntry]) -> str:
    """The first number, moment, version or quotation in `text` that its evidence does not hold; "" if it holds all.

    Checked are numbers (any usual unit, rounded by up to 2 % or to the digits shown), spans between two moments of the
    evidence, factors between two of its numbers, clock times, versions, and words in quotation marks or backticks.
    """
    source = "\n".join(map(evidence_text, cited))
    rest = _REFERENCES.sub(" ", text)
    for pattern, carried in (
        (_QUOTED, _contains(source)),
        (_DATE, _contains(source)),
        (_MOMENT, _contains_moment(source)),
        (_VERSION, _contains(source)),
    ):
        for match in pattern.finditer(rest):
            part = next((g for g in match.groups() if g), match.group()) if pattern is _QUOTED else match.group()
            if not carried(part):
                return part
        rest = pattern.sub(" ", rest)
    numbers, sizes = _numbers(source), list(_sizes(cited))
    moments = _moments(source)
    for match in _NUMBER.finditer(rest):
        digits, unit = match.group(1), (match.group(2) or "").lower()
        counted = not unit and abs(_value(digits)) in sizes
        if not counted and not _holds_number(digits, unit, numbers, moments, cited):
            return match.group().strip()
    named = _contains(source)
    for match in _COUNTED.finditer(rest):
        if not named(match.group()) and not _holds_number(match.group(1), "", numbers, moments, cited):
            return match.group()
    return ""


def evidence_text(entry: LedgerEntry) -> str:
    """Everything that one entry says: summary, query, lines, facts, window, arguments and link."""
    evidence = entry.evidence
    window = f"{evidence.window.start.isoformat()} {evidence.window.end.isoformat()}" if evidence.window else ""
    facts = json.dumps(evidence.facts.model_dump(mode="json"), ensure_ascii=False)
    arguments = json.dumps(dict(entry.arguments), ensure_ascii=False, default=str)
    return "\n".join((evidence.summary, evidence.query, *evidence.details, facts, window, arguments, evidence.link))


def _contains(source: str) -> Callable[[str], bool]:
    folded = " ".join(source.casefold().replace('\\"', '"').split())
    return lambda part: " ".join(part.casefold().split()).rstrip(".…") in folded


def _contains_moment(source: str) -> Callable[[str], bool]:
    def carried(part: str) -> bool:
        match = _MOMENT.search(part)
        return bool(match) and match is not None and match.group(1) in source

    return carried


def _numbers(source: str) -> list[float]:
    without_moments = _DATE.sub(" ", _MOMENT.sub(" ", source))
    return [abs(_value(m)) for m in re.findall(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?", without_moments)]


def _value(text: str) -> float:
    return float(text.lstrip("+").replace(",", "").replace("−", "-") or 0)


def _sizes(cited: Sequence[LedgerEntry]) -> Iterable[float]:
    """How many lines and rows the cited evidence holds: "3 changes" counts them."""
    for entry in cited:
        yield float(len(entry.evidence.details))
        facts = entry.evidence.facts.model_dump(mode="json")
        yield from (float(len(value)) for value in facts.values() if isinstance(value, list | dict))
    yield float(len(cited))


def _moments(source: str) -> list[datetime]:
    moments = []
    for text in re.findall(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})?", source):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            continue
        moments.append(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return moments


def _holds_number(
    digits: str, unit: str, numbers: Sequence[float], moments: Sequence[datetime], cited: Sequence[LedgerEntry]
) -> bool:
    value = abs(_value(digits))
    step = 0.5 * 10.0 ** -len(digits.partition(".")[2]) if "e" not in digits.lower() else 0.0
    if any(_same(value, number * scale, step) for number in numbers for scale in _scales(unit)):
        return True
    if unit in _TIMES or unit in ("%", "percent"):
        return any(_same(value, factor, max(step, 0.1 * value)) for factor in _factors(cited, percent=unit not in _TIMES))
    seconds = _SPAN_SECONDS.get(unit.rstrip("s") or unit, 0)
    return bool(seconds) and _holds_span(value * seconds, seconds, moments)


def _scales(unit: str) -> tuple[float, ...]:
    """Factors to the other units that people give the same quantity in: percent and ratio, ms to h, B to GiB."""
    if unit.rstrip("s") in _SPAN_SECONDS or unit in ("s", "ms", "µs") or unit.startswith("millisecond"):
        return _SPAN
    if re.fullmatch(r"[kmgt]i?b?|bytes|b", unit):
        return _AMOUNT
    return _SHARE


def _same(value: float, source: float, step: float) -> bool:
    # Rounding to whole figures must not make 1 GiB of half a GiB, nor "0 errors" of a few.
    tolerance = min(step, 0.25 * value) if value else 1e-9
    return abs(value - source) <= max(tolerance * 1.0001, TUNING.verdict.rounding * source)


def _factors(cited: Sequence[LedgerEntry], *, percent: bool) -> Iterable[float]:
    """How many times (or by how many percent) what came after is what stood before, and the shares of a breakdown."""
    for entry in cited:
        facts = entry.evidence.facts
        rows = [*((d.before, d.after) for d in facts.deviations), *((b.before, b.after) for b in facts.breakdown)]
        for before, after in rows:
            if before and after:
                yield from (100 * abs(after - before) / before,) if percent else (after / before, before / after)


def _holds_span(seconds: float, unit: float, moments: Sequence[datetime]) -> bool:
    slack = max(unit, 0.05 * seconds)
    return any(abs(abs((a - b).total_seconds()) - seconds) <= slack for a, b in combinations(set(moments), 2))
