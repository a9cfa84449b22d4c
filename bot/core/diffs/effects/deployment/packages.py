"""Packages that a program is built upon: in manifests, and in the lock files that package managers write."""

import re
from collections.abc import Iterable, Iterator, Sequence

from bot.core.diffs.effects.settings import Values, changed_values, effect_fact, is_manifest, numbered
from bot.core.diffs.patches import Patch, both_sides
from bot.core.facts.code import EffectFact

_LOCK_FILE = re.compile(r"(^|/)((poetry|uv|pdm|Pipfile|yarn|Cargo|composer)\.lock|package-lock\.json)$", re.I)
_NAME = re.compile(r"^\s*(?:name = \"|\"(?:node_modules/)?)([@\w./-]+)\"(?::\s*\{)?\s*$")
_VERSION = re.compile(r"^\s*\"?version\"?\s*[=:]?\s*\"?v?(\d[\w.+-]*)\"?,?$")

_DEPENDENCY = re.compile(r"^[\s\"'-]*(?:FROM\s+)?([@A-Za-z][\w@./:-]*?)[\"'\s:=@^~>]+v?(\d+(?:\.[\w-]+)+)")
_WITHIN = (
    re.compile(r"^\s*<Package(?:Reference|Version)\s+(?:Include|Update)=\"([\w.-]+)\"\s+Version=\"\[?(\d+(?:\.[\w-]+)+)"),
    re.compile(r"^\s*[\"']?([A-Za-z][\w.-]*)[\"']?\s*=\s*\{.{0,160}?\bversion\s*=\s*[\"'][=^~>]*\s*(\d+(?:\.[\w-]+)+)"),
)
"""A version among other attributes: of .NET, and in a table of TOML."""
_SECTION = re.compile(r"^\s*(?:\"[\w-]+\":\s*\{|\[[\w.-]+\])")
_FOR_DEVELOPMENT = re.compile(r"dev[-.]?dependencies|require-dev|dev-packages|optional-?dependencies|\[dev\]", re.I)
_MAJOR = re.compile(r"/v\d+$")
"""The end of a Go module's path from its second major version on: it is the same package."""


def manifest_packages(patch: Patch) -> Iterator[EffectFact]:
    """Packages whose version in a manifest changed, was added or removed."""
    if is_manifest(patch.path):
        for name, before, after in changed_values(patch, _versions):
            yield effect_fact("dependency", name, patch.path, before, after)
        yield from _no_longer_installed(patch)


def _no_longer_installed(patch: Patch) -> Iterator[EffectFact]:
    """Packages that stand among those for development alone now: what is built for production has them no more."""
    removed, added = [], []
    inside = False
    for line in patch.lines:
        text = line.rpartition("@@")[2] if line.startswith("@@") else line[1:]
        if line.startswith("@@") or _SECTION.match(text):
            inside = bool(_FOR_DEVELOPMENT.search(text))
        elif line.startswith("-") and not inside:
            removed.append(text)
        elif line.startswith("+") and inside:
            added.append(text)
    after = _versions(added)
    for (name, _), version in _versions(removed).items():
        if after.get((name, 0)) == version:
            yield effect_fact("dependency", name, patch.path, version)


def _versions(lines: Iterable[str]) -> Values:
    patterns = (_DEPENDENCY, *_WITHIN)
    matches = filter(None, (next(filter(None, (pattern.match(line) for pattern in patterns)), None) for line in lines))
    return numbered((_MAJOR.sub("", match.group(1).strip(":@=")), match.group(2)) for match in matches)


def is_small_step(before: str, after: str) -> bool:
    """Whether two versions of a dependency differ in the last number alone: such a step seldom breaks anything."""
    old, new = (version.split(".")[:3] for version in (before, after))
    return bool(before and after) and len(old) > 2 and old[:2] == new[:2]


def locked_packages(patch: Patch) -> Iterator[EffectFact]:
    """Each package of a lock file with both versions, whose names stand on lines of their own.

    None where the names beside are not as many as the versions on each side.
    """
    if not _LOCK_FILE.search(patch.path):
        return
    names = _read(_NAME, patch.around)
    before, after = both_sides(patch, lambda lines: _read(_VERSION, lines))
    if len(names) == len(before) == len(after):
        for name, old, new in zip(names, before, after, strict=True):
            yield effect_fact("dependency", name, patch.path, old, new)


def _read(pattern: re.Pattern[str], lines: Iterable[str]) -> Sequence[str]:
    return [match.group(1) for match in filter(None, map(pattern.match, lines))]
