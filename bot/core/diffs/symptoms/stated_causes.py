"""Lines that say why: the cause that they name themselves, and the limit or time-out that was met.

What is not that did not bring them about, however well it fits otherwise.
"""

import re
from collections.abc import Iterable

from bot.core.diffs.effect_kinds import Trait, kinds_with
from bot.core.diffs.effects.safeguards import RIGHTS
from bot.core.diffs.effects.values import UNBOUNDED
from bot.core.diffs.levels import UNIT_OF_TIME, level_of, unit_of
from bot.core.facts.code import EffectFact, EffectKind

SERIES = r"\b(active )?series\b|cardinality|samples? .{0,20}(reject|dropp|limit|discard)|scrape|tsdb"
NOT_RESOLVED = re.compile(
    r"no such host|nxdomain|servfail|name resolution|\benotfound\b|getaddrinfo|"
    r"\b(?:lookup|resolv\w*)\b.{0,20}\b(?>[\w-]+\.[\w.-]*[a-z]\b).{0,140}(time|fail|misbehav|refus)|"
    r"\bresolv\w*\b.{0,20}\b(host|name|address|endpoint)\w*.{0,100}(time|fail|misbehav|refus)|dns.{0,30}(fail|time|error)",
    re.I,
)
"""Names are not found: of all that a diff does only another address brings that about."""
_HOST = re.compile(r"(?<![\w.-])(?:[a-z0-9_-]+\.)+[a-z]{2,}(?![\w-])", re.I)
USED_UP = re.compile(
    r"maximum value of sequence|SequenceGeneratorLimit|"
    r"(integer|int4|smallint|id) out of range|out of range value|(no|zero) (free )?inodes|"
    r"auto.?increment.{0,40}(max|exhaust|fail)|\bwrap-?around\b|"
    # The largest numbers of 32 and 64 bits, as the next key of a table.
    r"duplicate entry \W?(2147483647|4294967295|9223372036854775807|18446744073709551615)\b.{0,60}\bprimary\b",
    re.I,
)
"""What was counted up for years is at its end: only another schema brings that about at once."""
FILLED = re.compile(
    r"database space exceeded|no snat port|\blow on disk|blocked by broker.{0,30}\bdisk|disk.{0,20}\balarm\b", re.I
)
"""A store or a network has no room left for what came and stayed."""
_FULL_STORE = re.compile(r"command not allowed when used memory", re.I)
"""Redis has none: most often a change has filled it, and never the client that it refuses."""
CLOCKS = re.compile(
    r"clock (skew|drift|jump|wrong|offset)|clock (is )?(moved|went|stepped|set|running) back|time went back|too ?skewed|"
    r"\bntp\b|timestamp\b.{0,24}\b(ahead of|behind|in the future)",
    re.I,
)
"""The clocks of machines differ."""
MACHINES = re.compile(
    r"\bnodes?\b.{0,30}(not ?ready|lost|unreachable|pressure|drain|preempt)|kubelet.{0,30}(stopped|not)|kernel panic|"
    r"hardware|spot (interruption|termination)|availability zone|insufficient ?\w*capacity|\d+/\d+ nodes are available|"
    r"(node|instance) (is )?(shutting down|terminating)|critical medium error|"
    r"\bnvme\w*\b.{0,60}(timeout|abort|reset|error)|volume.{0,60}(impaired|stalled|degraded)|"
    r"fsync.{0,20}(timed out|stalled)|\b(i/o|input/output) error|"
    r"read-only file ?system|ecc error|fallen off the bus|no cuda gpus are available|cudaErrorDevicesUnavailable|"
    r"(disk|drive|volume) (failure|failed|detached)|host (is )?down",
    re.I,
)
"""A machine or its disk fails, or there are too few."""
MEMBERS = re.compile(
    r"(not.?enough|insufficient|too.?few|fewer).?(in.?sync.?)?replicas|under.?replicated|lost (the )?quorum|no quorum|"
    r"quorum lost|"
    r"(newly )?failed (broker|member|peer|shard)s?\b(?!=)|(broker|member|peer|leader|master|primary|shard)\b.{0,20}"
    r"\b(is down|went down|offline|unavailable|lost|not available)|no (leader|master|primary)\b|"
    r"not (the )?(leader|master|primary)\b|"
    # PostgreSQL and Redis, while they start, stop or recover.
    r"database system is (starting up|shutting down|in recovery)|loading the dataset in memory|\bmasterdown\b",
    re.I,
)
"""A store or a queue has lost a member."""
_COUNTS_SERIES = re.compile(SERIES, re.I)
"""What one label more may bring about of however few values; a memory is filled by those that have no end."""
_INDEX = re.compile(r"idx|index", re.I)
"""What holds the places of rows, and counts nothing."""
_KEPT_CONNECTIONS = re.compile(r"idle.?conn|conn\w*.?idle|keep.?alive", re.I)
_MILLI = 1e-3
_UNUSED = re.compile(r"idle|keep.?alive|max.?life.?time", re.I)
_CONNECTIONS = re.compile(r"connect|\beof\b|reset|broken pipe|closed|socket|handshake|descriptor", re.I)
"""What tells of connections, which are all that it may hurt how long unused ones are kept."""
_NOT_REACHED = re.compile(
    r"^(?!.*(idle|keep.?alive)).*(\bconnect (timed? ?out|timeout)|\bdial\b.{0,60}(timed? ?out|timeout|refused)|"
    r"\bconnection (refused|timed? ?out)\b(?! while)|(timed? ?out|timeout) connecting)",
    re.I,
)
"""Somebody cannot be reached."""
_STATED_LIMIT = re.compile(r"\b(?:limit|max\w*)\s*(?:of|is|=|:)\s*(\d{4,12})\b", re.I)
_STATED_TIME_OUT = re.compile(
    r"\btime[- ]?d? ?out(?: (?:is|of|after))?\s{0,2}[=:(]?\s{0,2}"
    r"(\d{1,9}(?:\.\d{1,3})? ?(?:m?s|secs?|(?:milli)?seconds?|m|min(?:ute)?s?))\b",
    re.I,
)
_ATTEMPTS = re.compile(r"attempts|retr(y|ies)|\btries\b", re.I)
_ALLOTTED = re.compile(
    r"\b(hourly|daily|weekly|monthly|spend|spending|(?<!memory )(?<!cpu )(?<!disk )(?<!heap )(?<!storage )usage) "
    r"(\w{1,40} )?(quota|limit)\b|\baccount\b.{0,40}\bsuspended\b|\bunpaid (balance|bill)",
    re.I,
)
"""Somebody has used up what a provider gives in a time, or has not paid for it."""
_USES_MORE = kinds_with(Trait.USES_MORE)
_EXPIRED = re.compile(
    r"\b(token|credentials?|certificate|cert|key|secret|licen[cs]e|password|subscription)(\b.{0,80}\b|_)(expired|revoked|suspended)",
    re.I,
)
_NEVER = re.compile(r"(?!)")
_DENIED = re.compile(
    r"(?-i:AccessDenied)|not authori[sz]ed to\b|unauthori[sz]ed.?operation|permission denied|\bEACCES\b|must be owner of|"
    r"(insufficient|lacks?|missing)\b.{0,20}\b(privileges?|permissions?)\b|explicit(ly)? den(y|ied)",
    re.I,
)
"""Somebody may not do what he tries."""
_UNKNOWN_USER = re.compile(r"(password|user) authentication failed|\brole \S{1,80} does not exist", re.I)
_GIVES_NO_RIGHTS = kinds_with(Trait.GIVES_NO_RIGHTS)
BY_HAND = re.compile(
    r"\bconfig set\b|\bflush ?(all|db)\b|\balter (system|role|user|database)\b|\bset global\b|\brevoke\b.{1,60}\bfrom\b|"
    r"\bkubectl (edit|scale|delete|exec|patch|drain|cordon)\b|"
    r"\bapplication_name=\W?(dbeaver|pgadmin|psql|datagrip|toad|heidisql|mysql workbench)",
    re.I,
)
"""A person works on what runs."""
_RESERVED: tuple[tuple[re.Pattern[str], frozenset[EffectKind], re.Pattern[str]], ...] = (
    (NOT_RESOLVED, frozenset({"address", "name", "setting"}), _NEVER),
    (USED_UP, frozenset({"schema"}), _NEVER),
    (FILLED, frozenset({"limit", "release", "expiry", "pool", "verbosity", "setting", "accumulation", "spawn"}), _NEVER),
    (_FULL_STORE, frozenset({"limit", "memory", "release", "expiry", "cache", "cache_key", "accumulation"}), _NEVER),
    (_EXPIRED, frozenset({"timeout", "cache", "clock", "schedule", "limit", "renewal"}), _NEVER),
    (_ALLOTTED, _USES_MORE, re.compile(r"quota|allot|plan|hourly|daily|weekly|monthly|spend", re.I)),
    (CLOCKS, frozenset({"clock"}), _NEVER),
    (BY_HAND, frozenset(), _NEVER),
    (MACHINES, frozenset({"access", "setting", "memory"}), re.compile(r"read.?only|toleration|affinity|disrupt", re.I)),
    (MEMBERS, frozenset({"address"}), re.compile(r"replica|in.?sync|\bisr\b|quorum|member|\backs?\b|disrupt", re.I)),
)
"""Lines that name a cause of their own, and what brings that about all the same: effects of these kinds, or so named."""


