"""Settings of a diff: each name that gets another value, in files of configuration and in code, by kinds of their names."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial

from bot.core.diffs.identifiers import identifiers
from bot.core.diffs.levels import level_of, unit_of
from bot.core.diffs.patches import Patch, both_sides
from bot.core.facts.code import EffectFact, EffectKind

Values = dict[tuple[str, int], str]
"""Values by the name that they belong to and how often it stood before: each line may set the name again."""

_OF_LOGGING = re.compile(
    r"(^|[._-])log(ging|s)?[._-]?(connections|disconnections|level|format|statement|min|slow|sampl|verb|prefix|json|line|duration|"
    r"queries|requests)",
    re.I,
)
"""Settings of what is logged: they limit nothing, whatever else their names hold."""
_SETTING = re.compile(
    r"(?<![\w.\-])([A-Za-z_][\w.\-]*)[\"']?\]?\s*(?::\s*\w+\s*)?(?::=|=>|->|[:=])\s*(?:(?:java\.lang\.)?\w+\.(?:box|valueOf)\()?"
    r"([\"']?)(-?\d[\d_]*(?:\.\d+)?(?:\s*\*\s*[\w.]+){0,3}\w*%?|true|false|on|off|trace|debug|info|warn\w*|error|always|never|strict|lax|none|"
    r"seconds?|minutes?|hours?|days?)\2"
    r"(?![\w(])",
    re.I,
)
"""A name with a number, a switch or a log level: `max_retries: 3`, `Timeout: 5 * time.Second`, `level=debug`."""
CALLED_SETTING = re.compile(
    r"(?:\.|\b)(?:set|with)_?([A-Z_a-z]\w*)\(\s*(?:\w+\.)*(-?\d[\d_.]*(?:\s*\*\s*[\w.]+)?\w*|true|false|trace|debug|info|warn\w*|error)"
    r"(?:Level)?\s*\)",
    re.I,
)
"""`setMaxPoolSize(10)`, `.withTimeout(5)`, `logger.setLevel(logging.DEBUG)`."""
_OPTION = re.compile(r"\b[a-z]\w*\.([A-Z]\w+)\(\s*(\d[\d_]*(?:\s*\*\s*time\.\w+)?)\s*\)")
"""An option that is made by a function: `nats.AckWait(5*time.Second)`."""
_PUT = re.compile(
    r"\b(?:put|set|setProperty|option|property|setdefault)\(\s*[\"']?([A-Za-z_][\w.\-]*)[\"']?\s*,\s*[\"']?(-?\d[\d_]*\w*|true|false)[\"']?\s*\)",
    re.I,
)
"""One of many that are put together by name: `config.put("max.poll.records", 500)`."""
_KINDS: tuple[tuple[EffectKind, str], ...] = (
    (
        "verbosity",
        r"(log|trace|debug|sampl).*(level|rate|ratio|verbos|mode)|(^|\.)level$|verbos|sample_?rate|^debug$|log_?level",
    ),
    (
        "timeout",
        r"time_?out|max.{0,12}interval|deadline|wait(_?(time|seconds|ms))?$|(^|\.)keep_?alive|linger|lease|leeway|skew|grace|delay|probe|heartbeat",
    ),
    ("offset", r"^([\w.]*[._])?group[.-]?id$|consumer[._-]?group|offset[._-]?reset"),
    ("format", r"(tls|ssl).{0,12}(version|protocol)|protocol_?version|cipher"),
    (
        "retry",
        r"retr(y|ies)|attempt|(?<!en)tries|back_?off|jitter|circuit|breaker|eject|outlier|consecutive.{0,4}(err|fail|5xx)",
    ),
    ("cache", r"ttl|cache|expir|evict|max_?age|stale|memoi"),
    (
        "pool",
        r"pool|conn(ection)?s?$|max_?conn|max_?idle|max_?open|(?:max|conn)\w{0,24}per_?(?:route|host)$|max_?total$|thread|worker|concurren|parallel|semaphore|replica|shard|(dis|en)able_?keep_?alives?$",
    ),
    ("memory", r"mem(ory)?|heap|xmx|cpu|resources?"),
    ("batch", r"batch|chunk|page_?size|bulk|fetch_?size|prefetch|flush|(?:poll|max)[._]?records|(?:num|max)_?messages"),
    ("schedule", r"interval|cron|schedule|period|every|poll|tick"),
    (
        "address",
        r"httpchk|(^|[_.])(topics?|topic_?name|queue_?name|subject|exchange|routing_?key|bucket(_?name)?|stream_?name|path|(target_?|container_?|node_?|service_?)?port|host\w*|addr\w*|url|uri|endpoint|dsn|brokers?|(bootstrap_?)?servers?|cidr\w*|protocol)$",
    ),
    (
        "access",
        r"scopes?$|roles?$|permissions?|polic(y|ies)|actions?$|grants?|allow|deny|acl|cors|origins?$|audience|issuer|same_?site",
    ),
    (
        "limit",
        r"limit|max|min|quota|rate|per_|unit$|burst|size|capacity|threshold|budget|depth|length|buffer|queue|window|bytes",
    ),
)
"""Kinds of settings by their names, the more special first."""
_BOUND = re.compile(r"(?:^|_)(?:max|min)(?:imum)?(?:_|[A-Z])|(?:^|[a-z])(?:Max|Min)(?:imum)?[A-Z]|(?:^|_)M(?:AX|IN)_")
"""The part of a name that bounds something."""
_ANY_VALUE = re.compile(r"^[\s-]*([A-Za-z_][\w.\-]*)[\"']?\s*[:=]\s*([^\s{\[|&>].*?|\[.*\])\s*,?$")
"""A line of configuration with whatever value: `schedule: "*/5 * * * *"`."""
_CHECK = re.compile(r"^\s*option\s+(httpchk)\s+(?:[A-Z]+\s+)?(\S+)")
"""By what HAProxy tells whether a server is up."""
_DIRECTIVE = re.compile(r"^\s*([A-Za-z_][\w-]*(?:\s+[a-z_][\w-]*)?)\s+(\d[\w.]*)\s*;?\s*$")
"""A line of configuration without a sign between: `proxy_read_timeout 60s;`, `timeout server 50s`, `cache 60`."""
CONFIGURATION = re.compile(
    r"\.(ya?ml|toml|ini|properties|env|json|conf|cfg|tf|tfvars|hcl|xml)$|(^|/)(values|config|settings|corefile|caddyfile)[\w.-]*$",
    re.I,
)
_DEFAULT = re.compile(r"\$\{[\w.]+:-?([^${}?+=-][^${}]*)\}")
_CHART_DEFAULT = re.compile(r"\{\{-?\s*[.$]{0,2}(?:\w+\.)*(\w+)\s*\|\s*default\s+[\"']?([\w.]+)[\"']?")
"""The value that a chart gives where nobody sets one: `{{ .Values.pool.size | default 20 | quote }}`."""
_TAGGED_DEFAULT = re.compile(r"^\s*([A-Z]\w*)\s+[\w.]+\s+`[^`]*\b(?:default|envDefault):\"([^\"]+)\"")
"""A field of Go with the value that it has where nobody sets one."""
_SPRING_DEFAULT = re.compile(r"\$\{[\w.]+:([^${}]+)\}")
"""A variable with the value that is taken where nobody sets it. A dash is the sign of shells; of Spring it is the number's."""
_OF_SPRING = re.compile(r"(^|/)(application|bootstrap)[\w.-]*$|\.properties$")
_OF_UNIT = re.compile(
    r"\b(?:Duration|TimeSpan|timedelta)(?:\.|::)?\(?(?:of|from)?_?(millis|sec|min|hours|days)[a-z]*[(=]\s*(\d[\d_]*)\s*\)", re.I
)
"""A number that is given its unit: `Duration::from_millis(12)`, `Duration.ofSeconds(5)`, `timedelta(minutes=5)`."""
_UNITS = {"mil": "ms", "sec": "s", "min": "min", "hou": "h", "day": "d"}
_REFERENCE = re.compile(
    r"(?<![\w.\-])([A-Za-z_][\w.\-]*)[\"']?\]?\s*(?::\s*\w+\s*)?(?::=|=>|->|[:=])\s*(?:\w+(?:\.|::|->)){1,4}(\w+)\b(?![\w(.])"
)
"""A name whose value another name holds: `visibility_timeout: settings.redelivery_after`."""
_BLANKS = re.compile(r"\s")
_LETTERS = re.compile(r"[^a-z0-9]")
_UNIT_BEHIND = re.compile(r"(seconds?|millis(econds)?|minutes?|ms)$")
_NETWORK = re.compile(r"\d+(?:\.\d+){3}(?:/\d+)?")
_TELLING_NAME = 8
"""Letters from which on the end of a longer name is no chance."""
_MANIFEST = re.compile(
    r"(^|/)(go\.mod|package\.json|requirements[\w.-]*\.txt|pyproject\.toml|Pipfile|pom\.xml|build\.gradle(\.kts)?|Cargo\.toml|"
    r"Gemfile|composer\.json|[\w.-]*versions\.toml|Directory\.Packages\.props|[\w.-]+\.csproj|Dockerfile[\w.-]*)$",
    re.I,
)


