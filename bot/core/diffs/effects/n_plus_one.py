"""Calls made for each item in a loop where one call was made for many before (N+1): more calls, for the same work."""

import re
from collections.abc import Iterable, Iterator, Sequence

from bot.core.diffs.effects.settings import effect_fact
from bot.core.diffs.identifiers import identifiers
from bot.core.diffs.patches import Patch
from bot.core.facts.code import EffectFact

_MANY_AT_ONCE = re.compile(
    r"batch|bulk|chunk|prefetch|select_?related|preload|eager|join_?fetch|multi_?get|pipeline|_many\b|includes\(", re.I
)
_LOOP = re.compile(r"^\s*(?:for|foreach|while)\b|\.(?:map|forEach|each)\(")
_READ_OF_ONE = re.compile(
    r"\b\w*(?:store|db|repo\w*|dao|client|cursor|session|conn|(?<!c)tx|objects|cache|redis|api|http)\w*(?:\.\w+)*\.\w+\(|"
    r"\b(?:query|fetch|execute|find\w*)\(|\.(?!With)\w+\(\s*ctx\b|\bawait \s*\w+|"
    r"\b\w+\.(?:get|find|load|fetch|lookup|read)_?[a-z]\w{2,}\(",
    re.I,
)
_CALL = re.compile(r"\b([A-Za-z_]\w{3,})\(")
_PLURAL = (
    (re.compile(r"ies(?=$|[A-Z_])"), "y"),
    (re.compile(r"sses(?=$|[A-Z_])"), "ss"),
    (re.compile(r"(?<!s)s(?=$|[A-Z_])"), ""),
    (re.compile(r"(List|_list)$"), ""),
)
"""How the name of a call for many becomes that of a call for one: GetProducts, find_by_ids."""


def n_plus_one_calls(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """Calls for many at once that are gone, and calls for each item of a loop that is new."""
    for patch in patches:
        yield from _no_longer_together(patch)
        yield from _calls_in_loops(patch)
    yield from _single_for_many(patches)


def _no_longer_together(patch: Patch) -> Iterator[EffectFact]:
    """Names that tell of many at once are gone, and none has come."""
    added = "\n".join(patch.added)
    for line in patch.removed:
        for name in identifiers(line):
            if _MANY_AT_ONCE.search(name) and name not in added and not _MANY_AT_ONCE.search(added):
                yield effect_fact("batch", name, patch.path)


def _calls_in_loops(patch: Patch) -> Iterator[EffectFact]:
    """A read of a store or another service for each item of a loop that is new, where it was not made in a loop before."""
    before = _in_loop(patch.removed)
    for line in _in_loop(patch.added):
        match = _READ_OF_ONE.search(line)
        if match and not any(match.group(0) in old for old in before):
            yield effect_fact("batch", match.group(0).strip("( "), patch.path)


def _in_loop(lines: Sequence[str]) -> Sequence[str]:
    """The first lines within the first loop."""
    started = next((position for position, line in enumerate(lines) if _LOOP.search(line)), len(lines))
    return lines[started + 1 : started + 8]


def _single_for_many(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """`GetProducts(ids)` is gone and `GetProduct(id)` has come, in whichever file."""
    removed = _calls(line for patch in patches for line in patch.removed)
    added = _calls(line for patch in patches for line in patch.added)
    for name in sorted(removed - added):
        if _singulars(name) & (added - removed):
            yield effect_fact("batch", name, next(patch.path for patch in patches if name in _calls(patch.removed)))


def _calls(lines: Iterable[str]) -> set[str]:
    return {name for line in lines for name in _CALL.findall(line)}


def _singulars(name: str) -> set[str]:
    return {pattern.sub(ending, name) for pattern, ending in _PLURAL} - {name}
