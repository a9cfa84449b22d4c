"""What an alert's expression says: the value it watches, the bound it must not pass, the series it reads."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from bot.core.metrics.promql import Token, is_label_name, tokens

Comparison = Literal[">", ">=", "<", "<=", "==", "!="]
_COMPARISONS = frozenset({">", ">=", "<", "<=", "==", "!="})
_MIRRORED: dict[str, Comparison] = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "==": "==", "!=": "!="}
_SET_OPERATORS = frozenset({"and", "or", "unless"})
_AGGREGATIONS = frozenset({"sum", "avg", "min", "max", "count", "stddev", "stdvar", "quantile", "group"})
_GROUPINGS = frozenset({"by", "without"})
_NO_METRIC = _AGGREGATIONS | _GROUPINGS | _SET_OPERATORS
_NO_METRIC |= {"on", "ignoring", "group_left", "group_right", "bool", "offset", "start", "end", "inf", "nan"}
_NO_METRIC |= {"topk", "bottomk", "count_values", "limitk", "limit_ratio", "atan2"}
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0, "y": 31_536_000.0}
_LONGEST = timedelta(days=365)


@dataclass(frozen=True)
class Watched:
    """An expression without its bound: `promql` has a value at every moment, also while nothing fires."""

    promql: str
    comparison: Comparison | None = None
    bound: float | None = None

    @property
    def bad_above(self) -> float | None:
        return self.bound if self.comparison in (">", ">=") else None

    @property
    def bad_below(self) -> float | None:
        return self.bound if self.comparison in ("<", "<=") else None


def watched(expression: str) -> Watched:
    """Split `expr > bound` (either side, in brackets, before `and`/`unless`); what cannot be split stays whole.

    Raises ValueError if the text is not PromQL by its form.
    """
    found = _without_brackets(_trimmed(tokens(expression)))
    cut = _at_top(found, lambda token: token.kind == "name" and token.text.lower() in _SET_OPERATORS)
    if cut is not None:
        found = _without_brackets(_trimmed(found[:cut]))
    place = _at_top(found, lambda token: token.kind == "operator" and token.text in _COMPARISONS)
    if place is None:
        return Watched(_text(found))
    left, right = _trimmed(found[:place]), _trimmed(found[place + 1 :])
    if right and right[0].text == "bool":
        right = _trimmed(right[1:])
    operator = found[place].text
    if (bound := _number(right)) is not None:
        return Watched(_text(_without_brackets(left)), _comparison(operator), bound)
    if (bound := _number(left)) is not None:
        return Watched(_text(_without_brackets(right)), _MIRRORED[operator], bound)
    return Watched(_text(found))


def _comparison(operator: str) -> Comparison:
    return _MIRRORED[_MIRRORED[operator]]


def _text(found: Sequence[Token]) -> str:
    """The expression on one line, comments left out."""
    return "".join(" " if token.kind == "blank" else token.text for token in found).strip()


def _trimmed(found: Sequence[Token]) -> list[Token]:
    kept = list(found)
    while kept and kept[0].kind == "blank":
        kept.pop(0)
    while kept and kept[-1].kind == "blank":
        kept.pop()
    return kept


def _without_brackets(found: list[Token]) -> list[Token]:
    while found and found[0].text == "(" and _closing(found, 0) == len(found) - 1:
        found = _trimmed(found[1:-1])
    return found


def _closing(found: Sequence[Token], start: int) -> int:
    """Where the bracket that opens at `start` closes."""
    depth = 0
    for place in range(start, len(found)):
        depth += (found[place].kind == "open") - (found[place].kind == "close")
        if depth == 0:
            return place
    return len(found)


def _at_top(found: Sequence[Token], wanted: Callable[[Token], bool]) -> int | None:
    """The first token outside all brackets that is wanted."""
    depth = 0
    for place, token in enumerate(found):
        depth += (token.kind == "open") - (token.kind == "close")
        if depth == 0 and wanted(token):
            return place
    return None


def _number(found: Sequence[Token]) -> float | None:
    """The value of a plain number, or of a duration (seconds), with an optional sign; brackets are seen through."""
    inside = _without_brackets(list(found))
    sign = -1.0 if inside and inside[0].text == "-" else 1.0
    if inside and inside[0].text in "+-":
        inside = _trimmed(inside[1:])
    if len(inside) != 1 or inside[0].kind != "number":
        return None
    text = inside[0].text.lower()
    return sign * (float(int(text, 16)) if text.startswith("0x") else float(text))


def selectors(expression: str) -> tuple[str, ...]:
    """The series an expression reads: each `metric{...}` once, in order, without ranges and offsets."""
    found = [token for token in tokens(expression) if token.kind != "blank"]
    chosen: list[str] = []
    place = 0
    while place < len(found):
        end = _selector_end(found, place)
        if end is not None:
            chosen.append("".join(token.text for token in found[place:end]))
        place = end if end is not None else _past(found, place)
    return tuple(dict.fromkeys(chosen))


def _selector_end(found: Sequence[Token], place: int) -> int | None:
    token, after = found[place], found[place + 1].text if place + 1 < len(found) else ""
    if token.text == "{":
        return _closing(found, place) + 1
    if token.kind != "name" or after == "(" or token.text.lower() in _NO_METRIC:
        return None
    return _closing(found, place + 1) + 1 if after == "{" else place + 1


def _past(found: Sequence[Token], place: int) -> int:
    """One token on; over the whole label list after `by`, `on` and their like, where names are not metrics."""
    labels_follow = found[place].text in ("by", "without", "on", "ignoring", "group_left", "group_right")
    if labels_follow and place + 1 < len(found) and found[place + 1].text == "(":
        return _closing(found, place + 1) + 1
    return place + 1


def widest_range(expression: str) -> timedelta:
    """The longest span an expression looks back over (`[10m]`, `[1h:1m]`); zero if none.

    So long may what an alert tells of have gone on before its value showed it. Raises ValueError if the text is not
    PromQL by its form.
    """
    found = [token for token in tokens(expression) if token.kind != "blank"]
    spans = [_span(found[place + 1]) for place, token in enumerate(found[:-1]) if token.text == "["]
    return max(spans, default=timedelta(0))


def _span(token: Token) -> timedelta:
    if token.kind not in ("duration", "number"):
        return timedelta(0)
    parts = re.findall(r"(\d+)(ms|[smhdwy])", token.text) if token.kind == "duration" else []
    seconds = sum(int(many) * _UNIT_SECONDS[unit] for many, unit in parts) if parts else _number([token]) or 0.0
    return timedelta(seconds=min(seconds, _LONGEST.total_seconds()))


def split_by(expression: str, label: str) -> str:
    """The same expression with one more label kept by every aggregation, so that its values can be told apart.

    Raises ValueError if the text is not PromQL by its form or `label` is no label name.
    """
    if not is_label_name(label):
        raise ValueError(f"not a label name: {label[:60]!r}")
    found = _trimmed(tokens(expression))
    written: list[str] = []
    for place, token in enumerate(found):
        written.append(" " if token.kind == "blank" else token.text)
        if token.text == "(" and _neighbour(found, place, -1) in ("by", "on"):
            written.append(label if _neighbour(found, place, 1) == ")" else f"{label}, ")
        elif _aggregates_all(found, place):
            written.append(f" by ({label}) ")
    return "".join(written)


def counted_alone(expression: str, label: str) -> str:
    """The dividend of a ratio whose parts pick `label` differently (errors by code over all requests), else all of it.

    Split by such a label, dividend and divisor would hold the same requests and every share would be one.
    """
    found = _without_brackets(_trimmed(tokens(expression)))
    place = _at_top(found, lambda token: token.text == "/")
    if place is None or any(token.text == "/" for token in found[place + 1 :]):
        return expression
    dividend, divisor = found[:place], found[place + 1 :]
    return _text(dividend) if _names(dividend, label) and not _names(divisor, label) else expression


def _names(found: Sequence[Token], label: str) -> bool:
    return any(token.kind == "name" and token.text == label for token in found)


def _neighbour(found: Sequence[Token], place: int, step: Literal[1, -1]) -> str:
    """The nearest token before or after that is not blank; "" at the ends."""
    place += step
    while 0 <= place < len(found) and found[place].kind == "blank":
        place += step
    return found[place].text if 0 <= place < len(found) else ""


def _aggregates_all(found: Sequence[Token], place: int) -> bool:
    """True at an aggregation that names no labels, neither before its brackets nor after them."""
    if found[place].text not in _AGGREGATIONS or _neighbour(found, place, 1) != "(":
        return False
    opening = next(index for index in range(place, len(found)) if found[index].text == "(")
    return _neighbour(found, _closing(found, opening), 1) not in _GROUPINGS