def effect_fact(kind: EffectKind, name: str, path: str, before: str = "", after: str = "") -> EffectFact:
    """One effect within the limits of its parts."""
    return EffectFact(kind=kind, name=name[:80], before=before[:40], after=after[:40], path=path[:160])


def is_manifest(path: str) -> bool:
    """Whether a file lists what is built upon."""
    return bool(_MANIFEST.search(path))


def changed_values(patch: Patch, read: Callable[[Iterable[str]], Values]) -> Iterator[tuple[str, str, str]]:
    """Each name whose value differs, with the value before and after; "" where a side does not name it."""
    before, after = both_sides(patch, read)
    for place in {**before, **after}:
        old, new = before.get(place, ""), after.get(place, "")
        if old != new:
            yield place[0], old, new


def numbered(pairs: Iterable[tuple[str, str]]) -> Values:
    """Values by name and by how often it stood before."""
    counts, values = Counter[str](), Values()
    for name, value in pairs:
        values[name, counts[name]] = value
        counts[name] += 1
    return values


def settings_of(patch: Patch) -> Iterator[EffectFact]:
    """Settings that have another value, are gone or are new; one that goes on under another name with its value is neither."""
    if is_manifest(patch.path):
        return
    removed, added = both_sides(patch, lambda lines: {name for line in lines for name in identifiers(line)})
    arguments = [_BLANKS.sub("", line) for line in patch.added]
    effects = [
        effect_fact(kind, name, patch.path, before, after)
        for name, before, after in changed_values(patch, partial(_assigned, patch))
        # What is computed now has a value that nobody reads here.
        if not ((not after and (name in added or _is_passed_on(arguments, before))) or (not before and name in removed))
        and (kind := _kind_of(name, before, after, patch.path))
    ]
    gone, new = ({_amount(e) for e in effects if not getattr(e, side)} for side in ("after", "before"))
    renamed = (gone & new) - {None}
    yield from (effect for effect in effects if (effect.before and effect.after) or _amount(effect) not in renamed)


