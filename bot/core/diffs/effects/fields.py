"""Fields of a request or record: those that may no longer be left out, and those that are of another type."""

import re
from collections.abc import Iterable, Iterator, Sequence

from bot.core.diffs.effects.settings import effect_fact
from bot.core.diffs.patches import Patch, both_sides
from bot.core.facts.code import EffectFact

_FIELD = r"[\"']?([A-Za-z_]\w{1,60})[\"']?"
_MAY_BE_MISSING = re.compile(
    rf"^\s*{_FIELD}\s*:\s*(?:Optional\[.+\]|.+\|\s*None)\s*(?:=.*)?,?$|"  # Python
    rf"^\s*{_FIELD}\s*:\s*[\w.\[\], |]+=\s*(?:None|Field\((?:default=)?None\b.*\))\s*$|"
    rf"^\s*(?:readonly\s+)?{_FIELD}\?\s*:|"  # TypeScript
    rf"^\s*{_FIELD}\s*:.*\.(?:optional|nullish|nullable)\(\)"  # zod
)
_MAY_BE_LEFT_OUT = r"undefined|null\b|None|\.(?:optional|nullish|nullable|default)\("
_IS_NEEDED = re.compile(
    rf"^\s*{_FIELD}\s*:\s*(?!Optional\[)[A-Za-z][\w.\[\], ]*$|"
    rf"^\s*(?:readonly\s+)?{_FIELD}\s*:\s*(?!.*(?:{_MAY_BE_LEFT_OUT}))[\w.<>\[\]()|'\" ]+[;,]?$"
)
_SCHEMA = re.compile(r"schema|model|dto|request|contract|payload|message|event|types?\b|\bz\.", re.I)
"""What tells that the fields are those of something that others send."""
_TYPE = (
    r"(?:string|str|char|text|number|u?int(?:eger)?\d*|[iu](?:8|16|32|64|128)|long|short|float(?:32|64)?|f32|f64|double|decimal|"
    r"bigdecimal|bigint|bool(?:ean)?|date(?:time)?|localdate(?:time)?|instant|timestamp|duration|uuid|bytes?)"
)
_TYPE_BEHIND = re.compile(
    rf"^\s*(?:(?:public|private|readonly|val|var|let|pub)\s+)*{_FIELD}[!?]?\s*:\s*({_TYPE})(?:\s*\|\s*null|\?)?\s*[;,]?$", re.I
)
"""TypeScript, Kotlin, Python, Rust, Swift, Scala."""
_TYPE_ALIAS = re.compile(rf"^\s*(?:export\s+)?type\s+([A-Za-z_]\w{{1,60}})\s*=\s*({_TYPE})\s*;?$", re.I)
"""A name for a type: TypeScript, Go, Rust."""
_TYPE_BEFORE = re.compile(
    rf"^\s*(?:(?:public|private|protected|internal|final|required|optional)\s+)*({_TYPE})\??\s+{_FIELD}\s*(?:[;,]|\{{\s*get|=\s*\d+\s*;)",
    re.I,
)
"""Java, C#, C++."""
_ALIAS = re.compile(r"^\s*([\w.]+)\s+as\s+[\"`]?(\w+)[\"`]?\s*,?\s*$", re.I)
_SQL = re.compile(r"\.sql$|\bselect\b", re.I)
"""What tells a query from a list of imports, which has names with `as` too."""
_FUNCTION = re.compile(r"\b(?:def|func|function|fn|fun)\s+(\w+)\s*\(([^()]*)\)")
_PARAMETER = re.compile(r"^\s*([A-Za-z_]\w*)\s*(?::[^=]*)?$")
"""One that has no default."""


def fields(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """All that changes a field, a column or a parameter that others send."""
    reads = (required_fields, retyped_fields, renamed_columns, required_parameters)
    yield from (effect for read in reads for patch in patches for effect in read(patch))


def retyped_fields(patch: Patch) -> Iterator[EffectFact]:
    """Fields that are of another type than before: who reads or sends them as that no longer understands them."""
    before, after = both_sides(patch, _types)
    for name, kind in before.items():
        if (other := after.get(name, kind)).casefold() != kind.casefold():
            yield effect_fact("format", name, patch.path, kind, other)


def renamed_columns(patch: Patch) -> Iterator[EffectFact]:
    """Columns that a query gives another name: who reads its rows asks for the one before."""
    removed = {line.strip().rstrip(",") for line in patch.removed}
    lines = (patch.path, *patch.removed, *patch.added, *patch.around)
    for line in patch.added if any(map(_SQL.search, lines)) else ():
        if (match := _ALIAS.match(line)) and match.group(1) in removed:
            yield effect_fact("name", match.group(1).rpartition(".")[2], patch.path, match.group(1), match.group(2))


def required_parameters(patch: Patch) -> Iterator[EffectFact]:
    """Parameters that a function asks for and did not before: a call of before, which waits in a queue, has none."""
    before, after = both_sides(patch, _parameters)
    for function, names in after.items():
        for name in sorted(names - before.get(function, names)):
            yield effect_fact("name", name, patch.path, "", f"required by {function}")


def _parameters(lines: Iterable[str]) -> dict[str, set[str]]:
    """The names of functions to the parameters without which they cannot be called."""
    heads = (match.groups() for match in map(_FUNCTION.search, lines) if match)
    return {name: {p.group(1) for p in map(_PARAMETER.match, text.split(",")) if p} for name, text in heads}


def _types(lines: Iterable[str]) -> dict[str, str]:
    lines = list(lines)
    named = (match for pattern in (_TYPE_BEHIND, _TYPE_ALIAS) for match in map(pattern.match, lines) if match)
    behind = {match.group(1): match.group(2) for match in named}
    return behind | {match.group(2): match.group(1) for match in map(_TYPE_BEFORE.match, lines) if match}


def required_fields(patch: Patch) -> Iterator[EffectFact]:
    """Fields that could be left out before and no longer can."""
    if not any(_SCHEMA.search(line) for line in (patch.path, *patch.around, *patch.added)):
        return
    optional, _ = both_sides(patch, lambda lines: _names(_MAY_BE_MISSING, lines))
    needed = _names(_IS_NEEDED, patch.added)
    for name in (name for name in optional if name in needed):
        yield effect_fact("guard", f"{name} is required", patch.path, after="required")


def _names(pattern: re.Pattern[str], lines: Iterable[str]) -> list[str]:
    return [name for line in lines for match in filter(None, [pattern.match(line)]) for name in match.groups() if name]
