"""What a container's image is built on and holds: its base, and the packages of its system."""

import re
from collections.abc import Iterable, Iterator

from bot.core.diffs.effects.settings import Values, changed_values, effect_fact, numbered
from bot.core.diffs.patches import Patch, both_sides
from bot.core.facts.code import EffectFact

_IMAGE_FILE = re.compile(r"(^|/)((Docker|Container)file[\w.-]*|[\w.-]+\.(docker|container)file)$", re.I)
_BASE = re.compile(r"^\s*FROM\s+(?:--\S+\s+)?([\w./-]+):([\w.-]+)", re.I)
_INSTALLS = re.compile(
    r"\b(?:apt-get|apt|apk|yum|dnf|microdnf|zypper)\b.*?\b(?:install|add)\b([^&|;#]*)|^\s+([a-z0-9.+ -]+)\\?$"
)
"""What stands behind an installer's command, or on a line of its own that goes on with its packages."""
_PACKAGE = re.compile(r"(?<![\w./=$@-])[a-z][a-z0-9.+]*(?:-[a-z0-9.+]+)*(?![\w/=(])")


def image_contents(patch: Patch) -> Iterator[EffectFact]:
    """Another base of an image, and packages that are installed in it no longer."""
    if not _IMAGE_FILE.search(patch.path):
        return
    for name, old, new in changed_values(patch, _bases):
        yield effect_fact("dependency", name, patch.path, old, new)
    before, after = both_sides(patch, _packages)
    for name in before:
        if name not in after:
            yield effect_fact("dependency", name, patch.path, "installed")


def _bases(lines: Iterable[str]) -> Values:
    return numbered((match.group(1), match.group(2)) for match in filter(None, map(_BASE.match, lines)))


def _packages(lines: Iterable[str]) -> dict[str, None]:
    installed = [text for line in lines for texts in _INSTALLS.findall(line) for text in texts]
    return dict.fromkeys(name for text in installed for name in _PACKAGE.findall(text))
