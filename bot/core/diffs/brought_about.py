"""What each kind of effect brings about, as it is told by log lines and by names of signals."""

from bot.core.facts.code import EffectKind

MORE, LESS, CHANGED = 1, -1, 0
_SLOW_STATEMENTS = (
    r"statement timeout|cancel\w* statement|quer(y|ies) ?(failed|timed? ?out)|queryfailed|"
    r"(rows|blocks)[ _](examined|read|scanned)"
)
_Signs = tuple[tuple[int, str], ...]
SYMPTOMS: dict[EffectKind, _Signs] = {
    "accumulation": ((CHANGED, r"memory(?! address)|\brss|heap|\boom|out of memory|\bgc\b"),),
    "release": (
        (
            CHANGED,
            r"memory(?! address)|heap|\boom|connection|pool|too many|descriptor|goroutine|thread|\block|leak|disk|space",
        ),
    ),
    "verbosity": ((MORE, r"disk|no space|inode|ingest|log.{0,20}(volume|throughput|lps|bytes|rate|lines|size)|volume"),),
    "timeout": (
        (LESS, r"time.?d?.?out|deadline|expired|cancel|aborted|too early|premature|probe failed|not ready"),
        (MORE, r"latenc|duration|p9\d|wait|pool|thread|queue|hang|stuck"),
    ),
    "retry": (
        (LESS, r"retr|attempt|exhaust|gave up|giving up|budget|breaker|not permit"),
        (MORE, r"retr|attempt|storm|overload|amplif|requests?_|rps|qps|traffic|throttl|429|too many"),
    ),
    "pool": (
        (
            LESS,
            r"pool|connection|acquire|exhaust|wait|queue|backlog|lag|saturat|busy|timed? ?out|rejected|cannot assign|"
            r"too many open|socket",
        ),
        (MORE, r"too many|max_connections|connection slots|memory|cpu|contention|lock|deadlock|load|context switch"),
    ),
    "cache": (
        (LESS, r"cache|miss|hit|origin|quer(y|ies)|load|database|\bdb|qps|latenc|cpu"),
        (MORE, r"stale|outdated|old (value|data|price)|inconsisten|revoked"),
    ),
    "limit": (
        (
            LESS,
            r"limit|exceed|too (large|many|long|big)|quota|throttl|429|413|reject|truncat|dropp|\bfull\b|"
            r"overflow|insufficient|breaker|not permit",
        ),
        (MORE, r"memory(?! address)|heap|\boom|overload|cpu|disk|too (large|many)|saturat"),
    ),
    "memory": ((LESS, r"memory|\boom|heap|cpu|throttl|evict|killed"),),
    "schedule": ((LESS, r"load|overlap|cpu|qps|requests?_|lock|quota|throttl"), (MORE, r"lag|backlog|stale|queue|delay|age")),
    "batch": (
        (LESS, r"throttl|capacity|quota|requests?_|round.?trips|quer(y|ies)|rate|latenc|backlog|lag"),
        (MORE, r"too large|memory|time.?d?.?out|payload|exceed|lock"),
    ),
    "query": (
        (
            CHANGED,
            _SLOW_STATEMENTS
            + r"|\bsql|relation|column|slow quer|full scan|seq.?scan|\block (wait|time)|deadlock|database|\bdb\b",
        ),
    ),
    "schema": (
        (
            CHANGED,
            _SLOW_STATEMENTS + r"|column|relation|table|constraint|null value|migration|\bsql|\block|slow quer|scan|index",
        ),
    ),
    "lock": ((CHANGED, r"deadlock|\block|stuck|\brace\b|concurrent|contention|hang"),),
    "format": (
        (
            CHANGED,
            r"serializ|marshal|decod|encod|codec|pars(e|ing)|magic (byte|number)|(illegal|invalid|"
            r"unexpected) (character|byte|token|utf)|"
            r"malformed|wire.?(type|format)|unrecogni[sz]ed|unknown (field|propert)",
        ),
    ),
    "pattern": ((CHANGED, r"cpu|timed? ?out|latenc|duration|backtrack|worker.{0,20}(timeout|killed)|no match|not match"),),
    "address": (
        (
            CHANGED,
            r"(connect\w*|dial|read|i/o|request).{0,60}(timed? ?out|timeout|refused|reset|closed)|no such host|name resolution|"
            r"unreachable|no route|enotfound|bad gateway|\b50[24]\b|handshake|probe failed|no healthy",
        ),
    ),
    "access": (
        (
            CHANGED,
            r"forbidden|denied|unauthori[sz]ed|not authori[sz]ed|permission|\b40[13]\b|cors|insufficient.?(scope|privilege)",
        ),
    ),
    "spawn": ((CHANGED, r"goroutine|thread|memory(?! address)|\boom|too many|\brace\b|concurrent|leak"),),
    "guard": (
        (
            LESS,
            r"unhandled|uncaught|null|\bnil\b|none.?type|undefined|panic|exception|out of (range|bounds)|overflow|divi|"
            r"segfault|traceback",
        ),
        (MORE, r"invalid|reject|forbidden|denied|unauthori|40[013]|validation|required|refused"),
    ),
}
"""What each kind of effect brings about, by whether it means more, less or just another."""
LOADS: frozenset[EffectKind] = frozenset({"retry", "cache", "schedule", "batch"})
"""Effects that bring more calls about: signals show those as directly as lines."""
ON_CALLEES: frozenset[EffectKind] = LOADS | {"query", "schema"}
"""Effects that hurt what a service calls: that this one fails is no alibi for the caller's change."""
