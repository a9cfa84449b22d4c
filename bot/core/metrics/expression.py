"""An alert's expression: the value that it watches, the threshold for it, the series that it reads."""

import math
import operator
import re
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from bot.core.metrics.promql import Token, is_label_name, tokenize
from bot.core.text.durations import UNIT_SECONDS

Comparison = Literal[">", ">=", "<", "<=", "==", "!="]
_COMPARISONS = frozenset({">", ">=", "<", "<=", "==", "!="})
_MIRRORED: dict[str, Comparison] = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "==": "==", "!=": "!="}
_RESTRICTIONS = frozenset({"and", "unless"})
_SET_OPERATORS = _RESTRICTIONS | {"or"}
_AGGREGATIONS = frozenset({"sum", "avg", "min", "max", "count", "stddev", "stdvar", "quantile", "group"})
_GROUPINGS = frozenset({"by", "without"})
_LABEL_LISTS = _GROUPINGS | {"on", "ignoring", "group_left", "group_right"}
"""Words before a list of labels, which are no metrics."""
_NO_METRIC = _AGGREGATIONS | _LABEL_LISTS | _SET_OPERATORS
_NO_METRIC |= {"bool", "offset", "start", "end", "inf", "nan"}
_NO_METRIC |= {"topk", "bottomk", "count_values", "limitk", "limit_ratio", "atan2"}
_LONGEST = timedelta(days=365)
_MAX_OF_A_CONSTANT = 100
"""Tokens of a threshold at most: brackets in brackets without end are no threshold."""
_PRODUCTS: dict[str, Callable[[float, float], float]] = {"*": operator.mul, "/": operator.truediv, "%": math.fmod}


@dataclass(frozen=True)
class Condition:
    """An expression without its threshold: `promql` has a value at every moment, also while nothing fires."""

    promql: str
    comparison: Comparison | None = None
    threshold: float | None = None

    @property
    def bad_above(self) -> float | None:
        return self.threshold if self.comparison in (">", ">=") else None

    @property
    def bad_below(self) -> float | None:
        return self.threshold if self.comparison in ("<", "<=") else None


def condition_of(expression: str) -> Condition:
    """Split `expr > threshold` (on either side, in brackets, the first operand of `and`, `or` and `unless`).

    An expression that cannot be split stays whole. Raises ValueError if the text is not PromQL by its form.
    """
    tokens = _first_operand(tokenize(expression))
    index = _at_top(tokens, lambda token: token.kind == "operator" and token.text in _COMPARISONS)
    if index is None:
        return Condition(_text(tokens))
    left, right = _trimmed(tokens[:index]), _trimmed(tokens[index + 1 :])
    if right and _keyword(right[0]) == "bool":
        right = _trimmed(right[1:])
    sign = tokens[index].text
    if (threshold := _number(right)) is not None:
        return Condition(_text(_without_brackets(left)), _comparison(sign), threshold)
    if (threshold := _number(left)) is not None:
        return Condition(_text(_without_brackets(right)), _MIRRORED[sign], threshold)
    return Condition(_text(tokens))


def _first_operand(tokens: Sequence[Token]) -> list[Token]:
    """What stands before the first set operator, and within its brackets before what only restricts it."""
    operand = _cut_at(tokens, _SET_OPERATORS)
    # Alternatives in brackets stay together: the alert may fire for any of them.
    while (cut := _cut_at(operand, _RESTRICTIONS)) != operand:
        operand = cut
    return operand


def _cut_at(tokens: Sequence[Token], operators: Set[str]) -> list[Token]:
    """What stands before the first of these operators outside all brackets, without brackets around it."""
    operand = _without_brackets(_trimmed(tokens))
    end = _at_top(operand, lambda token: _keyword(token) in operators)
    return operand if end is None else _without_brackets(_trimmed(operand[:end]))


def _keyword(token: Token) -> str:
    """A name as PromQL compares its keywords, in lower case; "" for all other tokens."""
    return token.text.lower() if token.kind == "name" else ""


def _comparison(sign: str) -> Comparison:
    return _MIRRORED[_MIRRORED[sign]]


