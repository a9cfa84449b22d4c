"""Patches of a unified diff, read line by line: a host of repositories cuts them where it likes, so counts are not trusted.

Form: https://www.gnu.org/software/diffutils/manual/html_node/Detailed-Unified.html
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bot.core.systems import FileChange

T = TypeVar("T")
MAX_LINES, MAX_LENGTH = 800, 200
"""Lines read of one commit's patches, and characters of one: what is generated or minified says nothing more."""
_COMMENT = re.compile(r"^\s*(//|#(?!\[)|/\*|\*/|\*\s|--\s|;|<!--|\"\"\"|''')")
_IMPORT = re.compile(r"^\s*(import\b|from\s+\S+\s+import\b|#include\b|using\s+[\w.]+;|require\(|use\s+[\w:]+;)")
_PACKAGE = re.compile(r"^\s*(package|namespace|module)\s+[\w.:\\]+\s*[;{]?$")
_PUNCTUATION = re.compile(r"^[\s(){}\[\];,]*$")


@dataclass(frozen=True)
class Patch:
    """The changed lines of one file, without those that are blank, comments or brackets alone."""

    path: str
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    around: tuple[str, ...] = ()
    """The lines beside them, and the functions that the hunks stand in."""
    sent: bool = True
    """False where the host sent no patch: anything may have changed."""
    cut: bool = False
    """True where only the beginning of the patch, or of one of its lines, was read."""
    lines: tuple[str, ...] = ()
    """All of them in their order, with their signs."""

    @property
    def whole(self) -> bool:
        """Whether everything that changed in the file was read."""
        return self.sent and not self.cut


def read_patches(files: Iterable[FileChange]) -> list[Patch]:
    """The changed lines of each file, as far as the limit of lines goes."""
    patches, left = [], MAX_LINES
    for file in files:
        sent = file.patch.splitlines()
        lines = [line[:MAX_LENGTH] for line in sent[:left]]
        cut = len(sent) > left or any(len(line) > MAX_LENGTH for line in sent[:left])
        patches.append(_read(file.path, lines, sent=bool(sent), cut=cut))
        left -= len(lines)
    return patches


def _read(path: str, lines: Sequence[str], *, sent: bool, cut: bool) -> Patch:
    removed, added, around = [], [], []
    for line in lines:
        # Only hunks are sent: `---` and `+++` at their start are headers of a file where somebody sends those too.
        if line.startswith(("--- ", "+++ ")):
            continue
        if line.startswith("-") and _is_code(line[1:]):
            removed.append(line[1:])
        elif line.startswith("+") and _is_code(line[1:]):
            added.append(line[1:])
        elif line.startswith("@@"):
            around.append(line.rpartition("@@")[2])
        elif line.startswith(" ") and _is_code(line[1:]):
            around.append(line[1:])
    return Patch(path, tuple(removed), tuple(added), tuple(around), sent, cut, tuple(lines))


def _is_code(line: str) -> bool:
    return not (_PUNCTUATION.match(line) or _COMMENT.match(line) or _PACKAGE.match(line))


def is_import(line: str) -> bool:
    """Whether a line of code only brings names in."""
    return bool(_IMPORT.match(line))


def both_sides(patch: Patch, read: Callable[[Sequence[str]], T]) -> tuple[T, T]:
    """What stands in the removed and in the added lines."""
    return read(patch.removed), read(patch.added)


def all_lines(patches: Iterable[Patch]) -> tuple[list[str], list[str]]:
    """The removed and the added lines of all files: what one loses another may gain."""
    removed = [line for patch in patches for line in patch.removed]
    return removed, [line for patch in patches for line in patch.added]


def first_matches(pattern: re.Pattern[str], lines: Iterable[str]) -> Iterator[str]:
    """Of each line that a pattern matches, what it matches there first."""
    return (match.group(0).strip() for match in filter(None, map(pattern.search, lines)))
