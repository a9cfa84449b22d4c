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
"""What gives everybody one of his own where nothing else is written."""
_TYPES = re.compile(r"[<,(]\s*([A-Z]\w+)")
_SHARED = re.compile(
    r"\bAddSingleton\b|\bServiceLifetime\.Singleton\b|\.SingleInstance\(|@Singleton\b|@ApplicationScoped\b|"
    r"@Scope\(\s*[\"']singleton|Scope\.(?:DEFAULT|SINGLETON)\b"
)
"""How they say that there is one for all."""

_OF_CHANCE = re.compile(r"uuid|guid|\bnano_?id\b|\bulid\b|random|secrets\.token|\brand\b", re.I)
_IS_ID = re.compile(r"(?<![a-z])(id|name|key|group|consumer|session|token)\w*[\"']?\s*(?::=|=>|[:=(])", re.I)
"""A line that makes what somebody is told apart by."""
_NAMED = r"[A-Za-z_][\w:<>,\[\] ]{0,80}[ >]([A-Za-z_]\w*)\s*[=(;{]"
_LOCAL = re.compile(rf"^\s+(?!.*\bstatic\b){_NAMED}")
_STATIC = re.compile(rf"^\s+(?:(?:private|public|protected)\s+)?static\s+(?!.*\b(?:final|const)\b){_NAMED}")
"""A variable of C, C++, Java or C# with its type, of one call and of the whole program."""
_BESIDE = re.compile(
    r"\bgo func\b|\bgo \w[\w.]*\(|create_task\(|ensure_future\(|tokio::spawn|CompletableFuture\.\w+Async|start_child\(|"
    r"\bTask\.(?:async|start|Run)\w*\(|perform_later\b|apply_async\(|(?i:executor|pool)\w*\.(?:submit|execute)\(|"
    r"enqueue\w*\(|setImmediate\(|add_task\(|::dispatch\(|\bdispatch\(new |thread::spawn"
)
"""What is done beside, or later, while nobody waits for it."""
_CALL = re.compile(r"\b([A-Za-z_]\w{3,})\s*\(")
_AWAITS = re.compile(r"\bawait\b|\bsuspend\b|\bGenServer\.cast\(")
"""What is waited for without holding a thread or a process, or not at all."""
_BLOCKS = re.compile(
    r"\.GetAwaiter\(\)\s*\.GetResult\(\)|Async\([^)]*\)\.(?:Result\b|Wait\(\))|\brunBlocking\b|\bGenServer\.call\(|"
    r"\brun_until_complete\(|\basyncio\.run\(|\b(?:exec|execFile|spawn|readFile|writeFile|pbkdf2|scrypt|gzip|gunzip|deflate)Sync\("
)
"""What holds one until the answer is there."""
_ELSEWHERE = re.compile(
    r"\bDispatchers\.(?:IO|Default)\b|\brun_in_executor\(|\bto_thread\(|\brun_sync\(|\bspawn_blocking\b|\bblock_in_place\b|"
    r"\bSchedulers\.(?:boundedElastic|io)\b|\bexecuteBlocking\b|\bsubscribeOn\("
)
"""What takes a call that holds a thread off those that serve everybody."""
_STILL_ELSEWHERE = re.compile(r"\bawait\b|\bwithContext\(|dispatcher|executor|threadpool|\bpublishOn\(", re.I)
_NAME, _SHORTEST_NAME = re.compile(r"[A-Za-z_]\w*"), 4


def shared_objects(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """The beginning of the line that shares what was everybody's own; of the line that is gone where none says so."""
    removed, added = all_lines(patches)
    if name := _made_static(removed, added):
        yield effect_fact("sharing", name, "")
    own = next((line for patch in patches if patch.added for line in filter(_is_own, patch.removed)), "")
    if not own or any(map(_is_own, added)):
        return
    shared = next((line for line in added if _SHARED.search(line) and _of_same_type(own, line)), "")
    if shared or _OWN.search(own):
        yield effect_fact("sharing", (shared or own).strip()[:60], "")


def shared_ids(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """The beginning of the line that made an id of chance, where nothing that is added does: who had one each may share it."""
    removed, added = all_lines(patches)
    line = next((line for line in removed if _OF_CHANCE.search(line) and _IS_ID.search(line)), "")
    if line and not any(map(_OF_CHANCE.search, added)):
        yield effect_fact("sharing", line.strip()[:60], "")


def _made_static(removed: Sequence[str], added: Sequence[str]) -> str:
    """A variable of C, Java or C# that lived for one call and lives as long as the program now; "" without one."""
    local = {match.group(1) for match in map(_LOCAL.match, removed) if match}
    static = (match.group(1) for match in map(_STATIC.match, added) if match)
    return next((name for name in static if name in local), "")


def _is_own(line: str) -> bool:
    return bool(_OWN.search(line) or _DEFAULT_OWN.search(line))


def _of_same_type(own: str, shared: str) -> bool:
    """Whether two lines name one type; also where one names none, as annotations do."""
    types, others = set(_TYPES.findall(own)), set(_TYPES.findall(shared))
    return not (types and others) or bool(types & others)


def waits(patch: Patch) -> Iterator[EffectFact]:
    """A call that was made beside, or later, is made now while somebody waits for it: the first one within.

    Also one that was awaited and holds a thread or a process until it has ended.
    """
    if blocking := _blocks_now(patch):
        yield effect_fact("waiting", blocking, patch.path)
        return
    if any(map(_BESIDE.search, patch.added)):
        return
    added = counted_names(patch.added)
    for line, beside in ((line, match) for line in patch.removed if (match := _BESIDE.search(line))):
        call = _CALL.search(line, beside.end())
        if call and added[call.group(1)]:
            yield effect_fact("waiting", beside.group().strip("( "), patch.path)
            return


def _blocks_now(patch: Patch) -> str:
    """The first added call that holds a thread or a process, where what is gone awaited and held none; "" without one.

    Else what took a call off the threads that serve everybody, if that is gone and the call is not.
    """
    if taken_off := _no_longer_elsewhere(patch):
        return taken_off
    if any(map(_BLOCKS.search, patch.removed)) or not any(map(_AWAITS.search, patch.removed)):
        return ""
    return next((match.group().strip("(.") for match in map(_BLOCKS.search, patch.added) if match), "")


def _no_longer_elsewhere(patch: Patch) -> str:
    """What took a call off the threads that serve everybody, where that call is made in place now; "" else."""
    if any(map(_ELSEWHERE.search, patch.added)):
        return ""
    apart = next(filter(None, map(_ELSEWHERE.search, patch.removed)), None)
    if apart is None:
        return ""
    start = next(n for n, line in enumerate(patch.removed) if apart.group() in line)
    # A function may be handed over by its name: `to_thread(parse, body)`.
    handed = " ".join((patch.removed[start][apart.end() :], *patch.removed[start + 1 :]))
    names = {name for name in _NAME.findall(handed) if len(name) >= _SHORTEST_NAME}
    in_place = any(names & {*_CALL.findall(line)} and not _STILL_ELSEWHERE.search(line) for line in patch.added)
    return apart.group().strip("(.") if in_place else ""
