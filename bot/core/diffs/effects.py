"""What a diff does, read from its changed lines in any usual language: limits, time-outs, queries, dependencies, leaks.

A heuristic by kinds of setting and kinds of statement, never by what a commit's author says of it. What is not recognised
is left out: that a diff shows no effect does not make it innocent.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from bot.core.diffs.names import counted_names, identifiers, words
from bot.core.diffs.patches import Patch, is_import
from bot.core.facts.code import EffectFact, EffectKind

T = TypeVar("T")

_SETTING = re.compile(
    r"(?<![\w.\-])([A-Za-z_][\w.\-]*)[\"']?\]?\s*(?::\s*\w+\s*)?(?::=|[:=])\s*"
    r"([\"']?)(-?\d[\d_]*(?:\.\d+)?(?:\s*\*\s*[\w.]+)?\w*%?|true|false|on|off|trace|debug|info|warn\w*|error|always|never)\2"
    r"(?![\w(])",
    re.I,
)
"""A name with a number, a switch or a log level: `max_retries: 3`, `Timeout: 5 * time.Second`, `level=debug`."""
_CALLED_SETTING = re.compile(
    r"(?:\.|\b)(?:set|with)_?([A-Z_a-z]\w*)\(\s*(?:\w+\.)*(-?\d[\d_.]*(?:\s*\*\s*[\w.]+)?\w*|true|false|trace|debug|info|warn\w*|error)"
    r"(?:Level)?\s*\)",
    re.I,
)
"""`setMaxPoolSize(10)`, `.withTimeout(5)`, `logger.setLevel(logging.DEBUG)`."""
_KINDS: tuple[tuple[EffectKind, str], ...] = (
    ("verbosity", r"(log|trace|debug|sampl).*(level|rate|ratio|verbos|mode)|^level$|verbos|sample_?rate|^debug$|log_?level"),
    ("timeout", r"time_?out|deadline|keep_?alive|linger|lease|leeway|skew|grace|delay|probe|heartbeat"),
    ("retry", r"retr(y|ies)|attempt|back_?off|jitter|circuit|breaker"),
    ("cache", r"ttl|cache|expir|evict|max_?age|stale|memoi"),
    ("pool", r"pool|conn(ection)?s?$|max_?conn|max_?idle|max_?open|thread|worker|concurren|parallel|semaphore|replica|shard"),
    ("memory", r"mem(ory)?|heap|xmx|cpu|resources?"),
    ("batch", r"batch|chunk|page_?size|bulk|fetch_?size|prefetch|flush"),
    ("schedule", r"interval|cron|schedule|period|every|poll|tick"),
    ("limit", r"limit|max|min|quota|rate|burst|size|capacity|threshold|budget|depth|length|buffer|queue|window|bytes"),
)
"""Kinds of settings by their names, the more special first."""
_CONFIGURATION = re.compile(
    r"\.(ya?ml|toml|ini|properties|env|json|conf|cfg|tf|tfvars|hcl|xml)$|(^|/)(values|config|settings)[\w.-]*$", re.I
)
_MANIFEST = re.compile(
    r"(^|/)(go\.mod|package\.json|requirements[\w.-]*\.txt|pyproject\.toml|Pipfile|pom\.xml|build\.gradle(\.kts)?|Cargo\.toml|"
    r"Gemfile|composer\.json|[\w.-]+\.csproj|Dockerfile[\w.-]*)$",
    re.I,
)
_DEPENDENCY = re.compile(r"^[\s\"'-]*(?:FROM\s+)?([@A-Za-z][\w@./:-]*?)[\"'\s:=@^~>]+v?(\d+(?:\.[\w-]+)+)")
_SQL = re.compile(
    r"\b(?:from|join|into|update|table|index|references)\s+(?:if\s+(?:not\s+)?exists\s+)?[`\"\[]?([A-Za-z_][\w.]*)", re.I
)
_IS_SQL = re.compile(
    r"\b(select\b.+\bfrom|insert\s+into|update\s+\w+\s+set|delete\s+from|join\s+\w+\s+on|"
    r"(create|alter|drop)\s+(table|index|column|unique))\b",
    re.I,
)
_SCHEMA = re.compile(
    r"\b(create|alter|drop|rename|add)\s+(table|index|column|constraint|type|view)\b|add_column|drop_column|create_table", re.I
)
_MIGRATION = re.compile(r"migrat|schema|ddl|flyway|liquibase|alembic", re.I)
_COLLECTION = re.compile(
    r"^(?:(?:export|public|private|protected|internal|static|final|readonly|var|let|const|global|pub|lazy|val|mut)\s+)*"
    r"(?:[\w<>\[\], .?]+\s)?([A-Za-z_]\w*)\b[^=(]*"
    r"(?:=\s*(?:\[\]|\{\}|dict\(|list\(|set\(|defaultdict\(|new\s+(?:\w*Map|\w*List|Set|Array|Concurrent\w+)|"
    r"make\(map|make\(\[\]|map\[|\[\]\w|Vec::new|HashMap::new)|\s\[\][\w.*]+\s*$|\smap\[)"
)
"""A collection that outlives a request: declared at the beginning of a line or as static."""
_GROWS = (
    re.compile(r"\b([A-Za-z_]\w*)\s*=\s*append\(\s*\1\b"),
    re.compile(r"\b([A-Za-z_]\w*)\s*\.\s*(?:append|push|add|put|set|insert|extend|store|offer)\("),
    re.compile(r"\b([A-Za-z_]\w*)\s*\[[^\]]{1,120}\]\s*="),
    re.compile(r"\b([A-Za-z_]\w*)\s*\+="),
)
"""What lets a collection grow, with its name."""
_BOUNDED = re.compile(
    r"max|limit|evict|\blru\b|ttl|expir|capacity|pop\(|popleft|shift\(|trim|truncat|maxlen|\bring\b|\[:|len\(\w+\)\s*[>%]", re.I
)
_RELEASE = re.compile(
    r"\b(close|release|free|dispose|evict|expire|unsubscribe|cancel|shutdown|stop|unlock|clear|cleanup|removeListener|"
    r"removeEventListener|disconnect|purge|rotate)\w*\s*\(",
    re.I,
)
_MANY_AT_ONCE = re.compile(
    r"batch|bulk|chunk|prefetch|select_?related|preload|eager|join_?fetch|multi_?get|pipeline|_many\b|includes\(", re.I
)
_LOCK = re.compile(r"(?:un)?lock(?:ed|ing)?\s*\(|\bfor update\b|\bsynchronized\b|\b(?:acquire|release)(?:_lock|Lock)?\(", re.I)
_SPAWN = re.compile(
    r"\bgo func\b|\bgo \w+[\w.]*\(|new Thread\(|Thread\(target|create_task\(|setInterval\(|ensure_future\(|tokio::spawn|"
    r"CompletableFuture\.\w+Async"
)
_CACHE_KEY = re.compile(r"^(?=.*(?:key|cache))(?=.*[\"'`].*[%{:])", re.I)
_LOOP = re.compile(r"^\s*(?:for|foreach|while)\b|\.(?:map|forEach|each)\(")
_READ_OF_ONE = re.compile(
    r"\b\w*(?:store|db|repo\w*|dao|client|cursor|session|conn|tx|objects|cache|redis|api|http)\w*(?:\.\w+)*\.\w+\(|"
    r"\b(?:query|fetch|execute|find\w*)\(",
    re.I,
)
_GUARD = re.compile(
    r"^\s*(?:\}?\s*else\s+)?(?:if|unless|guard|assert|require|check)\b|\?\.|\?\?|getOrDefault|Optional|is not None|!= nil|"
    r"!==? null"
)
_CALL = re.compile(r"\b([A-Za-z_]\w{3,})\s*\(")
_REPORTING = re.compile(
    r"\b(log|logger|logging|slog|console|print\w*|fmt\.\w*print\w*|LOG_\w+|trace|span|metrics?|counter|histogram|statsd|sentry|"
    r"http\.Error|writeError|set_?attribute|Header\(\)\.Set)\b|\.(info|debug|warn\w*|error|trace|fatal|json|observe|inc\w*)\(",
    re.I,
)
"""Lines that report something, to a log, a metric or a caller: they rarely break what they report."""
_STRING = re.compile(r"\"([^\"\\]{2,80})\"|'([^'\\]{2,80})'")
_NOT_LETTERS = re.compile(r"[^a-z0-9<>=!]")
_CONSTANT_KEY = re.compile(r"^[A-Za-z_][\w.-]{2,60}$")


def effects_of(patches: Sequence[Patch]) -> tuple[EffectFact, ...]:
    """What the patches do together, each effect once."""
    code = [_without_reporting(patch) for patch in patches]
    effects = [
        *_of_each(patches, _dependencies),
        *_of_each(code, _settings),
        *_queries(code),
        *_of_each(code, _accumulations),
        *_of_each(code, _one_by_one),
        *_releases(code),
        *_of_each(code, _statements),
        *_calls_and_guards(code),
        *_of_each(code, _names),
    ]
    unique = {(effect.kind, _NOT_LETTERS.sub("", effect.name.casefold())): effect for effect in reversed(effects)}
    return tuple(reversed(unique.values()))


def _of_each(patches: Iterable[Patch], read: Callable[[Patch], Iterator[EffectFact]]) -> Iterator[EffectFact]:
    return (effect for patch in patches for effect in read(patch))


def _both_sides(patch: Patch, read: Callable[[Sequence[str]], T]) -> tuple[T, T]:
    """What stands in the removed and in the added lines."""
    return read(patch.removed), read(patch.added)


def is_manifest(path: str) -> bool:
    """Whether a file lists what is built upon."""
    return bool(_MANIFEST.search(path))


def is_reporting(line: str) -> bool:
    """Whether a line writes to a log, a metric, a span or the body of an answer."""
    return bool(_REPORTING.search(line)) and not _CALLED_SETTING.search(line)


def _without_reporting(patch: Patch) -> Patch:
    """A file of configuration stays whole: its lines report nothing."""
    if _CONFIGURATION.search(patch.path):
        return patch
    removed, added = _both_sides(patch, lambda lines: tuple(line for line in lines if not is_reporting(line)))
    return Patch(patch.path, removed, added, patch.sent, patch.cut)


def _effect(kind: EffectKind, name: str, path: str, before: str = "", after: str = "") -> EffectFact:
    return EffectFact(kind=kind, name=name[:80], before=before[:40], after=after[:40], path=path[:160])


def _dependencies(patch: Patch) -> Iterator[EffectFact]:
    """Packages whose version in a manifest changed, was added or removed."""
    if _MANIFEST.search(patch.path):
        for name, before, after in _changed_values(patch, _versions):
            yield _effect("dependency", name, patch.path, before, after)


def _changed_values(patch: Patch, read: Callable[[Iterable[str]], dict[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Each name whose value differs, with the value before and after; "" where a side does not name it."""
    before, after = _both_sides(patch, read)
    for name in {**before, **after}:
        old, new = before.get(name, ""), after.get(name, "")
        if old != new:
            yield name, old, new


