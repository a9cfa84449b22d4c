"""Safeguards that a diff takes away.

Blocks that close what they opened, whatever happens, what holds retries back, one order for all, arithmetic within its range,
lists that are cut off, results that are remembered, entries that expire at moments of chance, permits that are given back.
"""

import re
from collections.abc import Iterator, Sequence

from bot.core.diffs.effects.settings import effect_fact
from bot.core.diffs.identifiers import counted_names
from bot.core.diffs.patches import Patch, all_lines, both_sides
from bot.core.facts.code import EffectFact

CLOSES_BY_ITSELF = re.compile(
    r"^\s*(?:try\s*\(|(?:async\s+)?with\s+\S.*:\s*$|(?:await\s+)?using\s*[( ]|defer\s+\S*(?:close|release|unlock|cancel|stop)|"
    r"\}?\s*finally\b|ensure\b)|\.use\s*\{|\bdo \|\w+\|",
    re.I,
)
"""Statements whose end releases what they took, on every way out."""
_DEFERRED = re.compile(r"defer\s+([\w.]+\.(?:Close|Release|Stop|Cancel)\(|cancel\()")
_LENDS = re.compile(r"\b(?:with|in)[A-Z]\w{1,60}\(\s*(?:\w{1,60}::\w|\(?\w{0,60}\)?\s*[-=]>)")
"""A function that may lend what it takes back: `withHandle(h -> ...)`; others of such a form, as `withSpan`, take nothing."""
ACQUIRES = re.compile(r"\b\w*(?:getConnection|openSession|acquire|connect|checkout|open|newInputStream|borrow)\w*\(", re.I)
_OPENS_FILE = re.compile(r"(?<![\w.])open\(")
_SORTS = re.compile(r"\bsort\w*(?:\.\w+)?\(|\.(?:sort\w*|order_?by\w*)\(|\border by\b", re.I)
_IN_TRANSACTION = re.compile(r"transaction|(?<![a-z])tx(?![a-z])|(?<![bc])lock|\bfor update\b|savepoint", re.I)
_CHECKED = re.compile(r"\b(?:checked|saturating)_\w+\(|\b(?:add|subtract|multiply)Exact\(|\bMath\.(?:max|floorMod)\(", re.I)
"""Arithmetic that cannot leave the range of its type."""
RESTRAINS = re.compile(r"back_?off|jitter|limiter|breaker|retry_?budget|throttl|semaphore|bulkhead", re.I)
"""Names of what keeps a client from asking again at once and without end."""
_BOUNDS = re.compile(
    r"\b\w{0,40}(?:[cC]lip(?!board)|[cC]lamp|[tT]runcate|[lL]imitReader|[aA]t_?[mM]ost|[cC]ap(?:_?[tT]o(?!r)|_?[aA]t|ped)|[tT]rim_?[tT]o|"
    r"(?<![uU]n)[bB]ounded)\w{0,40}\s*\("
)
"""Calls that cut off what is longer than it may be."""
_GIVES_AWAY = re.compile(r"\.forget\(\);|\bmem::forget\(|\bManuallyDrop::new\(|\bBox::leak\(")
"""What is taken and never given back by itself."""
_STORES = re.compile(r"(?:\.|\b)(?:h?set\w*|put\w*|add|save|store|insert|write|cache)\(", re.I)
_EXPIRES = re.compile(r"(?<![a-z])(?:ttl|max_?age)(?![a-z])|expir|\b[ep]x\s*[=:]|[\"'][ep]x[\"']|Ttl\b|TTL", re.I)
_CHANCE = re.compile(r"\b(?:rand(?:om)?|rnd|rng)\w*\b|next(?:Double|Int|Float|Long)\(|jitter", re.I)
"""What spreads moments over a time."""
_COLLECTION = re.compile(
    r"^(?:(?:export|public|private|protected|internal|static|final|readonly|var|let|const|global|pub|val|mut)\s+)*"
    r"(?:[\w<>\[\], .?]+\s)?(?:self\.|this\.)?([A-Za-z_]\w*)\s*(?::[^=]{0,60})?:?=\s*"
    r"(?:new\s+\w*Map\b|\{\}|dict\(|make\(map|HashMap::new|map\[|sync\.Map)"
)
"""A collection that outlives a request: declared at the beginning of a line, as static, or of an object."""
_OF_OBJECT = re.compile(r"^\s+(?:static\b|private static\b|self\.|this\.)")
_MOST_COLLECTIONS = 20
_AT_ONCE = re.compile(r"(?<![A-Za-z])p-?[lL]imit\(|\.SetLimit\(|\bbuffer_unordered\(|\bCapacityLimiter\(")
"""What limits how much is done at the same time."""
_COUNTED_LOOP = re.compile(
    r"\bfor\b.{0,40}(?:<=?\s*[\w.]+|\bin range\(|\.times\b|\bin 0?1?\.\.)|\bwhile\b.{0,40}<=?\s*\w*|"
    r"max_?(?:retries|attempts|tries)",
    re.I,
)
_ENDLESS_LOOP = re.compile(r"\bfor\s*\{|\bfor\s*\(\s*;\s*;\s*\)|\bwhile\s*\(?\s*(?:true|1)\b|^\s*loop\s*(?:\{|do\b)", re.I)
_TRIES = re.compile(r"retry|retries|attempt|\btries\b|back_?off|\berr\b.*nil|\bcatch\b|\bexcept\b|\brescue\b", re.I)
"""What tells that a loop tries something again."""
_TAKES_LOCK = re.compile(
    r"\b\w*(?:(?<![bc])(?<!un)lock|acquire)\w*\(|\bfor (?:no key )?update\b|for_update|"
    r"\bupdate \w+ set\b|\b(?:insert into|delete from)\s+\w+|\.(?:save|persist)\w*\(",
    re.I,
)
"""What takes a lock, of its own or of a row: two who take the same ones in different orders wait for each other for ever."""
_KEPT_BY_CACHES = re.compile(
    r"cache-?control|s-?max-?age\b|stale-while|surrogate-(?:control|key)|no-?store\b|if-none-match|\betag\b|set-cookie", re.I
)
"""Headers that tell caches whether, and for how long, they keep an answer."""
_KEEPS_CONNECTIONS = re.compile(
    r"IHttpClientFactory|(?:\b_|\bthis\._?|\bself\._?)(?:http|client|session)\w*\.(?:get|post|put|patch|delete|send|request)\w*"
    r"(?:<[^<>]*>)?\(|\.CreateClient\(|requests\.Session\(|\bsession\.(?:get|post|put|request)\(|keep_?alive|"
    r"PoolingHttpClientConnectionManager|http\.Agent\(|max_?idle_?conns|pool_?manager|ConnectionPool\(",
    re.I,
)
"""What keeps connections for the next call."""
_ONE_AT_A_TIME = re.compile(
    r"\bconcurrencyPolicy:\s*[\"']?(?:Forbid|Replace)|\bmax_active_runs\s*=\s*1\b|\bmax_instances\s*=\s*1\b|\bflock\s+-\w|"
    r"@DisallowConcurrentExecution|\bwithoutOverlapping\(|\bunique_for\b"
)
"""What keeps a scheduled run from beginning while the one before goes on."""
_SCHEDULED = re.compile(r"\bschedule(?:_interval)?\b[\"']?\s*[:=]|\bkind:\s*CronJob\b")
_CONNECTS_ANEW = re.compile(
    r"\bnew HttpClient\b|HttpClient\.newHttpClient\(|HttpClients\.createDefault\(|\brequests\.(?:get|post|put|request)\(|"
    r"&?http\.(?:Client|Transport)\{|\bhttpx\.(?:get|post|put|request)\(|new RestTemplate\(|new OkHttpClient\("
)
"""What makes a connection for one call."""
NO_NUMBER = "cut off"
"""The value of a limit that code kept by itself: it can be lost, and never set to another number."""
REUSED = "reused"
"""The value of connections that were reused from one call to the next."""
RIGHTS = "rights"
"""The name of an effect that takes rights of roles back, or gives them under a further condition."""


