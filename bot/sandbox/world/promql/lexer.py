"""Tokens of a query."""

import re
from dataclasses import dataclass

from bot.sandbox.world.promql.errors import ParseError

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|\#[^\n]*)
  | (?P<duration>(?:\d+(?:ms|[smhdwy]))+(?![A-Za-z0-9_]))
  | (?P<number>0x[0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?::[A-Za-z0-9_:]*)?)
  | (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)
  | (?P<op>=~|!~|==|!=|>=|<=|[-+*/%^(){}\[\],=<>:@])
    """,
    re.VERBOSE,
)
_PART = re.compile(r"(\d+)(ms|[smhdwy])")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL)
_ESCAPES = {**dict(zip("abfnrtv", "\a\b\f\n\r\t\v", strict=True)), "\\": "\\", '"': '"', "'": "'"}


@dataclass(frozen=True)
class Token:
    """`kind` is duration, number, name, string, op or end."""

    kind: str
    text: str
    position: int


def duration_seconds(text: str) -> float:
    """`1h30m` in seconds; raises ValueError if it is no duration."""
    parts = _PART.findall(text)
    if not parts or "".join(n + u for n, u in parts) != text:
        raise ValueError(f"not a valid duration string: {text!r}")
    return float(sum(int(n) * _SECONDS[u] for n, u in parts))


def unquote(text: str) -> str:
    """The value of a string literal, with Go's escapes; backquoted text has none. Raises ValueError for an unknown one."""
    return text[1:-1] if text[0] == "`" else _ESCAPE.sub(_unescaped, text[1:-1])


def _unescaped(match: re.Match[str]) -> str:
    if match[5]:
        if match[5] not in _ESCAPES:
            raise ValueError(f"unknown escape {match[0]!r}")
        return _ESCAPES[match[5]]
    return chr(int(match[4], 8)) if match[4] else chr(int(match[1] or match[2] or match[3], 16))


def tokens(text: str) -> list[Token]:
    """All tokens, an `end` token last; raises ParseError at a character that begins none."""
    result, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            what = "unterminated quoted string" if text[position] in "\"'`" else f"unexpected character: {text[position]!r}"
            raise ParseError(what, position, text)
        if match.lastgroup and match.lastgroup != "space":
            result.append(Token(match.lastgroup, match[0], position))
        position = match.end()
    return [*result, Token("end", "", len(text))]
