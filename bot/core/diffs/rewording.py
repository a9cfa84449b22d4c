"""Failures that are worded anew: the same statement says the same in other words, and such words explain no trouble."""

import re
from collections.abc import Set
from dataclasses import replace

from bot.core.diffs.patches import Patch, both_sides

_FAILURE = re.compile(
    r"^\s*(return|raise|throw|panic|bail!|reject)\b.*(err|exception|fault|fail|panic|bail)|\berrors?\.new\(|errorf\(|"
    r"\bnew \w*(error|exception)\(",
    re.I,
)
"""A statement that ends in a failure, or makes one with a text."""
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`")
_NAME = re.compile(r"[A-Za-z_]\w*")
_WORDED_BY = frozenset({"return", "raise", "throw", "new", "New", "errors", "fmt", "Errorf", "Wrap", "Wrapf", "Error", "from"})
"""Names that only make or pass on a failure with a text."""


def without_rewordings(patch: Patch) -> Patch:
    """The patch without failures that have another text on each side, and the same names."""
    before, after = both_sides(patch, lambda lines: {_names(line) for line in lines if _FAILURE.search(line)})
    removed, added = both_sides(patch, lambda lines: tuple(line for line in lines if not _says_one_of(line, before & after)))
    return replace(patch, removed=removed, added=added)


def _says_one_of(line: str, failures: Set[frozenset[str]]) -> bool:
    return _FAILURE.search(line) is not None and _names(line) in failures


def _names(line: str) -> frozenset[str]:
    """What a statement names outside its texts, beside what makes the failure."""
    return frozenset(_NAME.findall(_QUOTED.sub("", line))) - _WORDED_BY
