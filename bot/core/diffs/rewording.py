"""Failures that are worded anew: the same statement says the same in other words, and such words explain no trouble."""

import re
from collections.abc import Iterator, Set
from dataclasses import replace
from typing import NamedTuple

from bot.core.diffs.patches import Patch, both_sides

_FAILURE = re.compile(
    r"^\s*(return|raise|throw|panic|bail!|reject)\b.*(err|exception|fault|fail|panic|bail)|\berrors?\.new\(|errorf\(|"
    r"\bnew \w*(error|exception)\(",
    re.I,
)
"""A statement that ends in a failure, or makes one with a text."""
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`")
_TELLING = 8
"""Letters from which on a text is no chance beginning of another one."""
_TEXT_PREFIX = re.compile(r"(?<!\w)[A-Za-z$@]{1,2}$")
"""What stands right before a text to say how it is read: the f of `f"..."`."""
_TOKEN = re.compile(r"\w+|[^\w\s.]")
_NAME = re.compile(r"[A-Za-z_]\w*")
_WORDED_BY = frozenset({"return", "raise", "throw", "new", "New", "errors", "fmt", "Errorf", "Wrap", "Wrapf", "Error", "from"})
"""Names that only make or pass on a failure with a text."""


def without_rewordings(patch: Patch) -> Patch:
    """The patch without failures that have another text on each side and the same names, or a text that only goes on."""
    before, after = both_sides(patch, lambda lines: {_names(line) for line in lines if _FAILURE.search(line)})
    longer = {line for pair in _with_longer_text(patch) for line in pair}
    removed, added = both_sides(
        patch,
        lambda lines: tuple(line for line in lines if line not in longer and not _says_one_of(line, before & after)),
    )
    return replace(patch, removed=removed, added=added)


def _with_longer_text(patch: Patch) -> Iterator[tuple[str, str]]:
    """Failures whose text goes on where it ended before, each with what it was: the values for that are new names."""
    before, after = both_sides(patch, lambda lines: [failure for line in lines if (failure := _failure(line))])
    for old in before:
        # A statement that is another before its text, such as one with a condition, does something else.
        alike = (new for new in after if new.statement == old.statement and new.text != old.text)
        if new := next((one for one in alike if one.text.startswith(old.text) and old.names <= one.names), None):
            yield old.line, new.line


class _Failure(NamedTuple):
    line: str
    statement: tuple[str, ...]
    """What stands before its first text, beside what only words it."""
    text: str
    names: frozenset[str]


def _failure(line: str) -> _Failure | None:
    """A line that ends in a failure with a text; None for a short text, and for any other line."""
    quoted = _QUOTED.search(line) if _FAILURE.search(line) else None
    if quoted is None or len(quoted.group()) - 2 < _TELLING:
        return None
    before = _TOKEN.findall(_TEXT_PREFIX.sub("", line[: quoted.start()]))
    return _Failure(line, tuple(token for token in before if token not in _WORDED_BY), quoted.group()[1:-1], _names(line))


def _says_one_of(line: str, failures: Set[frozenset[str]]) -> bool:
    return _FAILURE.search(line) is not None and _names(line) in failures


def _names(line: str) -> frozenset[str]:
    """What a statement names outside its texts, beside what makes the failure."""
    return frozenset(_NAME.findall(_QUOTED.sub("", line))) - _WORDED_BY
