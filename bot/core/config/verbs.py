"""What the words of an action say about its danger: a least tier that no configuration and no plugin lowers."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, urlsplit

from bot.core.action import Tier

DESTRUCTIVE = frozenset((
    "annihilate", "decommission", "delete", "deprovision", "destroy", "drop", "erase", "expunge", "format", "nuke",
    "dropdb", "flushall", "flushdb",
    "obliterate", "purge", "raze", "rm", "shred", "terminate", "trash", "truncate", "uninstall", "wipe", "zap",
))  # fmt: skip
"""What they do cannot be taken back."""
DISRUPTIVE = frozenset((
    "abort", "clear", "cordon", "detach", "disable", "disconnect", "drain", "evict", "flush", "halt", "kill", "quarantine",
    "remove", "reset", "shutdown", "stop", "suspend", "teardown",
))  # fmt: skip
"""Users may notice, and more than one thing may be hit."""
COUNTS = frozenset((
    "capacity", "copies", "count", "desired", "instance", "instances", "quantity", "replica", "replicas", "scale",
))  # fmt: skip
"""Words in the name of a value that says how many of something run."""
ALSO_NAMES = frozenset((
    "amount", "max", "maximum", "min", "minimum", "nodes", "number", "pods", "size", "tasks", "total", "units", "workers",
))  # fmt: skip
"""The same, where a word as value is the name of one of them."""
NONE_IN_WORDS = frozenset((
    "zero", "zeros", "none", "null", "nil", "nought", "naught", "nothing", "no", "off", "false", "empty", "void", "o",
))  # fmt: skip
_JOB_OPTIONS = ("command", "job", "pipeline", "playbook", "task", "workflow")
"""Options of an action that name what somebody else's machine runs."""
_SCALES_TO_NOTHING = re.compile(
    r"(?<![a-z])(?:scale|capacity|replicas?)[a-z]{0,4}(?:[^a-z0-9]{0,3}down)?(?:[^a-z0-9]{0,3}to)?[^a-z0-9]{0,3}"
    r"(?:0+|zero|none|nothing)(?![a-z0-9.])"
)
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_WHOLE = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)


def words_of(text: str) -> list[str]:
    """The words of a name in small letters: `delete_volume`, `deleteVolume` and `delete-volume` alike."""
    return [word.lower() for word in _WORDS.findall(text)]


def least_tier_of(*names: str) -> Tier:
    """The tier below which nothing of these names may be: 3 for what destroys, 2 for what interrupts."""
    words = {word for name in names for word in words_of(name)}
    if words & DESTRUCTIVE:
        return Tier.THREE
    interrupts = words & DISRUPTIVE or any({verb, "down"} <= words for verb in ("scale", "shut", "tear"))
    return Tier.TWO if interrupts else Tier.ZERO


def verb_of(*names: str) -> str:
    """The word that makes it dangerous; "" if none does."""
    return next((word for name in names for word in words_of(name) if word in DESTRUCTIVE | DISRUPTIVE), "")


def names_scaling_to_nothing(*names: str) -> bool:
    """Whether a name says it itself: `scale_to_zero`, `/checkout/scale/0`."""
    return any(_SCALES_TO_NOTHING.search(name.lower()) for name in names)


def scales_to_nothing(values: Mapping[str, object]) -> bool:
    """Whether a count among these values is anything but a whole number above zero: there are too many ways to write none."""
    return any(_means_none(name, value) for name, value in values.items())


def _means_none(name: str, value: object) -> bool:
    if isinstance(value, Mapping):
        return scales_to_nothing(value)
    if isinstance(value, list | tuple):
        return any(_means_none(name, item) for item in value)
    words, text = set(words_of(name)), str(value).strip().lower()
    if not words & (COUNTS | ALSO_NAMES) or "{" in text or _WHOLE.fullmatch(text):
        return False
    is_word = re.search(r"[a-z]", text) is not None and text not in NONE_IN_WORDS and not text[:1].isdigit()
    return not (is_word and not words & COUNTS)


def query_values(url: str) -> dict[str, str]:
    """The values in an address' query by name."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def telling_names(key: str, url: str, body: object, options: Mapping[str, object]) -> list[str]:
    """What names the job of a catalogue's entry: its own name, its address, the texts that it sends, whose job it starts."""
    parts = urlsplit(url)
    jobs = [str(options[name]) for name in _JOB_OPTIONS if name in options]
    return [key, *parts.path.split("/"), *query_values(url).values(), *_texts(body), *jobs]


def _texts(value: object) -> Iterable[str]:
    """The texts of a body, without the names that they stand behind."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []
