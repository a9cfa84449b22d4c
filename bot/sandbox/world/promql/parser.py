"""From text to syntax tree: precedence climbing, types checked while building."""

import math
import re
from dataclasses import replace
from functools import lru_cache
from typing import NoReturn

from bot.sandbox.world.promql.errors import ParseError
from bot.sandbox.world.promql.lexer import Token, duration_seconds, tokens, unquote
from bot.sandbox.world.promql.syntax import (
    AGGREGATIONS,
    COMPARISONS,
    SET_OPERATORS,
    SIGNATURES,
    TYPE_NAMES,
    WITH_PARAMETER,
    Aggregate,
    Binary,
    Call,
    Expr,
    Matcher,
    Matching,
    Negative,
    Number,
    Range,
    Selector,
    String,
    Subquery,
    Type,
    type_of,
)

_PRECEDENCE = {"or": 1, "and": 2, "unless": 2, **dict.fromkeys(COMPARISONS, 3), "+": 4, "-": 4, "*": 5, "/": 5, "%": 5, "^": 6}
_NO_NAMES = frozenset({"bool", "on", "ignoring", "group_left", "group_right"})
"""Keywords that are never a metric's name; the others may be."""
_MAX_DEPTH = 60


@lru_cache(maxsize=512)
def parse(text: str) -> Expr:
    """The tree of a whole query; raises ParseError."""
    parser = _Parser(text)
    if parser.peek().kind == "end":
        raise ParseError("no expression found in input", 0, text)
    expr = parser.expression(1)
    if parser.peek().kind != "end":
        parser.fail(f"unexpected {_describe(parser.peek())}")
    return expr


def parse_selector(text: str) -> Selector:
    """A series selector, as `match[]` wants it; raises ParseError."""
    expr = parse(text)
    if not isinstance(expr, Selector):
        raise ParseError("expected a series selector", 0, text)
    return expr


