"""Fields of a request or record that may no longer be left out: who does not send them is refused."""

import re
from collections.abc import Iterable, Iterator

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
