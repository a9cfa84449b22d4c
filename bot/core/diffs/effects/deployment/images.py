"""What a container's image is built on and holds: its base, and the packages of its system."""

import re
from collections.abc import Iterable, Iterator

from bot.core.diffs.effects.settings import Values, changed_values, effect_fact, numbered
from bot.core.diffs.patches import Patch
from bot.core.facts.code import EffectFact

_IMAGE_FILE = re.compile(r"(^|/)((Docker|Container)file[\w.-]*|[\w.-]+\.(docker|container)file)$", re.I)
_BASE = re.compile(r"^\s*FROM\s+(?:--\S+\s+)?([\w./-]+):([\w.-]+)", re.I)
_INSTALLS = re.compile(r"\b(?:apt-get|apt|apk|yum|dnf|microdnf|zypper)\b[^&|;]*?(?<![\w-])(?:install|add)(?![\w-])([^&|;#]*)")
"""What stands behind an installer's command."""
_OPTION = re.compile(r"(?<!\S)(?:-t|--target-release|--repository|-X)[ =]\S+|(?<!\S)-\S+")
_LINE_OF_ITS_OWN = re.compile(r"^\s+([a-z][\w.+:=$-]*)\s*\\?$")
"""A package on a line that goes on with those of the line before."""
_PACKAGE = re.compile(r"(?<![^\s\\])([a-z][a-z0-9.+-]*)(?=[\s\\=:]|$)")

INSTALLED = "installed"
"""What a package of the system was that is in the image no longer."""


def image_contents(patch: Patch) -> Iterator[EffectFact]:
    """Another base of an image, and packages that are installed in it no longer."""
    if not _IMAGE_FILE.search(patch.path):
        return
    for name, old, new in changed_values(patch, _bases):
        yield effect_fact("dependency", name, patch.path, old, new)
    if patch.cut:
        return
    there = "\n".join((*patch.added, *patch.around))
    for name in _packages(patch):
        # It may stand in another line now, or in one that did not change.
        if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", there):
            yield effect_fact("dependency", name, patch.path, INSTALLED)


def is_base_image(effect: EffectFact) -> bool:
    """Whether a dependency is what an image was built on before."""
    return bool(_IMAGE_FILE.search(effect.path)) and effect.before not in ("", INSTALLED)


def _bases(lines: Iterable[str]) -> Values:
    return numbered((match.group(1), match.group(2)) for match in filter(None, map(_BASE.match, lines)))


def _packages(patch: Patch) -> dict[str, None]:
    """Those that lines which are gone installed, each once."""
    texts = [text for line in patch.removed for text in _INSTALLS.findall(line)]
    if any(_INSTALLS.search(line) for line in (*patch.removed, *patch.around)):
        texts += [match.group(1) for match in filter(None, map(_LINE_OF_ITS_OWN.match, patch.removed))]
    return dict.fromkeys(name for text in texts for name in _PACKAGE.findall(_OPTION.sub(" ", text)))
