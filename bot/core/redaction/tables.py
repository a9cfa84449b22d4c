"""Secrets recognised by their place: below a column's name, at its place in SQL, in the data of a Kubernetes Secret."""

import re
from collections.abc import Iterator

import re2

from bot.core.redaction.secret_words import NAME, Span
from bot.core.redaction.values import is_harmless, is_secret

_NAMED = re2.compile(rf"(?i)^[\"'`]?{NAME}[\"'`]?$")
_HEADING = re2.compile(
    rf"(?im)^(?:[^\n]*[,;|\t])?\s*[\"'`]?(?:{NAME})[\"'`]?\s*[,;|\t][^\n]*\n|^[^\n]*[,;|\t]\s*[\"'`]?(?:{NAME})[\"'`]?\s*\n"
)
"""A header row one of whose columns is named like a secret."""
_KIND = re2.compile(r"\bkind\\*[\"']?\s*:\s*\\*[\"']?Secret\b")
_DATA = re2.compile(r"(?m)^([ \t]*)(?:stringData|data):[ \t]*\r?\n((?:[ \t]+[^\n]*(?:\n|\z))+)")
_DATA_JSON = re2.compile(r"\"(?:stringData|data)\\*\"\s*:\s*\{([^{}]*)\}")
_ENTRY = re.compile(r"(?m)^[ \t]+[\w.\-]+:[ \t]*[\"']?([^\s\"'|>][^\n\"']*)|^[ \t]+([^\s:]+)$")
_MEMBER = re.compile(r":\s*\\*\"([^\"\\]+)")
_INSERT = re2.compile(r"(?i)\(([^()]+)\)\s*values\s*((?:\([^()]*\)[\s,]*)+)")
PATTERNS: tuple[str, ...] = (_HEADING.pattern, _INSERT.pattern, _KIND.pattern)
"""One of them matches wherever `placed_secrets` finds something."""
_ROW = re.compile(r"\(([^()]*)\)")
_DELIMITER = re.compile(r"[,;|\t]")
_QUOTED = re.compile(r"\s*(?P<mark>[\"'])((?:(?!(?P=mark))[^\\]|\\.)*)(?P=mark)\s*")
_ROW_ABOVE = re.compile(r"(?:[,;|\t][^\n]*[,;|\t]|^[\s|:+\-=]*-{3}[\s|:+\-=]*)[^\n]*\n\Z", re.MULTILINE)
"""The line before belongs to a table already: this one is a row, of a list of variables perhaps."""
_RULER = re.compile(r"[\s|:+\-=]*\Z")


def placed_secrets(text: str) -> Iterator[Span]:
    """Spans of values below or behind names that stand somewhere else."""
    if "\n" not in text and "(" not in text and "{" not in text:
        return
    past = 0
    for heading in _HEADING.finditer(text) if "\n" in text else ():
        if heading.start() >= past and not _ROW_ABOVE.search(text, max(0, heading.start() - 400), heading.start()):
            cells, past = _below(text, text[heading.start() : heading.end()].strip("\n"), heading.end())
            yield from cells
    for insert in _INSERT.finditer(text):
        yield from _inserted(text, insert.span(1), insert.span(2))
    if _KIND.search(text):
        yield from _in_manifest(text)


def _in_manifest(text: str) -> Iterator[Span]:
    """Whatever the names in it are: all data of a Secret is secret."""
    for block in _DATA.finditer(text):
        for entry in _ENTRY.finditer(text, *block.span(2)):
            yield entry.span(1) if entry.group(1) else entry.span(2)
    for block in _DATA_JSON.finditer(text):
        for member in _MEMBER.finditer(text, *block.span(1)):
            yield member.span(1)


def _below(text: str, heading: str, at: int) -> tuple[list[Span], int]:
    """Cells below a heading that names a secret, in the rows of as many cells that follow it, and where these end."""
    names = [heading[start:end] for start, end in _cells(heading, 0, len(heading))]
    if any(" " in name for name in names[1:]) or sum(map(bool, names)) < 2:
        # A sentence with a comma is no heading, nor is one item of a list.
        return [], at
    secret_at = [index for index, name in enumerate(names) if _NAMED.match(name)]
    spans: list[Span] = []
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if not _RULER.match(text, at, end):
            cells = _cells(text, at, end)
            if len(cells) != len(names):
                break
            spans += (cells[index] for index in secret_at if _is_one(names[index], text, cells[index]))
        at = end + 1
    return spans, at


def _inserted(text: str, columns: Span, rows: Span) -> Iterator[Span]:
    names = [text[start:end] for start, end in _cells(text, *columns)]
    secret_at = [index for index, name in enumerate(names) if _NAMED.match(name)]
    for row in _ROW.finditer(text, *rows) if secret_at else ():
        cells = _cells(text, *row.span(1))
        yield from (cells[index] for index in secret_at if index < len(cells) and _is_one(names[index], text, cells[index]))


def _is_one(name: str, text: str, cell: Span) -> bool:
    value = text[cell[0] : cell[1]]
    return not is_harmless(value) and is_secret(f"{name}=", value, in_sentence=False)


def _cells(text: str, start: int, end: int) -> list[Span]:
    """Where the content of every cell of one line stands, without quotes and blanks."""
    spans: list[Span] = []
    at = start
    while at < end:
        quoted = _QUOTED.match(text, at, end)
        stop = _DELIMITER.search(text, quoted.end() if quoted else at, end)
        close = stop.start() if stop else end
        inside = text[at:close]
        from_, to = at + len(inside) - len(inside.lstrip()), at + len(inside.rstrip())
        spans.append(quoted.span(2) if quoted else (from_, max(from_, to)))
        at = stop.end() if stop else end
    return spans