def lost_safeguards(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """Each file's block, order, bound or memory of results that is gone, what no longer expires, the first lost restraint."""
    removed_lines, added_lines = all_lines(patches)
    removed, added = map(counted_names, (removed_lines, added_lines))
    for patch in patches:
        if (text := _no_longer_closed(patch)) or (text := _taken_out(patch)):
            yield effect_fact("release", text, patch.path)
        if (text := _lost(_SORTS, patch)) and not any(_SORTS.search(line) for other in patches for line in other.added):
            yield effect_fact("order", text, patch.path)
        if line := _sorts_otherwise(patch):
            yield effect_fact("order", line, patch.path)
        if text := _lost(_CHECKED, patch):
            yield effect_fact("guard", text, patch.path, before=text)
        if line := _leaked(patch):
            yield effect_fact("release", line, patch.path)
        if (name := _lost_memory(patch)) and not added[name]:
            yield effect_fact("cache", name, patch.path)
        if line := _locks_in_other_order(patch):
            yield effect_fact("lock", line, patch.path)
        if line := _kept_otherwise(patch):
            yield effect_fact("cache", line, patch.path)
        if match := _BOUNDS.search(_lost_line(_BOUNDS, patch)):
            yield effect_fact("limit", match.group().rstrip("( "), patch.path, before=NO_NUMBER)
    if (line := _lost_of_all(_KEEPS_CONNECTIONS, removed_lines, added_lines)) and any(map(_CONNECTS_ANEW.search, added_lines)):
        yield effect_fact("pool", line, "", before=REUSED)
    if line := _no_longer_alone(removed_lines, added_lines) or _no_longer_limited(patches):
        yield effect_fact("pool", line, "", before=NO_NUMBER)
    if line := _no_longer_spread(patches):
        yield effect_fact("cache", line, "")
    if line := _no_longer_expires(patches):
        yield effect_fact("expiry", line, "")
    if line := _no_longer_ends(patches):
        yield effect_fact("retry", line, "", before=NO_NUMBER)
    gone = [name for name in removed if RESTRAINS.search(name) and not added[name]]
    if gone and not any(RESTRAINS.search(name) for name in added):
        yield effect_fact("retry", gone[0], "", before=gone[0])


def _no_longer_closed(patch: Patch) -> str:
    """The beginning of a block that closed by itself, where no added one does, nor one that lends; "" without one.

    A file that nothing opens any more is not left open, nor is what is closed by hand on every way out.
    """
    text = "" if any(map(_LENDS.search, patch.added)) else _lost(CLOSES_BY_ITSELF, patch)
    if text.startswith("defer") and _closed_by_hand(patch, text):
        return ""
    return "" if _OPENS_FILE.search(text) and not any(map(_OPENS_FILE.search, patch.added)) else text


def _closed_by_hand(patch: Patch, text: str) -> bool:
    """Whether what a `defer` of Go closed is closed before each return of its function; only where its end is seen.

    A panic leaves a function as well, and the process with it most often: who is not to stay locked is not left to that.
    """
    closed = _DEFERRED.match(text)
    if closed is None or not patch.path.endswith(".go"):
        return False
    start = next(n for n, line in enumerate(patch.lines) if line.startswith("-") and line[1:].strip().startswith(text))
    rest = [line[1:] for line in patch.lines[start:] if not line.startswith("-")]
    end = next((n for n, line in enumerate(rest) if line.startswith("}")), None)
    if end is None or any(line.startswith("@") for line in rest[:end]):
        return False
    closes, ways_out = (sum(sign in line for line in rest[:end]) for sign in (closed.group(1), "return "))
    return ways_out > 0 and closes >= ways_out


def _taken_out(patch: Patch) -> str:
    """What is acquired outside of the block that gave it back, where it was acquired within it; "" without such."""
    within = {call for line in patch.removed if CLOSES_BY_ITSELF.search(line) for call in ACQUIRES.findall(line)}
    bare = (
        line.strip()
        for line in patch.added
        if not (CLOSES_BY_ITSELF.search(line) or _LENDS.search(line)) and within & {*ACQUIRES.findall(line)}
    )
    return next(bare, "")[:60]


def _locks_in_other_order(patch: Patch) -> str:
    """The first statement that takes a lock where the same ones were taken in another order; "" without such."""
    before, after = both_sides(patch, lambda lines: [line.strip() for line in lines if _TAKES_LOCK.search(line)])
    return after[0][:60] if before != after and sorted(before) == sorted(after) else ""


def _sorts_otherwise(patch: Patch) -> str:
    """The beginning of a removed line that sorts, where added ones sort otherwise and rows are locked near; "" else."""
    if not any(_IN_TRANSACTION.search(line) for line in (*patch.added, *patch.removed, *patch.around)):
        return ""
    before, after = both_sides(patch, lambda lines: [line.strip() for line in lines if _SORTS.search(line)])
    return before[0][:60] if before and after and not {*before} & {*after} else ""


def _kept_otherwise(patch: Patch) -> str:
    """The beginning of a removed line that told caches of an answer, where others or none do so now; "" without one."""
    before, after = both_sides(patch, lambda lines: [line.strip() for line in lines if _KEPT_BY_CACHES.search(line)])
    return before[0][:60] if before and before != after else ""


def _no_longer_ends(patches: Sequence[Patch]) -> str:
    """The loop without an end that tries again what was tried a number of times before; "" without one."""
    removed, added = all_lines(patches)
    counted = any(map(_COUNTED_LOOP.search, removed)) and not any(map(_COUNTED_LOOP.search, added))
    if not counted or not all(any(map(_TRIES.search, lines)) for lines in (removed, added)):
        return ""
    return next((line.strip()[:60] for line in added if _ENDLESS_LOOP.search(line)), "")


def _no_longer_alone(removed: Sequence[str], added: Sequence[str]) -> str:
    """What let one scheduled run begin after the other; "" without it, and where the run itself is gone."""
    return "" if _lost_of_all(_SCHEDULED, removed, added) else _lost_of_all(_ONE_AT_A_TIME, removed, added)


def _no_longer_limited(patches: Sequence[Patch]) -> str:
    """The beginning of a removed line that limited what is done at once, where nothing added does so; "" without one."""
    if any(_AT_ONCE.search(line) for patch in patches for line in patch.added):
        return ""
    lines = (line for patch in patches for line in patch.removed if _AT_ONCE.search(line))
    return next(lines, "").strip()[:60]


def _leaked(patch: Patch) -> str:
    """The beginning of a line of Rust that lets go of what would have been given back, and is new; "" without one."""
    before = {line.strip() for line in patch.removed}
    lines = (line.strip() for line in patch.added if patch.path.endswith(".rs") and _GIVES_AWAY.search(line))
    return next((line for line in lines if line not in before), "")[:60]


def _no_longer_expires(patches: Sequence[Patch]) -> str:
    """The beginning of a removed line that stored something for a time, where nothing that is added names a time; else ""."""
    if any(_EXPIRES.search(line) for patch in patches for line in patch.added):
        return ""
    stored = (line for patch in patches for line in patch.removed if _STORES.search(line) and _EXPIRES.search(line))
    return next(stored, "").strip()[:60]


def _no_longer_spread(patches: Sequence[Patch]) -> str:
    """The beginning of a removed line that let entries expire at moments of chance, where nothing added does so; else ""."""
    if any(_CHANCE.search(line) for patch in patches for line in patch.added):
        return ""
    lines = (line for patch in patches for line in patch.removed if _CHANCE.search(line) and _EXPIRES.search(line))
    return next(lines, "").strip()[:60]


def _lost_memory(patch: Patch) -> str:
    """A collection from which results were taken that had been put there, and which is gone; "" without one."""
    removed = "\n".join(patch.removed)
    lasting = (line.strip() for line in patch.removed if not line[:1].isspace() or _OF_OBJECT.match(line))
    names = [match.group(1) for match in map(_COLLECTION.match, lasting) if match]
    for name in list(dict.fromkeys(names))[:_MOST_COLLECTIONS]:
        own = re.escape(name)
        reads = re.search(rf"\b{own}(\.(get|has|contains\w*|load)\(|\[)|\bin {own}\b", removed, re.I)
        writes = re.search(rf"\b{own}(\.(set|put\w*|add|store|computeIfAbsent)\(|\[[^\]]+\]\s*=)", removed, re.I)
        if reads and writes:
            return name
    return ""


def _lost_of_all(pattern: re.Pattern[str], removed: Sequence[str], added: Sequence[str]) -> str:
    """What the first removed line of a kind says, of which none is added in any file; "" without one."""
    matches = (match.group().strip("( ") for match in map(pattern.search, removed) if match)
    return "" if any(map(pattern.search, added)) else next(matches, "")


def _lost(pattern: re.Pattern[str], patch: Patch) -> str:
    """The beginning of the first removed line of a kind of which none is added; "" without one."""
    return _lost_line(pattern, patch)[:60]


def _lost_line(pattern: re.Pattern[str], patch: Patch) -> str:
    lost = [line for line in patch.removed if pattern.search(line)]
    return "" if not lost or any(pattern.search(line) for line in patch.added) else lost[0].strip()
