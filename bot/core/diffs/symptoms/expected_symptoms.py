"""The symptoms that each kind of effect brings about, as patterns for log lines and for names of signals."""

import math
import re

from bot.core.diffs.effect_kinds import Trait, kinds_with
from bot.core.diffs.effects.safeguards import NO_NUMBER, RESTRAINS
from bot.core.diffs.levels import is_time_of_rate, level_of
from bot.core.diffs.symptoms.stated_causes import SERIES
from bot.core.facts.code import EffectFact, EffectKind
from bot.core.tuning.changes import DiffWeights

MORE, LESS, CHANGED = 1, -1, 0
_SLOW_STATEMENTS = (
    r"statement timeout|cancel\w* statement|quer(y|ies) ?(failed|timed? ?out)|queryfailed|"
    r"(rows|blocks)[ _](examined|read|scanned)"
)
_LAG = r"(?<!loop )\blag"
"""What waits to be read; that of an event loop says how busy one process is."""
_POOL = r"(?<!s)pool"
"""Not the spool, where files lie."""
_RUNS_DRY = r"cache|\bmiss(es|ed)?\b|\bhits?\b|origin|queries|slow query|\bload\b|database|\bdb|qps|latenc|cpu"
_REQUESTS = r"(requests?|calls?|publish(es)?)[ _](per|rate|count|total)|\brps\b|\bqps\b"
_Signs = tuple[tuple[int, str], ...]
EXPECTED_SYMPTOMS: dict[EffectKind, _Signs] = {
    "accumulation": ((CHANGED, r"memory(?! address)|\brss|heap|\boom|out of memory|\bgc\b"),),
    "release": (
        (
            CHANGED,
            rf"memory(?! address)|heap|\boom|connection|{_POOL}|too many|descriptor|goroutine|thread|\block|leak|disk|\bspace|"
            r"\b(slots?|permits?)\b",
        ),
    ),
    "expiry": (
        (
            CHANGED,
            r"memory(?! address)|\boom|maxmemory|heap|\brss|\bleak|evict|\bkeys\b|disk|no space|\bspace\b|\bfull\b|storage",
        ),
    ),
    "verbosity": ((MORE, r"disk|no space|inode|ingest|log.{0,20}(volume|throughput|lps|bytes|rate|lines|size)|volume"),),
    "timeout": (
        (
            LESS,
            r"time.?d?.?out|deadline|expired|cancel|aborted|too early|premature|probe failed|not ready|no ready|liveness|"
            r"shutdown requested|re-?deliver|unack|duplicate|\btwice\b|already (printed|processed|sent|done)",
        ),
        (MORE, rf"latenc|duration|p9\d|(?<!a)wait|{_POOL}|thread|(?<!re)queue|\bhang|stuck"),
    ),
    "retry": (
        (LESS, r"retr|attempt|exhaust|gave up|giving up|budget|breaker|not permit|eject|no healthy"),
        (
            MORE,
            rf"eject|no healthy|retr|attempt|storm|overload|amplif|{_REQUESTS}|traffic|throttl|429|too many|conflict|"
            r"contention",
        ),
    ),
    "pool": (
        (
            LESS,
            rf"{_POOL}|connection|acquire|exhaust|wait|queue|backlog|{_LAG}|saturat|busy|timed? ?out|rejected|cannot assign|"
            r"too many open|socket",
        ),
        (
            MORE,
            r"too many|max_connections|connection slots|memory|cpu|contention|\block|deadlock|\bload\b|context switch|"
            r"emfile|descriptor|overload|\b429\b",
        ),
    ),
    "cache": (
        (LESS, rf"{_RUNS_DRY}|{_REQUESTS}|expired?.keys|evict"),
        (MORE, r"stale|outdated|old (value|data|price)|inconsisten|revoked"),
    ),
    "cache_key": (
        (LESS, _RUNS_DRY),
        (
            CHANGED,
            r"mismatch|does not (match|belong)|belongs to (another|a different)|wrong (user|tenant|locale|currency|key)|"
            r"duplicate|\btwice\b|collision|(?<!clock )\bskew|\bhot\b|\bpartition|\blag (max|p99)|\bmax lag",
        ),
    ),
    "record_key": ((CHANGED, rf"{_LAG}|backlog|\bpartition|(?<!clock )\bskew|\bhot\b|out of order|no records"),),
    "offset": ((CHANGED, rf"{_LAG}|backlog|duplicate|\btwice\b|already|replay|no records|{_REQUESTS}"),),
    "limit": (
        (
            LESS,
            r"limit|exceed|too (large|many|long|big)|larger than|quota|throttl|429|413|reject|truncat|dropp|\bfull\b|"
            r"overflow|insufficient|breaker|not permit",
        ),
        (
            MORE,
            r"memory(?! address)|heap|\boom|overload|cpu|disk|too (large|many|long|big)|larger than|exceeds? (the )?max|"
            r"saturat",
        ),
    ),
    "label": ((CHANGED, rf"{SERIES}|memory(?! address)|heap|\boom|\bgc\b"),),
    "memory": ((LESS, r"memory|\boom|heap|cpu|throttl|evict|killed"),),
    "schedule": (
        (LESS, rf"\bload\b|overlap|too many (simultaneous|concurrent)|cpu|{_REQUESTS}|\block|quota|throttl"),
        (MORE, rf"{_LAG}|backlog|stale|queue|delay|\bage\b"),
    ),
    "batch": (
        (LESS, rf"throttl|too many|capacity|quota|{_REQUESTS}|round.?trips|quer(y|ies)|\brate|latenc|backlog|{_LAG}"),
        (
            MORE,
            r"too large|memory|time.?d?.?out|payload|exceed|\block|max\.poll\.interval|rebalanc|not part of an active group",
        ),
    ),
    "query": (
        (
            CHANGED,
            _SLOW_STATEMENTS
            + r"|\bsql|\brelation\b|column|slow quer|full scan|seq.?scan|\block (wait|time)|deadlock|database|\bdb\b",
        ),
    ),
    "schema": (
        (
            CHANGED,
            _SLOW_STATEMENTS + r"|\bseq\b|jdbc.{0,12}time|"
            r"column|\brelation\b|\btables?\b|constraint|null value|migration|\bsql|\block|slow quer|scan|index",
        ),
    ),
    "lock": ((CHANGED, r"deadlock|\block|stuck|\brace\b|concurrent|contention|\bhang"),),
    "format": (
        (
            CHANGED,
            r"serializ|marshal|decod|encod|codec|pars(e|ing)|magic (byte|number)|(illegal|invalid|"
            r"unexpected) (character|byte|token|utf)|"
            r"malformed|wire.?(type|format)|unrecogni[sz]ed|unknown (field|propert)|cannot (cast|convert|coerce)|"
            r"unsupported.?protocol|handshake|protocol version|"
            r"expected (an? )?(string|number|integer|boolean|object|array|enum|(begin|start)_\w+)\b.{0,20}\b"
            r"(found|got|was|received)|"
            r"invalid literal|could not convert|number ?format|not a (valid )?(number|integer|date|timestamp)|"
            r"(validation|schema|type) (error|mismatch)|match pattern|input_type=|invalid (value|enum|type)|"
            r"signature (mismatch|invalid|verification)|digest mismatch|\bhmac\b|no such ?key|"
            r"(has|holds|lists?) (0|no) objects",
        ),
    ),
    "clock": (
        (
            CHANGED,
            r"(?:\b|_)(?:dates?|days?)\b|midnight|tomorrow|yesterday|in the (past|future)|not (yet )?(valid|open)|"
            r"too (early|late)|\blocal time\b|quiet hours|time ?range|"
            # "No rows in result set" is how Go says that there is none.
            r"\b(0|no) rows\b(?! (in result|(were )?affected))|\bhours? (off|late|early)|outside .{0,20}\bhours\b|time ?zone",
        ),
    ),
    "order": ((CHANGED, r"deadlock|out of order|(un|not )sorted|lock.?order"),),
    "match": ((CHANGED, r"\bregexp?\b|not? match|unparse?able|c(an|ould) ?not (be )?parse|\binvalid\b(?! memory)|rejected\b"),),
    "pattern": (
        (
            CHANGED,
            r"cpu|timed? ?out|latenc|duration|\bregexp?\b|backtrack|event.?loop|match limit|worker.{0,20}(timeout|killed)|"
            r"no match|not match",
        ),
    ),
    "backtracking": (
        (CHANGED, r"\bcpu\b|processor|event.?loop|match limit|worker.{0,20}(timeout|killed)|backtrack|\bhang|stuck"),
    ),
    "address": (
        (
            CHANGED,
            r"(connect\w{0,5}|dial|read|i/o|request).{0,60}(timed? ?out|timeout|refused|reset|closed)|no such host|"
            r"name resolution|"
            r"getaddrinfo|eai_again|unreachable|no route|\benotfound\b|"
            r"bad gateway|\b50[24]\b|handshake|probe failed|no healthy|"
            r"no endpoints|"
            r"ready replicas|no server (is )?available|\bis DOWN\b|health.?check|"
            r"no (active |registered )?(members|consumers|subscribers|listeners|messages)\b|unknown (topic|queue)",
        ),
    ),
    "access": (
        (
            CHANGED,
            r"forbidden|denied|unauthori[sz]ed|not authori[sz]ed|unauthenticated|authentication fail|api.?key|"
            r"permission|\b40[13]\b|cors|cookie|"
            r"insufficient.?(scope|privilege)",
        ),
    ),
    "renewal": (
        (
            CHANGED,
            r"authentication fail|unauthori[sz]ed|unauthenticated|permission denied|\b40[13]\b|expired|revoked|"
            r"invalid (token|credential)|\blease\b|certificate|handshake",
        ),
    ),
    "balancing": (
        (
            CHANGED,
            r"deadline|exhausted|overload|latenc|time.?d?.?out|\bmax\b.{0,12}cpu|cpu.{0,12}\bmax\b|busiest|receiving|uneven|\bhot\b|"
            r"(?<!re)queue|throttl",
        ),
    ),
    "draining": (
        (
            CHANGED,
            r"connection (was )?(refused|reset)|connect\(\) failed|econn(refused|reset)|bad gateway|"
            r"prematurely closed|broken pipe",
        ),
    ),
    "connection_state": (
        (
            CHANGED,
            r"prepared statement|sqlstate.{0,3}26000|\b42P05\b|set_config|search_path|advisory|current_setting|"
            r"temp(orary)? table|(wrong|another|other|no) tenant|tenant.{0,20}(mismatch|missing|not set)|row.level",
        ),
    ),
    "sharing": (
        (
            CHANGED,
            r"second operation|already (in progress|in use|running|open)|\brace\b|concurren|not thread.?safe|in use by another|"
            r"(modified|changed) (while|during|by another)|another (user|request|tenant|customer|command|operation|thread)|"
            r"belongs? to (another|a different)|is busy|deadlock|corrupt|checksum|"
            r"segmentation fault|data race|garbled|already connected|taken ?over|duplicate (client|session|consumer|id\b)",
        ),
    ),
    "waiting": (
        (
            CHANGED,
            r"time.?d?.?out|latenc|duration|p9\d|(?<!a)wait|(?<!re)queue|mailbox|backlog|blocked|event.?loop|\bhang|stuck",
        ),
    ),
    "spawn": ((CHANGED, r"goroutine|thread|memory(?! address)|\boom|too many|\brace\b|concurrent|leak"),),
    "guard": (
        (
            LESS,
            r"unhandled|uncaught|null|\bnil\b|none.?type|undefined|panic|exception|out of (range|bounds)|overflow|divi|"
            r"segfault|traceback",
        ),
        (MORE, r"invalid|reject|forbidden|denied|unauthori|40[013]|\b422\b|unprocessable|validation|required|refused"),
    ),
}
"""What each kind of effect brings about, by whether it means more, less or just another."""
_KEPT_READY = re.compile(
    r"(?<![a-z])min(imum)?[_.-]?(pool|size|idle|conn|spare|thread)|(pool|size|idle|conns?|threads)[_.-]?min(?![a-z])", re.I
)
_ERROR_CHECK = re.compile(r"\berr\w*\s*[!=]=\s*nil\b")
_NOTHING = re.compile(
    r"catch|except|rescue|recover|await|\bunwrap_or|[.]or_?else|[.](?:get)?or_?(?:else|default)|[.]first_?or_?null|\bnil\b|\bnull\b|\bnone\b|undefined|empty|\blen\(|\.length\b(?!.*[1-9])|isPresent|exists",
    re.I,
)
"""Conditions without which code works on what is not there, and handlers without which a failure ends the program."""
_JUST_CHANGED = kinds_with(Trait.JUST_CHANGED)