def _versions(lines: Iterable[str]) -> dict[str, str]:
    matches = filter(None, map(_DEPENDENCY.match, lines))
    return {match.group(1).strip(":@="): match.group(2) for match in matches}


def is_small_step(before: str, after: str) -> bool:
    """Whether two versions of a dependency differ in the last number alone: such a step seldom breaks anything."""
    old, new = (version.split(".")[:3] for version in (before, after))
    return bool(before and after) and len(old) > 2 and old[:2] == new[:2]


def _settings(patch: Patch) -> Iterator[EffectFact]:
    """Settings that have another value, are gone or are new."""
    if not _MANIFEST.search(patch.path):
        for name, before, after in _changed_values(patch, _assigned):
            if kind := _kind_of(name, before, after, patch.path):
                yield _effect(kind, name, patch.path, before, after)


def _assigned(lines: Iterable[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for line in lines:
        values |= {match.group(1).split(".")[-1]: match.group(3).strip() for match in _SETTING.finditer(line)}
        values |= {match.group(1): match.group(2).strip() for match in _CALLED_SETTING.finditer(line)}
    return values


def _kind_of(name: str, old: str, new: str, path: str) -> EffectKind | None:
    for kind, pattern in _KINDS:
        if re.search(pattern, name, re.I):
            # A setting that has one side alone is a new or a lost line: in code that is rarely more than a new variable.
            return kind if (old and new) or _CONFIGURATION.search(path) or not old or kind != "limit" else None
    return "setting" if old and new and len(name) > 2 else None


def _queries(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    migrated = {name.casefold() for patch in patches if _MIGRATION.search(patch.path) for name in _tables(patch.added)}
    for patch in patches:
        for line in patch.added + patch.removed:
            if _SCHEMA.search(line):
                for name in _SQL.findall(line):
                    yield _effect("schema", name, patch.path)
        removed = {name.casefold() for name in _tables(patch.removed)}
        for name in _tables(patch.added):
            if name.casefold() not in removed | migrated:
                yield _effect("query", name, patch.path)


def _tables(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if _IS_SQL.search(line):
            yield from _SQL.findall(line)


def _accumulations(patch: Patch) -> Iterator[EffectFact]:
    """A collection that outlives requests is new and grows, and nothing that is added bounds it."""
    if any(_BOUNDED.search(line) for line in patch.added):
        return
    growing = {name for line in patch.added for pattern in _GROWS for name in pattern.findall(line)}
    for line in patch.added:
        match = _COLLECTION.match(line) if not line.startswith(("  ", "\t\t")) or "static" in line else None
        if match and match.group(1) in growing:
            yield _effect("accumulation", match.group(1), patch.path)


def _one_by_one(patch: Patch) -> Iterator[EffectFact]:
    """What was done for many at once is done for one at a time."""
    added = "\n".join(patch.added)
    for line in patch.removed:
        for name in identifiers(line):
            if _MANY_AT_ONCE.search(name) and name not in added and not _MANY_AT_ONCE.search(added):
                yield _effect("batch", name, patch.path)


def _statements(patch: Patch) -> Iterator[EffectFact]:
    """Locks that are taken or released elsewhere, work that is started beside, other keys of a cache, a call in a new loop."""
    yield from (_effect("lock", text, patch.path) for text in _matches(_LOCK, patch.removed + patch.added))
    yield from (_effect("spawn", text, patch.path) for text in _matches(_SPAWN, patch.added))
    before, after = _both_sides(patch, lambda lines: [line for line in lines if _CACHE_KEY.search(line)])
    if before and after and before != after:
        yield _effect("cache", after[0].strip(), patch.path)
    yield from _calls_in_loops(patch)


def _matches(pattern: re.Pattern[str], lines: Iterable[str]) -> Iterator[str]:
    return (match.group(0).strip() for match in filter(None, map(pattern.search, lines)))


def _calls_in_loops(patch: Patch) -> Iterator[EffectFact]:
    """A read of a store or another service for each item of a loop that is new."""
    started = next((position for position, line in enumerate(patch.added) if _LOOP.search(line)), len(patch.added))
    for line in patch.added[started + 1 : started + 8]:
        if match := _READ_OF_ONE.search(line):
            yield _effect("batch", match.group(0).strip("( "), patch.path)


def _releases(patches: Iterable[Patch]) -> Iterator[EffectFact]:
    """Something is no longer closed, released or evicted."""
    added = "\n".join(line for patch in patches for line in patch.added)
    for patch in patches:
        for line in patch.removed:
            match = _RELEASE.search(line)
            if match and match.group(1).casefold() not in added.casefold():
                yield _effect("release", line.strip()[:60], patch.path)


def _calls_and_guards(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """Calls that are no longer made, and conditions that are new or gone with the names that they compare."""
    removed = counted_names(line for patch in patches for line in patch.removed)
    added = counted_names(line for patch in patches for line in patch.added)
    for patch in patches:
        calls = (name for line in patch.removed if not is_import(line) for name in _CALL.findall(line))
        for name in calls:
            if not added[name] and words(name):
                yield _effect("call", name, patch.path)
        for line in _conditions(patch.removed, added):
            yield _effect("guard", line, patch.path, before=line)
        for line in _conditions(patch.added, removed):
            yield _effect("guard", line, patch.path, after=line)


def _conditions(lines: Iterable[str], other_side: Counter[str]) -> Iterator[str]:
    """Conditions of one side with a telling name that the other side lacks: one that was put elsewhere keeps its names."""
    for line in lines:
        names = {name for name in identifiers(line) if words(name)}
        if _GUARD.search(line) and 2 * sum(not other_side[name] for name in names) > len(names):
            yield line.strip()[:60]


def _names(patch: Patch) -> Iterator[EffectFact]:
    """A key, field, path or other quoted name in place of another."""
    before, after = _both_sides(patch, _quoted)
    removed, added = [name for name in before if name not in after], [name for name in after if name not in before]
    for position, name in enumerate(removed if added else ()):
        yield _effect("name", name, patch.path, name, added[min(position, len(added) - 1)])


def _quoted(lines: Iterable[str]) -> Mapping[str, None]:
    return dict.fromkeys(text for text in quoted_texts(lines) if _CONSTANT_KEY.match(text))


def quoted_texts(lines: Iterable[str]) -> list[str]:
    """The texts in quotes; a tag in backticks holds further ones."""
    return [text for line in lines for match in _STRING.findall(line.replace("`", " ")) for text in match if text]
