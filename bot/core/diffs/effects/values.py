"""Constants that something is compared with, the bits of numbers, and the labels of metrics: what values a diff changes."""

import re
from collections.abc import Iterable, Iterator

from bot.core.diffs.effects.settings import effect_fact, is_manifest
from bot.core.diffs.patches import Patch, both_sides
from bot.core.facts.code import EffectFact

_COMPARED = re.compile(
    r"(?:\s[<>]=?\s+|[!=]==?\s*)((?:\w+\.)*(?!(?:None|True|False|NULL)\b)[A-Z][A-Za-z]\w+|\d+(?:\.\d+)?)(?![\w.])"
)
"""The constant that something is compared with."""
_WIDTH = re.compile(r"\b(?:u?int|float)(8|16|32|64)(?:_t)?\b|\b[uif](8|16|32|64)\b")
"""How many bits a number has."""
_LONG = re.compile(r"\b(?:long|Long|bigint|BIGINT)\s+([A-Za-z_]\w*)\b")
_INT = re.compile(r"\b(?:int|Integer|integer|INTEGER|INT)\s+([A-Za-z_]\w*)\b")
"""A number of Java, C# or SQL and its name."""
_METRIC = re.compile(r"([\w.]{0,80})\.(?:WithLabelValues|labels|tags?)\(((?:[^()]|\([^()]*\))*)\)")
"""A metric, and where it is told the values of its labels."""
UNBOUNDED = re.compile(
    r"url\.?path|original_?url|\breq(uest)?\.(path|url)|raw_?path|request_?uri|(user|session|request|trace|customer|order)_?id\b|e_?mail|phone|msisdn|(remote|client)_?(ip|addr)|"
    r"[a-z]_at\b|(?-i:[a-z]At\b)|time_?stamp|\bnow\(",
    re.I,
)
"""What is another one for each request or user."""
_NO_METRIC = re.compile(r"span|trac(?:e|ing)|scope|sentry|image|docker", re.I)
"""Traces and images have tags as well, and keep no series of each."""
_ROUTE_PATTERN = re.compile(
    r"RoutePattern|BEST_MATCHING_PATTERN|route_?template|url_rule|\breq(?:uest)?\.route\b|\.FullPath\(|matched_?route|path_?template",
    re.I,
)
_RAW_PATH = re.compile(
    r"\b\w*\.URL\.Path\b|original_?url|\breq(?:uest)?\.(?:path|url)\b|getRequestURI|raw_?path|request_?uri", re.I
)
_COMMA = re.compile(r",(?![^()]*\))")


def constants(patch: Patch) -> Iterator[EffectFact]:
    """Something is compared with another constant than before; versions of packages are told by themselves."""
    if is_manifest(patch.path):
        return
    before, after = both_sides(patch, lambda lines: dict.fromkeys(_texts_of(_COMPARED, lines)))
    gone, new = [name for name in before if name not in after], [name for name in after if name not in before]
    if gone and new:
        yield effect_fact("comparison", "", patch.path, gone[0], new[0])


def narrower(patch: Patch) -> Iterator[EffectFact]:
    """A number has fewer bits than before."""
    before, after = both_sides(
        patch, lambda lines: {int(bits) for line in lines for pair in _WIDTH.findall(line) for bits in pair if bits}
    )
    if before and after and min(after) < min(before):
        yield effect_fact("limit", "the bits of a number", patch.path, str(min(before)), str(min(after)))
    long, short = both_sides(patch, lambda lines: {name for line in lines for name in _LONG.findall(line)})
    _, int_names = both_sides(patch, lambda lines: {name for line in lines for name in _INT.findall(line)})
    if long & int_names - short:
        yield effect_fact("limit", "the bits of a number", patch.path, "64", "32")


def labels(patch: Patch) -> Iterator[EffectFact]:
    """A metric that is kept for one label more, or for one whose values have no end: each of them is a series of its own."""
    before, after = both_sides(patch, _label_values)
    for metric, values in after.items():
        if _NO_METRIC.search(metric):
            continue
        usual = before.get(metric, [])
        new = [value for value in values if value not in usual]
        unbounded = [value for value in new if UNBOUNDED.search(value)]
        if unbounded or (usual and new and len(values) > len(usual)):
            yield effect_fact("label", (unbounded or new)[0], patch.path)
    yield from _raw_routes(patch)


def _raw_routes(patch: Patch) -> Iterator[EffectFact]:
    """A label that held the pattern of a route holds the path that was called: another one for each object."""
    patterns, raw = (
        any(map(_ROUTE_PATTERN.search, patch.removed)),
        next(filter(None, map(_RAW_PATH.search, patch.added)), None),
    )
    if patterns and raw and not any(map(_ROUTE_PATTERN.search, patch.added)):
        yield effect_fact("label", raw.group(), patch.path)


def _label_values(lines: Iterable[str]) -> dict[str, list[str]]:
    """The values of each metric's labels."""
    calls = (call for line in lines for call in _METRIC.findall(line))
    values = dict[str, list[str]]()
    for metric, text in calls:
        values.setdefault(metric, []).extend(value.strip() for value in _COMMA.split(text) if value.strip())
    return values


def _texts_of(pattern: re.Pattern[str], lines: Iterable[str]) -> Iterator[str]:
    return (text for line in lines for text in pattern.findall(line))