LOCKED = re.compile(
    r"(holding|held|holds) (the |a |an )?.{0,20}lock|still waiting for \w*lock|blocked by (pid|process|session|transaction)|"
    r"lock (wait )?timeout|lock not available|idle in transaction",
    re.I,
)
"""Somebody holds what others wait for."""


def says_why(text: str) -> bool:
    """Whether a line names a cause of its own: the code that failed of it need not be at fault."""
    return bool(LOCKED.search(text)) or any(pattern.search(text) for pattern, _, _ in _RESERVED)


def sets_host(effect: EffectFact) -> bool:
    """Whether an effect has somebody called by the name of another host."""
    return effect.kind == "address" and _HOST.search(effect.after) is not None


def different_hosts(lines: Iterable[str]) -> bool:
    """Whether these lines name several hosts, and not all of them the same one."""
    hosts = [set(map(str.casefold, _HOST.findall(line))) for line in lines]
    named = [names for names in hosts if names]
    return bool(named) and not set.intersection(*named)


def may_bring_about(effect: EffectFact, text: str) -> bool:
    """False for a line that names a cause of its own which this effect is not."""
    if USED_UP.search(text) and _INDEX.search(effect.name):
        return False
    if effect.kind == "limit" and (stated := _STATED_LIMIT.search(text)) and effect.after:
        # Who says which limit was met means no other one.
        return _is_about(float(stated.group(1)), effect)
    # The time of several attempts together is none that anybody has set.
    one_time = effect.kind == "timeout" and effect.after and effect.name != UNIT_OF_TIME and not _ATTEMPTS.search(text)
    if one_time and (time_out := _STATED_TIME_OUT.search(text)):
        # A longer one may let others time out.
        return _is_longer(effect) or _is_about(level_of(time_out.group(1).replace(" ", "")) or 0.0, effect)
    if effect.kind == "timeout" and _KEPT_CONNECTIONS.search(effect.name) and not _CONNECTIONS.search(text):
        return False
    if effect.kind == "timeout" and _UNUSED.search(effect.name) and _NOT_REACHED.search(text):
        # How long an unused connection is kept does not hinder a new one.
        return False
    if effect.kind == "label" and not UNBOUNDED.search(effect.name) and not _COUNTS_SERIES.search(text):
        return False
    if effect.kind in _GIVES_NO_RIGHTS and _DENIED.search(text):
        return False
    if effect.name == RIGHTS and _UNKNOWN_USER.search(text):
        # Who may do less is known all the same.
        return False
    reserved = ((kinds, names) for pattern, kinds, names in _RESERVED if pattern.search(text))
    return all(effect.kind in kinds or names.search(effect.name) for kinds, names in reserved)


def _is_longer(effect: EffectFact) -> bool:
    before, after = level_of(effect.before), level_of(effect.after)
    return before is not None and after is not None and after > before


def _is_about(stated: float, effect: EffectFact) -> bool:
    """Whether a limit that a line states may be this setting, before or after; also where that cannot be read."""
    levels = [level_of(value, effect.name) for value in (effect.before, effect.after) if value]
    # Of what a time-out counts its name may say nothing.
    units = (1.0, unit_of(effect.name), _MILLI) if effect.kind == "timeout" else (1.0,)
    readable = [level * unit for level in levels if level for unit in units]
    # Sizes are counted in thousands or in 1024, which is a tenth apart at most.
    return not all(levels) or any(0.9 <= stated / level <= 1.1 for level in readable)
