"""What kind of trouble an alert speaks of, from the words of its name, and how near to a cause that kind usually is."""

import re
from functools import lru_cache
from typing import Literal

AlertKind = Literal["disk", "memory", "cpu", "network", "load", "errors", "latency", "logs", "other"]

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
"""The first that fits. Resources come first: the waiting time of a disk speaks of the disk."""

_WEIGHT: dict[AlertKind, float] = {"network": 0.7, "load": 0.5, "logs": 0.5, "other": 0.5}
"""Traffic, threads and lines follow what happens elsewhere more often than they bring it about; all other kinds count whole."""

_FALL = 0.5
_GOOD_WHEN_HIGH = frozenset({"errors", "latency", "other"})


@lru_cache(maxsize=4096)
def kind_of(name: str) -> AlertKind:
    """The kind of trouble that an alert's name speaks of; "other" when it says nothing known."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return next((kind for kind, words in _WORDS if re.search(words, spaced, re.I)), "other")


def weight_of(kind: AlertKind, direction: str) -> float:
    """What an alert of this kind counts, 0 to 1: less use of a resource is an effect of less work more often than a cause."""
    fell = direction in ("down", "below", "falling") and kind not in _GOOD_WHEN_HIGH
    return _WEIGHT.get(kind, 1.0) * (_FALL if fell else 1.0)
