"""How requests reach a service: spread over which instances, until when one that stops, and what a connection keeps."""

import re
from collections.abc import Iterator, Sequence

from bot.core.diffs.effects.settings import effect_fact
from bot.core.diffs.patches import Patch, all_lines, both_sides, first_matches
from bot.core.facts.code import EffectFact

_EACH_INSTANCE = re.compile(r"(?<![a-z])headless(?![a-z])|\bclusterIP:\s*[\"']?None\b", re.I)
"""A name that stands for the addresses of all instances, of which a client chooses one for each call."""
_SPREADS = re.compile(
    r"(?<![a-z])(round_?robin|least_?(?:request|conn)\w*|load_?balancing_?(?:config|policy)|(?:lb|balancer)_?policy|"
    r"max_?connection_?age)(?![a-z])",
    re.I,
)
"""By which a client spreads its calls, or opens its connections anew."""
_PINS = re.compile(r"\bpick_?first\b|session_?affinity[\"']?\s*[:=]\s*[\"']?ClientIP|\bip_?hash\b|balance\s+source\b", re.I)
"""What has each client stay with one instance."""
_DRAINS = re.compile(
    r"(?<![a-z])(pre_?stop|lame_?duck|drain\w*|graceful\w*|deregistration_?delay)(?![a-z])|\bSIGTERM\b|"
    r"\bserver\.Shutdown\(|\bshutdown:\s*graceful",
    re.I,
)
"""What has an instance that stops end its requests, and get no further ones."""
_POOL_MODE = re.compile(r"(?<![a-z])pool_?mode[\"']?\s*[:=]\s*[\"']?(session|transaction|statement)\b", re.I)


def balancing(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """Calls that went to all instances go to one for each client: some get too many, whatever is idle beside them."""
    removed, added = all_lines(patches)
    for lost in (_EACH_INSTANCE, _SPREADS):
        if not any(map(lost.search, added)) and (text := next(first_matches(lost, removed), "")):
            yield effect_fact("balancing", text, _path(patches, lost))
            return
    if not any(map(_PINS.search, removed)) and (text := next(first_matches(_PINS, added), "")):
        yield effect_fact("balancing", text, _path(patches, _PINS))


def lost_draining(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """An instance that stops gets requests until the end, and leaves those that it has."""
    removed, added = all_lines(patches)
    if not any(map(_DRAINS.search, added)) and (text := next(first_matches(_DRAINS, removed), "")):
        yield effect_fact("draining", text, _path(patches, _DRAINS))


def pool_mode(patch: Patch) -> Iterator[EffectFact]:
    """What a client leaves in its connection (prepared statements, settings, locks) is gone at its next statement."""
    before, after = both_sides(patch, lambda lines: [value.casefold() for line in lines for value in _POOL_MODE.findall(line)])
    if before == ["session"] and after and after[0] != "session":
        yield effect_fact("connection_state", "pool mode", patch.path, before[0], after[0])


def _path(patches: Sequence[Patch], pattern: re.Pattern[str]) -> str:
    return next((patch.path for patch in patches if any(map(pattern.search, (*patch.removed, *patch.added)))), "")