def change_of(effect: EffectFact, weights: DiffWeights) -> tuple[int, float]:
    """More or less, and how much of it counts, 0 to 1: half or double counts whole, a third more very little."""
    if effect.kind in _JUST_CHANGED:
        return CHANGED, 1.0
    if effect.before == NO_NUMBER:
        return MORE, 1.0
    if effect.kind in ("address", "access"):
        return CHANGED, 1.0 if effect.before else weights.new_setting
    if effect.kind == "spawn":
        return CHANGED, weights.spawn
    if effect.kind == "guard":
        if effect.after == "required":
            return MORE, 1.0
        return (MORE if effect.after else LESS), 1.0 if _NOTHING.search(_ERROR_CHECK.sub("", effect.before)) else weights.guard
    if effect.kind in ("batch", "cache", "cache_key") and not (effect.before or effect.after):
        return LESS, 1.0
    before, after = level_of(effect.before, effect.name), level_of(effect.after, effect.name)
    if effect.after and not effect.before:
        return (MORE if effect.kind in ("verbosity", "cache") else LESS), weights.new_setting
    if effect.before and not effect.after:
        return (MORE if effect.kind == "retry" and RESTRAINS.search(effect.name) else LESS), 1.0
    if before is None or after is None or before == after:
        return CHANGED, weights.unread_setting
    size = (math.log2(after / before) / weights.whole_from) ** 2 if before > 0 and after > 0 else 1.0
    less_ready = after < before and effect.kind in ("pool", "limit") and _KEPT_READY.search(effect.name)
    counts = weights.kept_ready if less_ready else 1.0
    # So many in a longer time are fewer.
    more = (after > before) is not bool(is_time_of_rate(effect.name))
    return (MORE if more else LESS), counts * min(1.0, size)
