"""What a diff does, read from its changed lines in any usual language: limits, time-outs, queries, dependencies, leaks.

A heuristic by kinds of setting and kinds of statement, never by what a commit's author says of it. What is not recognised
is left out: that a diff shows no effect does not make it innocent.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from bot.core.diffs.effects.concurrency import shared_ids, shared_objects, waits
from bot.core.diffs.effects.deployment.credentials import dropped_headers, lost_renewals, narrowed_cookies, renamed_credentials
from bot.core.diffs.effects.deployment.images import image_contents
from bot.core.diffs.effects.deployment.packages import locked_packages, manifest_packages
from bot.core.diffs.effects.deployment.routing import balancing, lost_draining, pool_mode
from bot.core.diffs.effects.deployment.rules import network_rules, permissions
from bot.core.diffs.effects.deployment.variables import renamed_environment
from bot.core.diffs.effects.dropped_indexes import dropped_indexes
from bot.core.diffs.effects.expressions import expressions
from bot.core.diffs.effects.fields import fields
from bot.core.diffs.effects.formats import formats
from bot.core.diffs.effects.n_plus_one import n_plus_one_calls
from bot.core.diffs.effects.safeguards import ACQUIRES, CLOSES_BY_ITSELF, lost_safeguards
from bot.core.diffs.effects.settings import (
    CALLED_SETTING,
    CONFIGURATION,
    effect_fact,
    settings_of,
    with_named_numbers,
    without_moved,
)
from bot.core.diffs.effects.times import times
from bot.core.diffs.effects.values import constants, labels, narrower
from bot.core.diffs.identifiers import counted_names, identifiers, word_stems
from bot.core.diffs.patches import Patch, both_sides, first_matches, is_import
from bot.core.facts.code import EffectFact, EffectKind

_SQL = re.compile(
    r"\b(?:from|join|into|(?<!for )update|table|index|references)\s+(?:concurrently\s+)?(?:if\s+(?:not\s+)?exists\s+)?"
    r"(?:only\s+)?[`\"\[]?([A-Za-z_][\w.]*)",
    re.I,
)
_IS_SQL = re.compile(
    r"\b(select\b.+\bfrom|insert\s+into|update\s+\w+\s+set|delete\s+from|join\s+\w+\s+on|"
    r"(create|alter|drop)\s+(table|index|column|unique))\b",
    re.I,
)
_WRAPPED_COLUMN = re.compile(
    r"\b(?:upper|lower|date|trunc|date_trunc|date_format|to_char|substr(?:ing)?|trim|year|month|cast|convert|coalesce|ifnull)"
    r"\(\s*[\w.]+[^()]{0,30}\)(?=\s*(?:=|<|>|\b(?:in|like|between)\b))|\bwhere(?:Date|Year|Month|Day|Time)\(\s*[\"'][\w.]+[\"']",
    re.I,
)
"""A column that a statement looks up by what a function makes of it: no usual index holds that."""
_OF_STATEMENT = re.compile(
    r"(?i:\b(?:select|where|having|join|order by|group by)\b|\bwhere\w*\(|\bfunc\.|\braw\(|\.filter\()|\b(?:AND|OR|ON)\b|"
    r"^\s*(?:and|or|on)\b.{1,80}\)\s*=(?!=)"
)
"""Code has functions of these names as well: `fun convert(row: Row) = ...`, `date(2026, 1, 1) <= day`."""
_RAILS = re.compile(
    r"\b(add_foreign_key|add_index|add_check_constraint|change_column(?:_null)?|rename_column|remove_column|validate_foreign_key)"
    r"\s*\(?\s*:(\w+)(?!.*(?:concurrently|validate: false))"
)
"""Changes of tables as migrations of Rails write them, without those that let others write meanwhile."""
_DJANGO = re.compile(r"\bmigrations\.(AddIndex|AddConstraint|AlterUniqueTogether)(?=\()")
"""The same as migrations of Django write them: `AddIndexConcurrently` is another."""
_BESIDE = re.compile(r"algorithm:\s*:concurrently")
_SCHEMA = re.compile(
    r"\b(create|alter|drop|rename|add)\s+(table|index|column|constraint|type|view)\b|add_column|drop_column|create_table", re.I
)
_ADDS_COLUMN = re.compile(r"\badd\s+(column\b|(?!constraint|index|primary|foreign|unique)\w+\s+\w+)", re.I)
_STRICT = re.compile(r"not null|unique|references|primary|constraint|default|\bdrop\b|\brename\b", re.I)
"""What makes a new column more than one that may stay empty."""
_LOCKING = re.compile(
    r"\bcreate\s+(unique\s+)?index\s+(?!\s*concurrently)|"
    r"\balter\s+table\b(?!.*\bnot\s+valid\b).*\b(type|set not null|add constraint)\b",
    re.I,
)
"""Statements that let nobody write to a table until they are through with all of it."""
_MIGRATION = re.compile(r"migrat|schema|ddl|flyway|liquibase|alembic", re.I)
_COLLECTION = re.compile(
    r"^(?:(?:export|public|private|protected|internal|static|final|readonly|var|let|const|global|pub|lazy|val|mut)\s+){0,5}"
    r"(?:[\w<>\[\], .?]{1,80}\s)?([A-Za-z_]\w*)\b[^=(]{0,60}"
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
    r"removeEventListener|disconnect|purge|rotate)\w*\s*\(|(\.off\()",
    re.I,
)
_CLOSING = frozenset({"close", "release", "dispose", "unlock", "disconnect"})
_LOCKS_TABLE = re.compile(r"\b(?:TAB|HOLD|UPD|X|PAG)LOCKX?\b|^\s*[\"']?LOCK TABLES?\s+\w")
_LOCK = re.compile(
    r"(?<![bc])(?:un)?lock(?:ed|ing)?\s*\(|\bfor[ _]update\b|with_for_update|\bsynchronized\b|"
    r"\b(?:acquire|release)(?:_lock|Lock)?\(",
    re.I,
)
_GIVES_WAY = re.compile(r"\bskip locked\b|skip_?locked\s*[=:]\s*true", re.I)
"""Rows that others have locked are left out: nobody waits for anybody."""
_SPAWN = re.compile(
    r"\bgo func\b|\bgo \w+[\w.]*\(|new Thread\(|Thread\(target|create_task\(|setInterval\(|ensure_future\(|tokio::spawn|"
    r"CompletableFuture\.\w+Async"
)
_HASHED = re.compile(r"\bhash_data\(|\b(?:proxy|fastcgi|uwsgi)_cache_key\s")
"""What an edge cache makes its keys of: in Varnish's language, and in nginx's."""
_TOUCHES = re.compile(r"\btouch:\s*true\b")
"""Each change of a record of Rails gives its owner another time of change, and all that is cached under that another key."""
_CACHE_KEY = re.compile(r"^(?!.*\.keys\(\s*[\"'`])(?=.*(?:key|cache))(?=.*[\"'`].*[%{:])", re.I)
_RECORD_KEY = re.compile(
    r"^\s*(?:(?:val|var|let|const|final|auto)\s+)?(?:[\w<>\[\]]+\s+)?(?:(?:message|msg|partition|record|routing|shard)_?)?key"
    r"\s*:?=\s*([^=\s].{1,80}?);?\s*$|"
    r"ProducerRecord(?:<[^>]*>)?\([^,]{1,80},\s*([\w.()]{2,60})\s*,|^\s*[\"']?key[\"']?:\s*([\w.()]{2,60})\s*,?\s*$",
    re.I,
)
"""What a record of a stream is sent under: its key says which partition it goes to."""
_SENDS = re.compile(r"topic|produc|partition|kafka|kinesis|event_?hub|pub_?sub", re.I)
_MAKES_KEY = re.compile(
    r"(?<![a-z])(?:(?:cache|make|build|get|lookup|message|partition|record|shard|routing)_?key|key_?(?:for|of))(?![a-z])", re.I
)
_PIECE = re.compile(r"\"[^\"]*\"|'[^']*'")
_NO_WORD = re.compile(r"%[\w.]|\$?\{[^}]*\}|\W")
"""What stands for a value in a text, or between its words."""
_KEY_FILE = re.compile(r"cache[\w-]*/(?:[\w-]*/)?[\w-]*keys?\.\w+$|cache[_-]?keys?\.\w+$|cachekeys?\.\w+$", re.I)
"""A file that is there for the keys of a cache alone."""
_END_OF_PATH = 200
_SHARED_LOAD = re.compile(
    r"single_?flight|\bgroup\.Do\(|\bonce\.Do\(|coalesc|\bdedup\w*|de_?bounc|memoi[sz]e|lru_cache|@cache\w*|@Cacheable", re.I
)
_HANDLERS = (
    re.compile(r"\b(?:catch|except|rescue)\b|\brecover\(\)|\.catch\(|on_?error", re.I),
    re.compile(r"\bawait\b"),
)
_DEFAULT = re.compile(
    r"\bunwrap_or\w*(?=\()|\.(?:getOrElse|orElse(?!Throw)\w*|getOrDefault|or_default|withDefault|firstOrNull)\b"
)
_NO_DEFAULT = re.compile(r"\.unwrap\(\)|\.expect\(|\.get\(\)|!!|\.first\(\)|\borElseThrow\b|\.ok_or")
"""What takes another value where there is none, and what fails there."""
_GUARD = re.compile(
    r"^\s*(?:\}?\s*else\s+)?(?:if|unless|guard|assert|require|check)\b(?!\s*=)|\?\.|\?\?(?!\s*[\d\"'])|"
    r"getOrDefault|Optional(?=[.(])|is not None|!= nil|"
    r"!==? null"
)
_CALL = re.compile(r"\b([A-Za-z_]\w{3,})\s*\(")
_REPORTING = re.compile(
    r"\b(log|logger|logging|slog|console|print\w*|fmt\.f?print\w*|LOG_\w+|trace|span|metrics?|counter|histogram|statsd|sentry|"
    r"http\.Error|writeError|set_?attribute|Header\(\)\.Set)\b|\.(info|debug|warn\w*|error|trace|fatal|json|observe|inc\w*)\(",
    re.I,
)
"""Lines that report something, to a log, a metric or a caller: they rarely break what they report."""
_STRING = re.compile(r"\"([^\"\\]{2,80})\"|'([^'\\]{2,80})'")
_NOT_LETTERS = re.compile(r"[^a-z0-9<>=!]")
_SYMBOL = re.compile(r"(?<=: ):([a-z_]\w{2,60})\b")
"""The value of an option of Ruby or Elixir: `queue: :mailers`."""
_CONSTANT_KEY = re.compile(r"^[A-Za-z_][\w.-]{2,60}$")


def effects_of(patches: Sequence[Patch]) -> tuple[EffectFact, ...]:
    """What the patches do together, each effect once."""
    code = [_without_reporting(patch) for patch in patches]
    effects = [
        *_of_each(patches, manifest_packages),
        *_of_each(patches, locked_packages),
        *_of_each(patches, image_contents),
        *without_moved(with_named_numbers(code, list(_of_each(code, settings_of)))),
        *dropped_indexes(patches),
        *_queries(code),
        *_of_each(code, _accumulations),
        *n_plus_one_calls(code),
        *_releases(code),
        *lost_safeguards(code),
        *shared_objects(patches),
        *shared_ids(code),
        *_of_each(code, _statements),
        *_of_each(patches, _other_record_key),
        *_of_each(patches, renamed_credentials),
        *dropped_headers(patches),
        *narrowed_cookies(patches),
        *lost_renewals(patches),
        *renamed_environment(patches),
        *balancing(patches),
        *lost_draining(patches),
        *_of_each(patches, pool_mode),
        *_of_each(patches, network_rules),
        *_of_each(patches, permissions),
        *_of_each(patches, labels),
        *_of_each(code, constants),
        *_of_each(code, narrower),
        *formats(code),
        *times(code),
        *_of_each(code, waits),
        *_of_each(code, expressions),
        *_of_each(code, _shared_loads),
        *_of_each(code, _handlers),
        *fields(code),
        *_calls_and_guards(code),
        *_of_each(code, _names),
    ]
    unique = {(effect.kind, _NOT_LETTERS.sub("", effect.name.casefold())): effect for effect in reversed(effects)}
    return tuple(reversed(unique.values()))


def _of_each(patches: Iterable[Patch], read: Callable[[Patch], Iterator[EffectFact]]) -> Iterator[EffectFact]:
    return (effect for patch in patches for effect in read(patch))


def is_reporting(line: str) -> bool:
    """Whether a line writes to a log, a metric, a span or the body of an answer."""
    return bool(_REPORTING.search(line)) and not CALLED_SETTING.search(line)


def _without_reporting(patch: Patch) -> Patch:
    """A file of configuration stays whole: its lines report nothing."""
    if CONFIGURATION.search(patch.path):
        return patch
    removed, added = both_sides(patch, lambda lines: tuple(line for line in lines if not is_reporting(line)))
    return replace(patch, removed=removed, added=added)


def _queries(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """Tables of which the schema changed, and those that are queried now; a column that may stay empty hurts nobody."""
    added = [line for patch in patches for line in patch.added]
    migrated = {name.casefold() for line in added if _SCHEMA.search(line) for name in _SQL.findall(line)}
    migrated |= {name.casefold() for patch in patches if _MIGRATION.search(patch.path) for name in _tables(patch.added)}
    for patch in patches:
        for line in patch.added + patch.removed:
            if _SCHEMA.search(line) and not (_ADDS_COLUMN.search(line) and not _STRICT.search(line)):
                for name in _SQL.findall(line):
                    yield effect_fact("schema", name, patch.path)
                    if _LOCKING.search(line):
                        yield effect_fact("lock", name, patch.path)
        migrations = [match for line in patch.added for match in _RAILS.findall(line)]
        lets_write = sum(_BESIDE.search(line) is not None for line in patch.added) >= len(migrations)
        for _, name in () if lets_write else migrations:
            yield effect_fact("schema", name, patch.path)
            yield effect_fact("lock", name, patch.path)
        for text in first_matches(_DJANGO, patch.added) if not any("CreateModel" in line for line in added) else ():
            yield effect_fact("schema", text, patch.path)
        before, after = both_sides(
            patch, lambda lines: dict.fromkeys(first_matches(_WRAPPED_COLUMN, filter(_OF_STATEMENT.search, lines)))
        )
        yield from (effect_fact("query", text, patch.path) for text in after if text not in before)
        removed = {name.casefold() for name in _tables(patch.removed)}
        for name in _tables(patch.added):
            if name.casefold() not in removed | migrated:
                yield effect_fact("query", name, patch.path)


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
            yield effect_fact("accumulation", match.group(1), patch.path)


def _statements(patch: Patch) -> Iterator[EffectFact]:
    """Locks that are taken or released elsewhere, work that is started beside, other keys of a cache."""
    gives_way = any(map(_GIVES_WAY.search, patch.added))
    locks = first_matches(_LOCK, patch.removed + patch.added)
    yield from (effect_fact("lock", text, patch.path) for text in locks if not (gives_way and "update" in text.casefold()))
    if not any(map(_LOCKS_TABLE.search, patch.removed)):
        yield from (effect_fact("lock", text.strip(), patch.path) for text in first_matches(_LOCKS_TABLE, patch.added))
    yield from (effect_fact("spawn", text, patch.path) for text in first_matches(_SPAWN, patch.added))
    if not any(map(_TOUCHES.search, patch.removed)):
        yield from (effect_fact("cache_key", text, patch.path) for text in first_matches(_TOUCHES, patch.added))
    before, after = both_sides(
        patch, lambda lines: [line.strip() for line in lines if _CACHE_KEY.search(line) or _HASHED.search(line)]
    )
    if before and after and before != after:
        yield effect_fact("cache_key", after[0], patch.path)
    elif not patch.removed or _is_same_key(patch):
        return
    elif names := [name for name in counted_names(patch.around) if _MAKES_KEY.search(name)]:
        yield effect_fact("cache_key", names[0], patch.path)
    elif _KEY_FILE.search(patch.path[-_END_OF_PATH:]):
        yield effect_fact("cache_key", patch.path.rpartition("/")[2], patch.path)


def _is_same_key(patch: Patch) -> bool:
    """Whether a key is put together of the same words, and no call that made a part of it is gone: it only moved."""
    before, after = both_sides(
        patch, lambda lines: _NO_WORD.sub("", "".join(text for line in lines for text in _PIECE.findall(line)))
    )
    calls, called = both_sides(patch, lambda lines: {name for line in lines for name in _CALL.findall(line)})
    return bool(before) and before == after and calls <= called


def _other_record_key(patch: Patch) -> Iterator[EffectFact]:
    """The key under which records were sent that are sent under another one."""
    before, after = both_sides(patch, _record_keys)
    names = counted_names(patch.added)
    if not any(_SENDS.search(line) for line in (*patch.added, *patch.removed, *patch.around)):
        return
    gone = (key for key in before if key not in after and not names[key.rpartition(".")[2].rstrip("()")])
    if key := next(gone, ""):
        yield effect_fact("record_key", key, patch.path)


def _record_keys(lines: Iterable[str]) -> list[str]:
    return [key for line in lines for pair in _RECORD_KEY.findall(line) for key in pair if key]


def _shared_loads(patch: Patch) -> Iterator[EffectFact]:
    """What was loaded once for all who asked at the same time is loaded for each of them."""
    if not any(_SHARED_LOAD.search(line) for line in patch.added):
        yield from (effect_fact("cache", text, patch.path) for text in first_matches(_SHARED_LOAD, patch.removed))


def _handlers(patch: Patch) -> Iterator[EffectFact]:
    """Failures that are no longer caught, or waited for, and values that are missing with no other in their place."""
    if any(map(_NO_DEFAULT.search, patch.added)) and not any(map(_DEFAULT.search, patch.added)):
        yield from (effect_fact("guard", text, patch.path, before=text) for text in first_matches(_DEFAULT, patch.removed))
    for pattern in _HANDLERS:
        if not any(pattern.search(line) for line in patch.added):
            yield from (effect_fact("guard", text, patch.path, before=text) for text in first_matches(pattern, patch.removed))


def _releases(patches: Iterable[Patch]) -> Iterator[EffectFact]:
    """Something is no longer closed, released or evicted."""
    added = "\n".join(line for patch in patches for line in patch.added)
    for patch in patches:
        closes_by_itself = any(CLOSES_BY_ITSELF.search(line) and ACQUIRES.search(line) for line in patch.added)
        for line in patch.removed:
            match = _RELEASE.search(line)
            call = (match.group(1) or match.group(2)).casefold() if match else ""
            if call in _CLOSING and closes_by_itself:
                continue
            if call and call not in added.casefold():
                # What expired fills the store that it is kept in, whoever else uses that; what was closed is the process's own.
                kind: EffectKind = "expiry" if "expire" in call else "release"
                yield effect_fact(kind, line.strip()[:60], patch.path)


def _calls_and_guards(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """Calls that are no longer made, and conditions that are new or gone with the names that they compare."""
    removed = counted_names(line for patch in patches for line in patch.removed)
    added = counted_names(line for patch in patches for line in patch.added)
    for patch in patches:
        calls = (name for line in patch.removed if not is_import(line) for name in _CALL.findall(line))
        for name in calls:
            if not added[name] and word_stems(name):
                yield effect_fact("call", name, patch.path)
        for line in _conditions(patch.removed, added):
            yield effect_fact("guard", line, patch.path, before=line)
        for line in _conditions(patch.added, removed):
            yield effect_fact("guard", line, patch.path, after=line)


def _conditions(lines: Iterable[str], other_side: Counter[str]) -> Iterator[str]:
    """Conditions of one side with a telling name that the other side lacks: one that was put elsewhere keeps its names."""
    for line in lines:
        names = {name for name in identifiers(line) if word_stems(name)}
        if _GUARD.search(line) and 2 * sum(not other_side[name] for name in names) > len(names):
            yield line.strip()[:60]


def _names(patch: Patch) -> Iterator[EffectFact]:
    """A key, field, path or other quoted name in place of another."""
    before, after = both_sides(patch, _quoted)
    removed, added = [name for name in before if name not in after], [name for name in after if name not in before]
    for position, name in enumerate(removed if added else ()):
        yield effect_fact("name", name, patch.path, name, added[min(position, len(added) - 1)])


def _quoted(lines: Iterable[str]) -> Mapping[str, None]:
    lines = list(lines)
    symbols = (name for line in lines for name in _SYMBOL.findall(line))
    return dict.fromkeys([*(text for text in quoted_texts(lines) if _CONSTANT_KEY.match(text)), *symbols])


def quoted_texts(lines: Iterable[str]) -> list[str]:
    """The texts in quotes; a tag in backticks holds further ones."""
    return [text for line in lines for match in _STRING.findall(line.replace("`", " ")) for text in match if text]
