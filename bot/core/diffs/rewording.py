"""Failures that are worded anew: the same statement says the same in other words, and such words explain no trouble."""

import re
from collections.abc import Iterable
from dataclasses import replace

from bot.core.diffs.patches import Patch

_FAILURE = re.compile(r"^\s*(return|raise|throw|panic|bail!|reject)\b.*(err|exception|fault|fail|panic|bail)", re.I)
"""A statement that ends in a failure."""
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`")
_NAME = re.compile(r"[A-Za-z_]\w*")
_WORDED_BY = frozenset({"return", "raise", "throw", "new", "New", "errors", "fmt", "Errorf", "Wrap", "Wrapf", "Error", "from"})
"""Names that only make or pass on a failure with a text."""


def without_rewordings(patch: Patch) -> Patch:
    """The patch without failures that have another text on each side, and the same names."""
    failing = {line: _names(line) for line in patch.removed if _FAILURE.search(line)}
    reworded = [line for line in patch.added if _FAILURE.search(line) and _names(line) in failing.values()]
    if not reworded:
        return patch
    names = [_names(line) for line in reworded]
    removed = tuple(line for line in patch.removed if line not in failing or failing[line] not in names)
    return replace(patch, removed=removed, added=_without(patch.added, reworded))


def _without(lines: Iterable[str], left_out: Iterable[str]) -> tuple[str, ...]:
    gone = set(left_out)
    return tuple(line for line in lines if line not in gone)


def _names(line: str) -> frozenset[str]:
    """What a statement names outside its texts, beside what makes the failure."""
    return frozenset(_NAME.findall(_QUOTED.sub("", line))) - _WORDED_BY