def _text(tokens: Sequence[Token]) -> str:
    """The expression on one line, comments left out."""
    return "".join(" " if token.kind == "blank" else token.text for token in tokens).strip()


def _trimmed(tokens: Sequence[Token]) -> list[Token]:
    trimmed = list(tokens)
    while trimmed and trimmed[0].kind == "blank":
        trimmed.pop(0)
    while trimmed and trimmed[-1].kind == "blank":
        trimmed.pop()
    return trimmed


def _without_brackets(tokens: list[Token]) -> list[Token]:
    while tokens and tokens[0].text == "(" and _closing(tokens, 0) == len(tokens) - 1:
        tokens = _trimmed(tokens[1:-1])
    return tokens


def _closing(tokens: Sequence[Token], start: int) -> int:
    """Where the bracket that opens at `start` closes."""
    depth = 0
    for index in range(start, len(tokens)):
        depth += (tokens[index].kind == "open") - (tokens[index].kind == "close")
        if depth == 0:
            return index
    return len(tokens)


def _at_top(tokens: Sequence[Token], matches: Callable[[Token], bool]) -> int | None:
    """The first token outside all brackets that matches."""
    depth = 0
    for index, token in enumerate(tokens):
        depth += (token.kind == "open") - (token.kind == "close")
        if depth == 0 and matches(token):
            return index
    return None


class _Constant:
    """Reads numbers, durations, brackets and arithmetic operators as Prometheus does.

    Precedence: https://prometheus.io/docs/prometheus/latest/querying/operators/#binary-operator-precedence
    Raises ValueError for what else stands there and ArithmeticError for what has no finite value.
    """

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = [token for token in tokens if token.kind != "blank"][::-1]

    def read(self) -> float:
        if len(self._tokens) > _MAX_OF_A_CONSTANT:
            raise ValueError("longer than a threshold")
        value = self._sum()
        if self._tokens:
            raise ValueError("more than a constant")
        if not math.isfinite(value):
            raise ArithmeticError("no finite value")
        return value

    def _next_if(self, operators: str) -> str:
        """The next token if it is one of these operators; "" if not."""
        return self._tokens.pop().text if self._tokens and self._tokens[-1].text in tuple(operators) else ""

    def _sum(self) -> float:
        value = self._product()
        while sign := self._next_if("+-"):
            value += self._product() * (-1 if sign == "-" else 1)
        return value

    def _product(self) -> float:
        value = self._signed()
        while sign := self._next_if("*/%"):
            value = _PRODUCTS[sign](value, self._signed())
        return value

    def _signed(self) -> float:
        if sign := self._next_if("+-"):
            return self._signed() * (-1 if sign == "-" else 1)
        return self._power()

    def _power(self) -> float:
        base = self._operand()
        return math.pow(base, self._signed()) if self._next_if("^") else base

    def _operand(self) -> float:
        if self._next_if("("):
            value = self._sum()
            if not self._next_if(")"):
                raise ValueError("more than a constant")
            return value
        if not self._tokens or self._tokens[-1].kind not in ("number", "duration"):
            raise ValueError("no constant")
        return _value(self._tokens.pop())


def _number(tokens: Sequence[Token]) -> float | None:
    """The value of a constant expression (`10 * 1024 ^ 3`, `5m` in seconds); None for any other."""
    try:
        return _Constant(tokens).read()
    except (ValueError, ArithmeticError):
        return None


def _value(token: Token) -> float:
    """Of a number or a duration, which counts in seconds."""
    text = token.text.lower()
    if token.kind == "duration":
        return sum(int(count) * UNIT_SECONDS[unit] for count, unit in re.findall(r"(\d+)(ms|[smhdwy])", text))
    return float(int(text, 16)) if text.startswith("0x") else float(text)


def selectors(expression: str) -> tuple[str, ...]:
    """The series an expression reads: each `metric{...}` once, in order, without ranges and offsets."""
    tokens = [token for token in tokenize(expression) if token.kind != "blank"]
    series: list[str] = []
    index = 0
    while index < len(tokens):
        end = _selector_end(tokens, index)
        if end is not None:
            series.append("".join(token.text for token in tokens[index:end]))
        index = end if end is not None else _next(tokens, index)
    return tuple(dict.fromkeys(series))


