"""Objects that each request, or each thread, had for itself, and that all of them share now."""

import re
from collections.abc import Iterator, Sequence

from bot.core.diffs.effects.settings import effect_fact
from bot.core.diffs.patches import Patch, all_lines
from bot.core.facts.code import EffectFact

_OWN = re.compile(
    r"\bAdd(?:Scoped|Transient)\b|\bServiceLifetime\.(?:Scoped|Transient)\b|InstancePerLifetimeScope|InstancePerDependency|"
    r"@(?:Request|Session|Prototype)Scoped?\b|@Scope\(\s*[\"'](?:request|prototype|session)|Scope\.(?:REQUEST|TRANSIENT)\b|"
    r"\bThreadLocal\b|\bthreading\.local\(|\bContextVar\(|\bthread_local\b|\bscoped_session\(|\bAsyncLocalStorage\b",
)
"""How containers and languages say that everybody gets one of his own."""
_DEFAULT_OWN = re.compile(r"\bAddDbContext(?:<|\()(?!.*Singleton)")
"""What gives everybody one of his own unless it is told otherwise."""
_SHARED = re.compile(
    r"\bAddSingleton\b|\bServiceLifetime\.Singleton\b|\.SingleInstance\(|@Singleton\b|@ApplicationScoped\b|"
    r"@Scope\(\s*[\"']singleton|Scope\.(?:DEFAULT|SINGLETON)\b"
)
"""How they say that there is one for all."""


def shared_objects(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """The beginning of the line that shares what was everybody's own; of the line that is gone where none says so."""
    removed, added = all_lines(patches)
    own = next((line for line in removed if _OWN.search(line) or _DEFAULT_OWN.search(line)), "")
    if not own or any(map(_OWN.search, added)):
        return
    shared = next((line for line in added if _SHARED.search(line)), "")
    if shared or _OWN.search(own):
        yield effect_fact("sharing", (shared or own).strip()[:60], "")
