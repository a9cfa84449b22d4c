"""Variables of the environment under another name: code that asks for the one before finds nothing."""

import re
from collections.abc import Iterable, Iterator, Sequence

from bot.core.diffs.effects.settings import effect_fact
from bot.core.diffs.patches import Patch, both_sides
from bot.core.facts.code import EffectFact

_VARIABLE = re.compile(
    r"\bname:\s*[\"']?([A-Z][A-Z0-9_]{3,80})[\"']?\s*$|^\s*[\"']?([A-Z][A-Z0-9]*_[A-Z0-9_]{2,80})[\"']?\s*[:=]"
)
"""A variable of the environment in a manifest, as an entry of a list or of a map."""
_READ_BY_CODE = re.compile(
    r"(?:process\.env\.|process\.env\[|environ(?:\.get)?[\[(]|getenv\(|env::var\(|ENV\[|ENV\.fetch\(|env:)[\"']?([A-Z][A-Z0-9_]{3,80})\b"
)
"""A variable that code reads: `process.env.RELAY_HOST`, `os.environ["RELAY_HOST"]`, `env:"RELAY_HOST"`."""
_ADDRESS = re.compile(r"(^|_)(UR[IL]|HOST(NAME)?|ADDR(ESS)?|ENDPOINT|DSN|SERVERS?|BROKERS?)$")
"""A variable that says where somebody is reached."""
_BEGINNING = 3
"""Letters with which two names begin that mean the same."""
_MANIFEST = re.compile(r"\.(ya?ml|tf|tfvars|hcl|env|json|toml)$", re.I)


def renamed_environment(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """A variable that a manifest gives, or code asks for, under another name; nothing that is added elsewhere has that name."""
    manifests = [patch for patch in patches if _MANIFEST.search(patch.path)]
    code = [patch for patch in patches if not _MANIFEST.search(patch.path)]
    for one, other, names in ((manifests, code, _variables), (code, manifests, _read_by_code)):
        elsewhere = "\n".join(line for patch in other for line in patch.added)
        for patch in one:
            before, after = both_sides(patch, names)
            for old, new in _renamed(before, after):
                if new not in elsewhere:
                    yield effect_fact("variable", old, patch.path, old, new)
                    if _ADDRESS.search(old):
                        # Who does not find it calls what is there by default.
                        yield effect_fact("address", old, patch.path, old, new)


def _renamed(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Names that are gone, each with the first new one that has more than half of its parts.

    Where as many are new as are gone, each took the place of one: that they begin and end alike is enough.
    """
    gone, fresh = [name for name in before if name not in after], [name for name in after if name not in before]
    in_place = len(gone) == len(fresh)
    for position, old in enumerate(gone):
        parts = old.split("_")
        alike = (new for new in fresh if 2 * len({*parts} & {*new.split("_")}) > len(parts))
        if new := next(alike, fresh[position] if in_place and _says_the_same(old, fresh[position]) else ""):
            yield old, new


def _says_the_same(old: str, new: str) -> bool:
    """`BANK_GATEWAY_URL` and `BANKGW_URL`: they begin alike and end in the same part."""
    return old[:_BEGINNING] == new[:_BEGINNING] and old.split("_")[-1] == new.split("_")[-1]


def _read_by_code(lines: Iterable[str]) -> list[str]:
    return [name for line in lines for name in _READ_BY_CODE.findall(line)]


def _variables(lines: Iterable[str]) -> list[str]:
    return [name for line in lines for pair in _VARIABLE.findall(line) for name in pair if name]
