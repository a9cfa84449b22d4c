"""What a signal's name says of it: which family it belongs to, and which way is bad, where nobody has declared that."""

import re
from typing import Literal

from bot.core.facts.measured import Family
from bot.core.text.camel_case import separated

Harm = Literal["up", "down", "either"]

_WORDS: tuple[tuple[Family, str], ...] = (
    ("behaviour", r"(calls|attempts|retries|requests|queries|lookups|fetches)_per_(?!s(ec(ond)?)?s?\b|m(in(ute)?)?\b|h(our)?\b|"
    r"day|pod|node|core|instance)"),
    ("client", r"client.*(latenc|duration|p\d\d)|at callers$"),
    ("network", r"on the wire$"),
    ("external", r"external|provider|third.?party|outbound|egress"),
    ("errors", r"errors?|err_|fail|bad_|lost|dropp|5xx|4xx|(?<![\d.])[45]\d\d(?!\d|ms|s\b|[kmg]?i?b)|exception|success|"
    r"availab|abort|reject|timeout|unreachable|absent|denied|refused|cancell?ed|dead.?letter|overdue"),
    ("errors", r"(?<!slow)(?<!slow )(?<!cool)(?<!count)down(?![a-z])|\bup(?=[{)]|$)"),
    ("saturation", r"cpu|mem|rss|heap|connection|pool|queue|backlog|disk|thread|lag|saturat|throttl|ready|replica|"
    r"(?-i:OOM)|(?<![a-z])oom|"
    r"(?<![a-z]_)restart|(pod|container|kube|process|worker|node|instance|service|status)\w*restart|"
    r"(volume|wal|filesystem|tablespace|partition|inode|storage|bucket|space)[a-z_ ]*[_ ](used|usage|utili[sz]|full|occup)"),
    ("saturation", r"(bytes|size|length)[_ ](p\d\d|avg|mean|max)(?![a-z])"),
    ("latency", r"latenc|duration|seconds|response.?time|p9\d|p50|slow|wait"),
    ("traffic", r"traffic|request|rps|qps|rate(?!.?limit)|throughput|load|calls|volume"),
)  # fmt: skip
_BAD_WHEN_HIGH = re.compile(
    r"unavail|un_?ready|not.?(ready|available)|stale|under.?replicat|(?<![a-z])lag|behind|idle.in.t|surplus|error(?!.?budget)|fail",
    re.I,
)
"""Words that say so, whatever others say that are good."""
_GOOD_WHEN_HIGH = re.compile(
    r"success|availab|ready|free|idle|hit.?rat|replica|uptime|^up$|"
    r"(?<![a-z])(quota|credits?|tokens?|budget|space|days|capacity|segments)\w*[_ ](remaining|left)(?![a-z])|"
    r"remaining[_ ](quota|credits?|tokens?|budget|space|balance)|"
    r"(?<![a-z])(burst|credit|account)[_ ]?balance([_ ](pct|percent|ratio|total|avg|average|min|minimum))?$",
    re.I,
)
RATE = re.compile(r"_per_(s|sec|second|m|min|minute|h|hour)s?$", re.I)
"""How much of something is done: less may be as bad as more."""
_SERVED = re.compile(
    r"^(?:(?:https?|grpc|rpc|server|incoming)[_ ])*(?:requests?|accepted|received|incoming|inbound|served|handled|[rq]ps)"
    r"(?:[_ ](?:per|rate|count|total).*)?$",
    re.I,
)
_IN_FLIGHT = re.compile(
    r"(?<![a-z])(in[_. -]?flight|(active|open|pending|outstanding|concurrent)[_. ]?(request|call)s?(?![a-z])"
    r"|(request|call)s?[_. ]?(active|pending|outstanding))",
    re.I,
)
_SELECTED = re.compile(r"\{[^}]*\}")
"""What an expression selects by: values of labels are no names of signals."""
_COUNTED = re.compile(r"_per_|_total|\brate\b|_rate|increase", re.I)
"""Names of what is counted over time: how many came, and not how many there are at once."""


def family_of(signal: str) -> Family:
    """The family that the words of a signal's name belong to; "saturation" where none is known."""
    named = next((family for family, words in _WORDS if re.search(words, signal, re.I)), None)
    if named in ("traffic", None) and is_in_flight(signal):
        return "latency"
    return named or "saturation"


def names_resource(signal: str) -> bool:
    """Whether a word of its name is a resource; that of an unknown signal says nothing of what it measures."""
    return any(re.search(words, signal, re.I) for family, words in _WORDS if family == "saturation")


def harm_of(signal: str, family: Family) -> Harm:
    """Which way is bad: more traffic and less traffic both are; errors, latency and use of a resource only upwards."""
    if _GOOD_WHEN_HIGH.search(signal) and not _BAD_WHEN_HIGH.search(signal):
        return "down"
    done = family == "saturation" and not names_resource(signal) and RATE.search(signal)
    return "either" if family == "traffic" or done else "up"


def is_in_flight(signal: str) -> bool:
    """Whether it tells how many requests are being answered: as many as come times how long each takes (Little's law).

    So there are more of them at once where answers are slow, and more need not have come.
    """
    names = separated(_SELECTED.sub("", signal))
    return _IN_FLIGHT.search(names) is not None and _COUNTED.search(names) is None


def counts_served(signal: str) -> bool:
    """Whether it counts what others ask of the service that has it: no change of its own brings it more of that."""
    return _SERVED.search(signal) is not None
