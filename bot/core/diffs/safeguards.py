"""Safeguards that a diff takes away: blocks that close what they opened, whatever happens, and what holds retries back."""

import re
from collections.abc import Iterator, Sequence

from bot.core.diffs.names import counted_names
from bot.core.diffs.patches import Patch
from bot.core.diffs.settings import effect_fact
from bot.core.facts.code import EffectFact

_CLOSES_BY_ITSELF = re.compile(
    r"^\s*(?:try\s*\(|(?:async\s+)?with\s+\S.*:\s*$|(?:await\s+)?using\s*[( ]|defer\s+\S*(?:close|release|unlock|cancel|stop)|"
    r"\}?\s*finally\b|ensure\b)|\.use\s*\{|\bdo \|\w+\|",
    re.I,
)
"""Statements whose end releases what they took, on every way out."""
RESTRAINS = re.compile(r"back_?off|jitter|limiter|breaker|retry_?budget|throttl|semaphore|bulkhead", re.I)
"""Names of what keeps a client from asking again at once and without end."""


def lost_safeguards(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """Each file's block that no longer closes by itself, and the first restraint of calls that is gone."""
    for patch in patches:
        lost = [line for line in patch.removed if _CLOSES_BY_ITSELF.search(line)]
        if lost and not any(_CLOSES_BY_ITSELF.search(line) for line in patch.added):
            yield effect_fact("release", lost[0].strip()[:60], patch.path)
    removed = counted_names(line for patch in patches for line in patch.removed)
    added = counted_names(line for patch in patches for line in patch.added)
    gone = [name for name in removed if RESTRAINS.search(name) and not added[name]]
    if gone and not any(RESTRAINS.search(name) for name in added):
        yield effect_fact("retry", gone[0], "", before=gone[0])