def _selector_end(tokens: Sequence[Token], index: int) -> int | None:
    """Where the selector that begins here ends; None where none begins."""
    token, after = tokens[index], tokens[index + 1].text if index + 1 < len(tokens) else ""
    if token.text == "{":
        return _closing(tokens, index) + 1
    if token.kind != "name" or after == "(" or _keyword(token) in _NO_METRIC:
        return None
    return _closing(tokens, index + 1) + 1 if after == "{" else index + 1


def _next(tokens: Sequence[Token], index: int) -> int:
    """One token on, but over the whole list of labels after `by`, `on` and the like."""
    if _keyword(tokens[index]) in _LABEL_LISTS and index + 1 < len(tokens) and tokens[index + 1].text == "(":
        return _closing(tokens, index + 1) + 1
    return index + 1


def widest_range(expression: str) -> timedelta:
    """The longest span an expression looks back over (`[10m]`, `[1h:1m]`); zero if none.

    What an alert reports may have gone on for that long before its value showed it. Raises ValueError if the text is
    not PromQL by its form.
    """
    tokens = [token for token in tokenize(expression) if token.kind != "blank"]
    spans = [_span(tokens[index + 1]) for index, token in enumerate(tokens[:-1]) if token.text == "["]
    return max(spans, default=timedelta(0))


def _span(token: Token) -> timedelta:
    seconds = _value(token) if token.kind in ("duration", "number") else 0.0
    return timedelta(seconds=min(seconds, _LONGEST.total_seconds()))


def split_by(expression: str, label: str) -> str:
    """The same expression with one more label kept by every aggregation, so that its values can be compared.

    Raises ValueError if the text is not PromQL by its form or `label` is no label name.
    """
    if not is_label_name(label):
        raise ValueError(f"not a label name: {label[:60]!r}")
    tokens = _trimmed(tokenize(expression))
    parts: list[str] = []
    for index, token in enumerate(tokens):
        parts.append(" " if token.kind == "blank" else token.text)
        if token.text == "(" and _neighbour(tokens, index, -1).lower() in ("by", "on"):
            parts.append(label if _neighbour(tokens, index, 1) == ")" else f"{label}, ")
        elif _aggregates_all(tokens, index):
            parts.append(f" by ({label}) ")
    return "".join(parts)


def without_divisor(expression: str, label: str) -> str:
    """The dividend of a ratio whose parts select `label` differently (errors by code over all requests), else all of it.

    Split by such a label, dividend and divisor would hold the same requests and every share would be one.
    """
    tokens = _without_brackets(_trimmed(tokenize(expression)))
    index = _at_top(tokens, lambda token: token.text == "/")
    if index is None or any(token.text == "/" for token in tokens[index + 1 :]):
        return expression
    dividend, divisor = tokens[:index], tokens[index + 1 :]
    return _text(dividend) if _names(dividend, label) and not _names(divisor, label) else expression


def _names(tokens: Sequence[Token], label: str) -> bool:
    return any(token.kind == "name" and token.text == label for token in tokens)


def _neighbour(tokens: Sequence[Token], index: int, step: Literal[1, -1]) -> str:
    """The nearest token before or after that is not blank; "" at the ends."""
    index += step
    while 0 <= index < len(tokens) and tokens[index].kind == "blank":
        index += step
    return tokens[index].text if 0 <= index < len(tokens) else ""


def _aggregates_all(tokens: Sequence[Token], index: int) -> bool:
    """True at an aggregation that names no labels, neither before its brackets nor after them."""
    if _keyword(tokens[index]) not in _AGGREGATIONS or _neighbour(tokens, index, 1) != "(":
        return False
    opening = next(position for position in range(index, len(tokens)) if tokens[position].text == "(")
    return _neighbour(tokens, _closing(tokens, opening), 1).lower() not in _GROUPINGS