def _is_passed_on(added: Sequence[str], value: str) -> bool:
    """Whether added code, without its blanks, passes a value on as an argument that has no name there."""
    packed = _BLANKS.sub("", value)
    return len(packed) > 1 and any(packed in line and re.search(rf"[(,]{re.escape(packed)}[,)]", line) for line in added)


def _amount(effect: EffectFact) -> tuple[EffectKind, float] | None:
    """Kind and value of a setting that one side alone has, in the unit that its name says; None for what is no number."""
    level = level_of(effect.before or effect.after)
    return None if level is None else (effect.kind, level * unit_of(effect.name))


def _assigned(patch: Patch, lines: Iterable[str]) -> Values:
    """The values of each name: one may be set more than once (a limit and a request of memory)."""
    pairs = _with_names([pair for line in lines for pair in _pairs(patch, line)])
    return numbered((name, _without_variable(value.strip(), patch.path)) for name, value in pairs)


def _without_variable(value: str, path: str) -> str:
    """A value that stands for itself: of `${POOL_MAX:40}` or `${POOL_MAX:-40}`, which a variable may replace, its default."""
    default = (_SPRING_DEFAULT if _OF_SPRING.search(path) else _DEFAULT).fullmatch(value.strip("\"'"))
    return default.group(1) if default else value


