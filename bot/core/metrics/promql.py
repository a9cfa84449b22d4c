"""PromQL, written from typed parts and read as tokens: untrusted text only ever becomes one quoted literal.

Grammar: https://prometheus.io/docs/prometheus/latest/querying/basics/ (strings follow Go's escapes).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

MAX_NAME = 200
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/@+-]*")
_REGEX_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$])")
_GO_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}

Operator = Literal["=", "!=", "=~", "!~"]


def quote(text: str) -> str:
    """One double-quoted literal of Go's syntax, as PromQL and LogQL read it; what is not printable is escaped."""
    return '"' + "".join(_escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    if char in _GO_ESCAPES:
        return _GO_ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:  # a lone surrogate is no character for Go's parser
        code = 0xFFFD
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def literal_pattern(text: str) -> str:
    """An RE2 pattern that matches exactly this text."""
    return _REGEX_SPECIAL.sub(r"\\\1", text)


def is_label_name(text: str) -> bool:
    """True for a label name that needs no quoting."""
    return len(text) <= MAX_NAME and _LABEL_NAME.fullmatch(text) is not None


def is_metric_name(text: str) -> bool:
    """True for a metric name that needs no quoting."""
    return len(text) <= MAX_NAME and _METRIC_NAME.fullmatch(text) is not None


def is_plain_name(text: str) -> bool:
    """True for what a service, deployment or namespace may be called: no blanks, quotes, braces or control characters."""
    return len(text) <= MAX_NAME and _PLAIN_NAME.fullmatch(text) is not None and ".." not in text


@dataclass(frozen=True)
class Matcher:
    """`label operator "value"`. A pattern (`=~`) is trusted text: build it with `literal_pattern`."""

    label: str
    value: str
    operator: Operator = "="

    def __str__(self) -> str:
        if not is_label_name(self.label):
            raise ValueError(f"not a label name: {self.label[:60]!r}")
        return f"{self.label}{self.operator}{quote(self.value)}"


def equal_to(labels: Mapping[str, str]) -> tuple[Matcher, ...]:
    """A matcher for each label, in the order of names."""
    return tuple(Matcher(label, labels[label]) for label in sorted(labels))


def selector(metric: str, matchers: Iterable[Matcher] = ()) -> str:
    """`metric{a="b",...}`; without a metric `{a="b"}`. Raises ValueError for a name that needs quoting or an empty selector."""
    inside = ",".join(str(matcher) for matcher in matchers)
    if metric and not is_metric_name(metric):
        raise ValueError(f"not a metric name: {metric[:60]!r}")
    if not (metric or inside):
        raise ValueError("a selector needs a metric or a matcher")
    return f"{metric}{{{inside}}}" if inside else metric


# ---------------------------------------------------------------- reading


class Token(NamedTuple):
    """One token: `kind` is string, duration, number, name, operator, open, close, comma, blank."""

    kind: str
    text: str


_TOKENS = re.compile(
    r"""
      (?P<blank>(?:\s+|\#[^\n]*)+)
    | (?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`)
    | (?P<duration>(?:\d+(?:ms|[smhdwy]))+(?![\w.]))
    | (?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<name>(?:[a-zA-Z_]|:(?=[a-zA-Z_]))[\w:]*)
    | (?P<operator>=~|!~|==|!=|<=|>=|[<>=+\-*/%^@:])
    | (?P<open>[(\[{])
    | (?P<close>[)\]}])
    | (?P<comma>,)
    """,
    re.VERBOSE | re.ASCII,
)
_PAIRS = {"(": ")", "[": "]", "{": "}"}
MAX_EXPRESSION = 8_000


def tokenize(expression: str) -> list[Token]:
    """The expression as tokens (blanks included: joined they give the text back).

    Raises ValueError for what is not PromQL by its form: an open quote, a stray
    character, brackets that do not close, more than 8,000 characters.
    """
    if len(expression) > MAX_EXPRESSION:
        raise ValueError(f"longer than {MAX_EXPRESSION} characters")
    tokens, position = [], 0
    while position < len(expression):
        match = _TOKENS.match(expression, position)
        if match is None:
            raise ValueError(f"not PromQL at character {position + 1}")
        # lastgroup is never None: every branch of the pattern is a named group.
        tokens.append(Token(match.lastgroup or "", match.group()))
        position = match.end()
    _check_brackets(tokens)
    return tokens


def _check_brackets(tokens: Sequence[Token]) -> None:
    expected: list[str] = []
    for token in tokens:
        if token.kind == "open":
            expected.append(_PAIRS[token.text])
        elif token.kind == "close" and (not expected or expected.pop() != token.text):
            raise ValueError(f"{token.text} closes nothing")
    if expected:
        raise ValueError(f"{expected[-1]} is missing")
