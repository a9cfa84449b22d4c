"""What runs at the same time: objects that everybody had for himself, and work that was done while nobody waited for it."""

import re
from collections.abc import Iterator, Sequence

from bot.core.diffs.effects.settings import effect_fact
from bot.core.diffs.identifiers import counted_names
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

_NAMED = r"[A-Za-z_][\w:<>,\[\] ]{0,80}[ >]([A-Za-z_]\w*)\s*[=(;{]"
_LOCAL = re.compile(rf"^\s+(?!.*\bstatic\b){_NAMED}")
_STATIC = re.compile(rf"^\s+(?:(?:private|public|protected)\s+)?static\s+(?!.*\b(?:final|const)\b){_NAMED}")
"""A variable of C, C++, Java or C# with its type, of one call and of the whole program."""
_BESIDE = re.compile(
    r"\bgo func\b|\bgo \w+[\w.]*\(|create_task\(|ensure_future\(|tokio::spawn|CompletableFuture\.\w+Async|start_child\(|"
    r"\bTask\.(?:async|start|Run)\w*\(|perform_later\b|\.delay\(|apply_async\(|\.submit\(|executor\.execute\(|enqueue\w*\(|"
    r"setImmediate\(|add_task\(|dispatch\(|thread::spawn"
)
"""What is done beside, or later, while nobody waits for it."""
_CALL = re.compile(r"\b([A-Za-z_]\w{3,})\s*\(")


def shared_objects(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """The beginning of the line that shares what was everybody's own; of the line that is gone where none says so."""
    removed, added = all_lines(patches)
    if name := _made_static(removed, added):
        yield effect_fact("sharing", name, "")
    own = next((line for line in removed if _OWN.search(line) or _DEFAULT_OWN.search(line)), "")
    if not own or any(map(_OWN.search, added)):
        return
    shared = next((line for line in added if _SHARED.search(line)), "")
    if shared or _OWN.search(own):
        yield effect_fact("sharing", (shared or own).strip()[:60], "")


def _made_static(removed: Sequence[str], added: Sequence[str]) -> str:
    """A variable of C, Java or C# that lived for one call and lives as long as the program now; "" without one."""
    local = {match.group(1) for match in map(_LOCAL.match, removed) if match}
    static = (match.group(1) for match in map(_STATIC.match, added) if match)
    return next((name for name in static if name in local), "")


def waits(patch: Patch) -> Iterator[EffectFact]:
    """A call that was made beside, or later, is made now while somebody waits for it."""
    if any(_BESIDE.search(line) for line in patch.added):
        return
    added = counted_names(patch.added)
    for line in (line for line in patch.removed if (match := _BESIDE.search(line))):
        calls = (name for name in _CALL.findall(line) if added[name] and not _BESIDE.search(f"{name}("))
        yield from (effect_fact("waiting", match.group().strip("( "), patch.path) for _ in calls if match)
        return
