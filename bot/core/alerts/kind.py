"""What kind of problem an alert is about, from the words of its name, and how near to a cause that kind usually is."""

import re
from functools import lru_cache

from bot.core.facts.alerting import AlertKind
from bot.core.text.camel_case import separated
from bot.core.tuning import TUNING

_WORDS: tuple[tuple[AlertKind, str], ...] = (
    ("logs", r"\blogs?\b|log.?(line|template|message)"),
    ("disk", r"disk|\bfs\b|fs_|filesystem|iops|iostat|\bio\b|storage|volume|inode"),
    ("memory", r"mem|heap|rss|swap|oom"),
    ("cpu", r"cpu|cores?\b|core_|throttl|load.?average"),
    ("network", r"network|packet|bandwidth|tcp|receive|transmit|connection"),
    ("load", r"thread|process|descriptor|goroutine|queue|request.?rate|traffic|throughput|rps|qps"),
    ("errors", r"error|fail|exception|5\d\d|4\d\d|success|availab|abort|reject|timeout|crash|restart|down|absent|ready"),
    ("latency", r"latenc|duration|response.?time|slow|p9\d|wait"),
)  # fmt: skip
"""The first that fits. Resources come first: the waiting time of a disk is about the disk."""

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
    words_of_name = separated(name)
    return next((kind for kind, words in _WORDS if re.search(words, words_of_name, re.I)), "other")


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