def _describe(token: Token) -> str:
    return "end of input" if token.kind == "end" else f"{token.kind} {token.text!r}"


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.tokens, self.position, self.depth = text, tokens(text), 0, 0

    def peek(self, ahead: int = 0) -> Token:
        return self.tokens[min(self.position + ahead, len(self.tokens) - 1)]

    def next(self) -> Token:
        token = self.peek()
        self.position += 1
        return token

    def takes(self, text: str) -> bool:
        """Consume the next token if it is this operator or word."""
        if self.peek().kind in ("op", "name") and self.peek().text == text:
            self.position += 1
            return True
        return False

    def expect(self, text: str, context: str) -> None:
        if not self.takes(text):
            if text == ")" and self.peek().kind == "end":
                self.fail("unclosed left parenthesis")
            self.fail(f"unexpected {_describe(self.peek())} in {context}, expected {text!r}")

    def fail(self, message: str, token: Token | None = None) -> NoReturn:
        raise ParseError(message, (token or self.peek()).position, self.text)

    def expression(self, lowest: int) -> Expr:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            self.fail("expression nested too deeply")
        left = self.unary()
        while (token := self.peek()).kind in ("op", "name") and _PRECEDENCE.get(token.text, 0) >= lowest:
            self.next()
            as_bool = self.takes("bool")
            matching = self.matching()
            # ^ binds to the right, all others to the left.
            right = self.expression(_PRECEDENCE[token.text] + (token.text != "^"))
            left = self.binary(token, left, right, as_bool, matching)
        self.depth -= 1
        return left

    def binary(self, token: Token, left: Expr, right: Expr, as_bool: bool, matching: Matching) -> Expr:
        kinds = {type_of(left), type_of(right)}
        if not kinds <= {"scalar", "vector"}:
            self.fail("binary expression must contain only scalar and instant vector types", token)
        if as_bool and token.text not in COMPARISONS:
            self.fail("bool modifier can only be used on comparison operators", token)
        if token.text in COMPARISONS and kinds == {"scalar"} and not as_bool:
            self.fail("comparisons between scalars must use BOOL modifier", token)
        if token.text in SET_OPERATORS and "scalar" in kinds:
            self.fail(f'set operator "{token.text}" not allowed in binary scalar expression', token)
        if token.text in SET_OPERATORS and matching.group:
            self.fail(f'no grouping allowed for "{token.text}" operation', token)
        return Binary(token.text, left, right, as_bool, matching)

    def matching(self) -> Matching:
        if self.peek().text not in ("on", "ignoring") or self.peek(1).text != "(":
            return Matching()
        on = self.next().text == "on"
        labels = self.label_list()
        for side in ("left", "right"):
            if self.takes(f"group_{side}"):
                include = self.label_list() if self.peek().text == "(" else ()
                return Matching(on, labels, "left" if side == "left" else "right", include)
        return Matching(on, labels)

    def label_list(self) -> tuple[str, ...]:
        self.expect("(", "grouping")
        names = []
        while not self.takes(")"):
            if self.peek().kind != "name":
                self.fail(f"unexpected {_describe(self.peek())} in grouping opts, expected label")
            names.append(self.next().text)
            if not self.takes(","):
                self.expect(")", "grouping")
                break
        return tuple(names)

    def unary(self) -> Expr:
        token = self.peek()
        if token.kind == "op" and token.text in "+-":
            self.next()
            # -2^2 is -(2^2): the sign binds weaker than ^ and stronger than *.
            inner = self.expression(_PRECEDENCE["^"])
            if type_of(inner) not in ("scalar", "vector"):
                self.fail("unary expression only allowed on expressions of type scalar or instant vector", token)
            if token.text == "+":
                return inner
            return Number(-inner.value) if isinstance(inner, Number) else Negative(inner)
        return self.suffixes(self.atom(), bare=token.text != "(")

    def atom(self) -> Expr:
        token = self.next()
        if token.kind == "number":
            return Number(self.number(token))
        if token.kind == "string":
            return String(self.text_of(token))
        if token.text == "(" and token.kind == "op":
            inner = self.expression(1)
            self.expect(")", "parenthesis")
            return inner
        if token.text == "{" and token.kind == "op":
            return self.selector("", token)
        if token.kind != "name":
            self.fail(f"unexpected {_describe(token)}", token)
        return self.named(token)

    def number(self, token: Token) -> float:
        value = float(int(token.text, 16)) if token.text.startswith("0x") else float(token.text)
        if math.isinf(value):
            self.fail(f"error parsing number: {token.text!r}: value out of range", token)
        return value

    def text_of(self, token: Token) -> str:
        try:
            return unquote(token.text)
        except ValueError as error:
            self.fail(f"error unquoting string: {error}", token)

    def named(self, token: Token) -> Expr:
        if token.text.lower() in ("inf", "nan") and self.peek().text not in ("{", "("):
            return Number(math.inf if token.text.lower() == "inf" else math.nan)
        if token.text in AGGREGATIONS and self.peek().text in ("(", "by", "without"):
            return self.aggregate(token)
        if self.peek().text == "(":
            return self.call(token)
        if token.text in _NO_NAMES:
            self.fail(f"unexpected <{token.text}>", token)
        if self.takes("{"):
            return self.selector(token.text, token)
        return Selector((Matcher("__name__", "=", token.text),))

    def aggregate(self, token: Token) -> Expr:
        grouping = self.grouping()
        args = self.arguments()
        grouping = grouping or self.grouping()
        count = 2 if token.text in WITH_PARAMETER else 1
        if len(args) != count:
            self.fail(f"wrong number of arguments for aggregate expression provided, expected {count}, got {len(args)}", token)
        self.require(args[-1], "vector", "aggregation expression", token)
        if count == 2:
            self.require(args[0], "scalar", "aggregation parameter", token)
        without, labels = grouping or (False, ())
        return Aggregate(token.text, args[-1], args[0] if count == 2 else None, labels, without)

    def grouping(self) -> tuple[bool, tuple[str, ...]] | None:
        if self.peek().text in ("by", "without"):
            return self.next().text == "without", self.label_list()
        return None

    def call(self, token: Token) -> Expr:
        if token.text not in SIGNATURES:
            self.fail(f'unknown function with name "{token.text}"', token)
        types, optional, _ = SIGNATURES[token.text]
        args = self.arguments()
        if not len(types) - optional <= len(args) <= len(types):
            self.fail(f'expected {len(types)} argument(s) in call to "{token.text}", got {len(args)}', token)
        for arg, expected in zip(args, types, strict=False):
            self.require(arg, expected, f'call to function "{token.text}"', token)
        return Call(token.text, tuple(args))

    def require(self, expr: Expr, expected: Type, where: str, token: Token) -> None:
        if (actual := type_of(expr)) != expected:
            self.fail(f"expected type {TYPE_NAMES[expected]} in {where}, got {TYPE_NAMES[actual]}", token)

    def arguments(self) -> list[Expr]:
        self.expect("(", "arguments")
        args: list[Expr] = []
        while not self.takes(")"):
            args.append(self.expression(1))
            if not self.takes(","):
                self.expect(")", "arguments")
                break
            if self.peek().text == ")":
                self.fail("trailing commas not allowed in function call args")
        return args

    def selector(self, name: str, start: Token) -> Expr:
        matchers = [Matcher("__name__", "=", name)] if name else []
        while not self.takes("}"):
            matchers.append(self.matcher())
            if not self.takes(","):
                self.expect("}", "label matching")
                break
        if name and any(m.label == "__name__" for m in matchers[1:]):
            self.fail(f'metric name must not be set twice: "{name}"', start)
        if all(m.accepts("") for m in matchers):
            self.fail("vector selector must contain at least one non-empty matcher", start)
        return Selector(tuple(matchers))

    def matcher(self) -> Matcher:
        label, op, value = self.next(), self.next(), self.next()
        if label.kind != "name":
            self.fail(f"unexpected {_describe(label)} in label matching, expected identifier", label)
        if op.text not in ("=", "!=", "=~", "!~"):
            self.fail(f"unexpected {_describe(op)} in label matching, expected label matching operator", op)
        if value.kind != "string":
            self.fail(f"unexpected {_describe(value)} in label matching, expected string", value)
        text = self.text_of(value)
        if "~" in op.text:
            try:
                re.compile(text)
            except re.error as error:
                self.fail(f"error parsing regexp: {error}", value)
        return Matcher(label.text, op.text, text)  # type: ignore[arg-type]

    def suffixes(self, expr: Expr, *, bare: bool) -> Expr:
        """Windows, subqueries and offsets behind an atom; `bare`: it does not stand in parentheses."""
        while True:
            if self.peek().text == "[" and self.peek().kind == "op":
                expr, bare = self.window(expr, bare=bare), True
            elif self.takes("offset"):
                expr = self.offset(expr, bare=bare)
            else:
                return expr

    def window(self, expr: Expr, *, bare: bool) -> Expr:
        start = self.next()
        seconds = self.duration()
        if self.takes(":"):
            step = self.duration() if self.peek().text != "]" else 0.0
            self.expect("]", "subquery")
            if type_of(expr) != "vector":
                self.fail(f"subquery is only allowed on instant vector, got {TYPE_NAMES[type_of(expr)]} instead", start)
            return Subquery(expr, seconds, step)
        self.expect("]", "range")
        if not isinstance(expr, Selector) or not bare:
            self.fail("ranges only allowed for vector selectors", start)
        if expr.offset:
            self.fail("no offset modifiers allowed before range", start)
        return Range(expr, seconds)

    def duration(self) -> float:
        token = self.next()
        if token.kind != "duration":
            self.fail(f"unexpected {_describe(token)}, expected duration", token)
        if not (seconds := duration_seconds(token.text)):
            self.fail("duration must be greater than 0", token)
        return seconds

    def offset(self, expr: Expr, *, bare: bool) -> Expr:
        sign = -1.0 if self.takes("-") else 1.0
        token = self.next()
        if token.kind != "duration":
            self.fail(f"unexpected {_describe(token)} in offset, expected duration", token)
        seconds = sign * duration_seconds(token.text)
        if not bare or not isinstance(expr, Selector | Range | Subquery):
            self.fail("offset modifier must be preceded by an instant vector selector or range vector selector or a subquery")
        if (expr.selector if isinstance(expr, Range) else expr).offset:
            self.fail("offset may not be set multiple times")
        if isinstance(expr, Range):
            return replace(expr, selector=replace(expr.selector, offset=seconds))
        return replace(expr, offset=seconds)
