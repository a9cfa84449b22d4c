"""How requests reach a service: spread over which instances, until when one that stops, and what a connection keeps."""

import re
from collections.abc import Iterator, Sequence

from bot.core.diffs.effects.settings import CONFIGURATION, effect_fact
from bot.core.diffs.patches import Patch, all_lines, both_sides
from bot.core.facts.code import EffectFact

_HEADLESS = re.compile(r"(?<![\w-])([a-z][\w-]*)-headless(?=[.:/\"'\s]|$)", re.I)
"""A name that stands for the addresses of all instances, of which a client chooses one for each call."""
_NO_ADDRESS = re.compile(r"^\s*clusterIP:\s*[\"']?None\b")
_ONE_ADDRESS = re.compile(r"^\s*(type:\s*ClusterIP|clusterIP:\s*[\"']{2})\s*$")
_PINS = re.compile(r"\bpick_first\b|^\s*sessionAffinity:\s*[\"']?ClientIP|^\s*ip_hash;|^\s*balance\s+source\b")
"""What has each client stay with one instance, as the usual proxies and Kubernetes are told so."""
_DRAINS = re.compile(r"^\s*-?\s*(preStop|deregistration_delay\w*|lame_?duck\w*)\b", re.I)
"""What has an instance that stops end its requests, and get no further ones."""
_ELSEWHERE = re.compile(r"lifecycle|include|template|preStop|deregistration_delay|lame_?duck", re.I)
"""What may hold that instead."""
_POOL_MODE = re.compile(r"(?<![a-z])pool_?mode[\"']?\s*[:=]\s*[\"']?(session|transaction|statement)\b", re.I)


def balancing(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """Calls that went to all instances go to one for each client: some get too many, whatever is idle beside them."""
    removed, added = all_lines(patches)
    then = "\n".join(added)
    for name in (name for line in removed for name in _HEADLESS.findall(line)):
        # The same service by its one address; another name may be another's that stands for all as well.
        if not _HEADLESS.search(then) and re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", then):
            yield effect_fact("balancing", f"{name}-headless", "")
            return
    for patch in (patch for patch in patches if CONFIGURATION.search(patch.path)):
        one_address = any(map(_NO_ADDRESS.search, patch.removed)) and any(map(_ONE_ADDRESS.search, patch.added))
        pins = any(map(_PINS.search, patch.added)) and not any(map(_PINS.search, patch.removed))
        if one_address or pins:
            yield effect_fact("balancing", "one address" if one_address else "one instance for each client", patch.path)


def lost_draining(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """An instance that stops gets requests until the end, and leaves those that it has."""
    if any(map(_ELSEWHERE.search, all_lines(patches)[1])):
        return
    for patch in (patch for patch in patches if CONFIGURATION.search(patch.path)):
        if match := next(filter(None, map(_DRAINS.search, patch.removed)), None):
            yield effect_fact("draining", match.group(1), patch.path)


def pool_mode(patch: Patch) -> Iterator[EffectFact]:
    """What a client leaves in its connection (prepared statements, settings, locks) is gone at its next statement."""
    before, after = both_sides(patch, lambda lines: {value.casefold() for line in lines for value in _POOL_MODE.findall(line)})
    if before == {"session"} and after and "session" not in after:
        yield effect_fact("connection_state", "pool mode", patch.path, "session", min(after))
