"""Keys and passwords: the names under which code is given them, whether they are handed on, and whether they are renewed."""

import re
from collections.abc import Iterable, Iterator, Sequence

from bot.core.diffs.effects.settings import CONFIGURATION, effect_fact
from bot.core.diffs.patches import Patch, all_lines, both_sides
from bot.core.facts.code import EffectFact

_CREDENTIAL = re.compile(
    r"(?<![\w-])(?=[\w-]*(?:api_?key|secret|token|passw(?:or)?d|(?:smtp|mail|db|database|redis|mongo|pg|mysql|rabbit|user|admin|ldap)[_-]pass(?![a-z])|credential|access_?key|private_?key))[A-Za-z_][\w-]{3,80}(?![\w(])",
    re.I,
)
_HANDS_OVER = re.compile(r"name:|key:|env|secret|passw|token|getenv|environ|vault|config", re.I)
"""What stands on a line that hands something to a program, or has it handed."""

_HEADER_NAME = r"\b(authorization|cookie|x-[\w-]*(?:auth|token|api-?key)[\w-]*)\b"
_HEADER = re.compile(rf"{_HEADER_NAME}[\"']?\]?\s*[:,=]?\s*([^\s;,)]*)", re.I)
"""A header with which a request says who sends it, and what it is set to."""
_SETS_HEADER = re.compile(rf"header|{_HEADER_NAME}(?:[\"']\s*[:,\]]|\s*:)", re.I)
"""What tells it from a variable or a text with that word."""
_SAME_SITE = re.compile(r"same_?site[\"']?\s*(?:=>|[:=(])\s*[\"']?(?:\w+\.)*(none|lax|strict)\b", re.I)
_EMPTY = ("", '""', "''", "null", "nil", "None")
_RENEWS = re.compile(r"\b\w*(?:renew|refresh|rotate|re_?login|re_?authenticate)\w*\s*\(", re.I)
_LASTS = re.compile(r"lease|vault|credential|creds|token|secret|certificate|ticket|passw", re.I)
"""What is valid for a time."""
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`")


def renamed_credentials(patch: Patch) -> Iterator[EffectFact]:
    """A credential that is given, or asked for, under another name than before."""
    read = _names if CONFIGURATION.search(patch.path) else _names_in_code
    before, after = both_sides(patch, read)
    old, new = sorted(before - after) or sorted(before), sorted(after - before)
    if old and new:
        yield effect_fact("access", old[0], patch.path, old[0], new[0])


def dropped_headers(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """A header with credentials that a gateway or client handed on and that is emptied, or gone and set in no other file."""
    anywhere = _headers(all_lines(patches)[1])
    for patch in patches:
        before, after = both_sides(patch, _headers)
        for name, value in before.items():
            if value not in _EMPTY and after.get(name, anywhere.get(name, "")) in _EMPTY:
                yield effect_fact("access", name, patch.path, value)


def narrowed_cookies(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """Cookies that other sites' pages brought along, and no longer do: what comes back from a sign-in elsewhere has none."""
    before, after = ({value.casefold() for line in lines for value in _SAME_SITE.findall(line)} for lines in all_lines(patches))
    if gone := sorted(before - after):
        yield effect_fact("access", "sameSite of cookies", "", gone[0], next(iter(sorted(after)), "none set"))


def _headers(lines: Iterable[str]) -> dict[str, str]:
    setting = (line for line in lines if _SETS_HEADER.search(line))
    return {name.casefold(): value for line in setting for name, value in _HEADER.findall(line)}


def lost_renewals(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """What renewed a lease, a token or a certificate and no longer does: it ends when that does."""
    removed, added = all_lines(patches)
    if any(_RENEWS.search(line) for line in added) or not any(_LASTS.search(line) for line in removed):
        return
    renewing = (match.group() for match in map(_RENEWS.search, removed) if match)
    if call := next(renewing, ""):
        yield effect_fact("renewal", call.rstrip("( "), "")


def _names(lines: Iterable[str]) -> set[str]:
    return {name for line in lines if _HANDS_OVER.search(line) for name in _CREDENTIAL.findall(line)}


def _names_in_code(lines: Iterable[str]) -> set[str]:
    """Names that stand within quotes, or in capitals as variables of the environment do: others are the code's own."""
    quoted = {line: " ".join(_QUOTED.findall(line)) for line in lines}
    return {name for line in quoted for name in _names([line]) if name.isupper() or name in quoted[line]}
