"""Packages whose version changed in what a package manager writes, where each name stands on a line of its own."""

import re
from collections.abc import Iterable, Iterator, Sequence

from bot.core.diffs.effects.settings import effect_fact
from bot.core.diffs.patches import Patch, both_sides
from bot.core.facts.code import EffectFact

_LOCK_FILE = re.compile(r"(^|/)((poetry|uv|pdm|Pipfile|yarn|Cargo|composer)\.lock|package-lock\.json)$", re.I)
_NAME = re.compile(r"^\s*(?:name = \"|\"(?:node_modules/)?)([@\w./-]+)\"(?::\s*\{)?\s*$")
_VERSION = re.compile(r"^\s*\"?version\"?\s*[=:]?\s*\"?v?(\d[\w.+-]*)\"?,?$")


def locked_packages(patch: Patch) -> Iterator[EffectFact]:
    """Each package with both versions; none where the names beside are not as many as the versions on each side."""
    if not _LOCK_FILE.search(patch.path):
        return
    names = _read(_NAME, patch.around)
    before, after = both_sides(patch, lambda lines: _read(_VERSION, lines))
    if len(names) == len(before) == len(after):
        for name, old, new in zip(names, before, after, strict=True):
            yield effect_fact("dependency", name, patch.path, old, new)


def _read(pattern: re.Pattern[str], lines: Iterable[str]) -> Sequence[str]:
    return [match.group(1) for match in filter(None, map(pattern.match, lines))]
