"""Code that was only put elsewhere: what a diff removes it adds again, and what else it adds only names the new place."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from bot.core.diffs.identifiers import counted_names, identifiers, word_stems
from bot.core.diffs.patches import is_import

_KEPT_SHARE = 0.8
"""Share of the removed names that must stand among the added ones."""
_FEWEST_MOVED = 6
_NEW_SHARE = 0.2
"""New names over removed ones up to which it is a move: the call of a helper is one, a field that is read now is not."""
_TURNS = re.compile(r"\b(?:true|false|on|off|null|nil|none|not|and|or)\b|[<>=!&|+*/-]", re.I)
_WORD = re.compile(r"\w{3}")
_CALCULATES = re.compile(r"(?<=[\w)\]]) ([-+*/%]|<<|>>) (?=[\w(.])")
_TEXT = re.compile(r"\"[\w.:/-]{2,40}\"|'[\w.:/-]{2,40}'")
"""A value in quotes: another one is no move."""
_HEAD = re.compile(r"^\s*(?:[\w@]+\s+)*(?:func|def|fn|function|class|interface|record|struct|type|enum|sub|proc)\b[^{]*")
"""The beginning of a definition with its parameters and types."""
_TYPED_HEAD = re.compile(r"^\s*(?:(?:public|private|protected|internal|static|final|async|override|export)\s+)+[^={]*\([^{]*")
_DECLARED = re.compile(r"^\s*(?:[\w<>\[\],.*&]+\s+)*?([A-Za-z_]\w*)\s*(?::\s*[\w<>\[\], .|]+)?\s*:?=(?!=)")
"""A name that is given a value."""


def is_moved(removed: Sequence[str], added: Sequence[str]) -> bool:
    """Whether what these lines remove stands among what they add, numbers included, and nothing else is used that is new."""
    texts, others = (set(_TEXT.findall("\n".join(line for line in lines if not is_import(line)))) for lines in (removed, added))
    if _turned(removed, added) or _calculations(removed) != _calculations(added) or texts != others:
        return False
    before, after = counted_names(removed), counted_names(added)
    total = sum(before.values())
    if total < _FEWEST_MOVED or sum((before & after).values()) < _KEPT_SHARE * total or _has_numbers(before - after):
        return False
    new = {name for name in after if name not in before and (word_stems(name) or name[0].isdigit())} - _defined(added)
    return len(_single(new)) <= max(1, _NEW_SHARE * len(_single(before)))


def _turned(removed: Iterable[str], added: Iterable[str]) -> bool:
    """Whether a line stands there again with another switch, comparison or negation."""
    before, after = ({_TURNS.sub("", line).strip(): line.strip() for line in lines} for lines in (removed, added))
    return any(after.get(line, text) != text for line, text in before.items() if _WORD.search(line))


def _calculations(lines: Iterable[str]) -> Counter[str]:
    """The operators between two operands: what is calculated otherwise was not only put elsewhere."""
    return Counter(operator for line in lines for operator in _CALCULATES.findall(line))


def _defined(lines: Iterable[str]) -> set[str]:
    """The names that these lines define: of functions and types with all that their heads name, and of what gets a value."""
    heads = (match.group() for line in lines for pattern in (_HEAD, _TYPED_HEAD) if (match := pattern.match(line)))
    declared = (match.group(1) for match in map(_DECLARED.match, lines) if match)
    return {name for text in (*heads, *declared) for name in identifiers(text)}


def _has_numbers(names: Counter[str]) -> bool:
    return any(name[0].isdigit() for name in names)


def _single(names: Iterable[str]) -> set[str]:
    """Without dotted names: their parts are listed too."""
    return {name for name in names if not set(name) & set(".-/") or name[0].isdigit()}
