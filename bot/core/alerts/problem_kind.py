"""What kind of problem an alert is about, from the words of its name, and how near to a cause that kind usually is."""

import re
from functools import lru_cache

from bot.core.facts.alerting import AlertKind
from bot.core.text.camel_case import named_by, separated
from bot.core.tuning import TUNING

_WORDS: tuple[tuple[AlertKind, re.Pattern[str]], ...] = (
    ("logs", re.compile(r"\blogs?\b|(?<![a-z])log.?(line|template|message)", re.I)),
    ("disk", named_by(r"(root|tmp|host|image|node|ceph|n|x|z)?fs|volumes?",
                      parts=r"disk|filesystem|iops|iostat|\bio\b|inode|storage")),
    ("memory", named_by(r"mem(info|free|used|usage|total|util\w*|alloc\w*|pct)?|heaps?|rss|swap\w*|oom(s|kill\w*)?",
                        parts=r"memory")),
    ("cpu", named_by(r"cores?(?! dns)|load.?average|processors?.(time|load|usage|utili[sz]ation)", parts=r"cpu|throttl")),
    ("network", named_by(r"tcp\w*|receive[ds]?|transmit\w*", parts=r"network|packet|bandwidth|connection")),
    ("load", named_by(r"threads?|threadpools?|process(es)?|request.?rate|rps|qps",
                      parts=r"descriptor|goroutine|queue|traffic|throughput")),
    ("errors", named_by(r"(un)?success(es|ful)?|(shut|is|node|host|pod|target|instance|service|server)?down|absent|(un)?ready",
                        parts=r"error|fail|exception|availab|abort|reject|timeout|crash|restart|(?<!\d)[45]\d\d(?!\d|ms)")),
    ("latency", named_by(r"durations?|response.?time|slow\w*|p9\d|(no|io)?wait\w*", parts=r"latenc")),
)  # fmt: skip
"""The first that fits. Resources come first: the waiting time of a disk is about the disk."""

_AMOUNT = re.compile(
    r"(order|sale|payment|purchase|booking|transaction|trade|message|call|quer(?:y|ie)|request|traffic)s?[ _.-]volume", re.I
)
"""How much is done, which is no volume of a disk."""

HANDED_DOWN = frozenset({"errors", "latency", "network", "logs", "other"})
"""Kinds of problem that a failing dependency hands to who calls it. A full memory, disk, core or queue is a service's own."""
_OWN = named_by(
    r"full|(thread|conn|connections?|worker|db|jdbc|hikari|node|mem|buffer|session|socket|ip|z)?pool(s|ed|ing)?|"
    r"(rate|u)?limit(s|ed|er|ing)?|oom(s|kill\w*)?|evict\w*|providers?|third.?party|vendors?|certificates?|"
    r"too.many.(open.)?(connections|files|pods|sessions|clients)",
    parts=r"exhaust|(?<!un)saturat|crash|restart",
)
"""Names of what ran out, died or lies outside: a service's own as well, whatever kind of problem they are filed under."""

_WEIGHTS = TUNING.alert_kinds
_OF_KIND: dict[AlertKind, float] = {
    "network": _WEIGHTS.network,
    "load": _WEIGHTS.load,
    "other": _WEIGHTS.other,
}
"""All other kinds count whole."""

_GOOD_WHEN_HIGH = frozenset({"errors", "other"})
_RETAINED = re.compile(r"rss|anon|heap", re.I)
"""What a process holds does not shrink for want of work: it falls when the process dies or lets go of it."""

_KERNEL_CHOICE = re.compile(
    r"page.?cache|mem(ory)?(_stats)?(_total)?_cache|dirty|writeback|(active|mapped).?file|core.?\d", re.I
)
"""Which core runs what and which pages of files stay in memory is the kernel's choice, and changes without any problem."""

_LOCAL_FAILURE = re.compile(
    r"no such file|permission denied|access denied|operation not permitted|read-only file|input/output error", re.I
)
"""A line about what the process itself cannot reach on its own machine; load does not do that, nor does another service."""

_OF_ANOTHER = re.compile(
    r"\b(down|up)stream|\bremote|rpc error|\bcall(s|ed|ing)? (to|service|of)\b|request (to|error)|context canceled", re.I
)
"""A line about a call to somebody else, or from somebody who went away: errors are handed down to who made them."""


@lru_cache(maxsize=4096)
def kind_of(name: str) -> AlertKind:
    """The kind of problem that an alert's name is about; "other" where no word of it is known."""
    words_of_name = _AMOUNT.sub(r"\1 rate", separated(name))
    return next((kind for kind, words in _WORDS if words.search(words_of_name)), "other")


@lru_cache(maxsize=4096)
def is_own(name: str) -> bool:
    """Whether an alert of this name tells of something of its service's own, which no failing dependency hands to it."""
    return kind_of(name) not in HANDED_DOWN or says_own(name)


def says_own(name: str) -> bool:
    """Whether words of its name tell of what ran out, died or lies outside, whatever kind of problem it is filed under."""
    return _OWN.search(separated(name)) is not None


@lru_cache(maxsize=4096)
def weight_of(name: str, direction: str = "") -> float:
    """What an alert of this name counts, 0 to 1: less use of a resource, or faster answers, are effects of less work."""
    kind = kind_of(name)
    if kind == "logs":
        return _WEIGHTS.handed_down if _OF_ANOTHER.search(name) and not _LOCAL_FAILURE.search(name) else 1.0
    fell = direction in ("down", "below", "falling") and kind not in _GOOD_WHEN_HIGH
    effect = fell and not (kind == "memory" and _RETAINED.search(name))
    chosen = kind in ("cpu", "memory") and bool(_KERNEL_CHOICE.search(name))
    return _OF_KIND.get(kind, 1.0) * (_WEIGHTS.falling if effect else 1.0) * (_WEIGHTS.kernel_choice if chosen else 1.0)
