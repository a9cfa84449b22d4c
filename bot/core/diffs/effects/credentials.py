"""Names under which code is given its keys and passwords: under another it finds none."""

import re
from collections.abc import Iterable, Iterator

from bot.core.diffs.effects.settings import CONFIGURATION, effect_fact
from bot.core.diffs.patches import Patch, both_sides
from bot.core.facts.code import EffectFact

_CREDENTIAL = re.compile(
    r"(?<![\w-])(?=[\w-]*(?:api_?key|secret|token|passw(?:or)?d|credential|access_?key|private_?key))[A-Za-z_][\w-]{3,80}(?![\w(])",
    re.I,
)
_HANDS_OVER = re.compile(r"name:|key:|env|secret|passw|token|getenv|environ|vault|config", re.I)
"""What stands on a line that hands something to a program, or has it handed."""

_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`")


def renamed_credentials(patch: Patch) -> Iterator[EffectFact]:
    """A credential that is given, or asked for, under another name than before."""
    read = _names if CONFIGURATION.search(patch.path) else _names_in_code
    before, after = both_sides(patch, read)
    old, new = sorted(before - after) or sorted(before), sorted(after - before)
    if old and new:
        yield effect_fact("access", old[0], patch.path, old[0], new[0])


def _names(lines: Iterable[str]) -> set[str]:
    return {name for line in lines if _HANDS_OVER.search(line) for name in _CREDENTIAL.findall(line)}


def _names_in_code(lines: Iterable[str]) -> set[str]:
    """Names that stand within quotes, or in capitals as variables of the environment do: others are the code's own."""
    quoted = {line: " ".join(_QUOTED.findall(line)) for line in lines}
    return {name for line in quoted for name in _names([line]) if name.isupper() or name in quoted[line]}
