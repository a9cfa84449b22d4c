"""Indexes of a database that a diff drops, in SQL and in the words of the usual frameworks for migrations."""

import re
from collections.abc import Iterator, Sequence

from bot.core.diffs.effects.settings import effect_fact
from bot.core.diffs.identifiers import contains_identifier, is_distinctive, word_stems
from bot.core.diffs.patches import Patch
from bot.core.facts.code import EffectFact

_NAME = r"[\"'`:\[]*([A-Za-z_][\w.]*)"
_DROPS = (
    re.compile(rf"\bdrop\s+index\s+(?:concurrently\s+)?(?:if\s+exists\s+)?{_NAME}", re.I),
    re.compile(rf"\b(?:drop_index|dropIndex|remove_index)\(\s*{_NAME}"),
)
_NAMED = re.compile(r"\b(?:RemoveIndex(?:Concurrently)?|remove_index|dropIndex|drop_index)\b")
"""Calls whose index stands behind `name=`, on the same line or a further one."""
_BY_NAME = re.compile(rf"\b(?:name|index_name|indexName)\s*[:=]\s*{_NAME}")
_COLUMNS = re.compile(
    r"\b(?:columns?|fields)\s*[:=]\s*(?:\[([^\]]+)\]|:(\w+))|\bindex\s*\(?\s*\[([^\]]+)\]|"
    r"\bon\s+[\w.\"]+\s*(?:using\s+\w+\s*)?\(([^)]+)\)",
    re.I,
)
_OF_ANOTHER = re.compile(r"\b(?:\w*_?index(?:es)?|\w*Index\w*|\w*Constraint)\b\s*[(: ]")
_COLUMN = re.compile(r"[A-Za-z_]\w*")
_DUMPED = re.compile(rf"^\s*create\s+(?:unique\s+)?index\s+{_NAME}\s+on\b", re.I)
"""How the dump of a schema holds an index: without it there, a migration has dropped it."""
_DUMP = re.compile(r"(^|/)(?:structure|schema)\.sql$")
_MAKES = re.compile(r"\bcreate\s+(?:unique\s+)?index\b|\badd_?index\b|\bcreate_?index\b", re.I)
_STATEMENT = re.compile(r"\b(?:select\b.+\bfrom|update\b.+\bset|delete\s+from)\b.*\bwhere\b", re.I | re.S)
_LOGGED_AS_SLOW = re.compile(
    r"\b(?:duration|query_time|took|elapsed)\b\W{0,3}\d|slow.?(?:query|statement)|statement timeout|cancel\w* statement", re.I
)
"""What a database writes of a statement that took long; whoever types a statement into a request writes none of it."""
_OF_INDEXES = frozenset({"index", "uniq", "unique"})
_LINES_OF_ONE_CALL = 4


def dropped_indexes(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """Each index that is dropped and not made anew, with the columns that the diff shows of it as what it was before."""
    lines = [line for patch in patches for line in (*patch.removed, *patch.added)]
    made = "\n".join(line for patch in patches for line in patch.added if _MAKES.search(line))
    for patch in patches:
        dumped = patch.removed if _DUMP.search(patch.path) else ()
        for name in dict.fromkeys([*_names(patch.added), *(name for line in dumped for name in _DUMPED.findall(line))]):
            if not contains_identifier(made, name):
                yield effect_fact("index", name, patch.path, before=", ".join(_columns_of(name, lines)))


def _names(lines: Sequence[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        call = "\n".join(lines[number : number + _LINES_OF_ONE_CALL])
        if _NAMED.search(line) and (named := _BY_NAME.search(call)):
            yield named.group(1)
        else:
            yield from (name for pattern in _DROPS for name in pattern.findall(line))


def _columns_of(index: str, lines: Sequence[str]) -> list[str]:
    """The columns that stand with the name of an index, on its line or on the next ones of the same call."""
    for number, line in enumerate(lines):
        if index not in line:
            continue
        call = [line]
        for further in lines[number + 1 : number + _LINES_OF_ONE_CALL]:
            if _OF_ANOTHER.search(further):
                break
            call.append(further)
        if found := _COLUMNS.search("\n".join(call)):
            return _COLUMN.findall("".join(part or "" for part in found.groups()))
    return []


def looks_up(statement: str, effect: EffectFact) -> bool:
    """Whether a line tells of a slow statement that looks for what a dropped index was made of."""
    if not (_STATEMENT.search(statement) and _LOGGED_AS_SLOW.search(statement)):
        return False
    columns = _COLUMN.findall(effect.before)
    telling = [column for column in columns if is_distinctive(column)]
    if telling:
        return all(contains_identifier(statement, column) for column in telling)
    parts = word_stems(" ".join([effect.name, *columns])) - _OF_INDEXES
    return len(parts & word_stems(statement)) >= min(2, len(parts)) > 0
