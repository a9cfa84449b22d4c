"""Regular expressions that are new: some texts take them very long, others no longer match."""

import re
from collections.abc import Iterator

from bot.core.diffs.effects.settings import CONFIGURATION, effect_fact
from bot.core.diffs.patches import Patch
from bot.core.facts.code import EffectFact, EffectKind

_EXPRESSION = re.compile(
    r"\bre\.(?:compile|match|search|sub|findall|fullmatch)\(|Pattern\.compile\(|new RegExp\(|"
    r"regexp\.(?:Must)?Compile\(|Regex::new\(|\(\?(?::|P?<\w+>|=|!)"
)
_LITERAL = re.compile(r"(?:=|:|\()\s*/(?!\s)(?:\[(?:[^\]\\]|\\.)*\]|[^/\\\t\n\[]|\\.){3,}/[gimsuy]*\s*[,;.)]?")
_HAS_LITERALS = re.compile(r"\.([cm]?[jt]sx?|vue|svelte|coffee|rb|erb|rake|cr|pl|pm|groovy|gradle)$", re.I)
"""Languages that write an expression between slashes; elsewhere that is a path."""
_SETTING = re.compile(r"^[\s-]*[\"']?\w*(?:pattern|regexp?|grok|expression)[\"']?\s*[:=].*[\\*+?^$(\[].*", re.I)
_REPEATED_REPETITION = re.compile(r"(?<!\\)[+*][^()|]{0,6}\)+[+*]")
"""A group that ends in a repetition and is repeated itself: of one text there are so many ways to match that none ends."""
_UNBOUNDED = re.compile(r"(?<!\\)(?:[+*]|\{\d+,\})")
"""A repetition without an end: one alone is matched in a time that grows with the text."""


def expressions(patch: Patch) -> Iterator[EffectFact]:
    """Another regular expression: one that may take some texts long, surely so where a repetition is repeated, or neither."""
    added = [line for line in patch.added if line not in patch.removed]
    for line in added:
        for pattern in _patterns(patch.path):
            if match := pattern.search(line):
                yield effect_fact(_kind(line[match.start() :]), match.group().strip(), patch.path)


def _kind(expression: str) -> EffectKind:
    if _REPEATED_REPETITION.search(expression):
        return "backtracking"
    return "pattern" if len(_UNBOUNDED.findall(expression)) > 1 else "match"


def _patterns(path: str) -> Iterator[re.Pattern[str]]:
    yield _EXPRESSION
    if _HAS_LITERALS.search(path):
        yield _LITERAL
    if CONFIGURATION.search(path):
        yield _SETTING