def _pairs(patch: Patch, line: str) -> list[tuple[str, str]]:
    line = _OF_UNIT.sub(lambda match: match.group(2) + _UNITS[match.group(1)[:3].casefold()], line)
    if default := _CHART_DEFAULT.search(line) or _TAGGED_DEFAULT.search(line):
        return [(default.group(1), default.group(2))]
    pairs = [(match.group(1), match.group(3)) for match in _SETTING.finditer(line)]
    pairs += [(match.group(1), match.group(2)) for match in CALLED_SETTING.finditer(line)]
    pairs += [(match.group(1), match.group(2)) for pattern in (_OPTION, _PUT) for match in pattern.finditer(line)]
    whole = _ANY_VALUE.match(line) if CONFIGURATION.search(patch.path) else None
    # The value of a key may look like a setting itself: `addr: cart-store:6379`.
    if whole and (not pairs or pairs[0][0] != whole.group(1) or _NETWORK.fullmatch(whole.group(2).strip("\"'"))):
        return [(whole.group(1), whole.group(2))]
    if CONFIGURATION.search(patch.path):
        directive = (_CHECK.match(line) or _DIRECTIVE.match(line)) if not pairs else None
        return [(directive.group(1), directive.group(2))] if directive else pairs
    # In code the owner of a name says nothing, unless all of it stands in quotes.
    return [(name if f'"{name}"' in line else name.rpartition(".")[2], value) for name, value in pairs]


def _with_names(pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """`name: POOL_SIZE` and `value: 5` on the line below are one setting."""
    for (name, value), (before, named) in zip(pairs, [("", ""), *pairs], strict=False):
        yield (named.strip("\"'"), value) if name == "value" and before == "name" else (name, value)


def with_named_numbers(patches: Sequence[Patch], effects: Sequence[EffectFact]) -> list[EffectFact]:
    """The settings, with both values where a number gets another name: `lease: conf.redeliver` and `redeliver = 900`.

    The new name is no setting of its own then, and where both values are the same nothing has changed.
    """
    numbers = {name: value for patch in patches for (name, _), value in _assigned(patch, patch.added).items()}
    named, changed = set[str](), []
    for patch in patches:
        before = _assigned(patch, patch.removed)
        for name, holder in (pair for line in patch.added for pair in _REFERENCE.findall(line)):
            old, new = before.get((name, 0)) or before.get((name.rpartition(".")[2], 0)), numbers.get(holder)
            levels = (_in_unit(old, name), _in_unit(new, holder)) if old and new else (None, None)
            if not old or not new or None in levels:
                continue
            named.add(holder)
            if levels[0] != levels[1] and (kind := _kind_of(name, old, new, patch.path)):
                changed.append(effect_fact(kind, name, patch.path, old, new))
    return [*(effect for effect in effects if effect.before or effect.name not in named), *changed]


def without_moved(effects: Sequence[EffectFact]) -> list[EffectFact]:
    """Settings without those that one file loses and another sets to the same value, whatever stands before their names there.

    `SPRING_DATASOURCE_MAXIMUM_POOL_SIZE` and `maximum-pool-size` with one value are one setting, a unit behind it too.
    """
    new: dict[float, list[EffectFact]] = {}
    for effect in effects:
        if effect.after and not effect.before and (level := _in_unit(effect.after, effect.name)) is not None:
            new.setdefault(level, []).append(effect)
    moved = set[int]()
    for old in (effect for effect in effects if effect.before and not effect.after):
        level = _in_unit(old.before, old.name)
        same = (
            next((other for other in new.get(level, ()) if _is_same_name(old.name, other.name)), None)
            if level is not None
            else None
        )
        if same:
            moved |= {id(old), id(same)}
    return [effect for effect in effects if id(effect) not in moved]


def _in_unit(value: str, name: str) -> float | None:
    """The number of a value in the unit that its setting's name says."""
    level = level_of(value)
    return None if level is None else round(level * unit_of(name), 9)


def _is_same_name(one: str, other: str) -> bool:
    shorter, longer = sorted((_folded(one), _folded(other)), key=len)
    return shorter == longer or (len(shorter) >= _TELLING_NAME and longer.endswith(shorter))


@lru_cache(maxsize=4_096)
def _folded(name: str) -> str:
    """The letters of a name without a unit at its end."""
    return _UNIT_BEHIND.sub("", _LETTERS.sub("", name.casefold()))


def _kind_of(name: str, old: str, new: str, path: str) -> EffectKind | None:
    if "arn:" in old + new:
        return "access"
    if _OF_LOGGING.search(name):
        return None
    for kind, pattern in _KINDS:
        if re.search(pattern, name, re.I):
            if kind == "offset" and not (old and new):
                # A group that is new, or gone, reads nothing that it has read before.
                return None
            # A setting that has one side alone is a new or a lost line: in code that is rarely more than a new variable.
            whole = (old and new) or CONFIGURATION.search(path) or not old or kind != "limit" or _BOUND.search(name)
            return kind if whole else None
    return "setting" if old and new and len(name) > 2 else None
